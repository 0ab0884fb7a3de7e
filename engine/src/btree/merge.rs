//! Merging a sorted batch of changes into a tree, bottom-up, one level after the other.
//!
//! The leaves that the changes fall into are rewritten, which changes separators; these changes are
//! merged into the branches above by the same code, and so on until a level is a single page.
//! Neighbouring pages that change form one run and come out full. What is held in memory is a page or
//! two, and one separator for each page written.

use std::cmp::Ordering;
use std::iter::Peekable;

use super::branch::{BranchBuilder, children};
use super::descent::Descent;
use super::run::{Level, Run, Separators};
use super::space::{Change, Space};
use crate::error::{Error, Result};
use crate::forensics::{Tally, count};
use crate::format::header::Root;
use crate::format::limits::MAX_LEVEL;
use crate::format::node::BlobRef;
use crate::format::sorted::least_separator;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PageGuard, PageSink, PageWriter, Pager, Pages, Stage, Steps};
use crate::plant::planted;

/// How the items of a tree changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MergeCounts {
    pub(crate) added: u64,
    pub(crate) removed: u64,
    pub(crate) replaced: u64,
}

/// The leaves of a tree after a merge, and what the branches have to change for them.
struct MergedLeaves {
    separators: Separators,
    counts: MergeCounts,
    grown: i64,
}

/// The leaves of a tree after a merge, to be written by the owner of the file.
pub(crate) struct StagedLeaves {
    leaves: MergedLeaves,
    steps: Steps,
}

/// Merges strictly ascending changes into a tree and returns the new root. The old tree stays as it
/// is; pages of it that the new one does not use are dropped through the writer.
pub(crate) fn merge<S: Space>(
    root: Root,
    changes: impl Iterator<Item = Result<(S::Key, Change<S::Value>)>>,
    writer: &mut PageWriter<'_>,
) -> Result<(Root, MergeCounts)> {
    let mut store = |value: &S::Value, writer: &mut PageWriter<'_>| S::store(value, writer);
    let release = |old: &S::Stored, writer: &mut PageWriter<'_>| {
        S::blob(old).map_or(Ok(()), |blob| writer.drop_blob(blob))
    };
    let pager = writer.pager();
    let leaves = merge_leaves::<S, _>(root, pager, changes, writer, &mut store, release)?;
    merge_branches::<S>(root, leaves, writer)
}

/// The first half of [`merge`], by a thread that does not own the file. Only trees without blobs can be merged so.
pub(crate) fn stage_leaves<S: Space<Value = ()>>(
    root: Root,
    changes: impl Iterator<Item = Result<(S::Key, Change<()>)>>,
    pager: &Pager,
    mut stage: Stage,
) -> Result<StagedLeaves> {
    let mut store = |value: &(), _: &mut Stage| Ok(S::stored(value));
    let nothing = |_: &S::Stored, _: &mut Stage| Ok(());
    let leaves = merge_leaves::<S, _>(root, pager, changes, &mut stage, &mut store, nothing)?;
    let steps = stage.into_steps();
    Ok(StagedLeaves { leaves, steps })
}

/// The second half, by the owner.
pub(crate) fn merge_staged<S: Space<Value = ()>>(
    root: Root,
    staged: StagedLeaves,
    writer: &mut PageWriter<'_>,
) -> Result<(Root, MergeCounts)> {
    let StagedLeaves { mut leaves, steps } = staged;
    let written = writer.write_staged(steps)?;
    for (_, change) in &mut leaves.separators {
        if let Change::Put(at) = change {
            // Every page that a separator leads to was written to the stage.
            *at = written
                .get(Stage::index_of(*at))
                .copied()
                .unwrap_or(PageRef::NOWHERE);
        }
    }
    merge_branches::<S>(root, leaves, writer)
}

/// What turns a value into what a leaf keeps of it.
type Store<'a, S, W> =
    &'a mut dyn FnMut(&<S as Space>::Value, &mut W) -> Result<<S as Space>::Stored>;

fn merge_leaves<S: Space, W: PageSink>(
    root: Root,
    pager: &Pager,
    changes: impl Iterator<Item = Result<(S::Key, Change<S::Value>)>>,
    writer: &mut W,
    store: Store<'_, S, W>,
    release: fn(&S::Stored, &mut W) -> Result<()>,
) -> Result<MergedLeaves> {
    let mut merge = Merge {
        root,
        pager,
        writer,
        counts: MergeCounts::default(),
        grown: 0,
    };
    let space = Leaves::<S>(std::marker::PhantomData);
    let separators = merge.level(&space, changes, store, release)?;
    Ok(MergedLeaves {
        separators,
        counts: merge.counts,
        grown: merge.grown,
    })
}

/// Merges what changed among the leaves into the branches.
fn merge_branches<S: Space>(
    root: Root,
    leaves: MergedLeaves,
    writer: &mut PageWriter<'_>,
) -> Result<(Root, MergeCounts)> {
    let MergedLeaves {
        mut separators,
        counts,
        mut grown,
    } = leaves;
    count!(writer.pager().tally(), Merges, !separators.is_empty());
    count!(
        writer.pager().tally(),
        MergeChanges,
        counts.added + counts.removed + counts.replaced
    );
    for level in 1..=MAX_LEVEL + 1 {
        if level >= root.height && puts(&separators) <= 1 {
            break;
        }
        if level > MAX_LEVEL {
            return Err(Error::Limit {
                what: "levels of a tree",
                max: MAX_LEVEL.into(),
                got: level.into(),
            });
        }
        let mut branches = Merge {
            root,
            pager: writer.pager(),
            writer,
            counts: MergeCounts::default(),
            grown: 0,
        };
        let changes = std::mem::take(&mut separators).into_iter().map(Ok);
        separators = branches.level(
            &Branches {
                space: S::SPACE,
                level,
            },
            changes,
            &mut keep,
            |_, _| Ok(()),
        )?;
        grown += branches.grown;
    }
    writer.flush()?;
    let entries = (root.entries + counts.added).saturating_sub(counts.removed);
    let pages = root.pages.saturating_add_signed(grown);
    let top = if separators.is_empty() && entries == root.entries {
        root.page
    } else {
        last_put(&separators)
    };
    let root = collapse::<S>(
        writer,
        Root {
            page: top,
            height: 0,
            entries,
            pages,
        },
    )?;
    Ok((root, counts))
}

fn keep(at: &PageRef, _: &mut PageWriter<'_>) -> Result<PageRef> {
    Ok(*at)
}

fn puts(separators: &Separators) -> usize {
    separators
        .iter()
        .filter(|(_, change)| matches!(change, Change::Put(_)))
        .count()
}

fn last_put(separators: &Separators) -> Option<PageRef> {
    separators
        .iter()
        .rev()
        .find_map(|(_, change)| match change {
            Change::Put(at) => Some(*at),
            Change::Delete => None,
        })
}

/// Takes branches with a single child off the top, and finds the height.
fn collapse<S: Space>(writer: &mut PageWriter<'_>, mut root: Root) -> Result<Root> {
    let Some(mut at) = root.page else {
        return Ok(Root::default());
    };
    for _ in 0..=MAX_LEVEL {
        let page = writer.pager().read_direct(at)?;
        if page.space() != Some(S::SPACE) {
            return Err(writer.pager().corrupt(at, "a root is of another key space"));
        }
        root.page = Some(at);
        root.height = page.level() + 1;
        let only = page
            .sorted()
            .filter(|view| page.level() > 0 && view.len() == 1);
        let Some(view) = only else { return Ok(root) };
        writer.drop_page(at);
        root.pages = root.pages.saturating_sub(1);
        at = view.child(0);
    }
    Err(writer
        .pager()
        .corrupt(at, "a tree is deeper than any can be"))
}

struct Leaves<S>(std::marker::PhantomData<S>);

impl<S: Space> Level for Leaves<S> {
    type Key = S::Key;
    type Stored = S::Stored;
    type Builder = S::Builder;

    fn space(&self) -> KeySpace {
        S::SPACE
    }

    fn level(&self) -> u8 {
        0
    }

    fn encode_key(&self, key: &S::Key, out: &mut Vec<u8>) {
        S::encode_key(key, out);
    }

    fn is_below(&self, key: &S::Key, bound: &[u8], buffer: &mut Vec<u8>) -> bool {
        S::is_below(key, bound, buffer)
    }

    fn items(&self, page: &PageGuard) -> Result<Vec<(S::Key, S::Stored)>> {
        S::items(page)
            .map_err(|rule| Error::corrupt_page(page.at().page(), page.bytes().len(), rule.0))
    }
}

struct Branches {
    space: KeySpace,
    level: u8,
}

impl Level for Branches {
    type Key = Vec<u8>;
    type Stored = PageRef;
    type Builder = BranchBuilder;

    fn space(&self) -> KeySpace {
        self.space
    }

    fn level(&self) -> u8 {
        self.level
    }

    fn encode_key(&self, key: &Vec<u8>, out: &mut Vec<u8>) {
        out.extend_from_slice(key);
    }

    fn is_below(&self, key: &Vec<u8>, bound: &[u8], _: &mut Vec<u8>) -> bool {
        key.as_slice() < bound
    }

    fn items(&self, page: &PageGuard) -> Result<Vec<(Vec<u8>, PageRef)>> {
        Ok(children(page))
    }
}

/// Reads that leave the cache to those who will come back.
pub(super) struct Uncached<'a>(pub(super) &'a Pager);

impl Pages for Uncached<'_> {
    fn page(&self, at: PageRef, space: KeySpace, level: u8) -> Result<PageGuard> {
        self.0.page_uncached(at, space, level)
    }

    fn blob(&self, at: BlobRef) -> Result<Vec<u8>> {
        self.0.blob(at)
    }

    fn page_size(&self) -> usize {
        self.0.page_size()
    }

    fn tally(&self) -> &Tally {
        self.0.tally()
    }
}

struct Merge<'m, W> {
    root: Root,
    pager: &'m Pager,
    writer: &'m mut W,
    counts: MergeCounts,
    grown: i64,
}

/// One level's merge: the changes still to come, and how their values are stored and released.
struct Feed<'f, I: Iterator, V, S, W> {
    changes: Peekable<I>,
    store: &'f mut dyn FnMut(&V, &mut W) -> Result<S>,
    release: fn(&S, &mut W) -> Result<()>,
    /// Where the next change's key is encoded, if it must be.
    key: Vec<u8>,
}

impl<W: PageSink> Merge<'_, W> {
    fn level<L: Level, V>(
        &mut self,
        level: &L,
        changes: impl Iterator<Item = Result<(L::Key, Change<V>)>>,
        store: &mut dyn FnMut(&V, &mut W) -> Result<L::Stored>,
        release: fn(&L::Stored, &mut W) -> Result<()>,
    ) -> Result<Separators> {
        let mut feed = Feed {
            changes: changes.peekable(),
            store,
            release,
            key: Vec::new(),
        };
        let mut separators = Separators::new();
        let pages = Uncached(self.pager);
        // A level above the old root has no pages yet.
        let root = if level.level() < self.root.height {
            self.root
        } else {
            Root::default()
        };
        let mut descent = Descent::new(&pages, level.space(), root, level.level());
        let mut key = Vec::new();
        while let Some(next) = feed.changes.peek() {
            let Ok((next, _)) = next else { break };
            key.clear();
            level.encode_key(next, &mut key);
            descent.seek(&key)?;
            let (mut changed, grown) = self.run(level, &mut descent, &mut feed)?;
            self.grown += grown;
            separators.append(&mut changed);
        }
        // What stopped the loop, if anything is left, is an error of the source.
        match feed.changes.next() {
            Some(Err(error)) => Err(error),
            _ => Ok(separators),
        }
    }

    /// Rewrites the page that the descent stands on, and those after it as far as changes or the need
    /// for a neighbour reach.
    fn run<L: Level, V, I>(
        &mut self,
        level: &L,
        descent: &mut Descent<'_, Uncached<'_>>,
        feed: &mut Feed<'_, I, V, L::Stored, W>,
    ) -> Result<(Separators, i64)>
    where
        I: Iterator<Item = Result<(L::Key, Change<V>)>>,
    {
        let page_size = self.pager.page_size();
        let first = match descent.is_leftmost() {
            true => least_separator(level.space()).to_vec(),
            false => descent.separator(),
        };
        count!(self.pager.tally(), MergeRuns);
        let mut run = Run::new(level, page_size, first);
        let mut absorbed = false;
        loop {
            let upper = descent.upper();
            let items = match descent.page()? {
                Some(page) => {
                    run.replaces(descent.separator());
                    self.writer.drop_page(page.at());
                    let items = level.items(&page)?;
                    note_replaced(self.pager, level.level(), items.len());
                    items
                }
                None => Vec::new(),
            };
            self.merge_page(level, items, upper.as_deref(), feed, &mut run)?;
            if upper.is_none() || !descent.advance()? {
                // Nothing follows: what is appended next finds a full page before it.
                return run.finish(false, self.pager, self.writer);
            }
            let touched = touches(level, feed, descent.upper().as_deref());
            if !touched && (absorbed || !run.is_underfull()) {
                return run.finish(true, self.pager, self.writer);
            }
            absorbed |= !touched;
        }
    }

    /// Merges the items of one page with the changes that fall into it.
    fn merge_page<L: Level, V, I>(
        &mut self,
        level: &L,
        items: Vec<(L::Key, L::Stored)>,
        upper: Option<&[u8]>,
        feed: &mut Feed<'_, I, V, L::Stored, W>,
        run: &mut Run<'_, L>,
    ) -> Result<()>
    where
        I: Iterator<Item = Result<(L::Key, Change<V>)>>,
    {
        let mut items = items.into_iter().peekable();
        while touches(level, feed, upper) {
            let Some(change) = feed.changes.next() else {
                break;
            };
            let (key, change) = change?;
            while let Some((old, stored)) = items.next_if(|(old, _)| *old < key) {
                run.push(old, &stored, self.writer)?;
            }
            let old = items.next_if(|(old, _)| old.cmp(&key) == Ordering::Equal);
            if let Some((_, stored)) = &old {
                (feed.release)(stored, self.writer)?;
            }
            match (&change, old.is_some()) {
                (Change::Put(_), false) => self.counts.added += 1,
                (Change::Put(_), true) => self.counts.replaced += 1,
                (Change::Delete, true) => self.counts.removed += 1,
                (Change::Delete, false) => {}
            }
            if let Change::Put(value) = change {
                let stored = (feed.store)(&value, self.writer)?;
                run.push(key, &stored, self.writer)?;
            }
        }
        let lost = usize::from(planted!("merge-loses-an-item") && items.len() > 3);
        for (old, stored) in items.skip(lost) {
            run.push(old, &stored, self.writer)?;
        }
        Ok(())
    }
}

/// Counts a page that is rewritten.
fn note_replaced(pager: &Pager, level: u8, items: usize) {
    if level > 0 {
        count!(pager.tally(), BranchesReplaced);
        return;
    }
    count!(pager.tally(), LeavesReplaced);
    count!(pager.tally(), LeavesDecoded);
    count!(pager.tally(), ItemsCarried, items);
}

/// Whether the next change falls below this separator.
fn touches<L: Level, V, S, I, W>(
    level: &L,
    feed: &mut Feed<'_, I, V, S, W>,
    upper: Option<&[u8]>,
) -> bool
where
    I: Iterator<Item = Result<(L::Key, Change<V>)>>,
{
    let Some(Ok((key, _))) = feed.changes.peek() else {
        return false;
    };
    let Some(upper) = upper else { return true };
    level.is_below(key, upper, &mut feed.key)
}
