//! One writer, many readers, checkpoints and backups at the same time: snapshots never change,
//! nobody waits who need not, and a transaction that is dropped was never there.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, RwLock};
use std::time::Duration;

use common::gate::Gate;
use common::{Model, dump, id};
use vellum::storage::MemoryDirectory;
use vellum::{Builder, CheckpointMode, Database, Durability, NodeUpdate, ReadTxn, WriteTxn};

const NAME: &str = "graph";

fn options() -> Builder {
    Database::builder()
        .cache_bytes(32 * 4096)
        .write_buffer_bytes(64 << 10)
        .log_segment_bytes(64 << 10)
}

fn in_memory() -> Builder {
    options().in_directory(Arc::new(MemoryDirectory::new()))
}

fn content(txn: &ReadTxn) -> Model {
    dump(txn, false, true).unwrap()
}

/// Nodes come, change and go; edges in between.
fn change(txn: &mut WriteTxn, model: &mut Model, round: u64) {
    let kind = format!("kind{}", round % 5);
    for number in 0..4 {
        let name = format!("node-{round}-{number}");
        let data = vec![round as u8; if round.is_multiple_of(9) { 3_000 } else { 40 }];
        let fresh = txn.insert_node(&kind, &name, &data).unwrap();
        assert_eq!(fresh.get(), model.insert_node(&kind, &name, &data));
        let other = *model
            .nodes
            .keys()
            .nth(round as usize % model.nodes.len())
            .unwrap();
        txn.insert_edge(fresh, "links", id(other), b"x").unwrap();
        model.insert_edge(fresh.get(), "links", other, b"x");
    }
    if model.nodes.len() > 60 {
        let victim = *model.nodes.keys().nth(round as usize * 7 % 60).unwrap();
        assert!(txn.delete_node(id(victim)).unwrap());
        model.delete_node(victim);
        let changed = *model.nodes.keys().next().unwrap();
        let data = round.to_le_bytes();
        txn.update_node(id(changed), NodeUpdate::new().data(&data))
            .unwrap();
        model.nodes.get_mut(&changed).unwrap().data = data.to_vec();
    }
}

/// What the writer says that each commit left behind.
type Published = RwLock<BTreeMap<u64, Arc<Model>>>;

fn write_rounds(db: &Database, published: &Published, rounds: u64) {
    let mut model = (*published.read().unwrap()[&0]).clone();
    for round in 0..rounds {
        let mut txn = db.begin_write().unwrap();
        change(&mut txn, &mut model, round);
        // Said before it is done, so that no reader can see what is not said.
        let next = db.begin_read().unwrap().commit_number() + 1;
        published
            .write()
            .unwrap()
            .insert(next, Arc::new(model.clone()));
        assert_eq!(txn.commit().unwrap().commit, next);
    }
}

/// Holds a few snapshots of different ages and compares one after the other, until the writer is done.
fn read_rounds(db: &Database, published: &Published, done: &AtomicBool) -> u64 {
    let mut held: Vec<ReadTxn> = Vec::new();
    let (mut newest, mut compared) = (0, 0);
    while !done.load(Ordering::Acquire) || compared == 0 {
        let snapshot = db.begin_read().unwrap();
        assert!(snapshot.commit_number() >= newest, "time went backwards");
        newest = snapshot.commit_number();
        held.push(snapshot);
        if held.len() > 6 {
            held.remove(compared as usize * 5 % 7);
        }
        let snapshot = &held[compared as usize * 3 % held.len()];
        let expected = Arc::clone(&published.read().unwrap()[&snapshot.commit_number()]);
        assert!(
            content(snapshot) == *expected,
            "commit {}",
            snapshot.commit_number()
        );
        compared += 1;
    }
    for snapshot in &held {
        assert!(content(snapshot) == *published.read().unwrap()[&snapshot.commit_number()]);
    }
    compared
}

fn snapshots_hold(mode: CheckpointMode, durability: Durability) {
    let db = in_memory()
        .checkpoint(mode)
        .durability(durability)
        .create(NAME)
        .unwrap();
    let first = BTreeMap::from([(0, Arc::new(Model::new(false)))]);
    let (published, done) = (RwLock::new(first), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| read_rounds(&db, &published, &done)))
            .collect();
        let checkpoints = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                db.checkpoint().unwrap();
                db.drop_caches();
            }
        });
        let writer = scope.spawn(|| write_rounds(&db, &published, 300));
        let written = writer.join();
        done.store(true, Ordering::Release);
        written.unwrap();
        checkpoints.join().unwrap();
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    let last = db.begin_read().unwrap();
    assert_eq!(last.commit_number(), 300);
    assert!(content(&last) == *published.read().unwrap()[&300]);
    assert_eq!(db.check().unwrap().findings, []);
}

#[test]
fn snapshots_hold_while_a_thread_checkpoints() {
    snapshots_hold(CheckpointMode::Background, Durability::Sync);
}

#[test]
fn snapshots_hold_while_commits_checkpoint() {
    snapshots_hold(CheckpointMode::Inline, Durability::None);
}

#[test]
fn a_reader_goes_on_while_a_transaction_is_open() {
    let db = in_memory().create(NAME).unwrap();
    let mut model = Model::new(false);
    let mut txn = db.begin_write().unwrap();
    (0..30).for_each(|round| change(&mut txn, &mut model, round));
    txn.commit().unwrap();
    for large in [false, true] {
        let mut txn = db.begin_write().unwrap();
        txn.insert_node("open", "open", b"").unwrap();
        if large {
            outgrow(&mut txn);
        }
        // Were the reader to wait for the writer, this would never end.
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let stats = db.stats().unwrap();
                assert_eq!(stats.nodes, model.nodes.len() as u64);
                assert_eq!(stats.commit, 1);
                assert_eq!(db.check().unwrap().findings, []);
                content(&db.begin_read().unwrap())
            });
            reader.join().unwrap()
        });
        assert!(read == model);
        assert!(txn.pending().changes > 0 || large);
    }
}

fn outgrow(txn: &mut WriteTxn) {
    for number in 0..200u64 {
        txn.insert_node("large", &format!("large-{number}"), &[1; 600])
            .unwrap();
    }
    assert!(txn.pending().pages > 0);
}

/// A checkpoint is stopped in the middle: readers and writers go on.
#[test]
fn nobody_waits_for_a_checkpoint() {
    let gate = Gate::new(MemoryDirectory::new());
    let db = options()
        .in_directory(Arc::new(gate.clone()))
        .create(NAME)
        .unwrap();
    let mut model = Model::new(false);
    let mut write = |round| {
        let mut txn = db.begin_write().unwrap();
        change(&mut txn, &mut model, round);
        txn.commit().unwrap();
        model.clone()
    };
    let before = write(0);
    let old = db.begin_read().unwrap();
    std::thread::scope(|scope| {
        let closed = gate.close();
        let checkpoint = scope.spawn(|| db.checkpoint());
        gate.wait_until_somebody_waits();
        assert!(content(&old) == before);
        assert!(content(&db.begin_read().unwrap()) == before);
        let after = write(1);
        assert!(content(&db.begin_read().unwrap()) == after);
        assert_eq!(db.stats().unwrap().commit, 2);
        assert!(content(&old) == before);
        assert!(!checkpoint.is_finished());
        drop(closed);
        checkpoint.join().unwrap().unwrap();
        assert!(content(&db.begin_read().unwrap()) == after);
        assert!(content(&old) == before);
    });
    assert_eq!(db.check().unwrap().findings, []);
}

/// Each thread reads the counter and adds one: a commit lost or two writers at once would show.
#[test]
fn writers_take_turns_and_lose_nothing() {
    const THREADS: u64 = 6;
    const EACH: u64 = 60;
    for durability in [
        Durability::Sync,
        Durability::Group {
            max_delay: Duration::from_micros(200),
        },
    ] {
        let db = in_memory().durability(durability).create(NAME).unwrap();
        let mut txn = db.begin_write().unwrap();
        let counter = txn
            .insert_node("counter", "counter", &0u64.to_le_bytes())
            .unwrap();
        txn.commit().unwrap();
        let (writers, start) = (AtomicU64::new(0), Barrier::new(THREADS as usize));
        let count = |thread: u64| {
            start.wait();
            for round in 0..EACH {
                let mut txn = db.begin_write().unwrap();
                assert_eq!(
                    writers.fetch_add(1, Ordering::SeqCst),
                    0,
                    "two writers at once"
                );
                let old = number_in(&txn.view().unwrap(), counter);
                let data = (old + 1).to_le_bytes();
                txn.update_node(counter, NodeUpdate::new().data(&data))
                    .unwrap();
                txn.insert_node("mark", &format!("{thread}-{round}"), &data)
                    .unwrap();
                writers.fetch_sub(1, Ordering::SeqCst);
                let commit = txn.commit().unwrap().commit;
                assert_eq!(commit, old + 2, "commits are numbered without gaps");
                assert!(
                    number_in(&db.begin_read().unwrap(), counter) > old,
                    "my own commit"
                );
            }
        };
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || count(thread));
            }
        });
        let txn = db.begin_read().unwrap();
        assert_eq!(number_in(&txn, counter), THREADS * EACH);
        assert_eq!(txn.nodes_of_kind("mark").count() as u64, THREADS * EACH);
        assert_eq!(txn.nodes_with_prefix("").count() as u64, THREADS * EACH + 1);
    }
}

fn number_in(txn: &ReadTxn, node: vellum::NodeId) -> u64 {
    let node = txn.node(node).unwrap().unwrap();
    u64::from_le_bytes(*node.data().unwrap().first_chunk().unwrap())
}

/// Commit n adds node n and an edge to it, so a snapshot of commit n has exactly the first n.
#[test]
fn commits_become_visible_in_order() {
    let db = in_memory().create(NAME).unwrap();
    let done = AtomicBool::new(false);
    let commits = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let watch = || {
            let mut seen = 0;
            loop {
                let last = done.load(Ordering::Acquire);
                let acknowledged = commits.load(Ordering::Acquire);
                let txn = db.begin_read().unwrap();
                let commit = txn.commit_number();
                assert!(commit >= seen && commit >= acknowledged);
                assert_eq!((txn.node_count(), txn.edge_count()), (commit, commit));
                assert_eq!(txn.nodes().count() as u64, commit);
                seen = commit;
                if last {
                    return seen;
                }
            }
        };
        let watchers = [scope.spawn(watch), scope.spawn(watch)];
        let write = || {
            for _ in 0..100 {
                let mut txn = db.begin_write().unwrap();
                let node = txn.insert_node("kind", "", &[0; 300]).unwrap();
                txn.insert_edge(node, "self", node, b"").unwrap();
                let commit = txn.commit().unwrap().commit;
                assert_eq!(commit, node.get());
                commits.fetch_max(commit, Ordering::AcqRel);
            }
        };
        let writers = [scope.spawn(write), scope.spawn(write), scope.spawn(write)];
        let written: Vec<_> = writers.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Release);
        written.into_iter().for_each(Result::unwrap);
        for watcher in watchers {
            assert_eq!(watcher.join().unwrap(), 300);
        }
    });
}

#[test]
fn a_backup_beside_a_writer_is_a_snapshot() {
    let directory = Arc::new(MemoryDirectory::new());
    let db = options()
        .in_directory(directory.clone())
        .create(NAME)
        .unwrap();
    let first = BTreeMap::from([(0, Arc::new(Model::new(false)))]);
    let published: Published = RwLock::new(first);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| write_rounds(&db, &published, 150));
        let mut number = 0;
        while !writer.is_finished() || number == 0 {
            let name = format!("backup-{number}");
            let from = db.begin_read().unwrap().commit_number();
            match number % 2 {
                0 => db.backup(&name).unwrap(),
                _ => db.compact(&name).unwrap(),
            }
            let to = db.begin_read().unwrap().commit_number();
            let copy = options()
                .in_directory(directory.clone())
                .open(&name)
                .unwrap();
            assert!(copy.recovery().is_none(), "a backup is complete");
            assert_eq!(copy.check().unwrap().findings, []);
            let found = content(&copy.begin_read().unwrap());
            let published = published.read().unwrap();
            let mut possible = published.range(from..=to).map(|(_, model)| model);
            assert!(
                possible.any(|model| **model == found),
                "no state from {from} to {to}"
            );
            number += 1;
        }
        writer.join().unwrap();
    });
    db.backup("last").unwrap();
    let copy = options()
        .in_directory(directory)
        .open_read_only("last")
        .unwrap();
    assert!(content(&copy.begin_read().unwrap()) == content(&db.begin_read().unwrap()));
}
