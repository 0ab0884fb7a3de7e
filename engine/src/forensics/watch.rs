//! Looking at a database's record from outside.

use super::counts::Counts;
use super::ledger::Ledger;
use super::register::Ownership;
use super::tally::Tally;
use crate::error::Result;

/// A database's counters, ledgers, page owners and trace. It does not keep the database open, and
/// outlives it, so that it can tell what closing did.
///
/// ```
/// # fn main() -> vellum::Result<()> {
/// use vellum::forensics::{self, Counter};
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
/// let mut txn = db.begin_write()?;
/// txn.insert_node("city", "Lyon", b"{}")?;
/// txn.commit()?;
/// let watch = db.watch();
/// let (closed, ledger) = watch.with_ledger(|| db.close());
/// closed?;
/// assert_eq!(ledger.counts.get(Counter::Checkpoints), u64::from(forensics::ENABLED));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Watch(Tally);

impl Watch {
    pub(crate) fn new(tally: &Tally) -> Watch {
        Watch(tally.clone())
    }

    /// See [`Database::counters`](crate::Database::counters).
    pub fn counters(&self) -> Counts {
        self.0.counts()
    }

    /// See [`Database::with_ledger`](crate::Database::with_ledger).
    pub fn with_ledger<T>(&self, work: impl FnOnce() -> T) -> (T, Ledger) {
        let open = self.0.open_ledger();
        let done = work();
        (done, open.close())
    }

    /// See [`Database::ownership`](crate::Database::ownership).
    pub fn ownership(&self) -> Ownership {
        self.0.ownership()
    }

    /// See [`Database::end_trace`](crate::Database::end_trace).
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if a line could not be written.
    pub fn end_trace(&self) -> Result<()> {
        self.0.end_trace()
    }
}
