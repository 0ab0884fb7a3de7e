//! Which nodes a traversal has seen: one bit for each id, in blocks that are made when needed.

use std::collections::HashMap;

/// Ids in a block.
const BLOCK: u64 = 4096;
const WORDS: usize = (BLOCK / 64) as usize;

/// A set of node ids. Ids are dense, so a block of bits costs less than an entry for each id.
#[derive(Default)]
pub(super) struct Visited {
    blocks: HashMap<u64, Box<[u64; WORDS]>>,
}

impl Visited {
    /// Adds an id; `false` if it was there.
    pub(super) fn insert(&mut self, id: u64) -> bool {
        let block = self.blocks.entry(id / BLOCK).or_insert_with(|| Box::new([0; WORDS]));
        let word = (id % BLOCK / 64) as usize;
        let bit = 1 << (id % 64);
        let Some(word) = block.get_mut(word) else { return false };
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}
