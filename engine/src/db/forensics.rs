//! What the database can tell about its own work.

use super::Database;
use crate::error::Result;
use crate::forensics::{Counts, Ledger, Ownership, Watch};

impl Database {
    /// Everything counted since this database was opened, by all threads. Subtract two for what
    /// happened in between. All zero in a build without the feature `forensics`.
    pub fn counters(&self) -> Counts {
        self.watch().counters()
    }

    /// The same and more, for as long as it is held: also after the database was closed.
    pub fn watch(&self) -> Watch {
        Watch::new(&self.store().tally)
    }

    /// Runs something and returns what this thread did to the database meanwhile: every counter, and
    /// the pages used, by kind, key space and level, cached, read or written.
    ///
    /// What other threads do for the call, such as a checkpoint beside it, or a sync that this one
    /// joins, stands in their accounts. Ledgers may be nested: each gets everything. Empty in a build
    /// without the feature `forensics`.
    ///
    /// ```
    /// use vellum::forensics::{self, Counter};
    /// # fn main() -> vellum::Result<()> {
    /// # let folder = tempfile::tempdir().expect("a temporary folder");
    /// # let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
    /// let mut txn = db.begin_write()?;
    /// let lyon = txn.insert_node("city", "Lyon", b"{}")?;
    /// txn.commit()?;
    /// db.checkpoint()?;
    /// let txn = db.begin_read()?;
    /// let (found, ledger) = db.with_ledger(|| txn.node(lyon));
    /// assert!(found?.is_some());
    /// if forensics::ENABLED {
    ///     assert_eq!(ledger.counts.get(Counter::NodeGets), 1);
    ///     assert!(ledger.pages_touched() >= 1);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_ledger<T>(&self, work: impl FnOnce() -> T) -> (T, Ledger) {
        self.watch().with_ledger(work)
    }

    /// Who took, wrote, dropped and freed the pages of this database since it was opened, and every
    /// contradiction in that. Empty in a build without the feature `forensics`.
    pub fn ownership(&self) -> Ownership {
        self.watch().ownership()
    }

    /// Ends the trace that [`Builder::trace`](crate::Builder::trace) began. Later events are not written.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if a line could not be written; the trace ends before it.
    pub fn end_trace(&self) -> Result<()> {
        self.watch().end_trace()
    }
}
