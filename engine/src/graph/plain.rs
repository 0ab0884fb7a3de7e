//! The peers of one node where no newer change concerns it: a block after the other, nothing laid over.

use super::adjacency::Labels;
use super::view::View;
use super::walk::{ends_label, peer_of};
use crate::btree::EdgeCells;
use crate::error::Result;
use crate::forensics::count;
use crate::ids::{EdgeKey, KeySpace, NodeId};
use crate::pager::Pages;

/// Ends after an error.
pub(crate) struct PlainPeers<'t, P> {
    view: &'t View,
    cells: EdgeCells<'t, P>,
    node: u64,
    labels: Labels,
    /// The peers of the current block, and how many of them are taken.
    peers: Vec<u64>,
    next: usize,
    /// No block after this one has an edge that is asked for.
    last: bool,
}

impl<'t, P: Pages> PlainPeers<'t, P> {
    /// The key space may be that of the kinds, whose blocks are of the same shape.
    pub(super) fn new(
        view: &'t View,
        pages: &'t P,
        space: KeySpace,
        node: u64,
        labels: Labels,
    ) -> Result<PlainPeers<'t, P>> {
        let from = EdgeKey {
            node,
            label: labels.first(),
            ..EdgeKey::default()
        };
        Ok(PlainPeers {
            view,
            cells: EdgeCells::from(pages, space, view.root(space), &from)?,
            node,
            labels,
            peers: Vec::new(),
            next: 0,
            last: labels == Labels::None,
        })
    }

    /// Decodes the next block; `false` at the end.
    fn load(&mut self) -> Result<bool> {
        self.peers.clear();
        self.next = 0;
        if self.last {
            return Ok(false);
        }
        let Some(cell) = self.cells.next()? else {
            return Ok(false);
        };
        let broken = |rule| self.view.broken(cell.leaf.at().page(), rule);
        let block = cell.block().map_err(broken)?;
        count!(self.view.pager.tally(), BlocksDecoded);
        let range = match self.labels {
            Labels::One(label) => {
                self.last = ends_label(&block, label);
                block.label_range(label)
            }
            _ => Some(0..block.len()),
        };
        block
            .peers_into(range.unwrap_or_default(), &mut self.peers)
            .map_err(broken)?;
        count!(self.view.pager.tally(), EdgesDecoded, self.peers.len());
        Ok(true)
    }
}

impl<P: Pages> Iterator for PlainPeers<'_, P> {
    type Item = Result<NodeId>;

    // Inlined whole, a step within a block is a few instructions and the result never stands in memory.
    #[inline(always)]
    fn next(&mut self) -> Option<Result<NodeId>> {
        match self.peers.get(self.next).map(|peer| NodeId::new(*peer)) {
            Some(Some(peer)) => {
                self.next += 1;
                Some(Ok(peer))
            }
            Some(None) => Some(self.end_at_no_node()),
            None => self.next_block(),
        }
    }
}

impl<P: Pages> PlainPeers<'_, P> {
    /// The first peer of the next block.
    #[cold]
    fn next_block(&mut self) -> Option<Result<NodeId>> {
        match self.load() {
            Ok(true) => self.next(),
            Ok(false) => {
                self.last = true;
                None
            }
            Err(error) => {
                self.last = true;
                Some(Err(error))
            }
        }
    }

    /// Ends at a peer that is no node.
    #[cold]
    fn end_at_no_node(&mut self) -> Result<NodeId> {
        let peer = self.peers.get(self.next).copied().unwrap_or_default();
        (self.last, self.next) = (true, self.peers.len());
        peer_of(self.node, peer)
    }
}
