//! The graph that the benchmarks read and extend.
#![allow(unreachable_pub, missing_docs, dead_code)]

use std::sync::Arc;

use vellum::storage::MemoryDirectory;
use vellum::{BulkEdge, BulkNode, CheckpointMode, Database, NodeId};

pub const NODES: u64 = 10_000;
const EDGES_EACH: u64 = 10;

/// Degrees of the nodes that `hubs` returns.
pub const DEGREES: [u64; 4] = [1, 10, 100, 1_000];

/// 10,000 nodes and 100,000 edges between random ones, in memory, all of it in the trees.
pub fn build() -> vellum::Result<Database> {
    within(64 << 20)
}

/// An empty database in memory.
fn empty(cache_bytes: usize) -> vellum::Result<Database> {
    Database::builder()
        .in_directory(Arc::new(MemoryDirectory::new()))
        .file_id([7; 16])
        .checkpoint(CheckpointMode::Inline)
        .cache_bytes(cache_bytes)
        .create("graph")
}

/// The same graph behind a cache of this size.
pub fn within(cache_bytes: usize) -> vellum::Result<Database> {
    let db = empty(cache_bytes)?;
    let nodes = (0..NODES).map(|number| {
        Ok(BulkNode {
            id: None,
            kind: format!("kind {}", number % 7),
            name: format!("node {number}"),
            data: br#"{"some":"json"}"#.to_vec(),
        })
    });
    let edges = (0..NODES * EDGES_EACH).map(|number| {
        Ok(BulkEdge {
            source: pick(number),
            label: format!("label {}", number % 3),
            target: pick(number.wrapping_mul(31).wrapping_add(17)),
            data: Vec::new(),
        })
    });
    db.bulk_load(nodes, edges, |_| {})?;
    Ok(db)
}

/// Nodes with as many outgoing edges as `DEGREES` says, of three labels, to random others.
pub fn hubs() -> vellum::Result<(Database, Vec<NodeId>)> {
    let db = empty(64 << 20)?;
    let mut txn = db.begin_write()?;
    for _ in 0..NODES {
        txn.insert_node("kind", "node", b"")?;
    }
    let hubs: Vec<NodeId> = (1..=DEGREES.len() as u64).map(pick).collect();
    for (hub, degree) in hubs.iter().zip(DEGREES) {
        for number in 0..degree {
            let label = format!("label {}", number % 3);
            txn.insert_edge(*hub, &label, pick(number + 100), b"")?;
        }
    }
    txn.commit()?;
    db.checkpoint()?;
    Ok((db, hubs))
}

/// A node that has nothing to do with the one before. The multiplier is that of SplitMix64.
pub fn pick(number: u64) -> NodeId {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    NodeId::new(mixed % NODES + 1).unwrap_or(NodeId::MIN)
}
