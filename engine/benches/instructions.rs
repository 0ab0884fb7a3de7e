//! Instructions of the same calls: they repeat exactly. Run by `make bench-instructions`, under valgrind.
#![allow(missing_docs, clippy::unwrap_used)]

mod graph;

use std::hint::black_box;
use std::ops::ControlFlow;

use graph::pick;
use gungraun::{library_benchmark, library_benchmark_group, main};
use vellum::{Database, Direction};

/// Calls that one figure stands for.
const CALLS: u64 = 1_000;

/// A graph whose pages have all been read once.
fn warm() -> Database {
    let db = graph::build().unwrap();
    let txn = db.begin_read().unwrap();
    for number in 0..graph::NODES {
        txn.node(pick(number)).unwrap();
        txn.neighbors(pick(number), Direction::Out, None).count();
    }
    drop(txn);
    db
}

#[library_benchmark(setup = warm)]
fn get_nodes(db: Database) -> Database {
    let txn = db.begin_read().unwrap();
    for number in 0..CALLS {
        black_box(txn.node(pick(number)).unwrap());
    }
    drop(txn);
    db
}

#[library_benchmark(setup = warm)]
fn list_neighbours(db: Database) -> Database {
    let txn = db.begin_read().unwrap();
    for number in 0..CALLS {
        black_box(txn.neighbors(pick(number), Direction::Out, None).count());
    }
    drop(txn);
    db
}

#[library_benchmark(setup = warm)]
fn visit_neighbours(db: Database) -> Database {
    let txn = db.begin_read().unwrap();
    for number in 0..CALLS {
        let mut sum = 0;
        txn.visit_neighbors(
            pick(number),
            Direction::Out,
            None,
            |found| -> ControlFlow<()> {
                sum += found.node.get() << 16 | u64::from(found.label.0);
                ControlFlow::Continue(())
            },
        )
        .unwrap();
        black_box(sum);
    }
    drop(txn);
    db
}

#[library_benchmark(setup = warm)]
fn find_names(db: Database) -> Database {
    let txn = db.begin_read().unwrap();
    for number in 0..CALLS {
        black_box(txn.nodes_named(&format!("node {number}")).count());
    }
    drop(txn);
    db
}

#[library_benchmark(setup = warm)]
fn scan_a_kind(db: Database) -> Database {
    let txn = db.begin_read().unwrap();
    let nodes = txn.nodes_of_kind("kind 3");
    black_box(nodes.map(|node| node.unwrap().get()).sum::<u64>());
    drop(txn);
    db
}

#[library_benchmark(setup = warm)]
fn begin_reading(db: Database) -> Database {
    for _ in 0..CALLS {
        black_box(db.begin_read().unwrap().commit_number());
    }
    db
}

#[library_benchmark(setup = warm)]
fn walk_everywhere(db: Database) -> Database {
    let txn = db.begin_read().unwrap();
    black_box(
        txn.k_hop(pick(3), u32::MAX, Direction::Out, None)
            .unwrap()
            .len(),
    );
    drop(txn);
    db
}

#[library_benchmark(setup = warm)]
fn commit_nodes(db: Database) -> Database {
    for number in 0..CALLS {
        let mut txn = db.begin_write().unwrap();
        let node = txn.insert_node("kind 1", "new", b"{}").unwrap();
        txn.insert_edge(node, "label 1", pick(number), b"").unwrap();
        txn.commit().unwrap();
    }
    db
}

library_benchmark_group!(
    name = calls;
    benchmarks = get_nodes, list_neighbours, visit_neighbours, find_names, scan_a_kind, begin_reading,
        walk_everywhere, commit_nodes
);
main!(library_benchmark_groups = calls);
