//! Which nodes a walk has met.

use std::collections::HashMap;

use crate::ids::Mixed;

/// A block's ids fill a cache line.
const BLOCK_WORDS: usize = 8;
const BLOCK_SHIFT: u32 = 9;

/// A set of ids as bits: one array of them in small graphs, and blocks that exist only where there are ids in
/// others: a bit a node where a walk goes everywhere, a cache line a node where it touches few.
pub(super) struct Seen {
    /// The bits of all ids, in a small graph. Zeros that nobody has touched cost nothing.
    flat: Vec<u64>,
    /// For each block one more than its place, or 0 while there is none: for as many as are near.
    near: Vec<u32>,
    /// The places of the other blocks.
    far: HashMap<u64, usize, Mixed>,
    blocks: Vec<[u64; BLOCK_WORDS]>,
}

/// Blocks that are found by an index, which is zeros until they are used: those of 2^29 ids.
const NEAR_MAX: u64 = 1 << 20;

/// Ids of a small graph: those of a mebibyte of bits.
const FLAT_MAX: u64 = 1 << 23;

impl Seen {
    /// For ids below this one mostly.
    pub(super) fn new(next_id: u64) -> Seen {
        if next_id <= FLAT_MAX {
            return Seen {
                flat: vec![0; (next_id >> 6) as usize + 1],
                near: Vec::new(),
                far: HashMap::default(),
                blocks: Vec::new(),
            };
        }
        let near = (next_id >> BLOCK_SHIFT).saturating_add(1).min(NEAR_MAX);
        Seen {
            flat: Vec::new(),
            near: vec![0; usize::try_from(near).unwrap_or_default()],
            far: HashMap::default(),
            blocks: Vec::new(),
        }
    }

    /// Adds an id. Whether it was new.
    #[inline]
    pub(super) fn insert(&mut self, id: u64) -> bool {
        match self.flat.get_mut((id >> 6) as usize) {
            Some(word) => mark(word, id),
            None => self.insert_in_block(id),
        }
    }

    fn insert_in_block(&mut self, id: u64) -> bool {
        let key = id >> BLOCK_SHIFT;
        let place = self.block(key);
        let index = (id >> 6) as usize % BLOCK_WORDS;
        let Some(word) = self
            .blocks
            .get_mut(place)
            .and_then(|block| block.get_mut(index))
        else {
            return false;
        };
        mark(word, id)
    }

    #[inline]
    fn block(&mut self, key: u64) -> usize {
        let near = usize::try_from(key).ok();
        match near.and_then(|key| self.near.get(key)) {
            Some(place) if *place > 0 => *place as usize - 1,
            _ => self.find_block(key),
        }
    }

    /// The block's place, in an index or made now.
    fn find_block(&mut self, key: u64) -> usize {
        let next = self.blocks.len();
        let near = usize::try_from(key).ok();
        let near = near.and_then(|key| self.near.get_mut(key));
        let place = match (near, u32::try_from(next + 1)) {
            (Some(place), Ok(one_more)) => {
                *place = one_more;
                next
            }
            // Blocks beyond the index, and any that come after 2^32 others.
            _ => *self.far.entry(key).or_insert(next),
        };
        if place == next {
            self.blocks.push([0; BLOCK_WORDS]);
        }
        place
    }
}

/// Sets the bit of an id in its word. Whether it was clear.
#[inline]
fn mark(word: &mut u64, id: u64) -> bool {
    let bit = 1u64 << (id & 63);
    let new = *word & bit == 0;
    *word |= bit;
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MAX_U48;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn an_id_is_new_once(
            next_id in prop_oneof![0..2_000u64, Just(FLAT_MAX), Just(FLAT_MAX + 1), Just(NEAR_MAX << BLOCK_SHIFT)],
            ids in prop::collection::vec(prop_oneof![
                0..2_000u64, FLAT_MAX - 70..FLAT_MAX + 70, (NEAR_MAX << BLOCK_SHIFT) - 9..(NEAR_MAX << BLOCK_SHIFT) + 9, 0..=MAX_U48,
            ], 0..500),
        ) {
            let (mut seen, mut model) = (Seen::new(next_id), HashSet::new());
            for id in ids {
                prop_assert_eq!(seen.insert(id), model.insert(id));
            }
        }
    }
}
