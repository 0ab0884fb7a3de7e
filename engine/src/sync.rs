//! Locks, waiting, atomics and threads: those of the standard library, or of a checker of schedules.
//!
//! `--cfg shuttle` runs a whole database under schedules that Shuttle chooses, `--cfg loom` explores every
//! schedule of the parts that fit. Neither changes the code above this line of modules.

#[cfg(not(any(shuttle, loom)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock, atomic};
#[cfg(not(any(shuttle, loom)))]
pub(crate) use std::thread;

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, RwLock, atomic};
#[cfg(shuttle)]
pub(crate) use shuttle::thread;

#[cfg(loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, RwLock, atomic};
#[cfg(loom)]
pub(crate) use std::thread;
