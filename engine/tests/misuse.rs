//! What nobody intended: views that outlive their transactions, callers that panic, one cache for two
//! databases, numbers at their limits.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Model, dump, id};
use vellum::storage::{Directory, MemoryDirectory, OpenMode};
use vellum::{
    Builder, BulkEdge, BulkNode, CheckpointMode, Database, Direction, Durability, Error, MAX_U48,
    NodeId, NodeUpdate, PageRef, ReadTxn, TraversalCache, WriteTxn,
};

/// Transactions of more than 64 KiB spill, and every page is read from the file.
fn builder(files: &MemoryDirectory) -> Builder {
    Database::builder()
        .in_directory(Arc::new(files.clone()))
        .write_buffer_bytes(64 << 10)
        .log_segment_bytes(64 << 10)
        .cache_bytes(0)
        .checkpoint(CheckpointMode::Inline)
}

fn create() -> (MemoryDirectory, Database) {
    let files = MemoryDirectory::new();
    let db = builder(&files).create("graph").unwrap();
    (files, db)
}

fn insert(txn: &mut WriteTxn, kind: &str, count: u64) {
    for number in 0..count {
        txn.insert_node(kind, &format!("{kind}-{number}"), &[number as u8; 500])
            .unwrap();
    }
}

fn content(txn: &ReadTxn) -> Model {
    dump(txn, false, true).unwrap()
}

fn expect_sound(db: &Database) {
    assert_eq!(db.check().unwrap().findings, []);
}

/// Rewrites most of the database, several times, so that free pages are used.
fn churn(db: &Database) {
    for round in 0..4u64 {
        let mut txn = db.begin_write().unwrap();
        for number in 1..200 {
            let data = [round as u8; 60];
            let update = NodeUpdate::new().data(&data);
            txn.update_node(id(number), update).unwrap();
        }
        insert(&mut txn, "churn", 200);
        txn.commit().unwrap();
        db.checkpoint().unwrap();
        expect_sound(db);
    }
}

/// A transaction that has spilled, and a view into it.
fn spilled(db: &Database) -> (WriteTxn, ReadTxn, Model) {
    let mut txn = db.begin_write().unwrap();
    insert(&mut txn, "spilled", 400);
    assert!(txn.pending().pages > 0);
    let view = txn.view().unwrap();
    let seen = content(&view);
    insert(&mut txn, "more", 400);
    assert!(content(&view) == seen, "later changes show");
    (txn, view, seen)
}

#[test]
fn a_view_outlives_the_transaction_that_is_dropped() {
    let (_files, db) = create();
    let (txn, view, seen) = spilled(&db);
    drop(txn);
    churn(&db);
    assert!(content(&view) == seen);
    drop(view);
    churn(&db);
    assert_eq!(db.stats().unwrap().pinned_pages, 0);
}

#[test]
fn a_view_outlives_the_transaction_that_is_committed() {
    let (_files, db) = create();
    let (txn, view, seen) = spilled(&db);
    txn.commit().unwrap();
    churn(&db);
    assert!(content(&view) == seen);
}

#[test]
fn a_view_outlives_a_rollback_to_before_it() {
    let (_files, db) = create();
    let mut txn = db.begin_write().unwrap();
    insert(&mut txn, "kept", 100);
    let before = txn.savepoint().unwrap();
    let kept = content(&txn.view().unwrap());
    insert(&mut txn, "undone", 400);
    let view = txn.view().unwrap();
    let seen = content(&view);
    txn.rollback_to(&before).unwrap();
    insert(&mut txn, "again", 400);
    assert!(content(&view) == seen);
    txn.rollback_to(&before).unwrap();
    txn.commit().unwrap();
    churn(&db);
    assert!(content(&view) == seen);
    assert!(kept.nodes.len() < seen.nodes.len());
}

#[test]
fn a_view_outlives_the_closing_of_its_database() {
    let (files, db) = create();
    let (txn, view, seen) = spilled(&db);
    drop(txn);
    db.close().unwrap();
    assert!(content(&view) == seen);
    drop(view);
    let db = builder(&files).open("graph").unwrap();
    assert_eq!(db.begin_read().unwrap().node_count(), 0);
    expect_sound(&db);
}

fn station(number: u64) -> BulkNode {
    BulkNode {
        kind: "station".into(),
        name: format!("number {number}"),
        data: vec![1; 300],
        ..BulkNode::default()
    }
}

#[test]
fn a_caller_that_panics_in_a_bulk_load_leaves_nothing() {
    let (files, db) = create();
    let mut txn = db.begin_write().unwrap();
    insert(&mut txn, "old", 50);
    txn.commit().unwrap();
    let before = content(&db.begin_read().unwrap());
    for at in [0, 4_000] {
        let nodes = (0..5_000).map(|number| {
            assert_ne!(number, at, "the caller's own");
            Ok(station(number))
        });
        let loading = AssertUnwindSafe(|| db.bulk_load(nodes, [], |_| {}));
        assert!(catch_unwind(loading).is_err());
        assert!(content(&db.begin_read().unwrap()) == before);
        expect_sound(&db);
    }
    churn(&db);
    db.bulk_load((0..10).map(|number| Ok(station(number))), [], |_| {})
        .unwrap();
    expect_sound(&db);
    let after = content(&db.begin_read().unwrap());
    db.close().unwrap();
    let db = builder(&files).open("graph").unwrap();
    assert!(content(&db.begin_read().unwrap()) == after);
    expect_sound(&db);
}

/// A copy keeps the ordinals of what it copies, gaps among them, and no two edges become one.
#[test]
fn ordinals_that_a_bulk_load_brings_are_kept_and_must_ascend() {
    let numbered = |edges: &[(u64, u32)]| {
        let edges: Vec<_> = edges
            .iter()
            .map(|(target, ordinal)| {
                let edge = BulkEdge {
                    source: id(1),
                    label: "line".to_owned(),
                    target: id(*target),
                    data: ordinal.to_le_bytes().to_vec(),
                };
                Ok((edge, *ordinal))
            })
            .collect();
        edges
    };
    let (files, db) = create();
    let nodes = || (0..3).map(|number| Ok(station(number)));
    db.bulk_load_numbered(
        nodes(),
        numbered(&[(3, 9), (2, 4), (2, 7), (3, u32::MAX)]),
        |_| {},
    )
    .unwrap();
    let found = |db: &Database| -> Vec<(u64, u32, Vec<u8>)> {
        let txn = db.begin_read().unwrap();
        txn.edges(id(1), Direction::Out, None)
            .map(|edge| {
                let edge = edge.unwrap();
                let data = edge.data().unwrap().into_owned();
                (edge.target().get(), edge.ordinal(), data)
            })
            .collect()
    };
    let expected: Vec<(u64, u32, Vec<u8>)> = [(2, 4), (2, 7), (3, 9), (3, u32::MAX)]
        .map(|(target, ordinal): (u64, u32)| (target, ordinal, ordinal.to_le_bytes().to_vec()))
        .to_vec();
    assert_eq!(found(&db), expected);
    // Twice the same, falling, and not above what is there: refused, and nothing of it stays.
    for edges in [
        &[(1, 5), (1, 5)][..],
        &[(1, 5), (1, 4)],
        &[(2, 7)],
        &[(2, 0)],
    ] {
        let refused = db.bulk_load_numbered(nodes(), numbered(edges), |_| {});
        assert!(matches!(refused, Err(Error::Usage(_))), "{edges:?}");
        assert_eq!(found(&db), expected);
        assert_eq!(db.begin_read().unwrap().next_id(), 4);
    }
    db.bulk_load_numbered([], numbered(&[(2, 8)]), |_| {})
        .unwrap();
    expect_sound(&db);
    db.close().unwrap();
    let db = builder(&files).open("graph").unwrap();
    assert_eq!(found(&db).len(), 5);
    expect_sound(&db);
}

#[test]
fn what_a_killed_bulk_load_sorted_is_removed_by_the_next_open() {
    let (files, db) = create();
    db.close().unwrap();
    files.open("graph-sort", OpenMode::CreateNew).unwrap();
    drop(builder(&files).open_read_only("graph").unwrap());
    assert!(files.exists("graph-sort").unwrap());
    drop(builder(&files).open("graph").unwrap());
    assert!(!files.exists("graph-sort").unwrap());
}

/// Node 1 leads to `target`. Both are in the trees.
fn arrow(target: u64) -> Database {
    let (files, db) = create();
    let mut txn = db.begin_write().unwrap();
    insert(&mut txn, "node", 5);
    txn.insert_edge(id(1), "to", id(target), b"").unwrap();
    txn.commit().unwrap();
    db.close().unwrap();
    builder(&files).open("graph").unwrap()
}

#[test]
fn one_traversal_cache_serves_two_databases() {
    let (to_two, to_three) = (arrow(2), arrow(3));
    let two = to_two.begin_read().unwrap();
    let three = to_three.begin_read().unwrap();
    let (mut cache, mut other) = (TraversalCache::default(), TraversalCache::default());
    for _ in 0..2 {
        let found = two.bfs(id(1)).cache(&mut cache).reached().unwrap();
        assert_eq!(found, [id(2)]);
        let found = three.bfs(id(1)).cache(&mut cache).reached().unwrap();
        assert_eq!(found, [id(3)]);
        let path = two.shortest_path(id(1), id(3)).cache(&mut cache);
        assert_eq!(path.run().unwrap(), None);
    }
    // Handing pages over does not mix them either.
    let _ = two.bfs(id(1)).cache(&mut cache).reached().unwrap();
    let _ = three.bfs(id(1)).cache(&mut other).reached().unwrap();
    let (mut taken, mut refused) = (0, 0);
    for at in (1..40).flat_map(|page| (1..200).filter_map(move |birth| PageRef::new(page, birth))) {
        if let Some(page) = other.get(at) {
            let was_here = cache.contains(at);
            if cache.insert(page) {
                taken += 1;
            } else {
                refused += 1;
                assert_eq!(cache.contains(at), was_here);
            }
        }
    }
    assert!(refused > 0, "{taken} taken");
    assert_eq!(two.bfs(id(1)).cache(&mut cache).reached().unwrap(), [id(2)]);
}

#[test]
fn pages_can_be_moved_from_cache_to_cache() {
    let db = arrow(4);
    let txn = db.begin_read().unwrap();
    let mut cache = TraversalCache::default();
    let mut other = TraversalCache::builder().capacity(1).build().unwrap();
    let _ = txn.bfs(id(1)).cache(&mut cache).reached().unwrap();
    let _ = txn.bfs(id(5)).cache(&mut other).reached().unwrap();
    let held = |cache: &TraversalCache| -> Vec<PageRef> {
        let refs = (1..40).flat_map(|page| (1..200).filter_map(move |b| PageRef::new(page, b)));
        refs.filter(|at| cache.contains(*at)).collect()
    };
    let at = held(&cache)[0];
    assert_eq!(held(&cache).len(), cache.len());
    other.clear();
    assert!(other.insert(cache.get(at).unwrap()));
    assert!(other.contains(at) && other.len() == 1);
    assert!(other.invalidate(at) && !other.invalidate(at));
    assert!(other.is_empty() && other.get(at).is_none());
}

#[test]
fn the_highest_id_is_a_node_like_any_other() {
    let (files, db) = create();
    let top = NodeId::new(MAX_U48).unwrap();
    let mut txn = db.begin_write().unwrap();
    let first = txn.insert_node("end", "first", b"").unwrap();
    txn.insert_node_with_id(top, "end", "top", b"").unwrap();
    txn.insert_edge(first, "to", top, b"").unwrap();
    txn.insert_edge(top, "to", first, b"").unwrap();
    txn.commit().unwrap();
    db.close().unwrap();
    let db = builder(&files).open("graph").unwrap();
    let read = db.begin_read().unwrap();
    assert_eq!(read.next_id(), MAX_U48 + 1);
    assert_eq!(read.node(top).unwrap().unwrap().name(), "top");
    let sources = read.neighbors(top, Direction::In, None);
    assert_eq!(sources.map(Result::unwrap).collect::<Vec<_>>(), [first]);
    let mut txn = db.begin_write().unwrap();
    let over = txn.insert_node("end", "over", b"");
    assert!(matches!(over, Err(Error::Limit { .. })), "{over:?}");
    for count in [1, u64::MAX] {
        assert!(matches!(txn.reserve_ids(count), Err(Error::Limit { .. })));
    }
    txn.insert_node_with_id(id(77), "end", "skipped before", b"")
        .unwrap();
    assert!(txn.delete_node(top).unwrap());
    assert!(txn.insert_node_with_id(top, "end", "again", b"").is_err());
    txn.commit().unwrap();
    db.checkpoint().unwrap();
    expect_sound(&db);
    let over = db.bulk_load([Ok(station(1))], [], |_| {});
    assert!(matches!(over, Err(Error::Limit { .. })), "{over:?}");
    expect_sound(&db);
}

#[test]
fn a_delay_beyond_the_limit_counts_as_the_limit() {
    let (_files, db) = create();
    let mut txn = db.begin_write().unwrap();
    insert(&mut txn, "node", 1);
    txn.set_durability(Durability::Group {
        max_delay: Duration::from_secs(600),
    });
    let begun = Instant::now();
    txn.commit().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(300));
}
