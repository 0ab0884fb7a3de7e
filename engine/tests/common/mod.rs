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
pub mod faulty;
pub mod gate;

use std::collections::{BTreeMap, BTreeSet};

use vellum::{Direction, NodeId, ReadTxn};

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

    pub fn out(&self, id: u64) -> impl Iterator<Item = (&ModelEdge, &Vec<u8>)> {
        self.edges.iter().filter(move |(edge, _)| edge.0 == id)
    }

    pub fn incoming(&self, id: u64) -> impl Iterator<Item = (&ModelEdge, &Vec<u8>)> {
        self.edges.iter().filter(move |(edge, _)| edge.2 == id)
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
    for &number in model.nodes.keys() {
        let mut out: BTreeMap<ModelEdge, Vec<u8>> = BTreeMap::new();
        for edge in txn.edges(id(number), Direction::Out, None) {
            let edge = edge.unwrap();
            let key = (
                edge.source().get(),
                edge.label().to_owned(),
                edge.target().get(),
                edge.ordinal(),
            );
            let twice = out.insert(key.clone(), edge.data().unwrap().into_owned());
            assert!(twice.is_none(), "edge {key:?} came twice");
        }
        let expected: BTreeMap<_, _> = model
            .out(number)
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let differences: Vec<_> = out.keys().filter(|k| !expected.contains_key(*k)).collect();
        let missing: Vec<_> = expected.keys().filter(|k| !out.contains_key(*k)).collect();
        assert!(
            differences.is_empty(),
            "out-edges of {number} that should not be: {differences:?}"
        );
        assert!(
            missing.is_empty(),
            "out-edges of {number} that are missing: {missing:?}"
        );
        assert!(out == expected, "data of out-edges of {number}");
        let incoming: BTreeSet<ModelEdge> = txn
            .edges(id(number), Direction::In, None)
            .map(|edge| edge.unwrap())
            .map(|e| {
                (
                    e.source().get(),
                    e.label().to_owned(),
                    e.target().get(),
                    e.ordinal(),
                )
            })
            .collect();
        let expected: BTreeSet<_> = model.incoming(number).map(|(k, _)| k.clone()).collect();
        assert_eq!(incoming, expected, "in-edges of {number}");
        for direction in [Direction::Out, Direction::In] {
            let listed = txn
                .neighbors(id(number), direction, None)
                .map(Result::unwrap)
                .count() as u64;
            assert_eq!(
                txn.degree(id(number), direction, None).unwrap(),
                listed,
                "degree of {number}"
            );
        }
    }
    for (edge, data) in &model.edges {
        let found = txn.edge(id(edge.0), &edge.1, id(edge.2), edge.3).unwrap();
        let found = found.unwrap_or_else(|| panic!("edge {edge:?} is missing"));
        assert!(found.data().unwrap() == *data, "data of {edge:?}");
    }
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
            let key = (
                edge.source().get(),
                edge.label().to_owned(),
                edge.target().get(),
                edge.ordinal(),
            );
            model.edges.insert(key, edge.data()?.into_owned());
        }
        for edge in txn.edges(id(*number), Direction::In, None) {
            let edge = edge?;
            reversed.insert((
                edge.source().get(),
                edge.label().to_owned(),
                edge.target().get(),
                edge.ordinal(),
            ));
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
