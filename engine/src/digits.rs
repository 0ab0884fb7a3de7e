//! Sorting by digits: a few passes over memory, where comparing goes through it once for each doubling of the length.
//!
//! Least significant digit first, as in Knuth, The Art of Computer Programming, volume 3, section 5.2.5; digits in
//! which no two keys differ are left out.

/// Up to this length comparing is as fast.
const SHORT: usize = 192;
/// Bits that one pass looks at: its counts stay in the processor's nearest cache.
const DIGIT_BITS: u32 = 11;
const DIGITS: usize = 1 << DIGIT_BITS;

/// Sorts, and keeps the memory that it takes for the next time.
pub(crate) struct DigitSorter<T> {
    other: Vec<T>,
    /// How many have each digit, then where the next of them goes.
    places: Vec<usize>,
}

impl<T> Default for DigitSorter<T> {
    fn default() -> DigitSorter<T> {
        DigitSorter {
            other: Vec::new(),
            places: Vec::new(),
        }
    }
}

impl<T: Copy> DigitSorter<T> {
    /// Puts items in the order of their keys, those of one key in the order they came.
    #[inline]
    pub(crate) fn sort(&mut self, items: &mut Vec<T>, key: impl Fn(&T) -> u128) {
        if items.len() <= SHORT {
            items.sort_by_key(key);
            return;
        }
        let mut left = differing(items, &key);
        while left != 0 {
            let shift = left.trailing_zeros();
            self.pass(items, |item| (key(item) >> shift) as usize % DIGITS);
            left &= !((DIGITS as u128 - 1) << shift);
        }
    }

    /// Sorts by one digit, and keeps the order of those that have the same.
    #[inline]
    fn pass(&mut self, items: &mut Vec<T>, digit: impl Fn(&T) -> usize) {
        self.places.clear();
        self.places.resize(DIGITS, 0);
        for item in &*items {
            if let Some(count) = self.places.get_mut(digit(item)) {
                *count += 1;
            }
        }
        let mut next = 0;
        for place in &mut self.places {
            next += std::mem::replace(place, next);
        }
        self.other.clear();
        self.other.extend_from_slice(items);
        for item in &self.other {
            if let Some(place) = self.places.get_mut(digit(item))
                && let Some(to) = items.get_mut(*place)
            {
                *to = *item;
                *place += 1;
            }
        }
    }
}

/// The bits in which any two keys differ.
#[inline]
fn differing<T>(items: &[T], key: impl Fn(&T) -> u128) -> u128 {
    let Some(first) = items.first().map(&key) else {
        return 0;
    };
    items
        .iter()
        .fold(0, |differ, item| differ | (key(item) ^ first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_keys_are_sorted_as_by_comparing(
            mask: u128, fixed: u128, keys in prop::collection::vec(any::<u128>(), 0..1_500),
        ) {
            // Keys that differ in any bits, and several of a kind.
            let mut items: Vec<(u128, usize)> = keys.iter().map(|key| key & mask | fixed).zip(0..).collect();
            items.extend_from_within(..items.len() / 3);
            let mut sorted = items.clone();
            sorted.sort_by_key(|(key, _)| *key);
            DigitSorter::default().sort(&mut items, |(key, _)| *key);
            prop_assert_eq!(items, sorted);
        }
    }
}
