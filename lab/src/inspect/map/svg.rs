//! The picture as SVG: one file for light and dark, with a legend and a note for each field.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::units::{Unit, grouped};

use super::fields::Class;
use super::{Picture, share};

/// Side of a field, and the gap after it.
const SIDE: usize = 9;
const GAP: usize = 2;
const STEP: usize = SIDE + GAP;
/// Around the picture.
const MARGIN: usize = 32;
/// Left of the fields, for page numbers.
const AXIS: usize = 64;
/// From the title to the fields.
const TOP: usize = 148;
const LEGEND_ROW: usize = 24;
const LEGEND_COLUMN: usize = 292;

/// Columns of fields that make a picture neither a stripe nor a tower.
fn columns(fields: usize) -> usize {
    let square = (fields as f64 * 1.25).sqrt();
    (square as usize).div_ceil(16).max(4) * 16
}

pub(super) fn draw(picture: &Picture<'_>) -> String {
    let columns = columns(picture.fields.len()).min(96);
    let rows = picture.fields.len().div_ceil(columns);
    let grid = columns * STEP;
    let counts = picture.counts();
    let across = (grid / LEGEND_COLUMN).max(2);
    let legend_rows = counts.len().div_ceil(across);
    let width = 2 * MARGIN + AXIS + grid.max(2 * LEGEND_COLUMN);
    let legend_top = TOP + rows * STEP + 30;
    let height = legend_top + legend_rows * LEGEND_ROW + MARGIN;
    let names = Names::of(&counts);
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n{}",
        escaped(&format!(
            "Pages of {} by {}",
            picture.source.name, picture.by
        )),
        style(&counts, &names)
    );
    let _ = writeln!(
        out,
        "<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>"
    );
    head(&mut out, picture, &counts, &names, width - 2 * MARGIN);
    fields(&mut out, picture, columns, &names);
    legend(&mut out, picture, &counts, &names, legend_top, across);
    out + "</svg>\n"
}

/// Short names of the classes, for the style sheet.
struct Names(BTreeMap<&'static str, String>);

impl Names {
    fn of(counts: &[(Class, u64)]) -> Names {
        Names(
            counts
                .iter()
                .enumerate()
                .map(|(i, (class, _))| (class.name, format!("c{i}")))
                .collect(),
        )
    }

    fn get(&self, class: Class) -> &str {
        self.0.get(class.name).map_or("c0", String::as_str)
    }
}

fn style(counts: &[(Class, u64)], names: &Names) -> String {
    let fills = |dark: bool| -> String {
        let colour = |class: &Class| if dark { class.dark } else { class.light };
        counts
            .iter()
            .map(|(class, _)| format!(".{}{{fill:{}}}", names.get(*class), colour(class)))
            .collect()
    };
    format!(
        "<style>\n.page{{fill:#ffffff}}.ink{{fill:#1c1f23}}.muted{{fill:#6a7078}}{}\n\
         text{{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif;font-size:12px}}\n\
         .title{{font-size:20px;font-weight:600}}.n{{text-anchor:end;font-variant-numeric:tabular-nums}}\n\
         .f:hover{{stroke:#1c1f23;stroke-width:2}}\n\
         @media (prefers-color-scheme: dark){{.page{{fill:#14171a}}.ink{{fill:#e8e9eb}}.muted{{fill:#969da6}}{}.f:hover{{stroke:#ffffff}}}}\n</style>",
        fills(false),
        fills(true)
    )
}

/// Title, subtitle, and a bar with the share of each class.
fn head(
    out: &mut String,
    picture: &Picture<'_>,
    counts: &[(Class, u64)],
    names: &Names,
    width: usize,
) {
    let file = &picture.source.pages;
    let name = picture.source.name.rsplit('/').next().unwrap_or_default();
    let each = match picture.pages_each {
        1 => "each field is a page".to_owned(),
        pages => format!("each field is {pages} pages"),
    };
    let subtitle = format!(
        "{} pages of {}, {}; by {}, {each}",
        grouped(file.page_count()),
        crate::units::binary(file.page_size() as u64),
        Unit::Bytes.show(file.len() as f64),
        picture.by
    );
    let _ = writeln!(
        out,
        "<text class=\"ink title\" x=\"{MARGIN}\" y=\"{}\">{}</text>\n<text class=\"muted\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
        MARGIN + 18,
        escaped(name),
        MARGIN + 40,
        escaped(&subtitle)
    );
    let all: u64 = counts.iter().map(|(_, pages)| pages).sum();
    let mut done = 0;
    let place = |pages: u64| MARGIN as f64 + pages as f64 / all.max(1) as f64 * width as f64;
    for (class, pages) in counts {
        let (from, to) = (place(done), place(done + pages));
        done += pages;
        // Shares too small to see are drawn a hair wide, so that damage never vanishes.
        let drawn = (to - from - 1.0).max(1.0);
        let _ = writeln!(
            out,
            "<rect class=\"{}\" x=\"{from:.1}\" y=\"{}\" width=\"{drawn:.1}\" height=\"14\"><title>{}: {} pages</title></rect>",
            names.get(*class),
            MARGIN + 60,
            escaped(class.name),
            grouped(*pages)
        );
    }
}

fn fields(out: &mut String, picture: &Picture<'_>, columns: usize, names: &Names) {
    let _ = writeln!(
        out,
        "<text class=\"muted n\" x=\"{}\" y=\"{}\">page</text>",
        MARGIN + AXIS - 12,
        TOP - 10
    );
    for (row, line) in picture.fields.chunks(columns).enumerate() {
        let y = TOP + row * STEP;
        if row % 4 == 0 {
            let first = line.first().map_or(0, |field| field.first);
            let _ = writeln!(
                out,
                "<text class=\"muted n\" x=\"{}\" y=\"{}\">{}</text>",
                MARGIN + AXIS - 12,
                y + SIDE,
                grouped(first)
            );
        }
        for (column, field) in line.iter().enumerate() {
            let x = MARGIN + AXIS + column * STEP;
            let _ = writeln!(
                out,
                "<rect class=\"f {}\" x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" rx=\"2\"><title>{}</title></rect>",
                names.get(field.class),
                escaped(&field.said)
            );
        }
    }
}

fn legend(
    out: &mut String,
    picture: &Picture<'_>,
    counts: &[(Class, u64)],
    names: &Names,
    top: usize,
    across: usize,
) {
    let all: u64 = picture.fields.iter().map(|field| field.pages).sum();
    let down = counts.len().div_ceil(across);
    for (i, (class, pages)) in counts.iter().enumerate() {
        let (x, y) = (
            MARGIN + AXIS + i / down * LEGEND_COLUMN,
            top + i % down * LEGEND_ROW,
        );
        let _ = writeln!(
            out,
            "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"12\" height=\"12\" rx=\"3\"/>\
             <text class=\"ink\" x=\"{}\" y=\"{}\">{}</text>\
             <text class=\"muted n\" x=\"{}\" y=\"{}\">{}</text><text class=\"muted n\" x=\"{}\" y=\"{}\">{}</text>",
            names.get(*class),
            x + 20,
            y + 11,
            escaped(class.name),
            x + LEGEND_COLUMN - 82,
            y + 11,
            grouped(*pages),
            x + LEGEND_COLUMN - 32,
            y + 11,
            escaped(&share(*pages, all))
        );
    }
}

/// Text as it may stand between tags and in attributes. Most control characters are not allowed in XML,
/// however they are written.
fn escaped(text: &str) -> String {
    text.replace(
        |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'),
        "\u{fffd}",
    )
    .replace('&', "&amp;")
    .replace('<', "&lt;")
    .replace('>', "&gt;")
    .replace('"', "&quot;")
}
