//! What a snapshot is: a base on disk and the committed changes that it does not hold yet.

use std::sync::{Arc, OnceLock};

use crate::delta::Delta;
use crate::graph::{Base, Totals, View};
use crate::ids::KeySpace;

/// One committed state. Immutable; a new commit makes a new one that shares almost everything.
#[derive(Clone)]
pub(crate) struct State {
    /// The trees. Their pages are pinned while any state refers to them.
    pub(crate) base: Arc<Base>,
    /// Changes that a checkpoint is merging into the trees; empty when none is under way.
    pub(crate) frozen: Delta,
    /// Changes committed since the last checkpoint began.
    pub(crate) active: Delta,
    /// Counts and next ids of the whole state.
    pub(crate) totals: Totals,
    /// Number of the commit that made it.
    pub(crate) commit: u64,
    /// Log position that must be durable before a reader may see this state.
    pub(crate) visible_at: u64,
    pub(super) snapshot: Snapshot,
}

/// What every reader of a state shares, made for the first of them. A state that is made from another has its own.
#[derive(Default)]
pub(crate) struct Snapshot(OnceLock<Arc<View>>);

impl Snapshot {
    #[inline]
    pub(super) fn get_or_make(&self, make: impl FnOnce() -> View) -> &Arc<View> {
        self.0.get_or_init(|| Arc::new(make()))
    }
}

impl Clone for Snapshot {
    fn clone(&self) -> Snapshot {
        Snapshot::default()
    }
}

impl State {
    /// The same logical state over newly merged trees.
    pub(crate) fn over(&self, base: &Arc<Base>, merged: Option<Totals>) -> State {
        let mut state = self.clone();
        state.base = Arc::clone(base);
        if let Some(believed) = merged {
            state.frozen = Delta::default();
            let counted = base.root(KeySpace::Out).entries;
            state.totals.edges = (state.totals.edges + counted).saturating_sub(believed.edges);
        }
        state
    }
}
