//! The edges of one node, in the order (label number, node at the other end, ordinal).

use super::values::Edge;
use super::view::View;
use crate::btree::{Change, EdgeCell, EdgeCells, In, Out, Space, StoredData};
use crate::delta::{Changes, Overlaid};
use crate::error::Result;
use crate::format::edges::BlockEdge;
use crate::ids::{EdgeKey, KeySpace, NodeId};
use crate::pager::{Pager, Pages};

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

    fn space(self) -> KeySpace {
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
    pub(crate) fn of(view: &View, label: Option<&str>) -> Result<Labels> {
        let Some(label) = label else { return Ok(Labels::All) };
        Ok(view.label_id(label)?.map_or(Labels::None, |label| Labels::One(label.0)))
    }

    fn first(self) -> u16 {
        match self {
            Labels::One(label) => label,
            Labels::All | Labels::None => 0,
        }
    }

    fn covers(self, label: u16) -> bool {
        match self {
            Labels::All => true,
            Labels::One(one) => one == label,
            Labels::None => false,
        }
    }
}

/// The keys of one node's edges, newer changes laid over the blocks of its tree.
struct Walk<'t, P, S: Overlaid> {
    view: &'t View,
    cells: EdgeCells<'t, P>,
    cell: Option<EdgeCell>,
    decoded: Vec<BlockEdge>,
    next: usize,
    /// Where `decoded` begins in the cell's block.
    offset: usize,
    changes: Option<Changes<'t, S::Key, S::Value>>,
    node: u64,
    labels: Labels,
    done: bool,
}

/// Where an edge's value is.
enum Found<'t, V> {
    /// In the current cell, at this place of its block.
    Block(usize),
    Layer(&'t V),
}

impl<'t, P: Pages, S: Overlaid<Key = EdgeKey>> Walk<'t, P, S> {
    fn new(view: &'t View, pages: &'t P, node: u64, labels: Labels) -> Result<Walk<'t, P, S>> {
        let from = EdgeKey { node, label: labels.first(), ..EdgeKey::default() };
        let cells = EdgeCells::from(pages, S::SPACE, view.root(S::SPACE), &from)?;
        let changes = (!view.layers.is_empty()).then(|| view.changes::<S>(Some(&from)));
        Ok(Walk {
            view,
            cells,
            cell: None,
            decoded: Vec::new(),
            next: 0,
            offset: 0,
            changes,
            node,
            labels,
            done: labels == Labels::None,
        })
    }

    /// The next edge of the tree, without taking it.
    #[inline]
    fn peek_base(&mut self) -> Result<Option<BlockEdge>> {
        loop {
            if let Some(edge) = self.decoded.get(self.next) {
                return Ok(Some(*edge));
            }
            if !self.load()? {
                return Ok(None);
            }
        }
    }

    fn load(&mut self) -> Result<bool> {
        self.decoded.clear();
        self.next = 0;
        let Some(cell) = self.cells.next()? else { return Ok(false) };
        let page = cell.leaf.at().page();
        let broken = |rule| self.view.broken(page, rule);
        let block = cell.block().map_err(broken)?;
        self.offset = 0;
        match self.labels {
            Labels::All => block.decode_into(&mut self.decoded).map_err(broken)?,
            Labels::One(label) => {
                if let Some(range) = block.label_range(label) {
                    self.offset = range.start;
                    block.decode_range(range, &mut self.decoded).map_err(broken)?;
                }
            }
            Labels::None => {}
        }
        self.cell = Some(cell);
        Ok(true)
    }

    /// The next change of one of the edges asked for.
    fn peek_change(&self) -> Option<EdgeKey> {
        let key = self.changes.as_ref()?.peek()?;
        (key.node == self.node && self.labels.covers(key.label)).then_some(*key)
    }

    #[inline]
    fn step(&mut self) -> Result<Option<(EdgeKey, Found<'t, S::Value>)>> {
        loop {
            if self.done {
                return Ok(None);
            }
            let base = self.peek_base()?.map(|BlockEdge { label, peer, ordinal }| EdgeKey {
                node: self.node,
                label,
                peer,
                ordinal,
            });
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
                        return Ok(Some((*key, Found::Layer(value))));
                    }
                }
            }
        }
    }

    fn next(&mut self) -> Option<Result<(EdgeKey, Found<'t, S::Value>)>> {
        let step = self.step();
        self.done |= step.is_err();
        step.transpose()
    }
}

/// Edges of a node. See [`ReadTxn::edges`](crate::ReadTxn::edges). Ends after an error.
pub struct Edges<'t> {
    view: &'t View,
    walk: Either<'t, Pager>,
    failed: Option<crate::error::Error>,
}

enum Either<'t, P> {
    Out(Walk<'t, P, Out>),
    In(Walk<'t, P, In>),
    Neither,
}

impl<'t, P: Pages> Either<'t, P> {
    fn new(view: &'t View, pages: &'t P, node: NodeId, direction: Direction, labels: Labels) -> Result<Either<'t, P>> {
        Ok(match direction {
            Direction::Out => Either::Out(Walk::new(view, pages, node.get(), labels)?),
            Direction::In => Either::In(Walk::new(view, pages, node.get(), labels)?),
        })
    }

    /// The node at the other end of the next edge.
    #[inline]
    fn next_peer(&mut self) -> Option<Result<u64>> {
        match self {
            Either::Out(walk) => walk.next().map(|step| Ok(step?.0.peer)),
            Either::In(walk) => walk.next().map(|step| Ok(step?.0.peer)),
            Either::Neither => None,
        }
    }
}

impl<'t> Edges<'t> {
    pub(crate) fn new(view: &'t View, node: NodeId, direction: Direction, label: Option<&str>) -> Edges<'t> {
        let walk = Labels::of(view, label)
            .and_then(|labels| Either::new(view, &*view.pager, node, direction, labels));
        match walk {
            Ok(walk) => Edges { view, walk, failed: None },
            Err(error) => Edges { view, walk: Either::Neither, failed: Some(error) },
        }
    }

    fn out(view: &'t View, walk: &mut Walk<'t, Pager, Out>) -> Option<Result<Edge<'t>>> {
        let (key, found) = match walk.next()? {
            Ok(step) => step,
            Err(error) => return Some(Err(error)),
        };
        let data = match found {
            Found::Layer(data) => Ok(Out::stored(data)),
            Found::Block(index) => match &walk.cell {
                Some(cell) => cell.data(index).map_err(|rule| view.broken(cell.leaf.at().page(), rule)),
                None => Ok(StoredData::Empty),
            },
        };
        Some(data.and_then(|data| Edge::new(view, key, Some(data))))
    }
}

impl<'t> Iterator for Edges<'t> {
    type Item = Result<Edge<'t>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        match &mut self.walk {
            Either::Out(walk) => Edges::out(self.view, walk),
            Either::In(walk) => {
                let step = walk.next()?;
                Some(step.and_then(|(key, _)| Edge::new(self.view, key.reversed(), None)))
            }
            Either::Neither => None,
        }
    }
}

/// Nodes at the other ends of a node's edges. See [`ReadTxn::neighbors`](crate::ReadTxn::neighbors).
/// Ends after an error.
pub struct Neighbors<'t> {
    peers: Peers<'t, Pager>,
    failed: Option<crate::error::Error>,
}

impl<'t> Neighbors<'t> {
    pub(crate) fn new(view: &'t View, node: NodeId, direction: Direction, label: Option<&str>) -> Neighbors<'t> {
        let peers = Labels::of(view, label)
            .and_then(|labels| Peers::new(view, &*view.pager, node, direction, labels));
        match peers {
            Ok(peers) => Neighbors { peers, failed: None },
            Err(error) => Neighbors { peers: Peers(Either::Neither), failed: Some(error) },
        }
    }
}

impl Iterator for Neighbors<'_> {
    type Item = Result<NodeId>;

    #[inline]
    fn next(&mut self) -> Option<Result<NodeId>> {
        if let Some(error) = self.failed.take() {
            return Some(Err(error));
        }
        self.peers.next()
    }
}

/// The same, over any source of pages: for traversals.
pub(crate) struct Peers<'t, P>(Either<'t, P>);

impl<'t, P: Pages> Peers<'t, P> {
    pub(crate) fn new(
        view: &'t View,
        pages: &'t P,
        node: NodeId,
        direction: Direction,
        labels: Labels,
    ) -> Result<Peers<'t, P>> {
        Either::new(view, pages, node, direction, labels).map(Peers)
    }
}

impl<P: Pages> Iterator for Peers<'_, P> {
    type Item = Result<NodeId>;

    #[inline]
    fn next(&mut self) -> Option<Result<NodeId>> {
        let peer = self.0.next_peer()?;
        Some(peer.and_then(|peer| {
            NodeId::new(peer).ok_or_else(|| crate::error::Error::corrupt_at(0, "an edge names node 0"))
        }))
    }
}

impl View {
    /// How many edges a node has. Without newer changes only the counts of its blocks are read.
    pub(crate) fn degree(&self, node: NodeId, direction: Direction, label: Option<&str>) -> Result<u64> {
        let labels = Labels::of(self, label)?;
        if labels == Labels::None {
            return Ok(0);
        }
        if !self.layers.is_empty() {
            let mut peers = Peers::new(self, &*self.pager, node, direction, labels)?;
            return peers.try_fold(0, |count, peer| peer.map(|_| count + 1));
        }
        let from = EdgeKey { node: node.get(), label: labels.first(), ..EdgeKey::default() };
        let space = direction.space();
        let mut cells = EdgeCells::from(&*self.pager, space, self.root(space), &from)?;
        let mut count = 0;
        while let Some(cell) = cells.next()? {
            let page = cell.leaf.at().page();
            let block = cell.block().map_err(|rule| self.broken(page, rule))?;
            count += match labels {
                Labels::One(label) => block.label_range(label).map_or(0, |range| range.len()),
                _ => block.len(),
            } as u64;
        }
        Ok(count)
    }
}
