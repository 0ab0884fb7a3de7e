//! Nodes and edges as readers get them.

use std::borrow::Cow;
use std::fmt;

use super::view::View;
use crate::btree::{StoredData, StoredNode};
use crate::error::Result;
use crate::forensics::count;
use crate::format::node::Data;
use crate::ids::{EdgeKey, NodeId};
use crate::pager::Pages;

/// A node of a snapshot.
#[derive(Clone)]
pub struct Node<'t> {
    view: &'t View,
    id: NodeId,
    kind: &'t str,
    stored: StoredNode,
}

impl<'t> Node<'t> {
    pub(crate) fn new(view: &'t View, id: NodeId, stored: StoredNode) -> Result<Node<'t>> {
        let page = stored.page().unwrap_or_default();
        let kind = stored.cell().map_err(|rule| view.broken(page, rule))?.kind;
        count!(view.pager.tally(), NodesDecoded);
        Ok(Node {
            view,
            id,
            kind: view.kind_name(kind)?,
            stored,
        })
    }

    /// Its id.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Its kind.
    pub fn kind(&self) -> &'t str {
        self.kind
    }

    /// Its name.
    pub fn name(&self) -> &str {
        // The cell was decoded once when the node was found, and pages do not change.
        self.stored.cell().map_or("", |cell| cell.name)
    }

    /// Its data. Borrowed from the page where it is small; data larger than an eighth of a page is
    /// read now.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) and [`Error::Corrupt`](crate::Error::Corrupt) for large data.
    pub fn data(&self) -> Result<Cow<'_, [u8]>> {
        let page = self.stored.page().unwrap_or_default();
        let cell = self
            .stored
            .cell()
            .map_err(|rule| self.view.broken(page, rule))?;
        match cell.data {
            Data::Inline(bytes) => Ok(Cow::Borrowed(bytes)),
            Data::Blob(blob) => Ok(Cow::Owned(self.view.pager.blob(blob)?)),
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut node = f.debug_struct("Node");
        node.field("id", &self.id)
            .field("kind", &self.kind)
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// An edge of a snapshot.
#[derive(Clone)]
pub struct Edge<'t> {
    view: &'t View,
    source: NodeId,
    target: NodeId,
    label: &'t str,
    key: EdgeKey,
    /// `None` for an edge found from its target: its data stands with its source.
    data: Option<StoredData>,
}

impl<'t> Edge<'t> {
    /// `key` is the edge's as its source sees it.
    pub(crate) fn new(view: &'t View, key: EdgeKey, data: Option<StoredData>) -> Result<Edge<'t>> {
        let node = |number| {
            NodeId::new(number).ok_or_else(|| {
                crate::error::Error::corrupt_at(0, format!("an edge names node {number}"))
            })
        };
        let label = view.label_name(key.label)?;
        Ok(Edge {
            view,
            source: node(key.node)?,
            target: node(key.peer)?,
            label,
            key,
            data,
        })
    }

    /// The node it leaves.
    pub fn source(&self) -> NodeId {
        self.source
    }

    /// The node it enters.
    pub fn target(&self) -> NodeId {
        self.target
    }

    /// Its label.
    pub fn label(&self) -> &'t str {
        self.label
    }

    /// Tells it apart from parallel edges of the same source, label and target.
    pub fn ordinal(&self) -> u32 {
        self.key.ordinal
    }

    /// Its data. An edge found from its target is looked up at its source for it.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Corrupt`](crate::Error::Corrupt).
    pub fn data(&self) -> Result<Cow<'_, [u8]>> {
        let looked_up;
        let data = match &self.data {
            Some(data) => data,
            None => {
                looked_up = self.view.edge_data(self.key)?.ok_or_else(|| {
                    crate::error::Error::corrupt_at(
                        0,
                        format!("an edge into node {} is missing at its source", self.target),
                    )
                })?;
                return match looked_up.inline() {
                    Ok(bytes) => {
                        count!(self.view.pager.tally(), BytesCopied, bytes.len());
                        Ok(Cow::Owned(bytes.to_vec()))
                    }
                    Err(blob) => Ok(Cow::Owned(self.view.pager.blob(blob)?)),
                };
            }
        };
        match data.inline() {
            Ok(bytes) => Ok(Cow::Borrowed(bytes)),
            Err(blob) => Ok(Cow::Owned(self.view.pager.blob(blob)?)),
        }
    }
}

impl fmt::Debug for Edge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Edge({} -{}-> {} #{})",
            self.source, self.label, self.target, self.key.ordinal
        )
    }
}
