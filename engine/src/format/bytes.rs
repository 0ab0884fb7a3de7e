//! Numbers in bytes: a bounded reader for untrusted input, and the writers it mirrors.

use super::{FormatError, Result, ensure};
use crate::ids::{MAX_U48, PageRef};

const TRUNCATED: FormatError = FormatError("bytes end too early");

/// A cursor over untrusted bytes. Every read is bounded and says what is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader {
            rest: bytes,
            len: bytes.len(),
        }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.len - self.rest.len()
    }

    /// Whether every byte has been read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `n` bytes.
    #[inline]
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(head)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(TRUNCATED)?;
        self.rest = rest;
        Ok(*head)
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    /// Two bytes.
    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        self.array::<2>().map(u16::from_le_bytes)
    }

    /// Four bytes.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        self.array::<4>().map(u32::from_le_bytes)
    }

    /// Six bytes.
    #[inline]
    pub fn u48(&mut self) -> Result<u64> {
        let [a, b, c, d, e, f] = self.array::<6>()?;
        Ok(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// Eight bytes.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        self.array::<8>().map(u64::from_le_bytes)
    }

    /// A varint in its shortest form.
    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            [low, high @ 1..0x80, ref rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(high) << 7 | u64::from(low & 0x7f))
            }
            _ => self.long_varint(),
        }
    }

    #[cold]
    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            ensure(shift < 63 || byte <= 1, "varint exceeds 64 bits")?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                ensure(
                    byte != 0 || shift == 0,
                    "varint is not in its shortest form",
                )?;
                return Ok(value);
            }
        }
        Err(FormatError("varint exceeds 64 bits"))
    }

    /// A varint that must not exceed `max`; `rule` names the limit.
    #[inline]
    pub fn varint_to(&mut self, max: u64, rule: &'static str) -> Result<u64> {
        let value = self.varint()?;
        ensure(value <= max, rule)?;
        Ok(value)
    }

    /// A reference to a page, or zeros for none.
    pub fn page_ref(&mut self) -> Result<Option<PageRef>> {
        let (page, birth) = (self.u48()?, self.u48()?);
        ensure(page != 0 || birth == 0, "reference to no page has a birth")?;
        Ok(PageRef::new(page, birth))
    }

    /// `n` reserved bytes, which must be zero.
    pub fn reserved(&mut self, n: usize) -> Result<()> {
        ensure(all_zero(self.bytes(n)?), "reserved bytes are not zero")
    }

    /// Succeeds if every byte has been read.
    pub fn end(&self) -> Result<()> {
        ensure(self.is_empty(), "bytes left over after the last field")
    }
}

/// Whether no bit is set.
pub(crate) fn all_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |seen, byte| seen | byte) == 0
}

/// Appends a u48. `v` must fit.
pub fn put_u48(out: &mut Vec<u8>, v: u64) {
    debug_assert!(v <= MAX_U48, "number needs more than 48 bits");
    let [a, b, c, d, e, f, _, _] = v.to_le_bytes();
    out.extend_from_slice(&[a, b, c, d, e, f]);
}

/// A u48 as six big-endian bytes, which sort like the number. `v` must fit.
pub fn u48_be(v: u64) -> [u8; 6] {
    debug_assert!(v <= MAX_U48, "number needs more than 48 bits");
    let [_, _, a, b, c, d, e, f] = v.to_be_bytes();
    [a, b, c, d, e, f]
}

/// The number of six big-endian bytes.
pub fn from_u48_be(bytes: [u8; 6]) -> u64 {
    let [a, b, c, d, e, f] = bytes;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

// Loads from bytes whose layout was validated before. Outside the bytes they give zeros: the
// alternative would be a panic on a path that no valid layout reaches.

#[inline]
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|tail| tail.first_chunk::<N>())
        .copied()
        .unwrap_or([0; N])
}

#[inline]
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

#[inline]
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

#[inline]
pub(crate) fn u48_at(bytes: &[u8], at: usize) -> u64 {
    let [a, b, c, d, e, f] = array_at(bytes, at);
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

#[inline]
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// Overwrites `value.len()` bytes at `at`, which must lie inside.
pub(crate) fn set_at(bytes: &mut [u8], at: usize, value: &[u8]) {
    let target = bytes
        .get_mut(at..)
        .and_then(|tail| tail.get_mut(..value.len()));
    debug_assert!(target.is_some(), "write outside the image");
    if let Some(target) = target {
        target.copy_from_slice(value);
    }
}

/// The first eight bytes as a number that sorts like them, padded with zeros.
#[inline]
pub(crate) fn head_u64(bytes: &[u8]) -> u64 {
    if let Some(head) = bytes.first_chunk() {
        return u64::from_be_bytes(*head);
    }
    let mut head = [0; 8];
    for (to, from) in head.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(head)
}
