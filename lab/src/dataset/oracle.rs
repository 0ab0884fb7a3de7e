//! The oracle that changes: the same graph in plain maps, for operations in any order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::NodeRow;
use super::model::{Model, ModelEdge, Way};

/// One end of an edge, as the node at the other end keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Half {
    pub(crate) label: u32,
    pub(crate) peer: u64,
    pub(crate) ordinal: u32,
    data: Arc<[u8]>,
}

impl Half {
    fn key(&self) -> (u32, u64, u32) {
        (self.label, self.peer, self.ordinal)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OracleNode {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) data: Arc<[u8]>,
    out: Vec<Half>,
    incoming: Vec<Half>,
}

/// Which edges a question follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Along<'a> {
    pub(crate) way: Way,
    pub(crate) label: Option<&'a str>,
}

/// Nodes found, and how many edges were followed to find them.
pub(crate) struct Found {
    pub(crate) nodes: Vec<u64>,
    pub(crate) edges: u64,
}

/// A whole graph in memory that can be changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oracle {
    nodes: HashMap<u64, OracleNode>,
    labels: Vec<String>,
    label_numbers: HashMap<String, u32>,
    /// Ids of the nodes there are, in no order that lasts when nodes go.
    live: Vec<u64>,
    places: HashMap<u64, usize>,
    names: BTreeSet<(String, u64)>,
    kinds: BTreeMap<String, BTreeSet<u64>>,
    next: u64,
    edges: u64,
    data_bytes: u64,
}

impl Oracle {
    pub(crate) fn of(model: &Model) -> Oracle {
        let mut oracle = Oracle {
            next: 1,
            ..Oracle::default()
        };
        for label in model.labels() {
            oracle.label_number(label);
        }
        for node in model.nodes() {
            oracle.insert_node_at(node.id, &node.kind, &node.name, &node.data);
        }
        // The model's edges are in order, so that each lands at the end of its lists.
        for edge in model.edges() {
            oracle.put_edge(
                edge.source,
                u32::from(edge.label),
                edge.target,
                edge.ordinal,
                &edge.data,
            );
        }
        oracle
    }

    /// The same graph as a model that can be compared with a database.
    pub(crate) fn model(&self) -> Model {
        let mut nodes: Vec<NodeRow> = self
            .nodes
            .iter()
            .map(|(id, node)| NodeRow {
                id: *id,
                kind: node.kind.clone(),
                name: node.name.clone(),
                data: node.data.to_vec(),
            })
            .collect();
        nodes.sort_by_key(|node| node.id);
        let mut edges = Vec::with_capacity(self.edges as usize);
        for node in &nodes {
            for half in &self.nodes[&node.id].out {
                edges.push(ModelEdge::numbered(
                    node.id,
                    half.label as u16,
                    half.peer,
                    half.ordinal,
                    half.data.to_vec(),
                ));
            }
        }
        Model::restore(nodes, self.labels.clone(), edges)
    }

    pub(crate) fn node(&self, id: u64) -> Option<&OracleNode> {
        self.nodes.get(&id)
    }

    /// Ids of the nodes there are. In id order until the first one goes.
    pub(crate) fn live(&self) -> &[u64] {
        &self.live
    }

    /// The lowest id never issued.
    pub(crate) fn next_id(&self) -> u64 {
        self.next
    }

    pub(crate) fn node_count(&self) -> u64 {
        self.live.len() as u64
    }

    pub(crate) fn edge_count(&self) -> u64 {
        self.edges
    }

    /// Bytes of all nodes' data.
    pub(crate) fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    pub(crate) fn insert_node(&mut self, kind: &str, name: &str, data: &[u8]) -> u64 {
        let id = self.next;
        self.insert_node_at(id, kind, name, data);
        id
    }

    pub(crate) fn insert_node_at(&mut self, id: u64, kind: &str, name: &str, data: &[u8]) {
        self.next = self.next.max(id + 1);
        self.places.insert(id, self.live.len());
        self.live.push(id);
        self.index(id, kind, name);
        self.data_bytes += data.len() as u64;
        let node = OracleNode {
            kind: kind.to_owned(),
            name: name.to_owned(),
            data: data.into(),
            out: Vec::new(),
            incoming: Vec::new(),
        };
        self.nodes.insert(id, node);
    }

    fn index(&mut self, id: u64, kind: &str, name: &str) {
        self.names.insert((name.to_owned(), id));
        self.kinds.entry(kind.to_owned()).or_default().insert(id);
    }

    fn unindex(&mut self, id: u64, kind: &str, name: &str) {
        self.names.remove(&(name.to_owned(), id));
        if let Some(ids) = self.kinds.get_mut(kind) {
            ids.remove(&id);
        }
    }

    /// `false` if there is no such node.
    pub(crate) fn update_node(
        &mut self,
        id: u64,
        kind: Option<&str>,
        name: Option<&str>,
        data: &[u8],
    ) -> bool {
        let Some(mut node) = self.nodes.remove(&id) else {
            return false;
        };
        self.unindex(id, &node.kind, &node.name);
        self.data_bytes = self.data_bytes - node.data.len() as u64 + data.len() as u64;
        node.data = data.into();
        if let Some(kind) = kind {
            kind.clone_into(&mut node.kind);
        }
        if let Some(name) = name {
            name.clone_into(&mut node.name);
        }
        self.index(id, &node.kind, &node.name);
        self.nodes.insert(id, node);
        true
    }

    /// The node and its edges go. `false` if there is no such node.
    pub(crate) fn delete_node(&mut self, id: u64) -> bool {
        let Some(node) = self.nodes.remove(&id) else {
            return false;
        };
        self.unindex(id, &node.kind, &node.name);
        self.data_bytes -= node.data.len() as u64;
        if let Some(place) = self.places.remove(&id) {
            self.live.swap_remove(place);
            if let Some(moved) = self.live.get(place) {
                self.places.insert(*moved, place);
            }
        }
        // A self-loop stands in both lists and is one edge.
        let loops = node.out.iter().filter(|half| half.peer == id).count();
        self.edges -= (node.out.len() + node.incoming.len() - loops) as u64;
        for half in &node.out {
            if let Some(peer) = self.nodes.get_mut(&half.peer) {
                remove(&mut peer.incoming, (half.label, id, half.ordinal));
            }
        }
        for half in &node.incoming {
            if let Some(peer) = self.nodes.get_mut(&half.peer) {
                remove(&mut peer.out, (half.label, id, half.ordinal));
            }
        }
        true
    }

    fn label_number(&mut self, label: &str) -> u32 {
        if let Some(number) = self.label_numbers.get(label) {
            return *number;
        }
        let number = self.labels.len() as u32;
        self.labels.push(label.to_owned());
        self.label_numbers.insert(label.to_owned(), number);
        number
    }

    fn put_edge(&mut self, source: u64, label: u32, target: u64, ordinal: u32, data: &[u8]) {
        let data: Arc<[u8]> = data.into();
        let half = |peer, data| Half {
            label,
            peer,
            ordinal,
            data,
        };
        if let Some(node) = self.nodes.get_mut(&source) {
            insert(&mut node.out, half(target, Arc::clone(&data)));
        }
        if let Some(node) = self.nodes.get_mut(&target) {
            insert(&mut node.incoming, half(source, data));
        }
        self.edges += 1;
    }

    /// `false` if one of the ends is not there. A parallel edge gets the ordinal after the highest.
    pub(crate) fn insert_edge(
        &mut self,
        source: u64,
        label: &str,
        target: u64,
        data: &[u8],
    ) -> bool {
        if !self.nodes.contains_key(&source) || !self.nodes.contains_key(&target) {
            return false;
        }
        let number = self.label_number(label);
        let out = &self.nodes[&source].out;
        let end = out.partition_point(|half| (half.label, half.peer) <= (number, target));
        let last = end.checked_sub(1).and_then(|at| out.get(at));
        let ordinal = last
            .filter(|half| (half.label, half.peer) == (number, target))
            .map_or(0, |half| half.ordinal + 1);
        self.put_edge(source, number, target, ordinal, data);
        true
    }

    /// `false` if there is no such edge.
    pub(crate) fn delete_edge(
        &mut self,
        source: u64,
        label: &str,
        target: u64,
        ordinal: u32,
    ) -> bool {
        let Some(number) = self.label_numbers.get(label).copied() else {
            return false;
        };
        let Some(node) = self.nodes.get_mut(&source) else {
            return false;
        };
        if !remove(&mut node.out, (number, target, ordinal)) {
            return false;
        }
        if let Some(node) = self.nodes.get_mut(&target) {
            remove(&mut node.incoming, (number, source, ordinal));
        }
        self.edges -= 1;
        true
    }

    /// The outgoing edge at a place of the node's list, with its label.
    pub(crate) fn out_edge(
        &self,
        id: u64,
        place: impl Fn(usize) -> usize,
    ) -> Option<(&str, &Half)> {
        let out = &self.nodes.get(&id)?.out;
        let half = out.get(place(out.len()))?;
        Some((self.labels.get(half.label as usize)?, half))
    }

    fn halves<'a>(&'a self, id: u64, along: Along<'_>) -> impl Iterator<Item = &'a Half> + use<'a> {
        let wanted = along
            .label
            .map(|label| self.label_numbers.get(label).copied());
        let list = self.nodes.get(&id).map(|node| match along.way {
            Way::Out => &node.out,
            Way::In => &node.incoming,
        });
        list.into_iter()
            .flatten()
            .filter(move |half| wanted.is_none_or(|wanted| wanted == Some(half.label)))
    }

    /// The other ends of the node's edges, one for each edge, sorted.
    pub(crate) fn neighbors(&self, id: u64, along: Along<'_>) -> Vec<u64> {
        let mut peers: Vec<u64> = self.halves(id, along).map(|half| half.peer).collect();
        peers.sort_unstable();
        peers
    }

    pub(crate) fn degree(&self, id: u64, along: Along<'_>) -> u64 {
        self.halves(id, along).count() as u64
    }

    /// The nodes within so many steps, without the start, sorted.
    pub(crate) fn within(&self, start: u64, depth: u32, along: Along<'_>) -> Found {
        let mut seen = HashSet::from([start]);
        let mut frontier = vec![start];
        let (mut nodes, mut edges) = (Vec::new(), 0);
        for _ in 0..depth {
            let mut next = Vec::new();
            for node in frontier {
                for half in self.halves(node, along) {
                    edges += 1;
                    if seen.insert(half.peer) {
                        next.push(half.peer);
                    }
                }
            }
            if next.is_empty() {
                break;
            }
            nodes.extend_from_slice(&next);
            frontier = next;
        }
        nodes.sort_unstable();
        Found { nodes, edges }
    }

    /// Edges on a shortest path and edges looked at, or `None` if there is no path.
    pub(crate) fn distance(&self, from: u64, to: u64, along: Along<'_>) -> (Option<u32>, u64) {
        if !self.nodes.contains_key(&from) || !self.nodes.contains_key(&to) {
            return (None, 0);
        }
        let mut seen = HashSet::from([from]);
        let mut frontier = vec![from];
        let (mut steps, mut edges) = (0, 0);
        while !frontier.is_empty() {
            if frontier.contains(&to) {
                return (Some(steps), edges);
            }
            let mut next = Vec::new();
            for node in frontier {
                for half in self.halves(node, along) {
                    edges += 1;
                    if seen.insert(half.peer) {
                        next.push(half.peer);
                    }
                }
            }
            frontier = next;
            steps += 1;
        }
        (None, edges)
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<u64> {
        self.kinds
            .get(kind)
            .map_or_else(Vec::new, |ids| ids.iter().copied().collect())
    }

    /// Names that start so, with their ids, in order.
    pub(crate) fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = &'a (String, u64)> {
        self.names
            .range((prefix.to_owned(), 0)..)
            .take_while(move |(name, _)| name.starts_with(prefix))
    }

    pub(crate) fn named(&self, name: &str) -> Vec<u64> {
        self.with_prefix(name)
            .take_while(|(found, _)| found == name)
            .map(|(_, id)| *id)
            .collect()
    }
}

fn insert(list: &mut Vec<Half>, half: Half) {
    let at = list.partition_point(|other| other.key() < half.key());
    list.insert(at, half);
}

fn remove(list: &mut Vec<Half>, key: (u32, u64, u32)) -> bool {
    match list.binary_search_by_key(&key, Half::key) {
        Ok(at) => {
            list.remove(at);
            true
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: Along<'static> = Along {
        way: Way::Out,
        label: None,
    };
    const IN: Along<'static> = Along {
        way: Way::In,
        label: None,
    };

    fn sample() -> Oracle {
        let mut oracle = Oracle::of(&Model::default());
        for name in ["a", "b", "c", "d"] {
            oracle.insert_node("k", name, b"data");
        }
        for (source, target) in [(1, 2), (1, 2), (2, 3), (3, 3), (4, 1)] {
            assert!(oracle.insert_edge(source, "x", target, b""));
        }
        oracle
    }

    #[test]
    fn walks() {
        let oracle = sample();
        assert_eq!(oracle.neighbors(1, OUT), [2, 2]);
        assert_eq!(oracle.within(4, 2, OUT).nodes, [1, 2]);
        assert_eq!(oracle.within(4, 9, OUT).edges, 5);
        assert_eq!(oracle.distance(4, 3, OUT).0, Some(3));
        assert_eq!(oracle.distance(3, 4, OUT).0, None);
        assert_eq!(oracle.degree(3, IN), 2);
    }

    #[test]
    fn changes_reach_every_index() {
        let mut oracle = sample();
        assert!(oracle.update_node(2, Some("l"), Some("bb"), b""));
        assert_eq!((oracle.of_kind("l"), oracle.named("b").len()), (vec![2], 0));
        assert!(oracle.delete_edge(1, "x", 2, 0) && !oracle.delete_edge(1, "x", 2, 0));
        assert!(oracle.insert_edge(1, "x", 2, b"") && !oracle.insert_edge(1, "x", 9, b""));
        assert_eq!(
            oracle
                .out_edge(1, |len| len - 1)
                .map(|(_, half)| half.ordinal),
            Some(2)
        );
        assert!(oracle.delete_node(3) && !oracle.delete_node(3));
        assert_eq!(
            (oracle.edge_count(), oracle.node_count(), oracle.next_id()),
            (3, 3, 5)
        );
        assert_eq!(oracle.degree(2, OUT), 0);
        assert_eq!(oracle.data_bytes(), 8);
        let again = Oracle::of(&oracle.model());
        assert_eq!(
            (again.edge_count(), again.neighbors(1, OUT)),
            (3, vec![2, 2])
        );
        assert_eq!(
            again
                .out_edge(1, |len| len - 1)
                .map(|(_, half)| half.ordinal),
            Some(2)
        );
    }
}
