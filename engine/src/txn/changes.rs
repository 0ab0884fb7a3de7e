//! The operations of a write transaction.

use std::ops::Range;
use std::sync::Arc;

use super::write::WriteTxn;
use crate::btree::{Change, EdgeData, NodeRecord};
use crate::delta::ordinal_after;
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::graph::{AbsentRun, limits};
use crate::ids::{EdgeKey, NodeId};

/// What to change of a node; what is not named stays.
///
/// ```
/// use vellum::NodeUpdate;
/// let update = NodeUpdate::new().name("Torino").data(b"{\"people\":847398}");
/// # let _ = update;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeUpdate<'a> {
    kind: Option<&'a str>,
    name: Option<&'a str>,
    data: Option<&'a [u8]>,
}

impl<'a> NodeUpdate<'a> {
    /// An update that changes nothing.
    pub fn new() -> NodeUpdate<'a> {
        NodeUpdate::default()
    }

    /// Gives the node another kind.
    #[must_use]
    pub fn kind(mut self, kind: &'a str) -> NodeUpdate<'a> {
        self.kind = Some(kind);
        self
    }

    /// Gives the node another name.
    #[must_use]
    pub fn name(mut self, name: &'a str) -> NodeUpdate<'a> {
        self.name = Some(name);
        self
    }

    /// Gives the node other data.
    #[must_use]
    pub fn data(mut self, data: &'a [u8]) -> NodeUpdate<'a> {
        self.data = Some(data);
        self
    }

    /// What the caller gives by it, in bytes.
    fn bytes(&self) -> usize {
        self.name.map_or(0, str::len) + self.data.map_or(0, <[u8]>::len) + limits::NODE_BYTES
    }
}

/// A call that fails has no effect, and may be made again in the same transaction.
impl WriteTxn {
    /// Inserts a node and returns its id, the lowest never issued.
    ///
    /// `kind`: 1 to 255 bytes; `name`: at most 1,024 bytes, need not be unique; `data`: at most 64 MiB.
    ///
    /// # Errors
    /// [`Error::Limit`] if something is too long or there are 65,536 kinds already. Those of reading
    /// and, for a transaction larger than the write buffer, of writing.
    pub fn insert_node(&mut self, kind: &str, name: &str, data: &[u8]) -> Result<NodeId> {
        self.make_room()?;
        let next = self.work.get_mut().totals.next_node;
        let id = limits::node_id(next)?;
        self.put_new(id, kind, name, data)?;
        self.work.get_mut().totals.next_node = next + 1;
        Ok(id)
    }

    /// Inserts a node with an id of the caller's: one that was reserved, or any at or above the next
    /// one to be issued. Ids skipped by that are reserved.
    ///
    /// # Errors
    /// [`Error::Usage`] if the id names a node or named one that was deleted. Else as [`insert_node`](WriteTxn::insert_node).
    pub fn insert_node_with_id(
        &mut self,
        id: NodeId,
        kind: &str,
        name: &str,
        data: &[u8],
    ) -> Result<()> {
        self.make_room()?;
        if self.contains_node(id)? {
            return Err(Error::usage(format!("node {id} exists already")));
        }
        let next = self.work.get_mut().totals.next_node;
        let absent = match id.get().checked_sub(next) {
            None => self.use_reserved(id)?,
            Some(0) => Vec::new(),
            Some(skipped) => self.absent(AbsentRun {
                first: next,
                len: skipped,
                reserved: true,
            })?,
        };
        self.put_new(id, kind, name, data)?;
        let work = self.work.get_mut();
        work.batch.change_absent(absent);
        work.totals.next_node = next.max(id.get() + 1);
        Ok(())
    }

    /// Sets ids aside for [`insert_node_with_id`](WriteTxn::insert_node_with_id).
    ///
    /// # Errors
    /// [`Error::Limit`] if there are not that many left.
    pub fn reserve_ids(&mut self, count: u64) -> Result<Range<u64>> {
        let first = self.work.get_mut().totals.next_node;
        if count == 0 {
            return Ok(first..first);
        }
        let end = first.saturating_add(count);
        limits::node_id(end - 1)?;
        let absent = self.absent(AbsentRun {
            first,
            len: count,
            reserved: true,
        })?;
        let work = self.work.get_mut();
        work.touch();
        work.batch.change_absent(absent);
        work.totals.next_node = end;
        Ok(first..end)
    }

    /// Changes a node's kind, name or data, keeping the rest. `false` if there is no such node.
    ///
    /// # Errors
    /// As [`insert_node`](WriteTxn::insert_node).
    pub fn update_node(&mut self, id: NodeId, update: NodeUpdate<'_>) -> Result<bool> {
        self.make_room()?;
        let view = self.work.get_mut().view(&self.store)?;
        let Some(old) = view.node_record(id)? else {
            return Ok(false);
        };
        let name = update.name.unwrap_or(&old.name);
        let data = update.data.unwrap_or(&old.data);
        limits::name(name)?;
        limits::data(data)?;
        let kind = match update.kind {
            Some(kind) => self.kind_id(kind)?,
            None => old.kind,
        };
        let record = NodeRecord {
            kind,
            name: name.into(),
            data: data.into(),
        };
        let indexed = self.store.options.name_index;
        let work = self.work.get_mut();
        work.touch();
        work.batch
            .replace_node(id.get(), &old, Arc::new(record), indexed);
        count!(self.store.tally, NodesUpdated);
        count!(self.store.tally, BytesGiven, update.bytes());
        Ok(true)
    }

    /// Deletes a node with its edges and index entries. `false` if there is no such node. Its id is
    /// not issued again.
    ///
    /// # Errors
    /// Those of reading and, for a large transaction, of writing.
    pub fn delete_node(&mut self, id: NodeId) -> Result<bool> {
        self.make_room()?;
        let view = self.work.get_mut().view(&self.store)?;
        let Some(old) = view.node_record(id)? else {
            return Ok(false);
        };
        let indexed = self.store.options.name_index;
        let edges = view.incident_edges(id)?;
        let absent = view.make_absent(AbsentRun {
            first: id.get(),
            len: 1,
            reserved: false,
        })?;
        let work = self.work.get_mut();
        work.touch();
        for key in &edges {
            work.batch.delete_edge(*key);
        }
        work.totals.edges = work.totals.edges.saturating_sub(edges.len() as u64);
        work.batch.delete_node(id.get(), &old, indexed);
        work.totals.nodes -= 1;
        work.batch.change_absent(absent);
        count!(self.store.tally, NodesDeleted);
        count!(self.store.tally, EdgesDeleted, edges.len());
        Ok(true)
    }

    /// Inserts an edge without looking at those there are.
    ///
    /// An edge parallel to others gets the ordinal after the highest of them. In a database with
    /// unique edges it replaces the one there may be.
    ///
    /// `label`: 1 to 255 bytes; `data`: at most 64 MiB.
    ///
    /// # Errors
    /// [`Error::Usage`] if either node does not exist, [`Error::Limit`], and those of writing for a
    /// large transaction.
    pub fn insert_edge(
        &mut self,
        source: NodeId,
        label: &str,
        target: NodeId,
        data: &[u8],
    ) -> Result<()> {
        self.make_room()?;
        self.expect_possible(source, target, data)?;
        self.work.get_mut().settle_keyed_edges(&self.store)?;
        let label = self.label_id(label)?;
        let work = self.work.get_mut();
        work.touch();
        work.batch
            .insert_edge(source.get(), label, target.get(), EdgeData::new(data));
        work.totals.edges += 1;
        count!(self.store.tally, EdgesInserted);
        count!(
            self.store.tally,
            BytesGiven,
            data.len() + limits::EDGE_BYTES
        );
        Ok(())
    }

    /// Inserts an edge and returns its ordinal, which costs a look at the parallel edges.
    ///
    /// # Errors
    /// As [`insert_edge`](WriteTxn::insert_edge).
    pub fn insert_edge_returning(
        &mut self,
        source: NodeId,
        label: &str,
        target: NodeId,
        data: &[u8],
    ) -> Result<u32> {
        self.make_room()?;
        self.expect_possible(source, target, data)?;
        let ordinal = self.next_ordinal(source, label, target)?;
        self.insert_edge(source, label, target, data)?;
        Ok(ordinal)
    }

    /// The ordinal of the next edge of this source, label and target.
    fn next_ordinal(&mut self, source: NodeId, label: &str, target: NodeId) -> Result<u32> {
        if self.store.options.unique_edges {
            return Ok(0);
        }
        let view = self.work.get_mut().view(&self.store)?;
        let Some(label) = view.label_id(label)? else {
            return Ok(0);
        };
        let triple = EdgeKey {
            node: source.get(),
            label: label.0,
            peer: target.get(),
            ordinal: 0,
        };
        view.highest_ordinal(triple)?.map_or(Ok(0), ordinal_after)
    }

    /// Replaces an edge's data. `false` if there is no such edge.
    ///
    /// # Errors
    /// [`Error::Limit`], and those of reading and writing.
    pub fn update_edge(
        &mut self,
        source: NodeId,
        label: &str,
        target: NodeId,
        ordinal: u32,
        data: &[u8],
    ) -> Result<bool> {
        self.make_room()?;
        limits::data(data)?;
        let Some(key) = self.find_edge(source, label, target, ordinal)? else {
            return Ok(false);
        };
        let work = self.work.get_mut();
        work.touch();
        work.batch.put_edge(key, EdgeData::new(data));
        count!(self.store.tally, EdgesUpdated);
        count!(
            self.store.tally,
            BytesGiven,
            data.len() + limits::EDGE_BYTES
        );
        Ok(true)
    }

    /// Deletes an edge. `false` if there is no such edge. Other parallel edges keep their ordinals.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub fn delete_edge(
        &mut self,
        source: NodeId,
        label: &str,
        target: NodeId,
        ordinal: u32,
    ) -> Result<bool> {
        self.make_room()?;
        let Some(key) = self.find_edge(source, label, target, ordinal)? else {
            return Ok(false);
        };
        let work = self.work.get_mut();
        work.touch();
        work.batch.delete_edge(key);
        work.totals.edges = work.totals.edges.saturating_sub(1);
        count!(self.store.tally, EdgesDeleted);
        Ok(true)
    }

    fn find_edge(
        &mut self,
        source: NodeId,
        label: &str,
        target: NodeId,
        ordinal: u32,
    ) -> Result<Option<EdgeKey>> {
        let view = self.work.get_mut().view(&self.store)?;
        let Some(label) = view.label_id(label)? else {
            return Ok(None);
        };
        let key = EdgeKey {
            node: source.get(),
            label: label.0,
            peer: target.get(),
            ordinal,
        };
        Ok(view.has_edge(key)?.then_some(key))
    }

    fn put_new(&mut self, id: NodeId, kind: &str, name: &str, data: &[u8]) -> Result<()> {
        limits::name(name)?;
        limits::data(data)?;
        let kind = self.kind_id(kind)?;
        let indexed = self.store.options.name_index;
        let record = NodeRecord {
            kind,
            name: name.into(),
            data: data.into(),
        };
        let work = self.work.get_mut();
        work.touch();
        work.batch.insert_node(id.get(), Arc::new(record), indexed);
        work.totals.nodes += 1;
        count!(self.store.tally, NodesInserted);
        count!(
            self.store.tally,
            BytesGiven,
            name.len() + data.len() + limits::NODE_BYTES
        );
        Ok(())
    }

    fn kind_id(&mut self, name: &str) -> Result<u16> {
        self.work.get_mut().kind_id(&self.store, name)
    }

    fn label_id(&mut self, name: &str) -> Result<u16> {
        self.work.get_mut().label_id(&self.store, name)
    }

    fn expect_possible(&self, source: NodeId, target: NodeId, data: &[u8]) -> Result<()> {
        limits::data(data)?;
        for end in [source, target] {
            if !self.contains_node(end)? {
                return Err(Error::usage(format!(
                    "node {end} does not exist; insert it before its edges"
                )));
            }
        }
        Ok(())
    }

    /// What adds a run of ids to those that name no node.
    fn absent(&mut self, run: AbsentRun) -> Result<Vec<(u64, Change<u64>)>> {
        self.work.get_mut().view(&self.store)?.make_absent(run)
    }

    /// What takes an id out of those that were set aside.
    fn use_reserved(&mut self, id: NodeId) -> Result<Vec<(u64, Change<u64>)>> {
        let view = self.work.get_mut().view(&self.store)?;
        let run = view.absent_run(id.get())?.filter(|run| run.reserved);
        let Some(run) = run else {
            return Err(Error::usage(format!(
                "node {id} was deleted; ids are not used twice"
            )));
        };
        Ok(view.make_present(run, id.get()))
    }

    /// Moves what is held in memory into trees of this transaction's own when it has outgrown the
    /// write buffer. Comes before a change, which thereby has no effect if this fails.
    pub(super) fn make_room(&mut self) -> Result<()> {
        let budget = self.store.options.write_buffer_bytes;
        let work = self.work.get_mut();
        if work.memory() > budget {
            work.spill(&self.store)
        } else {
            Ok(())
        }
    }
}
