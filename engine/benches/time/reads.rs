//! Reads of a graph that is all in memory.

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::{BenchmarkId, Criterion};
use vellum::{Database, Direction, NodeId, ReadTxn, TraversalCache};

use crate::graph::{self, DEGREES, NODES, pick};

/// A node that has nothing to do with the one before, each time.
fn random() -> impl FnMut() -> NodeId {
    let mut number = 0;
    move || {
        number += 1;
        pick(number)
    }
}

/// Label and node of each neighbour, added up.
fn sum_of_neighbours(txn: &ReadTxn, node: NodeId) -> u64 {
    let mut sum = 0;
    txn.visit_neighbors(node, Direction::Out, None, |found| -> ControlFlow<()> {
        sum += found.node.get() << 16 | u64::from(found.label.0);
        ControlFlow::Continue(())
    })
    .unwrap();
    sum
}

fn name_len(txn: &ReadTxn, node: NodeId) -> Option<usize> {
    txn.node(node).unwrap().map(|node| node.name().len())
}

pub(crate) fn nodes(criterion: &mut Criterion) {
    let db = graph::build().unwrap();
    let txn = db.begin_read().unwrap();
    let mut next = random();
    criterion.bench_function("get a node", |bench| {
        bench.iter(|| name_len(&txn, next()));
    });
    let absent = NodeId::new(10 * NODES).unwrap();
    criterion.bench_function("get an absent node", |bench| {
        bench.iter(|| name_len(&txn, black_box(absent)));
    });
    criterion.bench_function("a snapshot", |bench| {
        bench.iter(|| db.begin_read().unwrap().commit_number());
    });
    criterion.bench_function("a cursor over 1,000 nodes", |bench| {
        bench.iter(|| {
            let nodes = txn.nodes_from(next()).take(1_000);
            nodes.map(|node| node.unwrap().id().get()).sum::<u64>()
        });
    });
}

pub(crate) fn neighbours(criterion: &mut Criterion) {
    let db = graph::build().unwrap();
    let txn = db.begin_read().unwrap();
    let mut next = random();
    criterion.bench_function("outgoing neighbours", |bench| {
        bench.iter(|| txn.neighbors(next(), Direction::Out, None).count());
    });
    criterion.bench_function("outgoing neighbours with labels", |bench| {
        bench.iter(|| sum_of_neighbours(&txn, next()));
    });
    let (db, hubs) = graph::hubs().unwrap();
    let txn = db.begin_read().unwrap();
    let mut group = criterion.benchmark_group("neighbours by degree");
    for (hub, degree) in hubs.into_iter().zip(DEGREES) {
        group.bench_function(BenchmarkId::from_parameter(degree), |bench| {
            bench.iter(|| sum_of_neighbours(&txn, black_box(hub)));
        });
    }
    group.finish();
}

pub(crate) fn indexes(criterion: &mut Criterion) {
    let db = graph::build().unwrap();
    let txn = db.begin_read().unwrap();
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
}

pub(crate) fn walks(criterion: &mut Criterion) {
    let db = graph::build().unwrap();
    let txn = db.begin_read().unwrap();
    let mut next = random();
    for (name, hops) in [
        ("nodes within two hops", 2),
        ("all nodes by breadth", u32::MAX),
    ] {
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                let found = txn.k_hop(next(), hops, Direction::Out, None);
                found.unwrap().len()
            });
        });
    }
}

pub(crate) fn caches(criterion: &mut Criterion) {
    // Too small for a directory of leaves, so that every read looks its pages up in the shared cache.
    let db = graph::within(256 << 10).unwrap();
    let txn = db.begin_read().unwrap();
    let node = pick(1);
    criterion.bench_function("get by a descent, all pages in the cache", |bench| {
        bench.iter(|| name_len(&txn, black_box(node)));
    });
    let mut cache = TraversalCache::default();
    warm(&db, &mut cache);
    criterion.bench_function("two hops, all pages in a traversal's own cache", |bench| {
        bench.iter(|| {
            let mut nodes = 0;
            let walk = txn.bfs(node).max_depth(2).cache(&mut cache);
            walk.run(|_| -> ControlFlow<()> {
                nodes += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
            nodes
        });
    });
}

fn warm(db: &Database, cache: &mut TraversalCache) {
    let txn = db.begin_read().unwrap();
    let walk = txn.bfs(pick(1)).max_depth(2).cache(cache);
    walk.run(|_| -> ControlFlow<()> { ControlFlow::Continue(()) })
        .unwrap();
}
