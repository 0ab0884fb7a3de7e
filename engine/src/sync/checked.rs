//! What takes the place of `arc-swap`, and of counts of the standard library, under a checker of schedules: the same
//! methods, at each of which another thread may run first.

use std::ops::Deref;
use std::sync;
use std::sync::PoisonError;

use super::Mutex;
use super::atomic::{AtomicUsize, Ordering};

pub(crate) type ArcSwap<T> = Swap<sync::Arc<T>>;
pub(crate) type ArcSwapOption<T> = Swap<Option<sync::Arc<T>>>;

/// A value that is read and replaced as a whole.
pub(crate) struct Swap<T>(Mutex<T>);

/// What was there when it was loaded.
pub(crate) struct Guard<T>(T);

impl<T: Clone> Swap<T> {
    pub(crate) fn new(value: T) -> Swap<T> {
        Swap(Mutex::new(value))
    }

    pub(crate) fn load_full(&self) -> T {
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        value.clone()
    }

    pub(crate) fn load(&self) -> Guard<T> {
        Guard(self.load_full())
    }

    pub(crate) fn swap(&self, value: T) -> T {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *place, value)
    }

    pub(crate) fn store(&self, value: T) {
        // Dropped once the place is free again: whatever goes with it may meet other threads.
        drop(self.swap(value));
    }
}

impl<T> Swap<Option<sync::Arc<T>>> {
    pub(crate) fn empty() -> Self {
        Swap::new(None)
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A value that is there while somebody counts on it.
pub(crate) struct Arc<T> {
    value: sync::Arc<T>,
    count: Count,
}

/// Tells whether anybody does.
pub(crate) struct Weak<T> {
    value: sync::Weak<T>,
    count: Count,
}

/// Where those meet who change a count or look at it. A clone is no such meeting: it is made of one that is counted.
#[derive(Clone, Default)]
struct Count(sync::Arc<AtomicUsize>);

impl Count {
    fn meet(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl<T> Arc<T> {
    pub(crate) fn new(value: T) -> Arc<T> {
        Arc {
            value: sync::Arc::new(value),
            count: Count::default(),
        }
    }

    pub(crate) fn downgrade(this: &Arc<T>) -> Weak<T> {
        Weak {
            value: sync::Arc::downgrade(&this.value),
            count: this.count.clone(),
        }
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Arc<T> {
        Arc {
            value: sync::Arc::clone(&self.value),
            count: self.count.clone(),
        }
    }
}

impl<T> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Arc<T> {
    fn drop(&mut self) {
        self.count.meet();
    }
}

impl<T> Weak<T> {
    pub(crate) fn strong_count(&self) -> usize {
        self.count.meet();
        self.value.strong_count()
    }

    pub(crate) fn upgrade(&self) -> Option<Arc<T>> {
        self.count.meet();
        Some(Arc {
            value: self.value.upgrade()?,
            count: self.count.clone(),
        })
    }
}
