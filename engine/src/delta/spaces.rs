//! Where a delta holds the changes of each key space.

use std::ops::Bound;
use std::sync::Arc;

use super::Delta;
use super::changes::{Changes, Rest};
use super::edges::{InRest, OutRest};
use super::pairs::{Pairs, PairsRest};
use super::runs::Runs;
use crate::btree::{
    Absent, Change, Dictionary, EdgeData, In, Kinds, NameKey, Names, NodeRecord, Nodes, Out, Space,
};
use crate::ids::EdgeKey;

/// The changes of a key space in order.
pub(crate) type ChangesOf<'a, S> = Changes<<S as Overlaid>::Rest<'a>>;

/// A key space that a delta holds changes of.
pub(crate) trait Overlaid: Space {
    /// What is left of one of its runs.
    type Rest<'a>: Rest<Key = Self::Key, Value = Self::Value>;

    /// Changes held.
    fn len(delta: &Delta) -> usize;

    /// The newest change of a key.
    fn change(delta: &Delta, key: &Self::Key) -> Option<Change<Self::Value>>;

    /// Adds the changes from a key on to those of newer layers.
    fn add<'a>(delta: &'a Delta, from: Bound<&Self::Key>, changes: &mut ChangesOf<'a, Self>);

    /// The changes from a key on.
    fn changes<'a>(delta: &'a Delta, from: Bound<&Self::Key>) -> ChangesOf<'a, Self> {
        let mut changes = Changes::default();
        Self::add(delta, from, &mut changes);
        changes
    }
}

/// A key space whose changes are held as pairs.
pub(crate) trait Plain: Overlaid {
    fn runs(delta: &Delta) -> &Runs<Pairs<Self::Key, Self::Value>>;
}

macro_rules! plain {
    ($($space:ident: $field:ident, $key:ty, $value:ty;)*) => {
        $(impl Plain for $space {
            fn runs(delta: &Delta) -> &Runs<Pairs<$key, $value>> {
                &delta.$field
            }
        }

        impl Overlaid for $space {
            type Rest<'a> = PairsRest<'a, $key, $value>;

            fn len(delta: &Delta) -> usize {
                delta.$field.len()
            }

            fn change(delta: &Delta, key: &$key) -> Option<Change<$value>> {
                delta.$field.get(key).cloned()
            }

            fn add<'a>(delta: &'a Delta, from: Bound<&$key>, changes: &mut ChangesOf<'a, $space>) {
                for run in delta.$field.newest_first() {
                    changes.add(run.from(from));
                }
            }
        })*
    };
}

plain! {
    Nodes: nodes, u64, Arc<NodeRecord>;
    Names: names, NameKey, ();
    Kinds: kinds, EdgeKey, ();
    Dictionary: dictionary, Box<[u8]>, Box<[u8]>;
    Absent: absent, u64, u64;
}

impl Overlaid for Out {
    type Rest<'a> = OutRest<'a>;

    fn len(delta: &Delta) -> usize {
        delta.edges.len()
    }

    fn change(delta: &Delta, key: &EdgeKey) -> Option<Change<EdgeData>> {
        delta.edges.newest_first().find_map(|run| run.get(key))
    }

    fn add<'a>(delta: &'a Delta, from: Bound<&EdgeKey>, changes: &mut ChangesOf<'a, Out>) {
        for run in delta.edges.newest_first() {
            changes.add(run.out(from));
        }
    }
}

impl Overlaid for In {
    type Rest<'a> = InRest<'a>;

    fn len(delta: &Delta) -> usize {
        delta.edges.len()
    }

    fn change(delta: &Delta, key: &EdgeKey) -> Option<Change<()>> {
        Some(match Out::change(delta, &key.reversed())? {
            Change::Put(_) => Change::Put(()),
            Change::Delete => Change::Delete,
        })
    }

    fn add<'a>(delta: &'a Delta, from: Bound<&EdgeKey>, changes: &mut ChangesOf<'a, In>) {
        for run in delta.edges.newest_first() {
            changes.add(run.inn(from));
        }
    }
}
