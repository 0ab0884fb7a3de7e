//! Many rounds of everyday life: open, change, close; and open, change, lose the process, recover.
//! The content equals the model, the check is clean, nothing leaks, and the size stays bounded.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::path::{Path, PathBuf};

use common::changes::{Change, Changes, apply};
use common::{Model, assert_same, dump};
use vellum::{CheckpointMode, Database};

const ROUNDS: u64 = 200;

fn open(path: &Path) -> Database {
    Database::builder()
        .cache_bytes(16 * 4096)
        .log_segment_bytes(1 << 16)
        .checkpoint(CheckpointMode::Inline)
        .open(path)
        .unwrap()
}

fn create(path: &Path) -> Database {
    Database::builder()
        .log_segment_bytes(1 << 16)
        .create(path)
        .unwrap()
}

fn log_of(path: &Path) -> PathBuf {
    path.with_file_name(format!(
        "{}-log",
        path.file_name().unwrap().to_str().unwrap()
    ))
}

fn mutate(db: &Database, model: &mut Model, changes: &[Change]) {
    let mut txn = db.begin_write().unwrap();
    apply(&mut txn, model, changes, true);
    txn.commit().unwrap();
}

#[test]
fn open_change_close_two_hundred_times() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rounds.vellum");
    create(&path).close().unwrap();
    let mut model = Model::new(false);
    let mut changes = Changes::seeded(1);
    for round in 0..ROUNDS {
        let db = open(&path);
        assert!(db.recovery().is_none(), "round {round} was closed cleanly");
        assert_same(&db.begin_read().unwrap(), &model, true);
        mutate(&db, &mut model, &changes.next(12));
        assert_eq!(db.check().unwrap().findings, [], "round {round}");
        db.close().unwrap();
        assert!(!log_of(&path).exists(), "a clean close leaves one file");
    }
}

/// Copying both files of an open database gives what a killed process leaves behind: everything
/// that was handed to the operating system, and no clean close.
#[test]
fn open_change_die_recover_two_hundred_times() {
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().join("0.vellum");
    create(&path).close().unwrap();
    let mut model = Model::new(false);
    let mut changes = Changes::seeded(2);
    let mut replayed = 0;
    for round in 1..=ROUNDS {
        let db = open(&path);
        replayed += db.recovery().map_or(0, |recovery| recovery.records);
        assert_eq!(
            dump(&db.begin_read().unwrap(), false, true).unwrap(),
            model,
            "round {round}"
        );
        for _ in 0..round % 4 {
            mutate(&db, &mut model, &changes.next(5));
        }
        let image = dir.path().join(format!("{round}.vellum"));
        std::fs::copy(&path, &image).unwrap();
        if log_of(&path).exists() {
            std::fs::copy(log_of(&path), log_of(&image)).unwrap();
        }
        drop(db);
        std::fs::remove_file(&path).unwrap();
        path = image;
        let survivor = Database::open_read_only(&path).unwrap();
        assert_eq!(survivor.check().unwrap().findings, [], "round {round}");
    }
    assert!(
        replayed >= ROUNDS / 2,
        "only {replayed} records were replayed"
    );
}

#[test]
fn size_is_bounded_under_steady_churn() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("churn.vellum");
    create(&path).close().unwrap();
    let mut sizes = Vec::new();
    for round in 0..60u64 {
        let db = open(&path);
        let mut txn = db.begin_write().unwrap();
        let old: Vec<_> = txn
            .view()
            .unwrap()
            .nodes()
            .map(|node| node.unwrap().id())
            .collect();
        for node in old {
            assert!(txn.delete_node(node).unwrap());
        }
        let mut fresh = Vec::new();
        for number in 0..500 {
            let name = format!("churn-{round}-{number}");
            fresh.push(
                txn.insert_node("churn", &name, &vec![round as u8; 700])
                    .unwrap(),
            );
        }
        for pair in fresh.windows(2) {
            txn.insert_edge(pair[0], "next", pair[1], b"").unwrap();
        }
        txn.commit().unwrap();
        assert_eq!(db.check().unwrap().findings, [], "round {round}");
        db.close().unwrap();
        sizes.push(std::fs::metadata(&path).unwrap().len());
    }
    let settled = sizes[3];
    let largest = sizes[3..].iter().max().unwrap();
    assert!(*largest <= settled + settled / 4, "sizes grow: {sizes:?}");
}
