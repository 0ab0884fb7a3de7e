//! A plain in-memory graph that says what the database must answer, and a full comparison of both.
#![allow(
    unreachable_pub,
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

pub mod changes;
pub mod disk;
pub mod faulty;
pub mod gate;
pub mod sparse;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use vellum::{Direction, Edge, Neighbor, NodeId, ReadTxn};

/// A node as the model knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelNode {
    pub kind: String,
    pub name: String,
    pub data: Vec<u8>,
}

/// Source, label, target, ordinal.
pub type ModelEdge = (u64, String, u64, u32);

/// The oracle: as simple as can be, and nothing shared with the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    pub nodes: BTreeMap<u64, ModelNode>,
    pub edges: BTreeMap<ModelEdge, Vec<u8>>,
    pub next: u64,
    pub unique: bool,
}

impl Model {
    pub fn new(unique: bool) -> Model {
        Model {
            next: 1,
            unique,
            ..Model::default()
        }
    }

    pub fn insert_node(&mut self, kind: &str, name: &str, data: &[u8]) -> u64 {
        let id = self.next;
        self.next += 1;
        self.nodes.insert(
            id,
            ModelNode {
                kind: kind.into(),
                name: name.into(),
                data: data.into(),
            },
        );
        id
    }

    pub fn insert_edge(&mut self, source: u64, label: &str, target: u64, data: &[u8]) -> u32 {
        let highest = self.parallel(source, label, target).last();
        let ordinal = match highest {
            Some(_) if self.unique => 0,
            Some(highest) => highest + 1,
            None => 0,
        };
        self.edges
            .insert((source, label.to_owned(), target, ordinal), data.to_owned());
        ordinal
    }

    pub fn parallel<'a>(
        &'a self,
        source: u64,
        label: &str,
        target: u64,
    ) -> impl Iterator<Item = u32> + 'a {
        let from = (source, label.to_owned(), target, 0);
        let to = (source, label.to_owned(), target, u32::MAX);
        self.edges.range(from..=to).map(|(edge, _)| edge.3)
    }

    pub fn delete_node(&mut self, id: u64) -> bool {
        if self.nodes.remove(&id).is_none() {
            return false;
        }
        self.edges.retain(|edge, _| edge.0 != id && edge.2 != id);
        true
    }

    /// A node's edges in the order that the engine documents: label's number, other end, ordinal.
    pub fn edges_of(
        &self,
        node: u64,
        direction: Direction,
        labels: &[String],
    ) -> Vec<(ModelEdge, Vec<u8>)> {
        let incoming = direction == Direction::In;
        let mut edges: Vec<_> = self
            .edges
            .iter()
            .filter(|(edge, _)| node == if incoming { edge.2 } else { edge.0 })
            .map(|(edge, data)| (edge.clone(), data.clone()))
            .collect();
        edges.sort_by_key(|(edge, _)| {
            let rank = labels.iter().position(|label| *label == edge.1);
            (rank, if incoming { edge.0 } else { edge.2 }, edge.3)
        });
        edges
    }
}

pub fn id(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

/// Compares everything that can be read. `named`: the database has a name index.
pub fn assert_same(txn: &ReadTxn, model: &Model, named: bool) {
    assert_eq!(txn.node_count(), model.nodes.len() as u64, "node count");
    if !model.unique {
        assert_eq!(txn.edge_count(), model.edges.len() as u64, "edge count");
    }
    assert_nodes(txn, model);
    assert_edges(txn, model);
    assert_kinds(txn, model);
    if named {
        assert_names(txn, model);
    }
}

fn assert_nodes(txn: &ReadTxn, model: &Model) {
    let seen: Vec<u64> = txn.nodes().map(|node| node.unwrap().id().get()).collect();
    let expected: Vec<u64> = model.nodes.keys().copied().collect();
    assert_eq!(seen, expected, "id-ordered scan");
    for number in 1..model.next + 2 {
        let found = txn.node(id(number)).unwrap();
        let expected = model.nodes.get(&number);
        assert_eq!(
            txn.contains_node(id(number)).unwrap(),
            expected.is_some(),
            "node {number}"
        );
        match (found, expected) {
            (None, None) => {}
            (Some(node), Some(expected)) => {
                assert_eq!(node.kind(), expected.kind, "kind of {number}");
                assert_eq!(node.name(), expected.name, "name of {number}");
                assert!(node.data().unwrap() == expected.data, "data of {number}");
            }
            (found, _) => panic!(
                "node {number}: found {}, expected {expected:?}",
                found.is_some()
            ),
        }
    }
}

fn assert_edges(txn: &ReadTxn, model: &Model) {
    // A label's number is its place in this list.
    let labels: Vec<String> = txn.labels().unwrap();
    for &number in model.nodes.keys() {
        for direction in [Direction::Out, Direction::In] {
            let expected = model.edges_of(number, direction, &labels);
            assert_listed(txn, number, direction, None, &expected);
            for label in &labels {
                let chosen: Vec<_> = expected
                    .iter()
                    .filter(|(edge, _)| edge.1 == *label)
                    .cloned()
                    .collect();
                assert_listed(txn, number, direction, Some(label), &chosen);
            }
        }
    }
    for (edge, data) in &model.edges {
        let found = txn.edge(id(edge.0), &edge.1, id(edge.2), edge.3).unwrap();
        let found = found.unwrap_or_else(|| panic!("edge {edge:?} is missing"));
        assert!(found.data().unwrap() == *data, "data of {edge:?}");
    }
}

/// Edges, neighbours and degree agree with the expected edges, in order.
fn assert_listed(
    txn: &ReadTxn,
    number: u64,
    direction: Direction,
    label: Option<&str>,
    expected: &[(ModelEdge, Vec<u8>)],
) {
    let node = id(number);
    let found: Vec<(ModelEdge, Vec<u8>)> = txn
        .edges(node, direction, label)
        .map(|edge| edge.and_then(|edge| Ok((key_of(&edge), edge.data()?.into_owned()))))
        .collect::<Result<_, _>>()
        .unwrap();
    let keys = |edges: &[(ModelEdge, Vec<u8>)]| -> Vec<ModelEdge> {
        edges.iter().map(|(key, _)| key.clone()).collect()
    };
    let what = format!("{direction:?} of {number}, label {label:?}");
    assert_eq!(keys(&found), keys(expected), "edges {what}");
    assert!(found == expected, "data of edges {what}");
    let peers = txn.neighbors(node, direction, label);
    let peers: Vec<u64> = peers.map(|peer| peer.unwrap().get()).collect();
    let ends = expected.iter().map(|(edge, _)| match direction {
        Direction::In => edge.0,
        Direction::Out => edge.2,
    });
    assert!(peers.iter().copied().eq(ends), "neighbours {what}");
    let told = visited(txn, node, direction, label, u64::MAX);
    let labels = txn.labels().unwrap();
    let told = told
        .iter()
        .map(|found| (&labels[usize::from(found.label.0)], found.node.get()));
    let edges = expected.iter().map(|(edge, _)| &edge.1).zip(peers);
    assert!(told.eq(edges), "neighbours told {what}");
    let degree = txn.degree(node, direction, label).unwrap();
    assert_eq!(degree, expected.len() as u64, "degree {what}");
}

/// The neighbours that a visitor is told before it stops.
pub fn visited(
    txn: &ReadTxn,
    node: NodeId,
    direction: Direction,
    label: Option<&str>,
    most: u64,
) -> Vec<Neighbor> {
    let mut told = Vec::new();
    let stopped = txn.visit_neighbors(node, direction, label, |found| {
        told.push(found);
        match told.len() as u64 == most {
            true => ControlFlow::Break(found),
            false => ControlFlow::Continue(()),
        }
    });
    let last = told.last().copied();
    assert_eq!(stopped.unwrap(), last.filter(|_| told.len() as u64 == most));
    told
}

fn key_of(edge: &Edge) -> ModelEdge {
    (
        edge.source().get(),
        edge.label().to_owned(),
        edge.target().get(),
        edge.ordinal(),
    )
}

fn assert_kinds(txn: &ReadTxn, model: &Model) {
    let mut by_kind: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (number, node) in &model.nodes {
        by_kind.entry(&node.kind).or_default().push(*number);
    }
    for (kind, expected) in &by_kind {
        let found: Vec<u64> = txn.nodes_of_kind(kind).map(|n| n.unwrap().get()).collect();
        assert_eq!(&found, expected, "nodes of kind {kind}");
    }
    for kind in txn.kinds().unwrap() {
        let listed = txn.nodes_of_kind(&kind).count();
        assert_eq!(
            listed,
            by_kind.get(&*kind).map_or(0, Vec::len),
            "nodes of kind {kind}"
        );
    }
    assert_eq!(txn.nodes_of_kind("no such kind").count(), 0);
}

fn assert_names(txn: &ReadTxn, model: &Model) {
    let mut names: Vec<(String, u64)> = model
        .nodes
        .iter()
        .map(|(number, node)| (node.name.clone(), *number))
        .collect();
    names.sort();
    let found: Vec<(String, u64)> = txn
        .nodes_with_prefix("")
        .map(|found| found.unwrap())
        .map(|(name, number)| (name, number.get()))
        .collect();
    assert_eq!(found, names, "all names in order");
    for (name, _) in &names {
        let found: Vec<u64> = txn.nodes_named(name).map(|n| n.unwrap().get()).collect();
        let expected: Vec<u64> = names
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, i)| *i)
            .collect();
        assert_eq!(found, expected, "nodes named {name}");
        let cut = name.char_indices().nth(2).map_or(name.len(), |(at, _)| at);
        let prefix = &name[..cut];
        let found = txn.nodes_with_prefix(prefix).filter(Result::is_ok).count();
        let expected = names.iter().filter(|(n, _)| n.starts_with(prefix)).count();
        assert_eq!(found, expected, "names starting with {prefix:?}");
    }
}

/// Reads everything into a model, both directions and both indexes compared on the way. What the
/// database says about itself twice must be the same.
pub fn dump(txn: &ReadTxn, unique: bool, named: bool) -> vellum::Result<Model> {
    let mut model = Model {
        next: txn.next_id(),
        ..Model::new(unique)
    };
    for node in txn.nodes() {
        let node = node?;
        let (kind, name) = (node.kind().to_owned(), node.name().to_owned());
        let data = node.data()?.into_owned();
        model
            .nodes
            .insert(node.id().get(), ModelNode { kind, name, data });
    }
    let mut reversed = BTreeSet::new();
    for number in model.nodes.keys() {
        for edge in txn.edges(id(*number), Direction::Out, None) {
            let edge = edge?;
            let key = key_of(&edge);
            model.edges.insert(key, edge.data()?.into_owned());
        }
        for edge in txn.edges(id(*number), Direction::In, None) {
            reversed.insert(key_of(&edge?));
        }
    }
    assert!(
        reversed.iter().eq(model.edges.keys()),
        "the two directions differ"
    );
    let mut by_kind = 0;
    for kind in txn.kinds()? {
        for node in txn.nodes_of_kind(&kind) {
            assert_eq!(
                model.nodes.get(&node?.get()).map(|node| &node.kind),
                Some(&kind)
            );
            by_kind += 1;
        }
    }
    assert_eq!(
        by_kind,
        model.nodes.len(),
        "the kind index differs from the nodes"
    );
    if named {
        let mut by_name = 0;
        for entry in txn.nodes_with_prefix("") {
            let (name, node) = entry?;
            assert_eq!(
                model.nodes.get(&node.get()).map(|node| &node.name),
                Some(&name)
            );
            by_name += 1;
        }
        assert_eq!(
            by_name,
            model.nodes.len(),
            "the name index differs from the nodes"
        );
    }
    Ok(model)
}
