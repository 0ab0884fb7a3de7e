//! One node's edges in one direction, newer changes laid over the blocks of its tree.

use super::adjacency::Labels;
use super::view::View;
use crate::btree::{Change, EdgeCell, EdgeCells, StoredData};
use crate::delta::{ChangesOf, Overlaid};
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::edges::{BlockEdge, EdgeBlock};
use crate::format::header::Root;
use crate::ids::{EdgeKey, NodeId};
use crate::pager::Pages;

/// The keys of one node's edges. Ends after an error.
pub(super) struct Walk<'t, P, S: Overlaid> {
    view: &'t View,
    cells: EdgeCells<'t, P>,
    cell: Option<EdgeCell>,
    /// The cell's edges that are asked for, and how many of them are taken.
    decoded: Vec<BlockEdge>,
    next: usize,
    /// Where `decoded` begins in the cell's block.
    offset: usize,
    /// The data of all edges of the cell, once that of one has been asked for.
    data: Option<Vec<StoredData>>,
    /// No cell after this one has an edge that is asked for.
    last_cell: bool,
    changes: Option<ChangesOf<'t, S>>,
    node: u64,
    labels: Labels,
    done: bool,
}

/// Where an edge's value is.
pub(super) enum Found<V> {
    /// In the current cell, at this place of its block.
    Block(usize),
    /// In memory.
    Layer(V),
}

impl<'t, P: Pages, S: Overlaid<Key = EdgeKey>> Walk<'t, P, S> {
    pub(super) fn new(
        view: &'t View,
        pages: &'t P,
        node: u64,
        labels: Labels,
    ) -> Result<Walk<'t, P, S>> {
        let from = EdgeKey {
            node,
            label: labels.first(),
            ..EdgeKey::default()
        };
        let nothing = labels == Labels::None;
        let root = if nothing {
            Root::default()
        } else {
            view.root(S::SPACE)
        };
        let cells = EdgeCells::from(pages, S::SPACE, root, &from)?;
        let changes = (!view.layers.is_empty()).then(|| view.changes::<S>(Some(&from)));
        Ok(Walk {
            view,
            cells,
            cell: None,
            decoded: Vec::new(),
            next: 0,
            offset: 0,
            data: None,
            last_cell: false,
            changes,
            node,
            labels,
            done: nothing,
        })
    }

    /// The next edge of the tree, without taking it.
    #[inline]
    fn peek_base(&mut self) -> Result<Option<BlockEdge>> {
        loop {
            if let Some(edge) = self.decoded.get(self.next) {
                return Ok(Some(*edge));
            }
            if self.last_cell || !self.load()? {
                return Ok(None);
            }
        }
    }

    fn load(&mut self) -> Result<bool> {
        self.decoded.clear();
        (self.next, self.offset, self.data) = (0, 0, None);
        let Some(cell) = self.cells.next()? else {
            return Ok(false);
        };
        let page = cell.leaf.at().page();
        let broken = |rule| self.view.broken(page, rule);
        let block = cell.block().map_err(broken)?;
        match self.labels {
            Labels::All => block.decode_into(&mut self.decoded).map_err(broken)?,
            Labels::One(label) => {
                if let Some(range) = block.label_range(label) {
                    self.offset = range.start;
                    block
                        .decode_range(range, &mut self.decoded)
                        .map_err(broken)?;
                }
                self.last_cell = ends_label(&block, label);
            }
            Labels::None => {}
        }
        count!(self.view.pager.tally(), BlocksDecoded);
        count!(self.view.pager.tally(), EdgesDecoded, self.decoded.len());
        self.cell = Some(cell);
        Ok(true)
    }

    /// The next change of one of the edges asked for.
    fn peek_change(&self) -> Option<EdgeKey> {
        let key = self.changes.as_ref()?.peek()?;
        (key.node == self.node && self.labels.covers(key.label)).then_some(key)
    }

    #[inline]
    fn step(&mut self) -> Result<Option<(EdgeKey, Found<S::Value>)>> {
        loop {
            if self.done {
                return Ok(None);
            }
            let base = self.peek_base()?.map(
                |BlockEdge {
                     label,
                     peer,
                     ordinal,
                 }| EdgeKey {
                    node: self.node,
                    label,
                    peer,
                    ordinal,
                },
            );
            let changed = self.peek_change();
            match (base, changed) {
                (None, None) => {
                    self.done = true;
                    return Ok(None);
                }
                (Some(key), changed) if changed.is_none_or(|changed| key < changed) => {
                    let place = self.offset + self.next;
                    self.next += 1;
                    return Ok(Some((key, Found::Block(place))));
                }
                (base, _) => {
                    if base == changed {
                        self.next += 1;
                    }
                    let change = self.changes.as_mut().and_then(Iterator::next);
                    if let Some((key, Change::Put(value))) = change {
                        return Ok(Some((key, Found::Layer(value))));
                    }
                }
            }
        }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Result<(EdgeKey, Found<S::Value>)>> {
        let step = self.step();
        self.done |= step.is_err();
        step.transpose()
    }

    /// The node at the other end of the next edge.
    #[inline]
    pub(super) fn next_peer(&mut self) -> Option<Result<NodeId>> {
        let peer = self
            .next()?
            .and_then(|(key, _)| peer_of(key.node, key.peer));
        self.done |= peer.is_err();
        Some(peer)
    }

    /// The data of the edge at this place of the current cell's block.
    pub(super) fn data(&mut self, place: usize) -> Result<StoredData> {
        let Some(cell) = &mut self.cell else {
            return Ok(StoredData::Empty);
        };
        if self.data.is_none() {
            // Each edge holds on to the page, which should cost other readers nothing.
            cell.leaf = cell.leaf.clone().into_private();
            let data = cell
                .all_data()
                .map_err(|rule| self.view.broken(cell.leaf.at().page(), rule))?;
            self.data = Some(data);
        }
        let data = self.data.as_ref().and_then(|data| data.get(place));
        Ok(data.cloned().unwrap_or(StoredData::Empty))
    }

    /// Gives nothing more.
    pub(super) fn stop(&mut self) {
        self.done = true;
    }
}

#[inline]
pub(super) fn peer_of(node: u64, peer: u64) -> Result<NodeId> {
    NodeId::new(peer).ok_or_else(|| no_peer(node, peer))
}

#[cold]
pub(super) fn no_peer(node: u64, peer: u64) -> Error {
    Error::corrupt_at(0, format!("an edge of node {node} names node {peer}"))
}

/// Whether no block after this one has edges of the label.
pub(super) fn ends_label(block: &EdgeBlock<'_>, label: u16) -> bool {
    block.labels().any(|(other, _)| other > label)
}
