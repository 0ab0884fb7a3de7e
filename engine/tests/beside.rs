//! Merging both directions of many edges at once: a second thread changes neither the file nor what an error means.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::sync::Arc;

use common::faulty::{Fault, Faulty, Torn};
use common::id;
use vellum::storage::MemoryDirectory;
use vellum::{Builder, BulkEdge, BulkNode, CheckpointMode, Database, Direction, Error, ReadTxn};

const NODES: u64 = 2_000;
/// Loaded first, so that the changes after it are less than the trees and wait for a checkpoint that is asked for.
const LOADED: u64 = 150_000;
/// More than the engine merges by one thread.
const ADDED: u64 = 20_000;

fn builder(directory: impl vellum::storage::Directory + 'static, mode: CheckpointMode) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory))
        .file_id([3; 16])
        .checkpoint(mode)
}

/// Two nodes that have nothing to do with those of the number before. The multiplier is that of SplitMix64.
fn ends(number: u64) -> (u64, u64) {
    let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed >> 20) % NODES + 1, (mixed >> 40) % NODES + 1)
}

fn load(db: &Database) {
    let nodes = (0..NODES).map(|number| {
        Ok(BulkNode {
            id: None,
            kind: "kind".to_owned(),
            name: format!("node {number}"),
            data: Vec::new(),
        })
    });
    let edges = (0..LOADED).map(|number| {
        Ok(BulkEdge {
            source: id(ends(number).0),
            label: format!("label {}", number % 3),
            target: id(ends(number).1),
            data: Vec::new(),
        })
    });
    db.bulk_load(nodes, edges, |_| {}).unwrap();
}

/// Adds edges, some with data, and takes back some of those that were loaded.
fn change(db: &Database, round: u64) {
    let mut txn = db.begin_write().unwrap();
    for number in (round + 10) * ADDED..(round + 11) * ADDED {
        let (source, target) = ends(number);
        let data: &[u8] = if number.is_multiple_of(50) {
            b"data"
        } else {
            b""
        };
        txn.insert_edge(id(source), "label 1", id(target), data)
            .unwrap();
    }
    for number in round * 500..(round + 1) * 500 {
        let (source, target) = ends(number);
        let label = format!("label {}", number % 3);
        txn.delete_edge(id(source), &label, id(target), 0).unwrap();
    }
    txn.commit().unwrap();
}

/// Sums over every edge, from either end.
fn sums(txn: &ReadTxn) -> [(u64, u64); 2] {
    [Direction::Out, Direction::In].map(|direction| {
        let of = |node: u64| {
            let peers = txn.neighbors(id(node), direction, None);
            let peers: Vec<u64> = peers.map(|peer| peer.unwrap().get()).collect();
            (peers.len() as u64, peers.iter().sum::<u64>() * node)
        };
        (1..=NODES)
            .map(of)
            .fold((0, 0), |(count, sum), (more, add)| {
                (count + more, sum + add)
            })
    })
}

#[test]
fn a_second_thread_leaves_the_same_file() {
    let [one, two] = [CheckpointMode::Inline, CheckpointMode::Background].map(|mode| {
        let files = MemoryDirectory::new();
        let db = builder(files.clone(), mode).create("graph").unwrap();
        load(&db);
        let mut states = Vec::new();
        for round in 0..3 {
            change(&db, round);
            db.checkpoint().unwrap();
            states.push(files.contents("graph").unwrap());
        }
        let [out, inn] = sums(&db.begin_read().unwrap());
        assert_eq!(out, inn, "both ends of every edge");
        assert!(db.check().unwrap().findings.is_empty());
        states
    });
    assert!(one == two);
}

#[test]
fn a_checkpoint_by_two_threads_that_failed_is_repeated() {
    let faults = [Fault::Read, Fault::NoSpace, Fault::Write(Torn::Nothing)];
    for (fault, step) in faults.into_iter().zip([10, 1, 1]) {
        let mut failed = 0;
        for after in (0..).step_by(step) {
            let faulty = Faulty::new(Arc::new(MemoryDirectory::new()));
            let mode = CheckpointMode::Background;
            let db = builder(faulty.clone(), mode).create("graph").unwrap();
            load(&db);
            change(&db, 0);
            let before = sums(&db.begin_read().unwrap());
            db.drop_caches();
            faulty.plan(fault, after, false);
            let first = db.checkpoint();
            faulty.heal();
            if let Err(error) = &first {
                assert!(
                    matches!(error, Error::Io { .. } | Error::Full { .. }),
                    "{error:?}"
                );
                failed += 1;
            }
            // Where nobody can know what the disk holds, writing has ended; what was committed is there.
            match db.checkpoint() {
                Ok(()) => {}
                Err(Error::Poisoned) if faulty.failed().iter().any(|call| call.is_final()) => {}
                Err(error) => panic!("{fault:?} after {after}: {error:?}"),
            }
            assert_eq!(sums(&db.begin_read().unwrap()), before);
            if first.is_ok() {
                break;
            }
        }
        assert!(failed > 2, "{fault:?} was met {failed} times");
    }
}
