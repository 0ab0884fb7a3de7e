//! Short stories, each of which makes the engine do something that is counted.

use std::sync::Arc;
use std::thread;

use vellum::forensics::{Counter, Counts, Watch};
use vellum::storage::{CountedDirectory, MemoryDirectory};
use vellum::{
    BulkEdge, BulkNode, CheckpointMode, Database, Direction, Durability, NodeId, NodeUpdate,
};

use crate::common::disk::copy_of;
use crate::common::gate::Gate;
use crate::common::id;

/// A database in counted memory that checkpoints when told to.
pub fn database() -> (Database, CountedDirectory) {
    with(|builder| builder)
}

pub fn with(set: impl Fn(vellum::Builder) -> vellum::Builder) -> (Database, CountedDirectory) {
    let directory = CountedDirectory::new(Arc::new(MemoryDirectory::new()));
    let builder = Database::builder()
        .checkpoint(CheckpointMode::Inline)
        .file_id([3; 16])
        .in_directory(Arc::new(directory.clone()));
    let db = set(builder).create("graph").unwrap();
    (db, directory)
}

/// Nodes in a ring, some with large data, committed in a few transactions and merged.
pub fn ring(db: &Database, nodes: u64) {
    for first in (1..=nodes).step_by(500) {
        let mut txn = db.begin_write().unwrap();
        let last = nodes.min(first + 499);
        for number in first..=last {
            let large = number.is_multiple_of(100);
            let data = vec![number as u8; if large { 9000 } else { 20 }];
            let node = txn
                .insert_node(&format!("kind {}", number % 3), "name", &data)
                .unwrap();
            assert_eq!(node.get(), number);
        }
        for number in first..=last {
            let target = if number == first { last } else { number - 1 };
            txn.insert_edge(id(number), "next", id(target), b"data")
                .unwrap();
        }
        txn.commit().unwrap();
    }
    db.checkpoint().unwrap();
}

/// Everything that a reader can ask for, cold.
pub fn reading() -> Counts {
    let (db, _) = with(|builder| builder.cache_bytes(1 << 14));
    ring(&db, 3000);
    db.drop_caches();
    let txn = db.begin_read().unwrap();
    assert_eq!(
        txn.node(id(100)).unwrap().unwrap().data().unwrap().len(),
        9000
    );
    assert!(txn.contains_node(id(7)).unwrap());
    assert_eq!(txn.neighbors(id(7), Direction::Out, None).count(), 1);
    let edge = txn
        .edges(id(7), Direction::In, None)
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(&*edge.data().unwrap(), b"data");
    assert_eq!(txn.degree(id(7), Direction::In, Some("next")).unwrap(), 1);
    assert!(txn.edge(id(7), "next", id(6), 0).unwrap().is_some());
    assert_eq!(txn.nodes().count(), 3000);
    assert_eq!(txn.nodes_named("name").count(), 3000);
    assert_eq!(txn.nodes_of_kind("kind 1").count(), 1000);
    assert_eq!(txn.bfs(id(7)).reached().unwrap().len(), 499);
    assert!(txn.shortest_path(id(7), id(5)).run().unwrap().is_some());
    assert_eq!(txn.locate(id(7)).unwrap().len(), 2);
    assert!(db.check().unwrap().is_sound());
    db.counters()
}

/// Changes of every sort in one transaction, and ways back.
pub fn changing() -> Counts {
    let (db, _) = database();
    ring(&db, 10);
    let mut txn = db.begin_write().unwrap();
    let before = txn.savepoint().unwrap();
    assert!(txn.delete_node(id(1)).unwrap());
    txn.rollback_to(&before).unwrap();
    let update = NodeUpdate::new().name("other").data(b"more");
    assert!(txn.update_node(id(2), update).unwrap());
    assert!(txn.update_edge(id(4), "next", id(3), 0, b"new").unwrap());
    assert!(txn.delete_edge(id(5), "next", id(4), 0).unwrap());
    assert!(txn.delete_node(id(9)).unwrap());
    txn.commit().unwrap();
    db.begin_write().unwrap().commit().unwrap();
    let txn = db.begin_read().unwrap();
    // Before any checkpoint, so that the answer comes from the delta.
    assert_eq!(txn.node(id(2)).unwrap().unwrap().name(), "other");
    assert_eq!(txn.neighbors(id(4), Direction::Out, None).count(), 1);
    db.counters()
}

/// A transaction that outgrows the write buffer, dropped and then committed.
pub fn spilling() -> Counts {
    let (db, _) = with(|builder| builder.write_buffer_bytes(64 << 10));
    ring(&db, 500);
    for commit in [false, true] {
        let mut txn = db.begin_write().unwrap();
        for _ in 0..2000 {
            txn.insert_node("kind 1", "spilled", &[7; 50]).unwrap();
        }
        assert!(txn.pending().pages > 0);
        if commit {
            txn.commit().unwrap();
        }
    }
    // A view outlives its transaction.
    let mut txn = db.begin_write().unwrap();
    for _ in 0..2000 {
        txn.insert_node("kind 1", "looked at", &[7; 50]).unwrap();
    }
    let view = txn.view().unwrap();
    drop(txn);
    assert_eq!(view.node_count(), 4500);
    db.counters()
}

/// A bulk load that sorts on disk.
pub fn bulk() -> Counts {
    let (db, _) = with(|builder| builder.write_buffer_bytes(64 << 10));
    let nodes = (1..=2000).map(|number| {
        Ok(BulkNode {
            kind: "kind".into(),
            name: format!("node {number}"),
            ..BulkNode::default()
        })
    });
    let edges = (1..=4000u64).map(|number| {
        Ok(BulkEdge {
            source: id(number * 7 % 2000 + 1),
            label: "to".into(),
            target: id(number % 2000 + 1),
            data: Vec::new(),
        })
    });
    db.bulk_load(nodes, edges, |_| {}).unwrap();
    db.counters()
}

/// Names that share their beginnings with some others only make separators long and the tree tall.
pub fn tall() -> Counts {
    let (db, _) = database();
    let mut txn = db.begin_write().unwrap();
    for number in 0..4096u32 {
        let digit = |place: u32| char::from(b'a' + (number >> (3 * place) & 7) as u8);
        let name: String = [3, 2, 1, 0]
            .into_iter()
            .flat_map(|place| std::iter::repeat_n(digit(place), 220))
            .collect();
        txn.insert_node("kind", &name, b"").unwrap();
    }
    txn.commit().unwrap();
    db.checkpoint().unwrap();
    let names = db.stats().unwrap().trees[vellum::KeySpace::Names.index()];
    assert!(names.height >= 3, "{names:?}");
    db.drop_caches();
    let txn = db.begin_read().unwrap();
    assert_eq!(txn.nodes_with_prefix("aaa").count(), 512);
    db.counters()
}

/// Deleting almost everything frees pages, and closing gives the file's end back.
pub fn shrinking() -> Counts {
    let (db, _) = database();
    ring(&db, 2000);
    for round in 0..2 {
        let mut txn = db.begin_write().unwrap();
        for number in (1..=2000u64).filter(|number| number % 2 == round) {
            txn.delete_node(id(number)).unwrap();
        }
        txn.commit().unwrap();
        db.checkpoint().unwrap();
    }
    closed(db)
}

fn closed(db: Database) -> Counts {
    let watch = db.watch();
    db.close().unwrap();
    watch.counters()
}

/// Opening what a killed process left, then writing on.
pub fn recovering() -> Counts {
    let files = MemoryDirectory::new();
    let builder = || Database::builder().checkpoint(CheckpointMode::Inline);
    let db = builder()
        .in_directory(Arc::new(files.clone()))
        .create("graph")
        .unwrap();
    ring(&db, 1000);
    for _ in 0..3 {
        // Each checkpoint frees what the one before dropped.
        ring_on(&db);
        db.checkpoint().unwrap();
    }
    assert!(db.stats().unwrap().free_pages > 0);
    ring_on(&db);
    let left = copy_of(&files);
    let db = builder()
        .in_directory(Arc::new(left))
        .open("graph")
        .unwrap();
    assert_eq!(db.recovery().unwrap().records, 1);
    ring_on(&db);
    closed(db)
}

fn ring_on(db: &Database) {
    let mut txn = db.begin_write().unwrap();
    let node = txn.insert_node("kind 1", "late", b"").unwrap();
    txn.insert_edge(node, "next", id(1), b"").unwrap();
    txn.commit().unwrap();
}

/// Three commits at once: one syncs, and of the two that come meanwhile one syncs for both.
pub fn sharing() -> Counts {
    let gate = Gate::of_log(MemoryDirectory::new());
    let db = Database::builder()
        .checkpoint(CheckpointMode::Inline)
        .in_directory(Arc::new(gate.clone()))
        .create("graph")
        .unwrap();
    insert(&db, Durability::Sync);
    let watch = db.watch();
    let closed = gate.close();
    thread::scope(|scope| {
        scope.spawn(|| insert(&db, Durability::Sync));
        gate.wait_until_somebody_waits();
        for _ in 0..2 {
            scope.spawn(|| insert(&db, Durability::Sync));
        }
        until(&watch, Counter::LogAppends, 4);
        drop(closed);
    });
    db.counters()
}

fn insert(db: &Database, durability: Durability) -> NodeId {
    let mut txn = db.begin_write().unwrap();
    txn.set_durability(durability);
    let node = txn.insert_node("kind", "name", b"").unwrap();
    txn.commit().unwrap();
    node
}

/// Returns once the counter has come that far.
fn until(watch: &Watch, counter: Counter, value: u64) {
    while watch.counters().get(counter) < value {
        thread::yield_now();
    }
}

/// A writer waits for the one before, and a checkpoint for a transaction that holds the trees.
pub fn waiting() -> Counts {
    let (db, _) = with(|builder| builder.write_buffer_bytes(64 << 10));
    let watch = db.watch();
    insert(&db, Durability::None);
    let mut txn = db.begin_write().unwrap();
    for _ in 0..2000 {
        txn.insert_node("kind", "spilled", &[7; 50]).unwrap();
    }
    thread::scope(|scope| {
        scope.spawn(|| insert(&db, Durability::None));
        scope.spawn(|| db.checkpoint().unwrap());
        until(&watch, Counter::WriterWaits, 1);
        until(&watch, Counter::TreesWaits, 1);
        drop(txn);
    });
    db.counters()
}

/// A segment fills, and the next one begins.
pub fn rolling() -> Counts {
    let (db, _) = with(|builder| builder.log_segment_bytes(128 << 10));
    for _ in 0..40 {
        let mut txn = db.begin_write().unwrap();
        txn.set_durability(Durability::None);
        txn.insert_node("kind", "name", &[1; 8000]).unwrap();
        txn.commit().unwrap();
    }
    db.counters()
}

/// A name, and what was counted.
pub type Scene = (&'static str, fn() -> Counts);

/// Every scene by name.
pub const ALL: [Scene; 10] = [
    ("reading", reading),
    ("changing", changing),
    ("spilling", spilling),
    ("bulk", bulk),
    ("tall", tall),
    ("shrinking", shrinking),
    ("recovering", recovering),
    ("sharing", sharing),
    ("waiting", waiting),
    ("rolling", rolling),
];
