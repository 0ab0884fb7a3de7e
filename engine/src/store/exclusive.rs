//! A value that one holder at a time takes away and brings back.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::forensics::{Counter, Tally, count};

/// What can be taken away and brought back.
pub(crate) trait Lent {
    /// Undoes what its holder left unfinished. Called whichever way the holder ended, by a panic too.
    fn come_back(&mut self) {}
}

impl Lent for () {}

/// A lock whose guard owns the value and no borrow, so that it may live as long as a transaction
/// and move between threads.
pub(crate) struct Exclusive<T: Lent> {
    place: Mutex<Option<T>>,
    returned: Condvar,
    tally: Tally,
    /// What counts those who had to wait.
    waits: Counter,
}

impl<T: Lent> Exclusive<T> {
    pub(crate) fn new(value: T, tally: Tally, waits: Counter) -> Arc<Exclusive<T>> {
        Arc::new(Exclusive {
            place: Mutex::new(Some(value)),
            returned: Condvar::new(),
            tally,
            waits,
        })
    }

    /// Waits until the value is there, and takes it.
    pub(crate) fn acquire(self: &Arc<Exclusive<T>>) -> Held<T> {
        let mut place = self.place();
        if place.is_none() {
            count!(self.tally, add(self.waits, 1));
        }
        loop {
            if let Some(value) = place.take() {
                return Held {
                    value: Some(value),
                    home: Arc::clone(self),
                };
            }
            place = self
                .returned
                .wait(place)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the value if nobody holds it.
    pub(crate) fn try_acquire(self: &Arc<Exclusive<T>>) -> Option<Held<T>> {
        let value = self.place().take()?;
        Some(Held {
            value: Some(value),
            home: Arc::clone(self),
        })
    }

    // An `Option` is whole whatever a panicking thread did between two of its moves.
    fn place(&self) -> MutexGuard<'_, Option<T>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value, until dropped.
pub(crate) struct Held<T: Lent> {
    // `None` only while `drop` runs.
    value: Option<T>,
    home: Arc<Exclusive<T>>,
}

impl<T: Lent> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("a held value leaves only when its guard is dropped"),
        }
    }
}

impl<T: Lent> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("a held value leaves only when its guard is dropped"),
        }
    }
}

impl<T: Lent> Drop for Held<T> {
    fn drop(&mut self) {
        if let Some(value) = &mut self.value {
            value.come_back();
        }
        *self.home.place() = self.value.take();
        self.home.returned.notify_one();
    }
}
