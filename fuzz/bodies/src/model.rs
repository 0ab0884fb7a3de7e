//! A plain graph that says what the database must answer.

use std::collections::BTreeMap;

use vellum::ReadTxn;

use crate::contents::Contents;

/// Kind, name, data.
type ModelNode = (String, String, Vec<u8>);

/// Source, label, target, ordinal.
pub(crate) type ModelEdge = (u64, String, u64, u32);

/// As simple as can be, and nothing shared with the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) nodes: BTreeMap<u64, ModelNode>,
    pub(crate) edges: BTreeMap<ModelEdge, Vec<u8>>,
    /// The next id to be issued.
    pub(crate) next: u64,
    unique: bool,
    named: bool,
}

impl Model {
    /// An empty graph. `unique`: of unique edges; `named`: with a name index.
    pub(crate) fn new(unique: bool, named: bool) -> Model {
        Model {
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
            next: 1,
            unique,
            named,
        }
    }

    pub(crate) fn insert_node(&mut self, kind: &str, name: &str, data: &[u8]) -> u64 {
        let id = self.next;
        self.next += 1;
        let node = (kind.to_owned(), name.to_owned(), data.to_owned());
        self.nodes.insert(id, node);
        id
    }

    /// Returns the ordinal that the edge gets.
    pub(crate) fn insert_edge(&mut self, from: u64, label: &str, to: u64, data: &[u8]) -> u32 {
        let key = |ordinal| (from, label.to_owned(), to, ordinal);
        let parallel = self.edges.range(key(0)..=key(u32::MAX));
        let ordinal = match parallel.last() {
            Some((highest, _)) if !self.unique => highest.3 + 1,
            _ => 0,
        };
        self.edges.insert(key(ordinal), data.to_owned());
        ordinal
    }

    pub(crate) fn delete_node(&mut self, id: u64) {
        self.nodes.remove(&id);
        self.edges.retain(|edge, _| edge.0 != id && edge.2 != id);
    }

    /// The node that a choice means.
    pub(crate) fn node(&self, choice: u8) -> Option<u64> {
        let at = usize::from(choice).checked_rem(self.nodes.len())?;
        self.nodes.keys().nth(at).copied()
    }

    /// The edge that a choice means.
    pub(crate) fn edge(&self, choice: u8) -> Option<ModelEdge> {
        let at = usize::from(choice).checked_rem(self.edges.len())?;
        self.edges.keys().nth(at).cloned()
    }

    /// Panics unless the snapshot shows this graph and nothing else.
    pub(crate) fn assert_shown(&self, txn: &ReadTxn) {
        assert!(
            self.is_shown(txn).unwrap(),
            "the database shows another graph than the model"
        );
    }

    /// Whether the snapshot shows this graph and nothing else.
    pub(crate) fn is_shown(&self, txn: &ReadTxn) -> vellum::Result<bool> {
        let shown = Contents::read(txn, self.named)?;
        // A replaced edge may count twice until it is merged.
        let edges = self.unique || txn.edge_count() == self.edges.len() as u64;
        let counts = txn.node_count() == self.nodes.len() as u64 && edges;
        Ok(counts && txn.next_id() == self.next && self.contents(&shown) == shown)
    }

    /// This graph in the order that a database with these labels and kinds lists it in.
    fn contents(&self, shown: &Contents) -> Contents {
        let nodes = self.nodes.iter();
        let mut names: Vec<_> = nodes
            .clone()
            .map(|(id, node)| (node.1.clone(), *id))
            .collect();
        names.sort();
        let of_kind = |kind: &String| {
            let ids = nodes.clone().filter(|(_, node)| node.0 == *kind);
            (kind.clone(), ids.map(|(id, _)| *id).collect())
        };
        let items = self.edges.iter();
        let items =
            items.map(|(edge, data)| (edge.0, edge.1.clone(), edge.2, edge.3, data.clone()));
        let mut out: Vec<_> = items.collect();
        let mut incoming = out.clone();
        let rank = |label: &String| shown.labels.iter().position(|other| other == label);
        out.sort_by_key(|edge| (edge.0, rank(&edge.1), edge.2, edge.3));
        incoming.sort_by_key(|edge| (edge.2, rank(&edge.1), edge.0, edge.3));
        Contents {
            nodes: nodes
                .clone()
                .map(|(id, node)| (*id, node.0.clone(), node.1.clone(), node.2.clone()))
                .collect(),
            out,
            incoming,
            names: if self.named { names } else { Vec::new() },
            kinds: shown.kinds.iter().map(|(kind, _)| of_kind(kind)).collect(),
            labels: shown.labels.clone(),
        }
    }
}
