//! What is committed and not yet in the trees: sorted runs in memory that snapshots lay over them.

mod batch;
mod changes;
mod heap;
mod payload;
mod runs;

use std::sync::Arc;

use crate::btree::{
    Absent, Change, Dictionary, EdgeData, In, Kinds, NameKey, Names, NodeRecord, Nodes, Out, Space,
};
use crate::ids::EdgeKey;
use crate::plant::planted;

pub(crate) use batch::{Batch, kind_key, ordinal_after};
pub(crate) use changes::Changes;
pub(crate) use payload::{LoggedTotals, decode, encode};
pub(crate) use runs::Runs;

/// Changes of every key space. Cloning shares the runs.
#[derive(Clone, Default)]
pub(crate) struct Delta {
    pub(crate) nodes: Runs<u64, Arc<NodeRecord>>,
    pub(crate) out: Runs<EdgeKey, EdgeData>,
    pub(crate) inn: Runs<EdgeKey, ()>,
    pub(crate) names: Runs<NameKey, ()>,
    pub(crate) kinds: Runs<EdgeKey, ()>,
    pub(crate) dictionary: Runs<Box<[u8]>, Box<[u8]>>,
    pub(crate) absent: Runs<u64, u64>,
}

/// The runs that belong to a key space.
pub(crate) trait Overlaid: Space {
    fn runs(delta: &Delta) -> &Runs<Self::Key, Self::Value>;
}

macro_rules! overlaid {
    ($($space:ident: $field:ident),*) => {
        $(impl Overlaid for $space {
            fn runs(delta: &Delta) -> &Runs<Self::Key, Self::Value> {
                &delta.$field
            }
        })*
    };
}

overlaid!(Nodes: nodes, Out: out, In: inn, Names: names, Kinds: kinds, Dictionary: dictionary, Absent: absent);

impl Delta {
    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.bytes()
            + self.out.bytes()
            + self.inn.bytes()
            + self.names.bytes()
            + self.kinds.bytes()
            + self.dictionary.bytes()
            + self.absent.bytes()
    }

    /// Changes that it holds.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
            + self.out.len()
            + self.inn.len()
            + self.names.len()
            + self.kinds.len()
            + self.dictionary.len()
            + self.absent.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a batch whose edges have their ordinals; it overrides what is there.
    pub(crate) fn apply(&mut self, batch: Batch) {
        let Batch {
            nodes,
            out,
            names,
            kinds,
            dictionary,
            absent,
            ..
        } = batch;
        let out = sorted(out);
        let mut inn: Vec<_> = out
            .iter()
            .map(|(key, change)| (key.reversed(), without_value(change)))
            .collect();
        inn.sort_unstable_by_key(|(key, _)| *key);
        self.nodes.push(sorted(nodes));
        self.out.push(out);
        if planted!("edge-in-one-direction") {
            inn.pop();
        }
        self.inn.push(inn);
        self.names.push(sorted(names));
        self.kinds.push(sorted(kinds));
        self.dictionary.push(sorted(dictionary));
        self.absent.push(sorted(absent));
    }

    /// Adds the changes of a newer delta.
    pub(crate) fn absorb(&mut self, newer: &Delta) {
        self.nodes.absorb(&newer.nodes);
        self.out.absorb(&newer.out);
        self.inn.absorb(&newer.inn);
        self.names.absorb(&newer.names);
        self.kinds.absorb(&newer.kinds);
        self.dictionary.absorb(&newer.dictionary);
        self.absent.absorb(&newer.absent);
    }
}

fn without_value(change: &Change<EdgeData>) -> Change<()> {
    match change {
        Change::Put(_) => Change::Put(()),
        Change::Delete => Change::Delete,
    }
}

/// Sorts changes by key; of those of one key the last to come counts.
fn sorted<K: Ord, V>(mut changes: Vec<(K, Change<V>)>) -> Vec<(K, Change<V>)> {
    if changes.is_sorted_by(|a, b| a.0 < b.0) {
        return changes;
    }
    changes.sort_by(|a, b| a.0.cmp(&b.0));
    changes.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
    changes
}
