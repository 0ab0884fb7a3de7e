//! Waking the checkpoint thread, and ending it.

use std::sync::PoisonError;

use crate::sync::{Condvar, Mutex, MutexGuard};

#[derive(Default)]
struct Wishes {
    work: bool,
    stop: bool,
}

/// What the checkpoint thread waits for.
#[derive(Default)]
pub(crate) struct Signal {
    wishes: Mutex<Wishes>,
    changed: Condvar,
}

impl Signal {
    /// Says that a checkpoint has begun.
    pub(crate) fn wake(&self) {
        self.wishes().work = true;
        self.changed.notify_all();
    }

    /// Says that the thread should end.
    pub(crate) fn stop(&self) {
        self.wishes().stop = true;
        self.changed.notify_all();
    }

    /// Waits for work; `false` means to end.
    pub(crate) fn wait(&self) -> bool {
        let mut wishes = self.wishes();
        loop {
            if wishes.stop {
                return false;
            }
            if std::mem::take(&mut wishes.work) {
                return true;
            }
            wishes = self
                .changed
                .wait(wishes)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn wishes(&self) -> MutexGuard<'_, Wishes> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, loom))]
mod tests;
