//! One step of a walk: from some nodes to their neighbours.

use std::cell::RefCell;

use super::pages::TraversalPages;
use crate::error::Result;
use crate::format::edges::BlockEdge;
use crate::graph::{Direction, Labels, Peers, View, Whole, peer_of};
use crate::ids::NodeId;

/// Which edges a walk follows.
#[derive(Clone, Copy)]
pub(super) struct Follow<'t> {
    /// `None` for both.
    pub(super) direction: Option<Direction>,
    pub(super) label: Option<&'t str>,
}

impl Default for Follow<'_> {
    fn default() -> Self {
        Follow {
            direction: Some(Direction::Out),
            label: None,
        }
    }
}

impl Follow<'_> {
    /// The same edges, walked backwards.
    #[must_use]
    pub(super) fn reversed(self) -> Self {
        Follow {
            direction: self.direction.map(Direction::reversed),
            ..self
        }
    }

    /// The directions to look in, one or both.
    pub(super) fn directions(self) -> impl Iterator<Item = Direction> {
        let both = [Direction::Out, Direction::In];
        both.into_iter()
            .filter(move |each| self.direction.is_none_or(|only| only == *each))
    }
}

/// Finds neighbours in one snapshot.
pub(super) struct Stepper<'t> {
    view: &'t View,
    pages: &'t TraversalPages<'t>,
    labels: Labels,
    follow: Follow<'t>,
    /// Whether pages that the snapshot holds are read there, and not through the traversal's cache.
    direct: bool,
    scratch: RefCell<Vec<BlockEdge>>,
}

impl<'t> Stepper<'t> {
    pub(super) fn new(
        view: &'t View,
        pages: &'t TraversalPages<'t>,
        follow: Follow<'t>,
        direct: bool,
    ) -> Result<Stepper<'t>> {
        Ok(Stepper {
            view,
            pages,
            labels: Labels::of(view, follow.label)?,
            follow,
            direct,
            scratch: RefCell::default(),
        })
    }

    /// Tells every neighbour of a node, until told to stop by `false`.
    pub(super) fn neighbors(
        &self,
        node: NodeId,
        mut tell: impl FnMut(NodeId) -> bool,
    ) -> Result<()> {
        for direction in self.follow.directions() {
            let whole = match self.direct {
                true => self.view.whole_block(node, direction)?,
                false => None,
            };
            if let Some(whole) = whole {
                if !self.block(node, &whole, &mut tell)? {
                    return Ok(());
                }
                continue;
            }
            for peer in Peers::new(self.view, self.pages, node, direction, self.labels)? {
                if !tell(peer?) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Tells the neighbours in a block; `false` once told to stop.
    #[inline]
    fn block(
        &self,
        node: NodeId,
        whole: &Whole<'_>,
        tell: &mut impl FnMut(NodeId) -> bool,
    ) -> Result<bool> {
        let Whole::Block(block) = whole else {
            return Ok(true);
        };
        if self.labels == Labels::All
            && let Some(mut peers) = block.joined_peers()
        {
            while let Some(peer) = peers.next() {
                if !tell(peer_of(node.get(), peer)?) {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let range = match self.labels {
            Labels::All => Some(0..block.len()),
            Labels::One(label) => block.label_range(label),
            Labels::None => None,
        };
        let mut edges = self.scratch.borrow_mut();
        edges.clear();
        block
            .decode_range(range.unwrap_or_default(), &mut edges)
            .map_err(|rule| self.view.broken(0, rule))?;
        for edge in edges.iter() {
            if !tell(peer_of(node.get(), edge.peer)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
