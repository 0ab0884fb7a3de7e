//! A transaction that outgrew the write buffer: private trees, written ahead of the commit.

use std::sync::Arc;

use crate::delta::Delta;
use crate::error::Result;
use crate::format::header::Root;
use crate::graph::{DictionaryCache, View};
use crate::pager::Mark as AllocatorMark;
use crate::store::{Held, Store, Trees, merge_all};

/// Trees that only this transaction sees. Dropping it gives their pages back.
pub(super) struct Spilled {
    trees: Held<Trees>,
    roots: [Root; 7],
    /// Names read from these trees. Not the database's: a rollback takes them back.
    dictionary: Arc<DictionaryCache>,
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
        let roots = trees.header().roots;
        Ok(Spilled {
            trees,
            roots,
            dictionary: Arc::default(),
        })
    }

    /// Merges changes into the private trees.
    pub(super) fn merge(&mut self, delta: &Delta) -> Result<()> {
        let mut roots = self.roots;
        let mark = self.trees.mark();
        let merged = self
            .trees
            .writer()
            .and_then(|mut writer| merge_all(delta, &mut roots, &mut writer));
        // The trees are as before then, so the transaction can go on or be tried again.
        merged.inspect_err(|_| self.trees.rollback_to(&mark))?;
        self.roots = roots;
        Ok(())
    }

    /// A view of the private trees.
    pub(super) fn view(&mut self, store: &Store) -> View {
        let mut view = store.view(&store.tip());
        view.layers.clear();
        view.dictionary = Arc::clone(&self.dictionary);
        view.base = self.trees.private_base(self.roots);
        view
    }

    pub(super) fn pages(&self) -> u64 {
        self.trees.written()
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            roots: self.roots,
            allocator: self.trees.mark(),
        }
    }

    pub(super) fn rollback_to(&mut self, mark: &Mark) {
        self.roots = mark.roots;
        self.dictionary = Arc::default();
        self.trees.rollback_to(&mark.allocator);
    }

    /// Hands the trees over to the commit.
    pub(super) fn into_parts(self) -> (Held<Trees>, [Root; 7]) {
        (self.trees, self.roots)
    }
}
