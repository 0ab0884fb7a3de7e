//! Every counter moves, and by what was done.

use vellum::forensics::{Counter, Counts, ENABLED, Group};
use vellum::{BulkNode, Direction, NodeUpdate};

use crate::common::id;
use crate::scenes;

#[test]
fn this_build_counts() {
    const { assert!(ENABLED) };
}

/// A counter that no scene moves counts nothing, or has no test.
#[test]
fn every_counter_moves() {
    let mut sum = Counts::default();
    let mut moved_by = Vec::new();
    for (name, scene) in scenes::ALL {
        let counts = scene();
        moved_by.push((name, counts));
        sum = sum + counts;
    }
    let still: Vec<&str> = Counter::ALL
        .iter()
        .filter(|counter| sum.get(**counter) == 0)
        .map(|counter| counter.name())
        .collect();
    assert!(still.is_empty(), "{still:?} do not move in {moved_by:#?}");
}

#[track_caller]
fn expect(counts: &Counts, expected: &[(Counter, u64)]) {
    for (counter, n) in expected {
        assert_eq!(counts.get(*counter), *n, "{}", counter.name());
    }
}

#[test]
fn a_commit_is_counted_as_its_report_says() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 10);
    let before = db.counters();
    let mut txn = db.begin_write().unwrap();
    let node = txn.insert_node("kind 1", "four", b"data!").unwrap();
    txn.insert_edge(node, "next", id(1), b"ab").unwrap();
    let report = txn.commit().unwrap();
    let spent = db.counters() - before;
    assert_eq!(report.syncs, 1);
    expect(
        &spent,
        &[
            (Counter::WriteTransactions, 1),
            (Counter::NodesInserted, 1),
            (Counter::EdgesInserted, 1),
            (Counter::BytesGiven, 4 + 5 + 8 + 2 + 14),
            (Counter::CommitsLogged, 1),
            (Counter::LogAppends, 1),
            (Counter::LogAppendBytes, report.log_bytes),
            (Counter::LogSyncs, 1),
            (Counter::PageSyncs, 0),
            (Counter::SlotWrites, 0),
            (Counter::PageWrites, 0),
            (Counter::PagesAllocated, 0),
        ],
    );
    assert_eq!(spent.amplification(None).sync, Some(1.0));
}

#[test]
fn a_get_is_counted_page_by_page() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 3000);
    db.drop_caches();
    let txn = db.begin_read().unwrap();
    let height = txn.locate(id(1500)).unwrap().len() as u64;
    assert_eq!(height, 2);
    let mut rounds = Vec::new();
    for _ in 0..2 {
        let before = db.counters();
        assert!(txn.node(id(9)).unwrap().is_some());
        rounds.push(db.counters() - before);
    }
    let [first, second] = rounds[..] else {
        panic!()
    };
    // The first looks the kind's name up as well: the dictionary is one page.
    expect(
        &first,
        &[
            (Counter::NodeGets, 1),
            (Counter::Descents, 2),
            (Counter::DescentPages, 1),
            (Counter::CacheAccesses, height + 1),
            (Counter::NodesDecoded, 1),
        ],
    );
    expect(
        &second,
        &[
            (Counter::NodeGets, 1),
            (Counter::Descents, 1),
            (Counter::DescentPages, 1),
            (Counter::CacheAccesses, height),
            (Counter::CacheHits, height),
            (Counter::CacheMisses, 0),
            (Counter::PageReadBytes, 0),
            (Counter::NodesDecoded, 1),
        ],
    );
    assert_eq!(
        second.amplification(None).touched_pages,
        Some(height as f64)
    );
}

#[test]
fn decoding_is_counted_edge_by_edge() {
    let (db, _) = scenes::database();
    let mut txn = db.begin_write().unwrap();
    for _ in 0..10 {
        txn.insert_node("kind", "name", b"").unwrap();
    }
    for target in 2..=10 {
        txn.insert_edge(id(1), "to", id(target), b"").unwrap();
    }
    txn.commit().unwrap();
    db.checkpoint().unwrap();
    let txn = db.begin_read().unwrap();
    let before = db.counters();
    assert_eq!(
        txn.neighbors(id(1), vellum::Direction::Out, None).count(),
        9
    );
    let spent = db.counters() - before;
    expect(
        &spent,
        &[
            (Counter::NeighborLists, 1),
            (Counter::BlocksDecoded, 1),
            (Counter::EdgesDecoded, 9),
            (Counter::DeltaLookups, 0),
            (Counter::DeltaScans, 0),
        ],
    );
}

#[test]
fn subtracting_and_adding_are_inverse() {
    let before = scenes::changing();
    let after = before + scenes::rolling();
    assert_eq!(after - before, scenes::rolling());
    assert_eq!(before - after, Counts::default());
}

/// What callers ask for is counted where they ask, once, and as nothing else.
#[test]
fn each_call_is_counted_once_and_as_nothing_else() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 20);
    let reader = db.begin_read().unwrap();
    let asks: [(&str, Counter, &dyn Fn()); 12] = [
        ("begin_read", Counter::ReadTransactions, &|| {
            drop(db.begin_read().unwrap())
        }),
        ("node", Counter::NodeGets, &|| {
            assert!(reader.node(id(3)).unwrap().is_some())
        }),
        ("no node", Counter::NodeGets, &|| {
            assert!(reader.node(id(99)).unwrap().is_none())
        }),
        ("contains", Counter::NodeChecks, &|| {
            assert!(reader.contains_node(id(3)).unwrap())
        }),
        ("neighbors", Counter::NeighborLists, &|| {
            assert_eq!(reader.neighbors(id(3), Direction::Out, None).count(), 1);
        }),
        ("edges", Counter::EdgeLists, &|| {
            assert_eq!(reader.edges(id(3), Direction::In, Some("next")).count(), 1);
        }),
        ("edge", Counter::EdgeGets, &|| {
            assert!(reader.edge(id(3), "next", id(2), 0).unwrap().is_some());
        }),
        ("degree", Counter::DegreeCalls, &|| {
            assert_eq!(reader.degree(id(3), Direction::Out, None).unwrap(), 1);
        }),
        ("nodes", Counter::Scans, &|| {
            assert_eq!(reader.nodes().count(), 20)
        }),
        ("of kind", Counter::Scans, &|| {
            assert!(reader.nodes_of_kind("kind 1").count() > 0)
        }),
        ("prefix", Counter::Scans, &|| {
            assert_eq!(reader.nodes_with_prefix("na").count(), 20)
        }),
        ("path", Counter::PathSearches, &|| {
            assert!(reader.shortest_path(id(9), id(5)).run().unwrap().is_some());
        }),
    ];
    for (what, counter, ask) in asks {
        let before = db.counters();
        ask();
        only(what, db.counters() - before, &[(counter, 1)]);
    }
}

#[test]
fn each_change_is_counted_once_and_as_nothing_else() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 20);
    let before = db.counters();
    let mut txn = db.begin_write().unwrap();
    let node = txn.insert_node("kind 1", "new", b"").unwrap();
    txn.insert_edge(node, "next", id(1), b"").unwrap();
    txn.insert_edge(node, "next", id(2), b"").unwrap();
    txn.update_node(node, NodeUpdate::new().name("other"))
        .unwrap();
    txn.update_edge(node, "next", id(1), 0, b"new").unwrap();
    txn.delete_edge(node, "next", id(2), 0).unwrap();
    let savepoint = txn.savepoint().unwrap();
    txn.rollback_to(&savepoint).unwrap();
    txn.delete_node(node).unwrap();
    txn.commit().unwrap();
    let wrote = [
        (Counter::WriteTransactions, 1),
        (Counter::NodesInserted, 1),
        (Counter::EdgesInserted, 2),
        (Counter::NodesUpdated, 1),
        (Counter::EdgesUpdated, 1),
        // One by itself, one with its node.
        (Counter::EdgesDeleted, 2),
        (Counter::NodesDeleted, 1),
        (Counter::SavepointRollbacks, 1),
        (Counter::CommitsLogged, 1),
    ];
    let spent = db.counters() - before;
    assert!(spent.get(Counter::BytesGiven) > 0);
    only("a transaction", spent, &wrote);
}

/// Of the calls, these were counted, each so often. Bytes are not calls.
#[track_caller]
fn only(what: &str, spent: Counts, expected: &[(Counter, u64)]) {
    let calls = Counter::ALL
        .iter()
        .filter(|counter| counter.group() == Group::Calls);
    for counter in calls.filter(|counter| **counter != Counter::BytesGiven) {
        let of = expected.iter().find(|(expected, _)| expected == counter);
        let wanted = of.map_or(0, |(_, times)| *times);
        assert_eq!(spent.get(*counter), wanted, "{what}: {}", counter.name());
    }
}

/// What is added behind everything else replaces next to nothing, so it is merged and published at once, however large
/// the trees are: each slice costs two syncs.
#[test]
fn what_is_added_to_large_trees_is_merged_in_one_slice() {
    let (db, _) = scenes::database();
    let nodes = (1..=60_000u64).map(|number| {
        Ok(BulkNode {
            kind: format!("kind {}", number % 3),
            name: format!("node {number:06}"),
            data: vec![7; 40],
            ..BulkNode::default()
        })
    });
    db.bulk_load(nodes, std::iter::empty(), |_| {}).unwrap();
    let before = db.counters();
    let mut txn = db.begin_write().unwrap();
    for number in 0..500 {
        txn.insert_node("kind 1", &format!("node z{number:04}"), b"")
            .unwrap();
    }
    txn.commit().unwrap();
    db.checkpoint().unwrap();
    let spent = db.counters() - before;
    expect(
        &spent,
        &[(Counter::Checkpoints, 1), (Counter::CheckpointSlices, 1)],
    );
    // Changes all over the trees replace many pages, and are merged in parts.
    let before = db.counters();
    let mut txn = db.begin_write().unwrap();
    for number in (1..=60_000).step_by(20) {
        txn.update_node(id(number), NodeUpdate::new().data(b"new"))
            .unwrap();
    }
    txn.commit().unwrap();
    db.checkpoint().unwrap();
    let slices = (db.counters() - before).get(Counter::CheckpointSlices);
    assert!((3..20).contains(&slices), "{slices}");
}
