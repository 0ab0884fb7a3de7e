//! Sets compared by the sum of a hash of their elements, which needs no memory and no order: equal sets have equal
//! sums, and different ones equal sums only by a chance of 2^-64.

use crate::ids::EdgeKey;

/// A set, known by its size and the sum of its elements' hashes.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: u64,
    hash: u64,
}

impl Sum {
    pub(super) fn add(&mut self, element: u64) {
        self.count += 1;
        self.hash = self.hash.wrapping_add(element);
    }
}

pub(super) fn hash_edge(key: EdgeKey) -> u64 {
    let head = mix(key.node ^ u64::from(key.label) << 48);
    mix(mix(head ^ key.peer) ^ u64::from(key.ordinal))
}

pub(super) fn hash_bytes(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(bytes.len() as u64, |hash, chunk| {
        let mut word = [0; 8];
        word.iter_mut()
            .zip(chunk)
            .for_each(|(to, from)| *to = *from);
        mix(hash ^ u64::from_le_bytes(word))
    })
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
/// 2014), a bijection that spreads every input bit over all output bits.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
