//! The graph as it must be after each commit: plain maps, and one digest of everything readable.

use std::collections::BTreeMap;

use crate::digest::Digest;

/// Source, label, target, ordinal. Labels are numbered in the order of their first use.
type EdgeKey = (u64, usize, u64, u32);

#[derive(Clone, Debug, Default)]
struct Node {
    kind: String,
    name: String,
    data: Vec<u8>,
}

/// As simple as can be, and nothing shared with the engine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    nodes: BTreeMap<u64, Node>,
    edges: BTreeMap<EdgeKey, Vec<u8>>,
    kinds: Vec<String>,
    labels: Vec<String>,
    next: u64,
}

fn number(names: &mut Vec<String>, name: &str) -> usize {
    names
        .iter()
        .position(|known| known == name)
        .unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        })
}

impl Model {
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.nodes.keys().copied().collect()
    }

    /// The lowest id never issued.
    pub(crate) fn next_id(&self) -> u64 {
        self.next.max(1)
    }

    pub(crate) fn put_node(&mut self, id: u64, kind: &str, name: &str, data: &[u8]) {
        number(&mut self.kinds, kind);
        self.next = self.next.max(id + 1);
        let node = Node {
            kind: kind.to_owned(),
            name: name.to_owned(),
            data: data.to_owned(),
        };
        self.nodes.insert(id, node);
    }

    pub(crate) fn rename(&mut self, id: u64, name: &str) {
        if let Some(node) = self.nodes.get_mut(&id) {
            name.clone_into(&mut node.name);
        }
    }

    pub(crate) fn delete_node(&mut self, id: u64) {
        self.nodes.remove(&id);
        self.edges.retain(|edge, _| edge.0 != id && edge.2 != id);
    }

    pub(crate) fn add_edge(&mut self, source: u64, label: &str, target: u64, data: &[u8]) {
        let label = number(&mut self.labels, label);
        let parallel = self
            .edges
            .range((source, label, target, 0)..=(source, label, target, u32::MAX));
        let ordinal = parallel.last().map_or(0, |(edge, _)| edge.3 + 1);
        self.edges
            .insert((source, label, target, ordinal), data.to_owned());
    }

    /// Deletes the first of a node's outgoing edges. Which one it was, if there was one.
    pub(crate) fn delete_first_edge(&mut self, source: u64) -> Option<(String, u64, u32)> {
        let key = *self
            .edges
            .range((source, 0, 0, 0)..(source + 1, 0, 0, 0))
            .next()?
            .0;
        self.edges.remove(&key);
        Some((self.labels.get(key.1)?.clone(), key.2, key.3))
    }

    /// Of everything that can be read: [`crate::content::rows`] of a database with the same graph.
    pub(crate) fn digest(&self) -> u128 {
        let mut digest = Digest::new();
        digest.number(self.next_id());
        digest.number(self.nodes.len() as u64);
        digest.number(self.edges.len() as u64);
        for (id, node) in &self.nodes {
            digest.number(*id);
            digest.text(&node.kind);
            digest.text(&node.name);
            digest.bytes(&node.data);
        }
        let mut incoming: Vec<EdgeKey> = self.edges.keys().copied().collect();
        incoming
            .sort_by_key(|(source, label, target, ordinal)| (*target, *label, *source, *ordinal));
        for ((source, label, target, ordinal), data) in &self.edges {
            self.edge(&mut digest, [*source, *target], *label, *ordinal);
            digest.bytes(data);
        }
        for (source, label, target, ordinal) in incoming {
            self.edge(&mut digest, [target, source], label, ordinal);
        }
        self.indexes(&mut digest);
        digest.value()
    }

    fn edge(&self, digest: &mut Digest, ends: [u64; 2], label: usize, ordinal: u32) {
        digest.number(ends[0]);
        digest.text(self.labels.get(label).map_or("", String::as_str));
        digest.number(ends[1]);
        digest.number(u64::from(ordinal));
    }

    fn indexes(&self, digest: &mut Digest) {
        let mut names: Vec<(&[u8], u64)> = self
            .nodes
            .iter()
            .map(|(id, node)| (node.name.as_bytes(), *id))
            .collect();
        names.sort_unstable();
        for (name, id) in names {
            digest.bytes(name);
            digest.number(id);
        }
        for kind in &self.kinds {
            digest.text(kind);
            for (id, _) in self.nodes.iter().filter(|(_, node)| node.kind == *kind) {
                digest.number(*id);
            }
        }
        for label in &self.labels {
            digest.text(label);
        }
    }
}
