//! LEB128 of a `u64`, shortest form only. Decoding is [`Reader::varint`](super::Reader::varint).

/// The most bytes a varint takes.
pub const MAX_LEN: usize = 10;

/// Appends `v`.
pub fn put(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// How many bytes [`put`] appends.
pub const fn len(v: u64) -> usize {
    // One byte for every seven bits begun; zero takes one byte too.
    (70 - (v | 1).leading_zeros() as usize) / 7
}
