//! What a write transaction has changed so far, and how it looks from inside.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::spill::{Mark, Spilled};
use crate::delta::{Batch, Delta, encode};
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::header::Root;
use crate::graph::{Totals, View, limits};
use crate::ids::NodeId;
use crate::plant::planted;
use crate::store::{Held, State, Store, Trees};

/// How much a write transaction has changed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pending {
    /// Changes to nodes, edges, index entries and names of kinds and labels held in memory.
    pub changes: u64,
    /// Memory that they take, in bytes.
    pub bytes: u64,
    /// Database pages written ahead of the commit, because the changes outgrew the write buffer.
    pub pages: u64,
}

/// A place in a write transaction. See [`WriteTxn::savepoint`](super::WriteTxn::savepoint).
pub struct Savepoint {
    delta: Delta,
    totals: Totals,
    spilled: Option<Mark>,
    changed: bool,
    number: u64,
    owner: Arc<()>,
}

/// A transaction's changes over the state it began on.
pub(crate) struct Work {
    state: Arc<State>,
    /// Changes in the order they came, ordinals of blind edges still open.
    pub(super) batch: Batch,
    /// Changes that have been looked at or saved: sorted, with ordinals.
    delta: Delta,
    pub(super) totals: Totals,
    /// Everything but `batch`, kept while it holds. It looks into what was spilled, so it goes first.
    settled: Option<View>,
    spilled: Option<Spilled>,
    changed: bool,
    kinds: BTreeMap<String, u16>,
    labels: BTreeMap<String, u16>,
    savepoints: Vec<u64>,
    next_savepoint: u64,
    identity: Arc<()>,
}

impl Work {
    pub(super) fn on(state: &Arc<State>) -> Work {
        Work {
            state: Arc::clone(state),
            batch: Batch::default(),
            delta: Delta::default(),
            totals: state.totals,
            spilled: None,
            changed: false,
            settled: None,
            kinds: BTreeMap::new(),
            labels: BTreeMap::new(),
            savepoints: Vec::new(),
            next_savepoint: 0,
            identity: Arc::new(()),
        }
    }

    /// The commit that this transaction began after.
    pub(super) fn commit(&self) -> u64 {
        self.state.commit
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.changed
    }

    pub(super) fn pending(&self) -> Pending {
        Pending {
            changes: (self.batch.len() + self.delta.len()) as u64,
            bytes: self.memory() as u64,
            pages: self.spilled.as_ref().map_or(0, Spilled::pages),
        }
    }

    /// Memory that the changes take, in bytes.
    pub(super) fn memory(&self) -> usize {
        self.batch.bytes() + self.delta.bytes()
    }

    /// Notes that something changes.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// Everything done so far, sorted and numbered, over the state below.
    pub(super) fn view(&mut self, store: &Store) -> Result<View> {
        self.settle(store)?;
        let mut view = self.settled(store).clone();
        view.totals = self.totals;
        Ok(view)
    }

    /// Everything but what `batch` holds.
    fn settled(&mut self, store: &Store) -> &View {
        let (spilled, state, delta) = (&mut self.spilled, &self.state, &self.delta);
        let totals = self.totals;
        self.settled.get_or_insert_with(|| {
            let mut view = match spilled {
                Some(spilled) => spilled.view(store),
                None => store.view(state),
            };
            if !delta.is_empty() {
                view.layers.insert(0, delta.clone());
            }
            view.totals = totals;
            view
        })
    }

    /// Sorts what came in and gives blind edges their ordinals.
    pub(super) fn settle(&mut self, store: &Store) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let below = self.settled(store).clone();
        self.batch.resolve(store.options.unique_edges, |triple| {
            below.highest_ordinal(triple)
        })?;
        self.delta.apply(std::mem::take(&mut self.batch));
        self.settled = None;
        Ok(())
    }

    /// Makes room for an edge whose ordinal depends on edges that changed by key.
    pub(super) fn settle_keyed_edges(&mut self, store: &Store) -> Result<()> {
        if self.batch.has_keyed_edges() {
            self.settle(store)
        } else {
            Ok(())
        }
    }

    pub(super) fn exists(&mut self, store: &Store, id: NodeId) -> Result<bool> {
        if id.get() >= self.totals.next_node {
            return Ok(false);
        }
        if let Some(exists) = self.batch.node_exists(id.get()) {
            return Ok(exists);
        }
        if self.batch.has_absent() {
            self.settle(store)?;
        }
        // Every id that was issued and is not absent names a node.
        Ok(self.settled(store).absent_run(id.get())?.is_none())
    }

    pub(super) fn kind_id(&mut self, store: &Store, name: &str) -> Result<u16> {
        if let Some(id) = self.kinds.get(name) {
            return Ok(*id);
        }
        limits::term(name)?;
        let id = match self.settled(store).kind_id(name)? {
            Some(id) => id.0,
            None => {
                let id = limits::next_term(self.totals.kinds)?;
                self.batch.define_kind(id, name);
                self.totals.kinds += 1;
                self.touch();
                id
            }
        };
        self.kinds.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(super) fn label_id(&mut self, store: &Store, name: &str) -> Result<u16> {
        if let Some(id) = self.labels.get(name) {
            return Ok(*id);
        }
        limits::term(name)?;
        let id = match self.settled(store).label_id(name)? {
            Some(id) => id.0,
            None => {
                let id = limits::next_term(self.totals.labels)?;
                self.batch.define_label(id, name);
                self.totals.labels += 1;
                self.touch();
                id
            }
        };
        self.labels.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(super) fn savepoint(&mut self, store: &Store) -> Result<Savepoint> {
        self.settle(store)?;
        let number = self.next_savepoint;
        self.next_savepoint += 1;
        self.savepoints.push(number);
        Ok(Savepoint {
            delta: self.delta.clone(),
            totals: self.totals,
            spilled: self.spilled.as_ref().map(Spilled::mark),
            changed: self.changed,
            number,
            owner: Arc::clone(&self.identity),
        })
    }

    pub(super) fn rollback_to(&mut self, savepoint: &Savepoint) -> Result<()> {
        let ours = Arc::ptr_eq(&savepoint.owner, &self.identity);
        if !ours || !self.savepoints.contains(&savepoint.number) {
            return Err(Error::usage(
                "the savepoint is not of this transaction, or was rolled back over",
            ));
        }
        self.savepoints.retain(|number| *number <= savepoint.number);
        self.batch = Batch::default();
        if !planted!("savepoint-keeps-changes") {
            self.delta = savepoint.delta.clone();
        }
        self.totals = savepoint.totals;
        self.changed = savepoint.changed;
        self.settled = None;
        self.kinds.clear();
        self.labels.clear();
        match (&mut self.spilled, &savepoint.spilled) {
            (Some(spilled), Some(mark)) => spilled.rollback_to(mark),
            // What was spilled later is given back; the state that it was built on holds the same as
            // the one that this transaction began on.
            (spilled, _) => *spilled = None,
        }
        Ok(())
    }

    /// Moves what is in memory into trees of this transaction's own.
    pub(super) fn spill(&mut self, store: &Store) -> Result<()> {
        self.settle(store)?;
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            None => self.spilled.insert(Spilled::begin(store)?),
        };
        spilled.merge(&self.delta)?;
        count!(store.tally, Spills);
        self.delta = Delta::default();
        self.settled = None;
        Ok(())
    }

    /// The log payload of everything, if it can go into the log: nothing was spilled.
    pub(super) fn payload(&self) -> Option<Vec<u8>> {
        self.spilled
            .is_none()
            .then(|| encode(&self.delta, self.totals.logged()))
    }

    pub(super) fn into_delta(self) -> (Delta, Totals) {
        (self.delta, self.totals)
    }

    /// The trees to commit, once everything was spilled.
    pub(super) fn into_trees(self) -> Option<(Held<Trees>, [Root; 7], Totals)> {
        let (trees, roots) = self.spilled?.into_parts();
        Some((trees, roots, self.totals))
    }
}
