//! The edges of one node, in the order (label number, node at the other end, ordinal).

use std::ops::Range;

use super::plain::PlainPeers;
use super::values::Edge;
use super::view::View;
use super::walk::{Found, Walk, ends_label, peer_of};
use crate::btree::{EdgeCells, In, Out, Space, StoredData};
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::edges::{EdgeBlock, Joined, JoinedPeers};
use crate::ids::{EdgeKey, KeySpace, NodeId};
use crate::pager::{PagePin, Pager, Pages};

/// Which end of an edge a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Direction {
    /// The node is the source: edges lead to their targets.
    Out,
    /// The node is the target: edges lead back to their sources.
    In,
}

impl Direction {
    /// The other one.
    #[must_use]
    pub fn reversed(self) -> Direction {
        match self {
            Direction::Out => Direction::In,
            Direction::In => Direction::Out,
        }
    }

    pub(super) fn space(self) -> KeySpace {
        match self {
            Direction::Out => KeySpace::Out,
            Direction::In => KeySpace::In,
        }
    }
}

/// Which labels count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    All,
    One(u16),
    /// The label asked for is not defined, so no edge has it.
    None,
}

impl Labels {
    #[inline]
    pub(crate) fn of(view: &View, label: Option<&str>) -> Result<Labels> {
        label.map_or(Ok(Labels::All), |label| Labels::named(view, label))
    }

    fn named(view: &View, label: &str) -> Result<Labels> {
        Ok(view
            .label_id(label)?
            .map_or(Labels::None, |label| Labels::One(label.0)))
    }

    pub(super) fn first(self) -> u16 {
        match self {
            Labels::One(label) => label,
            Labels::All | Labels::None => 0,
        }
    }

    pub(super) fn covers(self, label: u16) -> bool {
        match self {
            Labels::All => true,
            Labels::One(one) => one == label,
            Labels::None => false,
        }
    }
}

/// A walk in either direction.
enum Either<'t, P> {
    Out(Walk<'t, P, Out>),
    In(Walk<'t, P, In>),
}

impl<'t, P: Pages> Either<'t, P> {
    fn new(
        view: &'t View,
        pages: &'t P,
        node: NodeId,
        direction: Direction,
        labels: Labels,
    ) -> Result<Either<'t, P>> {
        Ok(match direction {
            Direction::Out => Either::Out(Walk::new(view, pages, node.get(), labels)?),
            Direction::In => Either::In(Walk::new(view, pages, node.get(), labels)?),
        })
    }
}

/// Edges of a node, over any source of pages. Ends after an error.
pub(crate) struct EdgesOver<'t, P> {
    view: &'t View,
    walk: Either<'t, P>,
}

impl<'t, P: Pages> EdgesOver<'t, P> {
    pub(crate) fn new(
        view: &'t View,
        pages: &'t P,
        node: NodeId,
        direction: Direction,
        labels: Labels,
    ) -> Result<EdgesOver<'t, P>> {
        Ok(EdgesOver {
            view,
            walk: Either::new(view, pages, node, direction, labels)?,
        })
    }

    fn step(&mut self) -> Option<Result<(EdgeKey, Option<StoredData>)>> {
        match &mut self.walk {
            Either::In(walk) => walk.next().map(|step| Ok((step?.0.reversed(), None))),
            Either::Out(walk) => walk.next().map(|step| {
                let (key, found) = step?;
                let data = match found {
                    Found::Layer(data) => Out::stored(&data),
                    Found::Block(index) => walk.data(index)?,
                };
                Ok((key, Some(data)))
            }),
        }
    }
}

impl<'t, P: Pages> Iterator for EdgesOver<'t, P> {
    type Item = Result<Edge<'t>>;

    fn next(&mut self) -> Option<Self::Item> {
        let edge = self
            .step()?
            .and_then(|(key, data)| Edge::new(self.view, key, data));
        if edge.is_err() {
            match &mut self.walk {
                Either::Out(walk) => walk.stop(),
                Either::In(walk) => walk.stop(),
            }
        }
        Some(edge)
    }
}

/// What could be begun, or the error that is to be told once.
enum Begun<I> {
    Running(I),
    Failed(Option<Error>),
}

impl<I> Begun<I> {
    fn of(begun: Result<I>) -> Begun<I> {
        begun.map_or_else(|error| Begun::Failed(Some(error)), Begun::Running)
    }
}

impl<T, I: Iterator<Item = Result<T>>> Iterator for Begun<I> {
    type Item = Result<T>;

    #[inline]
    fn next(&mut self) -> Option<Result<T>> {
        match self {
            Begun::Running(items) => items.next(),
            Begun::Failed(error) => error.take().map(Err),
        }
    }
}

/// Edges of a node. See [`ReadTxn::edges`](crate::ReadTxn::edges). Ends after an error.
pub struct Edges<'t>(Begun<EdgesOver<'t, Pager>>);

impl<'t> Edges<'t> {
    pub(crate) fn new(
        view: &'t View,
        node: NodeId,
        direction: Direction,
        label: Option<&str>,
    ) -> Edges<'t> {
        let begun = Labels::of(view, label)
            .and_then(|labels| EdgesOver::new(view, &*view.pager, node, direction, labels));
        Edges(Begun::of(begun))
    }
}

impl<'t> Iterator for Edges<'t> {
    type Item = Result<Edge<'t>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// Nodes at the other ends of a node's edges. See [`ReadTxn::neighbors`](crate::ReadTxn::neighbors).
/// Ends after an error.
pub struct Neighbors<'t>(Way<'t>);

/// How a node's neighbours are read.
enum Way<'t> {
    /// From a page that the snapshot holds, where they stand.
    Joined(JoinedPeers<'t>, NodeId),
    /// From wherever they are. In a box, because it is large and most reads do without.
    Walk(Box<Begun<Peers<'t, Pager>>>),
}

impl<'t> Neighbors<'t> {
    #[inline]
    pub(crate) fn new(
        view: &'t View,
        node: NodeId,
        direction: Direction,
        label: Option<&str>,
    ) -> Neighbors<'t> {
        if label.is_none()
            && let Ok(Some(Whole::Cell(leaf, cell))) = view.whole_cell(node, direction)
            && let Ok(Some(joined)) = view.held_joined(leaf, cell)
        {
            return Neighbors(Way::Joined(joined.peers(leaf.bytes()), node));
        }
        Neighbors::walk(view, node, direction, label)
    }

    fn walk(
        view: &'t View,
        node: NodeId,
        direction: Direction,
        label: Option<&str>,
    ) -> Neighbors<'t> {
        let begun = Labels::of(view, label)
            .and_then(|labels| Peers::new(view, &*view.pager, node, direction, labels));
        Neighbors(Way::Walk(Box::new(Begun::of(begun))))
    }
}

impl Iterator for Neighbors<'_> {
    type Item = Result<NodeId>;

    // Inlined whole, a step over a page is a few instructions and the result never stands in memory.
    #[inline(always)]
    fn next(&mut self) -> Option<Result<NodeId>> {
        match &mut self.0 {
            Way::Joined(peers, node) => match NodeId::new(peers.next()?) {
                Some(peer) => Some(Ok(peer)),
                None => Some(end_at(peers, *node)),
            },
            Way::Walk(peers) => peers.next(),
        }
    }
}

/// Ends the peers of a node at one that is no node.
#[cold]
fn end_at(peers: &mut JoinedPeers<'_>, node: NodeId) -> Result<NodeId> {
    *peers = JoinedPeers::default();
    peer_of(node.get(), 0)
}

/// All edges of a node, if it is known without a descent that they are in one block.
pub(super) enum Whole<'t> {
    /// A block in this page.
    Cell(&'t PagePin, Range<usize>),
    /// There is no edge.
    Nothing,
}

/// The same, over any source of pages: for traversals.
pub(crate) struct Peers<'t, P>(PeersBy<'t, P>);

enum PeersBy<'t, P> {
    Plain(PlainPeers<'t, P>),
    Walk(Either<'t, P>),
}

impl<'t, P: Pages> Peers<'t, P> {
    pub(crate) fn new(
        view: &'t View,
        pages: &'t P,
        node: NodeId,
        direction: Direction,
        labels: Labels,
    ) -> Result<Peers<'t, P>> {
        Ok(Peers(if view.layers.is_empty() {
            let space = direction.space();
            PeersBy::Plain(PlainPeers::new(view, pages, space, node.get(), labels)?)
        } else {
            PeersBy::Walk(Either::new(view, pages, node, direction, labels)?)
        }))
    }
}

impl<P: Pages> Iterator for Peers<'_, P> {
    type Item = Result<NodeId>;

    #[inline]
    fn next(&mut self) -> Option<Result<NodeId>> {
        match &mut self.0 {
            PeersBy::Plain(peers) => peers.next(),
            PeersBy::Walk(Either::Out(walk)) => walk.next_peer(),
            PeersBy::Walk(Either::In(walk)) => walk.next_peer(),
        }
    }
}

impl View {
    /// The cell that holds every edge of a node, where the snapshot holds its page and no newer change concerns the
    /// node. `None`: a walk tells.
    #[inline]
    pub(super) fn whole_cell(
        &self,
        node: NodeId,
        direction: Direction,
    ) -> Result<Option<Whole<'_>>> {
        let Some(directories) = self.base.directories() else {
            return Ok(None);
        };
        if self.has_changed(node, direction) {
            return Ok(None);
        }
        let directory = match direction {
            Direction::Out => &directories.out,
            Direction::In => &directories.inn,
        };
        let Some(leaf) = directory.leaf(&self.pager, node.get())? else {
            return Ok(None);
        };
        Ok(Some(match leaf.sorted().find_value_u48(node.get()) {
            Some(cell) => Whole::Cell(leaf, cell),
            None => Whole::Nothing,
        }))
    }

    /// A block in a page that the snapshot holds.
    pub(super) fn held_block<'t>(
        &self,
        leaf: &'t PagePin,
        cell: Range<usize>,
    ) -> Result<EdgeBlock<'t>> {
        let block = EdgeBlock::parse(leaf.bytes(), cell);
        let block = block.map_err(|rule| self.broken(leaf.page(), rule))?;
        count!(self.pager.tally(), BlocksDecoded);
        count!(self.pager.tally(), EdgesDecoded, block.len());
        Ok(block)
    }

    /// The same, if labels and peers are packed together in it.
    #[inline]
    pub(super) fn held_joined(&self, leaf: &PagePin, cell: Range<usize>) -> Result<Option<Joined>> {
        let Some(joined) = EdgeBlock::parse_if_joined(leaf.bytes(), cell) else {
            return Ok(None);
        };
        let joined = joined.map_err(|rule| self.broken(leaf.page(), rule))?;
        count!(self.pager.tally(), BlocksDecoded);
        count!(self.pager.tally(), EdgesDecoded, joined.count());
        Ok(Some(joined))
    }

    /// Whether a newer change concerns the edges of this node.
    #[inline]
    pub(super) fn has_changed(&self, node: NodeId, direction: Direction) -> bool {
        !self.layers.is_empty() && self.layers_change(node, direction)
    }

    fn layers_change(&self, node: NodeId, direction: Direction) -> bool {
        let from = EdgeKey {
            node: node.get(),
            ..EdgeKey::default()
        };
        let changed = match direction {
            Direction::Out => self.changes::<Out>(Some(&from)).peek(),
            Direction::In => self.changes::<In>(Some(&from)).peek(),
        };
        changed.is_some_and(|key| key.node == node.get())
    }

    /// How many edges a node has. Without newer changes only the counts of its blocks are read.
    pub(crate) fn degree(
        &self,
        node: NodeId,
        direction: Direction,
        label: Option<&str>,
    ) -> Result<u64> {
        let labels = Labels::of(self, label)?;
        if labels == Labels::None {
            return Ok(0);
        }
        match self.whole_cell(node, direction)? {
            Some(Whole::Nothing) => return Ok(0),
            Some(Whole::Cell(leaf, cell)) => {
                let block = self.held_block(leaf, cell)?;
                let Labels::One(label) = labels else {
                    return Ok(block.len() as u64);
                };
                let range = block.label_range(label);
                return Ok(range.map_or(0, |range| range.len() as u64));
            }
            None => {}
        }
        if !self.layers.is_empty() {
            let mut peers = Peers::new(self, &*self.pager, node, direction, labels)?;
            return peers.try_fold(0, |count, peer| peer.map(|_| count + 1));
        }
        let from = EdgeKey {
            node: node.get(),
            label: labels.first(),
            ..EdgeKey::default()
        };
        let space = direction.space();
        let mut cells = EdgeCells::from(&*self.pager, space, self.root(space), &from)?;
        let mut count = 0;
        while let Some(cell) = cells.next()? {
            let page = cell.leaf.at().page();
            let block = cell.block().map_err(|rule| self.broken(page, rule))?;
            count!(self.pager.tally(), BlocksDecoded);
            let Labels::One(label) = labels else {
                count += block.len() as u64;
                continue;
            };
            count += block
                .label_range(label)
                .map_or(0, |range| range.len() as u64);
            if ends_label(&block, label) {
                break;
            }
        }
        Ok(count)
    }
}
