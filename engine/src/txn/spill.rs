//! A transaction that outgrew the write buffer: private trees, written ahead of the commit.

use std::sync::Arc;

use crate::delta::Delta;
use crate::error::{Error, Result};
use crate::format::header::Root;
use crate::graph::{DictionaryCache, View};
use crate::pager::Mark as AllocatorMark;
use crate::store::{Held, Store, Trees, merge_all};

/// Trees that only this transaction sees. Dropping it gives their pages back.
pub(super) struct Spilled {
    /// `None` once they were handed over to a commit.
    trees: Option<Held<Trees>>,
    roots: [Root; 7],
    /// Names read from these trees. Not the database's: a rollback takes them back.
    dictionary: Arc<DictionaryCache>,
}

/// A place to roll a spilled transaction back to.
pub(super) struct Mark {
    roots: [Root; 7],
    allocator: Option<AllocatorMark>,
}

impl Spilled {
    /// Takes the trees, once everything committed before is merged into them.
    pub(super) fn begin(store: &Store) -> Result<Spilled> {
        store.ensure_log()?;
        let mut trees = store.trees.acquire();
        store.drain_in(&mut trees)?;
        let roots = trees.header().roots;
        Ok(Spilled {
            trees: Some(trees),
            roots,
            dictionary: Arc::default(),
        })
    }

    fn trees(&mut self) -> Result<&mut Trees> {
        self.trees.as_deref_mut().ok_or(Error::Poisoned)
    }

    /// Merges changes into the private trees.
    pub(super) fn merge(&mut self, delta: &Delta) -> Result<()> {
        let mut roots = self.roots;
        let trees = self.trees()?;
        let mark = trees.allocator.mark();
        let merged = trees
            .writer()
            .and_then(|mut writer| merge_all(delta, &mut roots, &mut writer));
        if let Err(error) = merged {
            // The trees are as before, so the transaction can go on or be tried again.
            trees.allocator.rollback_to(&mark);
            return Err(error);
        }
        self.roots = roots;
        Ok(())
    }

    /// A view of the private trees.
    pub(super) fn view(&self, store: &Store) -> View {
        let mut view = store.view(&store.tip());
        view.layers.clear();
        view.dictionary = Arc::clone(&self.dictionary);
        view.base = Arc::new(view.base.private(self.roots));
        view
    }

    pub(super) fn pages(&self) -> u64 {
        self.trees
            .as_ref()
            .map_or(0, |trees| trees.allocator.taken())
    }

    pub(super) fn mark(&self) -> Mark {
        let allocator = self.trees.as_ref().map(|trees| trees.allocator.mark());
        Mark {
            roots: self.roots,
            allocator,
        }
    }

    pub(super) fn rollback_to(&mut self, mark: &Mark) {
        self.roots = mark.roots;
        self.dictionary = Arc::default();
        if let (Some(trees), Some(mark)) = (&mut self.trees, &mark.allocator) {
            trees.allocator.rollback_to(mark);
        }
    }

    /// Hands the trees over to the commit.
    pub(super) fn into_parts(mut self) -> Option<(Held<Trees>, [Root; 7])> {
        Some((self.trees.take()?, self.roots))
    }
}

impl Drop for Spilled {
    fn drop(&mut self) {
        if let Some(trees) = &mut self.trees {
            trees.abandon();
        }
    }
}
