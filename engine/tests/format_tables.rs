//! The tables of `FORMAT.md` and the constants of `format` say the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use vellum::KeySpace;
use vellum::format::{changes, header, limits, log, page, sorted};

const DOCUMENT: &str = include_str!("../FORMAT.md");

/// The rows of a table, without its head, as trimmed cells.
fn table(name: &str) -> Vec<Vec<&'static str>> {
    let start = format!("<!-- table:{name} -->\n");
    let (_, rest) = DOCUMENT
        .split_once(&start)
        .unwrap_or_else(|| panic!("no table {name}"));
    let (body, _) = rest
        .split_once("<!-- /table -->")
        .expect("table without an end");
    let rows = body.lines().filter(|line| line.starts_with('|')).skip(2);
    // An escaped bar is part of a cell; no column under test has one.
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// Rows of offset, size and field name; those without a fixed size are left out.
fn fields(name: &str) -> Vec<(&'static str, usize, usize)> {
    let rows = table(name).into_iter().filter(|row| row[1] != "–");
    rows.map(|row| (row[2], row[0].parse().unwrap(), row[1].parse().unwrap()))
        .collect()
}

#[track_caller]
fn without_gaps(fields: &[(&str, usize, usize)], len: usize) {
    let mut end = 0;
    for (name, offset, size) in fields {
        assert_eq!(*offset, end, "{name}");
        end += size;
    }
    assert_eq!(end, len);
}

#[test]
fn header_slot() {
    assert_eq!(fields("header"), header::FIELDS);
    without_gaps(header::FIELDS, header::SLOT_LEN);
    let document = table("header");
    assert_eq!(
        document[0][3],
        format!("the bytes `{}`", str::from_utf8(&header::MAGIC).unwrap())
    );
    assert_eq!(document[1][3], header::VERSION.to_string());
    let roots = header::FIELDS
        .iter()
        .filter_map(|(name, ..)| name.strip_prefix("root_"));
    assert!(roots.eq(KeySpace::ALL.iter().map(|space| space.name())));
    assert!(DOCUMENT.contains("Slot 0 is at offset 0, slot 1 at\noffset 4096; each is 512 bytes."));
    assert_eq!((header::SLOT_OFFSETS, header::SLOT_LEN), ([0, 4096], 512));
}

#[test]
fn root_entry() {
    assert_eq!(fields("root"), header::ROOT_FIELDS);
    without_gaps(header::ROOT_FIELDS, header::ROOT_LEN);
}

#[test]
fn page_header() {
    assert_eq!(fields("page"), page::FIELDS);
    without_gaps(page::FIELDS, page::HEADER_LEN);
    let kinds: Vec<String> = page::PageKind::ALL
        .iter()
        .map(|kind| format!("{} {}", *kind as u8, kind.name()))
        .collect();
    assert_eq!(table("page")[0][3], kinds.join(", "));
}

#[test]
fn log_segment() {
    assert_eq!(fields("segment"), log::SEGMENT_FIELDS);
    without_gaps(log::SEGMENT_FIELDS, log::SEGMENT_HEADER_LEN);
    let document = table("segment");
    assert_eq!(
        document[0][3],
        format!("the bytes `{}`", str::from_utf8(&log::MAGIC).unwrap())
    );
    assert_eq!(document[1][3], log::VERSION.to_string());
}

#[test]
fn log_record() {
    assert_eq!(fields("record"), log::RECORD_FIELDS);
    without_gaps(log::RECORD_FIELDS, log::RECORD_HEADER_LEN);
    assert_eq!(log::RECORD_OVERHEAD, log::RECORD_HEADER_LEN + 8);
    let (commit, root) = (log::RecordKind::Commit as u8, log::RecordKind::Root as u8);
    assert_eq!(
        table("record")[1][3],
        format!("{commit} commit, {root} root")
    );
}

#[test]
fn numbered_names() {
    let numbered = |name| -> Vec<(u8, &str)> {
        table(name)
            .iter()
            .map(|row| (row[0].parse().unwrap(), row[1]))
            .collect()
    };
    let spaces = KeySpace::ALL.map(|space| (space as u8, space.name()));
    assert_eq!(numbered("spaces"), spaces);
    let modes = sorted::Mode::ALL.map(|mode| (mode as u8, mode.name()));
    assert_eq!(numbered("modes"), modes);
    let operations: Vec<_> = changes::TAGS
        .iter()
        .map(|(name, tag)| (*tag, *name))
        .collect();
    assert_eq!(numbered("operations"), operations);
}

#[test]
fn limits() {
    let document = table("limits");
    let limit = |what: &str| {
        let row = document.iter().find(|row| row[0] == what);
        row.unwrap_or_else(|| panic!("no limit {what}"))[1].replace(',', "")
    };
    let sizes = limits::PAGE_SIZES.map(|size| size.to_string()).join(" ");
    assert_eq!(limit("page size"), format!("{sizes} bytes"));
    let terms = format!(
        "{} each; names of 1 to {} bytes",
        limits::MAX_TERMS,
        limits::MAX_TERM_LEN
    );
    assert_eq!(limit("kinds, labels"), terms);
    assert_eq!(
        limit("node name"),
        format!("0 to {} bytes", limits::MAX_NAME_LEN)
    );
    let data = limits::MAX_DATA_LEN;
    assert_eq!(
        limit("node data, edge data"),
        format!("0 to {} MiB ({data} bytes) each", data >> 20)
    );
    assert_eq!(
        limit("tree height"),
        format!("{} levels", limits::MAX_LEVEL + 1)
    );
    assert!(limit("data kept in a leaf cell").starts_with("at most an eighth of the page size"));
    assert!(
        limits::PAGE_SIZES
            .iter()
            .all(|size| limits::max_inline(*size) == size / 8)
    );
}
