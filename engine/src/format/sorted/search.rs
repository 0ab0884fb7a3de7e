//! Finding a key on a page, in as few steps as its mode allows.

use std::cmp::Ordering;

use super::{HEAD_LEN, Mode, SortedPage, head_of};
use crate::format::bytes::u32_at;

/// How far the estimate of a position may be off before bisection takes over.
const WALK_MAX: usize = 8;

impl<'p> SortedPage<'p> {
    /// Where `key` is: `Ok` with its cell, or `Err` with the cell before which it would stand. An empty
    /// cell of direct mode is `Err` with its own number.
    pub fn search(&self, key: &[u8]) -> Result<usize, usize> {
        let prefix = self.prefix();
        let Some((start, suffix)) = key.split_at_checked(prefix.len()) else {
            // A key that the prefix begins with is less than every key here.
            return Err(if key < prefix { 0 } else { self.len() });
        };
        match start.cmp(prefix) {
            Ordering::Less => Err(0),
            Ordering::Greater => Err(self.len()),
            Ordering::Equal if self.layout.mode == Mode::Direct => self.search_direct(suffix),
            Ordering::Equal => self.search_heads(suffix),
        }
    }

    fn search_direct(&self, suffix: &[u8]) -> Result<usize, usize> {
        let Some(i) = head_of(suffix).checked_sub(self.head(0)) else {
            return Err(0);
        };
        let i = i as usize;
        if i >= self.len() {
            return Err(self.len());
        }
        match suffix.len().cmp(&HEAD_LEN) {
            Ordering::Less => Err(i),
            Ordering::Greater => Err(i + 1),
            Ordering::Equal if self.is_absent(i) => Err(i),
            Ordering::Equal => Ok(i),
        }
    }

    fn search_heads(&self, suffix: &[u8]) -> Result<usize, usize> {
        let head = head_of(suffix);
        let heads = self.heads();
        let first = heads.partition_point(|other| u32::from_le_bytes(*other) < head);
        let ties = heads.get(first..).unwrap_or_default();
        if ties.first().is_none_or(|other| u32::from_le_bytes(*other) != head) {
            return Err(first);
        }
        let (mut low, mut high) =
            (first, first + ties.partition_point(|other| u32::from_le_bytes(*other) == head));
        while low < high {
            let middle = low.midpoint(high);
            match self.compare_tail(middle, suffix) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Compares cell `i` with a key that has the same prefix and head.
    fn compare_tail(&self, i: usize, suffix: &[u8]) -> Ordering {
        let (len, tail) = self.suffix(i);
        match suffix.get(HEAD_LEN..) {
            Some(other) if len >= HEAD_LEN => tail.cmp(other),
            // One of the two ends within the head, so the other continues it with zeros at most.
            _ => len.cmp(&suffix.len()),
        }
    }

    /// The cell of a key that is a u48, on a page whose keys are six bytes long.
    #[inline]
    pub fn find_u48(&self, id: u64) -> Option<usize> {
        let Some(high) = self.layout.high else {
            return self.search(&crate::format::bytes::u48_be(id)).ok();
        };
        let head = u32::try_from(id ^ high).ok()?;
        match self.layout.mode {
            Mode::Direct => {
                let i = head.checked_sub(u32_at(self.bytes, self.layout.heads))? as usize;
                (i < self.len() && !self.cell(i).is_empty()).then_some(i)
            }
            _ => self.find_head(head),
        }
    }

    /// Looks for a head where heads are unique. Ids are near evenly spread, so an estimate from the
    /// first and the last is close: a few steps from there touch one or two lines of memory.
    #[inline]
    fn find_head(&self, head: u32) -> Option<usize> {
        let heads = self.heads();
        let first = u32::from_le_bytes(*heads.first()?);
        let last = u32::from_le_bytes(*heads.last()?);
        let (from, span) = (head.checked_sub(first)?, last - first);
        if from > span {
            return None;
        }
        let steps = u64::from(from) * (heads.len() as u64 - 1);
        let mut i = steps.checked_div(u64::from(span)).unwrap_or(0) as usize;
        let heading = u32::from_le_bytes(*heads.get(i)?).cmp(&head);
        for _ in 0..WALK_MAX {
            let found = u32::from_le_bytes(*heads.get(i)?).cmp(&head);
            match found {
                Ordering::Equal => return Some(i),
                Ordering::Less if heading == found => i += 1,
                Ordering::Greater if heading == found => i = i.checked_sub(1)?,
                _ => return None,
            }
        }
        heads.binary_search_by_key(&head, |other| u32::from_le_bytes(*other)).ok()
    }

    /// The cell of a branch whose subtree holds `key` if any does: the last whose separator is not
    /// greater, or the first.
    #[inline]
    pub fn child_for(&self, key: &[u8]) -> usize {
        match self.search(key) {
            Ok(i) => i,
            Err(i) => i.saturating_sub(1),
        }
    }

    /// The heads of fixed and variable mode.
    #[inline]
    fn heads(&self) -> &'p [[u8; HEAD_LEN]] {
        let table = self.bytes.get(self.layout.heads..self.layout.ends).unwrap_or_default();
        table.as_chunks().0
    }
}
