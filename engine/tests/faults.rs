//! Every call to storage fails once, or from some point on: writing goes on or ends as promised,
//! and reopening gives every acknowledged commit.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::sync::Arc;

use common::faulty::{Failed, Fault, Faulty, Torn};
use common::{Model, dump, id};
use vellum::storage::MemoryDirectory;
use vellum::{
    Builder, BulkEdge, BulkNode, CheckpointMode, CommitKind, Database, Error, NodeUpdate, ReadTxn,
    WriteTxn,
};

const NAME: &str = "graph";

#[derive(Clone, Copy, Debug)]
enum Step {
    Commit(u64),
    Spill,
    Bulk,
    Checkpoint,
    DropCaches,
    Reopen,
}

const WORKLOAD: [Step; 14] = [
    Step::Commit(1),
    Step::Commit(2),
    Step::Checkpoint,
    Step::Commit(3),
    Step::Spill,
    Step::Commit(4),
    Step::DropCaches,
    Step::Commit(5),
    Step::Checkpoint,
    Step::Bulk,
    Step::Commit(6),
    Step::Reopen,
    Step::Commit(7),
    Step::Reopen,
];

fn options(directory: impl vellum::storage::Directory + 'static) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory))
        .cache_bytes(64 * 4096)
        .write_buffer_bytes(64 << 10)
        .log_segment_bytes(64 << 10)
        .checkpoint(CheckpointMode::Inline)
        .file_id([7; 16])
}

/// Some of everything: nodes, a blob, parallel edges, an update, deletions.
fn change(txn: &mut WriteTxn, model: &mut Model, round: u64) -> vellum::Result<()> {
    let first = model.next;
    for number in 0..6u64 {
        let (kind, name) = (
            format!("kind{}", (round + number) % 5),
            format!("name-{round}-{number}"),
        );
        let data = vec![number as u8; if number == 2 { 5_000 } else { 20 }];
        txn.insert_node(&kind, &name, &data)?;
        model.insert_node(&kind, &name, &data);
    }
    for number in 0..10u64 {
        let (from, to) = (first + number % 4, 1 + number * 5 % first.max(4));
        if model.nodes.contains_key(&to) {
            txn.insert_edge(id(from), "links", id(to), &[number as u8])?;
            model.insert_edge(from, "links", to, &[number as u8]);
        }
    }
    if let Some(edge) = model.edges.keys().nth(round as usize * 3).cloned() {
        assert!(txn.delete_edge(id(edge.0), &edge.1, id(edge.2), edge.3)?);
        model.edges.remove(&edge);
    }
    let victim = first.saturating_sub(2);
    if model.nodes.contains_key(&victim) {
        assert!(txn.delete_node(id(victim))?);
        model.delete_node(victim);
    }
    Ok(())
}

/// More than the write buffer holds.
fn outgrow(txn: &mut WriteTxn, model: &mut Model) -> vellum::Result<()> {
    for number in 0..120 {
        let name = format!("large-{number}");
        txn.insert_node("large", &name, &[number as u8; 700])?;
        model.insert_node("large", &name, &[number as u8; 700]);
    }
    Ok(())
}

/// More edges than the sorter's share of the write buffer holds.
fn bulk(db: &Database, model: &mut Model) -> vellum::Result<()> {
    let first = model.next;
    for number in 0..40u64 {
        model.insert_node("bulk", &format!("bulk-{number}"), &[number as u8; 40]);
    }
    let nodes = model.nodes.range(first..).map(|(_, node)| BulkNode {
        id: None,
        kind: node.kind.clone(),
        name: node.name.clone(),
        data: node.data.clone(),
    });
    let edges: Vec<BulkEdge> = (0..300u64)
        .map(|number| BulkEdge {
            source: id(first + number * 7 % 40),
            label: "loaded".to_owned(),
            target: id(first + number * 11 % 40),
            data: vec![number as u8; 90],
        })
        .collect();
    let nodes: Vec<BulkNode> = nodes.collect();
    for edge in &edges {
        model.insert_edge(
            edge.source.get(),
            &edge.label,
            edge.target.get(),
            &edge.data,
        );
    }
    db.bulk_load(nodes.into_iter().map(Ok), edges.into_iter().map(Ok), |_| {})
        .map(|_| ())
}

/// One run of the workload over storage that fails.
struct Run {
    directory: MemoryDirectory,
    faulty: Faulty,
    fault: Fault,
    db: Option<Database>,
    /// Everything acknowledged.
    acknowledged: Model,
    /// With the commit that failed so that nobody knows.
    begun: Option<Model>,
    snapshot: Option<(ReadTxn, Model)>,
    /// How many calls had failed when the handle was opened.
    failed_before: usize,
}

impl Run {
    fn new(fault: Fault, after: u64, for_good: bool) -> Run {
        let directory = MemoryDirectory::new();
        let faulty = Faulty::new(Arc::new(directory.clone()));
        faulty.plan(fault, after, for_good);
        Run {
            directory,
            faulty,
            fault,
            db: None,
            acknowledged: Model::new(false),
            begun: None,
            snapshot: None,
            failed_before: 0,
        }
    }

    fn create(&mut self) {
        match options(self.faulty.clone()).create(NAME) {
            Ok(db) => self.adopt(db),
            Err(error) => self.expect_typed(&error),
        }
    }

    fn adopt(&mut self, db: Database) {
        self.failed_before = self.faulty.failed().len();
        self.db = Some(db);
    }

    fn run(&mut self) {
        self.create();
        for step in WORKLOAD {
            let Some(db) = self.db.clone() else { return };
            let done = match step {
                Step::Commit(round) => self.commit(&db, |txn, model| change(txn, model, round)),
                Step::Spill => self.commit(&db, outgrow),
                Step::Bulk => self.load(&db),
                Step::Checkpoint => db.checkpoint(),
                Step::DropCaches => {
                    db.drop_caches();
                    Ok(())
                }
                Step::Reopen => self.reopen(db),
            };
            if let Err(error) = done {
                self.expect_typed(&error);
            }
            self.look();
        }
    }

    /// Whether writing has ended is as promised. A snapshot of what is acknowledged is kept in place
    /// of the last one.
    fn look(&mut self) {
        let Some(db) = &self.db else { return };
        let writable = match db.begin_write() {
            Ok(_) => true,
            Err(Error::Poisoned) => false,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(writable, !self.is_poisoned(), "{:?}", self.faulty.failed());
        self.snapshot = Some((db.begin_read().unwrap(), self.acknowledged.clone()));
    }

    fn commit(
        &mut self,
        db: &Database,
        change: impl FnOnce(&mut WriteTxn, &mut Model) -> vellum::Result<()>,
    ) -> vellum::Result<()> {
        let mut model = self.acknowledged.clone();
        let mut txn = db.begin_write()?;
        change(&mut txn, &mut model)?;
        let committed = txn.commit().map(|_| ());
        self.settle(model, committed)
    }

    fn load(&mut self, db: &Database) -> vellum::Result<()> {
        let mut model = self.acknowledged.clone();
        let loaded = bulk(db, &mut model);
        self.settle(model, loaded)
    }

    /// Notes what a commit came to. One that failed has no effect, unless a final failure left it
    /// open.
    fn settle(&mut self, model: Model, done: vellum::Result<()>) -> vellum::Result<()> {
        if done.is_ok() {
            self.acknowledged = model;
        } else if self.is_poisoned() && self.begun.is_none() {
            self.begun = Some(model);
        }
        done
    }

    fn reopen(&mut self, db: Database) -> vellum::Result<()> {
        self.db = None;
        self.snapshot = None;
        if let Err(error) = db.close() {
            self.expect_typed(&error);
        }
        self.faulty.reopened();
        let db = options(self.faulty.clone()).open(NAME)?;
        let found = dump(&db.begin_read()?, false, true)?;
        self.expect_whole(&found);
        self.acknowledged = found;
        self.begun = None;
        self.adopt(db);
        Ok(())
    }

    fn failures_of_this_handle(&self) -> Vec<Failed> {
        self.faulty.failed().split_off(self.failed_before)
    }

    fn is_poisoned(&self) -> bool {
        self.failures_of_this_handle().iter().any(Failed::is_final)
    }

    fn expect_whole(&self, found: &Model) {
        let whole = *found == self.acknowledged || Some(found) == self.begun.as_ref();
        assert!(whole, "neither what was acknowledged nor what was begun");
    }

    fn expect_typed(&self, error: &Error) {
        let right = match self.fault {
            Fault::NoSpace => matches!(error, Error::Full { .. }),
            Fault::Read => matches!(error, Error::Io { .. }),
            Fault::Write(_) | Fault::Sync => matches!(error, Error::Io { .. } | Error::Poisoned),
        };
        assert!(right, "{error:?}");
    }

    /// With working storage again, the handle goes on, or refuses to write and still reads.
    fn expect_promised_state_of_handle(&mut self) {
        self.faulty.heal();
        if let Some((snapshot, model)) = self.snapshot.take() {
            assert!(
                dump(&snapshot, false, true).unwrap() == model,
                "the snapshot changed"
            );
        }
        let Some(db) = self.db.take() else { return };
        if self.is_poisoned() {
            assert!(matches!(db.begin_write().err(), Some(Error::Poisoned)));
            assert!(matches!(db.checkpoint(), Err(Error::Poisoned)));
            assert!(matches!(db.close(), Err(Error::Poisoned)));
            return;
        }
        assert!(self.begun.is_none());
        assert_eq!(db.check().unwrap().findings, []);
        self.commit(&db, |txn, model| change(txn, model, 8))
            .unwrap();
        db.checkpoint().unwrap();
        self.commit(&db, |txn, model| change(txn, model, 9))
            .unwrap();
        if self.faulty.matched().is_multiple_of(2) {
            db.close().unwrap();
        }
    }

    /// Reopened on sound storage, everything acknowledged is there, in whole transactions.
    fn expect_recovery(&self) {
        let db = options(self.directory.clone())
            .open_or_create(NAME)
            .unwrap();
        let mut model = dump(&db.begin_read().unwrap(), false, true).unwrap();
        self.expect_whole(&model);
        assert_eq!(db.check().unwrap().findings, []);
        let mut txn = db.begin_write().unwrap();
        change(&mut txn, &mut model, 10).unwrap();
        txn.commit().unwrap();
        db.close().unwrap();
        let db = options(self.directory.clone())
            .open_read_only(NAME)
            .unwrap();
        assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
        assert_eq!(db.check().unwrap().findings, []);
    }
}

/// Calls of this sort in a run in which none fails.
fn calls(fault: Fault) -> u64 {
    let mut run = Run::new(fault, u64::MAX, false);
    run.run();
    assert!(run.db.is_some() && run.begun.is_none() && run.faulty.failed().is_empty());
    run.faulty.matched()
}

fn sweep(fault: Fault, step: usize) {
    let calls = calls(fault);
    for after in (0..calls).step_by(step) {
        for for_good in [false, true] {
            println!("{fault:?} at call {after} of {calls}, for good: {for_good}");
            let mut run = Run::new(fault, after, for_good);
            run.run();
            assert!(!run.faulty.failed().is_empty(), "nothing failed");
            run.expect_promised_state_of_handle();
            assert_eq!(run.faulty.syncs_after_a_failed_one(), 0);
            run.expect_recovery();
        }
    }
}

#[test]
fn no_space_fails_the_transaction_and_nothing_else() {
    sweep(Fault::NoSpace, 1);
}

#[test]
fn a_failed_write_ends_writing_where_it_matters() {
    sweep(Fault::Write(Torn::Nothing), 1);
}

#[test]
fn a_write_that_fails_half_way_is_harmless() {
    sweep(Fault::Write(Torn::Half), 1);
}

#[test]
fn a_write_that_is_done_and_fails_is_harmless() {
    sweep(Fault::Write(Torn::All), 1);
}

#[test]
fn a_failed_sync_is_final() {
    sweep(Fault::Sync, 1);
}

#[test]
fn a_failed_read_is_not_final() {
    sweep(Fault::Read, 1);
}

#[test]
fn the_workload_does_what_it_is_meant_to() {
    let directory = MemoryDirectory::new();
    let db = options(directory.clone()).create(NAME).unwrap();
    let mut model = Model::new(false);
    let mut txn = db.begin_write().unwrap();
    outgrow(&mut txn, &mut model).unwrap();
    assert!(txn.pending().pages > 0);
    assert_eq!(txn.commit().unwrap().how, CommitKind::Flip);
}

type Call = fn(&mut WriteTxn, &mut Model) -> vellum::Result<()>;

/// Every call that changes something or looks, where each needs what the ones before it left.
const CALLS: [Call; 12] = [
    |txn, model| {
        let new = txn.insert_node("new kind", "new", b"new")?;
        assert_eq!(new.get(), model.insert_node("new kind", "new", b"new"));
        Ok(())
    },
    |txn, model| {
        txn.insert_edge(id(3), "links", id(5), b"parallel")?;
        model.insert_edge(3, "links", 5, b"parallel");
        Ok(())
    },
    |txn, _| txn.view().map(|_| ()),
    |txn, model| {
        let ordinal = txn.insert_edge_returning(id(3), "links", id(5), b"another")?;
        assert_eq!(ordinal, model.insert_edge(3, "links", 5, b"another"));
        Ok(())
    },
    |txn, model| {
        txn.insert_edge(id(9), "new label", id(2), b"")?;
        model.insert_edge(9, "new label", 2, b"");
        Ok(())
    },
    |txn, _| txn.savepoint().map(|_| ()),
    |txn, model| {
        assert!(txn.delete_node(id(7))?);
        model.delete_node(7);
        Ok(())
    },
    |txn, model| {
        assert!(txn.update_node(id(8), NodeUpdate::new().kind("changed").name("other"))?);
        let node = model.nodes.get_mut(&8).unwrap();
        (node.kind, node.name) = ("changed".to_owned(), "other".to_owned());
        Ok(())
    },
    |txn, model| {
        txn.insert_node_with_id(id(model.next + 10), "placed", "far", b"")?;
        model.next += 10;
        model.insert_node("placed", "far", b"");
        Ok(())
    },
    |txn, model| {
        assert_eq!(txn.reserve_ids(5)?, model.next..model.next + 5);
        model.next += 5;
        Ok(())
    },
    |txn, model| {
        assert!(txn.update_edge(id(3), "links", id(5), 0, b"changed")?);
        model
            .edges
            .insert((3, "links".to_owned(), 5, 0), b"changed".to_vec());
        Ok(())
    },
    |txn, model| {
        assert!(txn.delete_edge(id(3), "links", id(5), 1)?);
        model.edges.remove(&(3, "links".to_owned(), 5, 1));
        Ok(())
    },
];

/// A sound database of which nothing is in memory.
fn cold(faulty: &Faulty) -> (Database, Model) {
    let db = options(faulty.clone()).create(NAME).unwrap();
    let mut model = Model::new(false);
    let mut txn = db.begin_write().unwrap();
    outgrow(&mut txn, &mut model).unwrap();
    for number in 0..1_000u64 {
        let (from, to) = (1 + number % 40, 1 + number * 7 % 40);
        txn.insert_edge(id(from), "links", id(to), b"").unwrap();
        model.insert_edge(from, "links", to, b"");
    }
    txn.insert_edge(id(3), "links", id(5), b"").unwrap();
    model.insert_edge(3, "links", 5, b"");
    txn.commit().unwrap();
    db.close().unwrap();
    (options(faulty.clone()).open(NAME).unwrap(), model)
}

/// A call that fails to read has no effect, and may be made again in the same transaction.
#[test]
fn a_failed_call_can_be_made_again() {
    for after in 0.. {
        println!("read {after} of the transaction fails");
        let faulty = Faulty::new(Arc::new(MemoryDirectory::new()));
        let (db, mut model) = cold(&faulty);
        let mut txn = db.begin_write().unwrap();
        faulty.plan(Fault::Read, after, false);
        for call in CALLS {
            db.drop_caches();
            if let Err(error) = call(&mut txn, &mut model) {
                assert!(matches!(error, Error::Io { .. }), "{error:?}");
                call(&mut txn, &mut model).unwrap();
            }
        }
        let done = faulty.failed().is_empty();
        faulty.heal();
        txn.commit().unwrap();
        assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
        assert_eq!(db.check().unwrap().findings, []);
        if done {
            assert!(after > 10, "only {after} reads");
            return;
        }
    }
}

/// A transaction that finds no space for what does not fit in memory goes on when there is some.
#[test]
fn a_large_transaction_survives_a_full_disk() {
    for after in 0.. {
        let faulty = Faulty::new(Arc::new(MemoryDirectory::new()));
        let (db, mut model) = cold(&faulty);
        let mut txn = db.begin_write().unwrap();
        faulty.plan(Fault::NoSpace, after, true);
        for number in 0..300u64 {
            let (name, data) = (format!("more-{number}"), [number as u8; 700]);
            if let Err(error) = txn.insert_node("more", &name, &data) {
                assert!(matches!(error, Error::Full { .. }), "{error:?}");
                faulty.heal();
                txn.insert_node("more", &name, &data).unwrap();
            }
            model.insert_node("more", &name, &data);
        }
        let done = faulty.failed().is_empty();
        faulty.heal();
        assert_eq!(txn.commit().unwrap().how, CommitKind::Flip);
        assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
        assert_eq!(db.check().unwrap().findings, []);
        if done {
            assert!(after > 4, "only {after} writes");
            return;
        }
    }
}
