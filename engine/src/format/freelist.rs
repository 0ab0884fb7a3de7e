//! Freelist pages: runs of pages that the state does not reach.

use std::iter::Peekable;

use super::bytes::{all_zero, u48_at};
use super::page::{
    Common, HEADER_LEN, PageKind, REF_LEN, body_end, finish_image, put_ref, start_image,
};
use super::{FormatError, Reader, Result, ensure, varint};
use crate::ids::{MAX_U48, PageRef};

/// Where the runs of a page begin.
pub const RUNS_AT: usize = HEADER_LEN + REF_LEN;

/// Consecutive unused pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// The first page.
    pub first: u64,
    /// How many pages, at least 1.
    pub len: u64,
}

impl Run {
    /// The page after the run.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.len)
    }
}

/// A view of a verified freelist page.
#[derive(Clone, Copy, Debug)]
pub struct FreelistPage<'p> {
    bytes: &'p [u8],
    count: usize,
}

impl<'p> FreelistPage<'p> {
    pub(crate) fn new(bytes: &'p [u8], count: usize) -> FreelistPage<'p> {
        FreelistPage { bytes, count }
    }

    /// Checks the whole page. Order across pages is the caller's to check.
    pub(crate) fn check(bytes: &'p [u8], common: &Common) -> Result<()> {
        Reader::new(bytes.get(HEADER_LEN..).unwrap_or_default()).page_ref()?;
        let mut runs = FreelistPage::new(bytes, common.count).iter();
        runs.by_ref().try_for_each(|run| run.map(|_| ()))?;
        ensure(all_zero(runs.r.rest()), "unused bytes are not zero")
    }

    /// The next page of the chain.
    pub fn next(&self) -> Option<PageRef> {
        PageRef::new(
            u48_at(self.bytes, HEADER_LEN),
            u48_at(self.bytes, HEADER_LEN + 6),
        )
    }

    /// The runs on this page, ascending, never touching. Ends after an error.
    pub fn runs(&self) -> impl Iterator<Item = Result<Run>> + use<'p> {
        self.iter()
    }

    fn iter(&self) -> Runs<'p> {
        let body = self
            .bytes
            .get(RUNS_AT..body_end(self.bytes.len()))
            .unwrap_or_default();
        Runs {
            r: Reader::new(body),
            left: self.count,
            end: 0,
        }
    }
}

struct Runs<'p> {
    r: Reader<'p>,
    left: usize,
    end: u64,
}

impl Runs<'_> {
    fn read(&mut self) -> Result<Run> {
        let (gap, len) = (self.r.varint()?, self.r.varint()?);
        ensure(gap > 0 && len > 0, "free runs touch or are empty")?;
        let first = self.end.checked_add(gap);
        let end = first
            .and_then(|first| first.checked_add(len))
            .filter(|end| *end <= MAX_U48 + 1);
        let (Some(first), Some(end)) = (first, end) else {
            return Err(FormatError("a free run exceeds 48 bits"));
        };
        self.end = end;
        Ok(Run { first, len })
    }
}

impl Iterator for Runs<'_> {
    type Item = Result<Run>;

    fn next(&mut self) -> Option<Result<Run>> {
        self.left = self.left.checked_sub(1)?;
        let run = self.read();
        if run.is_err() {
            self.left = 0;
        }
        Some(run)
    }
}

/// Takes as many runs as fit a page and gives it as an image without birth and checksum. Runs must
/// ascend and never touch, over the whole chain.
pub fn encode(
    page_size: usize,
    next: Option<PageRef>,
    runs: &mut Peekable<impl Iterator<Item = Run>>,
) -> Box<[u8]> {
    let mut body = Vec::new();
    let mut count = 0;
    let mut end = 0;
    let capacity = body_end(page_size).saturating_sub(RUNS_AT);
    while let Some(run) = runs.next_if(|run| {
        let gap = run.first.saturating_sub(end);
        body.len() + varint::len(gap) + varint::len(run.len) <= capacity
    }) {
        debug_assert!(
            run.first > end && run.len > 0,
            "free runs must ascend and not touch"
        );
        varint::put(&mut body, run.first.saturating_sub(end));
        varint::put(&mut body, run.len);
        end = run.end();
        count += 1;
    }
    let kind = PageKind::Freelist;
    let common = Common {
        kind,
        space: None,
        level: 0,
        flags: 0,
        count,
        prefix_len: 0,
        extra: 0,
    };
    let mut out = start_image(page_size, &common);
    put_ref(&mut out, next);
    out.extend_from_slice(&body);
    finish_image(out, page_size)
}

#[cfg(test)]
mod tests;
