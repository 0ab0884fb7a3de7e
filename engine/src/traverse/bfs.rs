//! Breadth-first search.

use std::ops::ControlFlow;

use super::cache::TraversalCache;
use super::frontier::{Follow, Stepper};
use super::pages::TraversalPages;
use super::seen::Seen;
use crate::digits::DigitSorter;
use crate::error::Result;
use crate::forensics::count;
use crate::graph::{Direction, View};
use crate::ids::NodeId;

/// A node, and the one before it on the way from the start.
type Reached = (NodeId, Option<NodeId>);

/// A node that a search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The node.
    pub node: NodeId,
    /// The fewest edges that lead to it from the start; 0 for the start.
    pub depth: u32,
    /// The node before it on a shortest way, of several the one with the lowest id; `None` for the
    /// start.
    pub parent: Option<NodeId>,
}

/// A breadth-first search to be run. See [`ReadTxn::bfs`](crate::ReadTxn::bfs).
///
/// It follows outgoing edges of every label as far as they lead, unless told otherwise.
///
/// ```
/// # fn main() -> vellum::Result<()> {
/// use std::ops::ControlFlow;
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
/// let mut txn = db.begin_write()?;
/// let a = txn.insert_node("step", "a", b"")?;
/// let b = txn.insert_node("step", "b", b"")?;
/// let c = txn.insert_node("step", "c", b"")?;
/// txn.insert_edge(a, "to", b, b"")?;
/// txn.insert_edge(b, "to", c, b"")?;
/// txn.commit()?;
///
/// let txn = db.begin_read()?;
/// assert_eq!(txn.bfs(a).max_depth(1).reached()?, [b]);
/// let deepest = txn.bfs(a).label("to").run(|visit| {
///     if visit.depth == 2 { ControlFlow::Break(visit.node) } else { ControlFlow::Continue(()) }
/// })?;
/// assert_eq!(deepest, Some(c));
/// # Ok(())
/// # }
/// ```
#[must_use = "a search does nothing until it is run"]
pub struct Bfs<'t> {
    view: &'t View,
    start: NodeId,
    follow: Follow<'t>,
    max_depth: u32,
    stop_at: Option<NodeId>,
    cache: Option<&'t mut TraversalCache>,
}

impl<'t> Bfs<'t> {
    pub(crate) fn new(view: &'t View, start: NodeId) -> Bfs<'t> {
        let follow = Follow::default();
        Bfs {
            view,
            start,
            follow,
            max_depth: u32::MAX,
            stop_at: None,
            cache: None,
        }
    }

    /// Follows edges in this direction.
    pub fn direction(mut self, direction: Direction) -> Bfs<'t> {
        self.follow.direction = Some(direction);
        self
    }

    /// Follows edges in both directions.
    pub fn undirected(mut self) -> Bfs<'t> {
        self.follow.direction = None;
        self
    }

    /// Follows edges with this label only.
    pub fn label(mut self, label: &'t str) -> Bfs<'t> {
        self.follow.label = Some(label);
        self
    }

    /// Goes no further than this many edges from the start.
    pub fn max_depth(mut self, edges: u32) -> Bfs<'t> {
        self.max_depth = edges;
        self
    }

    /// Ends once this node has been visited.
    pub fn stop_at(mut self, node: NodeId) -> Bfs<'t> {
        self.stop_at = Some(node);
        self
    }

    /// Keeps the pages it uses in this cache, in place of one of its own.
    pub fn cache(mut self, cache: &'t mut TraversalCache) -> Bfs<'t> {
        self.cache = Some(cache);
        self
    }

    /// Visits each node that can be reached once: the start first, then by depth, and within a depth
    /// by id. Ends early when the visitor breaks, and returns what it broke with. A start that does
    /// not exist leads nowhere.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Corrupt`](crate::Error::Corrupt).
    pub fn run<B>(mut self, mut visit: impl FnMut(Visit) -> ControlFlow<B>) -> Result<Option<B>> {
        count!(self.view.pager.tally(), Searches);
        let mut own = TraversalCache::default();
        let direct = self.cache.is_none();
        let cache = self.cache.take().unwrap_or(&mut own);
        let pages = TraversalPages::new(&self.view.pager, cache);
        let stepper = Stepper::new(self.view, &pages, self.follow, direct)?;
        if !self.view.contains_node(self.start)? {
            return Ok(None);
        }
        let mut seen = Seen::new(self.view.totals.next_node);
        seen.insert(self.start.get());
        let mut level = vec![(self.start, None)];
        let (mut next, mut sorter) = (Vec::new(), DigitSorter::default());
        for depth in 0..=self.max_depth {
            for &(node, parent) in &level {
                if let ControlFlow::Break(value) = visit(Visit {
                    node,
                    depth,
                    parent,
                }) {
                    return Ok(Some(value));
                }
                if self.stop_at == Some(node) {
                    return Ok(None);
                }
            }
            if depth == self.max_depth {
                break;
            }
            next_level(&stepper, &level, &mut seen, &mut next)?;
            sorter.sort(&mut next, |(node, _)| node.get().into());
            std::mem::swap(&mut level, &mut next);
            if level.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    /// The nodes that can be reached, without the start, in the order of their ids.
    ///
    /// # Errors
    /// As [`run`](Bfs::run).
    pub fn reached(self) -> Result<Vec<NodeId>> {
        let mut found = Vec::new();
        self.run(|visit| -> ControlFlow<()> {
            if visit.depth > 0 {
                found.push(visit.node);
            }
            ControlFlow::Continue(())
        })?;
        found.sort_unstable();
        Ok(found)
    }
}

/// The least room that is made for the next level.
const NEXT_MIN: usize = 256;

/// Replaces the contents of `next` by the nodes one edge further, with the node before each.
fn next_level(
    stepper: &Stepper<'_>,
    level: &[Reached],
    seen: &mut Seen,
    next: &mut Vec<Reached>,
) -> Result<()> {
    next.clear();
    let mut len = 0;
    for &(node, _) in level {
        stepper.neighbors(node, |peer| {
            // Whether a node is new cannot be predicted, so each is written, and counted if it is.
            if len == next.len() {
                next.resize(2 * len + NEXT_MIN, (NodeId::MIN, None));
            }
            if let Some(place) = next.get_mut(len) {
                *place = (peer, Some(node));
            }
            len += usize::from(seen.insert(peer.get()));
            true
        })?;
    }
    next.truncate(len);
    Ok(())
}

/// See [`ReadTxn::k_hop`](crate::ReadTxn::k_hop).
pub(crate) fn k_hop(
    view: &View,
    start: NodeId,
    hops: u32,
    direction: Direction,
    label: Option<&str>,
) -> Result<Vec<NodeId>> {
    let mut search = Bfs::new(view, start).direction(direction).max_depth(hops);
    search.follow.label = label;
    search.reached()
}
