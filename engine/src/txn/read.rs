//! The read transaction: a snapshot and every question that can be asked of it.

use std::sync::Arc;

use crate::btree::{Kinds, NameKey, Names, Nodes};
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::graph::{Direction, Edge, Edges, Neighbors, Node, View};
use crate::ids::{EdgeKey, NodeId};
use crate::store::Store;
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
    store: Arc<Store>,
    view: View,
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
    pub(crate) fn new(store: Arc<Store>, view: View, commit: u64) -> ReadTxn {
        ReadTxn {
            store,
            view,
            commit,
        }
    }

    pub(crate) fn published(store: &Arc<Store>) -> ReadTxn {
        let state = store.published();
        ReadTxn::new(Arc::clone(store), store.view(&state), state.commit)
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
        count!(self.store.tally, NodeGets);
        self.view.node(id)
    }

    /// Whether there is a node with this id. An id that was never issued costs no I/O.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn contains_node(&self, id: NodeId) -> Result<bool> {
        count!(self.store.tally, NodeChecks);
        self.view.contains_node(id)
    }

    /// All nodes in the order of their ids.
    pub fn nodes(&self) -> impl Iterator<Item = Result<Node<'_>>> {
        self.nodes_from(NodeId::MIN)
    }

    /// All nodes from this id on, in the order of their ids.
    pub fn nodes_from(&self, id: NodeId) -> impl Iterator<Item = Result<Node<'_>>> {
        count!(self.store.tally, Scans);
        self.view.items::<Nodes>(Some(id.get())).map(|item| {
            let (id, stored) = item?;
            Node::new(&self.view, self.node_id(id)?, stored)
        })
    }

    /// The nodes of a kind, in the order of their ids.
    pub fn nodes_of_kind(&self, kind: &str) -> impl Iterator<Item = Result<NodeId>> + use<'_> {
        count!(self.store.tally, Scans);
        let (kind, error) = match self.view.kind_id(kind) {
            Ok(kind) => (kind.map(|kind| u64::from(kind.0)), None),
            Err(error) => (None, Some(error)),
        };
        let from = kind.map(|kind| EdgeKey {
            node: kind,
            ..EdgeKey::default()
        });
        let entries = from
            .map(|from| self.view.items::<Kinds>(Some(from)))
            .into_iter()
            .flatten();
        let ids = entries
            .take_while(move |item| {
                item.as_ref()
                    .map_or(true, |(key, ())| Some(key.node) == kind)
            })
            .map(|item| self.node_id(item?.0.peer));
        error.map(Err).into_iter().chain(ids)
    }

    /// The nodes with exactly this name, in the order of their ids.
    ///
    /// The first item is [`Error::Usage`] if the database has no name index.
    pub fn nodes_named(&self, name: &str) -> impl Iterator<Item = Result<NodeId>> + use<'_> {
        // Names with a zero byte may stand between those asked for, so names are compared whole.
        let wanted: Arc<str> = name.into();
        let first = NameKey::new(name, 0);
        let last = NameKey::new(name, crate::ids::MAX_U48);
        let entries = self
            .named_from(first)
            .take_while(move |item| item.as_ref().map_or(true, |key| *key <= last));
        entries
            .filter(move |item| {
                item.as_ref()
                    .map_or(true, |key| key.name() == wanted.as_bytes())
            })
            .map(|item| self.node_id(item?.id()))
    }

    /// Names that begin with this, and the nodes that have them, in the order of the names' bytes,
    /// then of the ids.
    ///
    /// The first item is [`Error::Usage`] if the database has no name index.
    pub fn nodes_with_prefix(
        &self,
        prefix: &str,
    ) -> impl Iterator<Item = Result<(String, NodeId)>> + use<'_> {
        let (wanted, begins): (Arc<str>, Arc<str>) = (prefix.into(), prefix.into());
        let first = NameKey::from_bytes(prefix.as_bytes());
        self.named_from(first)
            .take_while(move |item| {
                item.as_ref()
                    .map_or(true, |key| key.as_bytes().starts_with(begins.as_bytes()))
            })
            .filter(move |item| {
                item.as_ref()
                    .map_or(true, |key| key.name().starts_with(wanted.as_bytes()))
            })
            .map(|item| {
                let key = item?;
                let name = String::from_utf8_lossy(key.name()).into_owned();
                Ok((name, self.node_id(key.id())?))
            })
    }

    fn named_from(&self, from: NameKey) -> impl Iterator<Item = Result<NameKey>> + use<'_> {
        count!(self.store.tally, Scans);
        let indexed = self.store.options.name_index;
        let error = (!indexed).then(|| {
            Err(Error::usage(
                "the database was created without a name index; create one with it",
            ))
        });
        let entries = indexed.then(|| self.view.items::<Names>(Some(from)));
        error
            .into_iter()
            .chain(entries.into_iter().flatten().map(|item| Ok(item?.0)))
    }

    /// The edges of a node: those that leave it, or those that enter it; of one label, or of all. In
    /// the order of (label's number, node at the other end, ordinal); labels are numbered in the order
    /// of their first use. Of a node that does not exist there are none.
    pub fn edges(&self, node: NodeId, direction: Direction, label: Option<&str>) -> Edges<'_> {
        count!(self.store.tally, EdgeLists);
        Edges::new(&self.view, node, direction, label)
    }

    /// The nodes at the other ends of a node's edges, one for each edge, in the order of
    /// [`edges`](ReadTxn::edges).
    pub fn neighbors(
        &self,
        node: NodeId,
        direction: Direction,
        label: Option<&str>,
    ) -> Neighbors<'_> {
        count!(self.store.tally, NeighborLists);
        Neighbors::new(&self.view, node, direction, label)
    }

    /// How many edges [`edges`](ReadTxn::edges) would give.
    ///
    /// # Errors
    /// As [`node`](ReadTxn::node).
    pub fn degree(&self, node: NodeId, direction: Direction, label: Option<&str>) -> Result<u64> {
        count!(self.store.tally, DegreeCalls);
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
        count!(self.store.tally, EdgeGets);
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

    fn node_id(&self, number: u64) -> Result<NodeId> {
        NodeId::new(number)
            .ok_or_else(|| Error::corrupt_at(0, format!("an index names node {number}")))
    }
}
