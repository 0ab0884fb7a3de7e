//! Moving what is logged into the trees, off the commit path, in slices of key ranges.
//!
//! Beginning a checkpoint switches log segments at a commit boundary and freezes the changes
//! logged before it. Each slice merges a part of them and publishes the result as a whole new
//! state by a header slot. Until the last slice the header still covers the log from before the
//! frozen changes: replaying them over half-merged trees gives the same state, because every
//! logged operation is an outcome.

use std::ops::Bound;

use super::Store;
use super::trees::{Contents, Covered, Trees};
use crate::btree::{Absent, Dictionary, In, Kinds, Names, Nodes, Out, Space, merge};
use crate::delta::{Delta, Overlaid};
use crate::error::Result;
use crate::forensics::count;
use crate::format::header::Root;
use crate::graph::Totals;
use crate::ids::KeySpace;
use crate::pager::PageWriter;
use crate::plant::planted;

/// Changes merged by one slice at the most. Each slice costs two syncs; a larger one holds more
/// pages twice until it is published.
const SLICE_CHANGES: usize = 1 << 18;

/// Pages of one tree that a slice may replace: so many, or a part of the file. Both copies are held until the slice is
/// published. What is added to a tree replaces next to nothing, however much it is.
const SLICE_PAGES: u64 = 128;
const SLICE_PART: u64 = 32;

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

/// How far each key space has been merged.
#[derive(Clone, Default)]
struct Progress {
    dictionary: At<Box<[u8]>>,
    nodes: At<u64>,
    names: At<<Names as Space>::Key>,
    kinds: At<<Kinds as Space>::Key>,
    absent: At<u64>,
    out: At<<Out as Space>::Key>,
    inn: At<<In as Space>::Key>,
}

/// How far one key space has been merged.
#[derive(Clone, Default)]
enum At<K> {
    #[default]
    Start,
    After(K),
    End,
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

    /// Merges up to [`SLICE_CHANGES`] changes, and fewer where they replace more than `pages` pages of a tree. Returns the new roots and whether all is merged.
    fn merge_slice(
        &mut self,
        mut roots: [Root; 7],
        pages: u64,
        writer: &mut PageWriter<'_>,
    ) -> Result<([Root; 7], Progress)> {
        let mut slice = SliceMerge {
            roots: &mut roots,
            writer,
            left: SLICE_CHANGES,
            pages,
        };
        let mut progress = self.progress.clone();
        slice.space::<Dictionary>(&self.delta, &mut progress.dictionary)?;
        slice.space::<Nodes>(&self.delta, &mut progress.nodes)?;
        if !planted!("names-not-merged") {
            slice.space::<Names>(&self.delta, &mut progress.names)?;
        }
        slice.space::<Kinds>(&self.delta, &mut progress.kinds)?;
        slice.space::<Absent>(&self.delta, &mut progress.absent)?;
        slice.space::<Out>(&self.delta, &mut progress.out)?;
        slice.space::<In>(&self.delta, &mut progress.inn)?;
        Ok((roots, progress))
    }
}

impl Progress {
    fn is_complete(&self) -> bool {
        // The key spaces are merged in order, so the last one tells.
        matches!(self.inn, At::End)
    }
}

struct SliceMerge<'a, 'w> {
    roots: &'a mut [Root; 7],
    writer: &'a mut PageWriter<'w>,
    /// Changes that the slice may still merge.
    left: usize,
    /// Pages of each tree that it may replace before it ends.
    pages: u64,
}

impl SliceMerge<'_, '_> {
    fn space<S: Overlaid>(&mut self, delta: &Delta, at: &mut At<S::Key>) -> Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        let from = match at {
            At::Start => Bound::Unbounded,
            At::After(key) => Bound::Excluded(&*key),
            At::End => return Ok(()),
        };
        let mut last = None;
        let mut taken = 0;
        let mut full = false;
        let limit = self.left;
        let dropped = self.writer.dropped();
        let most = dropped.get().saturating_add(self.pages);
        let more = |taken: usize| taken < limit && (taken == 0 || dropped.get() < most);
        let mut changes = S::changes(delta, from);
        let part = std::iter::from_fn(|| {
            full = !more(taken);
            if full {
                return None;
            }
            let (key, change) = changes.next()?;
            taken += 1;
            last = Some(key.clone());
            Some(Ok((key, change)))
        });
        let root = root_mut(self.roots, S::SPACE);
        *root = merge::<S>(*root, part, self.writer)?.0;
        (*at, self.left) = match last {
            Some(key) if full => (At::After(key), 0),
            _ => (At::End, self.left - taken),
        };
        Ok(())
    }
}

fn root_mut(roots: &mut [Root; 7], space: KeySpace) -> &mut Root {
    let [nodes, out, inn, names, kinds, dictionary, absent] = roots;
    match space {
        KeySpace::Nodes => nodes,
        KeySpace::Out => out,
        KeySpace::In => inn,
        KeySpace::Names => names,
        KeySpace::Kinds => kinds,
        KeySpace::Dictionary => dictionary,
        KeySpace::Absent => absent,
    }
}

/// Merges a whole delta into trees that a change under way is building.
pub(crate) fn merge_all(
    delta: &Delta,
    roots: &mut [Root; 7],
    writer: &mut PageWriter<'_>,
) -> Result<()> {
    let mut whole = SliceMerge {
        roots,
        writer,
        left: usize::MAX,
        pages: u64::MAX,
    };
    let mut progress = Progress::default();
    whole.space::<Dictionary>(delta, &mut progress.dictionary)?;
    whole.space::<Nodes>(delta, &mut progress.nodes)?;
    whole.space::<Names>(delta, &mut progress.names)?;
    whole.space::<Kinds>(delta, &mut progress.kinds)?;
    whole.space::<Absent>(delta, &mut progress.absent)?;
    whole.space::<Out>(delta, &mut progress.out)?;
    whole.space::<In>(delta, &mut progress.inn)
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
        let pages = SLICE_PAGES.max(before.page_count / SLICE_PART);
        let (roots, progress) =
            checkpoint.merge_slice(before.roots, pages, &mut trees.writer()?)?;
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
