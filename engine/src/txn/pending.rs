//! What a write transaction has changed so far, and how it looks from inside.

use super::spill::Spilled;
use crate::delta::{Batch, Delta};
use crate::error::{Error, Result};
use crate::graph::{Totals, View};
use crate::ids::NodeId;
use crate::store::{State, Store};
use std::sync::Arc;

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
    spilled: Option<super::spill::Mark>,
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
    spilled: Option<Spilled>,
    changed: bool,
    /// The view of everything settled, until something changes.
    view: Option<View>,
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
            totals: state.totals.clone(),
            spilled: None,
            changed: false,
            view: None,
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

    pub(super) fn spilled(&self) -> Option<&Spilled> {
        self.spilled.as_ref()
    }

    pub(super) fn pending(&self) -> Pending {
        Pending {
            changes: (self.batch.len() + self.delta.len()) as u64,
            bytes: (self.batch.bytes() + self.delta.bytes()) as u64,
            pages: self.spilled.as_ref().map_or(0, Spilled::pages),
        }
    }

    /// Notes that something is about to change.
    pub(super) fn touch(&mut self) {
        self.changed = true;
        self.view = None;
    }

    /// Everything done so far, sorted and numbered, over the state below.
    pub(super) fn view(&mut self, store: &Store) -> Result<View> {
        self.settle(store)?;
        Ok(self.settled_view(store))
    }

    fn settled_view(&mut self, store: &Store) -> View {
        if let Some(view) = &self.view {
            return view.clone();
        }
        let mut view = match &self.spilled {
            Some(spilled) => spilled.view(store),
            None => store.view(&self.state),
        };
        if !self.delta.is_empty() {
            view.layers.insert(0, self.delta.clone());
        }
        view.totals = self.totals.clone();
        self.view = Some(view.clone());
        view
    }

    /// Sorts what came in and gives blind edges their ordinals.
    pub(super) fn settle(&mut self, store: &Store) -> Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let below = self.view_below(store);
        let batch = std::mem::take(&mut self.batch);
        let resolved = batch.resolve(store.options.unique_edges, |source, label, target| {
            below.highest_ordinal(source, label, target)
        })?;
        self.delta.apply(resolved);
        self.view = None;
        Ok(())
    }

    /// The view without what `batch` holds.
    fn view_below(&mut self, store: &Store) -> View {
        self.view = None;
        self.settled_view(store)
    }

    pub(super) fn exists(&mut self, store: &Store, id: NodeId) -> Result<bool> {
        if id.get() >= self.totals.next_node {
            return Ok(false);
        }
        // A node that this transaction made and did not delete needs no look at the trees.
        if let Some(exists) = self.batch.node_exists(id.get()) {
            return Ok(exists);
        }
        let view = match &self.view {
            Some(view) => view.clone(),
            None => self.view_for_existence(store),
        };
        view.contains_node(id)
    }

    /// A view that need not hold unsettled edges.
    fn view_for_existence(&mut self, store: &Store) -> View {
        self.settled_view(store)
    }

    pub(super) fn savepoint(&mut self, store: &Store) -> Result<Savepoint> {
        self.settle(store)?;
        let number = self.next_savepoint;
        self.next_savepoint += 1;
        self.savepoints.push(number);
        Ok(Savepoint {
            delta: self.delta.clone(),
            totals: self.totals.clone(),
            spilled: self.spilled.as_mut().map(Spilled::mark),
            number,
            owner: Arc::clone(&self.identity),
        })
    }

    pub(super) fn rollback_to(&mut self, savepoint: &Savepoint) -> Result<()> {
        let ours = Arc::ptr_eq(&savepoint.owner, &self.identity);
        if !ours || !self.savepoints.contains(&savepoint.number) {
            return Err(Error::usage("the savepoint is not of this transaction, or was rolled back over"));
        }
        self.savepoints.retain(|number| *number <= savepoint.number);
        self.batch = Batch::default();
        self.delta = savepoint.delta.clone();
        self.totals = savepoint.totals.clone();
        self.view = None;
        match (&mut self.spilled, &savepoint.spilled) {
            (Some(spilled), Some(mark)) => spilled.rollback_to(mark),
            (spilled, None) => *spilled = None,
            (None, Some(_)) => {}
        }
        Ok(())
    }
}
