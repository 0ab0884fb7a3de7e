//! Edge blocks: a run of one node's edges in (label, peer, ordinal) order, packed by bits.
//!
//! A block is read where it stands in its page. Numbers are loaded eight bytes at a time, which may run
//! past the cell but not past the page: the page's checksum follows the last cell.

mod build;
mod data;
mod decode;
mod joined;
mod packed;
#[cfg(test)]
mod tests;
mod visit;

pub use build::EdgeBlockBuilder;
pub use data::EdgeDataIter;
pub use decode::EdgeBlock;
pub(crate) use joined::{Joined, JoinedPeers};

use super::{FormatError, Reader, Result, ensure, varint};

const FLAG_ORDINALS: u8 = 1;
const FLAG_DATA: u8 = 2;
const FLAG_DELTA: u8 = 4;
const FLAG_JOINED: u8 = 8;

/// Edges in a full chunk of delta packing.
const CHUNK_LEN: usize = 128;
/// Bytes of a chunk before its differences: the first peer and their width.
const CHUNK_HEADER_LEN: usize = 7;
/// Widths that peers and ordinals may have.
const PEER_BITS: u32 = 48;
const ORDINAL_BITS: u32 = 32;

/// One edge as its node sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockEdge {
    /// The edge's label.
    pub label: u16,
    /// The node at the other end.
    pub peer: u64,
    /// Tells parallel edges apart.
    pub ordinal: u32,
}

/// Consecutive edges of one label.
#[derive(Clone, Copy, Debug)]
struct Run {
    label: u16,
    len: usize,
}

impl Run {
    /// Label and length share a byte; what does not fit four bits follows it.
    fn encoded_len(label: u16, len: usize) -> usize {
        let label = if label < 15 {
            0
        } else {
            varint::len(u64::from(label) - 15)
        };
        let count = if len < 16 {
            0
        } else {
            varint::len(len as u64 - 16)
        };
        1 + label + count
    }

    fn put(&self, out: &mut Vec<u8>) {
        let label = self.label.min(15) as u8;
        let len = if self.len < 16 { self.len as u8 } else { 0 };
        out.push(label << 4 | len);
        if label == 15 {
            varint::put(out, u64::from(self.label) - 15);
        }
        if len == 0 {
            varint::put(out, (self.len as u64).saturating_sub(16));
        }
    }

    /// A run that takes more than one byte, and the offset after it. `at` is after that byte.
    #[cold]
    fn read_long(cell: &[u8], at: usize, short: Run) -> Result<(Run, usize)> {
        let (mut label, mut len) = (u64::from(short.label), short.len as u64);
        let mut r = Reader::new(cell.get(at..).unwrap_or_default());
        if label == 15 {
            label += r.varint_to(u64::from(u16::MAX) - 15, "edge label out of range")?;
        }
        if len == 0 {
            // A block has fewer edges than its page has bits.
            len = 16 + r.varint_to(u64::from(u32::MAX), "label run too long")?;
        }
        Ok((
            Run {
                label: label as u16,
                len: len as usize,
            },
            at + r.position(),
        ))
    }
}

/// The runs of a block, in order, until their lengths add up to its count.
#[derive(Clone, Debug)]
struct Runs<'p> {
    cell: &'p [u8],
    at: usize,
    left: usize,
    /// Labels must be at least this.
    least: u32,
}

impl<'p> Runs<'p> {
    #[inline]
    fn new(cell: &'p [u8], at: usize, count: usize) -> Runs<'p> {
        Runs {
            cell,
            at,
            left: count,
            least: 0,
        }
    }

    #[inline]
    fn step(&mut self) -> Result<Option<Run>> {
        if self.left == 0 {
            return Ok(None);
        }
        let byte = *self
            .cell
            .get(self.at)
            .ok_or(FormatError("bytes end too early"))?;
        let mut run = Run {
            label: u16::from(byte >> 4),
            len: usize::from(byte & 15),
        };
        let mut at = self.at + 1;
        if run.label == 15 || run.len == 0 {
            (run, at) = Run::read_long(self.cell, at, run)?;
        }
        ensure(
            self.least <= run.label.into(),
            "labels of a block do not ascend",
        )?;
        ensure(run.len <= self.left, "label runs exceed the block's count")?;
        self.left -= run.len;
        self.least = u32::from(run.label) + 1;
        self.at = at;
        Ok(Some(run))
    }
}
