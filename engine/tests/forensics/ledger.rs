//! Ledgers attribute what one call did, to one thread.

use std::thread;

use vellum::forensics::{Counter, How};
use vellum::{Direction, KeySpace, TraversalCache};

use crate::common::id;
use crate::scenes;

#[test]
fn a_get_names_its_pages() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 3000);
    db.drop_caches();
    let txn = db.begin_read().unwrap();
    let path = txn.locate(id(7)).unwrap();
    db.drop_caches();
    let (_, cold) = db.with_ledger(|| txn.node(id(7)).unwrap().unwrap().name().len());
    let (_, warm) = db.with_ledger(|| txn.node(id(7)).unwrap().unwrap().name().len());
    for (ledger, how) in [(&cold, How::Read), (&warm, How::Cached)] {
        let nodes: Vec<(u64, u8)> = ledger
            .pages
            .iter()
            .filter(|used| used.space == Some(KeySpace::Nodes))
            .inspect(|used| assert_eq!((used.how, used.times), (how, 1)))
            .map(|used| (used.page, used.level))
            .collect();
        let expected: Vec<(u64, u8)> = path.iter().map(|at| (at.page, at.level)).collect();
        assert_eq!(nodes, expected);
        assert_eq!(ledger.counts.get(Counter::NodeGets), 1);
    }
    // The kind's name, which only the first get looks up.
    assert_eq!(cold.pages_touched(), path.len() + 1);
    assert_eq!(warm.pages_touched(), path.len());
    assert_eq!(warm.counts.get(Counter::PageReadBytes), 0);
}

#[test]
fn a_walk_finds_pages_in_its_own_cache() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 1000);
    let txn = db.begin_read().unwrap();
    let mut cache = TraversalCache::default();
    let walk = || txn.bfs(id(9)).cache(&mut cache).reached().unwrap().len();
    let (reached, ledger) = db.with_ledger(walk);
    assert_eq!(reached, 499);
    let by_walk = ledger.pages.iter().filter(|used| used.how == How::Walk);
    let uses: u64 = by_walk.map(|used| used.times).sum();
    assert_eq!(uses, ledger.counts.get(Counter::TraversalHits));
    assert!(uses > 100, "{uses}");
}

/// Ledgers of two threads and the sum of what the database counted.
#[test]
fn each_thread_has_its_own() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 100);
    let before = db.counters();
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (1..=3u64)
            .map(|many| {
                let db = &db;
                scope.spawn(move || {
                    let txn = db.begin_read().unwrap();
                    let ask =
                        || (0..many).for_each(|_| assert!(txn.node(id(3)).unwrap().is_some()));
                    db.with_ledger(ask).1.counts
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    let gets: Vec<u64> = counts
        .iter()
        .map(|counts| counts.get(Counter::NodeGets))
        .collect();
    assert_eq!(gets, [1, 2, 3]);
    let mut sum = counts[0] + counts[1] + counts[2];
    sum = sum - (db.counters() - before);
    assert_eq!(
        sum,
        Default::default(),
        "no ledger holds more than was counted"
    );
    assert_eq!((db.counters() - before).get(Counter::NodeGets), 6);
}

#[test]
fn ledgers_nest_and_end_with_their_work() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 100);
    let txn = db.begin_read().unwrap();
    let count = || txn.neighbors(id(3), Direction::Out, None).count();
    let ((_, inner), outer) = db.with_ledger(|| {
        count();
        db.with_ledger(count)
    });
    assert_eq!(inner.counts.get(Counter::NeighborLists), 1);
    assert_eq!(outer.counts.get(Counter::NeighborLists), 2);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        db.with_ledger(|| panic!("on purpose"))
    }));
    assert!(panicked.is_err());
    let (_, after) = db.with_ledger(count);
    assert_eq!(after.counts.get(Counter::NeighborLists), 1);
    // What was not asked under a ledger is in none.
    count();
    assert_eq!(after.counts.get(Counter::NeighborLists), 1);
}

#[test]
fn a_commit_writes_what_its_ledger_says() {
    let (db, directory) = scenes::database();
    scenes::ring(&db, 100);
    let mut txn = db.begin_write().unwrap();
    txn.insert_node("kind 1", "name", b"data").unwrap();
    let before = directory.counts();
    let (report, ledger) = db.with_ledger(|| txn.commit().unwrap());
    let io = directory.counts() - before;
    assert_eq!(ledger.counts.get(Counter::LogAppendBytes), report.log_bytes);
    assert_eq!(ledger.counts.bytes_written(), io.written_bytes);
    assert_eq!(ledger.counts.syncs(), report.syncs);
    assert!(ledger.pages.iter().all(|used| used.how != How::Written));
    let (_, merged) = db.with_ledger(|| db.checkpoint().unwrap());
    let written = merged.pages.iter().filter(|used| used.how == How::Written);
    assert_eq!(written.count() as u64, merged.counts.pages_written());
}
