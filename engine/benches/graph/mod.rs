//! The graph that the benchmarks read and extend.
#![allow(unreachable_pub, missing_docs)]

use std::sync::Arc;

use vellum::storage::MemoryDirectory;
use vellum::{BulkEdge, BulkNode, CheckpointMode, Database, NodeId};

pub const NODES: u64 = 10_000;
const EDGES_EACH: u64 = 10;

/// 10,000 nodes and 100,000 edges between random ones, in memory, all of it in the trees.
pub fn build() -> vellum::Result<Database> {
    let db = Database::builder()
        .in_directory(Arc::new(MemoryDirectory::new()))
        .file_id([7; 16])
        .checkpoint(CheckpointMode::Inline)
        .create("graph")?;
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

/// A node that has nothing to do with the one before. The multiplier is that of SplitMix64.
pub fn pick(number: u64) -> NodeId {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    NodeId::new(mixed % NODES + 1).unwrap_or(NodeId::MIN)
}
