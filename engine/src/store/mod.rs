//! The store: committed states over trees and log, and the ways from one state to the next.
//!
//! Invariants:
//! * The log is the only commit point: a commit is durable when its record is.
//! * `trees` is taken before `commits`, never the other way round.
//! * A state becomes visible to readers only in log order.
//! * A writer holds `writer` from its beginning until its record is appended.

mod checkpoint;
mod close;
mod commit;
mod commits;
mod create;
mod exclusive;
mod files;
mod open;
mod recover;
mod signal;
mod slice;
mod slots;
mod state;
mod trees;

use std::sync::{Arc, PoisonError};

pub(crate) use checkpoint::Slice;
pub(crate) use commit::CommitInput;
pub use commit::{CommitKind, CommitReport};
pub(crate) use exclusive::{Exclusive, Held};
pub(crate) use files::Files;
pub(crate) use signal::Signal;
pub(crate) use slice::merge_all;
pub(crate) use state::State;
pub(crate) use trees::Trees;

use commits::Commits;

use crate::error::{Error, Result};
use crate::forensics::Tally;
use crate::graph::{DictionaryCache, View};
use crate::options::Options;
use crate::pager::Pager;
use crate::recovery::RecoveryReport;
use crate::storage::{Poison, Storage};
use crate::sync::swap::ArcSwap;
use crate::sync::{Mutex, MutexGuard};

/// Everything that the handles, transactions and snapshots of one open database share.
pub(crate) struct Store {
    pub(crate) options: Options,
    pub(crate) files: Files,
    /// The database file. Its lock lives as long as this.
    pub(crate) file: Arc<dyn Storage>,
    pub(crate) pager: Arc<Pager>,
    pub(crate) dictionary: Arc<DictionaryCache>,
    /// The state that new snapshots see.
    published: ArcSwap<State>,
    commits: Mutex<Commits>,
    pub(crate) trees: Arc<Exclusive<Trees>>,
    pub(crate) writer: Arc<Exclusive<()>>,
    pub(crate) recovery: Option<RecoveryReport>,
    pub(crate) poison: Arc<Poison>,
    pub(crate) signal: Arc<Signal>,
    pub(crate) tally: Tally,
}

impl Store {
    // A panic while this is held can only come from a failed allocation; the tip is replaced as a
    // whole, so what is there is a state that was whole.
    fn commits(&self) -> MutexGuard<'_, Commits> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state that readers see now.
    pub(crate) fn published(&self) -> Arc<State> {
        self.published.load_full()
    }

    /// What readers see now, and the number of the newest commit in it.
    #[inline]
    pub(crate) fn snapshot(&self) -> (Arc<View>, u64) {
        let state = self.published.load();
        let view = state.snapshot.get_or_make(|| self.view(&state));
        (Arc::clone(view), state.commit)
    }

    /// The state that the next commit builds on.
    pub(crate) fn tip(&self) -> Arc<State> {
        Arc::clone(&self.commits().tip)
    }

    /// Lets go of every page in memory that no snapshot holds.
    pub(crate) fn drop_caches(&self) {
        self.commits().forget_pages(&self.pager, &self.published);
        self.pager.drop_caches();
    }

    fn wake_checkpointer(&self) {
        self.signal.wake();
    }

    /// Pages that only snapshots still need. 0 while a change of the trees is under way.
    pub(crate) fn pinned_pages(&self) -> u64 {
        self.trees
            .try_acquire()
            .map_or(0, |mut trees| trees.pinned_pages())
    }

    /// An error for whoever wants to write through a handle that only reads.
    pub(crate) fn expect_writable(&self) -> Result<()> {
        if self.options.read_only {
            return Err(Error::usage(
                "the database was opened read-only; open it for writing",
            ));
        }
        Ok(())
    }

    /// Begins a bulk load: the writer's lock, and a log to commit to.
    pub(crate) fn begin_bulk(self: &Arc<Store>) -> Result<Held<()>> {
        self.expect_writable()?;
        let writer = self.writer.acquire();
        self.poison.check()?;
        self.ensure_log()?;
        Ok(writer)
    }

    /// What a state looks like to a reader.
    pub(crate) fn view(&self, state: &State) -> View {
        let layers = [&state.active, &state.frozen];
        View {
            pager: Arc::clone(&self.pager),
            base: Arc::clone(&state.base),
            layers: layers
                .into_iter()
                .filter(|layer| !layer.is_empty())
                .cloned()
                .collect(),
            totals: state.totals,
            dictionary: Arc::clone(&self.dictionary),
            name_index: self.options.name_index,
        }
    }
}

#[cfg(all(test, loom))]
mod tests;
