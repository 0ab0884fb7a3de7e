//! A page as bytes: sixteen a line, each part in the colour of what it is.

use vellum::KeySpace;
use vellum::format::page::{FIELDS, Page};
use vellum::inspect::{Part, PartKind, parts};

use super::Look;
use super::paint::{Ink, Paint};

const LINE: usize = 16;

/// Colours for cells that stand beside each other. These and the others of this page can be read on black and on white.
const CELLS: [u8; 4] = [68, 65, 31, 29];

/// Behind a byte that is not what it was.
const FLAW: Ink = Ink::On(203);

/// A page's parts, or its whole as one where it has none.
pub(super) fn parts_of(page: Option<&Page>, len: usize) -> Vec<Part> {
    match page {
        Some(page) => parts(page),
        None => vec![Part {
            range: 0..len,
            kind: PartKind::Data,
        }],
    }
}

/// A legend line and the dump. Lines of zeros in a row are drawn once.
pub(super) fn dump(bytes: &[u8], page: Option<&Page>, start: u64, look: Look) -> String {
    let parts = parts_of(page, bytes.len());
    let mut out = legend(page, look);
    let mut next = 0;
    let mut blank = false;
    for (line, chunk) in bytes.chunks(LINE).enumerate() {
        let at = line * LINE;
        let zeros = chunk.iter().all(|byte| *byte == 0);
        if zeros && blank {
            continue;
        }
        blank = zeros;
        while parts
            .get(next + 1)
            .is_some_and(|part| part.range.start <= at)
        {
            next += 1;
        }
        out += &row(
            at,
            chunk,
            parts.get(next..).unwrap_or_default(),
            page,
            start,
            look,
        );
    }
    out
}

fn row(
    at: usize,
    chunk: &[u8],
    parts: &[Part],
    page: Option<&Page>,
    start: u64,
    look: Look,
) -> String {
    let (mut hex, mut text) = (String::new(), String::new());
    let mut flaws = String::new();
    for (i, byte) in chunk.iter().enumerate() {
        let kind = parts
            .iter()
            .find(|part| part.range.contains(&(at + i)))
            .map_or(PartKind::Data, |part| part.kind);
        let hidden = look.redact && is_content(kind, page);
        let (digits, letter) = match byte {
            _ if hidden => ("··".to_owned(), '·'),
            byte if byte.is_ascii_graphic() || *byte == b' ' => {
                (format!("{byte:02x}"), char::from(*byte))
            }
            byte => (format!("{byte:02x}"), '.'),
        };
        if i == LINE / 2 {
            hex.push(' ');
        }
        let was = page
            .and_then(|page| page.bytes().get(at + i))
            .filter(|was| *was != byte);
        let ink = if was.is_some() { FLAW } else { ink(kind) };
        hex += &look.paint.ink(ink, &digits);
        hex.push(' ');
        text += &look.paint.ink(ink, &letter.to_string());
        flaws += &was.map_or(String::new(), |was| flaw(at + i, *was, hidden, look.paint));
    }
    // The last line of a page that is cut short is padded, so that the text stays in its column.
    let missing = LINE - chunk.len();
    hex += &" ".repeat(3 * missing + usize::from(chunk.len() <= LINE / 2));
    let place = look
        .paint
        .faint(&format!("{:>10x} {at:>5}", start + at as u64));
    let mark = if chunk.iter().all(|byte| *byte == 0) {
        look.paint.faint("  zeros")
    } else {
        String::new()
    };
    format!("{place}  {hex} {text}{mark}{flaws}\n")
}

/// What a byte was before it was damaged, where the checksum tells.
fn flaw(at: usize, was: u8, hidden: bool, paint: Paint) -> String {
    let said = if hidden {
        format!("  byte {at} is damaged")
    } else {
        format!("  byte {at} was {was:02x}")
    };
    paint.ink(Ink::Bad, &said)
}

fn ink(kind: PartKind) -> Ink {
    match kind {
        PartKind::Field(i) => Ink::Palette(if i % 2 == 0 { 136 } else { 130 }),
        PartKind::Prefix => Ink::Palette(133),
        PartKind::Heads => Ink::Palette(98),
        PartKind::Ends => Ink::Palette(244),
        PartKind::CellKey(_) => Ink::Palette(169),
        PartKind::Cell(i) => Ink::Palette(CELLS.get(i % CELLS.len()).copied().unwrap_or(CELLS[0])),
        PartKind::Link => Ink::Palette(166),
        PartKind::Data => Ink::Palette(29),
        PartKind::Unused => Ink::Faint,
        PartKind::Checksum => Ink::Palette(160),
    }
}

/// Whether a part may hold what a user stored, rather than structure.
fn is_content(kind: PartKind, page: Option<&Page>) -> bool {
    let Some(page) = page else { return true };
    let text_keys = matches!(page.space(), Some(KeySpace::Names | KeySpace::Dictionary));
    match kind {
        PartKind::Prefix | PartKind::Heads | PartKind::CellKey(_) => text_keys,
        PartKind::Cell(_) if page.level() > 0 => false,
        PartKind::Cell(_) => {
            text_keys || matches!(page.space(), Some(KeySpace::Nodes | KeySpace::Out))
        }
        PartKind::Data => page.blob_data().is_some(),
        _ => false,
    }
}

fn legend(page: Option<&Page>, look: Look) -> String {
    if page.is_none() {
        return String::new();
    }
    let mut seen: Vec<(PartKind, &str)> = vec![(PartKind::Field(0), "header")];
    let sorted = page.is_some_and(|page| page.sorted().is_some());
    let names = page.is_some_and(|page| page.names().is_some());
    if sorted {
        seen.extend([
            (PartKind::Prefix, "prefix"),
            (PartKind::Heads, "heads"),
            (PartKind::Ends, "ends"),
        ]);
    } else if names {
        seen.push((PartKind::Ends, "restarts"));
    } else {
        seen.push((PartKind::Link, "links"));
    }
    seen.push(if sorted || names {
        (PartKind::Cell(0), "cells")
    } else {
        (PartKind::Data, "data")
    });
    seen.extend([
        (PartKind::Unused, "unused"),
        (PartKind::Checksum, "checksum"),
    ]);
    let words: Vec<String> = seen
        .into_iter()
        .map(|(kind, word)| look.paint.ink(ink(kind), word))
        .collect();
    format!(
        "{:>10} {:>5}  {}\n",
        look.paint.faint("   in file"),
        look.paint.faint(" page"),
        words.join(" ")
    )
}

/// The name of a part, for a list of parts.
pub(super) fn part_name(kind: PartKind) -> String {
    match kind {
        PartKind::Field(i) => FIELDS.get(i).map_or("field", |(name, ..)| name).to_owned(),
        PartKind::Prefix => "prefix".to_owned(),
        PartKind::Heads => "heads".to_owned(),
        PartKind::Ends => "ends".to_owned(),
        PartKind::CellKey(i) => format!("key of cell {i}"),
        PartKind::Cell(i) => format!("cell {i}"),
        PartKind::Link => "links".to_owned(),
        PartKind::Data => "data".to_owned(),
        PartKind::Unused => "unused".to_owned(),
        PartKind::Checksum => "checksum".to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;

    /// Relative luminance of a colour of the cube or the greys of the 256-colour palette (WCAG 2.2, xterm's values).
    fn luminance(colour: u8) -> f64 {
        let levels = |index: u8| f64::from([0u8, 95, 135, 175, 215, 255][usize::from(index)]);
        let [red, green, blue] = match colour {
            232.. => [f64::from(colour - 232) * 10.0 + 8.0; 3],
            16.. => [
                levels((colour - 16) / 36),
                levels((colour - 16) / 6 % 6),
                levels((colour - 16) % 6),
            ],
            _ => panic!("{colour} depends on the terminal's theme"),
        };
        let linear = |value: f64| match value / 255.0 {
            low if low <= 0.04045 => low / 12.92,
            high => ((high + 0.055) / 1.055).powf(2.4),
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    #[test]
    fn a_damaged_byte_that_is_hidden_stays_hidden() {
        let plain = Paint { on: false };
        assert!(flaw(70, 0x5a, false, plain).contains("byte 70 was 5a"));
        assert!(!flaw(70, 0x5a, true, plain).contains("5a"));
    }

    #[test]
    fn every_part_can_be_read_on_black_and_on_white() {
        let mut kinds = vec![
            PartKind::Prefix,
            PartKind::Heads,
            PartKind::Ends,
            PartKind::CellKey(0),
            PartKind::Link,
            PartKind::Data,
            PartKind::Checksum,
        ];
        kinds.extend((0..2).map(PartKind::Field));
        kinds.extend((0..CELLS.len()).map(PartKind::Cell));
        for kind in kinds {
            let Ink::Palette(colour) = ink(kind) else {
                panic!("{kind:?} has no colour of its own");
            };
            let luminance = luminance(colour);
            let (on_white, on_black) = (1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05);
            assert!(
                on_white >= 3.0 && on_black >= 3.0,
                "{kind:?}: {on_white:.1} on white, {on_black:.1} on black"
            );
        }
    }
}
