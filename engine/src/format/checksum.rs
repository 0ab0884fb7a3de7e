//! The one checksum of the format: CRC-64/NVME.

use crc64fast_nvme::Digest;

/// The checksum of the parts as if they were one run of bytes.
pub fn crc(parts: &[&[u8]]) -> u64 {
    let mut digest = Digest::new();
    for part in parts {
        digest.write(part);
    }
    digest.sum64()
}

/// The generator polynomial with its bits reversed, as the checksum processes the lowest bit first.
const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;

/// Finds the one bit of the last `len` checksummed bytes whose flip changes the checksum by
/// `difference` (computed XOR expected). Bit `8 k + j` is bit `j` of byte `k`.
///
/// A checksum is linear: what a flipped bit adds to it depends only on the bit's distance from the
/// end. So one walk over the distances answers for every bit, without a checksum for each.
pub(crate) fn locate_flip(difference: u64, len: usize) -> Option<usize> {
    let mut effect = 1u64;
    for bit in (0..len.checked_mul(8)?).rev() {
        effect = (effect >> 1) ^ (POLYNOMIAL & (effect & 1).wrapping_neg());
        if effect == difference {
            return Some(bit);
        }
    }
    None
}
