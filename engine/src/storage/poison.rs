//! The first failure of a write that matters is final.
//!
//! After a failed sync, or a failed write to a place that the state depends on, nobody knows what
//! the disk holds. Every later write of the handle is refused; reads go on.

use std::io;
use std::sync::{Arc, PoisonError};

use super::{LockMode, Storage};
use crate::error::{Error, PoisonedSource, Result};
use crate::plant::planted;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// Whether writing has ended for one open database.
#[derive(Debug, Default)]
pub struct Poison {
    set: AtomicBool,
}

impl Poison {
    /// Ends writing.
    pub fn set(&self) {
        self.set.store(true, Ordering::SeqCst);
    }

    /// Whether writing has ended.
    pub fn is_set(&self) -> bool {
        self.set.load(Ordering::SeqCst)
    }

    /// [`Error::Poisoned`] if writing has ended.
    ///
    /// # Errors
    /// That one only.
    pub fn check(&self) -> Result<()> {
        if self.is_set() {
            Err(Error::Poisoned)
        } else {
            Ok(())
        }
    }

    /// Passes a result through; a failure ends writing. For writes that the state depends on.
    pub(crate) fn critical<T>(&self, result: Result<T>) -> Result<T> {
        result.map_err(|error| {
            self.set();
            match error {
                // `Full` promises that the handle works again once there is space.
                Error::Full { context } => Error::Io {
                    context,
                    source: io::ErrorKind::StorageFull.into(),
                },
                other => other,
            }
        })
    }
}

/// Storage that refuses to write once it is poisoned, and whose failed sync poisons.
///
/// A failed `write_at` or `set_len` does not poison by itself: writing pages that nothing refers to
/// yet may fail for want of space, and is simply undone. Writers of places that matter poison
/// themselves.
pub struct Poisonable {
    inner: Arc<dyn Storage>,
    poison: Arc<Poison>,
    syncing: Mutex<()>,
}

impl Poisonable {
    /// Wraps a file. Files of one database share their poison.
    pub fn new(inner: Arc<dyn Storage>, poison: &Arc<Poison>) -> Poisonable {
        Poisonable {
            inner,
            poison: Arc::clone(poison),
            syncing: Mutex::new(()),
        }
    }

    /// Lets a call through that writes. One that panics may have written anything, so it ends writing.
    fn write<T>(&self, call: impl FnOnce(&dyn Storage) -> io::Result<T>) -> io::Result<T> {
        if self.poison.is_set() {
            return Err(io::Error::other(PoisonedSource));
        }
        let unwinding = SetOnUnwind(&self.poison);
        let result = call(&*self.inner);
        std::mem::forget(unwinding);
        result
    }
}

/// Ends writing unless it is forgotten.
struct SetOnUnwind<'p>(&'p Poison);

impl Drop for SetOnUnwind<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}

impl Storage for Poisonable {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.write(|inner| inner.write_at(offset, data))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.write(|inner| inner.set_len(len))
    }

    // One at a time: an operating system tells of data that it could not write once, to the first that asks
    // through a handle. A second sync at the same time would hear that all is well.
    fn sync(&self) -> io::Result<()> {
        let _turn = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(|inner| {
            if planted!("failed-sync-retried") && inner.sync().is_ok() {
                return Ok(());
            }
            inner.sync().map_err(|error| {
                if planted!("failed-sync-not-final") {
                    return error;
                }
                self.poison.set();
                // The data may be gone, so space would not help: its kind must not promise that.
                io::Error::other(error)
            })
        })
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.inner.lock(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on a disk that turns out to be full when it is synced.
    struct FullAtSync;

    impl Storage for FullAtSync {
        fn len(&self) -> io::Result<u64> {
            Ok(0)
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }

        fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn set_len(&self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn lock(&self, _: LockMode) -> io::Result<bool> {
            Ok(true)
        }
    }

    #[test]
    fn a_sync_that_finds_no_space_has_failed_for_good() {
        let poison = Arc::new(Poison::default());
        let file = Poisonable::new(Arc::new(FullAtSync), &poison);
        let told = file.sync().map_err(|error| Error::io("syncing", error));
        assert!(matches!(told, Err(Error::Io { .. })), "{told:?}");
        assert!(poison.is_set());
    }

    /// A file that has lost data, and tells the first sync that ends. Each sync takes a while, so that others
    /// that may begin meanwhile do.
    #[derive(Default)]
    struct TellsOnce {
        told: AtomicBool,
    }

    impl Storage for TellsOnce {
        fn len(&self) -> io::Result<u64> {
            Ok(0)
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            Err(io::ErrorKind::UnexpectedEof.into())
        }

        fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn set_len(&self, _: u64) -> io::Result<()> {
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            std::thread::sleep(std::time::Duration::from_millis(50));
            match self.told.swap(true, Ordering::SeqCst) {
                false => Err(io::Error::other("data is lost")),
                true => Ok(()),
            }
        }

        fn lock(&self, _: LockMode) -> io::Result<bool> {
            Ok(true)
        }
    }

    #[test]
    fn no_sync_hears_that_all_is_well_while_another_hears_of_lost_data() {
        let poison = Arc::new(Poison::default());
        let file = Poisonable::new(Arc::new(TellsOnce::default()), &poison);
        let start = std::sync::Barrier::new(3);
        let succeeded = std::thread::scope(|scope| {
            let syncs: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        file.sync().is_ok()
                    })
                })
                .collect();
            let ended = syncs.into_iter().map(|sync| sync.join().unwrap_or(true));
            ended.filter(|ok| *ok).count()
        });
        assert_eq!(succeeded, 0);
    }

    #[test]
    fn a_failure_that_ends_writing_never_says_that_space_would_help() {
        let poison = Poison::default();
        let full = Error::io("writing the log", io::ErrorKind::StorageFull.into());
        assert!(matches!(full, Error::Full { .. }));
        let told = poison.critical::<()>(Err(full));
        assert!(matches!(told, Err(Error::Io { .. })), "{told:?}");
        assert!(matches!(poison.check(), Err(Error::Poisoned)));
    }
}
