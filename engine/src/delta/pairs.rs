//! Sorted changes as pairs of key and change: what a run is wherever nothing smaller will do.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::OnceLock;

use super::changes::Rest;
use super::heap::Heap;
use super::runs::{Run, Runs};
use crate::btree::Change;

/// Deletions that a search for the put before them passes one by one.
const STEPS: usize = 8;

type Entry<K, V> = (K, Change<V>);

/// Changes of ascending keys.
pub(crate) struct Pairs<K, V> {
    entries: Vec<Entry<K, V>>,
    /// Memory that the entries refer to, in bytes.
    heap: usize,
    /// For each entry, how many entries up to it end with the last put; made when first needed.
    puts: OnceLock<Box<[u32]>>,
}

impl<K: Ord + Heap, V: Heap> Pairs<K, V> {
    /// Of changes in any order; of those of one key the last to come counts.
    pub(super) fn of(mut changes: Vec<Entry<K, V>>) -> Pairs<K, V> {
        if !changes.is_sorted_by(|a, b| a.0 < b.0) {
            changes.sort_by(|a, b| a.0.cmp(&b.0));
            changes.dedup_by(|later, earlier| {
                let same = later.0 == earlier.0;
                if same {
                    std::mem::swap(later, earlier);
                }
                same
            });
        }
        Pairs {
            heap: changes.iter().map(Heap::heap_bytes).sum(),
            entries: changes,
            puts: OnceLock::new(),
        }
    }
}

impl<K: Ord, V> Pairs<K, V> {
    fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Change<V>>
    where
        K: Borrow<Q>,
    {
        let (first, last) = (self.entries.first()?, self.entries.last()?);
        if key < first.0.borrow() || key > last.0.borrow() {
            return None;
        }
        let found = self
            .entries
            .binary_search_by(|(found, _)| found.borrow().cmp(key))
            .ok()?;
        self.entries.get(found).map(|(_, change)| change)
    }

    /// The changes from a key on.
    pub(super) fn from(&self, from: Bound<&K>) -> PairsRest<'_, K, V> {
        let start = self.entries.partition_point(|(found, _)| match from {
            Bound::Unbounded => false,
            Bound::Included(key) => found < key,
            Bound::Excluded(key) => found <= key,
        });
        PairsRest(self.entries.get(start..).unwrap_or_default())
    }

    /// The last put whose key is not greater.
    fn put_up_to(&self, key: &K) -> Option<(&K, &V)> {
        let mut count = self.entries.partition_point(|(found, _)| found <= key);
        for step in 0.. {
            let last = count.checked_sub(1)?;
            match self.entries.get(last)? {
                (found, Change::Put(value)) => return Some((found, value)),
                (_, Change::Delete) if step < STEPS => count = last,
                (_, Change::Delete) => count = *self.puts().get(last)? as usize,
            }
        }
        None
    }

    fn puts(&self) -> &[u32] {
        self.puts.get_or_init(|| {
            let mut last = 0;
            let places = (1u32..).zip(&self.entries);
            places
                .map(|(count, (_, change))| {
                    if matches!(change, Change::Put(_)) {
                        last = count;
                    }
                    last
                })
                .collect()
        })
    }
}

impl<K: Ord, V> Runs<Pairs<K, V>> {
    /// The newest change of a key.
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Change<V>>
    where
        K: Borrow<Q>,
    {
        self.newest_first().find_map(|run| run.get(key))
    }

    /// The last put up to this key in each run, newest run first. A newer run may have changed it.
    pub(crate) fn puts_up_to(&self, key: &K) -> impl Iterator<Item = (&K, &V)> {
        self.newest_first().filter_map(|run| run.put_up_to(key))
    }
}

impl<K: Ord + Clone + Heap, V: Clone + Heap> Run for Pairs<K, V> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn bytes(&self) -> usize {
        self.heap + self.entries.len() * size_of::<Entry<K, V>>()
    }

    fn merged(older: &Pairs<K, V>, newer: &Pairs<K, V>) -> Pairs<K, V> {
        let mut entries = Vec::with_capacity(older.entries.len() + newer.entries.len());
        let mut heap = older.heap + newer.heap;
        let mut rest = older.entries.as_slice();
        for entry in &newer.entries {
            let before = rest.partition_point_near(|(key, _)| *key < entry.0);
            let (passed, left) = rest.split_at(before);
            entries.extend_from_slice(passed);
            rest = left;
            if let Some((same, left)) = rest.split_first().filter(|(old, _)| old.0 == entry.0) {
                heap -= same.heap_bytes();
                rest = left;
            }
            entries.push(entry.clone());
        }
        entries.extend_from_slice(rest);
        Pairs {
            entries,
            heap,
            puts: OnceLock::new(),
        }
    }
}

/// What is left of a run of pairs.
pub(crate) struct PairsRest<'a, K, V>(&'a [Entry<K, V>]);

impl<K: Ord + Clone, V: Clone> Rest for PairsRest<'_, K, V> {
    type Key = K;
    type Value = V;

    #[inline]
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    fn compare(&self, key: &K) -> Option<Ordering> {
        Some(self.0.first()?.0.cmp(key))
    }

    #[inline]
    fn compare_heads(&self, other: &Self) -> Ordering {
        let (a, b) = (self.0.first(), other.0.first());
        a.map(|(key, _)| key).cmp(&b.map(|(key, _)| key))
    }

    #[inline]
    fn key(&self) -> Option<K> {
        Some(self.0.first()?.0.clone())
    }

    #[inline]
    fn head(&self) -> Option<(K, Change<V>)> {
        self.0.first().cloned()
    }

    #[inline]
    fn skip(&mut self) {
        self.0 = self.0.split_first().map_or(&[], |(_, rest)| rest);
    }
}

/// Finding a boundary that is likely to be close.
trait Near<T> {
    /// As `partition_point`, in time that depends on the distance.
    fn partition_point_near(&self, below: impl Fn(&T) -> bool) -> usize;
}

impl<T> Near<T> for [T] {
    fn partition_point_near(&self, below: impl Fn(&T) -> bool) -> usize {
        let mut width = 1;
        while self.get(width - 1).is_some_and(&below) {
            width *= 2;
        }
        let (low, high) = (width / 2, width.min(self.len()));
        let between = self.get(low..high).unwrap_or_default();
        low + between.partition_point(below)
    }
}
