//! Load a million edges in random order in one bulk load, then measure what it took.
//!
//! ```text
//! cargo run --release -p vellum --example bulk_import
//! ```

use std::error::Error;
use std::time::Instant;

use vellum::{BulkEdge, BulkNode, Database, Direction, NodeId};

const NODES: u64 = 100_000;
const EDGES: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("bulk.vellum");
    let db = Database::create(&path)?;

    let nodes = (1..=NODES).map(|number| {
        Ok(BulkNode {
            id: None,
            kind: "page".to_owned(),
            name: format!("page-{number}"),
            data: format!(r#"{{"rank":{}}}"#, number % 97).into_bytes(),
        })
    });
    let edges = (0..EDGES).map(|number| {
        Ok(BulkEdge {
            source: scattered(number, 0x9E37_79B9_7F4A_7C15),
            label: "links".to_owned(),
            target: scattered(number, 0xC2B2_AE3D_27D4_EB4F),
            data: Vec::new(),
        })
    });

    let started = Instant::now();
    let report = db.bulk_load(nodes, edges, |_| {})?;
    db.close()?;
    let seconds = started.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "{} nodes and {} edges in {seconds:.2} s",
        report.nodes, report.edges
    );
    println!("{bytes} bytes, {:.2} per edge", bytes as f64 / EDGES as f64);

    let db = Database::open_read_only(&path)?;
    let txn = db.begin_read()?;
    let start = NodeId::new(1).ok_or("ids start at 1")?;
    println!(
        "page-1 links to {} pages",
        txn.degree(start, Direction::Out, None)?
    );
    println!(
        "{} pages are within two links",
        txn.k_hop(start, 2, Direction::Out, None)?.len()
    );
    Ok(())
}

/// A node chosen by multiplicative hashing (Knuth, volume 3, section 6.4).
fn scattered(number: u64, factor: u64) -> NodeId {
    let spread = (number + 1).wrapping_mul(factor) >> 20;
    NodeId::new(spread % NODES + 1).unwrap_or(NodeId::MIN)
}
