//! A node's neighbours told one by one, with the labels of the edges that lead to them.

use std::ops::ControlFlow;

use super::adjacency::{Direction, Labels, Whole};
use super::view::View;
use super::walk::{Walk, ends_label, no_peer, peer_of};
use crate::btree::{EdgeCells, In, Out};
use crate::delta::Overlaid;
use crate::error::Result;
use crate::forensics::count;
use crate::format::edges::EdgeBlock;
use crate::ids::{EdgeKey, LabelId, NodeId};
use crate::pager::Pages;

/// A node at the other end of an edge. See [`ReadTxn::visit_neighbors`](crate::ReadTxn::visit_neighbors).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Neighbor {
    /// The node.
    pub node: NodeId,
    /// The edge's label: its place in [`ReadTxn::labels`](crate::ReadTxn::labels).
    pub label: LabelId,
}

impl View {
    /// Tells the neighbours of a node until told to stop. `direct`: pages that the snapshot holds are read there, and
    /// only others from `pages`.
    #[inline]
    pub(crate) fn visit_neighbors<P: Pages, B>(
        &self,
        pages: &P,
        node: NodeId,
        direction: Direction,
        labels: Labels,
        direct: bool,
        mut see: impl FnMut(Neighbor) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        let whole = match direct {
            true => self.whole_cell(node, direction)?,
            false => None,
        };
        let (leaf, cell) = match whole {
            Some(Whole::Nothing) => return Ok(ControlFlow::Continue(())),
            Some(Whole::Cell(leaf, cell)) => (leaf, cell),
            None => return self.visit_far(pages, node, direction, labels, &mut see),
        };
        // Most blocks are of this form, and then nothing but their numbers is looked at.
        if labels == Labels::All
            && let Some(joined) = self.held_joined(leaf, cell.clone())?
        {
            let all = 0..joined.count();
            return told(joined.visit(leaf.bytes(), all, told_to(node, &mut see)));
        }
        let block = self.held_block(leaf, cell)?;
        self.visit_block(&block, || leaf.page(), node, labels, &mut see)
    }

    fn visit_block<B>(
        &self,
        block: &EdgeBlock<'_>,
        page: impl FnOnce() -> u64,
        node: NodeId,
        labels: Labels,
        see: &mut impl FnMut(Neighbor) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        let range = match labels {
            Labels::All => Some(0..block.len()),
            Labels::One(label) => block.label_range(label),
            Labels::None => None,
        };
        let visited = block.visit(range.unwrap_or_default(), told_to(node, see));
        told(visited.map_err(|rule| self.broken(page(), rule))?)
    }

    /// The same where the edges span several leaves, are changed by newer layers, or are not held.
    fn visit_far<P: Pages, B>(
        &self,
        pages: &P,
        node: NodeId,
        direction: Direction,
        labels: Labels,
        see: &mut impl FnMut(Neighbor) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        if self.has_changed(node, direction) {
            return match direction {
                Direction::Out => self.visit_walk::<P, Out, B>(pages, node, labels, see),
                Direction::In => self.visit_walk::<P, In, B>(pages, node, labels, see),
            };
        }
        if labels == Labels::None {
            return Ok(ControlFlow::Continue(()));
        }
        let from = EdgeKey {
            node: node.get(),
            label: labels.first(),
            ..EdgeKey::default()
        };
        let space = direction.space();
        let mut cells = EdgeCells::from(pages, space, self.root(space), &from)?;
        while let Some(cell) = cells.next()? {
            let page = cell.leaf.at().page();
            let block = cell.block().map_err(|rule| self.broken(page, rule))?;
            count!(self.pager.tally(), BlocksDecoded);
            count!(self.pager.tally(), EdgesDecoded, block.len());
            if let ControlFlow::Break(value) =
                self.visit_block(&block, || page, node, labels, see)?
            {
                return Ok(ControlFlow::Break(value));
            }
            if let Labels::One(label) = labels
                && ends_label(&block, label)
            {
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn visit_walk<P: Pages, S: Overlaid<Key = EdgeKey>, B>(
        &self,
        pages: &P,
        node: NodeId,
        labels: Labels,
        see: &mut impl FnMut(Neighbor) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>> {
        let mut walk = Walk::<P, S>::new(self, pages, node.get(), labels)?;
        while let Some(step) = walk.next() {
            let (key, _) = step?;
            let neighbor = Neighbor {
                node: peer_of(key.node, key.peer)?,
                label: LabelId(key.label),
            };
            if let ControlFlow::Break(value) = see(neighbor) {
                return Ok(ControlFlow::Break(value));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Tells a visitor what a block says of the edges of a node.
#[inline(always)]
fn told_to<B>(
    node: NodeId,
    see: &mut impl FnMut(Neighbor) -> ControlFlow<B>,
) -> impl FnMut(u16, u64) -> ControlFlow<Result<B>> {
    move |label, peer| {
        let Some(peer) = NodeId::new(peer) else {
            return ControlFlow::Break(Err(no_peer(node.get(), peer)));
        };
        let neighbor = Neighbor {
            node: peer,
            label: LabelId(label),
        };
        match see(neighbor) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(value) => ControlFlow::Break(Ok(value)),
        }
    }
}

/// The visitor's break, or the error that ended the visit.
#[inline(always)]
fn told<B>(flow: ControlFlow<Result<B>>) -> Result<ControlFlow<B>> {
    match flow {
        ControlFlow::Continue(()) => Ok(ControlFlow::Continue(())),
        ControlFlow::Break(value) => value.map(ControlFlow::Break),
    }
}
