//! Merging a part of what a delta holds into the trees: one slice of a checkpoint, or all of it.

use std::cell::Cell;
use std::ops::Bound;
use std::rc::Rc;
use std::thread;

use crate::btree::{
    Absent, Change, Dictionary, In, Kinds, Names, Nodes, Out, Space, StagedLeaves, merge,
    merge_staged, stage_leaves,
};
use crate::delta::{ChangesOf, Delta, Overlaid};
use crate::error::Result;
use crate::format::header::Root;
use crate::ids::KeySpace;
use crate::pager::{PageWriter, Pager, Stage};
use crate::plant::planted;

/// Changes merged by one slice at the most; of edges as many from either end. Each slice costs two syncs; a larger one
/// holds more pages twice until it is published.
const SLICE_CHANGES: usize = 1 << 18;

/// Pages of one tree that a slice may replace: so many, or a part of the file. Both copies are held until the slice is
/// published. What is added to a tree replaces next to nothing, however much it is.
const SLICE_PAGES: u64 = 128;
const SLICE_PART: u64 = 32;

/// From so many edges on, the two directions are merged by two threads. Starting one takes the time of merging some
/// hundred.
const BESIDE_EDGES: usize = 1 << 14;

/// How much is merged at once.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    changes: usize,
    /// Pages of each tree that may be replaced.
    pages: u64,
    /// Whether a second thread may help. It changes nothing but the time that it takes.
    helped: bool,
}

impl Bounds {
    /// What a slice of a file of so many pages may merge.
    pub(super) fn slice(file_pages: u64, helped: bool) -> Bounds {
        Bounds {
            changes: SLICE_CHANGES,
            pages: SLICE_PAGES.max(file_pages / SLICE_PART),
            helped,
        }
    }

    const ALL: Bounds = Bounds {
        changes: usize::MAX,
        pages: u64::MAX,
        helped: false,
    };
}

/// How far each key space has been merged.
#[derive(Clone, Default)]
pub(super) struct Progress {
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

impl Progress {
    /// Merges what comes next into the trees of these roots, within the bounds.
    pub(super) fn merge(
        &mut self,
        delta: &Delta,
        roots: &mut [Root; 7],
        bounds: Bounds,
        writer: &mut PageWriter<'_>,
    ) -> Result<()> {
        let mut slice = Slice {
            delta,
            roots,
            writer,
            bounds,
        };
        slice.space::<Dictionary>(&mut self.dictionary)?;
        slice.space::<Nodes>(&mut self.nodes)?;
        if !planted!("names-not-merged") {
            slice.space::<Names>(&mut self.names)?;
        }
        slice.space::<Kinds>(&mut self.kinds)?;
        slice.space::<Absent>(&mut self.absent)?;
        slice.edges(&mut self.out, &mut self.inn)
    }

    pub(super) fn is_complete(&self) -> bool {
        // The other key spaces are merged before the edges.
        matches!((&self.out, &self.inn), (At::End, At::End))
    }
}

/// Merges a whole delta into trees that a change under way is building.
pub(crate) fn merge_all(
    delta: &Delta,
    roots: &mut [Root; 7],
    writer: &mut PageWriter<'_>,
) -> Result<()> {
    Progress::default().merge(delta, roots, Bounds::ALL, writer)
}

struct Slice<'a, 'w> {
    delta: &'a Delta,
    roots: &'a mut [Root; 7],
    writer: &'a mut PageWriter<'w>,
    /// What may still be merged.
    bounds: Bounds,
}

impl Slice<'_, '_> {
    fn space<S: Overlaid>(&mut self, at: &mut At<S::Key>) -> Result<()> {
        if self.bounds.changes == 0 {
            return Ok(());
        }
        let dropped = self.writer.dropped();
        let Some(mut part) = Part::<S>::after(at, self.delta, self.bounds, dropped) else {
            return Ok(());
        };
        let root = root_mut(self.roots, S::SPACE);
        *root = merge::<S>(*root, &mut part, self.writer)?.0;
        (*at, self.bounds.changes) = part.reached();
        Ok(())
    }

    /// Both directions, each within the same bounds, so that neither waits for the other.
    fn edges(
        &mut self,
        out: &mut At<<Out as Space>::Key>,
        inn: &mut At<<In as Space>::Key>,
    ) -> Result<()> {
        // What both directions replace is held twice at the same time.
        self.bounds.pages = self.bounds.pages.div_ceil(2);
        let bounds = self.bounds;
        if bounds.changes == 0 {
            return Ok(());
        }
        if bounds.helped && In::len(self.delta) >= BESIDE_EDGES {
            return self.edges_beside(out, inn);
        }
        self.space::<Out>(out)?;
        self.bounds = bounds;
        self.space::<In>(inn)
    }

    /// The same by two threads: another makes the leaves of the incoming edges while this one merges the outgoing.
    fn edges_beside(
        &mut self,
        out: &mut At<<Out as Space>::Key>,
        inn: &mut At<<In as Space>::Key>,
    ) -> Result<()> {
        let (delta, bounds, pager) = (self.delta, self.bounds, self.writer.pager());
        let root = *root_mut(self.roots, KeySpace::In);
        let from = inn.clone();
        thread::scope(|scope| {
            let stage = move || stage_part::<In>(pager, root, delta, &from, bounds);
            let helper = thread::Builder::new()
                .name("vellum-merge".to_owned())
                .spawn_scoped(scope, stage);
            self.space::<Out>(out)?;
            self.bounds = bounds;
            let Ok(helper) = helper else {
                // No thread is to be had: one does it all.
                return self.space::<In>(inn);
            };
            let staged = helper
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            if let Some((leaves, reached)) = staged? {
                let root = root_mut(self.roots, KeySpace::In);
                *root = merge_staged::<In>(*root, leaves, self.writer)?.0;
                *inn = reached;
            }
            Ok(())
        })
    }
}

/// The leaves after the next part of a key space, and how far that part goes. `None` if nothing is left to merge.
fn stage_part<S: Overlaid<Value = ()>>(
    pager: &Pager,
    root: Root,
    delta: &Delta,
    from: &At<S::Key>,
    bounds: Bounds,
) -> Result<Option<(StagedLeaves, At<S::Key>)>> {
    let stage = Stage::default();
    let Some(mut part) = Part::<S>::after(from, delta, bounds, stage.dropped()) else {
        return Ok(None);
    };
    let leaves = stage_leaves::<S>(root, &mut part, pager, stage)?;
    Ok(Some((leaves, part.reached().0)))
}

/// The changes of a key space from where an earlier slice ended, as far as the bounds allow.
struct Part<'d, S: Overlaid> {
    changes: ChangesOf<'d, S>,
    changes_max: usize,
    /// Pages given up so far, and how many may be.
    dropped: Rc<Cell<u64>>,
    dropped_max: u64,
    taken: usize,
    full: bool,
    last: Option<S::Key>,
}

impl<'d, S: Overlaid> Part<'d, S> {
    fn after(
        at: &At<S::Key>,
        delta: &'d Delta,
        bounds: Bounds,
        dropped: Rc<Cell<u64>>,
    ) -> Option<Part<'d, S>> {
        let from = match at {
            At::Start => Bound::Unbounded,
            At::After(key) => Bound::Excluded(key),
            At::End => return None,
        };
        Some(Part {
            changes: S::changes(delta, from),
            changes_max: bounds.changes,
            dropped_max: dropped.get().saturating_add(bounds.pages),
            dropped,
            taken: 0,
            full: false,
            last: None,
        })
    }

    /// How far the part went, and how many changes more it might have had.
    fn reached(self) -> (At<S::Key>, usize) {
        match self.last {
            Some(key) if self.full => (At::After(key), 0),
            _ => (At::End, self.changes_max - self.taken),
        }
    }
}

impl<S: Overlaid> Iterator for Part<'_, S> {
    type Item = Result<(S::Key, Change<S::Value>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let more = self.taken == 0 || self.dropped.get() < self.dropped_max;
        self.full = self.taken >= self.changes_max || !more;
        if self.full {
            return None;
        }
        let (key, change) = self.changes.next()?;
        self.taken += 1;
        self.last = Some(key.clone());
        Some(Ok((key, change)))
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
