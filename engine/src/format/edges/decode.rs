//! Reading edge blocks.

use std::ops::{ControlFlow, Range};

use super::joined::Joined;
use super::packed::{Packed, width};
use super::{
    BlockEdge, CHUNK_HEADER_LEN, CHUNK_LEN, EdgeBlockBuilder, EdgeDataIter, FLAG_DATA, FLAG_DELTA,
    FLAG_JOINED, FLAG_ORDINALS, ORDINAL_BITS, PEER_BITS, Runs,
};
use crate::format::bytes::u48_at;
use crate::format::node::Data;
use crate::format::{FormatError, Reader, Result, ensure};
use crate::ids::MAX_U48;

/// A block whose parts are known to lie within its cell.
#[derive(Clone, Copy, Debug)]
pub struct EdgeBlock<'p> {
    pub(super) page: &'p [u8],
    /// The cell in the page.
    start: usize,
    end: usize,
    pub(super) count: usize,
    /// Where the parts begin in the page: label runs, and then what `peers` says.
    runs: usize,
    pub(super) peers: Peers,
    ordinals: Option<Group>,
    /// The lengths of the edges' data, then the data.
    data: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Peers {
    Absolute(Group),
    /// Offset of the first chunk.
    Delta(usize),
    Joined(Joined),
}

/// Packed numbers at this offset in the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    at: usize,
    width: u32,
}

impl Group {
    /// Reads a width and finds the end of `count` numbers of it.
    #[inline]
    fn read(page: &[u8], within: Range<usize>, count: usize, max: u32) -> Result<(Group, usize)> {
        let bits = page.get(within.start).filter(|_| within.start < within.end);
        let width = width(*bits.ok_or(FormatError("bytes end too early"))?, max)?;
        let at = within.start + 1;
        let (_, after) = Packed::new(page, at..within.end, count, width)?;
        Ok((Group { at, width }, after))
    }
}

/// Up to 128 edges of one label: the first peer, then differences.
pub(super) struct Chunk<'p> {
    pub(super) label: u16,
    /// Indexes of its edges in the block.
    pub(super) range: Range<usize>,
    pub(super) first: u64,
    pub(super) differences: Packed<'p>,
}

impl<'p> EdgeBlock<'p> {
    /// Reads the block that fills `range` of `page`. What follows the block in the page is never part of
    /// a result, but a page without at least eight more bytes is read more slowly.
    #[inline(always)]
    pub fn parse(page: &'p [u8], range: Range<usize>) -> Result<EdgeBlock<'p>> {
        let (start, end) = (range.start, range.end);
        let cell = page
            .get(range)
            .ok_or(FormatError("cell outside its page"))?;
        let mut r = Reader::new(cell);
        let flags = r.u8()?;
        if flags & FLAG_JOINED != 0 {
            return EdgeBlock::parse_joined(page, start..end);
        }
        let known = FLAG_ORDINALS | FLAG_DATA | FLAG_DELTA;
        ensure(flags & !known == 0, "reserved block flag is set")?;
        // Edges differ, so each takes a bit at least: in its peer, its ordinal or its label run. Decoding
        // allocates by this count.
        let bits = 8 * cell.len() as u64;
        let count = r.varint_to(bits, "a block has more edges than bits")? as usize;
        ensure(count > 0, "a block has no edges")?;
        let runs = start + r.position();
        let mut labels = Runs::new(cell, r.position(), count);
        while labels.step()?.is_some() {}
        let at = start + labels.at;
        if flags != 0 {
            return EdgeBlock::parse_parts(page, start..end, flags, count, runs, at);
        }
        let (group, after) = Group::read(page, at..end, count, PEER_BITS)?;
        ensure(after == end, "bytes left over after a block")?;
        let peers = Peers::Absolute(group);
        Ok(EdgeBlock {
            page,
            start,
            end,
            count,
            runs,
            peers,
            ordinals: None,
            data: None,
        })
    }

    #[inline]
    fn parse_joined(page: &'p [u8], cell: Range<usize>) -> Result<EdgeBlock<'p>> {
        let Range { start, end } = cell;
        let joined = Joined::parse(page, start..end)?;
        Ok(EdgeBlock {
            page,
            start,
            end,
            count: joined.count(),
            runs: start,
            peers: Peers::Joined(joined),
            ordinals: None,
            data: None,
        })
    }

    /// The rest of [`EdgeBlock::parse`] for a block that has more than absolute peers.
    fn parse_parts(
        page: &'p [u8],
        cell: Range<usize>,
        flags: u8,
        count: usize,
        runs: usize,
        mut at: usize,
    ) -> Result<EdgeBlock<'p>> {
        let Range { start, end } = cell;
        let peers = Peers::Delta(at);
        let mut block = EdgeBlock {
            page,
            start,
            end,
            count,
            runs,
            peers,
            ordinals: None,
            data: None,
        };
        if flags & FLAG_DELTA == 0 {
            let (group, after) = Group::read(page, at..end, count, PEER_BITS)?;
            block.peers = Peers::Absolute(group);
            at = after;
        } else {
            let mut chunks = block.chunks(at);
            while chunks.step()?.is_some() {}
            at = chunks.at;
        }
        if flags & FLAG_ORDINALS != 0 {
            let (group, after) = Group::read(page, at..end, count, ORDINAL_BITS)?;
            block.ordinals = Some(group);
            at = after;
        }
        if flags & FLAG_DATA != 0 {
            block.data = Some(at);
        } else {
            ensure(at == end, "bytes left over after a block")?;
        }
        Ok(block)
    }

    #[inline]
    pub(super) fn packed(&self, group: Group) -> Result<Packed<'p>> {
        Ok(Packed::new(self.page, group.at..self.end, self.count, group.width)?.0)
    }

    /// Edges in the block, at least 1.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "no block is empty")]
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

    /// Whether labels and peers are packed together.
    pub fn is_joined(&self) -> bool {
        matches!(self.peers, Peers::Joined(_))
    }

    /// The indexes of the edges with this label, if there are any.
    pub fn label_range(&self, label: u16) -> Option<Range<usize>> {
        if let Peers::Joined(joined) = self.peers {
            return joined.label_range(self.page, label);
        }
        let (found, range) = self.labels().find(|(other, _)| *other >= label)?;
        (found == label).then_some(range)
    }

    /// The labels in the block, ascending, with the indexes of their edges.
    #[inline]
    pub fn labels(&self) -> impl Iterator<Item = (u16, Range<usize>)> + use<'p> {
        let mut runs = self.label_runs();
        let mut start = 0;
        let page = self.page;
        let joined = match self.peers {
            Peers::Joined(joined) => Some(joined),
            Peers::Absolute(_) | Peers::Delta(_) => None,
        };
        std::iter::from_fn(move || {
            if let Some(joined) = joined {
                let range = joined.label_run(page, start)?;
                start = range.1.end;
                return Some(range);
            }
            // The runs were read to their end before the block was handed out.
            let run = runs.step().ok().flatten()?;
            let range = start..start + run.len;
            start = range.end;
            Some((run.label, range))
        })
    }

    #[inline]
    fn label_runs(&self) -> Runs<'p> {
        Runs::new(self.page, self.runs, self.count)
    }

    /// Appends every edge to `out`.
    #[inline]
    pub fn decode_into(&self, out: &mut Vec<BlockEdge>) -> Result<()> {
        self.decode_range(0..self.count, out)
    }

    /// Appends the edges with these indexes to `out`, or nothing if there is an error.
    #[inline]
    pub fn decode_range(&self, range: Range<usize>, out: &mut Vec<BlockEdge>) -> Result<()> {
        ensure(range.end <= self.count, "no such edge in the block")?;
        let before = out.len();
        out.resize(before + range.len(), BlockEdge::default());
        let filled = self.fill(range.start, out.get_mut(before..).unwrap_or_default());
        if filled.is_err() {
            out.truncate(before);
        }
        filled
    }

    /// Edge `i`.
    pub fn get(&self, i: usize) -> Result<BlockEdge> {
        ensure(i < self.count, "no such edge in the block")?;
        let mut one = [BlockEdge::default()];
        self.fill(i, &mut one)?;
        let [edge] = one;
        Ok(edge)
    }

    /// Decodes the edges from `start` on, as many as `out` takes; they exist.
    fn fill(&self, start: usize, out: &mut [BlockEdge]) -> Result<()> {
        match self.peers {
            Peers::Absolute(group) => self.fill_absolute(self.packed(group)?, start, out),
            Peers::Delta(at) => self.fill_delta(at, start, out)?,
            Peers::Joined(joined) => joined.fill(self.page, start, out)?,
        }
        if let Some(group) = self.ordinals {
            let ordinals = self.packed(group)?;
            for (i, edge) in (start..).zip(out) {
                edge.ordinal = ordinals.get(i) as u32;
            }
        }
        Ok(())
    }

    #[inline]
    fn fill_absolute(&self, peers: Packed<'p>, start: usize, mut out: &mut [BlockEdge]) {
        let mut at = start;
        for (label, run) in self.labels() {
            if run.end <= start {
                continue;
            }
            let len = (run.end - at).min(out.len());
            let Some((here, rest)) = std::mem::take(&mut out).split_at_mut_checked(len) else {
                return;
            };
            for (i, edge) in (at..).zip(here) {
                *edge = BlockEdge {
                    label,
                    peer: peers.get(i),
                    ordinal: 0,
                };
            }
            if rest.is_empty() {
                return;
            }
            (at, out) = (run.end, rest);
        }
    }

    /// Appends the peers of the edges with these indexes, or nothing if there is an error.
    pub(crate) fn peers_into(&self, range: Range<usize>, out: &mut Vec<u64>) -> Result<()> {
        ensure(range.end <= self.count, "no such edge in the block")?;
        match self.peers {
            Peers::Joined(joined) => joined.peers_into(self.page, range, out),
            Peers::Absolute(group) => {
                let peers = self.packed(group)?;
                out.extend(range.map(|i| peers.get(i)));
            }
            Peers::Delta(at) => {
                let before = out.len();
                let read = self.delta_peers(at, range, out);
                if read.is_err() {
                    out.truncate(before);
                }
                return read;
            }
        }
        Ok(())
    }

    fn delta_peers(&self, at: usize, range: Range<usize>, out: &mut Vec<u64>) -> Result<()> {
        let mut chunks = self.chunks(at);
        while let Some(chunk) = chunks.step()? {
            if chunk.range.start >= range.end {
                break;
            }
            if chunk.range.end <= range.start {
                continue;
            }
            let (start, end) = (chunk.range.start, chunk.range.end.min(range.end));
            let skipped = range.start.saturating_sub(start);
            let mut peer = chunk.first;
            if skipped == 0 {
                out.push(peer);
            }
            out.reserve(end - start - skipped);
            let mut at = 1;
            let _ = chunk.differences.each(0..end - start - 1, |step| {
                peer += step;
                if at >= skipped {
                    out.push(peer);
                }
                at += 1;
                ControlFlow::<()>::Continue(())
            });
            ensure(peer <= MAX_U48, "peer exceeds 48 bits")?;
        }
        Ok(())
    }

    fn fill_delta(&self, at: usize, start: usize, mut out: &mut [BlockEdge]) -> Result<()> {
        let mut chunks = self.chunks(at);
        while let Some(chunk) = chunks.step()? {
            if chunk.range.end <= start {
                continue;
            }
            let Chunk {
                label,
                first,
                differences,
                range,
            } = chunk;
            let skipped = start.saturating_sub(range.start);
            let len = (range.len() - skipped).min(out.len());
            let Some((here, rest)) = std::mem::take(&mut out).split_at_mut_checked(len) else {
                break;
            };
            // 127 differences of 48 bits add up to less than 55 bits.
            let mut peer = first + (0..skipped).map(|i| differences.get(i)).sum::<u64>();
            let mut edges = here.iter_mut();
            if let Some(edge) = edges.next() {
                *edge = BlockEdge {
                    label,
                    peer,
                    ordinal: 0,
                };
            }
            for (i, edge) in (skipped..).zip(edges) {
                peer += differences.get(i);
                *edge = BlockEdge {
                    label,
                    peer,
                    ordinal: 0,
                };
            }
            ensure(peer <= MAX_U48, "peer exceeds 48 bits")?;
            if rest.is_empty() {
                break;
            }
            out = rest;
        }
        Ok(())
    }

    /// The block as one whose labels and peers are packed together, if it is such a one.
    #[inline]
    pub(crate) fn parse_if_joined(page: &'p [u8], cell: Range<usize>) -> Option<Result<Joined>> {
        let flags = *page.get(cell.clone())?.first()?;
        (flags & FLAG_JOINED != 0).then(|| Joined::parse(page, cell))
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
        self.data_iter()?
            .nth(i)
            .ok_or(FormatError("no such edge in the block"))?
    }

    /// The data of every edge, in order.
    pub fn data_iter(&self) -> Result<EdgeDataIter<'p>> {
        let section = self.data.and_then(|at| self.page.get(at..self.end));
        EdgeDataIter::new(section, self.count)
    }

    /// Checks what decoding does not: order, and that the block is written as its edges demand.
    pub fn check(&self) -> Result<()> {
        let mut edges = Vec::new();
        self.decode_into(&mut edges)?;
        ensure(
            edges.is_sorted_by(|a, b| a < b),
            "edges of a block do not ascend",
        )?;
        let mut again = EdgeBlockBuilder::with_capacity(edges.len());
        for (edge, data) in edges.iter().zip(self.data_iter()?) {
            ensure(edge.peer > 0, "an edge has no peer")?;
            again.push(*edge, data?);
        }
        let mut encoded = Vec::with_capacity(again.size());
        again.encode(&mut encoded);
        let stored = self.page.get(self.start..self.end);
        ensure(
            stored == Some(&encoded),
            "a block is not in its shortest form",
        )
    }

    pub(super) fn chunks(&self, at: usize) -> Chunks<'p> {
        let (page, end, runs) = (self.page, self.end, self.label_runs());
        Chunks {
            page,
            at,
            end,
            runs,
            label: 0,
            left: 0,
            index: 0,
        }
    }
}

/// The chunks of a block in delta packing.
pub(super) struct Chunks<'p> {
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
    pub(super) fn step(&mut self) -> Result<Option<Chunk<'p>>> {
        if self.left == 0 {
            let Some(run) = self.runs.step()? else {
                return Ok(None);
            };
            (self.label, self.left) = (run.label, run.len);
        }
        let len = self.left.min(CHUNK_LEN);
        let header = self
            .page
            .get(self.at..self.end)
            .and_then(|cell| cell.first_chunk());
        let [.., bits]: [u8; CHUNK_HEADER_LEN] =
            *header.ok_or(FormatError("packed numbers exceed their cell"))?;
        let first = u48_at(self.page, self.at);
        let numbers = self.at + CHUNK_HEADER_LEN..self.end;
        let (differences, at) = Packed::new(self.page, numbers, len - 1, width(bits, PEER_BITS)?)?;
        let range = self.index..self.index + len;
        (self.at, self.left, self.index) = (at, self.left - len, range.end);
        Ok(Some(Chunk {
            label: self.label,
            range,
            first,
            differences,
        }))
    }
}
