//! Blobs: data too large for a cell, in runs of pages that an index names.

use super::bytes::{all_zero, put_u48, u32_at, u48_at, u64_at};
use super::limits::MAX_DATA_LEN;
use super::page::{
    Common, HEADER_LEN, PageKind, TRAILER_LEN, body_end, finish_image, put_ref, start_image,
};
use super::{Reader, Result, ensure};
use crate::ids::{MAX_U48, PageRef};

/// Bytes of an extent in an index page.
pub const EXTENT_LEN: usize = 16;
/// Where the extents of an index page begin.
pub const EXTENTS_AT: usize = 40;
const TOTAL_AT: usize = HEADER_LEN;
const NEXT_AT: usize = 24;

/// Consecutive pages of a blob. Page `j` of them has birth `birth + j`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first page.
    pub page: u64,
    /// How many pages, at least 1.
    pub pages: u32,
    /// The birth of the first page.
    pub birth: u64,
}

impl Extent {
    /// The reference to page `j` of the extent; none beyond it.
    pub fn page_ref(&self, j: u32) -> Option<PageRef> {
        if j >= self.pages {
            return None;
        }
        PageRef::new(self.page + u64::from(j), self.birth + u64::from(j))
    }

    fn check(&self) -> Result<()> {
        ensure(self.page > 0 && self.pages > 0, "an extent of no pages")?;
        let last = u64::from(self.pages) - 1;
        let inside = self.page + last <= MAX_U48 && self.birth + last <= MAX_U48;
        ensure(inside, "an extent exceeds 48 bits")
    }
}

/// A view of a verified index page.
#[derive(Clone, Copy, Debug)]
pub struct BlobIndex<'p> {
    bytes: &'p [u8],
    count: usize,
}

impl<'p> BlobIndex<'p> {
    pub(crate) fn new(bytes: &'p [u8], count: usize) -> BlobIndex<'p> {
        BlobIndex { bytes, count }
    }

    /// Checks the whole page.
    pub(crate) fn check(bytes: &'p [u8], common: &Common) -> Result<()> {
        ensure(common.count > 0, "blob index without extents")?;
        ensure(
            common.count <= index_capacity(bytes.len()),
            "extents exceed the page",
        )?;
        let page = BlobIndex::new(bytes, common.count);
        ensure(
            (1..=MAX_DATA_LEN).contains(&page.len()),
            "blob length out of range",
        )?;
        let mut r = Reader::new(bytes.get(NEXT_AT..).unwrap_or_default());
        r.page_ref()?;
        r.reserved(4)?;
        page.extents().try_for_each(|extent| extent.check())?;
        let end = EXTENTS_AT + EXTENT_LEN * common.count;
        let unused = bytes.get(end..body_end(bytes.len())).unwrap_or_default();
        ensure(all_zero(unused), "unused bytes are not zero")
    }

    /// Length of the whole blob in bytes, the same on each of its index pages.
    #[expect(clippy::len_without_is_empty, reason = "no blob is empty")]
    pub fn len(&self) -> u64 {
        u64_at(self.bytes, TOTAL_AT)
    }

    /// The next index page of the blob.
    pub fn next(&self) -> Option<PageRef> {
        PageRef::new(u48_at(self.bytes, NEXT_AT), u48_at(self.bytes, NEXT_AT + 6))
    }

    /// The extents that this page names, in the order of the blob's bytes.
    pub fn extents(&self) -> impl Iterator<Item = Extent> + use<'p> {
        let bytes = self.bytes;
        (0..self.count).map(move |i| {
            let at = EXTENTS_AT + EXTENT_LEN * i;
            let (page, pages) = (u48_at(bytes, at), u32_at(bytes, at + 6));
            Extent {
                page,
                pages,
                birth: u48_at(bytes, at + 10),
            }
        })
    }
}

/// Extents that an index page holds.
pub const fn index_capacity(page_size: usize) -> usize {
    page_size.saturating_sub(EXTENTS_AT + TRAILER_LEN) / EXTENT_LEN
}

/// Bytes that a data page holds.
pub const fn data_capacity(page_size: usize) -> usize {
    page_size.saturating_sub(HEADER_LEN + TRAILER_LEN)
}

/// An index page, as an image without birth and checksum. `extents` must fit and not be empty.
pub fn encode_index(
    page_size: usize,
    total: u64,
    next: Option<PageRef>,
    extents: &[Extent],
) -> Box<[u8]> {
    debug_assert!(
        extents.len() <= index_capacity(page_size),
        "too many extents for a page"
    );
    debug_assert!(
        extents.iter().all(|extent| extent.check().is_ok()),
        "bad extent"
    );
    let mut out = start(page_size, PageKind::BlobIndex, extents.len());
    out.extend_from_slice(&total.to_le_bytes());
    put_ref(&mut out, next);
    out.extend_from_slice(&[0; 4]);
    for extent in extents {
        put_u48(&mut out, extent.page);
        out.extend_from_slice(&extent.pages.to_le_bytes());
        put_u48(&mut out, extent.birth);
    }
    finish_image(out, page_size)
}

/// A data page, as an image without birth and checksum. `data` must fit.
pub fn encode_data(page_size: usize, data: &[u8]) -> Box<[u8]> {
    debug_assert!(
        data.len() <= data_capacity(page_size),
        "too much data for a page"
    );
    let mut out = start(page_size, PageKind::BlobData, 0);
    out.extend_from_slice(data);
    finish_image(out, page_size)
}

fn start(page_size: usize, kind: PageKind, count: usize) -> Vec<u8> {
    let common = Common {
        kind,
        space: None,
        level: 0,
        flags: 0,
        count,
        prefix_len: 0,
        extra: 0,
    };
    start_image(page_size, &common)
}

#[cfg(test)]
mod tests;
