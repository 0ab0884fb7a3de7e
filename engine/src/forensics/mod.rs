//! Why something costs what it costs: counters, ledgers, a register of page owners, and a trace.
//!
//! All of it belongs to one open database and none of it to the process. Events are noted where they
//! happen, by one line of `count!`, which is type-checked in every build and compiles to nothing
//! without the feature `forensics`. The types and methods exist in every build; without the feature
//! they hold nothing and report zeros. [`ENABLED`] tells which build this is.
//!
//! * [`Counts`]: every [`Counter`] of a database, from
//!   [`Database::counters`](crate::Database::counters). Subtract two for what happened in between.
//! * [`Ledger`]: what one call or transaction did, from
//!   [`Database::with_ledger`](crate::Database::with_ledger).
//! * [`Ownership`]: who took, wrote, dropped and freed which page, and every contradiction in that,
//!   from [`Database::ownership`](crate::Database::ownership).
//! * [`Watch`]: the same for as long as it is held, from [`Database::watch`](crate::Database::watch).
//! * A trace of the same events as lines of JSON, by [`Builder::trace`](crate::Builder::trace).
//!
//! ```
//! use vellum::forensics::{self, Counter};
//!
//! # fn main() -> vellum::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
//! let mut txn = db.begin_write()?;
//! txn.insert_node("city", "Lyon", b"{}")?;
//! let before = db.counters();
//! txn.commit()?;
//! let spent = db.counters() - before;
//! assert_eq!(spent.get(Counter::LogAppends), u64::from(forensics::ENABLED));
//! # Ok(())
//! # }
//! ```

mod amplification;
mod counters;
mod counts;
#[cfg(feature = "serde")]
mod data;
mod event;
mod ledger;
mod record;
mod register;
mod states;
mod tally;
mod trace;
mod watch;

pub use amplification::Amplification;
pub use counters::{Counter, Group};
pub use counts::Counts;
pub use event::{Action, Event};
pub use ledger::{How, Ledger, PageUse};
pub use register::{Conflict, Ownership};
pub(crate) use tally::{Site, Tally};
pub(crate) use trace::Sink;
pub use watch::Watch;

/// Whether this build counts: whether the crate was compiled with the feature `forensics`.
pub const ENABLED: bool = cfg!(feature = "forensics");

/// How many records a handle has: one, or none.
const RECORDS: usize = ENABLED as usize;

/// Notes an event: `count!(tally, Counter)`, `count!(tally, Counter, n)`, or a method of
/// [`record::Record`] as `count!(tally, method(arguments))`.
#[cfg(not(vellum_no_count))]
macro_rules! count {
    ($tally:expr, $event:ident ( $($argument:expr),* $(,)? )) => {
        if $crate::forensics::ENABLED
            && let Some(record) = $tally.record()
        {
            record.$event($($argument),*);
        }
    };
    ($tally:expr, $counter:ident) => {
        $crate::forensics::count!($tally, $counter, 1)
    };
    ($tally:expr, $counter:ident, $n:expr) => {
        if $crate::forensics::ENABLED
            && let Some(record) = $tally.record()
        {
            record.add($crate::forensics::Counter::$counter, $n as u64);
        }
    };
}

/// Proves that the one above costs nothing: `make bench-forensics` compares the instructions of a
/// build with this macro to those of the default one.
#[cfg(vellum_no_count)]
macro_rules! count {
    ($($anything:tt)*) => {};
}

pub(crate) use count;
