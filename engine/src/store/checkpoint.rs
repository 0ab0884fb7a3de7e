//! Moving what is logged into the trees, off the commit path, in slices of key ranges.
//!
//! Beginning a checkpoint switches log segments at a commit boundary and freezes the changes
//! logged before it. Each slice merges a part of them and publishes the result as a whole new
//! state by a header slot. Until the last slice the header still covers the log from before the
//! frozen changes: replaying them over half-merged trees gives the same state, because every
//! logged operation is an outcome.

use super::Store;
use super::slice::{Bounds, Progress};
use super::trees::{Contents, Covered, Trees};
use crate::delta::Delta;
use crate::error::Result;
use crate::forensics::count;
use crate::graph::Totals;
use crate::options::CheckpointMode;
use crate::plant::planted;

/// A checkpoint under way.
#[derive(Clone)]
pub(crate) struct Checkpoint {
    delta: Delta,
    totals: Totals,
    commit: u64,
    /// What the header covers once the last slice is published.
    covered: Covered,
    progress: Progress,
}

/// What one [`Store::checkpoint_slice`] found to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slice {
    /// No checkpoint is under way.
    Nothing,
    /// A part was merged, and more is left.
    More,
    /// The last part was merged.
    Last,
}

impl Checkpoint {
    pub(crate) fn new(delta: Delta, totals: Totals, commit: u64, covered: Covered) -> Checkpoint {
        Checkpoint {
            delta,
            totals,
            commit,
            covered,
            progress: Progress::default(),
        }
    }
}

impl Store {
    /// Freezes what is committed so far, unless a checkpoint is already under way.
    pub(crate) fn begin_checkpoint(&self) -> Result<()> {
        let mut trees = self.trees.acquire();
        self.begin_checkpoint_in(&mut trees)
    }

    pub(crate) fn begin_checkpoint_in(&self, trees: &mut Trees) -> Result<()> {
        if trees.checkpoint.is_some() {
            return Ok(());
        }
        let mut commits = self.commits();
        if commits.tip.active.is_empty() {
            return Ok(());
        }
        let early = planted!("checkpoint-misses-commits").then(|| commits.tip.active.clone());
        if early.is_some() {
            drop(commits);
            commits = self.commits();
        }
        let covered = commits.start_segment()?;
        // Starting a segment made every earlier record durable, so all of them may be seen.
        commits.publish_all(&self.published);
        let mut state = (*commits.tip).clone();
        state.frozen = std::mem::take(&mut state.active);
        if let Some(early) = early {
            state.frozen = early;
        }
        if planted!("frozen-changes-dropped") {
            state.frozen = Delta::default();
        }
        trees.checkpoint = Some(Checkpoint::new(
            state.frozen.clone(),
            state.totals,
            state.commit,
            covered,
        ));
        commits.replace_tip(state, &self.published);
        count!(self.tally, Checkpoints);
        Ok(())
    }

    /// Merges one slice of the checkpoint under way and publishes the result.
    pub(crate) fn checkpoint_slice(&self) -> Result<Slice> {
        let mut trees = self.trees.acquire();
        self.checkpoint_slice_in(&mut trees)
    }

    pub(crate) fn checkpoint_slice_in(&self, trees: &mut Trees) -> Result<Slice> {
        // A copy, so that whatever happens the slice can be tried again: losing what was frozen would lose
        // commits.
        let Some(mut checkpoint) = trees.checkpoint.clone() else {
            return Ok(Slice::Nothing);
        };
        let merged = self.merge_and_publish(trees, &mut checkpoint);
        // Nothing durable names the new pages of a slice that failed.
        if planted!("checkpoint-error-swallowed") && merged.is_err() {
            trees.abandon();
            trees.checkpoint = None;
            return Ok(Slice::Last);
        }
        let done = merged.inspect_err(|_| trees.abandon())?;
        trees.checkpoint = (!done).then_some(checkpoint);
        Ok(if done { Slice::Last } else { Slice::More })
    }

    fn merge_and_publish(&self, trees: &mut Trees, checkpoint: &mut Checkpoint) -> Result<bool> {
        let before = trees.header().clone();
        let bounds = Bounds::slice(
            before.page_count,
            self.options.checkpoint == CheckpointMode::Background,
        );
        let mut roots = before.roots;
        let mut progress = checkpoint.progress.clone();
        progress.merge(&checkpoint.delta, &mut roots, bounds, &mut trees.writer()?)?;
        let done = progress.is_complete();
        let contents = Contents {
            roots,
            totals: checkpoint.totals,
            commit: if done {
                checkpoint.commit
            } else {
                before.commit
            },
        };
        let covered = if done {
            checkpoint.covered
        } else {
            Covered::of(&before)
        };
        let sealed = trees.seal(&contents, covered)?;
        let pages = trees.written();
        let base = trees.publish(sealed)?;
        count!(self.tally, CheckpointSlices);
        count!(self.tally, CheckpointPages, pages);
        checkpoint.progress = progress;
        let merged = done.then_some(checkpoint.totals);
        self.commits().rebase(&base, merged, &self.published);
        if done {
            self.commits().recycle(checkpoint.covered);
        }
        Ok(done)
    }

    /// Runs the checkpoint under way to its end. Several threads may help.
    pub(crate) fn finish_checkpoint(&self) -> Result<()> {
        while self.checkpoint_slice()? == Slice::More {}
        Ok(())
    }

    /// Moves everything committed into the trees.
    pub(crate) fn drain_in(&self, trees: &mut Trees) -> Result<()> {
        // A checkpoint under way covers only what was frozen; a second one takes the rest.
        for _ in 0..2 {
            self.begin_checkpoint_in(trees)?;
            while self.checkpoint_slice_in(trees)? == Slice::More {}
        }
        Ok(())
    }
}
