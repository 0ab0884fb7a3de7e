//! Labels and peers packed together: most blocks. A number is the label above the peer, so that
//! numbers sort like edges, and any of them is found without reading those before it.

use std::ops::{ControlFlow, Range};

use super::packed::{self, Packed, packed_len, width_of};
use super::{BlockEdge, FLAG_JOINED, PEER_BITS};
use crate::format::{FormatError, Result, ensure};

/// Bytes before the numbers: flags with the labels' width, and the peers' width.
const HEADER_LEN: usize = 2;
/// The labels' width stands above the flags.
const LABEL_SHIFT: u32 = 4;
/// Least bits of a number: fewer would leave open how many a cell holds.
const LEAST_BITS: u32 = 8;
/// Most bits of a number: one that begins within a byte is still loaded at once.
const MOST_BITS: u32 = 56;

/// Bits of each label and each peer of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Widths {
    label: u32,
    peer: u32,
}

impl Widths {
    /// The least for these greatest numbers, if they may be packed together.
    pub(super) fn of(max_label: u16, max_peer: u64) -> Option<Widths> {
        let label = width_of(max_label.into());
        let peer = width_of(max_peer).max(LEAST_BITS.saturating_sub(label));
        let widths = Widths { label, peer };
        (label < 16 && widths.both() <= MOST_BITS).then_some(widths)
    }

    fn both(self) -> u32 {
        self.label + self.peer
    }

    /// Bytes of a block of this many edges.
    pub(super) fn size(self, count: usize) -> usize {
        HEADER_LEN + packed_len(count, self.both())
    }

    /// Appends a block.
    pub(super) fn put(self, out: &mut Vec<u8>, edges: &[BlockEdge]) {
        out.push((self.label as u8) << LABEL_SHIFT | FLAG_JOINED);
        out.push(self.peer as u8);
        let number = |edge: &BlockEdge| u64::from(edge.label) << self.peer | edge.peer;
        packed::put(out, self.both(), edges.iter().map(number));
    }
}

/// Where the numbers of a block are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joined {
    widths: Widths,
    start: usize,
    end: usize,
    count: usize,
}

impl Joined {
    /// Reads the header of the block that fills `cell`, and checks that its numbers do.
    #[inline]
    pub(super) fn parse(page: &[u8], cell: Range<usize>) -> Result<Joined> {
        let (start, end) = (cell.start + HEADER_LEN, cell.end);
        let Some([flags, peer, numbers @ ..]) = page.get(cell) else {
            return Err(FormatError("bytes end too early"));
        };
        let known = FLAG_JOINED | 0xf << LABEL_SHIFT;
        ensure(flags & !known == 0, "reserved block flag is set")?;
        let (label, peer) = (u32::from(flags >> LABEL_SHIFT), u32::from(*peer));
        let widths = Widths { label, peer };
        let both = widths.both();
        ensure(
            peer <= PEER_BITS && (LEAST_BITS..=MOST_BITS).contains(&both),
            "numbers of a block have no legal width",
        )?;
        // Eight bits or more each: the bytes hold one count only.
        // Dividing 32 bits takes half as long as 64, and a page has far less than 2^29 bytes.
        let count = (numbers.len() as u32 * 8 / both) as usize;
        ensure(count > 0, "a block has no edges")?;
        ensure(
            packed_len(count, both) == numbers.len(),
            "bytes left over after a block",
        )?;
        Ok(Joined {
            widths,
            start,
            end,
            count,
        })
    }

    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    #[inline]
    fn numbers<'p>(&self, page: &'p [u8]) -> Packed<'p> {
        // Parsing has proved that they lie within the cell.
        Packed::within(page, self.start, self.widths.both())
    }

    /// Decodes the edges from `start` on, as many as `out` takes; they exist.
    pub(super) fn fill(&self, page: &[u8], start: usize, out: &mut [BlockEdge]) -> Result<()> {
        debug_assert!(self.end <= page.len(), "parsed in another page");
        let numbers = self.numbers(page);
        let Widths { peer: shift, .. } = self.widths;
        let mask = (1 << shift) - 1;
        let (mut last, mut ascending) = (None, true);
        for (i, edge) in (start..).zip(out) {
            let number = numbers.get(i);
            ascending &= last < Some(number);
            last = Some(number);
            *edge = BlockEdge {
                label: (number >> shift) as u16,
                peer: number & mask,
                ordinal: 0,
            };
        }
        ensure(ascending, "edges of a block do not ascend")
    }

    /// The indexes of the edges with this label, if there are any. Numbers ascend, so halving finds both ends.
    pub(super) fn label_range(&self, page: &[u8], label: u16) -> Option<Range<usize>> {
        let numbers = self.numbers(page);
        let (label, shift) = (u64::from(label), self.widths.peer);
        let from = |label: u64, start: usize| {
            let (mut low, mut high) = (start, self.count);
            while low < high {
                let middle = low + (high - low) / 2;
                if numbers.get(middle) >> shift < label {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            low
        };
        let start = from(label, 0);
        let end = from(label + 1, start);
        (start < end).then_some(start..end)
    }

    /// The label of edge `start` and the edges that have it from there on; `None` at the end.
    pub(super) fn label_run(&self, page: &[u8], start: usize) -> Option<(u16, Range<usize>)> {
        if start >= self.count {
            return None;
        }
        let numbers = self.numbers(page);
        let label = |i| numbers.get(i) >> self.widths.peer;
        let this = label(start);
        let rest = start + 1..self.count;
        let end = rest.clone().find(|i| label(*i) != this);
        Some((this as u16, start..end.unwrap_or(self.count)))
    }

    /// Appends the peers of the edges with these indexes; they exist.
    pub(super) fn peers_into(&self, page: &[u8], range: Range<usize>, out: &mut Vec<u64>) {
        let numbers = self.numbers(page);
        let mask = (1 << self.widths.peer) - 1;
        out.extend(range.map(|i| numbers.get(i) & mask));
    }

    /// Tells label and peer of the edges with these indexes, until told to stop; they exist.
    #[inline]
    pub(crate) fn visit<B>(
        &self,
        page: &[u8],
        range: Range<usize>,
        mut see: impl FnMut(u16, u64) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let numbers = self.numbers(page);
        let shift = self.widths.peer;
        let mask = (1 << shift) - 1;
        let width = self.widths.both() as usize;
        let mut bit = range.start * width;
        for _ in range {
            let number = numbers.at_bit(bit);
            bit += width;
            see((number >> shift) as u16, number & mask)?;
        }
        ControlFlow::Continue(())
    }

    #[inline]
    pub(crate) fn peers<'p>(&self, page: &'p [u8]) -> JoinedPeers<'p> {
        JoinedPeers {
            numbers: self.numbers(page),
            mask: (1 << self.widths.peer) - 1,
            next: 0,
            count: self.count,
        }
    }
}

/// The peers of a block, read one at a time where they stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct JoinedPeers<'p> {
    numbers: Packed<'p>,
    mask: u64,
    next: usize,
    count: usize,
}

impl JoinedPeers<'_> {
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<u64> {
        if self.next >= self.count {
            return None;
        }
        let number = self.numbers.get(self.next);
        self.next += 1;
        Some(number & self.mask)
    }
}
