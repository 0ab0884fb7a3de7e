//! Sorted immutable runs of changes, the newest overriding the older ones.
//!
//! A snapshot is a list of shared runs, so it costs a few reference counts and is never disturbed. A
//! new run is merged with its predecessors while they are not larger than it, as the digits of a
//! binary counter carry; runs grow to a limit only, so that no single commit pays for a large merge.

use std::borrow::Borrow;
use std::sync::{Arc, OnceLock};

use super::changes::Changes;
use super::heap::Heap;
use crate::btree::Change;

/// Runs of this many changes are not merged any further.
const RUN_LIMIT: usize = 1 << 17;
/// Deletions that a search for the put before them passes one by one.
const STEPS: usize = 8;

pub(super) type Entry<K, V> = (K, Change<V>);

/// Changes of ascending keys.
struct Run<K, V> {
    entries: Vec<Entry<K, V>>,
    /// Memory that the entries refer to, in bytes.
    heap: usize,
    /// For each entry, how many entries up to it end with the last put; made when first needed.
    puts: OnceLock<Box<[u32]>>,
}

impl<K: Ord, V> Run<K, V> {
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

/// The changes of one key space.
pub(crate) struct Runs<K, V> {
    /// Oldest first.
    runs: Vec<Arc<Run<K, V>>>,
    len: usize,
    heap: usize,
}

impl<K, V> Clone for Runs<K, V> {
    fn clone(&self) -> Runs<K, V> {
        Runs {
            runs: self.runs.clone(),
            len: self.len,
            heap: self.heap,
        }
    }
}

impl<K, V> Default for Runs<K, V> {
    fn default() -> Runs<K, V> {
        Runs {
            runs: Vec::new(),
            len: 0,
            heap: 0,
        }
    }
}

impl<K, V> Runs<K, V> {
    /// Changes held; a key that changed in several runs counts several times.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.heap + self.len * size_of::<Entry<K, V>>()
    }
}

impl<K: Ord, V> Runs<K, V> {
    /// The newest change of a key.
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Change<V>>
    where
        K: Borrow<Q>,
    {
        self.runs.iter().rev().find_map(|run| run.get(key))
    }

    /// The last put up to this key in each run, newest run first. A newer run may have changed it.
    pub(crate) fn puts_up_to(&self, key: &K) -> impl Iterator<Item = (&K, &V)> {
        self.runs.iter().rev().filter_map(|run| run.put_up_to(key))
    }

    /// All changes whose keys are greater than this one, or all of them, in order.
    pub(crate) fn after(&self, key: Option<&K>) -> Changes<'_, K, V> {
        let mut changes = Changes::default();
        self.add_to(&mut changes, |found| key.is_some_and(|key| found <= key));
        changes
    }

    /// Adds the changes whose keys are not less than this one to those of newer layers.
    pub(crate) fn add_from<'a>(&'a self, key: Option<&K>, changes: &mut Changes<'a, K, V>) {
        self.add_to(changes, |found| key.is_some_and(|key| found < key));
    }

    fn add_to<'a>(&'a self, changes: &mut Changes<'a, K, V>, skipped: impl Fn(&K) -> bool) {
        for run in self.runs.iter().rev() {
            let start = run.entries.partition_point(|(found, _)| skipped(found));
            changes.add(run.entries.get(start..).unwrap_or_default());
        }
    }
}

impl<K: Ord + Clone + Heap, V: Clone + Heap> Runs<K, V> {
    /// Adds changes of strictly ascending keys.
    pub(super) fn push(&mut self, entries: Vec<Entry<K, V>>) {
        debug_assert!(
            entries.is_sorted_by(|a, b| a.0 < b.0),
            "keys of a run ascend"
        );
        if entries.is_empty() {
            return;
        }
        let heap = entries.iter().map(Heap::heap_bytes).sum();
        self.carry(Arc::new(Run {
            entries,
            heap,
            puts: OnceLock::new(),
        }));
    }

    /// Adds the changes of newer runs.
    pub(super) fn absorb(&mut self, newer: &Runs<K, V>) {
        for run in &newer.runs {
            self.carry(Arc::clone(run));
        }
    }

    fn carry(&mut self, mut run: Arc<Run<K, V>>) {
        let merges = |before: &Run<K, V>, run: &Run<K, V>| {
            let (older, newer) = (before.entries.len(), run.entries.len());
            older <= newer && older + newer <= RUN_LIMIT
        };
        while let Some(before) = self.runs.pop_if(|before| merges(before, &run)) {
            self.len -= before.entries.len();
            self.heap -= before.heap;
            run = Arc::new(merged(&before, &run));
        }
        self.len += run.entries.len();
        self.heap += run.heap;
        self.runs.push(run);
    }
}

/// Merges two runs; the newer one wins. Snapshots may share both, so entries are copied.
fn merged<K: Ord + Clone + Heap, V: Clone + Heap>(
    older: &Run<K, V>,
    newer: &Run<K, V>,
) -> Run<K, V> {
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
    Run {
        entries,
        heap,
        puts: OnceLock::new(),
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
