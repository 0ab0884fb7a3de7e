//! Every eighth key of a names leaf by its first bytes, so that a search reads few of the entries.
//!
//! It is made in memory, for leaves that are read again and again: bisecting a small table of numbers waits for
//! memory less often than bisecting entries that lie all over a page.

use super::{NamesPage, NamesPosition, RESTART_INTERVAL};
use crate::format::bytes::{head_u64, u48_be};

/// Entries from one sample to the next.
const STRIDE: usize = 8;
/// Where more samples than this begin alike, bisecting restarts takes fewer steps than passing entries.
const TIES_MAX: usize = 3;

/// Sampled keys of one leaf. A key is name, 0x00, id BE.
pub(crate) struct Samples {
    /// So many bytes begin every key of the leaf, and every key that is sought in it, alike.
    known: usize,
    /// For each sample the eight bytes after those, as a number that sorts like them.
    heads: Box<[u64]>,
    /// Where the entry after each sample begins.
    nexts: Box<[u16]>,
}

/// The place after an entry that is less than a key.
pub(super) struct After {
    pub(super) index: usize,
    pub(super) at: usize,
    /// Bytes that the entry before and the key begin with alike.
    pub(super) common: usize,
}

impl Samples {
    /// Memory that the samples of a leaf with so many entries take, in bytes.
    pub(crate) fn bytes_of(entries: usize) -> usize {
        let sample = size_of::<u64>() + size_of::<u16>();
        size_of::<Samples>() + entries.div_ceil(STRIDE) * sample
    }

    /// Of every key of a leaf, all of which begin with `known` bytes that each key sought has, too.
    pub(crate) fn of(page: &NamesPage<'_>, known: usize) -> Samples {
        let samples = page.len().div_ceil(STRIDE);
        let (mut heads, mut nexts) = (Vec::with_capacity(samples), Vec::with_capacity(samples));
        let (mut position, mut key) = (NamesPosition::default(), Vec::new());
        for sample in 0..samples {
            if sample.is_multiple_of(RESTART_INTERVAL / STRIDE) {
                position = page.position(sample * STRIDE);
            }
            while position.index() < sample * STRIDE && page.step(&mut position).is_some() {}
            let id = page.step(&mut position).unwrap_or_default();
            key.clear();
            key.extend_from_slice(position.name());
            key.push(0);
            key.extend_from_slice(&u48_be(id));
            heads.push(head_u64(key.get(known..).unwrap_or_default()));
            // Pages have at most 64 KiB.
            nexts.push(u16::try_from(position.offset()).unwrap_or(u16::MAX));
        }
        Samples {
            known,
            heads: heads.into(),
            nexts: nexts.into(),
        }
    }

    pub(super) fn known(&self) -> usize {
        self.known
    }

    /// After the last sample that is less than a key by its head. `None` where none is, or where heads do not tell keys
    /// apart.
    #[inline]
    pub(super) fn before(&self, key: &[u8]) -> Option<After> {
        let head = head_u64(key.get(self.known..).unwrap_or_default());
        let less = self.heads.partition_point(|other| *other < head);
        let sample = less.checked_sub(1)?;
        if self.heads.get(less + TIES_MAX) == Some(&head) {
            return None;
        }
        let differ = self.heads.get(sample)? ^ head;
        // Where the key ends, its head goes on with zeros.
        let common = self.known + (differ.leading_zeros() / 8) as usize;
        Some(After {
            index: sample * STRIDE + 1,
            at: usize::from(*self.nexts.get(sample)?),
            common: common.min(key.len()),
        })
    }
}
