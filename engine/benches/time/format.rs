//! What reading a page and its numbers takes.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use vellum::format::edges::{BlockEdge, EdgeBlock, EdgeBlockBuilder};
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::{Page, seal};
use vellum::format::sorted::SortedBuilder;
use vellum::format::{FileId, Reader, checksum, varint};
use vellum::{KeySpace, PageRef};

const PAGE_SIZE: usize = 4096;
const FILE: FileId = [7; 16];

/// A full leaf of nodes, as a file holds it.
fn leaf(at: PageRef) -> Box<[u8]> {
    let mut leaf = SortedBuilder::new(PAGE_SIZE, KeySpace::Nodes, 0);
    let mut cell = Vec::new();
    for id in 1_000_u64.. {
        cell.clear();
        let name = format!("node {id}");
        NodeCell {
            kind: 3,
            name: &name,
            data: Data::Inline(br#"{"some":"json"}"#),
        }
        .encode(&mut cell);
        if !leaf.push(&id.to_be_bytes()[2..], &cell) {
            break;
        }
    }
    let mut image = leaf.finish();
    seal(&mut image, at, &FILE);
    image
}

pub(crate) fn pages(criterion: &mut Criterion) {
    let at = PageRef::new(7, 9).unwrap();
    let image = leaf(at);
    let mut group = criterion.benchmark_group("a page of 4,096 bytes");
    group.throughput(Throughput::Bytes(PAGE_SIZE as u64));
    group.bench_function("checksum", |bench| {
        bench.iter(|| checksum::crc(&[black_box(&image[..])]));
    });
    group.bench_function("verify a leaf of nodes", |bench| {
        let shared: Arc<[u8]> = image.clone().into();
        bench.iter(|| {
            Page::verify(Arc::clone(&shared), at, &FILE)
                .unwrap()
                .count()
        });
    });
    group.finish();
}

pub(crate) fn numbers(criterion: &mut Criterion) {
    let mut bytes = Vec::new();
    for exponent in 0..48 {
        varint::put(&mut bytes, 1 << exponent);
    }
    criterion.bench_function("48 varints of one to seven bytes", |bench| {
        bench.iter(|| {
            let mut reader = Reader::new(black_box(&bytes));
            let mut sum = 0;
            while !reader.is_empty() {
                sum += reader.varint().unwrap();
            }
            sum
        });
    });
    for (name, labels, step) in [
        ("a block of ten edges with eight labels", 8, 9_973),
        ("a block of 1,000 edges with one label", 1, 37),
    ] {
        let count = if labels == 1 { 1_000 } else { 10 };
        let mut block = EdgeBlockBuilder::new();
        for number in 0..count {
            let edge = BlockEdge {
                label: (number * labels / count) as u16,
                peer: 1 + number * step,
                ordinal: 0,
            };
            block.push(edge, Data::EMPTY);
        }
        let mut cell = Vec::new();
        block.encode(&mut cell);
        let mut edges = Vec::new();
        criterion.bench_function(name, |bench| {
            bench.iter(|| {
                edges.clear();
                let block = EdgeBlock::parse(black_box(&cell), 0..cell.len()).unwrap();
                block.decode_into(&mut edges).unwrap();
                edges.len()
            });
        });
    }
}
