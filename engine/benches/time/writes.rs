//! Changes and commits, without a disk.

use criterion::{BatchSize, Criterion};

use crate::graph::{self, pick};

pub(crate) fn changes(criterion: &mut Criterion) {
    let db = graph::build().unwrap();
    criterion.bench_function("insert 1,000 nodes, uncommitted", |bench| {
        bench.iter_batched(
            || db.begin_write().unwrap(),
            |mut txn| {
                for _ in 0..1_000 {
                    txn.insert_node("kind 1", "new", b"{}").unwrap();
                }
                txn
            },
            BatchSize::PerIteration,
        );
    });
    criterion.bench_function("insert 1,000 edges, uncommitted", |bench| {
        bench.iter_batched(
            || db.begin_write().unwrap(),
            |mut txn| {
                for number in 0..1_000 {
                    let ends = (pick(number), pick(number + 7_919));
                    txn.insert_edge(ends.0, "label 1", ends.1, b"").unwrap();
                }
                txn
            },
            BatchSize::PerIteration,
        );
    });
}

pub(crate) fn commits(criterion: &mut Criterion) {
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
