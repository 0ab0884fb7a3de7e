//! `page N`: one page in full, with the place of every field.

use serde_json::{Value, json};
use vellum::KeySpace;
use vellum::format::edges::EdgeBlock;
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::{FIELDS, Page};
use vellum::format::sorted::SortedPage;

use crate::failure::Failure;

use super::{View, shown};
use vellum::inspect::{FoundPage, PageFile};

/// Entries written out; the JSON form has them all.
const LISTED: usize = 64;

pub(super) fn view(file: &PageFile, number: u64, verbose: bool) -> Result<View, Failure> {
    let found = file.page(number)?;
    let start = number * file.page_size() as u64;
    let mut text = format!(
        "page {number} at offset {start} (0x{start:x}), {} bytes\n",
        file.page_size()
    );
    match &found.page {
        Ok(page) => text += &format!("{}: whole\n\n", page.kind().name()),
        Err(rule) => text += &format!("not a valid page: {rule}\n\n"),
    }
    text += &fields(&found);
    let entries = found.page.as_ref().map(entries).unwrap_or_default();
    if !entries.is_empty() {
        text += "\nentries\n";
    }
    for (place, entry) in entries.iter().take(LISTED).enumerate() {
        text += &format!("{place:>6}  {entry}\n");
    }
    if entries.len() > LISTED {
        text += &format!("        … and {} more\n", entries.len() - LISTED);
    }
    if verbose {
        text += &format!("\n{}", dump(&found.bytes, start));
    }
    let json = json!({
        "page": number, "offset": start, "birth": found.birth,
        "problem": found.page.as_ref().err().map(ToString::to_string),
        "kind": found.page.as_ref().ok().map(|page| page.kind().name()),
        "fields": field_values(&found), "entries": entries,
    });
    Ok(View { text, json })
}

/// The header's fields and the checksum as they stand: name, offset, size, value.
fn raw_fields(found: &FoundPage) -> Vec<(&'static str, usize, usize, u64)> {
    let end = found.bytes.len().saturating_sub(8);
    let all = FIELDS.iter().copied().chain([("checksum", end, 8)]);
    let value = |offset: usize, size: usize| {
        let bytes = found.bytes.get(offset..offset + size).unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    all.map(|(name, offset, size)| (name, offset, size, value(offset, size)))
        .collect()
}

fn fields(found: &FoundPage) -> String {
    let mut out = String::from("offset  size  field       value\n");
    for (name, offset, size, value) in raw_fields(found) {
        out += &format!("{offset:>6} {size:>5}  {name:<10}  {value} (0x{value:x})\n");
    }
    out
}

fn field_values(found: &FoundPage) -> Value {
    let fields = raw_fields(found).into_iter();
    fields.map(|(name, offset, size, value)| json!({ "name": name, "offset": offset, "size": size, "value": value })).collect()
}

/// What stands on the page, one line each.
fn entries(page: &Page) -> Vec<String> {
    if let Some(sorted) = page.sorted() {
        return (0..sorted.len())
            .map(|i| sorted_entry(page, &sorted, i))
            .collect();
    }
    if let Some(names) = page.names() {
        let mut name = Vec::new();
        return (0..names.len())
            .map(|i| {
                let id = names.entry(i, &mut name);
                format!("{} → node {id}", shown(&name, 80))
            })
            .collect();
    }
    if let Some(index) = page.blob_index() {
        let head = format!("{} bytes in all; next {:?}", index.len(), index.next());
        let extents = index.extents().map(|extent| format!("{extent:?}"));
        return std::iter::once(head).chain(extents).collect();
    }
    if let Some(list) = page.freelist() {
        return list
            .runs()
            .map(|run| run.map_or_else(|rule| rule.to_string(), |run| format!("{run:?}")))
            .collect();
    }
    page.blob_data()
        .map(|data| vec![shown(data, 120)])
        .unwrap_or_default()
}

fn sorted_entry(page: &Page, sorted: &SortedPage<'_>, i: usize) -> String {
    if sorted.is_absent(i) {
        return "–".to_owned();
    }
    let mut key = Vec::new();
    sorted.key(i, &mut key);
    let key = key_text(page.space(), &key);
    if page.level() > 0 {
        return format!("{key} → {:?}", sorted.child(i));
    }
    let range = sorted.value_range(i);
    let place = format!("at {}, {} bytes", range.start, range.len());
    format!("{key}: {} ({place})", value_text(page, sorted, i))
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Keys of most trees begin with a node id; a separator may go on with label, peer and ordinal.
fn key_text(space: Option<KeySpace>, key: &[u8]) -> String {
    match space {
        Some(KeySpace::Names | KeySpace::Dictionary) | None => shown(key, 60),
        Some(_) if key.is_empty() => "(lowest)".to_owned(),
        Some(_) => match key.split_at_checked(6) {
            Some((id, [])) => number(id).to_string(),
            Some((id, rest)) => format!("{} then {}", number(id), shown(rest, 40)),
            None => shown(key, 60),
        },
    }
}

fn value_text(page: &Page, sorted: &SortedPage<'_>, i: usize) -> String {
    match page.space() {
        Some(KeySpace::Nodes) => match NodeCell::decode(sorted.value(i)) {
            Ok(cell) => format!(
                "kind {}, name {:?}, data {}",
                cell.kind,
                cell.name,
                data_text(&cell.data)
            ),
            Err(rule) => rule.to_string(),
        },
        Some(KeySpace::Out | KeySpace::In | KeySpace::Kinds) => {
            match EdgeBlock::parse(page.bytes(), sorted.value_range(i)) {
                Ok(block) => block_text(&block),
                Err(rule) => rule.to_string(),
            }
        }
        _ => shown(sorted.value(i), 60),
    }
}

pub(super) fn data_text(data: &Data<'_>) -> String {
    match data {
        Data::Inline(bytes) => shown(bytes, 100),
        Data::Blob(blob) => format!("{} bytes from {:?}", blob.len, blob.index),
    }
}

/// How many edges, how they are packed, and between which ends.
pub(super) fn block_text(block: &EdgeBlock<'_>) -> String {
    let mut out = format!("{} edges", block.len());
    for (on, what) in [
        (block.has_data(), "data"),
        (block.has_ordinals(), "ordinals"),
        (block.is_delta(), "delta packing"),
        (block.is_joined(), "labels and peers joined"),
    ] {
        if on {
            out += &format!(", {what}");
        }
    }
    if let (Ok(first), Ok(last)) = (block.first(), block.last()) {
        out += &format!(
            ", from label {} peer {} to label {} peer {}",
            first.label, first.peer, last.label, last.peer
        );
    }
    out
}

/// Sixteen bytes a line: offset in the file, hexadecimal, text. Lines of zeros in a row are drawn once.
fn dump(bytes: &[u8], start: u64) -> String {
    let mut out = String::new();
    let mut zeros = false;
    for (line, chunk) in bytes.chunks(16).enumerate() {
        let blank = chunk.iter().all(|byte| *byte == 0);
        if blank && zeros {
            continue;
        }
        zeros = blank;
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String = chunk
            .iter()
            .map(|byte| {
                if byte.is_ascii_graphic() || *byte == b' ' {
                    char::from(*byte)
                } else {
                    '.'
                }
            })
            .collect();
        let mark = if blank { "  (zeros)" } else { "" };
        out += &format!(
            "{:>10x}  {:<47}  {text}{mark}\n",
            start + 16 * line as u64,
            hex.join(" ")
        );
    }
    out
}
