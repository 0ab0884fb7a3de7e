//! A transaction that is dropped was never there, and what comes after a savepoint can be undone:
//! trees, ids, kinds, labels, counts and pages.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::sync::Arc;

use common::{Model, dump, id};
use vellum::storage::MemoryDirectory;
use vellum::{
    BulkNode, CheckpointMode, CommitKind, Database, Error, NodeId, NodeUpdate, ReadTxn, Stats,
    WriteTxn,
};

fn database() -> Database {
    let db = Database::builder()
        .in_directory(Arc::new(MemoryDirectory::new()))
        .write_buffer_bytes(64 << 10)
        .log_segment_bytes(64 << 10)
        .checkpoint(CheckpointMode::Inline)
        .create("graph")
        .unwrap();
    let mut txn = db.begin_write().unwrap();
    for number in 1..=30u64 {
        let data = vec![number as u8; if number == 9 { 20_000 } else { 50 }];
        txn.insert_node("old", &format!("old-{number}"), &data)
            .unwrap();
    }
    for number in 0..200u64 {
        let (from, to) = (id(1 + number % 30), id(1 + number * 7 % 30));
        txn.insert_edge(from, "old", to, &[number as u8]).unwrap();
    }
    txn.commit().unwrap();
    // In the trees, so that large transactions find nothing left to merge.
    db.checkpoint().unwrap();
    db
}

/// Everything that a reader can learn.
type Seen = (Model, Vec<String>, Vec<String>, u64, u64);

fn seen(txn: &ReadTxn) -> Seen {
    let counts = (txn.node_count(), txn.edge_count());
    let (kinds, labels) = (txn.kinds().unwrap(), txn.labels().unwrap());
    (
        dump(txn, false, true).unwrap(),
        kinds,
        labels,
        counts.0,
        counts.1,
    )
}

fn now(db: &Database) -> Seen {
    seen(&db.begin_read().unwrap())
}

/// The statistics without the file's length, which never shrinks while the database is open.
fn stats(db: &Database) -> Stats {
    let mut stats = db.stats().unwrap();
    stats.file_bytes = 0;
    stats
}

/// A bit of everything that a transaction can do.
fn disturb(txn: &mut WriteTxn, large: bool) {
    let fresh = txn.insert_node("new kind", "new", &[1; 9_000]).unwrap();
    txn.insert_edge(fresh, "new label", id(2), b"new").unwrap();
    txn.insert_edge(id(1), "old", id(8), b"parallel").unwrap();
    txn.reserve_ids(7).unwrap();
    txn.insert_node_with_id(
        NodeId::new(fresh.get() + 100).unwrap(),
        "placed",
        "far",
        b"",
    )
    .unwrap();
    for victim in [4, 9] {
        assert!(txn.delete_node(id(victim)).unwrap());
    }
    let update = NodeUpdate::new()
        .kind("third kind")
        .name("renamed")
        .data(b"changed");
    assert!(txn.update_node(id(3), update).unwrap());
    for number in 0..if large { 300u64 } else { 0 } {
        let name = format!("large-{number}");
        let node = txn
            .insert_node("large", &name, &[number as u8; 500])
            .unwrap();
        txn.insert_edge(node, "large", id(1), b"").unwrap();
    }
    assert_eq!(txn.pending().pages > 0, large);
}

#[test]
fn a_dropped_transaction_was_never_there() {
    for large in [false, true] {
        let db = database();
        let (before, stats_before) = (now(&db), stats(&db));
        for _ in 0..3 {
            let mut txn = db.begin_write().unwrap();
            disturb(&mut txn, large);
            assert!(seen(&txn.view().unwrap()) != before);
            drop(txn);
            assert!(now(&db) == before, "large: {large}");
            // Of a small one nothing has reached storage; a large one has begun the log.
            assert_eq!(stats(&db).pages, stats_before.pages);
            assert_eq!(stats(&db).free_pages, stats_before.free_pages);
            assert_eq!(stats(&db).next_node, stats_before.next_node);
            assert_eq!(stats(&db).trees, stats_before.trees);
            assert_eq!(stats(&db).commit, stats_before.commit);
        }
        assert_eq!(db.check().unwrap().findings, []);
        let mut txn = db.begin_write().unwrap();
        let next = txn.insert_node("after", "after", b"").unwrap();
        assert_eq!(next.get(), 31, "the next id is not advanced");
        txn.commit().unwrap();
        let kinds = db.begin_read().unwrap().kinds().unwrap();
        assert_eq!(kinds, ["old", "after"], "kinds are not defined");
    }
}

/// What is committed after a dropped transaction lands in the same pages as without it.
#[test]
fn a_dropped_transaction_takes_no_pages() {
    let commit = |db: &Database| {
        let mut txn = db.begin_write().unwrap();
        disturb(&mut txn, true);
        assert_eq!(txn.commit().unwrap().how, CommitKind::Flip);
        db.checkpoint().unwrap();
    };
    let (tried, twin) = (database(), database());
    for _ in 0..4 {
        let mut txn = tried.begin_write().unwrap();
        disturb(&mut txn, true);
    }
    let refused = tried.bulk_load(
        (0..500).map(|number| {
            if number == 499 {
                return Err(Error::Usage("no more".to_owned()));
            }
            Ok(BulkNode {
                kind: "bulk".to_owned(),
                data: vec![2; 300],
                ..BulkNode::default()
            })
        }),
        [],
        |_| {},
    );
    assert!(matches!(refused, Err(Error::Usage(_))));
    commit(&tried);
    commit(&twin);
    assert!(now(&tried) == now(&twin));
    let (tried, twin) = (stats(&tried), stats(&twin));
    assert_eq!(
        (tried.pages, tried.free_pages),
        (twin.pages, twin.free_pages)
    );
    assert_eq!(tried.pinned_pages, twin.pinned_pages);
}

/// Before and after the savepoint in memory or in pages of the transaction's own.
#[test]
fn a_savepoint_undoes_what_came_after_it() {
    for (large_before, large_after) in [(false, false), (false, true), (true, false), (true, true)]
    {
        let db = database();
        let untouched = now(&db);
        let mut txn = db.begin_write().unwrap();
        let mark = txn.insert_node("mark", "mark", b"").unwrap();
        if large_before {
            for number in 0..300u64 {
                txn.insert_node("before", &format!("before-{number}"), &[9; 500])
                    .unwrap();
            }
        }
        txn.insert_edge(mark, "marks", id(4), b"").unwrap();
        let savepoint = txn.savepoint().unwrap();
        let (before, pages) = (seen(&txn.view().unwrap()), txn.pending().pages);
        for _ in 0..3 {
            disturb(&mut txn, large_after || large_before);
            assert!(seen(&txn.view().unwrap()) != before);
            txn.rollback_to(&savepoint).unwrap();
            assert!(
                seen(&txn.view().unwrap()) == before,
                "{large_before} {large_after}"
            );
            assert_eq!(txn.pending().pages, pages);
        }
        assert!(now(&db) == untouched, "readers see nothing of it");
        txn.commit().unwrap();
        assert!(now(&db) == before);
        assert_eq!(db.check().unwrap().findings, []);
        db.checkpoint().unwrap();
        assert!(now(&db) == before);
        assert_eq!(db.check().unwrap().findings, []);
    }
}

#[test]
fn savepoints_nest() {
    let db = database();
    let mut txn = db.begin_write().unwrap();
    let mut marks = Vec::new();
    for level in 0..6 {
        marks.push((txn.savepoint().unwrap(), seen(&txn.view().unwrap())));
        txn.insert_node(&format!("kind-{level}"), "nested", b"")
            .unwrap();
        if level == 3 {
            disturb(&mut txn, true);
        }
    }
    let (inner, state) = &marks[4];
    txn.rollback_to(inner).unwrap();
    assert!(seen(&txn.view().unwrap()) == *state);
    let (outer, state) = &marks[1];
    txn.rollback_to(outer).unwrap();
    assert!(seen(&txn.view().unwrap()) == *state);
    for (later, _) in &marks[2..] {
        assert!(matches!(txn.rollback_to(later), Err(Error::Usage(_))));
    }
    txn.rollback_to(outer).unwrap();
    drop(txn);
    let mut other = db.begin_write().unwrap();
    assert!(matches!(
        other.rollback_to(&marks[0].0),
        Err(Error::Usage(_))
    ));
    assert_eq!(other.commit().unwrap().how, CommitKind::Empty);
}

/// Whatever ends last closes the database: a transaction outlives the handle that began it.
#[test]
fn a_transaction_keeps_its_database_open() {
    for commits in [false, true] {
        let directory = MemoryDirectory::new();
        let options = Database::builder().in_directory(Arc::new(directory.clone()));
        let db = options.create("graph").unwrap();
        let mut txn = db.begin_write().unwrap();
        txn.insert_node("kind", "name", b"").unwrap();
        db.close().unwrap();
        assert!(matches!(options.open("graph"), Err(Error::Locked { .. })));
        if commits {
            txn.commit().unwrap();
        } else {
            drop(txn);
        }
        assert!(
            directory.contents("graph-log").is_none(),
            "closed, so one file"
        );
        let db = options.open("graph").unwrap();
        assert!(db.recovery().is_none());
        let nodes = db.begin_read().unwrap().node_count();
        assert_eq!(nodes, u64::from(commits));
    }
}
