//! The node half of a bulk load: nodes as they come, then their index entries sorted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::lanes::KeySorter;
use super::records::Name;
use super::sorter::{Scratch, Sorter};
use super::{BulkNode, BulkProgress, Load, PROGRESS_STEP};
use crate::btree::{Absent, Change, Kinds, NameKey, Names, NodeRecord, Nodes, merge};
use crate::delta::Batch;
use crate::error::{Error, Result};
use crate::forensics::{Tally, count};
use crate::graph::{Totals, View, limits, reserved_run};
use crate::ids::{EdgeKey, KeySpace};

/// Turns nodes into records, and remembers what the indexes need.
struct NodeFeed<'a, P> {
    view: &'a View,
    totals: &'a mut Totals,
    dictionary: &'a mut Batch,
    kinds: BTreeMap<String, u16>,
    names: Option<Sorter<Name>>,
    by_kind: KeySorter,
    gaps: &'a mut Vec<(u64, u64)>,
    scratch: &'a mut Scratch,
    progress: &'a mut P,
    loaded: u64,
    tally: &'a Tally,
}

impl<P: FnMut(BulkProgress)> Load<'_, P> {
    pub(super) fn load_nodes(
        &mut self,
        nodes: impl Iterator<Item = Result<BulkNode>>,
    ) -> Result<u64> {
        let budget = self.sort_budget(2);
        let indexed = self.store.options.name_index;
        let mut feed = NodeFeed {
            view: &self.view,
            totals: &mut self.totals,
            dictionary: &mut self.dictionary,
            kinds: BTreeMap::new(),
            names: indexed.then(|| Sorter::new(budget)),
            by_kind: KeySorter::new(budget),
            gaps: &mut self.gaps,
            scratch: &mut self.scratch,
            progress: &mut self.progress,
            loaded: 0,
            tally: &self.store.tally,
        };
        let records = nodes.map(|node| feed.record(node?));
        let root = &mut self.roots[KeySpace::Nodes.index()];
        *root = merge::<Nodes>(*root, records, &mut self.trees.writer()?)?.0;
        let NodeFeed {
            names,
            by_kind,
            loaded,
            ..
        } = feed;
        (self.progress)(BulkProgress::Nodes(loaded));
        if let Some(names) = names {
            let sorted = names.finish(&mut self.scratch)?;
            let changes = sorted.map(|name| Ok((name?.0, Change::Put(()))));
            let root = &mut self.roots[KeySpace::Names.index()];
            *root = merge::<Names>(*root, changes, &mut self.trees.writer()?)?.0;
        }
        let sorted = by_kind.finish(&mut self.scratch)?;
        let changes = sorted.map(|key| Ok((key?, Change::Put(()))));
        let root = &mut self.roots[KeySpace::Kinds.index()];
        *root = merge::<Kinds>(*root, changes, &mut self.trees.writer()?)?.0;
        let gaps = self
            .gaps
            .iter()
            .map(|(first, len)| reserved_run(*first, *len));
        let changes = gaps.map(|(first, run)| Ok((first, Change::Put(run))));
        let root = &mut self.roots[KeySpace::Absent.index()];
        *root = merge::<Absent>(*root, changes, &mut self.trees.writer()?)?.0;
        Ok(loaded)
    }
}

impl<P: FnMut(BulkProgress)> NodeFeed<'_, P> {
    fn record(&mut self, node: BulkNode) -> Result<(u64, Change<Arc<NodeRecord>>)> {
        limits::name(&node.name)?;
        limits::data(&node.data)?;
        let id = self.place(&node)?;
        let kind = self.kind(&node.kind)?;
        if let Some(names) = &mut self.names {
            names.push(Name(NameKey::new(&node.name, id)), self.scratch)?;
        }
        let key = EdgeKey {
            node: kind.into(),
            label: 0,
            peer: id,
            ordinal: 0,
        };
        self.by_kind.push(key, self.scratch)?;
        self.loaded += 1;
        self.totals.nodes += 1;
        count!(self.tally, NodesInserted);
        count!(
            self.tally,
            BytesGiven,
            node.name.len() + node.data.len() + limits::NODE_BYTES
        );
        if self.loaded.is_multiple_of(PROGRESS_STEP) {
            (self.progress)(BulkProgress::Nodes(self.loaded));
        }
        let record = NodeRecord {
            kind,
            name: node.name.into(),
            data: node.data.into(),
        };
        Ok((id, Change::Put(Arc::new(record))))
    }

    /// The node's id; ids that are skipped name no node from now on.
    fn place(&mut self, node: &BulkNode) -> Result<u64> {
        let next = self.totals.next_node;
        let id = node.id.map_or(next, |id| id.get());
        if id < next {
            return Err(Error::usage(format!(
                "node {id} comes after node {}; ids must ascend and be new",
                next - 1
            )));
        }
        limits::node_id(id)?;
        if id > next {
            self.gaps.push((next, id - next));
        }
        self.totals.next_node = id + 1;
        Ok(id)
    }

    fn kind(&mut self, name: &str) -> Result<u16> {
        if let Some(kind) = self.kinds.get(name) {
            return Ok(*kind);
        }
        limits::term(name)?;
        let kind = match self.view.kind_id(name)? {
            Some(kind) => kind.0,
            None => {
                let kind = limits::next_term(self.totals.kinds)?;
                self.dictionary.define_kind(kind, name);
                self.totals.kinds += 1;
                kind
            }
        };
        self.kinds.insert(name.to_owned(), kind);
        Ok(kind)
    }
}
