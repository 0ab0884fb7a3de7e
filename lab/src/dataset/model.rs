//! The oracle: the same graph in plain vectors, too simple to be wrong in the same way as the store.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::{EdgeRow, NodeRow};

/// An edge with its label as an index into [`Model::labels`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelEdge {
    pub(crate) source: u64,
    pub(crate) label: u16,
    pub(crate) target: u64,
    /// Tells parallel edges apart: 0 for the first row of its (source, label, target), and so on.
    pub(crate) ordinal: u32,
    pub(crate) data: Vec<u8>,
    /// Its row's place in the source.
    arrival: u32,
}

impl ModelEdge {
    /// An edge whose ordinal is known.
    pub(crate) fn numbered(
        source: u64,
        label: u16,
        target: u64,
        ordinal: u32,
        data: Vec<u8>,
    ) -> ModelEdge {
        ModelEdge {
            source,
            label,
            target,
            ordinal,
            data,
            arrival: 0,
        }
    }
}

/// Which way edges are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Out,
    In,
}

impl Way {
    pub(crate) const BOTH: [Way; 2] = [Way::Out, Way::In];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Out => "out",
            Way::In => "in",
        }
    }
}

/// A whole graph in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    nodes: Vec<NodeRow>,
    labels: Vec<String>,
    /// In (source, label, target, ordinal) order.
    edges: Vec<ModelEdge>,
    /// Indexes of `edges` in (target, label, source, ordinal) order.
    incoming: Vec<u32>,
}

impl Model {
    /// The graph of these rows. Ids are distinct and edges name nodes: the reader has seen to it.
    pub(crate) fn new(nodes: Vec<NodeRow>, edges: impl IntoIterator<Item = EdgeRow>) -> Model {
        let mut model = Model::default();
        model.add(nodes, edges);
        model
    }

    /// A graph whose edges have their ordinals already, gaps between them included.
    pub(crate) fn restore(
        nodes: Vec<NodeRow>,
        labels: Vec<String>,
        mut edges: Vec<ModelEdge>,
    ) -> Model {
        edges.sort_by_key(|edge| (edge.source, edge.label, edge.target, edge.ordinal));
        for (edge, arrival) in edges.iter_mut().zip(0u32..) {
            edge.arrival = arrival;
        }
        let mut model = Model {
            nodes,
            labels,
            edges,
            incoming: Vec::new(),
        };
        model.index_incoming();
        model
    }

    /// Adds rows as if they had stood at the end of the source.
    pub(crate) fn add(&mut self, nodes: Vec<NodeRow>, edges: impl IntoIterator<Item = EdgeRow>) {
        self.nodes.extend(nodes);
        self.nodes.sort_by_key(|node| node.id);
        let mut known: HashMap<String, u16> = self
            .labels
            .iter()
            .zip(0u16..)
            .map(|(label, number)| (label.clone(), number))
            .collect();
        for row in edges {
            let label = known.get(&row.label).copied().unwrap_or_else(|| {
                let number = self.labels.len() as u16;
                self.labels.push(row.label.clone());
                known.insert(row.label, number);
                number
            });
            self.edges.push(ModelEdge {
                source: row.source,
                label,
                target: row.target,
                ordinal: 0,
                data: row.data,
                arrival: self.edges.len() as u32,
            });
        }
        self.index();
    }

    /// Sorts stably, so that parallel edges keep their order of arrival, and numbers them.
    fn index(&mut self) {
        self.edges
            .sort_by_key(|edge| (edge.source, edge.label, edge.target));
        let mut previous = None;
        let mut ordinal = 0;
        for edge in &mut self.edges {
            let triple = (edge.source, edge.label, edge.target);
            ordinal = if previous == Some(triple) {
                ordinal + 1
            } else {
                0
            };
            previous = Some(triple);
            edge.ordinal = ordinal;
        }
        self.index_incoming();
    }

    fn index_incoming(&mut self) {
        let edges = &self.edges;
        self.incoming = (0..edges.len() as u32).collect();
        self.incoming.sort_by_key(|&at| {
            let edge = &edges[at as usize];
            (edge.target, edge.label, edge.source, edge.ordinal)
        });
    }

    /// Every node in id order.
    pub(crate) fn nodes(&self) -> &[NodeRow] {
        &self.nodes
    }

    /// Every edge in (source, label, target, ordinal) order.
    pub(crate) fn edges(&self) -> &[ModelEdge] {
        &self.edges
    }

    /// Every edge in the order of the source.
    pub(crate) fn edges_as_they_came(&self) -> Vec<&ModelEdge> {
        let mut edges: Vec<&ModelEdge> = self.edges.iter().collect();
        edges.sort_by_key(|edge| edge.arrival);
        edges
    }

    /// Label names in order of first use.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    pub(crate) fn label(&self, edge: &ModelEdge) -> &str {
        self.labels
            .get(usize::from(edge.label))
            .map_or("", String::as_str)
    }

    /// Kind names in the order in which their first nodes stand.
    pub(crate) fn kinds(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.nodes
            .iter()
            .map(|node| node.kind.as_str())
            .filter(|kind| seen.insert(*kind))
            .collect()
    }

    /// The node's edges in that direction, in (label, peer, ordinal) order.
    pub(crate) fn edges_of(&self, id: u64, way: Way) -> impl Iterator<Item = &ModelEdge> {
        let range = match way {
            Way::Out => range_of(self.edges.len(), |at| self.edges[at].source, id),
            Way::In => range_of(
                self.incoming.len(),
                |at| self.edges[self.incoming[at] as usize].target,
                id,
            ),
        };
        range.map(move |at| match way {
            Way::Out => &self.edges[at],
            Way::In => &self.edges[self.incoming[at] as usize],
        })
    }

    /// The other ends of the node's edges, one for each edge; of one label if one is given.
    pub(crate) fn neighbors(&self, id: u64, way: Way, label: Option<&str>) -> Vec<u64> {
        let wanted = |edge: &&ModelEdge| label.is_none_or(|label| self.label(edge) == label);
        self.edges_of(id, way)
            .filter(wanted)
            .map(|edge| peer(edge, way))
            .collect()
    }

    /// The nodes first reached after 1, 2, … `hops` steps, each level sorted.
    pub(crate) fn reach(
        &self,
        start: u64,
        hops: u32,
        way: Way,
        label: Option<&str>,
    ) -> Vec<Vec<u64>> {
        let mut seen = HashSet::from([start]);
        let mut frontier = vec![start];
        let mut levels = Vec::new();
        for _ in 0..hops {
            let mut next: Vec<u64> = frontier
                .iter()
                .flat_map(|&node| self.neighbors(node, way, label))
                .filter(|&node| seen.insert(node))
                .collect();
            next.sort_unstable();
            levels.push(next.clone());
            frontier = next;
        }
        levels
    }

    /// Edges on a shortest chain from one node to another, or `None` if there is no chain.
    pub(crate) fn distance(
        &self,
        from: u64,
        to: u64,
        way: Way,
        label: Option<&str>,
    ) -> Option<u32> {
        let mut seen = HashSet::from([from]);
        let mut frontier = vec![from];
        let mut steps = 0;
        while !frontier.is_empty() {
            if frontier.contains(&to) {
                return Some(steps);
            }
            frontier = frontier
                .iter()
                .flat_map(|&node| self.neighbors(node, way, label))
                .filter(|&node| seen.insert(node))
                .collect();
            steps += 1;
        }
        None
    }

    /// Ids of the nodes of a kind, in id order.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<u64> {
        self.nodes
            .iter()
            .filter(|node| node.kind == kind)
            .map(|node| node.id)
            .collect()
    }

    /// Ids of the nodes with exactly this name, in id order.
    pub(crate) fn named(&self, name: &str) -> Vec<u64> {
        self.nodes
            .iter()
            .filter(|node| node.name == name)
            .map(|node| node.id)
            .collect()
    }

    /// Names that start so, with their ids, in name order.
    pub(crate) fn with_prefix(&self, prefix: &str) -> Vec<(String, u64)> {
        let matching = self
            .nodes
            .iter()
            .filter(|node| node.name.starts_with(prefix));
        let mut found: Vec<(String, u64)> =
            matching.map(|node| (node.name.clone(), node.id)).collect();
        found.sort();
        found
    }

    /// How many nodes have each degree, out and in, by ascending degree.
    pub(crate) fn degrees(&self) -> BTreeMap<u64, [u64; 2]> {
        let mut of_node: HashMap<u64, [u64; 2]> =
            self.nodes.iter().map(|node| (node.id, [0, 0])).collect();
        for edge in &self.edges {
            of_node.entry(edge.source).or_default()[0] += 1;
            of_node.entry(edge.target).or_default()[1] += 1;
        }
        let mut counts: BTreeMap<u64, [u64; 2]> = BTreeMap::new();
        for [out, incoming] in of_node.into_values() {
            counts.entry(out).or_default()[0] += 1;
            counts.entry(incoming).or_default()[1] += 1;
        }
        counts
    }

    /// Bytes of names, of node data and of edge data: what any store has to keep.
    pub(crate) fn payload(&self) -> Payload {
        self.payload_within(usize::MAX)
    }

    /// Names, and data of which one piece has at most so many bytes.
    pub(crate) fn payload_within(&self, most: usize) -> Payload {
        let data = |bytes: &[u8]| match bytes.len() <= most {
            true => bytes.len() as u64,
            false => 0,
        };
        Payload {
            names: self.nodes.iter().map(|node| node.name.len() as u64).sum(),
            node_data: self.nodes.iter().map(|node| data(&node.data)).sum(),
            edge_data: self.edges.iter().map(|edge| data(&edge.data)).sum(),
        }
    }
}

/// Bytes that the user gave, by what they belong to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Payload {
    pub(crate) names: u64,
    pub(crate) node_data: u64,
    pub(crate) edge_data: u64,
}

impl Payload {
    pub(crate) fn total(self) -> u64 {
        self.names + self.node_data + self.edge_data
    }
}

/// The end of the edge that is not the node it was found from.
pub(crate) fn peer(edge: &ModelEdge, way: Way) -> u64 {
    match way {
        Way::Out => edge.target,
        Way::In => edge.source,
    }
}

/// The places of `id` in a list of `len` sorted by `key`.
fn range_of(len: usize, key: impl Fn(usize) -> u64, id: u64) -> Range<usize> {
    let first = |limit: u64| {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low.midpoint(high);
            if key(middle) < limit {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    };
    first(id)..first(id.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u64, kind: &str, name: &str) -> NodeRow {
        NodeRow {
            id,
            kind: kind.into(),
            name: name.into(),
            data: vec![b'd'],
        }
    }

    fn edge(source: u64, label: &str, target: u64) -> EdgeRow {
        EdgeRow {
            source,
            label: label.into(),
            target,
            data: Vec::new(),
        }
    }

    fn sample() -> Model {
        let nodes = vec![
            node(3, "a", "three"),
            node(1, "a", "one"),
            node(2, "b", "two"),
            node(9, "b", "tw"),
        ];
        let edges = vec![
            edge(1, "x", 2),
            edge(2, "y", 3),
            edge(1, "x", 2),
            edge(3, "x", 3),
            edge(1, "y", 2),
            edge(9, "x", 1),
        ];
        Model::new(nodes, edges)
    }

    #[test]
    fn adjacency_is_ordered_and_numbered() {
        let model = sample();
        let out: Vec<_> = model
            .edges_of(1, Way::Out)
            .map(|e| (e.label, e.target, e.ordinal))
            .collect();
        assert_eq!(out, [(0, 2, 0), (0, 2, 1), (1, 2, 0)]);
        let incoming: Vec<_> = model
            .edges_of(3, Way::In)
            .map(|e| (e.label, e.source))
            .collect();
        assert_eq!(incoming, [(0, 3), (1, 2)]);
        assert_eq!(model.edges_of(7, Way::Out).count(), 0);
        assert_eq!(model.neighbors(2, Way::In, Some("x")), [1, 1]);
    }

    #[test]
    fn reach_and_distance() {
        let model = sample();
        assert_eq!(
            model.reach(9, 3, Way::Out, None),
            [vec![1], vec![2], vec![3]]
        );
        assert_eq!(
            model.reach(9, 2, Way::Out, Some("y")),
            [Vec::<u64>::new(), Vec::new()]
        );
        assert_eq!(model.distance(9, 3, Way::Out, None), Some(3));
        assert_eq!(model.distance(3, 3, Way::Out, None), Some(0));
        assert_eq!(model.distance(3, 9, Way::Out, None), None);
        assert_eq!(model.distance(3, 9, Way::In, None), Some(3));
    }

    #[test]
    fn lookups() {
        let model = sample();
        assert_eq!(model.of_kind("b"), [2, 9]);
        assert_eq!(model.named("two"), [2]);
        assert_eq!(
            model.with_prefix("tw"),
            [("tw".to_owned(), 9), ("two".to_owned(), 2)]
        );
        assert_eq!(model.degrees().get(&0), Some(&[0, 1]));
        assert_eq!(model.payload().total(), 13 + 4);
        let all = model.payload();
        let small = model.payload_within(0);
        assert_eq!((small.names, small.total()), (all.names, all.names));
    }

    #[test]
    fn added_rows_continue_the_ordinals() {
        let mut model = sample();
        model.add(
            vec![node(4, "a", "four")],
            vec![edge(1, "x", 2), edge(4, "z", 1)],
        );
        let out: Vec<_> = model
            .edges_of(1, Way::Out)
            .map(|e| (e.label, e.ordinal))
            .collect();
        assert_eq!(out, [(0, 0), (0, 1), (0, 2), (1, 0)]);
        assert_eq!(model.labels(), ["x", "y", "z"]);
    }
}
