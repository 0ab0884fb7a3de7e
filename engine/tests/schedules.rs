//! A whole database under schedules that Shuttle chooses: `make schedules`, and with a race planted in it:
//! `make crash-self-test`.
#![cfg(shuttle)]
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner, thread};
use vellum::storage::MemoryDirectory;
use vellum::{
    Builder, CheckpointMode, Database, Direction, Durability, NodeId, NodeUpdate, ReadTxn,
};

/// Schedules of each test, unless the environment says how many.
const SCHEDULES: usize = 300;
const HEADS: [&str; 2] = ["first", "second"];

fn schedules() -> usize {
    let asked = std::env::var("SCHEDULES").ok();
    asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(SCHEDULES)
}

fn explore(test: fn()) {
    run(RandomScheduler::new(schedules()), test);
    run(PctScheduler::new(3, schedules()), test);
}

fn run(scheduler: impl Scheduler + 'static, test: fn()) {
    let mut config = Config::new();
    // Descents and merges need more than Shuttle's own default.
    config.stack_size = 1 << 20;
    config.max_steps = shuttle::MaxSteps::FailAfter(10_000_000);
    Runner::new(scheduler, config).run(test);
}

fn builder(directory: &MemoryDirectory, mode: CheckpointMode) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .file_id(*b"chosen schedules")
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(0)
        .cache_bytes(0)
        .checkpoint(mode)
}

fn head(writer: usize) -> NodeId {
    NodeId::new(writer as u64 + 1).unwrap()
}

/// Heads that count their edges, one for each writer.
fn begin(directory: &MemoryDirectory, mode: CheckpointMode) -> Database {
    let db = builder(directory, mode).create("graph").unwrap();
    let mut txn = db.begin_write().unwrap();
    for name in HEADS {
        txn.insert_node("head", name, b"0").unwrap();
    }
    txn.commit().unwrap();
    db
}

/// One commit: an entry, an edge to it, and one more on the count. `bytes` decides which way it goes.
fn write(db: &Database, writer: usize, number: u64, bytes: usize, durability: Durability) {
    let mut txn = db.begin_write().unwrap();
    txn.set_durability(durability);
    let entry = txn.insert_node("entry", "", &vec![7; bytes]).unwrap();
    txn.insert_edge(head(writer), "wrote", entry, b"").unwrap();
    let count = number.to_string();
    assert!(
        txn.update_node(head(writer), NodeUpdate::new().data(count.as_bytes()))
            .unwrap()
    );
    txn.commit().unwrap();
}

/// The counts, each of them the number of edges.
fn counts(txn: &ReadTxn) -> [u64; 2] {
    [0, 1].map(|writer| {
        let node = txn.node(head(writer)).unwrap().unwrap();
        let count: u64 = std::str::from_utf8(&node.data().unwrap())
            .unwrap()
            .parse()
            .unwrap();
        let degree = txn.degree(head(writer), Direction::Out, None).unwrap();
        assert_eq!(count, degree, "a snapshot shows half a commit");
        count
    })
}

/// What a killed process leaves now, opened.
fn killed(directory: &MemoryDirectory) -> [u64; 2] {
    let copy = MemoryDirectory::new();
    for name in ["graph", "graph-log"] {
        if let Some(bytes) = directory.contents(name) {
            copy.put(name, bytes);
        }
    }
    let db = builder(&copy, CheckpointMode::Inline)
        .open("graph")
        .unwrap();
    assert!(db.check().unwrap().is_sound());
    counts(&db.begin_read().unwrap())
}

fn everything(mode: CheckpointMode, bytes: usize) {
    let directory = MemoryDirectory::new();
    let db = begin(&directory, mode);
    let mut threads: Vec<_> = [Durability::Sync, Durability::None]
        .into_iter()
        .enumerate()
        .map(|(writer, durability)| {
            let db = db.clone();
            thread::spawn(move || (1..=3).for_each(|n| write(&db, writer, n, bytes, durability)))
        })
        .collect();
    threads.push(thread::spawn({
        let db = db.clone();
        move || {
            let mut before = [0; 2];
            for _ in 0..4 {
                let txn = db.begin_read().unwrap();
                let now = counts(&txn);
                assert!(
                    now[0] >= before[0] && now[1] >= before[1],
                    "a commit is gone"
                );
                db.drop_caches();
                assert_eq!(counts(&txn), now, "a snapshot changed");
                before = now;
            }
        }
    }));
    threads.push(thread::spawn({
        let db = db.clone();
        move || (0..2).for_each(|_| db.checkpoint().unwrap())
    }));
    threads.push(thread::spawn({
        let (db, directory) = (db.clone(), directory.clone());
        move || {
            db.backup("copy").unwrap();
            let copy = builder(&directory, CheckpointMode::Inline)
                .open_read_only("copy")
                .unwrap();
            counts(&copy.begin_read().unwrap());
        }
    }));
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(counts(&db.begin_read().unwrap()), [3, 3]);
    assert_eq!(killed(&directory), [3, 3], "a commit is lost");
    db.close().unwrap();
    assert_eq!(killed(&directory), [3, 3], "closing lost a commit");
}

/// A race planted in the checkpoint is found within the schedules of one test, and not without it.
#[cfg(vellum_plant)]
#[test]
fn a_planted_race_is_found() {
    let test = || everything(CheckpointMode::Inline, 10);
    explore(test);
    vellum::plant::plant("checkpoint-misses-commits");
    let found = std::panic::catch_unwind(|| explore(test));
    vellum::plant::plant("");
    assert!(found.is_err(), "no schedule shows the lost commit");
}

#[cfg(not(vellum_plant))]
#[test]
fn small_commits() {
    explore(|| everything(CheckpointMode::Inline, 10));
}

#[cfg(not(vellum_plant))]
#[test]
fn commits_that_switch_segments_and_outgrow_the_buffer() {
    explore(|| everything(CheckpointMode::Background, 40_000));
}
