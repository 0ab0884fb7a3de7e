//! The disks that operations begin with.

use std::sync::Arc;

use vellum::storage::Directory;
use vellum::storage::sim::{Disk, SimDirectory};
use vellum::{Builder, CheckpointMode, Database, NodeId, Result, WriteTxn};

/// The database's name in its directory.
pub(crate) const NAME: &str = "graph";
/// Where backup and compaction write to.
pub(crate) const COPY: &str = "copy";

/// What is on the disk before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing.
    Nothing,
    /// A database that was closed.
    Closed,
    /// A database as a killed process leaves it, with records in its log.
    Killed,
}

/// Options under which the same operations make the same calls.
pub(crate) fn builder(directory: Arc<dyn Directory>) -> Builder {
    Database::builder()
        .in_directory(directory)
        .file_id(*b"faults, injected")
        .checkpoint(CheckpointMode::Inline)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(64 << 10)
        .cache_bytes(128 << 10)
}

/// How databases are created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Build {
    /// Pages of 4 KiB.
    Small,
    /// Pages of 16 KiB, which the header region grows with.
    Large,
}

impl Build {
    pub(crate) const ALL: [Build; 2] = [Build::Small, Build::Large];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Build::Small => "small",
            Build::Large => "large",
        }
    }

    fn page_size(self) -> usize {
        match self {
            Build::Small => 4096,
            Build::Large => 16_384,
        }
    }

    /// A database at the start of its life.
    pub(crate) fn create(self, directory: Arc<dyn Directory>) -> Result<Database> {
        builder(directory).page_size(self.page_size()).create(NAME)
    }
}

/// The disks, made once.
pub(crate) struct Starts {
    pub(crate) build: Build,
    closed: Disk,
    killed: Disk,
}

impl Starts {
    /// Small graphs with a blob, parallel edges and free pages.
    pub(crate) fn new(build: Build) -> Result<Starts> {
        let directory = SimDirectory::new();
        let options = builder(Arc::new(directory.clone()));
        let db = build.create(Arc::new(directory.clone()))?;
        for round in 0..3 {
            commit(&db, |txn| grow(txn, round))?;
            db.checkpoint()?;
        }
        db.close()?;
        let closed = directory.disk();
        let db = options.open(NAME)?;
        for round in 3..6 {
            commit(&db, |txn| grow(txn, round))?;
        }
        // What closing does afterwards is not on this copy.
        let killed = directory.disk();
        drop(db);
        Ok(Starts {
            build,
            closed,
            killed,
        })
    }

    pub(crate) fn disk(&self, start: Start) -> Disk {
        match start {
            Start::Nothing => Disk::default(),
            Start::Closed => self.closed.clone(),
            Start::Killed => self.killed.clone(),
        }
    }
}

/// Commits what `change` does.
pub(crate) fn commit(
    db: &Database,
    change: impl FnOnce(&mut WriteTxn) -> Result<()>,
) -> Result<()> {
    let mut txn = db.begin_write()?;
    change(&mut txn)?;
    txn.commit().map(|_| ())
}

/// Some of everything, small enough for one record of the log.
pub(crate) fn grow(txn: &mut WriteTxn, round: u64) -> Result<()> {
    let mut ids = Vec::new();
    for number in 0..8u64 {
        let kind = format!("kind {}", (round + number) % 4);
        let name = format!("name {round} {number}");
        let data = vec![number as u8; if number == 3 { 5_000 } else { 24 }];
        ids.push(txn.insert_node(&kind, &name, &data)?);
    }
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        return Ok(());
    };
    for (number, id) in ids.iter().enumerate() {
        txn.insert_edge(*first, "links", *id, &[number as u8; 12])?;
        txn.insert_edge(*id, "links", *last, b"")?;
    }
    txn.insert_edge(*first, "links", *last, b"parallel")?;
    if let Some(old) = NodeId::new(first.get().saturating_sub(5)) {
        txn.delete_node(old)?;
    }
    Ok(())
}
