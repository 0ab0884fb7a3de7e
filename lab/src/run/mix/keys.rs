//! Which node an operation is about.

use crate::random::Random;
use crate::scenario::plan::MixPlan;
use crate::scenario::raw::Keys;

/// Spreads ranks over places, so that the favourites do not stand side by side.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Whole parts of a share in the table of ranks.
const SHARES: u64 = 1 << 40;

/// Chooses places in a list of nodes.
pub(super) struct Chooser {
    keys: Keys,
    block: u64,
    position: u64,
    /// First place of the current block.
    start: u64,
    /// Sums of the shares of ranks 1, 2, …
    ranks: Vec<u64>,
}

impl Chooser {
    pub(super) fn new(plan: &MixPlan) -> Chooser {
        Chooser {
            keys: plan.keys,
            block: u64::from(plan.block),
            position: 0,
            start: 0,
            ranks: Vec::new(),
        }
    }

    /// A place below `len`; 0 for an empty list.
    pub(super) fn place(&mut self, len: usize, random: &mut Random) -> usize {
        let len = len as u64;
        if len == 0 {
            return 0;
        }
        let position = self.position;
        self.position += 1;
        let place = match self.keys {
            Keys::Uniform => random.below_u64(len),
            Keys::Zipf => self.by_rank(len, random),
            Keys::Sequential => position % len,
            Keys::Reverse => len - 1 - position % len,
            Keys::BlockSequential => {
                let block = self.block.min(len);
                if position.is_multiple_of(block) {
                    self.start = random.below_u64(len / block) * block;
                }
                self.start + position % block
            }
            Keys::BlockSkip => {
                let block = self.block.min(len);
                let blocks = len / block;
                position % blocks * block + position / blocks % block
            }
            Keys::Same => len / 2,
        };
        place.min(len - 1) as usize
    }

    fn by_rank(&mut self, len: u64, random: &mut Random) -> u64 {
        if self.ranks.len() as u64 != len {
            let mut sum = 0;
            self.ranks = (1..=len)
                .map(|rank| {
                    sum += (SHARES / rank).max(1);
                    sum
                })
                .collect();
        }
        let all = self.ranks.last().copied().unwrap_or(1);
        let wanted = random.below_u64(all);
        let rank = self.ranks.partition_point(|sum| *sum <= wanted) as u64;
        rank.wrapping_mul(SPREAD) % len
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn places(keys: Keys, len: usize, count: usize) -> Vec<usize> {
        let mut chooser = Chooser {
            keys,
            block: 4,
            position: 0,
            start: 0,
            ranks: Vec::new(),
        };
        let mut random = Random::new(5, 5);
        (0..count)
            .map(|_| chooser.place(len, &mut random))
            .collect()
    }

    #[test]
    fn orders_are_as_named() {
        assert_eq!(places(Keys::Sequential, 3, 5), [0, 1, 2, 0, 1]);
        assert_eq!(places(Keys::Reverse, 3, 4), [2, 1, 0, 2]);
        assert_eq!(places(Keys::BlockSkip, 12, 7), [0, 4, 8, 1, 5, 9, 2]);
        assert_eq!(places(Keys::Same, 9, 3), [4, 4, 4]);
        let blocks = places(Keys::BlockSequential, 100, 8);
        assert!(blocks.windows(2).take(3).all(|pair| pair[1] == pair[0] + 1));
        for keys in [
            Keys::Uniform,
            Keys::Zipf,
            Keys::BlockSequential,
            Keys::BlockSkip,
        ] {
            assert!(
                places(keys, 7, 500).iter().all(|place| *place < 7),
                "{keys:?}"
            );
            assert_eq!(places(keys, 1, 3), [0, 0, 0], "{keys:?}");
            assert_eq!(places(keys, 0, 1), [0], "{keys:?}");
        }
    }

    #[test]
    fn the_first_rank_of_a_thousand_gets_about_an_eighth() {
        let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
        for place in places(Keys::Zipf, 1000, 20_000) {
            *counts.entry(place).or_default() += 1;
        }
        let most = counts.values().max().copied().unwrap_or(0);
        assert!((2200..3200).contains(&most), "{most}");
    }
}
