//! What is left of a run of edges, in either direction.

use std::cmp::Ordering;

use super::list::EdgeList;
use super::packed::Packed;
use crate::btree::{Change, EdgeData};
use crate::delta::changes::Rest;
use crate::ids::EdgeKey;

/// Changes seen from the sources.
pub(crate) struct OutRest<'a> {
    list: &'a EdgeList,
    at: usize,
    head: Head,
}

impl<'a> OutRest<'a> {
    pub(super) fn new(list: &'a EdgeList, at: usize) -> OutRest<'a> {
        let head = Head::new(list.keys.get(at).copied());
        OutRest { list, at, head }
    }
}

/// Changes seen from the targets.
///
/// Their places lie all over the list. Several are fetched at once, which the processor does in the time
/// that it waits for one; more each time, so that who asks for few pays for few.
pub(crate) struct InRest<'a> {
    list: &'a EdgeList,
    /// Those not fetched yet.
    places: &'a [u32],
    /// Those fetched, the next one last.
    fetched: Vec<Packed>,
    head: Head,
    fetch: usize,
}

/// Changes fetched at once, at the most.
const MAX_FETCH: usize = 64;

impl<'a> InRest<'a> {
    pub(super) fn new(list: &'a EdgeList, places: &'a [u32]) -> InRest<'a> {
        let mut rest = InRest {
            list,
            places,
            fetched: Vec::new(),
            head: Head(None),
            fetch: 1,
        };
        rest.skip();
        rest
    }

    fn fetch(&mut self) {
        let (now, later) = self.places.split_at(self.fetch.min(self.places.len()));
        let found = now
            .iter()
            .rev()
            .filter_map(|place| self.list.keys.get(*place as usize));
        self.fetched.extend(found.map(|key| key.reversed()));
        self.places = later;
        self.fetch = MAX_FETCH.min(2 * self.fetch);
    }
}

/// The first change left, and what decides its order: it is compared many times before it is taken.
struct Head(Option<((u128, u32), Packed)>);

impl Head {
    #[inline]
    fn new(first: Option<Packed>) -> Head {
        Head(first.map(|packed| (packed.order(), packed)))
    }

    #[inline]
    fn packed(&self) -> Option<Packed> {
        self.0.map(|(_, packed)| packed)
    }

    #[inline]
    fn compare(&self, other: &Head) -> Ordering {
        match (&self.0, &other.0) {
            (Some((a, _)), Some((b, _))) => a.cmp(b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    #[inline]
    fn compare_key(&self, key: &EdgeKey) -> Option<Ordering> {
        self.0.map(|(_, head)| head.key().cmp(key))
    }
}

impl Rest for OutRest<'_> {
    type Key = EdgeKey;
    type Value = EdgeData;

    #[inline]
    fn is_empty(&self) -> bool {
        self.head.0.is_none()
    }

    #[inline]
    fn compare(&self, key: &EdgeKey) -> Option<Ordering> {
        self.head.compare_key(key)
    }

    #[inline]
    fn compare_heads(&self, other: &Self) -> Ordering {
        self.head.compare(&other.head)
    }

    #[inline]
    fn key(&self) -> Option<EdgeKey> {
        self.head.packed().map(Packed::key)
    }

    #[inline]
    fn head(&self) -> Option<(EdgeKey, Change<EdgeData>)> {
        self.list.change(self.at)
    }

    #[inline]
    fn skip(&mut self) {
        self.at += 1;
        self.head = Head::new(self.list.keys.get(self.at).copied());
    }
}

impl Rest for InRest<'_> {
    type Key = EdgeKey;
    type Value = ();

    #[inline]
    fn is_empty(&self) -> bool {
        self.head.0.is_none()
    }

    #[inline]
    fn compare(&self, key: &EdgeKey) -> Option<Ordering> {
        self.head.compare_key(key)
    }

    #[inline]
    fn compare_heads(&self, other: &Self) -> Ordering {
        self.head.compare(&other.head)
    }

    #[inline]
    fn key(&self) -> Option<EdgeKey> {
        self.head.packed().map(Packed::key)
    }

    #[inline]
    fn head(&self) -> Option<(EdgeKey, Change<()>)> {
        let head = self.head.packed()?;
        let change = match head.is_deletion() {
            true => Change::Delete,
            false => Change::Put(()),
        };
        Some((head.key(), change))
    }

    #[inline]
    fn skip(&mut self) {
        if self.fetched.is_empty() {
            self.fetch();
        }
        self.head = Head::new(self.fetched.pop());
    }
}
