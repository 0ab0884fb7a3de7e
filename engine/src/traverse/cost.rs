//! Shortest paths by cost: Dijkstra's search, with a limit on the number of edges if one is given.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::frontier::Follow;
use super::pages::TraversalPages;
use super::path::Path;
use crate::error::{Error, Result};
use crate::graph::{Edge, EdgesOver, Labels, View};
use crate::ids::{Mixed, NodeId};

/// What an edge costs.
pub(super) type Cost<'t> = Box<dyn FnMut(&Edge<'_>) -> Result<f64> + 't>;

/// A way to a node.
struct Way {
    node: NodeId,
    /// The way that it prolongs.
    before: Option<usize>,
    cost: f64,
    edges: u32,
}

/// A way to be looked at: the cheapest first, then the one of fewest edges, then the one found first.
struct Open {
    cost: f64,
    edges: u32,
    way: usize,
}

impl Ord for Open {
    fn cmp(&self, other: &Open) -> Ordering {
        // The heap gives its greatest, so the order is turned round.
        other
            .cost
            .total_cmp(&self.cost)
            .then(other.edges.cmp(&self.edges))
            .then(other.way.cmp(&self.way))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Open) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Open) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

pub(super) struct Search<'t> {
    view: &'t View,
    pages: &'t TraversalPages<'t>,
    labels: Labels,
    follow: Follow<'t>,
    cost: Cost<'t>,
    ways: Vec<Way>,
    open: BinaryHeap<Open>,
    /// The fewest edges among the ways to a node that were looked at.
    settled: HashMap<u64, u32, Mixed>,
}

impl<'t> Search<'t> {
    pub(super) fn new(
        view: &'t View,
        pages: &'t TraversalPages<'t>,
        follow: Follow<'t>,
        cost: Cost<'t>,
    ) -> Result<Search<'t>> {
        Ok(Search {
            view,
            pages,
            labels: Labels::of(view, follow.label)?,
            follow,
            cost,
            ways: Vec::new(),
            open: BinaryHeap::new(),
            settled: HashMap::default(),
        })
    }

    pub(super) fn run(mut self, from: NodeId, to: NodeId, max_edges: u32) -> Result<Option<Path>> {
        self.add(Way {
            node: from,
            before: None,
            cost: 0.0,
            edges: 0,
        });
        let limited = max_edges < u32::MAX;
        while let Some(Open { cost, edges, way }) = self.open.pop() {
            let Some(node) = self.ways.get(way).map(|way| way.node) else {
                continue;
            };
            if node == to {
                return Ok(Some(Path {
                    nodes: self.trail(way),
                    cost,
                }));
            }
            // Ways come in the order of their cost. A dearer one to the same node is of use only if it
            // has fewer edges and their number matters.
            let known = self.settled.get(&node.get());
            if known.is_some_and(|fewest| !limited || *fewest <= edges) {
                continue;
            }
            self.settled.insert(node.get(), edges);
            if edges < max_edges {
                self.prolong(way, node, cost, edges + 1)?;
            }
        }
        Ok(None)
    }

    fn add(&mut self, way: Way) {
        self.open.push(Open {
            cost: way.cost,
            edges: way.edges,
            way: self.ways.len(),
        });
        self.ways.push(way);
    }

    fn prolong(&mut self, way: usize, node: NodeId, so_far: f64, edges: u32) -> Result<()> {
        for direction in self.follow.directions() {
            for edge in EdgesOver::new(self.view, self.pages, node, direction, self.labels)? {
                let edge = edge?;
                let step = (self.cost)(&edge)?;
                if step.is_nan() || step < 0.0 {
                    return Err(Error::usage(format!(
                        "the cost of {edge:?} is {step}; it must be 0 or more"
                    )));
                }
                let peer = if edge.source() == node {
                    edge.target()
                } else {
                    edge.source()
                };
                let settled = self
                    .settled
                    .get(&peer.get())
                    .is_some_and(|fewest| *fewest <= edges);
                let cost = so_far + step;
                if cost.is_finite() && !settled {
                    self.add(Way {
                        node: peer,
                        before: Some(way),
                        cost,
                        edges,
                    });
                }
            }
        }
        Ok(())
    }

    fn trail(&self, way: usize) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        let mut at = Some(way);
        // A way prolongs one that was found before it.
        while let Some(way) = at.and_then(|at| self.ways.get(at)) {
            nodes.push(way.node);
            at = way.before;
        }
        nodes.reverse();
        nodes
    }
}
