//! Reads beside their limit, an adjacency in plain arrays: medians of interleaved rounds in one process,
//! so that what else the machine does falls on both. Run by `make bench-limits`.
//!
//! ```text
//! cargo bench -p vellum --bench limits -- [NODES] [EDGES] [CACHE_MIB]
//! ```
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout
)]

#[path = "graph/csr.rs"]
mod csr;

use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use csr::Csr;
use vellum::{BulkEdge, BulkNode, Database, Direction, NodeId, ReadTxn};

const ROUNDS: usize = 7;
const READS: u64 = 200_000;

fn main() {
    let numbers: Vec<u64> = std::env::args()
        .filter_map(|word| word.parse().ok())
        .collect();
    let number = |index: usize, default| numbers.get(index).copied().unwrap_or(default);
    let (nodes, edges) = (number(0, 100_000), number(1, 1_000_000));
    let folder = tempfile::Builder::new()
        .prefix("limits")
        .tempdir_in(".")
        .unwrap();
    let path = folder.path().join("limits.vellum");
    let cache = (number(2, 512) as usize) << 20;
    let builder = || Database::builder().cache_bytes(cache);
    let db = builder().create(&path).unwrap();
    let started = Instant::now();
    let report = db
        .bulk_load(
            (0..nodes).map(|number| Ok(node(number))),
            (0..edges).map(|number| Ok(edge(number, nodes))),
            |_| {},
        )
        .unwrap();
    let per_second = report.edges as f64 / started.elapsed().as_secs_f64();
    db.close().unwrap();
    let db = builder().open(&path).unwrap();
    let bytes: u64 = db.stats().unwrap().trees[1..3]
        .iter()
        .map(|tree| tree.pages * 4096)
        .sum();
    println!(
        "{nodes} nodes, {edges} edges; bulk load {per_second:.0} edges a second; {:.2} bytes an edge",
        bytes as f64 / edges as f64
    );
    let csr = Csr::of(
        nodes,
        (0..nodes).map(|number| [node(number).name.into_bytes(), node(number).data].concat()),
        (0..edges).map(|number| {
            let (source, target) = ends(number, nodes);
            let label = (mix(number) % 8) as u32;
            (source.get() as u32, target.get() as u32, label)
        }),
    );
    let txn = db.begin_read().unwrap();
    reads(&txn, &csr, nodes);
    scans(&txn, &csr, nodes, edges);
    names(&txn, nodes);
    let snapshots = || {
        (0..READS)
            .map(|i| {
                db.begin_read()
                    .unwrap()
                    .node(pick(i, nodes, 3))
                    .unwrap()
                    .map_or(0, |node| u64::from(node.data().unwrap()[0]))
            })
            .sum()
    };
    report_row("get node, own snapshot", READS, &[&snapshots]);
}

fn reads(txn: &ReadTxn, csr: &Csr, nodes: u64) {
    let get = || {
        (0..READS)
            .map(|i| {
                let node = txn.node(pick(i, nodes, 3)).unwrap().unwrap();
                sum(node.name().as_bytes()) + sum(&node.data().unwrap())
            })
            .sum()
    };
    let limit = || (0..READS).map(|i| sum(csr.record(pick(i, nodes, 3)))).sum();
    report_row("get node, all bytes summed", READS, &[&get, &limit]);
    let miss = || {
        let absent = |i| NodeId::new(nodes + 1 + pick(i, nodes, 3).get()).unwrap();
        (0..READS)
            .map(|i| u64::from(txn.node(absent(i)).unwrap().is_some()))
            .sum()
    };
    report_row("get an absent node", READS, &[&miss]);
    lists(txn, csr, nodes, "outgoing neighbours", Direction::Out);
    lists(txn, csr, nodes, "incoming neighbours", Direction::In);
    let labelled = || {
        (0..READS)
            .map(|i| {
                txn.neighbors(pick(i, nodes, 5), Direction::Out, Some("b"))
                    .map(|peer| peer.unwrap().get())
                    .sum::<u64>()
            })
            .sum()
    };
    report_row("outgoing neighbours of one label", READS, &[&labelled]);
    let degree = || {
        (0..READS)
            .map(|i| txn.degree(pick(i, nodes, 5), Direction::Out, None).unwrap())
            .sum()
    };
    report_row("degree", READS, &[&degree]);
}

/// Neighbours of random nodes, without and with the labels of the edges.
fn lists(txn: &ReadTxn, csr: &Csr, nodes: u64, name: &str, direction: Direction) {
    let list = || {
        (0..READS)
            .map(|i| {
                txn.neighbors(pick(i, nodes, 5), direction, None)
                    .map(|peer| peer.unwrap().get())
                    .sum::<u64>()
            })
            .sum()
    };
    let limit = || {
        (0..READS)
            .map(|i| {
                csr.neighbors(pick(i, nodes, 5), direction)
                    .iter()
                    .map(|edge| u64::from(csr::peer(*edge)))
                    .sum::<u64>()
            })
            .sum()
    };
    report_row(name, READS, &[&list, &limit]);
    let visited = || {
        let mut sum = 0;
        for i in 0..READS {
            let node = pick(i, nodes, 5);
            txn.visit_neighbors(node, direction, None, |found| -> ControlFlow<()> {
                sum += found.node.get() << 8 | u64::from(found.label.0);
                ControlFlow::Continue(())
            })
            .unwrap();
        }
        sum
    };
    let limit = || {
        (0..READS)
            .map(|i| {
                csr.neighbors(pick(i, nodes, 5), direction)
                    .iter()
                    .map(|edge| u64::from(csr::peer(*edge)) << 8 | u64::from(edge & 7))
                    .sum::<u64>()
            })
            .sum()
    };
    report_row(&format!("{name} with labels"), READS, &[&visited, &limit]);
}

fn scans(txn: &ReadTxn, csr: &Csr, nodes: u64, edges: u64) {
    let start = pick(1, nodes, 5);
    for (name, hops, work) in [
        ("three hops", 3, 1_111),
        ("full traversal, per edge", u32::MAX, edges),
    ] {
        let walk = || {
            let mut count = 0;
            txn.bfs(start)
                .max_depth(hops)
                .run(|_| -> ControlFlow<()> {
                    count += 1;
                    ControlFlow::Continue(())
                })
                .unwrap();
            count
        };
        let limit = || csr.reach(start, hops) as u64;
        report_row(name, work, &[&walk, &limit]);
    }
    let kind = || {
        txn.nodes_of_kind("kind-3")
            .map(|id| id.unwrap().get() & 1 | 1 << 32)
            .sum::<u64>()
            >> 32
    };
    let of_kind = kind();
    report_row("kind scan, per node", of_kind, &[&kind]);
}

/// Lookups by name.
fn names(txn: &ReadTxn, nodes: u64) {
    let lookups = READS / 10;
    let named = || {
        (0..lookups)
            .map(|i| {
                let name = format!("node-{}", pick(i, nodes, 6).get() - 1);
                txn.nodes_named(&name)
                    .map(|id| id.unwrap().get())
                    .sum::<u64>()
            })
            .sum()
    };
    report_row("exact name", lookups, &[&named]);
    let absent = || {
        (0..lookups)
            .map(|i| txn.nodes_named(&format!("nobody-{i}")).count() as u64)
            .sum()
    };
    report_row("absent name", lookups, &[&absent]);
    let prefix = || {
        (0..lookups)
            .map(|i| {
                let name = format!("node-{}", pick(i, nodes, 6).get() / 10 + 1);
                txn.nodes_with_prefix(&name)
                    .map(|found| found.unwrap().1.get())
                    .sum::<u64>()
            })
            .sum()
    };
    report_row("prefix, about ten names", lookups, &[&prefix]);
    let told = || {
        let mut sum = 0;
        for i in 0..lookups {
            let name = format!("node-{}", pick(i, nodes, 6).get() / 10 + 1);
            txn.visit_names(&name, |_, node| -> ControlFlow<()> {
                sum += node.get();
                ControlFlow::Continue(())
            })
            .unwrap();
        }
        sum
    };
    report_row("the same told to a visitor", lookups, &[&told]);
}

/// Runs each subject once in every round and prints the medians per item, and how often the last goes
/// into each.
fn report_row(name: &str, items: u64, subjects: &[&dyn Fn() -> u64]) {
    let mut times = vec![Vec::new(); subjects.len()];
    for _ in 0..ROUNDS {
        for (subject, times) in subjects.iter().zip(&mut times) {
            let started = Instant::now();
            black_box(subject());
            times.push(started.elapsed().as_nanos() as f64 / items as f64);
        }
    }
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect();
    match medians[..] {
        [own, limit] => println!(
            "{name}: {own:.1} ns, limit {limit:.1} ns, {:.2} times",
            own / limit
        ),
        _ => println!("{name}: {:.1} ns", medians[0]),
    }
}

fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

const LABELS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

fn node(number: u64) -> BulkNode {
    BulkNode {
        id: None,
        kind: format!("kind-{}", mix(number) % 16),
        name: format!("node-{number}"),
        data: format!(
            r#"{{"number":{number},"text":"{}"}}"#,
            "x".repeat((mix(number) % 160) as usize)
        )
        .into_bytes(),
    }
}

fn edge(number: u64, nodes: u64) -> BulkEdge {
    let (source, target) = ends(number, nodes);
    BulkEdge {
        source,
        label: LABELS[(mix(number) % 8) as usize].to_owned(),
        target,
        data: Vec::new(),
    }
}

fn ends(number: u64, nodes: u64) -> (NodeId, NodeId) {
    (pick(number, nodes, 1), pick(number, nodes, 2))
}

fn pick(number: u64, nodes: u64, stream: u64) -> NodeId {
    NodeId::new(mix(number.wrapping_mul(8).wrapping_add(stream)) % nodes + 1).unwrap()
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
