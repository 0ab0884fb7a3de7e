//! One call at a time, for counting its instructions: `calls get|neighbours|insert|commit`. Run by
//! `make bench-forensics`, under valgrind, which collects inside the functions named `measured_…` only.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;

use vellum::storage::MemoryDirectory;
use vellum::{CheckpointMode, Database, Direction, NodeId, ReadTxn, WriteTxn};

const NODES: u64 = 2_000;

#[inline(never)]
fn measured_get(txn: &ReadTxn, node: NodeId) -> usize {
    txn.node(node).unwrap().unwrap().name().len()
}

#[inline(never)]
fn measured_neighbours(txn: &ReadTxn, node: NodeId) -> usize {
    txn.neighbors(node, Direction::Out, None).count()
}

#[inline(never)]
fn measured_insert(txn: &mut WriteTxn, target: NodeId) {
    let node = txn.insert_node("kind", "name", b"{}").unwrap();
    txn.insert_edge(node, "label", target, b"").unwrap();
}

#[inline(never)]
fn measured_commit(txn: WriteTxn) -> u64 {
    txn.commit().unwrap().log_bytes
}

/// A graph in memory, all of it in the trees, its pages read once.
fn build() -> vellum::Result<Database> {
    let db = Database::builder()
        .in_directory(Arc::new(MemoryDirectory::new()))
        .file_id([7; 16])
        .checkpoint(CheckpointMode::Inline)
        .create("graph")?;
    let mut txn = db.begin_write()?;
    let mut nodes = Vec::new();
    for number in 0..NODES {
        nodes.push(txn.insert_node("kind", &format!("node {number}"), b"{}")?);
    }
    for (place, source) in nodes.iter().enumerate() {
        for target in nodes.iter().cycle().skip(place * 7).take(8) {
            txn.insert_edge(*source, "label", *target, b"")?;
        }
    }
    txn.commit()?;
    db.checkpoint()?;
    let txn = db.begin_read()?;
    for node in nodes {
        txn.node(node)?;
        txn.neighbors(node, Direction::Out, None).count();
    }
    drop(txn);
    // The log exists before a commit is measured.
    let mut txn = db.begin_write()?;
    txn.insert_node("kind", "warm", b"")?;
    txn.commit()?;
    db.checkpoint()?;
    Ok(db)
}

fn main() -> ExitCode {
    let db = build().unwrap();
    let node = NodeId::new(NODES / 3).unwrap();
    match std::env::args().nth(1).as_deref() {
        Some("get") => {
            black_box(measured_get(&db.begin_read().unwrap(), black_box(node)));
        }
        Some("neighbours") => {
            black_box(measured_neighbours(
                &db.begin_read().unwrap(),
                black_box(node),
            ));
        }
        Some("insert") => {
            measured_insert(&mut db.begin_write().unwrap(), black_box(node));
        }
        Some("commit") => {
            let mut txn = db.begin_write().unwrap();
            change_something(&mut txn, node);
            black_box(measured_commit(txn));
        }
        // `cargo bench` without a choice passes its own flags.
        _ => eprintln!("calls: name one of get, neighbours, insert, commit"),
    }
    ExitCode::SUCCESS
}

/// What the commit has to write.
#[inline(never)]
fn change_something(txn: &mut WriteTxn, target: NodeId) {
    let node = txn.insert_node("kind", "name", b"{}").unwrap();
    txn.insert_edge(node, "label", target, b"").unwrap();
}
