//! Which nodes a walk has met.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Hashes numbers by one multiplication, whose high half depends on every bit. The default hasher is
/// made for keys that an adversary chooses, and takes several times as long.
#[derive(Default)]
pub(super) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        // 2^64 over the golden ratio, made odd.
        let product = u128::from(self.0 ^ number) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }
}

/// The hasher of maps keyed by numbers. No order of such a map is ever looked at.
pub(super) type Mixed = BuildHasherDefault<Mixer>;

/// A block's ids fill a cache line.
const BLOCK_WORDS: usize = 8;
const BLOCK_SHIFT: u32 = 9;

/// A set of ids as bits, in blocks that exist only where there are ids: a bit a node where a walk
/// goes everywhere, a cache line a node where it touches few.
#[derive(Default)]
pub(super) struct Seen {
    places: HashMap<u64, usize, Mixed>,
    blocks: Vec<[u64; BLOCK_WORDS]>,
    /// The block used last, because neighbours are often close to one another.
    last: (u64, usize),
}

impl Seen {
    /// Adds an id. Whether it was new.
    #[inline]
    pub(super) fn insert(&mut self, id: u64) -> bool {
        let key = id >> BLOCK_SHIFT;
        let place = self.block(key);
        let bit = 1u64 << (id & 63);
        let index = (id >> 6) as usize % BLOCK_WORDS;
        let Some(word) = self
            .blocks
            .get_mut(place)
            .and_then(|block| block.get_mut(index))
        else {
            return false;
        };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    #[inline]
    fn block(&mut self, key: u64) -> usize {
        if self.last.0 == key && !self.blocks.is_empty() {
            return self.last.1;
        }
        let next = self.blocks.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.blocks.push([0; BLOCK_WORDS]);
        }
        self.last = (key, place);
        place
    }
}
