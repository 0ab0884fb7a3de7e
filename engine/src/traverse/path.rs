//! Shortest paths: of the fewest edges, from both ends; of the least cost, in `cost`.

use std::collections::HashMap;

use super::cache::TraversalCache;
use super::cost::{self, Cost};
use super::frontier::{Follow, Stepper};
use super::pages::TraversalPages;
use crate::error::Result;
use crate::forensics::count;
use crate::graph::{Direction, Edge, View};
use crate::ids::{Mixed, NodeId};

/// A way from one node to another.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Path {
    /// The nodes on it, both ends included.
    pub nodes: Vec<NodeId>,
    /// The sum of its edges' costs; the number of edges where none was given.
    pub cost: f64,
}

/// A search for a shortest path, to be run. See
/// [`ReadTxn::shortest_path`](crate::ReadTxn::shortest_path).
///
/// It follows outgoing edges of every label, each as good as the other, unless told otherwise. Without
/// costs it searches from both ends at once, a level at a time from the smaller side; with costs it is
/// Dijkstra's search.
///
/// ```
/// # fn main() -> vellum::Result<()> {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
/// let mut txn = db.begin_write()?;
/// let a = txn.insert_node("city", "a", b"")?;
/// let b = txn.insert_node("city", "b", b"")?;
/// let c = txn.insert_node("city", "c", b"")?;
/// txn.insert_edge(a, "road", c, b"10")?;
/// txn.insert_edge(a, "road", b, b"2")?;
/// txn.insert_edge(b, "road", c, b"3")?;
/// txn.commit()?;
///
/// let txn = db.begin_read()?;
/// let fewest = txn.shortest_path(a, c).run()?.expect("there is a road");
/// assert_eq!(fewest.nodes, [a, c]);
/// let km = |edge: &vellum::Edge<'_>| Ok(edge.data()?.len() as f64 * 6.0);
/// let nearest = txn.shortest_path(a, c).cost(km).run()?.expect("there is a road");
/// assert_eq!((nearest.nodes, nearest.cost), (vec![a, c], 12.0));
/// # Ok(())
/// # }
/// ```
#[must_use = "a search does nothing until it is run"]
pub struct PathQuery<'t> {
    view: &'t View,
    from: NodeId,
    to: NodeId,
    follow: Follow<'t>,
    max_depth: u32,
    cost: Option<Cost<'t>>,
    cache: Option<&'t mut TraversalCache>,
}

impl<'t> PathQuery<'t> {
    pub(crate) fn new(view: &'t View, from: NodeId, to: NodeId) -> PathQuery<'t> {
        let follow = Follow::default();
        PathQuery {
            view,
            from,
            to,
            follow,
            max_depth: u32::MAX,
            cost: None,
            cache: None,
        }
    }

    /// Follows edges in this direction.
    pub fn direction(mut self, direction: Direction) -> PathQuery<'t> {
        self.follow.direction = Some(direction);
        self
    }

    /// Follows edges in both directions.
    pub fn undirected(mut self) -> PathQuery<'t> {
        self.follow.direction = None;
        self
    }

    /// Follows edges with this label only.
    pub fn label(mut self, label: &'t str) -> PathQuery<'t> {
        self.follow.label = Some(label);
        self
    }

    /// Considers paths of at most this many edges.
    pub fn max_depth(mut self, edges: u32) -> PathQuery<'t> {
        self.max_depth = edges;
        self
    }

    /// Looks for the least sum of costs in place of the fewest edges. The function is asked for each
    /// edge met, and gives 0 or more; infinity closes the edge. What it fails with, the search fails
    /// with.
    pub fn cost(mut self, cost: impl FnMut(&Edge<'_>) -> Result<f64> + 't) -> PathQuery<'t> {
        self.cost = Some(Box::new(cost));
        self
    }

    /// Keeps the pages it uses in this cache, in place of one of its own.
    pub fn cache(mut self, cache: &'t mut TraversalCache) -> PathQuery<'t> {
        self.cache = Some(cache);
        self
    }

    /// A shortest path, or `None` if there is none or either node does not exist. Of several equally
    /// short ones it is always the same for one snapshot.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Corrupt`](crate::Error::Corrupt);
    /// [`Error::Usage`](crate::Error::Usage) for a cost that is negative or not a number.
    pub fn run(mut self) -> Result<Option<Path>> {
        count!(self.view.pager.tally(), PathSearches);
        if !self.view.contains_node(self.from)? || !self.view.contains_node(self.to)? {
            return Ok(None);
        }
        let mut own = TraversalCache::default();
        let direct = self.cache.is_none();
        let cache = self.cache.take().unwrap_or(&mut own);
        let pages = TraversalPages::new(&self.view.pager, cache);
        if let Some(cost) = self.cost.take() {
            let search = cost::Search::new(self.view, &pages, self.follow, cost)?;
            return search.run(self.from, self.to, self.max_depth);
        }
        let mut ends = [
            Side::new(
                Stepper::new(self.view, &pages, self.follow, direct)?,
                self.from,
            ),
            Side::new(
                Stepper::new(self.view, &pages, self.follow.reversed(), direct)?,
                self.to,
            ),
        ];
        let Some(middle) = meet(&mut ends, self.max_depth)? else {
            return Ok(None);
        };
        let [front, back] = &ends;
        let mut nodes = front.trail(middle);
        nodes.reverse();
        nodes.extend(back.trail(middle).into_iter().skip(1));
        let cost = (nodes.len() - 1) as f64;
        Ok(Some(Path { nodes, cost }))
    }
}

/// One of the two searches that come towards each other.
struct Side<'t> {
    stepper: Stepper<'t>,
    /// Each node reached, and the node before it; the end itself leads to itself.
    before: HashMap<u64, NodeId, Mixed>,
    level: Vec<NodeId>,
}

impl<'t> Side<'t> {
    fn new(stepper: Stepper<'t>, end: NodeId) -> Side<'t> {
        let before = std::iter::once((end.get(), end)).collect();
        Side {
            stepper,
            before,
            level: vec![end],
        }
    }

    /// Goes one edge further, and says where it met the other side.
    fn advance(&mut self, other: &Side<'_>) -> Result<Option<NodeId>> {
        let mut next = Vec::new();
        let mut met = None;
        let Side {
            stepper,
            before,
            level,
        } = self;
        for &node in &*level {
            stepper.neighbors(node, |peer| {
                before.entry(peer.get()).or_insert_with(|| {
                    next.push(peer);
                    node
                });
                if other.before.contains_key(&peer.get()) {
                    met = Some(peer);
                }
                met.is_none()
            })?;
            if met.is_some() {
                return Ok(met);
            }
        }
        next.sort_unstable();
        self.level = next;
        Ok(None)
    }

    /// From a node back to this side's end.
    fn trail(&self, from: NodeId) -> Vec<NodeId> {
        let mut nodes = vec![from];
        let mut at = from;
        // A node leads to one that was reached before it, so this ends at the end.
        while let Some(before) = self.before.get(&at.get()).filter(|before| **before != at) {
            at = *before;
            nodes.push(at);
        }
        nodes
    }
}

/// Lets the smaller side go a whole level at a time until they meet. Where they first meet is on a
/// shortest path: a shorter one would have a node within reach of both sides before.
fn meet(ends: &mut [Side<'_>; 2], max_depth: u32) -> Result<Option<NodeId>> {
    let [front, back] = ends;
    if let [end] = front.level[..]
        && back.before.contains_key(&end.get())
    {
        return Ok(Some(end));
    }
    for _ in 0..max_depth {
        if front.level.is_empty() || back.level.is_empty() {
            return Ok(None);
        }
        let met = if front.level.len() <= back.level.len() {
            front.advance(back)?
        } else {
            back.advance(front)?
        };
        if met.is_some() {
            return Ok(met);
        }
    }
    Ok(None)
}
