//! Locks, waiting, atomics, threads and values that are swapped: those of the standard library and of `arc-swap`,
//! or of a checker of schedules.
//!
//! `--cfg shuttle` runs a whole database under schedules that Shuttle chooses, `--cfg loom` explores every
//! schedule of the parts that fit. Neither changes the code above this line of modules. A checker runs another thread
//! only where one of these is used, so whatever threads meet at must come from here.

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

/// Shared values that threads replace as a whole.
pub(crate) mod swap {
    #[cfg(not(any(shuttle, loom)))]
    pub(crate) use arc_swap::{ArcSwap, ArcSwapOption, Guard};

    #[cfg(any(shuttle, loom))]
    pub(crate) use super::checked::{ArcSwap, ArcSwapOption, Guard};
}

/// Shared values whose counts tell who still needs something.
pub(crate) mod counted {
    #[cfg(not(any(shuttle, loom)))]
    pub(crate) use std::sync::{Arc, Weak};

    #[cfg(any(shuttle, loom))]
    pub(crate) use super::checked::{Arc, Weak};
}

#[cfg(any(shuttle, loom))]
mod checked;

#[cfg(all(test, loom))]
pub(crate) mod testing;
