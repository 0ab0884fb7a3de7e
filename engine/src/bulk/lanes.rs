//! Sorting edges in sixteen bytes each where that is enough, and whole where it is not.
//!
//! Sixteen bytes hold an edge's ends, its label and a small ordinal, in the order of its key. They
//! sort several times as fast as whole records, and several times as many fit in memory.

use std::iter::Peekable;

use super::records::{Key, NewEdge, Packed};
use super::sorter::{Scratch, Sorted, Sorter};
use crate::error::Result;
use crate::ids::EdgeKey;

/// What is left of the budget for keys with large ordinals, as a divisor: hardly ever is there any.
const WIDE_SHARE: usize = 16;

/// Sorts keys without values.
pub(super) struct KeySorter {
    packed: Sorter<Packed>,
    wide: Sorter<Key>,
}

impl KeySorter {
    pub(super) fn new(budget_bytes: usize) -> KeySorter {
        let wide = budget_bytes / WIDE_SHARE;
        KeySorter {
            packed: Sorter::new(budget_bytes - wide),
            wide: Sorter::new(wide),
        }
    }

    pub(super) fn push(&mut self, key: EdgeKey, scratch: &mut Scratch) -> Result<()> {
        match Packed::of(key) {
            Some(packed) => self.packed.push(packed, scratch),
            None => self.wide.push(Key(key), scratch),
        }
    }

    /// All keys in order. The scratch file must live as long as the result.
    pub(super) fn finish(self, scratch: &mut Scratch) -> Result<SortedKeys> {
        Ok(SortedKeys {
            packed: self.packed.finish(scratch)?.peekable(),
            wide: self.wide.finish(scratch)?.peekable(),
        })
    }
}

/// Keys in order.
pub(super) struct SortedKeys {
    packed: Peekable<Sorted<Packed>>,
    wide: Peekable<Sorted<Key>>,
}

impl Iterator for SortedKeys {
    type Item = Result<EdgeKey>;

    #[inline]
    fn next(&mut self) -> Option<Result<EdgeKey>> {
        let wide_first = match (self.wide.peek(), self.packed.peek()) {
            (None, _) => false,
            (Some(Ok(wide)), Some(Ok(packed))) => wide.0 < packed.key(),
            (Some(_), None | Some(Ok(_))) => true,
            (Some(Ok(_)), Some(Err(_))) => false,
            (Some(Err(_)), Some(Err(_))) => true,
        };
        if wide_first {
            return self.wide.next().map(|key| Ok(key?.0));
        }
        self.packed.next().map(|packed| Ok(packed?.key()))
    }
}

/// Sorts new edges; parallel ones stay in the order they came.
pub(super) struct EdgeSorter {
    /// Edges with nothing but their key that came before the first with more. Parallel ones cannot be
    /// told apart.
    packed: Sorter<Packed>,
    /// The first edge with data or an ordinal of its own, and all that came after it.
    whole: Sorter<NewEdge>,
    has_more: bool,
}

impl EdgeSorter {
    pub(super) fn new(budget_bytes: usize) -> EdgeSorter {
        EdgeSorter {
            packed: Sorter::new(budget_bytes),
            whole: Sorter::new(budget_bytes),
            has_more: false,
        }
    }

    pub(super) fn push(&mut self, edge: NewEdge, scratch: &mut Scratch) -> Result<()> {
        if !self.has_more {
            if edge.data.is_empty()
                && edge.ordinal.is_none()
                && let Some(packed) = Packed::of(edge.triple())
            {
                return self.packed.push(packed, scratch);
            }
            self.has_more = true;
            self.packed.release(scratch)?;
        }
        self.whole.push(edge, scratch)
    }

    /// All edges in order. The scratch file must live as long as the result.
    pub(super) fn finish(self, scratch: &mut Scratch) -> Result<SortedEdges> {
        Ok(SortedEdges {
            packed: self.packed.finish(scratch)?.peekable(),
            whole: self.whole.finish(scratch)?.peekable(),
        })
    }
}

/// Edges in order.
pub(super) struct SortedEdges {
    packed: Peekable<Sorted<Packed>>,
    whole: Peekable<Sorted<NewEdge>>,
}

impl Iterator for SortedEdges {
    type Item = Result<NewEdge>;

    #[inline]
    fn next(&mut self) -> Option<Result<NewEdge>> {
        let packed_first = match (self.packed.peek(), self.whole.peek()) {
            (Some(_), None) => true,
            // Of parallel edges the packed ones came first.
            (Some(Ok(packed)), Some(Ok(whole))) => packed.key() <= whole.triple(),
            (Some(Err(_)), Some(_)) => true,
            (Some(Ok(_)), Some(Err(_))) | (None, _) => false,
        };
        if packed_first {
            return self.packed.next().map(|packed| Ok(packed?.edge()));
        }
        self.whole.next()
    }
}

#[cfg(test)]
mod tests;
