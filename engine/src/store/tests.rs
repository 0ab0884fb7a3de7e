//! Every schedule of what threads do with one database in memory: committing, checkpoints, snapshots.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::commits::Log;
use super::{CommitInput, State, Store};
use crate::db::{Builder, Database};
use crate::delta::Delta;
use crate::ids::NodeId;
use crate::options::{CheckpointMode, Durability};
use crate::storage::MemoryDirectory;
use crate::sync::testing::{explore, spawn};
use crate::txn::{NodeUpdate, ReadTxn};

const NAME: &str = "graph";
/// One for a thread that stops at the wrong place, one for whoever was to come in between. Bugs of each invariant here,
/// planted for trial, showed within two; a third makes minutes of seconds.
const PREEMPTIONS: usize = 2;

fn builder(directory: &MemoryDirectory) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .file_id(*b"every schedule..")
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(0)
        .cache_bytes(0)
        .checkpoint(CheckpointMode::Inline)
}

fn first() -> NodeId {
    NodeId::new(1).unwrap()
}

/// One commit of another node.
fn insert(db: &Database) {
    let mut txn = db.begin_write().unwrap();
    txn.insert_node("kind", "", b"0").unwrap();
    txn.commit().unwrap();
}

/// One commit of other data of the first node.
fn update(db: &Database, data: &[u8]) {
    let mut txn = db.begin_write().unwrap();
    assert!(
        txn.update_node(first(), NodeUpdate::new().data(data))
            .unwrap()
    );
    txn.commit().unwrap();
}

/// The data of the first node.
fn data(txn: &ReadTxn) -> Vec<u8> {
    txn.node(first())
        .unwrap()
        .unwrap()
        .data()
        .unwrap()
        .into_owned()
}

/// The nodes that a killed process leaves now.
fn nodes_left(directory: &MemoryDirectory) -> u64 {
    let copy = MemoryDirectory::new();
    for name in [NAME, "graph-log"] {
        if let Some(bytes) = directory.contents(name) {
            copy.put(name, bytes);
        }
    }
    let db = builder(&copy).open(NAME).unwrap();
    assert!(db.check().unwrap().is_sound());
    db.begin_read().unwrap().node_count()
}

/// A database whose log is open.
fn begin(directory: &MemoryDirectory) -> Database {
    let db = builder(directory).create(NAME).unwrap();
    insert(&db);
    db
}

/// How far the log is durable.
fn durable_to(store: &Store) -> u64 {
    match &store.commits().log {
        Log::Open(log) => log.durable_to(),
        Log::Absent | Log::Recovered(_) => 0,
    }
}

/// A commit of nothing but its record.
fn commit(store: &Store, durability: Durability) -> u64 {
    let writer = store.writer.acquire();
    let input = CommitInput {
        delta: Delta::default(),
        payload: Vec::new(),
        totals: store.tip().totals,
        durability,
    };
    store.commit_log(writer, input).unwrap().commit
}

/// Looks as a reader does, who must never be shown less than before or what may yet be lost.
fn look(store: &Store, before: u64) -> Arc<State> {
    let state = store.published();
    assert!(state.commit >= before, "a commit is gone");
    assert!(
        state.visible_at <= durable_to(store),
        "a commit is seen before it is durable"
    );
    state
}

#[test]
fn what_a_reader_sees_is_durable_and_never_goes_back() {
    explore(PREEMPTIONS, || {
        let db = begin(&MemoryDirectory::new());
        let store = db.store();
        let first = store.published().commit;
        let committers = [Durability::Sync, Durability::None].map(|durability| {
            let store = Arc::clone(store);
            spawn(move || {
                let number = commit(&store, durability);
                // Whoever asked for a durable commit sees it on return.
                let seen = look(&store, 0).commit;
                assert!(seen >= number || durability == Durability::None);
            })
        });
        let mut seen = first;
        for _ in 0..2 {
            seen = look(store, seen).commit;
        }
        for committer in committers {
            committer.join().unwrap();
        }
        assert_eq!(store.tip().commit, first + 2);
    });
}

#[test]
fn no_page_that_a_snapshot_reaches_is_written_over() {
    explore(PREEMPTIONS, || {
        let db = begin(&MemoryDirectory::new());
        db.checkpoint().unwrap();
        update(&db, b"1");
        let reader = {
            let db = db.clone();
            spawn(move || {
                let txn = db.begin_read().unwrap();
                let before = data(&txn);
                db.drop_caches();
                assert_eq!(data(&txn), before, "a snapshot changed");
            })
        };
        // The first gives pages up, and the second takes those that nobody needs.
        for text in [b"2", b"3"] {
            db.checkpoint().unwrap();
            update(&db, text);
        }
        db.checkpoint().unwrap();
        reader.join().unwrap();
        assert_eq!(data(&db.begin_read().unwrap()), b"3");
        assert!(db.check().unwrap().is_sound());
        assert_eq!(db.store().pinned_pages(), 0);
    });
}

#[test]
fn a_commit_beside_a_checkpoint_stays() {
    explore(PREEMPTIONS, || {
        let directory = MemoryDirectory::new();
        let db = begin(&directory);
        let committer = {
            let db = db.clone();
            spawn(move || insert(&db))
        };
        let reader = {
            let db = db.clone();
            spawn(move || {
                let mut seen = 0;
                for _ in 0..2 {
                    let state = look(db.store(), seen);
                    seen = state.commit;
                    assert_eq!(db.store().view(&state).totals.nodes, seen);
                }
            })
        };
        db.checkpoint().unwrap();
        committer.join().unwrap();
        reader.join().unwrap();
        let tip = db.store().tip();
        assert_eq!((tip.commit, tip.totals.nodes), (2, 2));
        assert_eq!(db.store().published().commit, 2);
        // Whatever form the tip has by now, the next checkpoint freezes what is not in the trees.
        db.store().begin_checkpoint().unwrap();
        let txn = db.begin_read().unwrap();
        let node = |id| txn.node(NodeId::new(id).unwrap()).unwrap();
        assert!(node(1).is_some() && node(2).is_some(), "a commit is hidden");
        drop(txn);
        assert_eq!(nodes_left(&directory), 2, "a commit is lost");
        db.close().unwrap();
        assert_eq!(nodes_left(&directory), 2, "closing lost a commit");
    });
}
