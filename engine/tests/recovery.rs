//! What recovery tells while it works and afterwards, and that it can be interrupted by the next
//! crash at any time.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::sync::{Arc, Mutex};

use common::disk::SyncedDisk;
use common::{Model, dump, id};
use vellum::storage::MemoryDirectory;
use vellum::{
    Builder, CheckpointMode, CommitKind, Database, Error, RecoveryProgress, RecoveryReport,
};

const NAME: &str = "graph";
const LOG: &str = "graph-log";

fn options(directory: &MemoryDirectory) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .write_buffer_bytes(64 << 10)
        .log_segment_bytes(64 << 10)
        .checkpoint(CheckpointMode::Inline)
}

fn content(db: &Database) -> Model {
    dump(&db.begin_read().unwrap(), false, true).unwrap()
}

/// What a process that is killed now leaves behind.
fn crash(directory: &MemoryDirectory) -> MemoryDirectory {
    let image = MemoryDirectory::new();
    for name in [NAME, LOG] {
        if let Some(bytes) = directory.contents(name) {
            image.put(name, bytes);
        }
    }
    image
}

fn commit(db: &Database, round: u64) {
    let mut txn = db.begin_write().unwrap();
    let kind = format!("kind{}", round % 3);
    let fresh = txn
        .insert_node(&kind, &format!("node-{round}"), b"fresh")
        .unwrap();
    txn.insert_edge(fresh, "self", fresh, &round.to_le_bytes())
        .unwrap();
    if fresh.get() > 2 {
        txn.insert_edge(fresh, "before", id(fresh.get() - 1), b"")
            .unwrap();
        txn.delete_edge(id(fresh.get() - 1), "self", id(fresh.get() - 1), 0)
            .unwrap();
    }
    txn.commit().unwrap();
}

fn commit_large(db: &Database) {
    let mut txn = db.begin_write().unwrap();
    for number in 0..150u64 {
        txn.insert_node("large", &format!("large-{number}"), &[7; 600])
            .unwrap();
    }
    assert_eq!(txn.commit().unwrap().how, CommitKind::Flip);
}

/// Opens, and returns every call of the progress function too.
fn recover(builder: Builder, read_only: bool) -> (Database, Vec<RecoveryProgress>) {
    let calls: Arc<Mutex<Vec<RecoveryProgress>>> = Arc::default();
    let seen = Arc::clone(&calls);
    let builder = builder.on_recovery(move |progress| seen.lock().unwrap().push(progress));
    let db = match read_only {
        true => builder.open_read_only(NAME),
        false => builder.open(NAME),
    };
    let db = db.unwrap();
    let calls = calls.lock().unwrap().clone();
    (db, calls)
}

#[test]
fn progress_rises_record_by_record_to_what_the_report_says() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    (0..25).for_each(|round| commit(&db, round));
    let image = crash(&directory);
    for read_only in [true, false] {
        let (recovered, calls) = recover(options(&image), read_only);
        let report = recovered.recovery().unwrap().clone();
        assert_eq!((report.records, report.commits), (25, 25));
        assert_eq!((report.dropped_bytes, report.repaired), (0, false));
        assert_eq!(calls.len() as u64, report.records);
        for (number, call) in (1..).zip(&calls) {
            assert_eq!(call.records, number);
        }
        assert!(calls.windows(2).all(|pair| pair[0].bytes < pair[1].bytes));
        assert_eq!(calls.last().unwrap().bytes, report.bytes);
        assert!(report.bytes >= 25 * 48, "records have headers");
        assert!(content(&recovered) == content(&db));
    }
}

#[test]
fn only_what_is_not_merged_yet_is_replayed() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    let replayed = || {
        let (recovered, calls) = recover(options(&crash(&directory)), false);
        assert!(content(&recovered) == content(&db));
        assert_eq!(recovered.check().unwrap().findings, []);
        let report = recovered.recovery().cloned();
        assert_eq!(
            report.as_ref().map_or(0, |report| report.records),
            calls.len() as u64
        );
        report.map(|report| report.records)
    };
    assert_eq!(replayed(), None, "nothing was written");
    (0..5).for_each(|round| commit(&db, round));
    assert_eq!(replayed(), Some(5));
    db.checkpoint().unwrap();
    assert_eq!(replayed(), Some(0));
    (5..8).for_each(|round| commit(&db, round));
    assert_eq!(replayed(), Some(3));
    commit_large(&db);
    assert_eq!(replayed(), Some(0), "its header slot is written");
    commit(&db, 8);
    assert_eq!(replayed(), Some(1));
    db.close().unwrap();
    let (closed, calls) = recover(options(&directory), false);
    assert_eq!((closed.recovery(), calls.len()), (None, 0));
}

#[test]
fn recovering_twice_gives_the_same() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    (0..9).for_each(|round| commit(&db, round));
    db.checkpoint().unwrap();
    (9..20).for_each(|round| commit(&db, round));
    let expected = content(&db);
    let mut image = crash(&directory);
    let mut reports: Vec<RecoveryReport> = Vec::new();
    for round in 0..6 {
        let (recovered, _) = recover(options(&image), round % 2 == 0);
        assert!(content(&recovered) == expected, "round {round}");
        assert_eq!(recovered.check().unwrap().findings, []);
        reports.push(recovered.recovery().unwrap().clone());
        // Killed again before it wrote anything.
        image = crash(&image);
    }
    assert_eq!(reports[0].records, 11);
    assert!(reports.iter().all(|report| *report == reports[0]));
}

#[test]
fn a_read_only_recovery_changes_no_byte() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    (0..9).for_each(|round| commit(&db, round));
    let image = crash(&directory);
    let (database, log) = (image.contents(NAME), image.contents(LOG));
    let (recovered, _) = recover(options(&image), true);
    assert!(content(&recovered) == content(&db));
    recovered.close().unwrap();
    assert!(image.contents(NAME) == database && image.contents(LOG) == log);
}

/// Recover, write, die, over and over, at different moments of a session's life.
#[test]
fn a_crash_after_a_recovery_is_recovered_too() {
    let mut directory = MemoryDirectory::new();
    drop(options(&directory).create(NAME).unwrap());
    let mut expected = Model::new(false);
    let mut replayed = 0;
    for round in 0..60u64 {
        let (db, _) = recover(options(&directory), false);
        assert!(content(&db) == expected, "round {round}");
        assert_eq!(db.check().unwrap().findings, [], "round {round}");
        replayed += db.recovery().map_or(0, |report| report.records);
        (0..round % 4).for_each(|number| commit(&db, round * 10 + number));
        if round % 5 == 1 {
            db.checkpoint().unwrap();
        }
        if round % 7 == 2 {
            commit_large(&db);
        }
        if round % 3 == 1 {
            commit(&db, round * 10 + 9);
        }
        expected = content(&db);
        // A transaction that has not committed leaves no trace, not even a large one.
        let mut open = db.begin_write().unwrap();
        for number in 0..(round % 2 * 150) {
            open.insert_node("lost", &format!("lost-{number}"), &[1; 600])
                .unwrap();
        }
        directory = crash(&directory);
    }
    assert!(replayed > 20, "only {replayed} records were replayed");
}

#[test]
fn a_record_cut_short_is_dropped_and_told() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    commit(&db, 0);
    commit(&db, 1);
    let before = content(&db);
    commit(&db, 2);
    let whole = crash(&directory);
    let last = recover(options(&whole), true).1;
    let record = (last[2].bytes - last[1].bytes) as usize;
    let mut log = whole.contents(LOG).unwrap();
    let end = log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    log[end - record / 2..].fill(0);
    let torn = crash(&whole);
    torn.put(LOG, log);
    let (recovered, calls) = recover(options(&torn), false);
    let report = recovered.recovery().unwrap();
    assert_eq!((calls.len(), report.records, report.commits), (2, 2, 2));
    assert!(report.dropped_bytes > 0);
    assert!(content(&recovered) == before);
    // Its place is written again.
    commit(&recovered, 3);
    let again = recover(options(&crash(&torn)), false).0;
    assert!(content(&again) == content(&recovered));
}

#[test]
fn a_missing_log_is_told_and_nothing_is_changed() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    commit(&db, 0);
    let whole = crash(&directory);
    let alone = MemoryDirectory::new();
    alone.put(NAME, whole.contents(NAME).unwrap());
    for opened in [
        options(&alone).open(NAME),
        options(&alone).open_read_only(NAME),
    ] {
        let Some(Error::Corrupt(corruption)) = opened.err() else {
            panic!("the log is part of the database")
        };
        assert_eq!(corruption.file, "-log");
        assert!(corruption.what.contains(LOG), "{}", corruption.what);
    }
    assert!(alone.contents(NAME) == whole.contents(NAME));
    assert!(alone.contents(LOG).is_none());
    alone.put(LOG, whole.contents(LOG).unwrap());
    assert!(content(&recover(options(&alone), false).0) == content(&db));
}

/// A process that died while closing leaves a header that names no log, in the operating system's memory
/// alone. The next one reads it and begins a new log in the place of the old: a power cut must not find
/// the older header then, which names a log that is gone.
#[test]
fn what_a_dead_process_did_not_sync_is_synced_before_it_is_relied_upon() {
    let disk = SyncedDisk::default();
    let options = || {
        Database::builder()
            .in_directory(disk.directory())
            .checkpoint(CheckpointMode::Inline)
    };
    let db = options().create("graph").unwrap();
    let mut txn = db.begin_write().unwrap();
    txn.insert_node("kind", "kept", b"").unwrap();
    txn.commit().unwrap();
    let durable = disk.survivors();
    db.close().unwrap();
    let closed = disk.survivors().contents("graph").unwrap();
    disk.seem("graph", &closed, &durable.contents("graph").unwrap());
    let log = durable.contents("graph-log").unwrap();
    disk.seem("graph-log", &log, &log);
    let before = disk.history().len();
    let db = options().open("graph").unwrap();
    let mut txn = db.begin_write().unwrap();
    txn.insert_node("kind", "new", b"").unwrap();
    txn.commit().unwrap();
    let cuts = disk.history().split_off(before);
    assert!(
        cuts.iter().any(|(name, _)| name.is_empty()),
        "the log was replaced"
    );
    for (name, survivors) in cuts {
        let db = Database::builder()
            .in_directory(Arc::new(survivors))
            .open("graph")
            .unwrap_or_else(|error| panic!("after the sync of {name:?}: {error}"));
        let txn = db.begin_read().unwrap();
        assert_eq!(
            txn.nodes_named("kept").count(),
            1,
            "after the sync of {name:?}"
        );
    }
}
