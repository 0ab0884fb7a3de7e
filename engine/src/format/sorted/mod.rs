//! Sorted pages: the branches of every tree, and the leaves of all but the names.
//!
//! A key is the page's shared prefix, a head of four bytes that the search compares as a number, and
//! what remains in the cell. `Layout::check` proves once what the accessors here rely on, so they
//! neither fail nor look twice.

mod build;
mod check;
mod search;
#[cfg(test)]
mod tests;

pub use build::SortedBuilder;

use std::ops::Range;

use super::Reader;
use super::bytes::{from_u48_be, u16_at, u32_at, u48_at};
use super::page::{Common, HEADER_LEN, body_end};
use crate::ids::{KeySpace, PageRef};

/// Bytes of a key that the table of heads holds.
const HEAD_LEN: usize = 4;

/// How keys and cells of a page are arranged; the numbers are those on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[repr(u8)]
pub enum Mode {
    /// A cell for each of a run of consecutive heads; an empty cell is an absent key.
    Direct = 0,
    /// Keys of one length.
    Fixed = 1,
    /// Keys of any length.
    #[default]
    Variable = 2,
}

impl Mode {
    /// Every mode, in the order of their numbers.
    pub const ALL: [Mode; 3] = [Mode::Direct, Mode::Fixed, Mode::Variable];

    /// The name used in reports and in `FORMAT.md`.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Direct => "direct",
            Mode::Fixed => "fixed",
            Mode::Variable => "variable",
        }
    }
}

/// Where the parts of a verified page are.
///
/// Pages have at most 64 KiB, so offsets take two bytes: a directory of leaves keeps many of these.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    mode: Mode,
    /// Whether keys begin with an id, and are therefore spread near evenly.
    ids: bool,
    count: u16,
    extra: u16,
    /// Offsets in the page: heads (the prefix ends here), ends, and the first cell.
    heads: u16,
    ends: u16,
    cells: u16,
    /// The number of the two bytes before the head, if every key is a u48 whose last four bytes are
    /// its head.
    high: Option<u16>,
    /// The first head of direct mode.
    first: u32,
}

impl Layout {
    fn heads(&self) -> usize {
        self.heads.into()
    }

    fn ends(&self) -> usize {
        self.ends.into()
    }

    fn cells(&self) -> usize {
        self.cells.into()
    }

    fn extra(&self) -> usize {
        self.extra.into()
    }

    /// The two bytes before the heads of keys that are a u48, shifted into place.
    fn high(&self) -> Option<u64> {
        self.high.map(|high| u64::from(high) << 32)
    }
}

/// Where the tables of a sorted page begin; the prefix ends where the heads begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tables {
    /// The heads of the keys.
    pub heads: usize,
    /// Where each cell ends.
    pub ends: usize,
    /// The first cell.
    pub cells: usize,
}

/// A view of a verified sorted page.
#[derive(Clone, Copy, Debug)]
pub struct SortedPage<'p> {
    bytes: &'p [u8],
    layout: &'p Layout,
}

impl<'p> SortedPage<'p> {
    #[inline]
    pub(crate) fn new(bytes: &'p [u8], layout: &'p Layout) -> SortedPage<'p> {
        SortedPage { bytes, layout }
    }

    /// Cells, the empty ones of direct mode included.
    #[inline]
    pub fn len(&self) -> usize {
        self.layout.count.into()
    }

    /// Never true: a page holds at least one cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the cells are arranged.
    pub fn mode(&self) -> Mode {
        self.layout.mode
    }

    /// Where the heads, the ends and the first cell begin, as offsets in the page.
    pub fn tables(&self) -> Tables {
        Tables {
            heads: self.layout.heads(),
            ends: self.layout.ends(),
            cells: self.layout.cells(),
        }
    }

    /// The bytes that every key on the page begins with.
    pub fn prefix(&self) -> &'p [u8] {
        self.bytes
            .get(HEADER_LEN..self.layout.heads())
            .unwrap_or_default()
    }

    /// Replaces the contents of `out` by the key of cell `i`.
    pub fn key(&self, i: usize, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.prefix());
        let (len, tail) = self.suffix(i);
        let head = self.head(i).to_be_bytes();
        out.extend_from_slice(head.get(..len).unwrap_or(&head));
        out.extend_from_slice(tail);
    }

    /// The key of cell `i` on a page whose keys are six bytes long.
    #[inline]
    pub fn key_u48(&self, i: usize) -> u64 {
        match self.layout.high() {
            Some(high) => high | u64::from(self.head(i)),
            None => self.key_u48_by_parts(i),
        }
    }

    #[cold]
    fn key_u48_by_parts(&self, i: usize) -> u64 {
        let (_, tail) = self.suffix(i);
        let head = self.head(i).to_be_bytes();
        let mut key = [0; 6];
        for (to, from) in key
            .iter_mut()
            .zip(self.prefix().iter().chain(&head).chain(tail))
        {
            *to = *from;
        }
        from_u48_be(key)
    }

    /// The value of cell `i`.
    #[inline]
    pub fn value(&self, i: usize) -> &'p [u8] {
        self.bytes.get(self.value_range(i)).unwrap_or_default()
    }

    /// Where in the page the value of cell `i` is.
    #[inline]
    pub fn value_range(&self, i: usize) -> Range<usize> {
        let cell = self.cell(i);
        let start = match self.layout.mode {
            Mode::Direct => cell.start,
            Mode::Fixed => cell.start + self.layout.extra(),
            Mode::Variable => cell.start + self.variable_key(&cell).1.end,
        };
        start..cell.end
    }

    /// Whether cell `i` stands for a key that is not there. Only direct mode has such gaps.
    #[inline]
    pub fn is_absent(&self, i: usize) -> bool {
        self.layout.mode == Mode::Direct && self.cell(i).is_empty()
    }

    /// The page that cell `i` of a branch refers to.
    #[inline]
    pub fn child(&self, i: usize) -> PageRef {
        let at = self.value_range(i).start;
        let child = PageRef::new(u48_at(self.bytes, at), u48_at(self.bytes, at + 6));
        debug_assert!(child.is_some(), "not a cell of a branch");
        // Verified branches have a child in every cell. For any other use, reading the page fails.
        child.unwrap_or(PageRef::NOWHERE)
    }

    /// The whole of cell `i`, what it holds of the key included.
    #[inline]
    pub(crate) fn cell(&self, i: usize) -> Range<usize> {
        debug_assert!(i < self.len(), "no such cell");
        let start = match i.checked_sub(1) {
            Some(before) => self.end(before),
            None => self.layout.cells(),
        };
        start..self.end(i)
    }

    #[inline]
    fn end(&self, i: usize) -> usize {
        usize::from(u16_at(self.bytes, self.layout.ends() + 2 * i))
    }

    /// The head of cell `i` as a number.
    #[inline]
    pub(crate) fn head(&self, i: usize) -> u32 {
        match self.layout.mode {
            Mode::Direct => self.layout.first.wrapping_add(i as u32),
            _ => u32_at(self.bytes, self.layout.heads() + HEAD_LEN * i),
        }
    }

    /// How many bytes the key of cell `i` has after the prefix, and those that its head does not hold.
    #[inline]
    fn suffix(&self, i: usize) -> (usize, &'p [u8]) {
        let cell = self.cell(i);
        let (len, tail) = match self.layout.mode {
            Mode::Direct => (HEAD_LEN, 0..0),
            Mode::Fixed => (HEAD_LEN + self.layout.extra(), 0..self.layout.extra()),
            Mode::Variable => self.variable_key(&cell),
        };
        let tail = cell.start + tail.start..cell.start + tail.end;
        (len, self.bytes.get(tail).unwrap_or_default())
    }

    /// In variable mode: the key's length after the prefix, and where in the cell its tail is.
    #[inline]
    fn variable_key(&self, cell: &Range<usize>) -> (usize, Range<usize>) {
        let mut r = Reader::new(self.bytes.get(cell.clone()).unwrap_or_default());
        let len = r.varint().unwrap_or_default() as usize;
        let start = r.position();
        (len, start..start + len.saturating_sub(HEAD_LEN))
    }
}

/// The part of a page's layout that follows from its header; `None` if its tables exceed the page.
fn arrange(common: &Common, mode: Mode, page_size: usize) -> Option<Layout> {
    let heads = HEADER_LEN + common.prefix_len;
    let table = if mode == Mode::Direct {
        1
    } else {
        common.count
    };
    let ends = heads + HEAD_LEN * table;
    let cells = ends + 2 * common.count;
    if cells > body_end(page_size) {
        return None;
    }
    // Nothing within a page needs more than two bytes.
    let offset = |at: usize| u16::try_from(at).ok();
    Some(Layout {
        mode,
        ids: begins_with_id(common.space),
        count: offset(common.count)?,
        extra: offset(common.extra)?,
        heads: offset(heads)?,
        ends: offset(ends)?,
        cells: offset(cells)?,
        high: None,
        first: 0,
    })
}

/// The first four bytes as a number that sorts like them, padded with zeros.
fn head_of(suffix: &[u8]) -> u32 {
    let mut head = [0; HEAD_LEN];
    for (to, from) in head.iter_mut().zip(suffix) {
        *to = *from;
    }
    u32::from_be_bytes(head)
}

/// Whether the keys of this space begin with a node or kind id.
fn begins_with_id(space: Option<KeySpace>) -> bool {
    !matches!(space, Some(KeySpace::Names | KeySpace::Dictionary) | None)
}

/// The least separator of a space: the first of the leftmost branch of every level. Where keys begin
/// with an id it is as long as the id, so that it fits the way the others are stored.
pub fn least_separator(space: KeySpace) -> &'static [u8] {
    if begins_with_id(Some(space)) {
        &[0; 6]
    } else {
        &[]
    }
}
