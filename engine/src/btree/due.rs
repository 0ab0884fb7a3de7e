//! What is made of a tree once it pays: after some descents.

use std::sync::OnceLock;

use crate::format::header::Root;
use crate::sync::atomic::{AtomicU32, Ordering};

/// A directory is made after one descent for this many of its leaves.
const LEAVES_PER_DESCENT: u64 = 16;
/// And after this many at least.
const DESCENTS_MIN: u64 = 32;

/// A table of a tree's leaves that is made when it is due, or turned out not to be possible.
pub(super) struct Due<T> {
    /// Descents still to come before a table pays.
    descents: AtomicU32,
    table: OnceLock<Option<T>>,
}

impl<T> Due<T> {
    pub(super) fn new(root: Root) -> Due<T> {
        let descents = (root.pages / LEAVES_PER_DESCENT).max(DESCENTS_MIN);
        Due {
            descents: AtomicU32::new(u32::try_from(descents).unwrap_or(u32::MAX)),
            table: OnceLock::new(),
        }
    }

    /// The table, if it is there.
    #[inline]
    pub(super) fn there(&self) -> Option<&T> {
        self.table.get()?.as_ref()
    }

    /// The same, and brings it nearer if it is not. The read that is under way when it is made descends, like those before.
    #[inline]
    pub(super) fn get(&self, make: impl FnOnce() -> Option<T>) -> Option<&T> {
        match self.table.get() {
            Some(table) => table.as_ref(),
            None => {
                self.approach(make);
                None
            }
        }
    }

    #[cold]
    fn approach(&self, make: impl FnOnce() -> Option<T>) {
        // Which of several threads counts to the end does not matter.
        let left = self.descents.load(Ordering::Relaxed);
        if left > 0 {
            self.descents.store(left - 1, Ordering::Relaxed);
            return;
        }
        // Another thread may have made the same.
        let _ = self.table.set(make());
    }
}
