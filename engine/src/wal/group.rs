//! Sharing syncs: one thread syncs for everyone whose record was appended before it began.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use crate::error::{Error, Result};
use crate::storage::Poison;

/// Who syncs, and how far the log is durable.
pub(super) struct GroupSync {
    durable_to: AtomicU64,
    syncing: Mutex<bool>,
    finished: Condvar,
}

impl GroupSync {
    pub(super) fn new(durable_to: u64) -> GroupSync {
        GroupSync {
            durable_to: AtomicU64::new(durable_to),
            syncing: Mutex::new(false),
            finished: Condvar::new(),
        }
    }

    pub(super) fn durable_to(&self) -> u64 {
        self.durable_to.load(Ordering::Acquire)
    }

    /// Returns once `end` is durable. `sync` makes the log durable and returns how far; it is
    /// called by one thread at a time, and not at all by a thread that another one covers. A failure
    /// is never tried again: it ends writing, and everyone who waits fails.
    pub(super) fn wait_for(
        &self,
        end: u64,
        poison: &Poison,
        mut sync: impl FnMut() -> Result<u64>,
    ) -> Result<()> {
        let mut syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if self.durable_to() >= end {
                return Ok(());
            }
            if poison.is_set() {
                return Err(Error::Poisoned);
            }
            if *syncing {
                syncing = self
                    .finished
                    .wait(syncing)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            *syncing = true;
            drop(syncing);
            let turn = Turn(self);
            let target = poison.critical(sync())?;
            self.durable_to.fetch_max(target, Ordering::AcqRel);
            drop(turn);
            syncing = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The right to sync. Whichever way it ends, those who wait are told.
struct Turn<'g>(&'g GroupSync);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let syncing = self.0.syncing.lock();
        *syncing.unwrap_or_else(PoisonError::into_inner) = false;
        self.0.finished.notify_all();
    }
}
