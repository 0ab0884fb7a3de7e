//! Sorted changes of edges.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::OnceLock;

use super::list::{EdgeList, sort};
use super::packed::Packed;
use super::rest::{InRest, OutRest};
use crate::btree::{Change, EdgeData};
use crate::delta::runs::{RUN_LIMIT, Run};
use crate::ids::EdgeKey;
use crate::plant::planted;

/// Changes of edges of ascending keys, as the sources see them.
pub(crate) struct EdgeRun {
    pub(super) list: EdgeList,
    /// Memory that the list takes, in bytes.
    bytes: usize,
    /// The places of the list in the order of the edges seen from their targets.
    by_target: OnceLock<Box<[u32]>>,
}

impl EdgeRun {
    /// Of changes in any order; of those of one key the last counts. Several runs one after the other, if
    /// there are more changes than one should hold.
    pub(in crate::delta) fn cut(mut list: EdgeList) -> Vec<EdgeRun> {
        list.sort();
        let list = list.keep_last();
        if list.len() <= RUN_LIMIT {
            return vec![EdgeRun::sorted(list)];
        }
        let starts = (0..list.len()).step_by(RUN_LIMIT);
        starts
            .map(|start| {
                let end = list.len().min(start + RUN_LIMIT);
                let mut part = EdgeList::with_capacity(end - start);
                part.extend_from(&list, start..end);
                EdgeRun::sorted(part)
            })
            .collect()
    }

    fn sorted(list: EdgeList) -> EdgeRun {
        EdgeRun {
            bytes: list.bytes(),
            list,
            by_target: OnceLock::new(),
        }
    }

    pub(in crate::delta) fn get(&self, key: &EdgeKey) -> Option<Change<EdgeData>> {
        let wanted = Packed::new(key, false).order();
        let keys = &self.list.keys;
        let at = keys.binary_search_by(|found| found.order().cmp(&wanted));
        Some(self.list.change(at.ok()?)?.1)
    }

    #[inline]
    pub(super) fn targets(&self) -> &[u32] {
        self.by_target.get_or_init(|| {
            let keys = self.list.keys.iter().map(|key| key.reversed());
            let mut places: Vec<(Packed, u32)> = keys.zip(0..).collect();
            sort(&mut places, |(key, _)| *key);
            if planted!("edge-in-one-direction") {
                places.pop();
            }
            places.into_iter().map(|(_, place)| place).collect()
        })
    }

    /// The changes seen from the sources, from a key on.
    pub(in crate::delta) fn out(&self, from: Bound<&EdgeKey>) -> OutRest<'_> {
        let before = below(from);
        let start = self.list.keys.partition_point(before);
        OutRest::new(&self.list, start)
    }

    /// The changes seen from the targets, from a key on.
    pub(in crate::delta) fn inn(&self, from: Bound<&EdgeKey>) -> InRest<'_> {
        let (before, places) = (below(from), self.targets());
        let start = places.partition_point(|place| {
            let key = self.list.keys.get(*place as usize);
            key.is_some_and(|key| before(&key.reversed()))
        });
        InRest::new(&self.list, places.get(start..).unwrap_or_default())
    }
}

/// Whether a key comes before those that are asked for.
fn below(from: Bound<&EdgeKey>) -> impl Fn(&Packed) -> bool {
    let (skipped, bound) = match from {
        Bound::Unbounded => (Ordering::Less, Packed::new(&EdgeKey::default(), false)),
        Bound::Included(key) => (Ordering::Less, Packed::new(key, false)),
        Bound::Excluded(key) => (Ordering::Equal, Packed::new(key, false)),
    };
    move |key| key.order().cmp(&bound.order()) <= skipped
}

impl Run for EdgeRun {
    fn len(&self) -> usize {
        self.list.len()
    }

    fn bytes(&self) -> usize {
        self.bytes + self.list.len() * size_of::<u32>()
    }

    fn merged(older: &EdgeRun, newer: &EdgeRun) -> EdgeRun {
        let (old, new) = (&older.list, &newer.list);
        let mut list = EdgeList::with_capacity(old.len() + new.len());
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (old.keys.get(i), new.keys.get(j)) {
            let order = a.order().cmp(&b.order());
            if order == Ordering::Less {
                list.push_packed(*a, old.data(i));
            } else {
                list.push_packed(*b, new.data(j));
                j += 1;
            }
            // The newer change of a key hides the older one.
            i += usize::from(order != Ordering::Greater);
        }
        list.extend_from(old, i..old.len());
        list.extend_from(new, j..new.len());
        EdgeRun::sorted(list)
    }
}
