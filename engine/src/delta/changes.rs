//! The changes of many runs as one ascending sequence.

use super::runs::Entry;
use crate::btree::Change;

/// The changes of several runs in order of their keys, each key's newest only.
pub(crate) struct Changes<'a, K, V> {
    /// What is left of each run that has something left.
    newest_first: Vec<&'a [Entry<K, V>]>,
}

impl<K, V> Default for Changes<'_, K, V> {
    fn default() -> Self {
        Changes {
            newest_first: Vec::new(),
        }
    }
}

impl<'a, K: Ord, V> Changes<'a, K, V> {
    /// Adds a run that is older than all before it.
    pub(super) fn add(&mut self, run: &'a [Entry<K, V>]) {
        if !run.is_empty() {
            self.newest_first.push(run);
        }
    }

    /// The next key that changed.
    #[inline]
    pub(crate) fn peek(&self) -> Option<&'a K> {
        self.head().map(|(key, _)| key)
    }

    /// The least head; of equal ones the newest.
    #[inline]
    fn head(&self) -> Option<&'a Entry<K, V>> {
        // The first of equal minima is the newest.
        self.newest_first
            .iter()
            .filter_map(|run| run.first())
            .min_by(|a, b| a.0.cmp(&b.0))
    }
}

impl<'a, K: Ord, V> Iterator for Changes<'a, K, V> {
    type Item = (&'a K, &'a Change<V>);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, change) = self.head()?;
        self.newest_first.retain_mut(|run| {
            if let Some((head, rest)) = run.split_first()
                && head.0 == *key
            {
                *run = rest;
            }
            !run.is_empty()
        });
        Some((key, change))
    }
}
