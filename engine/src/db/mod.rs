//! The database handle: wiring only.

mod background;
mod backup;
mod builder;
mod forensics;
mod stats;

use std::path::Path;
use std::sync::Arc;

pub use builder::Builder;
pub use stats::{Stats, TreeStats};

use background::Checkpointer;

use crate::bulk::{BulkEdge, BulkNode, BulkProgress, BulkReport};
use crate::check::CheckReport;
use crate::error::Result;
use crate::forensics::count;
use crate::options::Options;
use crate::pager::CacheStats;
use crate::recovery::RecoveryReport;
use crate::store::{Slice, Store};
use crate::txn::{ReadTxn, WriteTxn};

/// An open database. Clones share it; the last of them and of its write transactions to go closes it.
///
/// All methods may be called from any thread.
///
/// ```
/// use vellum::Database;
///
/// # fn main() -> vellum::Result<()> {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// let path = folder.path().join("graph.vellum");
/// let db = Database::create(&path)?;
/// let mut txn = db.begin_write()?;
/// txn.insert_node("city", "Lyon", b"")?;
/// txn.commit()?;
///
/// assert!(matches!(Database::open(&path), Err(vellum::Error::Locked { .. })));
/// assert!(db.check()?.is_sound());
/// assert_eq!(db.stats()?.nodes, 1);
/// db.backup(folder.path().join("copy.vellum"))?; // writing may go on meanwhile
/// db.close()?; // dropping does the same, but cannot tell of errors
///
/// let copy = Database::open_read_only(folder.path().join("copy.vellum"))?;
/// assert_eq!(copy.begin_read()?.node_count(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Database {
    handle: Arc<Handle>,
}

/// What the clones of one [`Database`] share. Dropping it closes the database.
struct Handle {
    store: Arc<Store>,
    checkpointer: Checkpointer,
}

impl Database {
    pub(crate) fn new(store: Arc<Store>) -> Database {
        let checkpointer = Checkpointer::of(&store);
        Database {
            handle: Arc::new(Handle {
                store,
                checkpointer,
            }),
        }
    }

    /// Options before creating or opening.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Creates a database with default options. See [`Builder::create`].
    ///
    /// # Errors
    /// As [`Builder::create`].
    pub fn create(path: impl AsRef<Path>) -> Result<Database> {
        Builder::default().create(path)
    }

    /// Opens a database with default options. See [`Builder::open`].
    ///
    /// # Errors
    /// As [`Builder::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Database> {
        Builder::default().open(path)
    }

    /// Opens a database for reading only. See [`Builder::open_read_only`].
    ///
    /// # Errors
    /// As [`Builder::open_read_only`].
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Database> {
        Builder::default().open_read_only(path)
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.handle.store
    }

    /// The options in effect.
    pub fn options(&self) -> &Options {
        &self.store().options
    }

    /// What opening this database found in its log; `None` if it had been closed cleanly.
    pub fn recovery(&self) -> Option<&RecoveryReport> {
        self.store().recovery.as_ref()
    }

    /// A snapshot of the newest visible commit. Never waits and is never waited for.
    ///
    /// # Errors
    /// None today; reading from it can fail.
    pub fn begin_read(&self) -> Result<ReadTxn> {
        count!(self.store().tally, ReadTransactions);
        let (view, commit) = self.store().snapshot();
        Ok(ReadTxn::new(view, commit))
    }

    /// A write transaction, once the one before has committed or been dropped.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) on a read-only database,
    /// [`Error::Poisoned`](crate::Error::Poisoned) after a failed write.
    pub fn begin_write(&self) -> Result<WriteTxn> {
        WriteTxn::begin(Arc::clone(self.store()), Arc::clone(&self.handle) as _)
    }

    /// Merges everything committed so far into the trees. Never needed; useful before measuring.
    ///
    /// It waits for a bulk load, and for a write transaction that has outgrown the write buffer: whoever
    /// holds one of these must end it first, or waits for itself.
    ///
    /// # Errors
    /// [`Error::Full`](crate::Error::Full) if the file cannot grow; try again with space.
    /// [`Error::Usage`](crate::Error::Usage) on a read-only database.
    pub fn checkpoint(&self) -> Result<()> {
        let store = self.store();
        store.expect_writable()?;
        store.finish_checkpoint()?;
        store.begin_checkpoint()?;
        while store.checkpoint_slice()? == Slice::More {}
        Ok(())
    }

    /// Looks at every page and every item and reports everything that is wrong.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) only; damage is a finding.
    pub fn check(&self) -> Result<CheckReport> {
        crate::check::check(self.store())
    }

    /// Counts and sizes of the newest visible commit. Takes no writer's lock.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the file's length cannot be read.
    pub fn stats(&self) -> Result<Stats> {
        Stats::of(self.store())
    }

    /// What the page cache has done since the database was opened.
    pub fn cache_stats(&self) -> CacheStats {
        self.store().pager.cache_stats()
    }

    /// Empties the page cache. Snapshots and correctness are not affected.
    pub fn drop_caches(&self) {
        self.store().drop_caches();
    }

    /// Writes a snapshot into a new database while writing goes on.
    ///
    /// # Errors
    /// As [`Builder::create`], and those of reading.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<()> {
        self.write_copy(to.as_ref(), false)
    }

    /// Writes a snapshot into a new database with full pages in key order, as
    /// [`backup`](Database::backup) does, but with the same identity: the same content always gives
    /// the same bytes.
    ///
    /// # Errors
    /// As [`backup`](Database::backup).
    pub fn compact(&self, to: impl AsRef<Path>) -> Result<()> {
        self.write_copy(to.as_ref(), true)
    }

    fn write_copy(&self, to: &Path, keep_identity: bool) -> Result<()> {
        backup::write_copy(
            self.handle.builder(),
            &self.begin_read()?,
            self.options(),
            keep_identity,
            to,
        )
    }

    /// Loads nodes, then edges in any order, as one transaction in bounded memory.
    ///
    /// Nothing of it is visible before it returns, and nothing is left of it if it fails. It takes the
    /// place of the one write transaction meanwhile.
    ///
    /// ```
    /// use vellum::{BulkEdge, BulkNode, Database, NodeId};
    ///
    /// # fn main() -> vellum::Result<()> {
    /// # let folder = tempfile::tempdir().expect("a temporary folder");
    /// let db = Database::create(folder.path().join("ring.vellum"))?;
    /// let ids: Vec<NodeId> = (1..=1000).filter_map(NodeId::new).collect();
    /// let nodes = ids.iter().map(|id| {
    ///     Ok(BulkNode {
    ///         kind: "station".into(),
    ///         name: format!("number {}", id.get()),
    ///         ..BulkNode::default()
    ///     })
    /// });
    /// let edges = ids.iter().zip(ids.iter().cycle().skip(1)).map(|(source, target)| {
    ///     Ok(BulkEdge {
    ///         source: *source,
    ///         label: "next".into(),
    ///         target: *target,
    ///         data: Vec::new(),
    ///     })
    /// });
    /// let report = db.bulk_load(nodes, edges, |_| {})?;
    /// assert_eq!((report.nodes, report.edges), (1000, 1000));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of the iterators, of inserting, and of committing. Nothing is loaded then.
    pub fn bulk_load(
        &self,
        nodes: impl IntoIterator<Item = Result<BulkNode>>,
        edges: impl IntoIterator<Item = Result<BulkEdge>>,
        progress: impl FnMut(BulkProgress),
    ) -> Result<BulkReport> {
        let edges = edges.into_iter().map(|edge| Ok((edge?, None)));
        crate::bulk::load(self.store(), nodes, edges, progress)
    }

    /// Loads as [`bulk_load`](Database::bulk_load) does, edges with the ordinals that they bring: for
    /// copies of another database, in which every edge keeps its identity. Of edges with the same
    /// source, label and target, ordinals must ascend in the order in which the edges come, and be
    /// above those that are there. In a database with unique edges every ordinal is 0.
    ///
    /// # Errors
    /// As [`bulk_load`](Database::bulk_load); [`Error::Usage`](crate::Error::Usage) for ordinals that do not ascend.
    pub fn bulk_load_numbered(
        &self,
        nodes: impl IntoIterator<Item = Result<BulkNode>>,
        edges: impl IntoIterator<Item = Result<(BulkEdge, u32)>>,
        progress: impl FnMut(BulkProgress),
    ) -> Result<BulkReport> {
        let edges = edges
            .into_iter()
            .map(|edge| edge.map(|(edge, ordinal)| (edge, Some(ordinal))));
        crate::bulk::load(self.store(), nodes, edges, progress)
    }

    /// Closes the database if this is its last handle and no write transaction is open: merges what is
    /// left, removes the log, and reports what dropping the handle would hide. Else whatever ends last
    /// closes it. A snapshot that is still held goes on reading, and keeps the file locked until it is
    /// dropped.
    ///
    /// # Errors
    /// Those of a checkpoint. Nothing acknowledged is lost: the next open recovers it.
    pub fn close(self) -> Result<()> {
        match Arc::into_inner(self.handle) {
            Some(handle) => handle.close(),
            None => Ok(()),
        }
    }
}

impl Handle {
    /// A builder of databases beside this one's kind of storage.
    fn builder(&self) -> Builder {
        Builder::beside(&self.store)
    }

    fn close(mut self) -> Result<()> {
        self.checkpointer.stop();
        self.store.close()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.checkpointer.stop();
        // A panic may have left a transaction half applied in memory: leave the log to recovery.
        if !std::thread::panicking() {
            // Nobody is there to hear of a failure, and nothing is lost by it: the log stays.
            let _ = self.store.close();
        }
    }
}
