//! A session that goes every way through the engine and notes what it answers after each step.

use std::sync::Arc;

use vellum::storage::sim::{Fault, FaultKind, SimDirectory};
use vellum::{
    Builder, BulkEdge, BulkNode, CheckpointMode, Database, Error, NodeId, NodeUpdate, ReadTxn,
    WriteTxn,
};

use crate::content::content;

/// The database's name in its directory.
pub(super) const NAME: &str = "graph";

/// What a session gave.
#[derive(Default)]
pub(super) struct Trace {
    /// After each step: its name, and everything that was answered.
    steps: Vec<(&'static str, String)>,
    /// Of the engine's check.
    pub(super) findings: Vec<String>,
}

impl Trace {
    /// The first step at which another session gave something else.
    pub(super) fn difference(&self, other: &Trace) -> Option<String> {
        let both = self.steps.iter().zip(&other.steps);
        let first = both.into_iter().find(|(one, other)| one != other);
        first.map(|((step, _), _)| format!("{step}: another answer"))
    }
}

pub(super) fn builder(directory: &SimDirectory) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .file_id(*b"a bug is planted")
        .checkpoint(CheckpointMode::Inline)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(64 << 10)
        .cache_bytes(16 << 12)
}

struct Session<'a> {
    directory: &'a SimDirectory,
    trace: Trace,
    commits: u64,
}

/// Runs the session. Marks `2 n` and `2 n + 1` among the events stand around commit `n`.
///
/// # Errors
/// Any call that should have worked and did not, by the step.
pub(super) fn session(directory: &SimDirectory, noise: Option<FaultKind>) -> Result<Trace, String> {
    directory.plan(noise.map(|kind| Fault {
        call: 0,
        kind,
        lasts: true,
    }));
    let mut session = Session {
        directory,
        trace: Trace::default(),
        commits: 0,
    };
    session.all().map_err(|error| {
        let step = session
            .trace
            .steps
            .last()
            .map_or("the first step", |step| step.0);
        format!("after {step}: {error}")
    })?;
    Ok(session.trace)
}

impl Session<'_> {
    fn all(&mut self) -> vellum::Result<()> {
        let db = builder(self.directory).create(NAME)?;
        self.grow(&db)?;
        let (held, before) = self.hold(&db)?;
        self.churn(&db)?;
        self.unchanged("a held snapshot", &held, &before)?;
        drop(held);
        self.large(&db)?;
        self.killed(&db)?;
        self.close(db)?;
        let db = builder(self.directory).open(NAME)?;
        self.step("opened again", &db)?;
        let (held, before) = self.hold(&db)?;
        self.grow(&db)?;
        db.checkpoint()?;
        self.churn(&db)?;
        self.unchanged("a snapshot across checkpoints", &held, &before)?;
        drop(held);
        self.bulk(&db)?;
        self.step("bulk load", &db)?;
        self.close(db)?;
        let db = builder(self.directory).open_read_only(NAME)?;
        self.step("read-only", &db)
    }

    fn step(&mut self, name: &'static str, db: &Database) -> vellum::Result<()> {
        db.drop_caches();
        self.trace.steps.push((name, content(&db.begin_read()?)?));
        let report = db.check()?;
        let findings = report
            .findings
            .iter()
            .map(|finding| format!("{name}: {finding}"));
        self.trace.findings.extend(findings);
        Ok(())
    }

    fn commit(
        &mut self,
        db: &Database,
        change: impl FnOnce(&mut WriteTxn) -> vellum::Result<()>,
    ) -> vellum::Result<()> {
        let mut txn = db.begin_write()?;
        change(&mut txn)?;
        self.commits += 1;
        self.directory.mark(2 * self.commits);
        txn.commit()?;
        self.directory.mark(2 * self.commits + 1);
        Ok(())
    }

    fn hold(&self, db: &Database) -> vellum::Result<(ReadTxn, String)> {
        let held = db.begin_read()?;
        let before = content(&held)?;
        db.drop_caches();
        Ok((held, before))
    }

    fn unchanged(
        &mut self,
        name: &'static str,
        held: &ReadTxn,
        before: &str,
    ) -> vellum::Result<()> {
        let same = content(held)? == before;
        self.trace.steps.push((name, same.to_string()));
        Ok(())
    }

    /// Small commits, one of them with a savepoint, and somebody else who wants the file.
    fn grow(&mut self, db: &Database) -> vellum::Result<()> {
        for round in 0..4 {
            self.commit(db, |txn| {
                small(txn, round)?;
                let savepoint = txn.savepoint()?;
                small(txn, round + 10)?;
                txn.rollback_to(&savepoint)
            })?;
        }
        let other = builder(self.directory).open(NAME);
        let refused = matches!(other, Err(Error::Locked { .. }));
        self.trace
            .steps
            .push(("a second handle", refused.to_string()));
        self.step("small commits", db)
    }

    /// Renames, deletions and parallel edges, with checkpoints between.
    fn churn(&mut self, db: &Database) -> vellum::Result<()> {
        for round in 0..4u64 {
            db.checkpoint()?;
            self.commit(db, |txn| {
                small(txn, 20 + round)?;
                let id = |number: u64| NodeId::new(number).unwrap_or(NodeId::MIN);
                txn.update_node(id(2), NodeUpdate::new().name(&format!("renamed {round}")))?;
                txn.insert_edge(id(2), "again", id(3), &[round as u8])?;
                let victim = first_from(txn, 8)?;
                txn.delete_node(victim).map(|_| ())
            })?;
        }
        self.step("churn", db)
    }

    /// More than fits in memory, once committed and once dropped.
    fn large(&mut self, db: &Database) -> vellum::Result<()> {
        let mut dropped = db.begin_write()?;
        many(&mut dropped, 130)?;
        drop(dropped);
        self.step("a large transaction dropped", db)?;
        self.commit(db, |txn| many(txn, 120))?;
        self.step("a large transaction", db)?;
        db.checkpoint()?;
        self.step("a checkpoint after it", db)
    }

    /// What a killed process leaves, opened in every way, written to, and killed again.
    fn killed(&mut self, db: &Database) -> vellum::Result<()> {
        self.commit(db, |txn| small(txn, 40))?;
        let copy = SimDirectory::with(self.directory.disk());
        let changes = copy.changes();
        let open = builder(&copy).open_read_only(NAME)?;
        self.step("killed, read-only", &open)?;
        drop(open);
        let untouched = copy.changes() == changes;
        self.trace
            .steps
            .push(("reading changed nothing", untouched.to_string()));
        let open = builder(&copy).open(NAME)?;
        self.step("killed", &open)?;
        let mut txn = open.begin_write()?;
        small(&mut txn, 41)?;
        txn.commit()?;
        self.step("killed and written to", &open)?;
        let again = SimDirectory::with(copy.disk());
        drop(open);
        let open = builder(&again).open(NAME)?;
        self.step("killed twice", &open)
    }

    fn bulk(&mut self, db: &Database) -> vellum::Result<()> {
        let first = db.begin_read()?.next_id();
        let nodes = (0..40).map(|number| {
            Ok(BulkNode {
                kind: "bulk".into(),
                name: format!("bulk {number}"),
                ..BulkNode::default()
            })
        });
        let id = |number: u64| NodeId::new(first + number % 40).unwrap_or(NodeId::MIN);
        let edges = (0..120).map(|number| {
            Ok(BulkEdge {
                source: id(number * 7),
                label: "loaded".into(),
                target: id(number * 3),
                data: vec![number as u8; 30],
            })
        });
        self.commits += 1;
        self.directory.mark(2 * self.commits);
        db.bulk_load(nodes, edges, |_| {})?;
        self.directory.mark(2 * self.commits + 1);
        Ok(())
    }

    fn close(&mut self, db: Database) -> vellum::Result<()> {
        self.step("before closing", &db)?;
        db.close()
    }
}

/// The first node from this id on that is still there.
fn first_from(txn: &WriteTxn, from: u64) -> vellum::Result<NodeId> {
    for id in (from..from + 40).filter_map(NodeId::new) {
        if txn.contains_node(id)? {
            return Ok(id);
        }
    }
    Ok(NodeId::MIN)
}

/// One small commit of this round.
pub(super) fn commit(db: &Database, round: u64) -> vellum::Result<()> {
    let mut txn = db.begin_write()?;
    small(&mut txn, round)?;
    txn.commit().map(|_| ())
}

fn small(txn: &mut WriteTxn, round: u64) -> vellum::Result<()> {
    let mut last = None;
    for number in 0..6u64 {
        let kind = format!("kind {}", (round + number) % 9);
        let name = format!("name {round} {number}");
        let data = vec![number as u8; if number == 3 { 5_000 } else { 60 }];
        let id = txn.insert_node(&kind, &name, &data)?;
        if let Some(last) = last {
            txn.insert_edge(last, "next", id, &[number as u8; 9])?;
            txn.insert_edge(last, "next", id, b"parallel")?;
        }
        last = Some(id);
    }
    Ok(())
}

fn many(txn: &mut WriteTxn, count: u64) -> vellum::Result<()> {
    for number in 0..count {
        txn.insert_node("many", &format!("many {number}"), &[number as u8; 700])?;
    }
    Ok(())
}
