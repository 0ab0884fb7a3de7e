//! The read transaction: a snapshot and every question that can be asked of it.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::btree::Nodes;
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::graph::{Direction, Edge, Edges, KindScan, Labels, Neighbor, Neighbors, Node, View};
use crate::ids::{EdgeKey, NodeId};
use crate::traverse::{Bfs, PathQuery, k_hop};

/// A snapshot: what had been committed when it was begun, and nothing later.
///
/// It takes no lock, waits for nothing and is waited for by nothing; but the pages that it may
/// need are not reused while it is held, so hold it as long as the question takes. It may be shared
/// and cloned freely, and used from any number of threads.
///
/// Iterators give a `Result` for each item and end after an error.
///
/// ```
/// use vellum::{Database, Direction};
///
/// # fn main() -> vellum::Result<()> {
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let db = Database::create(folder.path().join("graph.vellum"))?;
/// let mut txn = db.begin_write()?;
/// let lyon = txn.insert_node("city", "Lyon", b"{}")?;
/// let turin = txn.insert_node("city", "Turin", b"{}")?;
/// txn.insert_edge(lyon, "rail", turin, b"")?;
/// txn.commit()?;
///
/// let txn = db.begin_read()?;
/// let node = txn.node(lyon)?.expect("it was inserted");
/// assert_eq!((node.kind(), node.name()), ("city", "Lyon"));
/// assert_eq!(txn.nodes_named("Turin").next().transpose()?, Some(turin));
/// assert_eq!(txn.nodes_of_kind("city").count(), 2);
/// assert_eq!(txn.degree(turin, Direction::In, Some("rail"))?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ReadTxn {
    // Keeps the file, and its lock, open.
    pub(super) view: Arc<View>,
    commit: u64,
}

/// A page on the way to a node. See [`ReadTxn::locate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct PageLocation {
    /// The page's number.
    pub page: u64,
    /// 0 for the leaf, then upwards.
    pub level: u8,
}

impl ReadTxn {
    #[inline]
    pub(crate) fn new(view: Arc<View>, commit: u64) -> ReadTxn {
        ReadTxn { view, commit }
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    /// Number of the newest commit that it sees.
    pub fn commit_number(&self) -> u64 {
        self.commit
    }

    /// Nodes that exist.
    pub fn node_count(&self) -> u64 {
        self.view.totals.nodes
    }

    /// Edges that exist. In a database with unique edges, an edge that was inserted again since the
    /// last checkpoint counts more than once.
    pub fn edge_count(&self) -> u64 {
        self.view.totals.edges
    }

    /// The lowest node id never issued.
    pub fn next_id(&self) -> u64 {
        self.view.totals.next_node
    }

    /// The node with this id, or `None`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`].
    #[inline]
    pub fn node(&self, id: NodeId) -> Result<Option<Node<'_>>> {
        count!(self.view.pager.tally(), NodeGets);
        self.view.node(id)
    }

    /// Whether there is a node with this id. An id that was never issued costs no I/O.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn contains_node(&self, id: NodeId) -> Result<bool> {
        count!(self.view.pager.tally(), NodeChecks);
        self.view.contains_node(id)
    }

    /// All nodes in the order of their ids.
    pub fn nodes(&self) -> impl Iterator<Item = Result<Node<'_>>> {
        self.nodes_from(NodeId::MIN)
    }

    /// All nodes from this id on, in the order of their ids.
    pub fn nodes_from(&self, id: NodeId) -> impl Iterator<Item = Result<Node<'_>>> {
        count!(self.view.pager.tally(), Scans);
        self.view.items::<Nodes>(Some(id.get())).map(|item| {
            let (id, stored) = item?;
            Node::new(&self.view, self.node_id(id)?, stored)
        })
    }

    /// The nodes of a kind, in the order of their ids.
    pub fn nodes_of_kind(&self, kind: &str) -> impl Iterator<Item = Result<NodeId>> + use<'_> {
        count!(self.view.pager.tally(), Scans);
        KindScan::new(&self.view, kind)
    }

    /// The edges of a node: those that leave it, or those that enter it; of one label, or of all. In
    /// the order of (label's number, node at the other end, ordinal); labels are numbered in the order
    /// of their first use. Of a node that does not exist there are none.
    pub fn edges(&self, node: NodeId, direction: Direction, label: Option<&str>) -> Edges<'_> {
        count!(self.view.pager.tally(), EdgeLists);
        Edges::new(&self.view, node, direction, label)
    }

    /// The nodes at the other ends of a node's edges, one for each edge, in the order of
    /// [`edges`](ReadTxn::edges).
    #[inline]
    pub fn neighbors(
        &self,
        node: NodeId,
        direction: Direction,
        label: Option<&str>,
    ) -> Neighbors<'_> {
        count!(self.view.pager.tally(), NeighborLists);
        Neighbors::new(&self.view, node, direction, label)
    }

    /// Tells the nodes at the other ends of a node's edges, with the edges' labels, in the order of
    /// [`edges`](ReadTxn::edges), until told to stop; returns what the visitor broke with.
    ///
    /// The fastest way to a node's neighbours: they are told from where they stand in the page, nothing is looked up or
    /// copied for them. A label comes as its number, which is its place in [`labels`](ReadTxn::labels).
    ///
    /// ```
    /// # fn main() -> vellum::Result<()> {
    /// use std::ops::ControlFlow;
    /// use vellum::Direction;
    /// # let folder = tempfile::tempdir().expect("a temporary folder");
    /// # let db = vellum::Database::create(folder.path().join("graph.vellum"))?;
    /// let mut txn = db.begin_write()?;
    /// let lyon = txn.insert_node("city", "Lyon", b"")?;
    /// let turin = txn.insert_node("city", "Turin", b"")?;
    /// txn.insert_edge(lyon, "rail", turin, b"")?;
    /// txn.insert_edge(lyon, "road", turin, b"")?;
    /// txn.commit()?;
    ///
    /// let txn = db.begin_read()?;
    /// let labels = txn.labels()?;
    /// let mut ways = Vec::new();
    /// txn.visit_neighbors(lyon, Direction::Out, None, |found| -> ControlFlow<()> {
    ///     ways.push((labels[usize::from(found.label.0)].as_str(), found.node));
    ///     ControlFlow::Continue(())
    /// })?;
    /// assert_eq!(ways, [("rail", turin), ("road", turin)]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node). What was told before the error stays told.
    #[inline]
    pub fn visit_neighbors<B>(
        &self,
        node: NodeId,
        direction: Direction,
        label: Option<&str>,
        visit: impl FnMut(Neighbor) -> ControlFlow<B>,
    ) -> Result<Option<B>> {
        count!(self.view.pager.tally(), NeighborLists);
        let labels = Labels::of(&self.view, label)?;
        let pager = &*self.view.pager;
        let told = self
            .view
            .visit_neighbors(pager, node, direction, labels, true, visit)?;
        Ok(told.break_value())
    }

    /// How many edges [`edges`](ReadTxn::edges) would give.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn degree(&self, node: NodeId, direction: Direction, label: Option<&str>) -> Result<u64> {
        count!(self.view.pager.tally(), DegreeCalls);
        self.view.degree(node, direction, label)
    }

    /// One edge.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn edge(
        &self,
        source: NodeId,
        label: &str,
        target: NodeId,
        ordinal: u32,
    ) -> Result<Option<Edge<'_>>> {
        count!(self.view.pager.tally(), EdgeGets);
        let Some(label) = self.view.label_id(label)? else {
            return Ok(None);
        };
        let key = EdgeKey {
            node: source.get(),
            label: label.0,
            peer: target.get(),
            ordinal,
        };
        let Some(data) = self.view.edge_data(key)? else {
            return Ok(None);
        };
        Edge::new(&self.view, key, Some(data)).map(Some)
    }

    /// The names of all kinds, in the order of their first use.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn kinds(&self) -> Result<Vec<String>> {
        self.view.kind_names()
    }

    /// The names of all labels, in the order of their first use.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn labels(&self) -> Result<Vec<String>> {
        self.view.label_names()
    }

    /// A breadth-first search from a node.
    pub fn bfs(&self, start: NodeId) -> Bfs<'_> {
        Bfs::new(&self.view, start)
    }

    /// The nodes that can be reached by one to `hops` edges, without the start, in the order of their
    /// ids. Short for [`bfs`](ReadTxn::bfs) with these settings and [`reached`](Bfs::reached), where
    /// a [`TraversalCache`](crate::TraversalCache) of the caller's can be given, too.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn k_hop(
        &self,
        start: NodeId,
        hops: u32,
        direction: Direction,
        label: Option<&str>,
    ) -> Result<Vec<NodeId>> {
        k_hop(&self.view, start, hops, direction, label)
    }

    /// A shortest path between two nodes: of the fewest edges, or of the least cost.
    pub fn shortest_path(&self, from: NodeId, to: NodeId) -> PathQuery<'_> {
        PathQuery::new(&self.view, from, to)
    }

    /// The pages from the root to the leaf that holds a node, or would. Empty if nothing was merged
    /// into the tree of nodes yet.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn locate(&self, node: NodeId) -> Result<Vec<PageLocation>> {
        let path = self.view.path_to_node(node)?;
        Ok(path
            .into_iter()
            .map(|(page, level)| PageLocation { page, level })
            .collect())
    }

    pub(super) fn node_id(&self, number: u64) -> Result<NodeId> {
        NodeId::new(number)
            .ok_or_else(|| Error::corrupt_at(0, format!("an index names node {number}")))
    }
}
