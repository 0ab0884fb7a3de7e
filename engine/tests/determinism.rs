//! The same operations give the same bytes, and so does the same graph once it is compacted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::sync::Arc;

use common::changes::{Changes, apply};
use common::{Model, assert_same, dump, id};
use vellum::storage::MemoryDirectory;
use vellum::{Builder, CheckpointMode, Database, NodeUpdate, WriteTxn};

const FILE_ID: [u8; 16] = *b"the same always.";
const ROUNDS: u64 = 40;

fn builder(files: &MemoryDirectory, page_size: usize) -> Builder {
    Database::builder()
        .in_directory(Arc::new(files.clone()))
        .page_size(page_size)
        .file_id(FILE_ID)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(256 << 10)
        .checkpoint(CheckpointMode::Inline)
}

/// Both files after each of some rounds of random changes, and the closed file.
struct Trace {
    states: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    evictions: u64,
}

fn contents(files: &MemoryDirectory) -> (Vec<u8>, Option<Vec<u8>>) {
    (
        files.contents("graph").unwrap(),
        files.contents("graph-log"),
    )
}

/// One round: committed, merged, reopened, or read in between, as its number says.
fn run_round(db: &Database, model: &mut Model, changes: &mut Changes, round: u64) {
    let mut txn = db.begin_write().unwrap();
    apply(&mut txn, model, &changes.next(15), true);
    txn.commit().unwrap();
    if round % 7 == 3 {
        db.checkpoint().unwrap();
    }
    if round % 10 == 9 {
        assert_same(&db.begin_read().unwrap(), model, true);
    }
}

fn trace(seed: u8, page_size: usize, cache_bytes: usize) -> Trace {
    let files = MemoryDirectory::new();
    let builder = builder(&files, page_size).cache_bytes(cache_bytes);
    let mut db = builder.create("graph").unwrap();
    let mut model = Model::new(false);
    let mut changes = Changes::seeded(seed);
    let mut trace = Trace {
        states: Vec::new(),
        evictions: 0,
    };
    for round in 0..ROUNDS {
        run_round(&db, &mut model, &mut changes, round);
        trace.states.push(contents(&files));
        trace.evictions += db.cache_stats().evictions;
        if round % 13 == 12 {
            db.close().unwrap();
            trace.states.push(contents(&files));
            db = builder.open("graph").unwrap();
        }
    }
    db.close().unwrap();
    trace.states.push(contents(&files));
    trace
}

#[test]
fn the_cache_leaves_no_trace_in_the_files() {
    for (seed, page_size) in [(1, 4096), (2, 4096), (3, 16384)] {
        let large = trace(seed, page_size, 64 << 20);
        let again = trace(seed, page_size, 64 << 20);
        let small = trace(seed, page_size, 4 * page_size);
        assert!(small.evictions > 100, "the small cache was never full");
        let (last, _) = large.states.last().unwrap();
        println!(
            "seed {seed}: {} states, {} bytes, {} evictions",
            large.states.len(),
            last.len(),
            small.evictions
        );
        assert!(large.states == again.states, "seed {seed}: the same run");
        assert!(large.states == small.states, "seed {seed}: a small cache");
    }
}

#[test]
fn other_operations_give_other_bytes() {
    let (one, other) = (trace(1, 4096, 64 << 20), trace(2, 4096, 64 << 20));
    assert!(one.states != other.states);
}

const NODES: u64 = 400;

fn kind(number: u64) -> String {
    format!("kind{}", number % 6)
}

fn data(number: u64) -> Vec<u8> {
    // Some are blobs of several pages.
    let len = if number.is_multiple_of(37) { 9_000 } else { 40 };
    vec![number as u8; len]
}

/// Source, label and target of every edge; the first ones define all labels.
fn edges() -> Vec<(u64, String, u64)> {
    let edge = |n: u64| (n * 7 % NODES + 1, format!("label{}", n % 4), n * n % 97 + 1);
    let mut edges: Vec<_> = (0..1_500).map(edge).collect();
    let mut seen = std::collections::BTreeSet::new();
    edges.retain(|edge| seen.insert(edge.clone()));
    edges
}

fn put_edge(txn: &mut WriteTxn, (source, label, target): &(u64, String, u64)) {
    txn.insert_edge(id(*source), label, id(*target), &source.to_le_bytes())
        .unwrap();
}

/// The graph, made in one transaction.
fn straight(db: &Database) {
    let mut txn = db.begin_write().unwrap();
    for number in 1..=NODES {
        txn.insert_node(&kind(number), &format!("name{number}"), &data(number))
            .unwrap();
    }
    edges().iter().for_each(|edge| put_edge(&mut txn, edge));
    for number in [5, 6, 7, 90, 200] {
        assert!(txn.delete_node(id(number)).unwrap());
    }
    txn.reserve_ids(10).unwrap();
    txn.commit().unwrap();
}

/// The same graph, made in many: other names and data first, edges in another order, edges and
/// reservations that do not stay, merged into the trees again and again.
fn roundabout(db: &Database) {
    for number in 1..=NODES {
        let mut txn = db.begin_write().unwrap();
        let node = txn.insert_node(&kind(number), "draft", &data(number + 1));
        let update = NodeUpdate::new();
        txn.update_node(node.unwrap(), update.name(&format!("name{number}")))
            .unwrap();
        txn.commit().unwrap();
        if number % 60 == 0 {
            db.checkpoint().unwrap();
        }
    }
    let mut edges = edges();
    edges[4..].reverse();
    for some in edges.chunks(100) {
        let mut txn = db.begin_write().unwrap();
        some.iter().for_each(|edge| put_edge(&mut txn, edge));
        let (source, label, target) = &some[0];
        let parallel = txn.insert_edge_returning(id(*source), label, id(*target), b"passing");
        let savepoint = txn.savepoint().unwrap();
        txn.insert_node("never", "never", b"").unwrap();
        txn.rollback_to(&savepoint).unwrap();
        assert!(
            txn.delete_edge(id(*source), label, id(*target), parallel.unwrap())
                .unwrap()
        );
        txn.commit().unwrap();
    }
    let mut txn = db.begin_write().unwrap();
    for number in [6, 200, 5, 90, 7] {
        assert!(txn.delete_node(id(number)).unwrap());
    }
    txn.commit().unwrap();
    finish(db);
}

fn finish(db: &Database) {
    db.checkpoint().unwrap();
    let mut txn = db.begin_write().unwrap();
    for number in (1..=NODES).rev() {
        let data = data(number);
        txn.update_node(id(number), NodeUpdate::new().data(&data))
            .unwrap();
    }
    txn.reserve_ids(3).unwrap();
    txn.reserve_ids(7).unwrap();
    txn.commit().unwrap();
}

#[test]
fn the_same_graph_compacts_to_the_same_bytes() {
    for page_size in [4096, 16384] {
        let [one, other] = [straight, roundabout].map(|history: fn(&Database)| {
            let files = MemoryDirectory::new();
            let db = builder(&files, page_size).create("graph").unwrap();
            history(&db);
            db.compact("compact").unwrap();
            let model = dump(&db.begin_read().unwrap(), false, true).unwrap();
            db.close().unwrap();
            let copy = builder(&files, page_size).open("compact").unwrap();
            assert_eq!(copy.check().unwrap().findings, []);
            assert_same(&copy.begin_read().unwrap(), &model, true);
            copy.close().unwrap();
            (
                model,
                contents(&files).0,
                files.contents("compact").unwrap(),
            )
        });
        assert_eq!(one.0, other.0, "the histories make the same graph");
        assert!(one.1 != other.1, "the histories leave different files");
        println!("{} bytes compacted", one.2.len());
        assert!(one.2 == other.2, "compacted, the files are the same");
    }
}
