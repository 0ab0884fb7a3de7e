//! A node with a million edges: built, asked, thinned out and deleted.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::sync::Arc;

use common::{id, visited};
use vellum::storage::MemoryDirectory;
use vellum::{Builder, BulkEdge, BulkNode, Database, Direction, Durability, NodeId, ReadTxn};

const NAME: &str = "graph";
const HUB: u64 = 1;
const FIRST_TARGET: u64 = 2;
const TARGETS: u64 = 100_000;
const LABELS: u64 = 10;
/// From the hub to every target, by every label.
const EDGES: u64 = TARGETS * LABELS;
/// From this many of the targets back to the hub.
const BACK: u64 = 1_000;
const BATCH: usize = 10_000;

/// An edge that leaves the hub: its label and its target.
#[derive(Clone, Copy)]
struct Spoke {
    label: u64,
    target: u64,
}

impl Spoke {
    /// By label, then scattered over the targets: each once.
    fn all() -> impl Iterator<Item = Spoke> {
        (0..EDGES).map(|number| Spoke {
            label: number / TARGETS,
            target: FIRST_TARGET + number * 7_919 % TARGETS,
        })
    }

    fn label(self) -> String {
        label(self.label)
    }

    fn data(self) -> [u8; 4] {
        (self.target as u32 ^ self.label as u32).to_le_bytes()
    }
}

fn label(number: u64) -> String {
    format!("label-{number}")
}

fn targets() -> impl Iterator<Item = u64> {
    FIRST_TARGET..FIRST_TARGET + TARGETS
}

fn options(directory: &MemoryDirectory) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .durability(Durability::None)
        .name_index(false)
}

fn nodes() -> impl Iterator<Item = vellum::Result<BulkNode>> {
    (0..=TARGETS).map(|_| {
        Ok(BulkNode {
            kind: "node".to_owned(),
            ..BulkNode::default()
        })
    })
}

fn edge(source: u64, label: &str, target: u64, data: &[u8]) -> vellum::Result<BulkEdge> {
    Ok(BulkEdge {
        source: id(source),
        label: label.to_owned(),
        target: id(target),
        data: data.to_owned(),
    })
}

/// Edges that come back to the hub, one from it to itself, and one that has nothing to do with it.
fn add_others(db: &Database) {
    let mut txn = db.begin_write().unwrap();
    for target in targets().take(BACK as usize) {
        txn.insert_edge(id(target), "back", id(HUB), b"").unwrap();
    }
    txn.insert_edge(id(HUB), "self", id(HUB), b"").unwrap();
    txn.insert_edge(id(2), "bystander", id(3), b"stays")
        .unwrap();
    txn.commit().unwrap();
}

fn expect_whole(txn: &ReadTxn) {
    let labels: Vec<String> = (0..LABELS).map(label).collect();
    assert_eq!(txn.edge_count(), EDGES + BACK + 2);
    let degree = |direction, label| txn.degree(id(HUB), direction, label).unwrap();
    assert_eq!(degree(Direction::Out, None), EDGES + 1);
    assert_eq!(degree(Direction::Out, Some("label-7")), TARGETS);
    assert_eq!(degree(Direction::Out, Some("back")), 0);
    assert_eq!(degree(Direction::In, None), BACK + 1);
    let neighbors = |label| {
        txn.neighbors(id(HUB), Direction::Out, label)
            .map(Result::unwrap)
    };
    let in_order = (0..LABELS).flat_map(|_| targets()).chain([HUB]).map(id);
    assert!(
        neighbors(None).eq(in_order),
        "neighbours by label, then by id"
    );
    for number in [0, LABELS / 2, LABELS - 1] {
        assert!(neighbors(Some(&labels[number as usize])).eq(targets().map(id)));
    }
    assert_eq!(neighbors(Some("no such label")).count(), 0);
    for spoke in Spoke::all().step_by(997) {
        let found = txn
            .edge(id(HUB), &spoke.label(), id(spoke.target), 0)
            .unwrap();
        assert_eq!(
            found.expect("an edge is missing").data().unwrap(),
            &spoke.data()[..]
        );
        let parallel = txn.edge(id(HUB), &spoke.label(), id(spoke.target), 1);
        assert!(parallel.unwrap().is_none());
    }
    for target in targets().step_by(1_009) {
        let incoming = txn.edges(id(target), Direction::In, None).map(|edge| {
            let edge = edge.unwrap();
            assert_eq!((edge.source(), edge.target()), (id(HUB), id(target)));
            edge.label().to_owned()
        });
        let from_hub: Vec<String> = incoming.collect();
        assert_eq!(from_hub, labels, "in-edges of {target}");
    }
}

/// Every hundredth edge goes; what is left is as before.
fn thin_out(db: &Database) {
    let gone: Vec<Spoke> = Spoke::all().step_by(100).collect();
    let mut txn = db.begin_write().unwrap();
    for spoke in &gone {
        let deleted = txn.delete_edge(id(HUB), &spoke.label(), id(spoke.target), 0);
        assert!(deleted.unwrap());
    }
    txn.commit().unwrap();
    let txn = db.begin_read().unwrap();
    let labels = txn.labels().unwrap();
    let degree = txn.degree(id(HUB), Direction::Out, None).unwrap();
    assert_eq!(degree, EDGES + 1 - gone.len() as u64);
    let listed = txn.neighbors(id(HUB), Direction::Out, None).count() as u64;
    assert_eq!(listed, degree);
    for most in [3, EDGES / 2, u64::MAX] {
        let told = visited(&txn, id(HUB), Direction::Out, None, most);
        let listed = txn.edges(id(HUB), Direction::Out, None).map(Result::unwrap);
        let listed = listed.take(usize::try_from(most).unwrap());
        let same = told.iter().zip(listed).filter(|(told, edge)| {
            told.node == edge.target() && labels[usize::from(told.label.0)] == edge.label()
        });
        assert_eq!(same.count() as u64, degree.min(most));
    }
    for spoke in gone.iter().step_by(37) {
        let found = txn
            .edge(id(HUB), &spoke.label(), id(spoke.target), 0)
            .unwrap();
        assert!(found.is_none());
        let label = spoke.label();
        let incoming = txn.neighbors(id(spoke.target), Direction::In, Some(&label));
        assert_eq!(incoming.count(), 0);
    }
}

fn delete_hub(db: &Database) {
    let before = db.begin_read().unwrap();
    let mut txn = db.begin_write().unwrap();
    assert!(txn.delete_node(id(HUB)).unwrap());
    txn.commit().unwrap();
    assert!(
        before.degree(id(HUB), Direction::Out, None).unwrap() > TARGETS,
        "a snapshot stays"
    );
    drop(before);
    expect_gone(&db.begin_read().unwrap());
}

fn expect_gone(txn: &ReadTxn) {
    assert!(!txn.contains_node(id(HUB)).unwrap());
    assert_eq!((txn.node_count(), txn.edge_count()), (TARGETS, 1));
    for direction in [Direction::Out, Direction::In] {
        assert_eq!(txn.degree(id(HUB), direction, None).unwrap(), 0);
        assert_eq!(txn.edges(id(HUB), direction, None).count(), 0);
    }
    let edges_of = |target: u64, direction| -> Vec<NodeId> {
        txn.neighbors(id(target), direction, None)
            .map(Result::unwrap)
            .collect()
    };
    for target in targets() {
        let out = if target == 2 { vec![id(3)] } else { Vec::new() };
        let incoming = if target == 3 { vec![id(2)] } else { Vec::new() };
        assert_eq!(
            edges_of(target, Direction::Out),
            out,
            "out-edges of {target}"
        );
        assert_eq!(
            edges_of(target, Direction::In),
            incoming,
            "in-edges of {target}"
        );
    }
}

fn expect_sound(db: &Database) {
    assert_eq!(db.check().unwrap().findings, []);
}

/// Everything, over changes in memory first and over trees after.
fn live(directory: &MemoryDirectory, db: Database) {
    add_others(&db);
    expect_whole(&db.begin_read().unwrap());
    db.close().unwrap();
    let db = options(directory).open(NAME).unwrap();
    expect_whole(&db.begin_read().unwrap());
    expect_sound(&db);
    thin_out(&db);
    delete_hub(&db);
    db.close().unwrap();
    let db = options(directory).open(NAME).unwrap();
    expect_gone(&db.begin_read().unwrap());
    expect_sound(&db);
    let stats = db.stats().unwrap();
    let used = stats.pages - stats.free_pages;
    assert!(used < 2_000, "the edges' pages are free: {stats:?}");
}

#[test]
fn a_million_edges_by_transactions() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    db.bulk_load(nodes(), [], |_| {}).unwrap();
    let spokes: Vec<Spoke> = Spoke::all().collect();
    for batch in spokes.chunks(BATCH) {
        let mut txn = db.begin_write().unwrap();
        for spoke in batch {
            let (target, data) = (id(spoke.target), spoke.data());
            txn.insert_edge(id(HUB), &spoke.label(), target, &data)
                .unwrap();
        }
        txn.commit().unwrap();
    }
    live(&directory, db);
}

#[test]
fn a_million_edges_by_bulk_load() {
    let directory = MemoryDirectory::new();
    let db = options(&directory).create(NAME).unwrap();
    let spokes = Spoke::all().map(|s| edge(HUB, &s.label(), s.target, &s.data()));
    let report = db.bulk_load(nodes(), spokes, |_| {}).unwrap();
    assert_eq!((report.nodes, report.edges), (TARGETS + 1, EDGES));
    live(&directory, db);
}
