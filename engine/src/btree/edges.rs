//! The spaces whose leaves hold edge blocks: both directions of adjacency, and the kind index.

use std::cmp::Ordering;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use super::descent::Descent;
use super::find::leaf;
use super::space::{Items, LeafBuilder, Space};
use crate::error::Result;
use crate::format::FormatError;
use crate::format::bytes::{from_u48_be, u48_be};
use crate::format::edges::{BlockEdge, EdgeBlock, EdgeBlockBuilder};
use crate::format::header::Root;
use crate::format::limits::max_inline;
use crate::format::node::{BlobRef, Data};
use crate::format::sorted::SortedBuilder;
use crate::ids::{EdgeKey, KeySpace};
use crate::pager::{PageGuard, PageWriter, Pages};

/// An edge's data on its way into the tree. Most edges have none, and that costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EdgeData(Option<Arc<[u8]>>);

impl EdgeData {
    pub(crate) fn new(data: &[u8]) -> EdgeData {
        EdgeData((!data.is_empty()).then(|| data.into()))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// An edge's data where it is.
#[derive(Clone)]
pub(crate) enum StoredData {
    Empty,
    Leaf { leaf: PageGuard, at: Range<usize> },
    Memory(EdgeData),
    Blob(BlobRef),
}

impl StoredData {
    fn of(leaf: &PageGuard, data: Data<'_>) -> StoredData {
        match data {
            Data::Blob(blob) => StoredData::Blob(blob),
            Data::Inline([]) => StoredData::Empty,
            Data::Inline(bytes) => {
                // Both are addresses within one page; nothing is read through them.
                let start = bytes
                    .as_ptr()
                    .addr()
                    .wrapping_sub(leaf.bytes().as_ptr().addr());
                StoredData::Leaf {
                    leaf: leaf.clone(),
                    at: start..start.wrapping_add(bytes.len()),
                }
            }
        }
    }

    fn as_data(&self) -> Data<'_> {
        match self {
            StoredData::Empty => Data::Inline(&[]),
            StoredData::Leaf { leaf, at } => {
                Data::Inline(leaf.bytes().get(at.clone()).unwrap_or_default())
            }
            StoredData::Memory(data) => Data::Inline(data.bytes()),
            StoredData::Blob(blob) => Data::Blob(*blob),
        }
    }

    /// The data, unless it is a blob.
    pub(crate) fn inline(&self) -> std::result::Result<&[u8], BlobRef> {
        match self.as_data() {
            Data::Inline(bytes) => Ok(bytes),
            Data::Blob(blob) => Err(blob),
        }
    }
}

/// A value of an edge block's edges: data, or nothing.
pub(crate) trait BlockValue: Clone {
    fn of(leaf: &PageGuard, data: Data<'_>) -> Self;
    fn as_data(&self) -> Data<'_>;
}

impl BlockValue for StoredData {
    fn of(leaf: &PageGuard, data: Data<'_>) -> StoredData {
        StoredData::of(leaf, data)
    }

    fn as_data(&self) -> Data<'_> {
        StoredData::as_data(self)
    }
}

impl BlockValue for () {
    fn of(_: &PageGuard, _: Data<'_>) {}

    fn as_data(&self) -> Data<'_> {
        Data::Inline(&[])
    }
}

/// The bytes of an edge's key, for separators: node, label, peer, ordinal.
#[inline]
fn edge_key(key: &EdgeKey) -> [u8; 18] {
    let [a, b, c, d, e, f] = u48_be(key.node);
    let [g, h] = key.label.to_be_bytes();
    let [i, j, k, l, m, n] = u48_be(key.peer);
    let [o, p, q, r] = key.ordinal.to_be_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r]
}

fn encode_edge(key: &EdgeKey, out: &mut Vec<u8>) {
    out.extend_from_slice(&edge_key(key));
}

/// Whether an edge's key comes before these bytes. Mostly the id that they begin with decides.
#[inline]
fn is_edge_below(key: &EdgeKey, bound: &[u8]) -> bool {
    let id = bound.first_chunk().map(|id| from_u48_be(*id));
    match id.map(|id| key.node.cmp(&id)) {
        Some(Ordering::Less) => true,
        Some(Ordering::Greater) => false,
        Some(Ordering::Equal) | None => edge_key(key).as_slice() < bound,
    }
}

fn block_items<V: BlockValue>(leaf: &PageGuard) -> Items<EdgeKey, V> {
    let view = leaf.sorted().ok_or(FormatError("not a sorted page"))?;
    let mut items = Vec::new();
    let mut edges = Vec::new();
    for cell in (0..view.len()).filter(|i| !view.is_absent(*i)) {
        let node = view.key_u48(cell);
        let block = EdgeBlock::parse(leaf.bytes(), view.value_range(cell))?;
        edges.clear();
        block.decode_into(&mut edges)?;
        let mut data = block.has_data().then(|| block.data_iter()).transpose()?;
        for BlockEdge {
            label,
            peer,
            ordinal,
        } in edges.drain(..)
        {
            let value = match data.as_mut().and_then(Iterator::next) {
                Some(data) => V::of(leaf, data?),
                None => V::of(leaf, Data::Inline(&[])),
            };
            items.push((
                EdgeKey {
                    node,
                    label,
                    peer,
                    ordinal,
                },
                value,
            ));
        }
    }
    Ok(items)
}

/// Encodes leaves of edge blocks. The block of the last node stays open until another node begins
/// or the page ends.
pub(crate) struct BlockLeaf<V> {
    page: SortedBuilder,
    page_size: usize,
    block: EdgeBlockBuilder,
    node: u64,
    /// Bytes that the page has for the open block.
    room: usize,
    cell: Vec<u8>,
    value: PhantomData<V>,
}

impl<V> BlockLeaf<V> {
    fn close_block(&mut self) {
        if self.block.is_empty() {
            return;
        }
        self.cell.clear();
        self.block.encode(&mut self.cell);
        let fits = self.page.push(&u48_be(self.node), &self.cell);
        debug_assert!(fits, "an open block is measured at every step");
        self.block.clear();
    }
}

impl<V: BlockValue> LeafBuilder<EdgeKey, V> for BlockLeaf<V> {
    fn new(page_size: usize, space: KeySpace, level: u8) -> BlockLeaf<V> {
        BlockLeaf {
            page: SortedBuilder::new(page_size, space, level),
            page_size,
            block: EdgeBlockBuilder::new(),
            node: 0,
            room: 0,
            cell: Vec::new(),
            value: PhantomData,
        }
    }

    fn push(&mut self, key: &EdgeKey, value: &V) -> bool {
        if self.node != key.node || self.block.is_empty() {
            self.close_block();
            self.node = key.node;
            // A page grows with its last cell byte by byte, once there is one.
            let with_a_byte = self.page.size_with(&u48_be(key.node), 1);
            self.room = (self.page_size + 1).saturating_sub(with_a_byte);
        }
        let edge = BlockEdge {
            label: key.label,
            peer: key.peer,
            ordinal: key.ordinal,
        };
        self.block.push_within(edge, value.as_data(), self.room)
    }

    fn is_empty(&self) -> bool {
        self.page.is_empty() && self.block.is_empty()
    }

    fn size(&self) -> usize {
        if self.block.is_empty() {
            return self.page.size();
        }
        self.page.size_with(&u48_be(self.node), self.block.size())
    }

    fn finish(&mut self) -> Box<[u8]> {
        self.close_block();
        self.page.finish()
    }
}

/// Outgoing edges, with data.
pub(crate) struct Out;
/// Incoming edges.
pub(crate) struct In;
/// Nodes by kind, in the shape of edges from a kind.
pub(crate) struct Kinds;

impl Space for Out {
    const SPACE: KeySpace = KeySpace::Out;
    type Key = EdgeKey;
    type Value = EdgeData;
    type Stored = StoredData;
    type Builder = BlockLeaf<StoredData>;

    fn encode_key(key: &EdgeKey, out: &mut Vec<u8>) {
        encode_edge(key, out);
    }

    fn is_below(key: &EdgeKey, bound: &[u8], _: &mut Vec<u8>) -> bool {
        is_edge_below(key, bound)
    }

    fn items(leaf: &PageGuard) -> Items<EdgeKey, StoredData> {
        block_items(leaf)
    }

    fn stored(value: &EdgeData) -> StoredData {
        if value.0.is_none() {
            StoredData::Empty
        } else {
            StoredData::Memory(value.clone())
        }
    }

    fn store(value: &EdgeData, writer: &mut PageWriter<'_>) -> Result<StoredData> {
        if value.bytes().len() > max_inline(writer.page_size()) {
            return Ok(StoredData::Blob(writer.write_blob(value.bytes())?));
        }
        Ok(Out::stored(value))
    }

    fn blob(stored: &StoredData) -> Option<BlobRef> {
        stored.inline().err()
    }
}

macro_rules! keys_only {
    ($space:ident) => {
        impl Space for $space {
            const SPACE: KeySpace = KeySpace::$space;
            type Key = EdgeKey;
            type Value = ();
            type Stored = ();
            type Builder = BlockLeaf<()>;

            fn encode_key(key: &EdgeKey, out: &mut Vec<u8>) {
                encode_edge(key, out);
            }

            fn is_below(key: &EdgeKey, bound: &[u8], _: &mut Vec<u8>) -> bool {
                is_edge_below(key, bound)
            }

            fn items(leaf: &PageGuard) -> Items<EdgeKey, ()> {
                block_items(leaf)
            }

            fn stored(_: &()) {}

            fn store(_: &(), _: &mut PageWriter<'_>) -> Result<()> {
                Ok(())
            }

            fn blob(_: &()) -> Option<BlobRef> {
                None
            }
        }
    };
}

keys_only!(In);
keys_only!(Kinds);

/// One node's cell in one leaf.
pub(crate) struct EdgeCell {
    pub(crate) leaf: PageGuard,
    pub(crate) range: Range<usize>,
}

impl EdgeCell {
    /// The block, read where it stands.
    pub(crate) fn block(&self) -> std::result::Result<EdgeBlock<'_>, FormatError> {
        EdgeBlock::parse(self.leaf.bytes(), self.range.clone())
    }

    /// The data of every edge of the block.
    pub(crate) fn all_data(&self) -> std::result::Result<Vec<StoredData>, FormatError> {
        let block = self.block()?;
        block
            .data_iter()?
            .map(|data| Ok(StoredData::of(&self.leaf, data?)))
            .collect()
    }

    /// The data of edge `i` of the block.
    pub(crate) fn data(&self, i: usize) -> std::result::Result<StoredData, FormatError> {
        Ok(StoredData::of(&self.leaf, self.block()?.data(i)?))
    }
}

/// The cells of one node, in order: one in each leaf that its edges span.
pub(crate) struct EdgeCells<'a, P> {
    pages: &'a P,
    space: KeySpace,
    root: Root,
    from: EdgeKey,
    /// Where the leaf after the first is looked for; most nodes have none.
    descent: Option<Descent<'a, P>>,
    ahead: Option<EdgeCell>,
    done: bool,
}

impl<'a, P: Pages> EdgeCells<'a, P> {
    /// From the cell that holds `from`, or would, on.
    #[inline]
    pub(crate) fn from(
        pages: &'a P,
        space: KeySpace,
        root: Root,
        from: &EdgeKey,
    ) -> Result<EdgeCells<'a, P>> {
        let mut cells = EdgeCells {
            pages,
            space,
            root,
            from: *from,
            descent: None,
            ahead: None,
            done: root.page.is_none(),
        };
        if !cells.done {
            match leaf(pages, root, space, &edge_key(from))? {
                Some(leaf) => cells.take(leaf),
                None => cells.done = true,
            }
        }
        Ok(cells)
    }

    /// Looks into a leaf.
    fn take(&mut self, leaf: PageGuard) {
        let Some(view) = leaf.sorted() else { return };
        if let Some(slot) = view.find_u48(self.from.node) {
            let range = view.value_range(slot);
            // A cell that is not the leaf's last ends within the leaf.
            self.done = slot + 1 < view.len();
            self.ahead = Some(EdgeCell { leaf, range });
            return;
        }
        // The separator may be less than every key of the leaf after it, so the node may begin there.
        let last = view.len().checked_sub(1).map(|last| view.key_u48(last));
        self.done = last.is_some_and(|last| last > self.from.node);
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<EdgeCell>> {
        loop {
            if let Some(cell) = self.ahead.take() {
                return Ok(Some(cell));
            }
            if self.done {
                return Ok(None);
            }
            self.advance()?;
        }
    }

    /// Looks into the next leaf, if it can hold edges of the node.
    fn advance(&mut self) -> Result<()> {
        self.done = true;
        let descent = match &mut self.descent {
            Some(descent) => descent,
            None => {
                let mut descent = Descent::new(self.pages, self.space, self.root, 0);
                descent.seek(&edge_key(&self.from))?;
                self.descent.insert(descent)
            }
        };
        // Its separator begins with the node, or is less.
        let Some(upper) = descent.upper() else {
            return Ok(());
        };
        let node = u48_be(self.from.node);
        let may = upper
            .get(..6)
            .map_or(upper[..] <= node[..], |head| head <= &node[..]);
        if may
            && descent.advance()?
            && let Some(leaf) = descent.page()?
        {
            self.done = false;
            self.take(leaf);
        }
        Ok(())
    }
}
