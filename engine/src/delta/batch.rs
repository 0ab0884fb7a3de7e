//! What a write transaction does, in the order it comes.

use std::collections::HashMap;
use std::sync::Arc;

use super::Bytes;
use super::edges::EdgeList;
use crate::btree::{Change, EdgeData, NameKey, NodeRecord};
use crate::error::{Error, Result};
use crate::ids::{EdgeKey, Mixed};
use crate::plant::planted;

/// Unsorted changes. Of two changes of one key the later counts.
#[derive(Default)]
pub(crate) struct Batch {
    pub(super) nodes: Vec<(u64, Change<Arc<NodeRecord>>)>,
    pub(super) edges: EdgeList,
    pub(super) names: Vec<(NameKey, Change<()>)>,
    pub(super) kinds: Vec<(EdgeKey, Change<()>)>,
    pub(super) dictionary: Vec<(Bytes, Change<Bytes>)>,
    pub(super) absent: Vec<(u64, Change<u64>)>,
    /// Edges whose ordinals are still to be found, in the order they came.
    blind: EdgeList,
    /// Nodes put or deleted here: whether they exist.
    exists: HashMap<u64, bool, Mixed>,
    heap_bytes: usize,
}

/// Memory of one change, entry and share of its sorted copies, in bytes.
const CHANGE_BYTES: usize = 96;
/// The same of one change of an edge.
const EDGE_BYTES: usize = 64;

impl Batch {
    /// Changes so far.
    pub(crate) fn len(&self) -> usize {
        self.edges() + self.others()
    }

    fn edges(&self) -> usize {
        self.edges.len() + self.blind.len()
    }

    fn others(&self) -> usize {
        self.nodes.len()
            + self.names.len()
            + self.kinds.len()
            + self.dictionary.len()
            + self.absent.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.heap_bytes + self.others() * CHANGE_BYTES + self.edges() * EDGE_BYTES
    }

    /// Whether it says of a node that it exists, or that it does not.
    pub(crate) fn node_exists(&self, id: u64) -> Option<bool> {
        self.exists.get(&id).copied()
    }

    /// Whether edges were changed whose keys are known.
    pub(crate) fn has_keyed_edges(&self) -> bool {
        !self.edges.is_empty()
    }

    /// Whether ids became absent, or ceased to be.
    pub(crate) fn has_absent(&self) -> bool {
        !self.absent.is_empty()
    }

    pub(crate) fn insert_node(&mut self, id: u64, record: Arc<NodeRecord>, indexed: bool) {
        self.heap_bytes += record.name.len() * 2 + record.data.len();
        if indexed {
            self.names
                .push((NameKey::new(&record.name, id), Change::Put(())));
        }
        if !planted!("kind-not-indexed") {
            self.kinds
                .push((kind_key(record.kind, id), Change::Put(())));
        }
        self.nodes.push((id, Change::Put(record)));
        self.exists.insert(id, true);
    }

    pub(crate) fn replace_node(
        &mut self,
        id: u64,
        old: &NodeRecord,
        new: Arc<NodeRecord>,
        indexed: bool,
    ) {
        self.heap_bytes += new.name.len() * 2 + new.data.len();
        if indexed && old.name != new.name {
            if !planted!("renamed-node-under-both-names") {
                self.names
                    .push((NameKey::new(&old.name, id), Change::Delete));
            }
            self.names
                .push((NameKey::new(&new.name, id), Change::Put(())));
        }
        if old.kind != new.kind {
            self.kinds.push((kind_key(old.kind, id), Change::Delete));
            self.kinds.push((kind_key(new.kind, id), Change::Put(())));
        }
        self.nodes.push((id, Change::Put(new)));
    }

    pub(crate) fn delete_node(&mut self, id: u64, old: &NodeRecord, indexed: bool) {
        if indexed && !planted!("deleted-node-keeps-its-name") {
            self.names
                .push((NameKey::new(&old.name, id), Change::Delete));
        }
        self.kinds.push((kind_key(old.kind, id), Change::Delete));
        self.nodes.push((id, Change::Delete));
        self.exists.insert(id, false);
    }

    /// An edge whose ordinal is not known yet. Keyed edges must have been settled before.
    pub(crate) fn insert_edge(&mut self, source: u64, label: u16, target: u64, data: EdgeData) {
        debug_assert!(
            !self.has_keyed_edges(),
            "the ordinal would not see what came before"
        );
        self.heap_bytes += data.bytes().len();
        let key = EdgeKey {
            node: source,
            label,
            peer: target,
            ordinal: 0,
        };
        self.blind.push(&key, Change::Put(data));
    }

    pub(crate) fn put_edge(&mut self, key: EdgeKey, data: EdgeData) {
        self.heap_bytes += data.bytes().len();
        self.edges.push(&key, Change::Put(data));
    }

    pub(crate) fn delete_edge(&mut self, key: EdgeKey) {
        self.edges.push(&key, Change::Delete);
    }

    pub(crate) fn change_absent(&mut self, changes: impl IntoIterator<Item = (u64, Change<u64>)>) {
        self.absent.extend(changes);
    }

    pub(crate) fn define_kind(&mut self, id: u16, name: &str) {
        self.define(0, id, name);
    }

    pub(crate) fn define_label(&mut self, id: u16, name: &str) {
        self.define(1, id, name);
    }

    fn define(&mut self, tag: u8, id: u16, name: &str) {
        self.heap_bytes += 4 * name.len();
        let entries = dictionary_entries(tag, id, name);
        self.dictionary
            .extend(entries.map(|(key, value)| (key, Change::Put(value))));
    }

    /// Puts from the log: everything is known, and nothing is derived.
    pub(super) fn put_node(&mut self, id: u64, record: NodeRecord) {
        self.nodes.push((id, Change::Put(Arc::new(record))));
    }

    pub(super) fn drop_node(&mut self, id: u64) {
        self.nodes.push((id, Change::Delete));
    }

    /// Gives blind edges their ordinals: `highest` is asked once for each (source, label, target), in
    /// ascending order, for the highest ordinal there is. In a database with unique edges there is
    /// nothing to ask. After a failure it can be called again.
    pub(crate) fn resolve(
        &mut self,
        unique: bool,
        mut highest: impl FnMut(EdgeKey) -> Result<Option<u32>>,
    ) -> Result<()> {
        // Stable, so that parallel edges are numbered in the order they came.
        self.blind.sort();
        let first = |triple| match unique || planted!("ordinals-start-over") {
            true => Ok(0),
            false => highest(triple)?.map_or(Ok(0), ordinal_after),
        };
        // Where edges are unique, one that comes again is the same edge.
        let after = |ordinal| match unique {
            true => Ok(0),
            false => ordinal_after(ordinal),
        };
        self.blind.number(first, after)?;
        self.edges.append(std::mem::take(&mut self.blind));
        Ok(())
    }
}

/// The ordinal of the next parallel edge.
pub(crate) fn ordinal_after(ordinal: u32) -> Result<u32> {
    ordinal.checked_add(1).ok_or(Error::Limit {
        what: "ordinals of parallel edges",
        max: u32::MAX.into(),
        got: u64::from(u32::MAX) + 1,
    })
}

/// How the kind index says that a node is of a kind.
pub(crate) fn kind_key(kind: u16, id: u64) -> EdgeKey {
    EdgeKey {
        node: kind.into(),
        label: 0,
        peer: id,
        ordinal: 0,
    }
}

/// What the dictionary holds about a kind (tag 0) or label (tag 1): its name by number, and its
/// number by name.
fn dictionary_entries(tag: u8, id: u16, name: &str) -> [(Bytes, Bytes); 2] {
    let number = id.to_be_bytes();
    let by_number = [&[tag][..], &number].concat();
    let by_name = [&[tag + 2][..], name.as_bytes()].concat();
    [
        (by_number.into(), name.as_bytes().into()),
        (by_name.into(), number[..].into()),
    ]
}
