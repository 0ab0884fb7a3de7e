//! Putting the nodes of a level in the order of their ids.

use crate::ids::NodeId;

/// A node, and the one before it on the way from the start.
pub(super) type Reached = (NodeId, Option<NodeId>);

/// Levels up to this length are sorted by comparing.
const SHORT: usize = 192;
/// Bits of an id that one pass looks at, at the most: their counts stay in the processor's nearest cache.
const DIGIT_BITS: u32 = 11;

/// Sorts levels, and keeps the memory that it takes for the next one.
#[derive(Default)]
pub(super) struct Sorter {
    other: Vec<Reached>,
    /// How many have each digit, then where the next of them goes.
    places: Vec<usize>,
}

impl Sorter {
    /// Ids differ. By digits from the lowest up, each pass keeping the order of those before it: a few passes over
    /// memory, where comparing would go through it once for each doubling of the length.
    pub(super) fn sort(&mut self, level: &mut Vec<Reached>) {
        if level.len() <= SHORT {
            level.sort_unstable_by_key(|(node, _)| *node);
            return;
        }
        let highest = level.iter().map(|(node, _)| node.get()).max();
        let bits = u64::BITS - highest.unwrap_or(0).leading_zeros();
        let passes = bits.div_ceil(DIGIT_BITS).max(1);
        let width = bits.div_ceil(passes);
        for pass in 0..passes {
            self.pass(level, pass * width, width);
        }
    }

    /// Sorts by `width` bits of the ids from `shift` on.
    fn pass(&mut self, level: &mut Vec<Reached>, shift: u32, width: u32) {
        let mask = (1u64 << width) - 1;
        let digit = |(node, _): &Reached| (node.get() >> shift & mask) as usize;
        self.places.clear();
        self.places.resize(1 << width, 0);
        for reached in &*level {
            if let Some(count) = self.places.get_mut(digit(reached)) {
                *count += 1;
            }
        }
        let mut next = 0;
        for place in &mut self.places {
            next += std::mem::replace(place, next);
        }
        self.other.clear();
        self.other.resize(level.len(), (NodeId::MIN, None));
        for reached in &*level {
            if let Some(place) = self.places.get_mut(digit(reached))
                && let Some(to) = self.other.get_mut(*place)
            {
                *to = *reached;
                *place += 1;
            }
        }
        std::mem::swap(level, &mut self.other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MAX_U48;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn levels_are_sorted_and_whole(bits in 1u32..=48, numbers in prop::collection::hash_set(1..=MAX_U48, 1..1_500)) {
            let ids: std::collections::BTreeSet<u64> = numbers.iter().map(|number| (number >> (48 - bits)).max(1)).collect();
            // Out of the set they come in no order of their own.
            let mut level: Vec<Reached> = numbers.iter().map(|number| (number >> (48 - bits)).max(1))
                .filter_map(|id| Some((NodeId::new(id)?, NodeId::new(id ^ 1))))
                .collect::<std::collections::HashSet<_>>().into_iter().collect();
            Sorter::default().sort(&mut level);
            prop_assert!(level.iter().map(|(node, _)| node.get()).eq(ids.iter().copied()));
            prop_assert!(level.iter().all(|(node, before)| *before == NodeId::new(node.get() ^ 1)));
        }
    }
}
