//! What is committed and not yet in the trees: sorted runs in memory that snapshots lay over them.

mod batch;
mod changes;
mod edges;
mod heap;
mod pairs;
mod payload;
mod runs;
mod spaces;

use std::sync::Arc;

use crate::btree::NameKey;
use crate::btree::NodeRecord;
use crate::ids::{EdgeKey, KeySpace};
use edges::EdgeRun;
use pairs::Pairs;
use runs::Runs;

pub(crate) use batch::{Batch, kind_key, ordinal_after};
pub(crate) use changes::Changes;
pub(crate) use payload::{LoggedTotals, decode, encode};
pub(crate) use spaces::{ChangesOf, Overlaid, Plain};

/// A key or value of the dictionary.
type Bytes = Box<[u8]>;

/// Changes of every key space. Cloning shares the runs.
#[derive(Clone, Default)]
pub(crate) struct Delta {
    nodes: Runs<Pairs<u64, Arc<NodeRecord>>>,
    /// Both directions.
    edges: Runs<EdgeRun>,
    names: Runs<Pairs<NameKey, ()>>,
    kinds: Runs<Pairs<EdgeKey, ()>>,
    dictionary: Runs<Pairs<Bytes, Bytes>>,
    absent: Runs<Pairs<u64, u64>>,
}

impl Delta {
    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.nodes.bytes()
            + self.edges.bytes()
            + self.names.bytes()
            + self.kinds.bytes()
            + self.dictionary.bytes()
            + self.absent.bytes()
    }

    /// Changes that it holds.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
            + self.edges.len()
            + self.names.len()
            + self.kinds.len()
            + self.dictionary.len()
            + self.absent.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it changes the tree of this space.
    pub(crate) fn changes_space(&self, space: KeySpace) -> bool {
        let changes = match space {
            KeySpace::Nodes => self.nodes.len(),
            KeySpace::Out | KeySpace::In => self.edges.len(),
            KeySpace::Names => self.names.len(),
            KeySpace::Kinds => self.kinds.len(),
            KeySpace::Dictionary => self.dictionary.len(),
            KeySpace::Absent => self.absent.len(),
        };
        changes > 0
    }

    /// Adds a batch whose edges have their ordinals; it overrides what is there.
    pub(crate) fn apply(&mut self, batch: Batch) {
        let Batch {
            nodes,
            edges,
            names,
            kinds,
            dictionary,
            absent,
            ..
        } = batch;
        self.nodes.push(Pairs::of(nodes));
        for run in EdgeRun::cut(edges) {
            self.edges.push(run);
        }
        self.names.push(Pairs::of(names));
        self.kinds.push(Pairs::of(kinds));
        self.dictionary.push(Pairs::of(dictionary));
        self.absent.push(Pairs::of(absent));
    }

    /// Adds the changes of a newer delta.
    pub(crate) fn absorb(&mut self, newer: &Delta) {
        self.nodes.absorb(&newer.nodes);
        self.edges.absorb(&newer.edges);
        self.names.absorb(&newer.names);
        self.kinds.absorb(&newer.kinds);
        self.dictionary.absorb(&newer.dictionary);
        self.absent.absorb(&newer.absent);
    }
}
