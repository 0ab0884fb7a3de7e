//! A part of a search that several processes divide among them.

/// One part of so many. Every item of a search belongs to exactly one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// From 1.
    number: u32,
    of: u32,
}

impl Share {
    pub(crate) const WHOLE: Share = Share { number: 1, of: 1 };

    /// Part `number` of `of`, from 1.
    pub(crate) fn new(number: u32, of: u32) -> Share {
        Share { number, of }
    }

    /// Whether the item with this number is in it.
    pub(crate) fn has(self, item: u64) -> bool {
        item % u64::from(self.of) == u64::from(self.number - 1)
    }

    /// Whether it does what is to be done once in all.
    pub(crate) fn is_first(self) -> bool {
        self.number == 1
    }

    /// How much of a limit for the whole is for this part.
    pub(crate) fn of_limit(self, most: u64) -> u64 {
        most.div_ceil(u64::from(self.of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_in_one_part() {
        for of in 1..=5 {
            for item in [0, 1, 2, 3, 99, u64::MAX] {
                let parts = (1..=of).filter(|number| Share::new(*number, of).has(item));
                assert_eq!(parts.count(), 1, "{item} of {of}");
            }
        }
        assert!(Share::WHOLE.has(7) && Share::WHOLE.is_first());
        assert_eq!(Share::new(2, 3).of_limit(10), 4);
    }
}
