//! Counters agree with one another and with what storage saw.

use vellum::Database;
use vellum::forensics::{Counter, Counts};
use vellum::storage::{CountedDirectory, IoCounts};

use crate::common::Model;
use crate::common::changes::{Changes, apply};
use crate::scenes;

#[track_caller]
fn same_as_storage(counts: &Counts, io: IoCounts) {
    assert_eq!(counts.bytes_read(), io.read_bytes, "bytes read: {counts:?}");
    assert_eq!(
        counts.bytes_written(),
        io.written_bytes,
        "bytes written: {counts:?}"
    );
    assert_eq!(counts.syncs(), io.syncs, "syncs: {counts:?}");
    assert_eq!(counts.get(Counter::DirectorySyncs), io.directory_syncs);
    assert_eq!(counts.get(Counter::LengthChanges), io.set_lens);
}

/// Identities among the counters of a handle without failures.
#[track_caller]
fn consistent(counts: &Counts, page_size: u64) {
    let get = |counter| counts.get(counter);
    let sums = [
        (
            "accesses are hits and misses",
            get(Counter::CacheAccesses),
            get(Counter::CacheHits) + get(Counter::CacheMisses),
        ),
        (
            "passing accesses are hits and misses",
            get(Counter::PassingAccesses),
            get(Counter::PassingHits) + get(Counter::PassingMisses),
        ),
        (
            "a walk's accesses are hits and misses",
            get(Counter::TraversalAccesses),
            get(Counter::TraversalHits) + get(Counter::TraversalMisses),
        ),
        (
            "every page read was a miss or meant to be read",
            counts.pages_read(),
            get(Counter::CacheMisses) + get(Counter::PassingMisses) + get(Counter::DirectReads),
        ),
        (
            "pages read are bytes read",
            counts.pages_read() * page_size,
            get(Counter::PageReadBytes),
        ),
        (
            "pages allocated are grown or reused",
            get(Counter::PagesAllocated),
            get(Counter::PagesGrown) + get(Counter::PagesReused),
        ),
    ];
    for (what, left, right) in sums {
        assert_eq!(left, right, "{what}: {counts:?}");
    }
    // What a rolled back change had gathered is never written.
    assert!(counts.pages_written() * page_size >= get(Counter::PageWrittenBytes));
    assert!(
        get(Counter::PagesFreed) <= get(Counter::PagesDropped) + get(Counter::PagesKept),
        "{counts:?}"
    );
    assert!(get(Counter::CacheEvictions) <= get(Counter::CacheMisses));
    assert!(get(Counter::DeltaHits) <= get(Counter::DeltaLookups));
}

#[test]
fn scenes_are_consistent() {
    for (name, scene) in scenes::ALL {
        println!("{name}");
        consistent(&scene(), 4096);
    }
}

/// Random histories, looked at after each step: what the engine says it did is what storage saw.
#[test]
fn the_engine_counts_what_storage_sees() {
    for seed in 0..6 {
        let (db, directory) = scenes::with(|builder| {
            builder
                .cache_bytes(1 << 14)
                .write_buffer_bytes(64 << 10)
                .log_segment_bytes(64 << 10)
        });
        same_as_storage(&db.counters(), directory.counts());
        let mut model = Model::new(false);
        let mut changes = Changes::seeded(seed);
        for round in 0..12 {
            let mut txn = db.begin_write().unwrap();
            let mut tried = model.clone();
            apply(&mut txn, &mut tried, &changes.next(40), true);
            if round % 4 != 3 {
                txn.commit().unwrap();
                model = tried;
            } else {
                drop(txn);
            }
            if round % 3 == 2 {
                db.checkpoint().unwrap();
            }
            same_as_storage(&db.counters(), directory.counts());
            consistent(&db.counters(), 4096);
        }
        reopened(db, &directory);
    }
}

/// Closing and opening again are counted too, each by its own handle.
fn reopened(db: Database, directory: &CountedDirectory) {
    let watch = db.watch();
    db.close().unwrap();
    same_as_storage(&watch.counters(), directory.counts());
    let before = directory.counts();
    let db = Database::builder()
        .in_directory(std::sync::Arc::new(directory.clone()))
        .open("graph")
        .unwrap();
    assert!(db.check().unwrap().is_sound());
    same_as_storage(&db.counters(), directory.counts() - before);
}

/// What the engine reports by other ways is the same.
#[test]
fn cache_statistics_agree() {
    let (db, _) = scenes::with(|builder| builder.cache_bytes(1 << 14));
    scenes::ring(&db, 3000);
    for node in db.begin_read().unwrap().nodes() {
        node.unwrap().data().unwrap();
    }
    let (counts, stats) = (db.counters(), db.cache_stats());
    assert_eq!(counts.get(Counter::CacheMisses), stats.misses);
    assert_eq!(counts.get(Counter::CacheEvictions), stats.evictions);
    assert!(stats.evictions > 0);
}

/// A whole life without failures: every page allocated was written once and is in use, dropped or free.
#[test]
fn pages_are_accounted_for() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 2000);
    let counts = db.counters();
    assert_eq!(counts.pages_written(), counts.get(Counter::PagesAllocated));
    assert_eq!(
        counts.get(Counter::PageWrittenBytes),
        counts.pages_written() * 4096
    );
    let stats = db.stats().unwrap();
    let in_use = counts.get(Counter::PagesAllocated) - counts.get(Counter::PagesDropped);
    let header = stats.pages - stats.free_pages - in_use;
    // The header and its guard are not allocated.
    assert!(
        header <= 2,
        "{header} pages are in use that nobody allocated"
    );
}
