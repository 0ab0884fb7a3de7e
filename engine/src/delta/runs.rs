//! Sorted immutable runs of changes, the newest overriding the older ones.
//!
//! A snapshot is a list of shared runs, so it costs a few reference counts and is never disturbed. A
//! new run is merged with its predecessors while they are not larger than it, as the digits of a
//! binary counter carry; runs grow to a limit only, so that no single commit pays for a large merge.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::btree::Change;

/// Runs of this many changes are not merged any further.
const RUN_LIMIT: usize = 1 << 17;

type Run<K, V> = Vec<(K, Change<V>)>;

/// The changes of one key space.
pub(crate) struct Runs<K, V> {
    /// Oldest first.
    runs: Vec<Arc<Run<K, V>>>,
    len: usize,
    bytes: usize,
}

impl<K, V> Clone for Runs<K, V> {
    fn clone(&self) -> Runs<K, V> {
        Runs { runs: self.runs.clone(), len: self.len, bytes: self.bytes }
    }
}

impl<K, V> Default for Runs<K, V> {
    fn default() -> Runs<K, V> {
        Runs { runs: Vec::new(), len: 0, bytes: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> Runs<K, V> {
    /// Changes held; a key that changed in several runs counts several times.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a run of ascending keys. `heap` is the memory that a value takes beside its entry.
    pub(super) fn push(&mut self, run: Run<K, V>, heap: impl Fn(&V) -> usize) {
        let bytes = |(_, change): &(K, Change<V>)| match change {
            Change::Put(value) => heap(value),
            Change::Delete => 0,
        };
        let heap = run.iter().map(bytes).sum();
        self.push_measured(run, heap);
    }

    /// The same, where the keys are what takes memory.
    pub(super) fn push_keyed(&mut self, run: Run<K, V>, heap: impl Fn(&K) -> usize) {
        let heap = run.iter().map(|(key, _)| heap(key)).sum();
        self.push_measured(run, heap);
    }

    fn push_measured(&mut self, run: Run<K, V>, heap: usize) {
        if run.is_empty() {
            return;
        }
        debug_assert!(run.is_sorted_by(|a, b| a.0 < b.0), "keys of a run ascend");
        self.len += run.len();
        self.bytes += heap + run.len() * size_of::<(K, Change<V>)>();
        self.carry(Arc::new(run));
    }

    fn carry(&mut self, mut run: Arc<Run<K, V>>) {
        while let Some(before) = self.runs.pop_if(|before| before.len() <= run.len() && before.len() + run.len() <= RUN_LIMIT) {
            let both = before.len() + run.len();
            run = Arc::new(merged(before, run));
            let gone = both - run.len();
            self.len -= gone;
            self.bytes = self.bytes.saturating_sub(gone * size_of::<(K, Change<V>)>());
        }
        self.runs.push(run);
    }

    /// Adds the changes of newer runs.
    pub(super) fn absorb(&mut self, newer: &Runs<K, V>) {
        self.len += newer.len;
        self.bytes += newer.bytes;
        for run in &newer.runs {
            self.carry(Arc::clone(run));
        }
    }

    /// The newest change of a key.
    pub(crate) fn get(&self, key: &K) -> Option<&Change<V>> {
        self.runs.iter().rev().find_map(|run| {
            let outside = run.first().is_none_or(|first| *key < first.0) || run.last().is_none_or(|last| *key > last.0);
            if outside {
                return None;
            }
            let found = run.binary_search_by(|(found, _)| found.cmp(key)).ok()?;
            run.get(found).map(|(_, change)| change)
        })
    }

    /// The newest change of the greatest key that changed and is not greater than this one.
    pub(crate) fn floor(&self, key: &K) -> Option<(&K, &Change<V>)> {
        let mut best: Option<(&K, &Change<V>)> = None;
        for run in self.runs.iter().rev() {
            let after = run.partition_point(|(found, _)| found <= key);
            let Some((found, change)) = after.checked_sub(1).and_then(|index| run.get(index)) else { continue };
            if best.is_none_or(|(best, _)| found > best) {
                best = Some((found, change));
            }
        }
        best
    }

    /// All changes whose keys are greater than this one, or all of them, in order.
    pub(crate) fn after(&self, key: Option<&K>) -> Changes<'_, K, V> {
        let mut changes = Changes::default();
        let start = |run: &Run<K, V>| key.map_or(0, |key| run.partition_point(|(found, _)| found <= key));
        self.add_to(&mut changes, start);
        changes
    }

    /// Adds the changes whose keys are not less than this one to those of newer layers.
    pub(crate) fn add_from<'a>(&'a self, key: Option<&K>, changes: &mut Changes<'a, K, V>) {
        let start = |run: &Run<K, V>| key.map_or(0, |key| run.partition_point(|(found, _)| found < key));
        self.add_to(changes, start);
    }

    fn add_to<'a>(&'a self, changes: &mut Changes<'a, K, V>, start: impl Fn(&Run<K, V>) -> usize) {
        for run in self.runs.iter().rev() {
            let rest = run.get(start(run)..).unwrap_or_default();
            if !rest.is_empty() {
                changes.newest_first.push(rest);
            }
        }
    }
}

/// Merges two runs; the newer one wins.
fn merged<K: Ord + Clone, V: Clone>(older: Arc<Run<K, V>>, newer: Arc<Run<K, V>>) -> Run<K, V> {
    let mut all = Vec::with_capacity(older.len() + newer.len());
    let mut older = owned(older).into_iter().peekable();
    for entry in owned(newer) {
        while let Some(before) = older.next_if(|before| before.0 < entry.0) {
            all.push(before);
        }
        older.next_if(|before| before.0 == entry.0);
        all.push(entry);
    }
    all.extend(older);
    all
}

/// The run itself if no snapshot shares it, else a copy.
fn owned<K: Clone, V: Clone>(run: Arc<Run<K, V>>) -> Run<K, V> {
    Arc::try_unwrap(run).unwrap_or_else(|shared| (*shared).clone())
}

/// The changes of several runs in order of their keys, each key's newest only.
pub(crate) struct Changes<'a, K, V> {
    newest_first: Vec<&'a [(K, Change<V>)]>,
}

impl<K, V> Default for Changes<'_, K, V> {
    fn default() -> Self {
        Changes { newest_first: Vec::new() }
    }
}

impl<'a, K: Ord, V> Changes<'a, K, V> {
    /// The next key that changed.
    pub(crate) fn peek(&self) -> Option<&'a K> {
        self.newest_first.iter().filter_map(|run| run.first()).map(|(key, _)| key).min()
    }
}

impl<'a, K: Ord, V> Iterator for Changes<'a, K, V> {
    type Item = (&'a K, &'a Change<V>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut best: Option<&'a (K, Change<V>)> = None;
        for run in &self.newest_first {
            let Some(head) = run.first() else { continue };
            if best.is_none_or(|best| head.0.cmp(&best.0) == Ordering::Less) {
                best = Some(head);
            }
        }
        let (key, change) = best?;
        for run in &mut self.newest_first {
            if let Some((head, rest)) = run.split_first() {
                if head.0 == *key {
                    *run = rest;
                }
            }
        }
        Some((key, change))
    }
}
