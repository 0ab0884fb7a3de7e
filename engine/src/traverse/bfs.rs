//! Breadth-first search.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::cache::TraversalCache;
use super::cached::CachedPages;
use super::visited::Visited;
use crate::error::Result;
use crate::graph::{Direction, Labels, Peers, View};
use crate::ids::NodeId;

/// A node that a breadth-first search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The node.
    pub node: NodeId,
    /// Edges from the start, by a shortest way.
    pub depth: u32,
    /// The node it was reached from; `None` for the start.
    pub parent: Option<NodeId>,
}

/// A breadth-first search to be run. See [`ReadTxn::bfs`](crate::ReadTxn::bfs).
///
/// ```
/// # fn main() -> vellum::Result<()> {
/// # let dir = tempfile::tempdir().expect("a temporary folder");
/// # let db = vellum::Database::create(dir.path().join("graph.vellum"))?;
/// # let mut txn = db.begin_write()?;
/// # let a = txn.insert_node("n", "a", b"")?;
/// # let b = txn.insert_node("n", "b", b"")?;
/// # txn.insert_edge(a, "to", b, b"")?;
/// # txn.commit()?;
/// use std::ops::ControlFlow;
/// let txn = db.begin_read()?;
/// let mut reached = Vec::new();
/// txn.bfs(a).label("to").max_depth(3).run(|visit| {
///     reached.push((visit.node, visit.depth));
///     ControlFlow::Continue(())
/// })?;
/// assert_eq!(reached, [(a, 0), (b, 1)]);
/// # Ok(())
/// # }
/// ```
pub struct Bfs<'t> {
    view: &'t View,
    start: NodeId,
    options: Walk<'t>,
}

/// What all traversals can be told.
#[derive(Default)]
pub(super) struct Walk<'t> {
    pub(super) direction: Option<Direction>,
    pub(super) label: Option<String>,
    pub(super) max_depth: Option<u32>,
    pub(super) cache: Option<&'t mut TraversalCache>,
}

impl Walk<'_> {
    pub(super) fn direction(&self) -> Direction {
        self.direction.unwrap_or(Direction::Out)
    }

    pub(super) fn labels(&self, view: &View) -> Result<Labels> {
        Labels::of(view, self.label.as_deref())
    }
}

impl<'t> Bfs<'t> {
    pub(crate) fn new(view: &'t View, start: NodeId) -> Bfs<'t> {
        Bfs { view, start, options: Walk::default() }
    }

    /// Which way to follow edges. Default [`Direction::Out`].
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Bfs<'t> {
        self.options.direction = Some(direction);
        self
    }

    /// Follows only edges of this label.
    #[must_use]
    pub fn label(mut self, label: &str) -> Bfs<'t> {
        self.options.label = Some(label.to_owned());
        self
    }

    /// Goes no further than this many edges from the start. Default: as far as it goes.
    #[must_use]
    pub fn max_depth(mut self, edges: u32) -> Bfs<'t> {
        self.options.max_depth = Some(edges);
        self
    }

    /// Uses this page cache, to be measured or used again. Default: one of its own.
    #[must_use]
    pub fn cache(mut self, cache: &'t mut TraversalCache) -> Bfs<'t> {
        self.options.cache = Some(cache);
        self
    }

    /// Visits the start, then every node that can be reached, nearer ones first; of the same depth in
    /// the order in which their parents were visited. Each node is visited once. A start that does not
    /// exist is not visited. `visit` may stop the search by [`ControlFlow::Break`].
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Corrupt`](crate::Error::Corrupt).
    pub fn run(self, mut visit: impl FnMut(Visit) -> ControlFlow<()>) -> Result<()> {
        let Bfs { view, start, mut options } = self;
        if !view.contains_node(start)? {
            return Ok(());
        }
        let labels = options.labels(view)?;
        let (direction, max_depth) = (options.direction(), options.max_depth.unwrap_or(u32::MAX));
        let mut own = TraversalCache::default();
        let cache = options.cache.take().unwrap_or(&mut own);
        let pages = CachedPages::new(&view.pager, cache);
        let mut visited = Visited::default();
        visited.insert(start.get());
        let mut queue = VecDeque::from([Visit { node: start, depth: 0, parent: None }]);
        while let Some(here) = queue.pop_front() {
            if visit(here).is_break() {
                return Ok(());
            }
            if here.depth == max_depth {
                continue;
            }
            for peer in Peers::new(view, &pages, here.node, direction, labels)? {
                let node = peer?;
                if visited.insert(node.get()) {
                    queue.push_back(Visit { node, depth: here.depth + 1, parent: Some(here.node) });
                }
            }
        }
        Ok(())
    }
}

/// The nodes within some hops of a start, without it, ascending.
pub(crate) fn k_hop(
    view: &View,
    start: NodeId,
    hops: u32,
    direction: Direction,
    label: Option<&str>,
) -> Result<Vec<NodeId>> {
    let mut search = Bfs::new(view, start).direction(direction).max_depth(hops);
    if let Some(label) = label {
        search = search.label(label);
    }
    let mut found = Vec::new();
    search.run(|visit| {
        if visit.depth > 0 {
            found.push(visit.node);
        }
        ControlFlow::Continue(())
    })?;
    found.sort_unstable();
    Ok(found)
}
