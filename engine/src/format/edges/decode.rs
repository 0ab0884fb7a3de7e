//! Reading edge blocks.

use std::ops::Range;

use super::packed::{Packed, width};
use super::{
    BlockEdge, CHUNK_HEADER_LEN, CHUNK_LEN, EdgeBlockBuilder, EdgeDataIter, FLAG_DATA, FLAG_DELTA,
    FLAG_ORDINALS, ORDINAL_BITS, PEER_BITS, Runs,
};
use crate::format::bytes::u48_at;
use crate::format::node::Data;
use crate::format::{FormatError, Reader, Result, ensure};
use crate::ids::MAX_U48;

/// A block whose parts are known to lie within its cell.
#[derive(Clone, Debug)]
pub struct EdgeBlock<'p> {
    page: &'p [u8],
    /// Where the cell ends in the page.
    end: usize,
    count: usize,
    runs: Runs<'p>,
    peers: Peers<'p>,
    ordinals: Option<Packed<'p>>,
    /// The lengths of the edges' data, then the data.
    data: Option<&'p [u8]>,
    start: usize,
}

#[derive(Clone, Copy, Debug)]
enum Peers<'p> {
    Absolute(Packed<'p>),
    /// Offset of the first chunk.
    Delta(usize),
}

/// Up to 128 edges of one label: the first peer, then differences.
struct Chunk<'p> {
    label: u16,
    /// Indexes of its edges in the block.
    range: Range<usize>,
    first: u64,
    differences: Packed<'p>,
}

impl<'p> EdgeBlock<'p> {
    /// Reads the block that fills `range` of `page`. What follows the block in the page is never part of
    /// a result, but a page without at least eight more bytes is read more slowly.
    pub fn parse(page: &'p [u8], range: Range<usize>) -> Result<EdgeBlock<'p>> {
        let cell = page.get(range.clone()).ok_or(FormatError("cell outside its page"))?;
        let mut r = Reader::new(cell);
        let flags = r.u8()?;
        let known = FLAG_ORDINALS | FLAG_DATA | FLAG_DELTA;
        ensure(flags & !known == 0, "reserved block flag is set")?;
        // Edges differ, so each takes a bit at least: in its peer, its ordinal or its label run. Decoding
        // allocates by this count.
        let bits = 8 * cell.len() as u64;
        let count = r.varint_to(bits, "a block has more edges than bits")? as usize;
        ensure(count > 0, "a block has no edges")?;
        let runs = Runs::new(r, count);
        let mut after = runs.clone();
        while after.step()?.is_some() {}
        let start = range.start;
        let mut at = start + after.r.position();
        let peers = if flags & FLAG_DELTA == 0 {
            let (packed, end) = group(page, at..range.end, count, PEER_BITS)?;
            at = end;
            Peers::Absolute(packed)
        } else {
            Peers::Delta(at)
        };
        let (ordinals, data) = (None, None);
        let mut block =
            EdgeBlock { page, end: range.end, count, runs, peers, ordinals, data, start };
        if let Some(mut chunks) = block.chunks() {
            while chunks.step()?.is_some() {}
            at = chunks.at;
        }
        if flags & FLAG_ORDINALS != 0 {
            let (packed, end) = group(page, at..range.end, count, ORDINAL_BITS)?;
            at = end;
            block.ordinals = Some(packed);
        }
        if flags & FLAG_DATA != 0 {
            block.data = Some(page.get(at..range.end).unwrap_or_default());
        } else {
            ensure(at == range.end, "bytes left over after a block")?;
        }
        Ok(block)
    }

    /// Edges in the block, at least 1.
    #[inline]
    #[allow(clippy::len_without_is_empty, reason = "no block is empty")]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether any edge has data.
    pub fn has_data(&self) -> bool {
        self.data.is_some()
    }

    /// Whether any ordinal is not 0.
    pub fn has_ordinals(&self) -> bool {
        self.ordinals.is_some()
    }

    /// Whether peers are packed as differences.
    pub fn is_delta(&self) -> bool {
        matches!(self.peers, Peers::Delta(_))
    }

    /// The indexes of the edges with this label, if there are any. Decodes no peer.
    pub fn label_range(&self, label: u16) -> Option<Range<usize>> {
        self.labels()
            .find(|(other, _)| *other >= label)
            .filter(|(other, _)| *other == label)
            .map(|found| found.1)
    }

    /// The labels in the block, ascending, with the indexes of their edges.
    pub fn labels(&self) -> impl Iterator<Item = (u16, Range<usize>)> + use<'p> {
        let mut runs = self.runs.clone();
        let mut start = 0;
        std::iter::from_fn(move || {
            // The runs were read to their end before the block was handed out.
            let run = runs.step().ok().flatten()?;
            let range = start..start + run.len;
            start = range.end;
            Some((run.label, range))
        })
    }

    /// Appends every edge to `out`.
    #[inline]
    pub fn decode_into(&self, out: &mut Vec<BlockEdge>) -> Result<()> {
        self.decode_range(0..self.count, out)
    }

    /// Appends the edges with these indexes to `out`.
    pub fn decode_range(&self, range: Range<usize>, out: &mut Vec<BlockEdge>) -> Result<()> {
        ensure(range.end <= self.count, "no such edge in the block")?;
        let before = out.len();
        out.reserve(range.len());
        match &self.peers {
            Peers::Absolute(packed) => self.decode_absolute(packed, &range, out),
            Peers::Delta(_) => self.decode_delta(&range, out)?,
        }
        if let Some(ordinals) = &self.ordinals {
            let decoded = out.get_mut(before..).unwrap_or_default();
            for (i, edge) in range.zip(decoded) {
                edge.ordinal = ordinals.get(i) as u32;
            }
        }
        Ok(())
    }

    #[inline]
    fn decode_absolute(&self, packed: &Packed<'p>, range: &Range<usize>, out: &mut Vec<BlockEdge>) {
        for (label, run) in self.labels() {
            if run.start >= range.end {
                break;
            }
            let wanted = run.start.max(range.start)..run.end.min(range.end);
            out.extend(wanted.map(|i| BlockEdge { label, peer: packed.get(i), ordinal: 0 }));
        }
    }

    fn decode_delta(&self, range: &Range<usize>, out: &mut Vec<BlockEdge>) -> Result<()> {
        let Some(mut chunks) = self.chunks() else {
            return Ok(());
        };
        while let Some(chunk) = chunks.step()? {
            if chunk.range.start >= range.end {
                break;
            }
            if chunk.range.end <= range.start {
                continue;
            }
            let Chunk { label, first, differences, .. } = chunk;
            let skipped = range.start.saturating_sub(chunk.range.start);
            let wanted = chunk.range.end.min(range.end) - chunk.range.start - skipped;
            // 127 differences of 48 bits add up to less than 55 bits.
            let mut peer = first + (0..skipped).map(|i| differences.get(i)).sum::<u64>();
            out.push(BlockEdge { label, peer, ordinal: 0 });
            out.extend((skipped..skipped + wanted - 1).map(|i| {
                peer += differences.get(i);
                BlockEdge { label, peer, ordinal: 0 }
            }));
            ensure(peer <= MAX_U48, "peer exceeds 48 bits")?;
        }
        Ok(())
    }

    /// Edge `i`.
    pub fn get(&self, i: usize) -> Result<BlockEdge> {
        let mut one = Vec::with_capacity(1);
        self.decode_range(i..i.saturating_add(1), &mut one)?;
        one.pop().ok_or(FormatError("no such edge in the block"))
    }

    /// The least edge.
    pub fn first(&self) -> Result<BlockEdge> {
        self.get(0)
    }

    /// The greatest edge.
    pub fn last(&self) -> Result<BlockEdge> {
        self.get(self.count - 1)
    }

    /// The data of edge `i`. Takes a step per edge of the block: use [`EdgeBlock::data_iter`] for many.
    pub fn data(&self, i: usize) -> Result<Data<'p>> {
        ensure(i < self.count, "no such edge in the block")?;
        self.data_iter()?.nth(i).ok_or(FormatError("no such edge in the block"))?
    }

    /// The data of every edge, in order.
    pub fn data_iter(&self) -> Result<EdgeDataIter<'p>> {
        EdgeDataIter::new(self.data, self.count)
    }

    /// Checks what decoding does not: order, and that the block is written as its edges demand.
    pub fn check(&self) -> Result<()> {
        let mut edges = Vec::new();
        self.decode_into(&mut edges)?;
        ensure(edges.is_sorted_by(|a, b| a < b), "edges of a block do not ascend")?;
        let mut again = EdgeBlockBuilder::new();
        for (edge, data) in edges.iter().zip(self.data_iter()?) {
            ensure(edge.peer > 0, "an edge has no peer")?;
            again.push(*edge, data?);
        }
        let mut encoded = Vec::new();
        again.encode(&mut encoded);
        let stored = self.page.get(self.start..self.end);
        ensure(stored == Some(&encoded), "a block is not in its shortest form")
    }

    fn chunks(&self) -> Option<Chunks<'p>> {
        let Peers::Delta(at) = self.peers else {
            return None;
        };
        let (page, end, runs) = (self.page, self.end, self.runs.clone());
        Some(Chunks { page, at, end, runs, label: 0, left: 0, index: 0 })
    }
}

/// Reads a width, then `count` numbers of it.
fn group(page: &[u8], within: Range<usize>, count: usize, max: u32) -> Result<(Packed<'_>, usize)> {
    let cell = page.get(within.clone()).unwrap_or_default();
    let width = width(Reader::new(cell).u8()?, max)?;
    Packed::new(page, within.start + 1..within.end, count, width)
}

/// The chunks of a block in delta packing.
struct Chunks<'p> {
    page: &'p [u8],
    at: usize,
    end: usize,
    runs: Runs<'p>,
    label: u16,
    /// Edges of the current run that no chunk has held yet.
    left: usize,
    index: usize,
}

impl<'p> Chunks<'p> {
    fn step(&mut self) -> Result<Option<Chunk<'p>>> {
        if self.left == 0 {
            let Some(run) = self.runs.step()? else {
                return Ok(None);
            };
            (self.label, self.left) = (run.label, run.len);
        }
        let len = self.left.min(CHUNK_LEN);
        let header = self.page.get(self.at..self.end).and_then(|cell| cell.first_chunk());
        let [.., bits]: [u8; CHUNK_HEADER_LEN] =
            *header.ok_or(FormatError("packed numbers exceed their cell"))?;
        let first = u48_at(self.page, self.at);
        let numbers = self.at + CHUNK_HEADER_LEN..self.end;
        let (differences, at) = Packed::new(self.page, numbers, len - 1, width(bits, PEER_BITS)?)?;
        let range = self.index..self.index + len;
        (self.at, self.left, self.index) = (at, self.left - len, range.end);
        Ok(Some(Chunk { label: self.label, range, first, differences }))
    }
}
