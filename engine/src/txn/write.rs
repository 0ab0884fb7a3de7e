//! The write transaction: begin, change, look, commit or drop.

use std::cell::RefCell;
use std::sync::Arc;

use super::pending::{Pending, Savepoint, Work};
use super::read::ReadTxn;
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::ids::NodeId;
use crate::options::Durability;
use crate::store::{CommitInput, CommitKind, CommitReport, Held, Store};

/// Changes that become visible and durable together, or not at all.
///
/// There is one at a time: [`Database::begin_write`](crate::Database::begin_write) waits for the
/// one before. Dropping it rolls everything back. It keeps the database open. Readers are neither blocked nor affected until it
/// commits.
///
/// ```
/// # fn main() -> vellum::Result<()> {
/// # let dir = tempfile::tempdir().expect("a temporary folder");
/// let db = vellum::Database::create(dir.path().join("graph.vellum"))?;
/// let mut txn = db.begin_write()?;
/// let a = txn.insert_node("city", "Lyon", b"{}")?;
/// let b = txn.insert_node("city", "Turin", b"{}")?;
/// txn.insert_edge(a, "rail", b, b"")?;
/// let report = txn.commit()?;
/// assert_eq!(report.syncs, 1);
/// # Ok(())
/// # }
/// ```
pub struct WriteTxn {
    pub(super) store: Arc<Store>,
    pub(super) work: RefCell<Work>,
    pub(super) durability: Durability,
    // Dropped after the rest: the next writer must not begin before this one's pages are given back.
    writer: Held<()>,
    // Dropped last: if this is what kept the database open, it closes now, which takes the writer.
    open: KeepOpen,
}

/// A share in an open database, which closes when the last one goes.
pub(crate) type KeepOpen = Arc<dyn Send + Sync>;

impl WriteTxn {
    pub(crate) fn begin(store: Arc<Store>, open: KeepOpen) -> Result<WriteTxn> {
        store.expect_writable()?;
        let writer = store.writer.acquire();
        store.poison.check()?;
        count!(store.tally, WriteTransactions);
        let work = RefCell::new(Work::on(&store.tip()));
        let durability = store.options.durability;
        Ok(WriteTxn {
            store,
            work,
            durability,
            writer,
            open,
        })
    }

    /// Chooses how durable this transaction's commit is, in place of the database's default. A delay
    /// of more than one second counts as one second.
    pub fn set_durability(&mut self, durability: Durability) {
        self.durability = durability.within_limits();
    }

    /// What a reader would see if this transaction were committed now, for as long as the value is
    /// kept; later changes do not show in it.
    ///
    /// # Errors
    /// Those of reading: [`Error::Io`], [`Error::Corrupt`].
    pub fn view(&self) -> Result<ReadTxn> {
        let mut work = self.work.borrow_mut();
        let view = work.view(&self.store)?;
        Ok(ReadTxn::new(Arc::new(view), work.commit() + 1))
    }

    /// How much this transaction has changed so far.
    pub fn pending(&self) -> Pending {
        self.work.borrow().pending()
    }

    /// Whether this node exists, as this transaction sees it.
    ///
    /// # Errors
    /// Those of reading.
    pub fn contains_node(&self, id: NodeId) -> Result<bool> {
        self.work.borrow_mut().exists(&self.store, id)
    }

    /// Marks a place to come back to with [`rollback_to`](WriteTxn::rollback_to).
    ///
    /// ```
    /// # fn main() -> vellum::Result<()> {
    /// # let folder = tempfile::tempdir().expect("a temporary folder");
    /// # let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
    /// let mut txn = db.begin_write()?;
    /// let kept = txn.insert_node("city", "Lyon", b"")?;
    /// let before = txn.savepoint()?;
    /// let undone = txn.insert_node("city", "Turin", b"")?;
    /// txn.rollback_to(&before)?;
    /// assert!(txn.contains_node(kept)? && !txn.contains_node(undone)?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of reading, as parallel edges inserted so far get their ordinals here.
    pub fn savepoint(&mut self) -> Result<Savepoint> {
        self.work.get_mut().savepoint(&self.store)
    }

    /// Undoes everything done after the savepoint was taken. It stays valid; those taken after it
    /// become invalid.
    ///
    /// # Errors
    /// [`Error::Usage`] if the savepoint is not of this transaction, or was rolled back over.
    pub fn rollback_to(&mut self, savepoint: &Savepoint) -> Result<()> {
        count!(self.store.tally, SavepointRollbacks);
        self.work.get_mut().rollback_to(savepoint)
    }

    /// Makes the changes durable, as far as asked for, and visible.
    ///
    /// A small transaction appends one record to the log and syncs it; one larger than the write
    /// buffer writes tree pages, and a record that names them.
    ///
    /// # Errors
    /// [`Error::Full`] if there is no room: nothing happened, and the database stays usable.
    /// [`Error::Poisoned`] or [`Error::Io`] if a log write or a sync failed: whether the transaction
    /// is durable shows when the database is opened again.
    pub fn commit(mut self) -> Result<CommitReport> {
        self.make_room()?;
        let WriteTxn {
            store,
            work,
            durability,
            writer,
            open: _open,
        } = self;
        let mut work = work.into_inner();
        if work.is_empty() {
            let commit = work.commit();
            count!(store.tally, CommitsEmpty);
            return Ok(CommitReport {
                commit,
                how: CommitKind::Empty,
                pages: 0,
                log_bytes: 0,
                syncs: 0,
            });
        }
        work.settle(&store)?;
        if let Some(payload) = work
            .payload()
            .filter(|payload| store.fits_log(payload.len()))
        {
            let (delta, totals) = work.into_delta();
            let input = CommitInput {
                delta,
                payload,
                totals,
                durability,
            };
            return store.commit_log(writer, input);
        }
        work.spill(&store)?;
        let Some((trees, roots, totals)) = work.into_trees() else {
            return Err(Error::Poisoned);
        };
        store.commit_flip(writer, trees, roots, totals)
    }
}
