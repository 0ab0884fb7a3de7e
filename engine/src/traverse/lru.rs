//! A bounded map that forgets what was used least recently. Every operation is O(1).

use std::collections::HashMap;
use std::hash::Hash;

use crate::ids::Mixed;

/// No slot.
const NONE: u16 = u16::MAX;

struct Slot<K, V> {
    key: K,
    value: V,
    /// The slot used just after this one, and the one used just before.
    newer: u16,
    older: u16,
}

/// Up to `capacity` entries, linked in the order of their last use.
pub(super) struct Lru<K, V> {
    slots: Vec<Slot<K, V>>,
    places: HashMap<K, u16, Mixed>,
    newest: u16,
    oldest: u16,
    capacity: u16,
}

impl<K: Copy + Eq + Hash, V> Lru<K, V> {
    /// An empty map. `capacity` is at least 1 and less than 65,535.
    pub(super) fn new(capacity: u16) -> Lru<K, V> {
        debug_assert!((1..NONE).contains(&capacity));
        Lru {
            slots: Vec::new(),
            places: HashMap::default(),
            newest: NONE,
            oldest: NONE,
            capacity,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn capacity(&self) -> usize {
        usize::from(self.capacity)
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.places.contains_key(key)
    }

    pub(super) fn clear(&mut self) {
        *self = Lru::new(self.capacity);
    }

    /// The value, which becomes the most recently used.
    #[inline]
    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        let place = *self.places.get(key)?;
        if place != self.newest {
            self.unlink(place);
            self.link_newest(place);
        }
        self.slots.get(usize::from(place)).map(|slot| &slot.value)
    }

    /// Adds or replaces a value, which becomes the most recently used. What was used least recently
    /// makes room for it.
    pub(super) fn insert(&mut self, key: K, value: V) {
        if let Some(place) = self.places.get(&key).copied() {
            if let Some(slot) = self.slots.get_mut(usize::from(place)) {
                slot.value = value;
            }
            self.unlink(place);
            self.link_newest(place);
            return;
        }
        let slot = Slot {
            key,
            value,
            newer: NONE,
            older: NONE,
        };
        let place = if self.slots.len() < self.capacity() {
            self.slots.push(slot);
            self.slots.len() as u16 - 1
        } else {
            let place = self.oldest;
            self.unlink(place);
            if let Some(old) = self.slots.get_mut(usize::from(place)) {
                self.places.remove(&old.key);
                *old = slot;
            }
            place
        };
        self.places.insert(key, place);
        self.link_newest(place);
    }

    /// Forgets an entry. Whether it was there.
    pub(super) fn remove(&mut self, key: &K) -> bool {
        let Some(place) = self.places.remove(key) else {
            return false;
        };
        self.unlink(place);
        // The last slot moves into the gap, so its neighbours must find it there.
        let last = self.slots.len() as u16 - 1;
        self.slots.swap_remove(usize::from(place));
        if let Some(moved) = self.slots.get(usize::from(place)) {
            let (key, newer, older) = (moved.key, moved.newer, moved.older);
            self.places.insert(key, place);
            self.point(newer, older, place);
            debug_assert_ne!(last, place);
        }
        true
    }

    fn slot(&mut self, place: u16) -> Option<&mut Slot<K, V>> {
        self.slots.get_mut(usize::from(place))
    }

    fn unlink(&mut self, place: u16) {
        let Some(slot) = self.slot(place) else { return };
        let (newer, older) = (slot.newer, slot.older);
        match self.slot(newer) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
        match self.slot(older) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_newest(&mut self, place: u16) {
        let before = self.newest;
        if let Some(slot) = self.slot(place) {
            (slot.newer, slot.older) = (NONE, before);
        }
        self.point(NONE, before, place);
    }

    /// Makes the neighbours of a slot, or the ends of the list, lead to it.
    fn point(&mut self, newer: u16, older: u16, place: u16) {
        match self.slot(newer) {
            Some(slot) => slot.older = place,
            None => self.newest = place,
        }
        match self.slot(older) {
            Some(slot) => slot.newer = place,
            None => self.oldest = place,
        }
    }
}
