//! Finding a key on a page, in as few steps as its mode allows.

use std::cmp::Ordering;
use std::ops::Range;

use super::{HEAD_LEN, Mode, SortedPage, head_of};

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
        let first = self.lower_bound(heads, head);
        let ties = heads.get(first..).unwrap_or_default();
        let tied = |other: &[u8; HEAD_LEN]| u32::from_le_bytes(*other) == head;
        if !ties.first().is_some_and(tied) {
            return Err(first);
        }
        let (mut low, mut high) = (first, first + 1);
        if ties.get(1).is_some_and(tied) {
            high = first + ties.partition_point(tied);
        }
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
        let Some(high) = self.layout.high() else {
            return self.search(&crate::format::bytes::u48_be(id)).ok();
        };
        let head = u32::try_from(id ^ high).ok()?;
        match self.layout.mode {
            Mode::Direct => {
                let i = head.checked_sub(self.layout.first)? as usize;
                (i < self.len() && !self.cell(i).is_empty()).then_some(i)
            }
            _ => {
                let heads = self.heads();
                let i = self.lower_bound(heads, head);
                (u32::from_le_bytes(*heads.get(i)?) == head).then_some(i)
            }
        }
    }

    /// Where the value of a key is that is a u48, on a page whose keys are six bytes long.
    #[inline(always)]
    pub(crate) fn find_value_u48(&self, id: u64) -> Option<Range<usize>> {
        if let (Mode::Direct, Some(high)) = (self.layout.mode, self.layout.high()) {
            let head = u32::try_from(id ^ high).ok()?;
            let i = head.checked_sub(self.layout.first)? as usize;
            let cell = (i < self.len()).then(|| self.cell(i))?;
            return (!cell.is_empty()).then_some(cell);
        }
        self.find_value_by_head(id)
    }

    fn find_value_by_head(&self, id: u64) -> Option<Range<usize>> {
        self.find_u48(id).map(|i| self.value_range(i))
    }

    /// The first of the heads that is not less. Ids are near evenly spread, so an estimate from the
    /// first and the last is close: a few steps from there touch one or two lines of memory.
    #[inline]
    fn lower_bound(&self, heads: &[[u8; HEAD_LEN]], head: u32) -> usize {
        let at = |i: usize| heads.get(i).map(|head| u32::from_le_bytes(*head));
        let last = heads.len().wrapping_sub(1);
        if let (true, Some(first), Some(highest)) = (self.layout.ids, at(0), at(last)) {
            if head <= first {
                return 0;
            }
            if head > highest {
                return heads.len();
            }
            // The first is less and the last is not, so both walks end within the table.
            let steps = u64::from(head - first) * last as u64 / u64::from(highest - first);
            let mut i = steps as usize;
            for _ in 0..WALK_MAX {
                let reached = at(i) >= Some(head);
                if !reached {
                    i += 1;
                } else if at(i.wrapping_sub(1)) >= Some(head) {
                    i -= 1;
                } else {
                    return i;
                }
            }
        }
        heads.partition_point(|other| u32::from_le_bytes(*other) < head)
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
        let table = self
            .bytes
            .get(self.layout.heads()..self.layout.ends())
            .unwrap_or_default();
        table.as_chunks().0
    }
}
