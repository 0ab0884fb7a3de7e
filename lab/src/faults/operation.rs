//! What is under way when a call fails.

use std::sync::Arc;
use std::time::Duration;

use vellum::storage::sim::SimDirectory;
use vellum::{
    BulkEdge, BulkNode, Database, Durability, Error, NodeId, NodeUpdate, Result, WriteTxn,
};

use super::start::{Build, COPY, NAME, Start, builder, commit, grow};
use crate::content::content;

/// Everything that reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Create,
    Open,
    OpenReadOnly,
    Recover,
    RecoverReadOnly,
    FirstCommit,
    CommitAfterRecovery,
    LogCommit,
    GroupCommit,
    RelaxedCommit,
    SegmentSwitch,
    FlipCommit,
    Savepoint,
    Rollback,
    BulkLoad,
    Checkpoint,
    Compact,
    Backup,
    Read,
    Check,
    Close,
}

impl Operation {
    pub(crate) const ALL: [Operation; 21] = [
        Operation::Create,
        Operation::Open,
        Operation::OpenReadOnly,
        Operation::Recover,
        Operation::RecoverReadOnly,
        Operation::FirstCommit,
        Operation::CommitAfterRecovery,
        Operation::LogCommit,
        Operation::GroupCommit,
        Operation::RelaxedCommit,
        Operation::SegmentSwitch,
        Operation::FlipCommit,
        Operation::Savepoint,
        Operation::Rollback,
        Operation::BulkLoad,
        Operation::Checkpoint,
        Operation::Compact,
        Operation::Backup,
        Operation::Read,
        Operation::Check,
        Operation::Close,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Open => "open",
            Operation::OpenReadOnly => "open read-only",
            Operation::Recover => "recover",
            Operation::RecoverReadOnly => "recover read-only",
            Operation::FirstCommit => "first commit",
            Operation::CommitAfterRecovery => "commit after recovery",
            Operation::LogCommit => "log commit",
            Operation::GroupCommit => "group commit",
            Operation::RelaxedCommit => "relaxed commit",
            Operation::SegmentSwitch => "segment switch",
            Operation::FlipCommit => "flip commit",
            Operation::Savepoint => "savepoint",
            Operation::Rollback => "rollback",
            Operation::BulkLoad => "bulk load",
            Operation::Checkpoint => "checkpoint",
            Operation::Compact => "compact",
            Operation::Backup => "backup",
            Operation::Read => "read",
            Operation::Check => "check",
            Operation::Close => "close",
        }
    }

    pub(crate) fn start(self) -> Start {
        match self {
            Operation::Create => Start::Nothing,
            Operation::Recover | Operation::RecoverReadOnly | Operation::CommitAfterRecovery => {
                Start::Killed
            }
            _ => Start::Closed,
        }
    }

    /// Whether it opens or creates the database, rather than using one that is open.
    pub(crate) fn opens(self) -> bool {
        matches!(
            self,
            Operation::Create
                | Operation::Open
                | Operation::OpenReadOnly
                | Operation::Recover
                | Operation::RecoverReadOnly
        )
    }

    pub(crate) fn reads_only(self) -> bool {
        matches!(self, Operation::OpenReadOnly | Operation::RecoverReadOnly)
    }

    /// Whether it acknowledges something as durable.
    pub(crate) fn promises(self) -> bool {
        !self.opens() && self != Operation::RelaxedCommit && self != Operation::Rollback
    }

    /// Whether it writes another database.
    pub(crate) fn copies(self) -> bool {
        matches!(self, Operation::Compact | Operation::Backup)
    }

    /// The database that it is done to, if it needs one that is open.
    pub(crate) fn prepare(self, directory: &SimDirectory) -> Result<Option<Database>> {
        if self.opens() {
            return Ok(None);
        }
        let db = builder(Arc::new(directory.clone())).open(NAME)?;
        if !matches!(
            self,
            Operation::FirstCommit | Operation::CommitAfterRecovery | Operation::Read
        ) {
            commit(&db, |txn| grow(txn, 10))?;
        }
        if self == Operation::SegmentSwitch {
            // The next record of this size does not fit beside it.
            commit(&db, |txn| many(txn, 28))?;
        }
        Ok(Some(db))
    }

    /// Does it. `db`: what [`prepare`](Operation::prepare) gave; opening puts a handle there, closing
    /// takes it away.
    pub(crate) fn perform(
        self,
        build: Build,
        directory: &SimDirectory,
        db: &mut Option<Database>,
    ) -> Result<()> {
        let options = || builder(Arc::new(directory.clone()));
        match self {
            Operation::Create => *db = Some(build.create(Arc::new(directory.clone()))?),
            Operation::Open | Operation::Recover => *db = Some(options().open(NAME)?),
            Operation::OpenReadOnly | Operation::RecoverReadOnly => {
                *db = Some(options().open_read_only(NAME)?);
            }
            Operation::Close => {
                if let Some(db) = db.take() {
                    db.close()?;
                }
            }
            _ => {
                if let Some(db) = db {
                    self.perform_on(db)?;
                }
            }
        }
        Ok(())
    }

    fn perform_on(self, db: &Database) -> Result<()> {
        match self {
            Operation::FirstCommit | Operation::CommitAfterRecovery | Operation::LogCommit => {
                commit(db, |txn| grow(txn, 20))
            }
            Operation::GroupCommit => commit(db, |txn| {
                let max_delay = Duration::from_nanos(1);
                txn.set_durability(Durability::Group { max_delay });
                grow(txn, 21)
            }),
            Operation::RelaxedCommit => commit(db, |txn| {
                txn.set_durability(Durability::None);
                grow(txn, 22)
            }),
            Operation::SegmentSwitch => commit(db, |txn| many(txn, 28)),
            Operation::FlipCommit => commit(db, |txn| many(txn, 120)),
            Operation::Savepoint => commit(db, savepoints),
            Operation::Rollback => {
                let mut txn = db.begin_write()?;
                many(&mut txn, 110)
            }
            Operation::BulkLoad => bulk(db),
            Operation::Checkpoint => db.checkpoint(),
            Operation::Compact => db.compact(COPY),
            Operation::Backup => db.backup(COPY),
            Operation::Read => {
                db.drop_caches();
                content(&db.begin_read()?).map(|_| ())
            }
            Operation::Check => match db.check()?.findings.first() {
                None => Ok(()),
                Some(finding) => Err(Error::Usage(format!("the check finds {finding}"))),
            },
            _ => Ok(()),
        }
    }
}

/// Nodes of some 700 bytes.
fn many(txn: &mut WriteTxn, count: u64) -> Result<()> {
    let mut last = None;
    for number in 0..count {
        let name = format!("many {number}");
        let id = txn.insert_node("many", &name, &[number as u8; 700])?;
        if let Some(last) = last {
            txn.insert_edge(last, "next", id, b"")?;
        }
        last = Some(id);
    }
    Ok(())
}

/// Changes that are taken back, before and after the transaction has outgrown its memory.
fn savepoints(txn: &mut WriteTxn) -> Result<()> {
    grow(txn, 30)?;
    let small = txn.savepoint()?;
    grow(txn, 31)?;
    txn.rollback_to(&small)?;
    many(txn, 95)?;
    let large = txn.savepoint()?;
    many(txn, 60)?;
    txn.rollback_to(&large)?;
    if let Some(id) = NodeId::new(9) {
        txn.update_node(id, NodeUpdate::new().name("renamed"))?;
    }
    grow(txn, 32)
}

fn bulk(db: &Database) -> Result<()> {
    let first = db.begin_read()?.next_id();
    let nodes = (0..30u64).map(|number| {
        Ok(BulkNode {
            kind: "bulk".into(),
            name: format!("bulk {number}"),
            data: vec![number as u8; 60],
            ..BulkNode::default()
        })
    });
    let id = |number: u64| {
        NodeId::new(first + number % 30).ok_or_else(|| Error::Usage("no such id".into()))
    };
    let edges = (0..260u64).map(|number| {
        Ok(BulkEdge {
            source: id(number * 7)?,
            label: "loaded".into(),
            target: id(number * 11)?,
            data: vec![number as u8; 90],
        })
    });
    db.bulk_load(nodes, edges, |_| {}).map(|_| ())
}
