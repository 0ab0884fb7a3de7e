//! Numbers of a fixed width in bits, lowest bit first.

use std::ops::{ControlFlow, Range};

use crate::format::{FormatError, Result, ensure};

/// Bits that `v` needs.
pub(super) fn width_of(v: u64) -> u32 {
    u64::BITS - v.leading_zeros()
}

/// Bytes that `count` numbers of `width` bits take.
pub(super) fn packed_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Appends the numbers with `width` bits each, at most 56, and fills the last byte with zeros.
pub(super) fn put(out: &mut Vec<u8>, width: u32, numbers: impl Iterator<Item = u64>) {
    let (mut pending, mut bits) = (0u128, 0);
    for number in numbers {
        debug_assert!(width_of(number) <= width, "number is wider than its group");
        // Less than 64 bits are pending, so 56 more fit.
        pending |= u128::from(number) << bits;
        bits += width;
        if bits >= u64::BITS {
            out.extend_from_slice(&(pending as u64).to_le_bytes());
            pending >>= u64::BITS;
            bits -= u64::BITS;
        }
    }
    let rest = pending.to_le_bytes();
    out.extend_from_slice(rest.get(..bits.div_ceil(8) as usize).unwrap_or_default());
}

/// A packed group where it stands in a page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packed<'p> {
    /// From the group's first byte to the end of the page.
    bytes: &'p [u8],
    width: u32,
    mask: u64,
}

impl<'p> Packed<'p> {
    /// A group of `count` numbers whose bytes must lie in `within`, an extent of the page that starts
    /// with the group. Gives the group and the offset after it.
    #[inline]
    pub(super) fn new(
        page: &'p [u8],
        within: Range<usize>,
        count: usize,
        width: u32,
    ) -> Result<(Packed<'p>, usize)> {
        debug_assert!(width <= 48, "wider than a load can serve");
        let end = count
            .checked_mul(width as usize)
            .and_then(|bits| within.start.checked_add(bits.div_ceil(8)))
            .filter(|end| *end <= within.end);
        let bytes = page.get(within.start..);
        match (bytes, end) {
            (Some(bytes), Some(end)) => Ok((
                Packed {
                    bytes,
                    width,
                    mask: (1 << width) - 1,
                },
                end,
            )),
            _ => Err(FormatError("packed numbers exceed their cell")),
        }
    }

    /// A group that begins here and is known to lie within the page.
    #[inline]
    pub(super) fn within(page: &'p [u8], start: usize, width: u32) -> Packed<'p> {
        Packed {
            bytes: page.get(start..).unwrap_or_default(),
            width,
            mask: (1 << width) - 1,
        }
    }

    /// Number `i` of the group.
    #[inline(always)]
    pub(super) fn get(&self, i: usize) -> u64 {
        self.at_bit(i * self.width as usize)
    }

    /// The number that begins at this bit of the group.
    #[inline(always)]
    pub(super) fn at_bit(&self, bit: usize) -> u64 {
        (self.word(bit / 8) >> (bit % 8)) & self.mask
    }

    /// Gives numbers `range` of the group to `f` in their order, until it breaks. A load serves as many of them as it has
    /// whole.
    #[inline]
    pub(super) fn each<B>(
        &self,
        range: Range<usize>,
        mut f: impl FnMut(u64) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let width = self.width as usize;
        let mut bit = range.start * width;
        let (mut word, mut left) = (0u64, 0usize);
        for _ in range {
            if left < width {
                word = self.word(bit / 8) >> (bit % 8);
                left = 64 - bit % 8;
            }
            f(word & self.mask)?;
            word >>= width;
            left -= width;
            bit += width;
        }
        ControlFlow::Continue(())
    }

    /// Eight bytes from this one on.
    #[inline(always)]
    fn word(&self, at: usize) -> u64 {
        let whole = self.bytes.get(at..at + 8);
        match whole.and_then(|bytes| bytes.first_chunk()) {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => self.last_word(at),
        }
    }

    /// A load that would run past the bytes: only where a cell is not followed by a page's trailer.
    #[cold]
    fn last_word(&self, at: usize) -> u64 {
        let tail = self.bytes.get(at..).unwrap_or_default();
        tail.iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    }
}

/// A width read from a block, which must not exceed `max` bits.
pub(super) fn width(byte: u8, max: u32) -> Result<u32> {
    ensure(u32::from(byte) <= max, "packed numbers are too wide")?;
    Ok(u32::from(byte))
}
