//! Writing edge blocks, with a size that is known before every step.

use super::joined::Widths;
use super::packed::{self, packed_len, width_of};
use super::{BlockEdge, CHUNK_HEADER_LEN, CHUNK_LEN, FLAG_DATA, FLAG_DELTA, FLAG_ORDINALS, Run};
use crate::format::bytes::put_u48;
use crate::format::node::Data;
use crate::format::varint;

/// Collects ascending edges of one node and encodes them as a block.
#[derive(Clone, Debug, Default)]
pub struct EdgeBlockBuilder {
    edges: Vec<BlockEdge>,
    /// For each edge its data's length × 2 + blob.
    data_tags: Vec<u64>,
    data: Vec<u8>,
    sums: Sums,
}

/// What the encoded size depends on. Small and `Copy`, so that "what if" is to add and look.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: usize,
    last: BlockEdge,
    /// The runs, and in delta packing the chunks, before the current ones.
    runs: usize,
    chunks: usize,
    run_len: usize,
    chunk_len: usize,
    max_difference: u64,
    max_peer: u64,
    max_ordinal: u32,
    data_tags: usize,
    data: usize,
}

impl Sums {
    fn add(&mut self, edge: BlockEdge, stored_len: usize) {
        let new_run = self.count == 0 || edge.label != self.last.label;
        if new_run && self.count > 0 {
            self.runs += Run::encoded_len(self.last.label, self.run_len);
            self.run_len = 0;
        }
        if new_run || self.chunk_len == CHUNK_LEN {
            self.chunks += self.chunk_size();
            (self.chunk_len, self.max_difference) = (0, 0);
        } else {
            self.max_difference = self.max_difference.max(edge.peer - self.last.peer);
        }
        self.count += 1;
        self.run_len += 1;
        self.chunk_len += 1;
        self.max_peer = self.max_peer.max(edge.peer);
        self.max_ordinal = self.max_ordinal.max(edge.ordinal);
        // Whether the data is a blob is the lowest bit, which never adds a byte.
        self.data_tags += varint::len(2 * stored_len as u64);
        self.data += stored_len;
        self.last = edge;
    }

    /// The current chunk's size; nothing if there is none.
    fn chunk_size(&self) -> usize {
        match self.chunk_len {
            0 => 0,
            len => CHUNK_HEADER_LEN + packed_len(len - 1, width_of(self.max_difference)),
        }
    }

    fn absolute(&self) -> usize {
        1 + packed_len(self.count, width_of(self.max_peer))
    }

    fn delta(&self) -> usize {
        self.chunks + self.chunk_size()
    }

    fn size(&self) -> usize {
        let split = self.split();
        self.joined().map_or(split, |(_, size)| size.min(split))
    }

    /// Labels and peers together, where that is possible, with the block's size then. The last label
    /// is the greatest.
    fn joined(&self) -> Option<(Widths, usize)> {
        if self.max_ordinal > 0 || self.data > 0 {
            return None;
        }
        let widths = Widths::of(self.last.label, self.max_peer)?;
        Some((widths, widths.size(self.count)))
    }

    /// A bound of the size with one edge more, which is greater than the others: found at once.
    #[inline]
    fn at_most_with(&self, edge: BlockEdge, stored_len: usize) -> usize {
        if self.max_ordinal > 0 || edge.ordinal > 0 || self.data + stored_len > 0 {
            return usize::MAX;
        }
        let widths = Widths::of(edge.label, self.max_peer.max(edge.peer));
        widths.map_or(usize::MAX, |widths| widths.size(self.count + 1))
    }

    /// The size of a block whose labels stand before its peers.
    fn split(&self) -> usize {
        if self.count == 0 {
            return 0;
        }
        let runs = self.runs + Run::encoded_len(self.last.label, self.run_len);
        let ordinals = match self.max_ordinal {
            0 => 0,
            max => 1 + packed_len(self.count, width_of(u64::from(max))),
        };
        let data = if self.data == 0 {
            0
        } else {
            self.data_tags + self.data
        };
        let peers = self.absolute().min(self.delta());
        1 + varint::len(self.count as u64) + runs + peers + ordinals + data
    }
}

impl EdgeBlockBuilder {
    /// An empty builder.
    pub fn new() -> EdgeBlockBuilder {
        EdgeBlockBuilder::default()
    }

    /// An empty builder with memory for so many edges.
    pub fn with_capacity(edges: usize) -> EdgeBlockBuilder {
        EdgeBlockBuilder {
            edges: Vec::with_capacity(edges),
            data_tags: Vec::with_capacity(edges),
            ..EdgeBlockBuilder::default()
        }
    }

    /// Edges so far.
    pub fn len(&self) -> usize {
        self.edges.len()
    }

    /// Whether there are no edges; then there is no block either.
    pub fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    /// The greatest edge so far.
    pub fn last(&self) -> Option<BlockEdge> {
        self.edges.last().copied()
    }

    /// The exact size in bytes of the block as it stands; 0 without edges.
    pub fn size(&self) -> usize {
        self.sums.size()
    }

    /// The exact size if `edge` were pushed with data that takes `stored_len` bytes in the cell.
    pub fn size_with(&self, edge: BlockEdge, stored_len: usize) -> usize {
        let mut sums = self.sums;
        sums.add(edge, stored_len);
        sums.size()
    }

    /// Adds an edge, which must be greater than the last.
    pub fn push(&mut self, edge: BlockEdge, data: Data<'_>) {
        self.push_within(edge, data, usize::MAX);
    }

    /// The same, unless the block would take more bytes than this: then nothing changes and the answer
    /// is no.
    #[inline]
    pub(crate) fn push_within(&mut self, edge: BlockEdge, data: Data<'_>, room: usize) -> bool {
        debug_assert!(self.last() < Some(edge), "edges must ascend");
        let stored_len = data.stored_len();
        // The exact size takes longer to find, and matters only near the page's end.
        if self.sums.at_most_with(edge, stored_len) <= room {
            self.sums.add(edge, stored_len);
        } else {
            let mut sums = self.sums;
            sums.add(edge, stored_len);
            if sums.size() > room {
                return false;
            }
            self.sums = sums;
        }
        self.edges.push(edge);
        self.data_tags
            .push(2 * stored_len as u64 + u64::from(data.is_blob()));
        data.put(&mut self.data);
        true
    }

    /// Appends the block. The builder keeps its edges.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Some(last) = self.last() else {
            return;
        };
        let before = out.len();
        if let Some((widths, size)) = self.sums.joined()
            && size <= self.sums.split()
        {
            widths.put(out, &self.edges);
            debug_assert!(
                out.len() - before == self.size(),
                "block size was computed wrongly"
            );
            return;
        }
        let delta = self.sums.delta() < self.sums.absolute();
        let ordinals = self.sums.max_ordinal > 0;
        let data = self.sums.data > 0;
        let flag = |set, flag| if set { flag } else { 0 };
        out.push(flag(ordinals, FLAG_ORDINALS) | flag(data, FLAG_DATA) | flag(delta, FLAG_DELTA));
        varint::put(out, self.edges.len() as u64);
        for run in self.runs() {
            let label = run.first().unwrap_or(&last).label;
            Run {
                label,
                len: run.len(),
            }
            .put(out);
        }
        if delta {
            self.runs().for_each(|run| put_chunks(out, run));
        } else {
            put_group(
                out,
                self.sums.max_peer,
                self.edges.iter().map(|edge| edge.peer),
            );
        }
        if ordinals {
            let numbers = self.edges.iter().map(|edge| u64::from(edge.ordinal));
            put_group(out, u64::from(self.sums.max_ordinal), numbers);
        }
        if data {
            for tag in &self.data_tags {
                varint::put(out, *tag);
            }
            out.extend_from_slice(&self.data);
        }
        debug_assert!(
            out.len() - before == self.size(),
            "block size was computed wrongly"
        );
    }

    /// Forgets every edge and keeps the memory.
    pub fn clear(&mut self) {
        self.edges.clear();
        self.data_tags.clear();
        self.data.clear();
        self.sums = Sums::default();
    }

    fn runs(&self) -> impl Iterator<Item = &[BlockEdge]> {
        self.edges.chunk_by(|a, b| a.label == b.label)
    }
}

fn put_group(out: &mut Vec<u8>, max: u64, numbers: impl Iterator<Item = u64>) {
    let width = width_of(max);
    out.push(width as u8);
    packed::put(out, width, numbers);
}

fn put_chunks(out: &mut Vec<u8>, run: &[BlockEdge]) {
    for chunk in run.chunks(CHUNK_LEN) {
        let differences = chunk
            .iter()
            .zip(chunk.iter().skip(1))
            .map(|(a, b)| b.peer - a.peer);
        put_u48(out, chunk.first().map_or(0, |edge| edge.peer));
        put_group(out, differences.clone().max().unwrap_or(0), differences);
    }
}
