//! Shortest paths: of the fewest edges by search from both ends, of the least cost by Dijkstra's
//! algorithm (A note on two problems in connexion with graphs, 1959).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};

use super::bfs::Walk;
use super::cache::TraversalCache;
use super::cached::CachedPages;
use crate::error::{Error, Result};
use crate::graph::{Direction, Edge, Edges, Labels, Peers, View};
use crate::ids::NodeId;

/// A way from one node to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Its nodes, both ends included.
    pub nodes: Vec<NodeId>,
    /// Its cost; without a cost function the number of its edges.
    pub cost: f64,
}

type Cost<'t> = Box<dyn Fn(&Edge<'_>) -> Result<f64> + 't>;

/// A shortest path to be found. See [`ReadTxn::shortest_path`](crate::ReadTxn::shortest_path).
pub struct PathQuery<'t> {
    view: &'t View,
    from: NodeId,
    to: NodeId,
    options: Walk<'t>,
    cost: Option<Cost<'t>>,
}

impl<'t> PathQuery<'t> {
    pub(crate) fn new(view: &'t View, from: NodeId, to: NodeId) -> PathQuery<'t> {
        PathQuery { view, from, to, options: Walk::default(), cost: None }
    }

    /// Which way to follow edges. Default [`Direction::Out`].
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> PathQuery<'t> {
        self.options.direction = Some(direction);
        self
    }

    /// Follows only edges of this label.
    #[must_use]
    pub fn label(mut self, label: &str) -> PathQuery<'t> {
        self.options.label = Some(label.to_owned());
        self
    }

    /// Looks at no path of more edges than this.
    #[must_use]
    pub fn max_depth(mut self, edges: u32) -> PathQuery<'t> {
        self.options.max_depth = Some(edges);
        self
    }

    /// Uses this page cache. Default: one of its own. A search with a cost function, which reads
    /// whole edges, does not use it.
    #[must_use]
    pub fn cache(mut self, cache: &'t mut TraversalCache) -> PathQuery<'t> {
        self.options.cache = Some(cache);
        self
    }

    /// Looks for the least sum of what this function says of each edge, usually from its data. Costs
    /// must be 0 or more.
    #[must_use]
    pub fn cost(mut self, cost: impl Fn(&Edge<'_>) -> Result<f64> + 't) -> PathQuery<'t> {
        self.cost = Some(Box::new(cost));
        self
    }

    /// The path, or `None` if there is none. From a node to itself it is that node alone.
    ///
    /// # Errors
    /// [`Error::Usage`] if a cost is negative or not a number; those of the cost function;
    /// [`Error::Io`], [`Error::Corrupt`].
    pub fn run(mut self) -> Result<Option<Path>> {
        if !self.view.contains_node(self.from)? || !self.view.contains_node(self.to)? {
            return Ok(None);
        }
        if self.from == self.to {
            return Ok(Some(Path { nodes: vec![self.from], cost: 0.0 }));
        }
        match self.cost.take() {
            Some(cost) => self.least_cost(&cost),
            None => self.fewest_edges(),
        }
    }

    /// Searches from both ends in turn, always on from the smaller frontier, until they meet.
    fn fewest_edges(self) -> Result<Option<Path>> {
        let PathQuery { view, from, to, mut options, .. } = self;
        let labels = options.labels(view)?;
        let (direction, max_depth) = (options.direction(), options.max_depth.unwrap_or(u32::MAX));
        let mut own = TraversalCache::default();
        let cache = options.cache.take().unwrap_or(&mut own);
        let pages = CachedPages::new(&view.pager, cache);
        let mut ahead = Side::new(from, direction);
        let mut back = Side::new(to, direction.reversed());
        for _ in 0..max_depth {
            if ahead.frontier.is_empty() || back.frontier.is_empty() {
                return Ok(None);
            }
            let met = if ahead.frontier.len() <= back.frontier.len() {
                ahead.grow(view, &pages, labels, &back)?
            } else {
                back.grow(view, &pages, labels, &ahead)?
            };
            if let Some(met) = met {
                let mut nodes = ahead.way_to(met);
                nodes.reverse();
                nodes.extend(back.way_to(met).into_iter().skip(1));
                let cost = (nodes.len() - 1) as f64;
                return Ok(Some(Path { nodes, cost }));
            }
        }
        Ok(None)
    }

    fn least_cost(&self, cost: &Cost<'_>) -> Result<Option<Path>> {
        let max_depth = self.options.max_depth.unwrap_or(u32::MAX);
        let direction = self.options.direction();
        // With a limit on edges, a dearer way of fewer edges may be the only one that goes on, so
        // what is settled is a node together with a number of edges.
        let limited = self.options.max_depth.is_some();
        let key = |node: NodeId, edges: u32| (node, if limited { edges } else { 0 });
        let mut best: HashMap<(NodeId, u32), f64> = HashMap::from([(key(self.from, 0), 0.0)]);
        let mut parents: HashMap<(NodeId, u32), (NodeId, u32)> = HashMap::new();
        let mut queue = BinaryHeap::from([Reached { cost: 0.0, node: self.from, edges: 0 }]);
        while let Some(here) = queue.pop() {
            let state = key(here.node, here.edges);
            if here.cost > best.get(&state).copied().unwrap_or(f64::INFINITY) {
                continue;
            }
            if here.node == self.to {
                return Ok(Some(trace(state, &parents, here.cost)));
            }
            if here.edges == max_depth {
                continue;
            }
            for edge in Edges::new(self.view, here.node, direction, self.options.label.as_deref()) {
                let edge = edge?;
                let sum = here.cost + checked(cost(&edge)?)?;
                let node = if direction == Direction::Out { edge.target() } else { edge.source() };
                let next = key(node, here.edges + 1);
                if sum < best.get(&next).copied().unwrap_or(f64::INFINITY) {
                    best.insert(next, sum);
                    parents.insert(next, state);
                    queue.push(Reached { cost: sum, node, edges: here.edges + 1 });
                }
            }
        }
        Ok(None)
    }
}

fn checked(cost: f64) -> Result<f64> {
    if cost >= 0.0 { Ok(cost) } else { Err(Error::usage(format!("an edge costs {cost}; costs must be 0 or more"))) }
}

fn trace(end: (NodeId, u32), parents: &HashMap<(NodeId, u32), (NodeId, u32)>, cost: f64) -> Path {
    let mut nodes = vec![end.0];
    let mut at = end;
    while let Some(parent) = parents.get(&at) {
        nodes.push(parent.0);
        at = *parent;
    }
    nodes.reverse();
    Path { nodes, cost }
}

/// One end's search: how each node was reached, and the nodes reached last.
struct Side {
    direction: Direction,
    parents: HashMap<NodeId, NodeId>,
    frontier: Vec<NodeId>,
}

impl Side {
    fn new(start: NodeId, direction: Direction) -> Side {
        Side { direction, parents: HashMap::from([(start, start)]), frontier: vec![start] }
    }

    /// Goes one edge further. Returns where it meets the other side.
    fn grow(
        &mut self,
        view: &View,
        pages: &CachedPages<'_>,
        labels: Labels,
        other: &Side,
    ) -> Result<Option<NodeId>> {
        let mut next = Vec::new();
        for node in std::mem::take(&mut self.frontier) {
            for peer in Peers::new(view, pages, node, self.direction, labels)? {
                let peer = peer?;
                if self.parents.contains_key(&peer) {
                    continue;
                }
                self.parents.insert(peer, node);
                if other.parents.contains_key(&peer) {
                    return Ok(Some(peer));
                }
                next.push(peer);
            }
        }
        self.frontier = next;
        Ok(None)
    }

    /// From this node back to the start.
    fn way_to(&self, node: NodeId) -> Vec<NodeId> {
        let mut nodes = vec![node];
        let mut at = node;
        while let Some(parent) = self.parents.get(&at).filter(|parent| **parent != at) {
            nodes.push(*parent);
            at = *parent;
        }
        nodes
    }
}

/// A node in the queue; the cheapest comes first, of equal cost the lowest id.
#[derive(PartialEq)]
struct Reached {
    cost: f64,
    node: NodeId,
    edges: u32,
}

impl Eq for Reached {}

impl Ord for Reached {
    fn cmp(&self, other: &Reached) -> Ordering {
        other.cost.total_cmp(&self.cost).then_with(|| (other.node, other.edges).cmp(&(self.node, self.edges)))
    }
}

impl PartialOrd for Reached {
    fn partial_cmp(&self, other: &Reached) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
