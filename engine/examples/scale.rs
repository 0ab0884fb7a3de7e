//! Load nodes, then edges in random order and durable batches, and read them back: throughput,
//! bytes written per byte of the final file, time per read, and the peak of resident memory.
//!
//! ```text
//! cargo run --release -p vellum --example scale -- [NODES] [EDGES] [CACHE_MIB] [unique|parallel] [batch|bulk]
//! ```
//!
//! Defaults: 1000000 10000000 32 parallel batch. The figures of `docs/performance.md` come from here.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use vellum::{BulkEdge, BulkNode, Database, Direction, NodeId, ReadTxn};

const LABELS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const NODES_PER_COMMIT: u64 = 1_000;
const EDGES_PER_COMMIT: u64 = 10_000;
const READS: u64 = 1_000_000;

struct Plan {
    nodes: u64,
    edges: u64,
    cache_mib: usize,
    unique: bool,
    bulk: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let plan = plan()?;
    let folder = tempfile::Builder::new().prefix("scale").tempdir_in(".")?;
    let path = folder.path().join("scale.vellum");
    let db = Database::builder()
        .cache_bytes(plan.cache_mib << 20)
        .unique_edges(plan.unique)
        .create(&path)?;
    if plan.bulk {
        load_bulk(&db, &plan)?
    } else {
        load_batches(&db, &plan)?
    }
    let written = written_bytes();
    db.close()?;
    let bytes = std::fs::metadata(&path)?.len();
    println!("file: {bytes} bytes");
    if let Some(written) = written {
        println!(
            "written to storage per byte of the file: {:.2}",
            written as f64 / bytes as f64
        );
    }
    println!("peak resident after loading: {} MiB", peak_resident_mib());

    let db = Database::builder()
        .cache_bytes(plan.cache_mib << 20)
        .open(&path)?;
    let stats = db.stats()?;
    for tree in &stats.trees {
        println!(
            "{:>10}: height {}, {} entries, {} pages",
            tree.space, tree.height, tree.entries, tree.pages
        );
    }
    read(&db.begin_read()?, &plan)?;
    println!("peak resident at the end: {} MiB", peak_resident_mib());
    Ok(())
}

fn plan() -> Result<Plan, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u64| -> Result<u64, std::num::ParseIntError> {
        arguments
            .get(index)
            .map_or(Ok(default), |text| text.parse())
    };
    Ok(Plan {
        nodes: number(0, 1_000_000)?,
        edges: number(1, 10_000_000)?,
        cache_mib: usize::try_from(number(2, 32)?)?,
        unique: arguments.get(3).is_some_and(|word| word == "unique"),
        bulk: arguments.get(4).is_some_and(|word| word == "bulk"),
    })
}

fn load_batches(db: &Database, plan: &Plan) -> Result<(), vellum::Error> {
    let started = Instant::now();
    for first in (0..plan.nodes).step_by(NODES_PER_COMMIT as usize) {
        let mut txn = db.begin_write()?;
        for number in first..plan.nodes.min(first + NODES_PER_COMMIT) {
            let node = node(number);
            txn.insert_node(&node.kind, &node.name, &node.data)?;
        }
        txn.commit()?;
    }
    rate("nodes", plan.nodes, started);
    let started = Instant::now();
    for first in (0..plan.edges).step_by(EDGES_PER_COMMIT as usize) {
        let mut txn = db.begin_write()?;
        for number in first..plan.edges.min(first + EDGES_PER_COMMIT) {
            let edge = edge(number, plan.nodes);
            txn.insert_edge(edge.source, &edge.label, edge.target, b"")?;
        }
        txn.commit()?;
    }
    rate("edges", plan.edges, started);
    db.checkpoint()?;
    rate("edges, settled", plan.edges, started);
    Ok(())
}

fn load_bulk(db: &Database, plan: &Plan) -> Result<(), vellum::Error> {
    let started = Instant::now();
    let nodes = (0..plan.nodes).map(|number| Ok(node(number)));
    let edges = (0..plan.edges).map(|number| Ok(edge(number, plan.nodes)));
    db.bulk_load(nodes, edges, |_| {})?;
    rate("edges, bulk with nodes", plan.edges, started);
    Ok(())
}

fn read(txn: &ReadTxn, plan: &Plan) -> Result<(), vellum::Error> {
    let started = Instant::now();
    let mut bytes = 0;
    for number in 0..READS {
        let id = pick(number, plan.nodes, 3);
        if let Some(node) = txn.node(id)? {
            bytes += node.name().len() + node.data()?.len();
        }
    }
    println!(
        "get node: {} ns each ({} bytes)",
        per(started, READS),
        black_box(bytes)
    );
    for direction in [Direction::Out, Direction::In] {
        let started = Instant::now();
        let mut sum = 0u64;
        for number in 0..READS {
            for peer in txn.neighbors(pick(number, plan.nodes, 5), direction, None) {
                sum = sum.wrapping_add(peer?.get());
            }
        }
        println!(
            "{direction:?}-neighbours: {} ns a node ({})",
            per(started, READS),
            black_box(sum)
        );
    }
    Ok(())
}

fn node(number: u64) -> BulkNode {
    BulkNode {
        id: None,
        kind: format!("kind-{}", mix(number) % 16),
        name: format!("node-{number}"),
        data: format!(
            r#"{{"number":{number},"text":"{}"}}"#,
            "x".repeat((mix(number) % 100) as usize)
        )
        .into_bytes(),
    }
}

fn edge(number: u64, nodes: u64) -> BulkEdge {
    BulkEdge {
        source: pick(number, nodes, 1),
        label: LABELS[(mix(number) % 8) as usize].to_owned(),
        target: pick(number, nodes, 2),
        data: Vec::new(),
    }
}

fn pick(number: u64, nodes: u64, stream: u64) -> NodeId {
    NodeId::new(mix(number.wrapping_mul(8).wrapping_add(stream)) % nodes + 1).unwrap_or(NodeId::MIN)
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn rate(what: &str, count: u64, started: Instant) {
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{what}: {:.0} a second ({seconds:.2} s)",
        count as f64 / seconds
    );
}

fn per(started: Instant, count: u64) -> u128 {
    started.elapsed().as_nanos() / u128::from(count)
}

/// Bytes this process has handed to the operating system, where it says so.
fn written_bytes() -> Option<u64> {
    field("/proc/self/io", "wchar:")
}

fn peak_resident_mib() -> String {
    field("/proc/self/status", "VmHWM:")
        .map_or("unknown".to_owned(), |kib| (kib / 1024).to_string())
}

fn field(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
