//! A transaction that outgrew the write buffer: private trees, written ahead of the commit.

use std::sync::Arc;

use crate::delta::Delta;
use crate::error::Result;
use crate::format::header::Root;
use crate::graph::{Base, View};
use crate::pager::Mark as AllocatorMark;
use crate::store::{Held, Store, Trees, merge_all};

/// Trees that only this transaction sees. Dropping it gives their pages back.
pub(super) struct Spilled {
    trees: Held<Trees>,
    roots: [Root; 7],
    committed: bool,
}

/// A place to roll a spilled transaction back to.
pub(super) struct Mark {
    roots: [Root; 7],
    allocator: AllocatorMark,
}

impl Spilled {
    /// Takes the trees, once everything committed before is merged into them.
    pub(super) fn begin(store: &Store) -> Result<Spilled> {
        store.ensure_log()?;
        let mut trees = store.trees.acquire();
        store.drain_in(&mut trees)?;
        let roots = trees.header.roots;
        Ok(Spilled { trees, roots, committed: false })
    }

    /// Merges changes into the private trees.
    pub(super) fn merge(&mut self, delta: &Delta) -> Result<()> {
        let mut roots = self.roots;
        let mut writer = self.trees.writer()?;
        merge_all(delta, &mut roots, &mut writer)?;
        // Later reads of this transaction go through the cache to the file.
        writer.flush()?;
        self.roots = roots;
        Ok(())
    }

    /// A view of the private trees.
    pub(super) fn view(&self, store: &Store) -> View {
        let mut header = self.trees.header.clone();
        header.roots = self.roots;
        let mut view = store.view(&store.tip());
        view.layers.clear();
        view.base = Arc::new(Base::new(header));
        view
    }

    pub(super) fn pages(&self) -> u64 {
        self.trees.allocator.allocated()
    }

    pub(super) fn mark(&mut self) -> Mark {
        Mark { roots: self.roots, allocator: self.trees.allocator.mark() }
    }

    pub(super) fn rollback_to(&mut self, mark: &Mark) {
        self.roots = mark.roots;
        self.trees.allocator.rollback_to(&mark.allocator);
    }

    /// Hands the trees over to the commit.
    pub(super) fn into_parts(mut self) -> (Option<Held<Trees>>, [Root; 7]) {
        self.committed = true;
        (None, self.roots)
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        if !self.committed {
            self.trees.abandon();
        }
    }
}
