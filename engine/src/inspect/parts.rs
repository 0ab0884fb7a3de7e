//! A page cut into its parts: where each begins, what it is, and nothing left over.

use std::ops::Range;

use crate::format::blob::{EXTENT_LEN, EXTENTS_AT};
use crate::format::freelist::RUNS_AT;
use crate::format::page::{FIELDS, HEADER_LEN, Page, body_end};
use crate::format::sorted::Mode;

/// What a part of a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum PartKind {
    /// A field of the header; its place in [`FIELDS`].
    Field(usize),
    /// The bytes that every key of a sorted page begins with.
    Prefix,
    /// The table of heads.
    Heads,
    /// The table of cell ends, or of restarts.
    Ends,
    /// What cell `i` holds of its key.
    CellKey(usize),
    /// The value of cell `i`, or entry `i` of a page of another kind.
    Cell(usize),
    /// Links and lengths of blob and freelist pages.
    Link,
    /// Bytes of a blob, or runs of a freelist page.
    Data,
    /// Zeros up to the checksum.
    Unused,
    /// The checksum.
    Checksum,
}

/// Consecutive bytes of a page that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where they stand in the page.
    pub range: Range<usize>,
    /// What they are.
    pub kind: PartKind,
}

/// Every part of a verified page, in order and without gaps.
pub fn parts(page: &Page) -> Vec<Part> {
    let size = page.bytes().len();
    let mut cut = Cut {
        parts: Vec::new(),
        at: 0,
    };
    for (i, (_, offset, len)) in FIELDS.iter().enumerate() {
        cut.to(offset + len, PartKind::Field(i));
    }
    if page.sorted().is_some() {
        sorted(page, &mut cut);
    } else if let Some(names) = page.names() {
        cut.to(names.entries_start(), PartKind::Ends);
        let mut position = names.position(0);
        for i in 0..names.len() {
            names.step(&mut position);
            cut.to(position.offset(), PartKind::Cell(i));
        }
    } else if page.blob_index().is_some() {
        cut.to(EXTENTS_AT, PartKind::Link);
        for i in 0..page.count() {
            cut.to(EXTENTS_AT + EXTENT_LEN * (i + 1), PartKind::Cell(i));
        }
    } else if page.freelist().is_some() {
        cut.to(RUNS_AT, PartKind::Link);
        cut.to(used(page), PartKind::Data);
    } else {
        cut.to(body_end(size), PartKind::Data);
    }
    cut.to(body_end(size), PartKind::Unused);
    cut.to(size, PartKind::Checksum);
    cut.parts
}

/// Where the last byte that is not zero ends, the checksum left out.
fn used(page: &Page) -> usize {
    let body = page
        .bytes()
        .get(..body_end(page.bytes().len()))
        .unwrap_or_default();
    body.iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
        .max(HEADER_LEN)
}

fn sorted(page: &Page, cut: &mut Cut) {
    let Some(view) = page.sorted() else { return };
    let tables = view.tables();
    cut.to(tables.heads, PartKind::Prefix);
    cut.to(tables.ends, PartKind::Heads);
    cut.to(tables.cells, PartKind::Ends);
    for i in 0..view.len() {
        if view.mode() != Mode::Direct {
            cut.to(view.value_range(i).start, PartKind::CellKey(i));
        }
        cut.to(view.value_range(i).end, PartKind::Cell(i));
    }
}

struct Cut {
    parts: Vec<Part>,
    at: usize,
}

impl Cut {
    /// The bytes from the last cut to `end`; nothing if there are none.
    fn to(&mut self, end: usize, kind: PartKind) {
        if end > self.at {
            self.parts.push(Part {
                range: self.at..end,
                kind,
            });
            self.at = end;
        }
    }
}
