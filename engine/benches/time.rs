//! Time of the calls that embedders make most, warm. Run by `make bench`.
#![allow(missing_docs, clippy::unwrap_used)]

mod graph;

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::{Criterion, criterion_group, criterion_main};
use graph::pick;
use vellum::Direction;

fn reads(criterion: &mut Criterion) {
    let db = graph::build().unwrap();
    let txn = db.begin_read().unwrap();
    let mut number = 0;
    let mut next = move || {
        number += 1;
        pick(number)
    };
    criterion.bench_function("get a node", |bench| {
        bench.iter(|| black_box(txn.node(next()).unwrap().map(|node| node.name().len())));
    });
    criterion.bench_function("outgoing neighbours", |bench| {
        bench.iter(|| txn.neighbors(next(), Direction::Out, None).count());
    });
    criterion.bench_function("outgoing neighbours with labels", |bench| {
        bench.iter(|| {
            let mut sum = 0;
            txn.visit_neighbors(next(), Direction::Out, None, |found| -> ControlFlow<()> {
                sum += found.node.get() << 16 | u64::from(found.label.0);
                ControlFlow::Continue(())
            })
            .unwrap();
            sum
        });
    });
    criterion.bench_function("nodes within two hops", |bench| {
        bench.iter(|| txn.k_hop(next(), 2, Direction::Out, None).unwrap().len());
    });
    criterion.bench_function("a node by name", |bench| {
        bench.iter(|| txn.nodes_named("node 4321").count());
    });
    criterion.bench_function("ten names by prefix", |bench| {
        bench.iter(|| {
            let mut sum = 0;
            txn.visit_names("node 432", |_, node| -> ControlFlow<()> {
                sum += node.get();
                ControlFlow::Continue(())
            })
            .unwrap();
            sum
        });
    });
    criterion.bench_function("1,428 nodes of a kind", |bench| {
        bench.iter(|| {
            let nodes = txn.nodes_of_kind("kind 3");
            nodes.map(|node| node.unwrap().get()).sum::<u64>()
        });
    });
    criterion.bench_function("all nodes by breadth", |bench| {
        bench.iter(|| {
            txn.k_hop(next(), u32::MAX, Direction::Out, None)
                .unwrap()
                .len()
        });
    });
    criterion.bench_function("a snapshot", |bench| {
        bench.iter(|| db.begin_read().unwrap().commit_number());
    });
}

fn commits(criterion: &mut Criterion) {
    let db = graph::build().unwrap();
    let mut number = 0;
    criterion.bench_function("commit a node and an edge, in memory", |bench| {
        bench.iter(|| {
            number += 1;
            let mut txn = db.begin_write().unwrap();
            let node = txn.insert_node("kind 1", "new", b"{}").unwrap();
            txn.insert_edge(node, "label 1", pick(number), b"").unwrap();
            txn.commit().unwrap().log_bytes
        });
    });
}

criterion_group!(benches, reads, commits);
criterion_main!(benches);
