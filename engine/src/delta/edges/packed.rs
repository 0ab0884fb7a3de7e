//! An edge's change in twenty bytes.

use crate::ids::EdgeKey;

/// The key of an edge, and whether it is put or deleted. Ordered as the keys are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    /// Node, label, peer and the ordinal's upper half, from the highest bit down.
    high: [u8; 16],
    /// The ordinal's lower half, and a bit for a deletion.
    low: [u8; 4],
}

impl Packed {
    #[inline]
    pub(super) fn new(key: &EdgeKey, deleted: bool) -> Packed {
        let high = u128::from(key.node) << 80
            | u128::from(key.label) << 64
            | u128::from(key.peer) << 16
            | u128::from(key.ordinal >> 16);
        Packed {
            high: high.to_le_bytes(),
            low: (key.ordinal << 16 | u32::from(deleted)).to_le_bytes(),
        }
    }

    #[inline]
    pub(super) fn key(self) -> EdgeKey {
        let high = u128::from_le_bytes(self.high);
        EdgeKey {
            node: (high >> 80) as u64,
            label: (high >> 64) as u16,
            peer: (high as u64) >> 16,
            ordinal: (high as u32) << 16 | u32::from_le_bytes(self.low) >> 16,
        }
    }

    #[inline]
    pub(super) fn is_deletion(self) -> bool {
        u32::from_le_bytes(self.low) & 1 == 1
    }

    /// What decides the order.
    #[inline]
    pub(super) fn order(self) -> (u128, u32) {
        (
            u128::from_le_bytes(self.high),
            u32::from_le_bytes(self.low) >> 16,
        )
    }

    /// The same edge seen from its other end.
    #[inline]
    pub(super) fn reversed(self) -> Packed {
        Packed::new(&self.key().reversed(), self.is_deletion())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MAX_U48;
    use proptest::prelude::*;

    fn keys() -> impl Strategy<Value = EdgeKey> {
        let ids = || prop_oneof![0..4u64, 0..=MAX_U48, Just(MAX_U48)];
        let ordinals = prop_oneof![0..3u32, any::<u32>(), Just(1 << 16), Just(u32::MAX)];
        (ids(), prop_oneof![0..3u16, any::<u16>()], ids(), ordinals).prop_map(
            |(node, label, peer, ordinal)| EdgeKey {
                node,
                label,
                peer,
                ordinal,
            },
        )
    }

    proptest! {
        #[test]
        fn packing_keeps_everything(key in keys(), deleted: bool) {
            let packed = Packed::new(&key, deleted);
            prop_assert_eq!(packed.key(), key);
            prop_assert_eq!(packed.is_deletion(), deleted);
            prop_assert_eq!(packed.reversed().key(), key.reversed());
            prop_assert_eq!(packed.reversed().is_deletion(), deleted);
        }

        #[test]
        fn packed_keys_have_the_order_of_keys(a in keys(), b in keys(), deleted: bool) {
            let (first, second) = (Packed::new(&a, deleted), Packed::new(&b, !deleted));
            prop_assert_eq!(first.order().cmp(&second.order()), a.cmp(&b));
        }
    }
}
