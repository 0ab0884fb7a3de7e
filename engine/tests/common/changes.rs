//! Changes to a graph, made to the database and to the model alike.
#![allow(
    unreachable_pub,
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use vellum::{NodeUpdate, WriteTxn};

use super::{Model, assert_same, id};

#[derive(Clone, Debug)]
pub enum Change {
    Node {
        kind: u8,
        name: u8,
        data: Size,
    },
    NodeAt {
        gap: u8,
    },
    Reserve(u8),
    Update {
        node: u8,
        kind: Option<u8>,
        name: Option<u8>,
        data: Option<Size>,
    },
    DeleteNode(u8),
    Edge {
        from: u8,
        label: u8,
        to: u8,
        data: Size,
    },
    EdgeReturning {
        from: u8,
        label: u8,
        to: u8,
    },
    Hub {
        node: u8,
        edges: u16,
    },
    UpdateEdge(u8, Size),
    DeleteEdge(u8),
    Save,
    RollBack,
    Look,
}

#[derive(Clone, Copy, Debug)]
pub enum Size {
    Empty,
    Small(u8),
    Cell,
    Blob(u16),
}

pub fn bytes(size: Size, salt: u64) -> Vec<u8> {
    let len = match size {
        Size::Empty => 0,
        Size::Small(len) => usize::from(len),
        Size::Cell => 500,
        Size::Blob(len) => 600 + usize::from(len),
    };
    (0..len as u64)
        .map(|i| (i.wrapping_mul(31) ^ salt.wrapping_mul(17)) as u8)
        .collect()
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![
        3 => Just(Size::Empty),
        5 => any::<u8>().prop_map(Size::Small),
        1 => Just(Size::Cell),
        1 => (0u16..20_000).prop_map(Size::Blob),
    ]
}

pub fn change() -> impl Strategy<Value = Change> {
    let update = (
        any::<u8>(),
        proptest::option::of(0u8..9),
        proptest::option::of(any::<u8>()),
        proptest::option::of(size()),
    );
    prop_oneof![
        8 => (0u8..9, any::<u8>(), size()).prop_map(|(kind, name, data)| Change::Node { kind, name, data }),
        1 => (0u8..20).prop_map(|gap| Change::NodeAt { gap }),
        1 => (0u8..20).prop_map(Change::Reserve),
        3 => update.prop_map(|(node, kind, name, data)| Change::Update { node, kind, name, data }),
        2 => any::<u8>().prop_map(Change::DeleteNode),
        10 => (any::<u8>(), 0u8..20, any::<u8>(), size()).prop_map(|(from, label, to, data)| Change::Edge { from, label, to, data }),
        3 => (0u8..4, 0u8..2, 0u8..4).prop_map(|(from, label, to)| Change::EdgeReturning { from, label, to }),
        1 => (any::<u8>(), 1u16..600).prop_map(|(node, edges)| Change::Hub { node, edges }),
        2 => (any::<u8>(), size()).prop_map(|(edge, data)| Change::UpdateEdge(edge, data)),
        3 => any::<u8>().prop_map(Change::DeleteEdge),
        1 => Just(Change::Save),
        1 => Just(Change::RollBack),
        1 => Just(Change::Look),
    ]
}

/// The same changes in every run.
pub struct Changes {
    runner: TestRunner,
}

impl Changes {
    pub fn seeded(seed: u8) -> Changes {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        Changes {
            runner: TestRunner::new_with_rng(Config::default(), rng),
        }
    }

    pub fn next(&mut self, count: usize) -> Vec<Change> {
        let strategy = proptest::collection::vec(change(), count);
        strategy.new_tree(&mut self.runner).unwrap().current()
    }
}

fn pick<T: Clone>(from: impl Iterator<Item = T>, choice: u8) -> Option<T> {
    let all: Vec<T> = from.collect();
    if all.is_empty() {
        None
    } else {
        Some(all[usize::from(choice) % all.len()].clone())
    }
}

pub fn apply(txn: &mut WriteTxn, model: &mut Model, changes: &[Change], named: bool) {
    let mut saved = None;
    for (index, change) in changes.iter().enumerate() {
        match change {
            Change::Save => saved = Some((txn.savepoint().unwrap(), model.clone())),
            Change::RollBack => {
                if let Some((savepoint, before)) = &saved {
                    txn.rollback_to(savepoint).unwrap();
                    *model = before.clone();
                }
            }
            Change::Look => assert_same(&txn.view().unwrap(), model, named),
            change => apply_one(txn, model, change, index as u64),
        }
    }
}

fn apply_one(txn: &mut WriteTxn, model: &mut Model, change: &Change, salt: u64) {
    match *change {
        Change::Node { kind, name, data } => {
            let (kind, name, data) = (format!("kind{kind}"), name_of(name), bytes(data, salt));
            let expected = model.insert_node(&kind, &name, &data);
            assert_eq!(
                txn.insert_node(&kind, &name, &data).unwrap().get(),
                expected
            );
        }
        Change::NodeAt { gap } => {
            model.next += u64::from(gap);
            let expected = model.insert_node("placed", "at", b"x");
            txn.insert_node_with_id(id(expected), "placed", "at", b"x")
                .unwrap();
        }
        Change::Reserve(count) => {
            let range = txn.reserve_ids(count.into()).unwrap();
            assert_eq!(range, model.next..model.next + u64::from(count));
            model.next = range.end;
        }
        Change::Update {
            node,
            kind,
            name,
            data,
        } => {
            let Some(number) = pick(model.nodes.keys().copied(), node) else {
                return;
            };
            let (kind, name, data) = (
                kind.map(|k| format!("kind{k}")),
                name.map(name_of),
                data.map(|d| bytes(d, salt)),
            );
            let mut update = NodeUpdate::new();
            let target = model.nodes.get_mut(&number).unwrap();
            if let Some(kind) = &kind {
                update = update.kind(kind);
                target.kind.clone_from(kind);
            }
            if let Some(name) = &name {
                update = update.name(name);
                target.name.clone_from(name);
            }
            if let Some(data) = &data {
                update = update.data(data);
                target.data.clone_from(data);
            }
            assert!(txn.update_node(id(number), update).unwrap());
        }
        Change::DeleteNode(node) => {
            let Some(number) = pick(model.nodes.keys().copied(), node) else {
                assert!(!txn.delete_node(id(model.next + 5)).unwrap());
                return;
            };
            assert!(model.delete_node(number));
            assert!(txn.delete_node(id(number)).unwrap());
        }
        _ => apply_edge(txn, model, change, salt),
    }
}

fn apply_edge(txn: &mut WriteTxn, model: &mut Model, change: &Change, salt: u64) {
    match *change {
        Change::Edge {
            from,
            label,
            to,
            data,
        } => {
            let ends = (
                pick(model.nodes.keys().copied(), from),
                pick(model.nodes.keys().copied(), to),
            );
            let (Some(from), Some(to)) = ends else { return };
            let (label, data) = (format!("label{label}"), bytes(data, salt));
            model.insert_edge(from, &label, to, &data);
            txn.insert_edge(id(from), &label, id(to), &data).unwrap();
        }
        Change::EdgeReturning { from, label, to } => {
            let ends = (
                pick(model.nodes.keys().copied(), from),
                pick(model.nodes.keys().copied(), to),
            );
            let (Some(from), Some(to)) = ends else { return };
            let label = format!("label{label}");
            let expected = model.insert_edge(from, &label, to, b"parallel");
            let ordinal = txn
                .insert_edge_returning(id(from), &label, id(to), b"parallel")
                .unwrap();
            assert_eq!(ordinal, expected);
        }
        Change::Hub { node, edges } => {
            if let Some(hub) = pick(model.nodes.keys().copied(), node) {
                add_spokes(txn, model, hub, usize::from(edges));
            }
        }
        Change::UpdateEdge(choice, data) => {
            let Some(edge) = pick(model.edges.keys().cloned(), choice) else {
                return;
            };
            let data = bytes(data, salt);
            assert!(
                txn.update_edge(id(edge.0), &edge.1, id(edge.2), edge.3, &data)
                    .unwrap()
            );
            model.edges.insert(edge, data);
        }
        Change::DeleteEdge(choice) => {
            let Some(edge) = pick(model.edges.keys().cloned(), choice) else {
                return;
            };
            assert!(
                txn.delete_edge(id(edge.0), &edge.1, id(edge.2), edge.3)
                    .unwrap()
            );
            assert!(
                !txn.delete_edge(id(edge.0), &edge.1, id(edge.2), edge.3)
                    .unwrap()
            );
            model.edges.remove(&edge);
        }
        _ => unreachable!("{change:?} is not an edge's"),
    }
}

/// Edges between one node and many others, in both directions.
fn add_spokes(txn: &mut WriteTxn, model: &mut Model, hub: u64, edges: usize) {
    let others: Vec<u64> = model.nodes.keys().copied().collect();
    for i in 0..edges {
        let other = others[i * 7 % others.len()];
        let (from, to) = if i % 3 == 0 {
            (other, hub)
        } else {
            (hub, other)
        };
        model.insert_edge(from, "spoke", to, &[]);
        txn.insert_edge(id(from), "spoke", id(to), &[]).unwrap();
    }
}

fn name_of(choice: u8) -> String {
    match choice % 8 {
        0 => String::new(),
        1 => "same".to_owned(),
        2 => "long ".repeat(usize::from(choice)),
        3 => format!("nul\0{choice}"),
        4 => format!("größe-{choice}"),
        _ => format!("name-{choice}"),
    }
    .chars()
    .take(1_000)
    .collect()
}
