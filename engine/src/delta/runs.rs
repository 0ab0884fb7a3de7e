//! Sorted immutable runs of changes, the newest overriding the older ones.
//!
//! A snapshot is a list of shared runs, so it costs a few reference counts and is never disturbed. A
//! new run is merged with its predecessors while they are not larger than it, as the digits of a
//! binary counter carry; runs grow to a limit only, so that no single commit pays for a large merge.

use std::sync::Arc;

/// Runs of this many changes are not merged any further.
pub(super) const RUN_LIMIT: usize = 1 << 18;

/// Changes of ascending keys.
pub(crate) trait Run {
    /// Changes held.
    fn len(&self) -> usize;
    /// Memory that they take, in bytes.
    fn bytes(&self) -> usize;
    /// The changes of two runs; those of the newer one win. Snapshots may share both.
    fn merged(older: &Self, newer: &Self) -> Self;
}

/// The changes of one key space.
pub(crate) struct Runs<R> {
    /// Oldest first.
    runs: Vec<Arc<R>>,
    len: usize,
    bytes: usize,
}

impl<R> Clone for Runs<R> {
    fn clone(&self) -> Runs<R> {
        Runs {
            runs: self.runs.clone(),
            len: self.len,
            bytes: self.bytes,
        }
    }
}

impl<R> Default for Runs<R> {
    fn default() -> Runs<R> {
        Runs {
            runs: Vec::new(),
            len: 0,
            bytes: 0,
        }
    }
}

impl<R> Runs<R> {
    /// Changes held; a key that changed in several runs counts several times.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn newest_first(&self) -> impl Iterator<Item = &R> {
        self.runs.iter().rev().map(|run| &**run)
    }
}

impl<R: Run> Runs<R> {
    /// Adds a run that is newer than all before it.
    pub(super) fn push(&mut self, run: R) {
        if run.len() > 0 {
            self.carry(Arc::new(run));
        }
    }

    /// Adds the changes of newer runs.
    pub(super) fn absorb(&mut self, newer: &Runs<R>) {
        for run in &newer.runs {
            self.carry(Arc::clone(run));
        }
    }

    fn carry(&mut self, mut run: Arc<R>) {
        let merges = |before: &R, run: &R| {
            let (older, newer) = (before.len(), run.len());
            older <= newer && older + newer <= RUN_LIMIT
        };
        while let Some(before) = self.runs.pop_if(|before| merges(before, &run)) {
            self.len -= before.len();
            self.bytes -= before.bytes();
            run = Arc::new(R::merged(&before, &run));
        }
        self.len += run.len();
        self.bytes += run.bytes();
        self.runs.push(run);
    }
}
