//! Finding single items, and the questions a writer asks before it changes something.

use std::sync::Arc;

use super::adjacency::Labels;
use super::values::Node;
use super::view::View;
use super::walk::{Walk, ends_label};
use crate::btree::{
    Change, EdgeCells, In, Kinds, NameKey, Names, NodeRecord, Nodes, Out, Space, StoredData,
    StoredNode, find_name, find_node, only_named, path_to,
};
use crate::delta::Overlaid;
use crate::error::Result;
use crate::forensics::count;
use crate::format::bytes::u48_be;
use crate::format::node::{Data, NodeCell};
use crate::ids::{EdgeKey, KeySpace, NodeId};
use crate::pager::Pages;

impl View {
    /// The node, where it is.
    #[inline]
    pub(crate) fn stored_node(&self, id: u64) -> Result<Option<StoredNode>> {
        if !self.layers.is_empty() {
            match self.change::<Nodes, _>(&id) {
                Some(Change::Put(record)) => {
                    return Ok(Some(StoredNode::Memory {
                        record: Arc::clone(record),
                        blob: None,
                    }));
                }
                Some(Change::Delete) => return Ok(None),
                None => {}
            }
        }
        find_node(&*self.pager, self.root(KeySpace::Nodes), id)
    }

    /// The node, as a reader gets it.
    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> Result<Option<Node<'_>>> {
        if id.get() >= self.totals.next_node {
            return Ok(None);
        }
        if let Some(directories) = self.base.directories()
            && self.change::<Nodes, _>(&id.get()).is_none()
            && let Some(leaf) = directories.nodes.leaf(&self.pager, id.get())?
        {
            let view = leaf.sorted();
            let Some(cell) = view.find_value_u48(id.get()) else {
                return Ok(None);
            };
            let cell = NodeCell::decode(leaf.bytes().get(cell).unwrap_or_default());
            let cell = cell.map_err(|rule| self.broken(leaf.page(), rule))?;
            return Node::held(self, id, cell).map(Some);
        }
        self.stored_node(id.get())?
            .map(|stored| Node::new(self, id, stored))
            .transpose()
    }

    /// The whole node in memory, for changing it.
    pub(crate) fn node_record(&self, id: NodeId) -> Result<Option<Arc<NodeRecord>>> {
        let Some(stored) = self.stored_node(id.get())? else {
            return Ok(None);
        };
        if let StoredNode::Memory { record, blob: None } = &stored {
            return Ok(Some(Arc::clone(record)));
        }
        let page = stored.page().unwrap_or_default();
        let cell = stored.cell().map_err(|rule| self.broken(page, rule))?;
        let data = match cell.data {
            Data::Inline(bytes) => {
                count!(self.pager.tally(), BytesCopied, bytes.len());
                bytes.into()
            }
            Data::Blob(blob) => self.pager.blob(blob)?.into(),
        };
        Ok(Some(Arc::new(NodeRecord {
            kind: cell.kind,
            name: cell.name.into(),
            data,
        })))
    }

    /// The data of an outgoing edge, if the edge is there.
    pub(crate) fn edge_data(&self, key: EdgeKey) -> Result<Option<StoredData>> {
        match self.change_in::<Out>(&key) {
            Some(Change::Put(data)) => return Ok(Some(Out::stored(&data))),
            Some(Change::Delete) => return Ok(None),
            None => {}
        }
        self.find_in_blocks(KeySpace::Out, key, |cell, index| cell.data(index))
    }

    pub(crate) fn has_edge(&self, key: EdgeKey) -> Result<bool> {
        self.has_key::<Out>(key)
    }

    /// Whether an edge, seen from its target, is there.
    pub(crate) fn has_in(&self, key: EdgeKey) -> Result<bool> {
        self.has_key::<In>(key)
    }

    pub(crate) fn has_kind(&self, key: EdgeKey) -> Result<bool> {
        self.has_key::<Kinds>(key)
    }

    pub(crate) fn has_name(&self, key: &NameKey) -> Result<bool> {
        match self.change::<Names, _>(key) {
            Some(change) => Ok(matches!(change, Change::Put(()))),
            None => find_name(&*self.pager, self.root(KeySpace::Names), key),
        }
    }

    /// The only node with this name, or that there is none, where that shows at once. `None`: a scan tells.
    pub(crate) fn only_named(&self, name: &str) -> Result<Option<Option<u64>>> {
        match self.base.directories() {
            Some(all) if !self.is_changed::<Names>() => only_named(&self.pager, &all.names, name),
            _ => Ok(None),
        }
    }

    fn has_key<S: Overlaid<Key = EdgeKey>>(&self, key: EdgeKey) -> Result<bool> {
        match self.change_in::<S>(&key) {
            Some(change) => Ok(matches!(change, Change::Put(_))),
            None => Ok(self.find_in_blocks(S::SPACE, key, |_, _| Ok(()))?.is_some()),
        }
    }

    /// Finds an edge in the tree of a space.
    fn find_in_blocks<T>(
        &self,
        space: KeySpace,
        key: EdgeKey,
        found: impl FnOnce(
            &crate::btree::EdgeCell,
            usize,
        ) -> std::result::Result<T, crate::format::FormatError>,
    ) -> Result<Option<T>> {
        let mut cells = EdgeCells::from(&*self.pager, space, self.root(space), &key)?;
        let mut edges = Vec::new();
        while let Some(cell) = cells.next()? {
            let page = cell.leaf.at().page();
            let block = cell.block().map_err(|rule| self.broken(page, rule))?;
            count!(self.pager.tally(), BlocksDecoded);
            if let Some(range) = block.label_range(key.label) {
                edges.clear();
                let first = range.start;
                block
                    .decode_range(range, &mut edges)
                    .map_err(|rule| self.broken(page, rule))?;
                count!(self.pager.tally(), EdgesDecoded, edges.len());
                let at = edges.binary_search_by_key(&(key.peer, key.ordinal), |edge| {
                    (edge.peer, edge.ordinal)
                });
                match at {
                    Ok(at) => {
                        return found(&cell, first + at)
                            .map(Some)
                            .map_err(|rule| self.broken(page, rule));
                    }
                    Err(at) if at < edges.len() => return Ok(None),
                    Err(_) => {}
                }
            }
            if ends_label(&block, key.label) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The highest ordinal among the edges of this source, label and target.
    pub(crate) fn highest_ordinal(&self, first: EdgeKey) -> Result<Option<u32>> {
        let mut ordinals = self.base_ordinals(first)?;
        for (key, change) in self.changes::<Out>(Some(&first)) {
            if (EdgeKey { ordinal: 0, ..key }) != first {
                break;
            }
            ordinals.retain(|ordinal| *ordinal != key.ordinal);
            if matches!(change, Change::Put(_)) {
                ordinals.push(key.ordinal);
            }
        }
        Ok(ordinals.into_iter().max())
    }

    fn base_ordinals(&self, first: EdgeKey) -> Result<Vec<u32>> {
        let mut ordinals = Vec::new();
        let mut cells = EdgeCells::from(
            &*self.pager,
            KeySpace::Out,
            self.root(KeySpace::Out),
            &first,
        )?;
        let mut edges = Vec::new();
        while let Some(cell) = cells.next()? {
            let page = cell.leaf.at().page();
            let block = cell.block().map_err(|rule| self.broken(page, rule))?;
            count!(self.pager.tally(), BlocksDecoded);
            if let Some(range) = block.label_range(first.label) {
                edges.clear();
                block
                    .decode_range(range, &mut edges)
                    .map_err(|rule| self.broken(page, rule))?;
                count!(self.pager.tally(), EdgesDecoded, edges.len());
                let parallel = edges.iter().filter(|edge| edge.peer == first.peer);
                ordinals.extend(parallel.map(|edge| edge.ordinal));
                if edges.last().is_some_and(|last| last.peer > first.peer) {
                    break;
                }
            }
            if ends_label(&block, first.label) {
                break;
            }
        }
        Ok(ordinals)
    }

    /// The keys of every edge that a node's deletion removes, self-loops once.
    pub(crate) fn incident_edges(&self, id: NodeId) -> Result<Vec<EdgeKey>> {
        let (pager, node) = (&*self.pager, id.get());
        let mut keys = Vec::new();
        let mut out = Walk::<_, Out>::new(self, pager, node, Labels::All)?;
        while let Some(step) = out.next() {
            keys.push(step?.0);
        }
        let mut into = Walk::<_, In>::new(self, pager, node, Labels::All)?;
        while let Some(step) = into.next() {
            let (key, _) = step?;
            if key.peer != node {
                keys.push(key.reversed());
            }
        }
        Ok(keys)
    }

    /// The pages that lead to a node, with their levels, root first. Empty if it is not in the trees.
    pub(crate) fn path_to_node(&self, id: NodeId) -> Result<Vec<(u64, u8)>> {
        path_to(
            &*self.pager,
            self.root(KeySpace::Nodes),
            KeySpace::Nodes,
            &u48_be(id.get()),
        )
    }
}
