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

/// What each bit of the first `first` of `len` checksummed bytes adds to the checksum if it is
/// flipped, in the order of [`locate_flip`].
pub(crate) fn flip_effects(first: usize, len: usize) -> Vec<u64> {
    let mut effect = 1u64;
    let mut effects = Vec::with_capacity(8 * first.min(len));
    for bit in (0..len.saturating_mul(8)).rev() {
        effect = (effect >> 1) ^ (POLYNOMIAL & (effect & 1).wrapping_neg());
        if bit < first.saturating_mul(8) {
            effects.push(effect);
        }
    }
    effects.reverse();
    effects
}

/// The bits whose effects add up to `difference`: bit `i` of the result stands for `effects[i]`, of
/// which the first 64 count. `None` if no choice of them does.
pub(crate) fn solve(effects: &[u64], difference: u64) -> Option<u64> {
    // Each row is a sum of effects and the choice that makes it; rows have different highest bits.
    let mut rows = [(0u64, 0u64); 64];
    let mut reduced = |mut sum: u64, mut choice: u64, keep: bool| {
        while sum != 0 {
            let row = rows.get_mut(sum.ilog2() as usize)?;
            if row.0 == 0 {
                if keep {
                    *row = (sum, choice);
                }
                return None;
            }
            sum ^= row.0;
            choice ^= row.1;
        }
        Some(choice)
    };
    for (i, effect) in effects.iter().take(64).enumerate() {
        reduced(*effect, 1 << i, true);
    }
    reduced(difference, 0, false)
}
