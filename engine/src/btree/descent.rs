//! Walking down a tree to one level, and along it.

use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::header::Root;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PageGuard, Pages};

/// A place on one level of a tree: the branches above it, and which child was taken in each.
pub(crate) struct Descent<'a, P> {
    pages: &'a P,
    space: KeySpace,
    root: Root,
    level: u8,
    path: Vec<Step>,
    at: Option<PageRef>,
}

struct Step {
    branch: PageGuard,
    child: usize,
}

impl<'a, P: Pages> Descent<'a, P> {
    /// Towards pages of this level; nowhere yet.
    pub(crate) fn new(pages: &'a P, space: KeySpace, root: Root, level: u8) -> Descent<'a, P> {
        Descent {
            pages,
            space,
            root,
            level,
            path: Vec::new(),
            at: None,
        }
    }

    /// Goes to the page that holds this key, or would.
    pub(crate) fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.path.clear();
        self.at = None;
        let Some(mut at) = self.root.page else {
            return Ok(());
        };
        count!(self.pages.tally(), Descents);
        for level in (self.level + 1..self.root.height).rev() {
            count!(self.pages.tally(), DescentPages);
            let branch = self.pages.page(at, self.space, level)?;
            let child = view(&branch, self.pages)?.child_for(key);
            at = self.step(branch, child)?;
        }
        self.at = Some(at);
        Ok(())
    }

    /// Goes on to the next page of the level; `false` at the end.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.at = None;
        while let Some(step) = self.path.pop() {
            if step.child + 1 < step.branch.count() {
                let level = step.branch.level();
                let mut at = self.step(step.branch, step.child + 1)?;
                for level in (self.level + 1..level).rev() {
                    let branch = self.pages.page(at, self.space, level)?;
                    at = self.step(branch, 0)?;
                }
                self.at = Some(at);
                count!(self.pages.tally(), LeafSteps);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes back to the page before; `false` at the beginning.
    pub(crate) fn retreat(&mut self) -> Result<bool> {
        self.at = None;
        while let Some(step) = self.path.pop() {
            if let Some(before) = step.child.checked_sub(1) {
                let level = step.branch.level();
                let mut at = self.step(step.branch, before)?;
                for level in (self.level + 1..level).rev() {
                    let branch = self.pages.page(at, self.space, level)?;
                    let last = branch.count().saturating_sub(1);
                    at = self.step(branch, last)?;
                }
                self.at = Some(at);
                count!(self.pages.tally(), LeafSteps);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn step(&mut self, branch: PageGuard, child: usize) -> Result<PageRef> {
        let at = view(&branch, self.pages)?.child(child);
        self.path.push(Step { branch, child });
        Ok(at)
    }

    /// The page that the descent stands on.
    pub(crate) fn page(&self) -> Result<Option<PageGuard>> {
        self.at
            .map(|at| self.pages.page(at, self.space, self.level))
            .transpose()
    }

    /// The separator that leads to this page; empty for the root.
    pub(crate) fn separator(&self) -> Vec<u8> {
        let mut key = Vec::new();
        if let Some(step) = self.path.last()
            && let Some(view) = step.branch.sorted()
        {
            view.key(step.child, &mut key);
        }
        key
    }

    /// The separator that leads to the next page of the level, if there is one.
    pub(crate) fn upper(&self) -> Option<Vec<u8>> {
        let step = self
            .path
            .iter()
            .rev()
            .find(|step| step.child + 1 < step.branch.count())?;
        let mut key = Vec::new();
        step.branch.sorted()?.key(step.child + 1, &mut key);
        Some(key)
    }

    /// Whether this is the first page of its level.
    pub(crate) fn is_leftmost(&self) -> bool {
        self.path.iter().all(|step| step.child == 0)
    }
}

fn view<'p>(
    branch: &'p PageGuard,
    pages: &impl Pages,
) -> Result<crate::format::sorted::SortedPage<'p>> {
    branch.sorted().ok_or_else(|| {
        Error::corrupt_page(
            branch.at().page(),
            pages.page_size(),
            "a branch is not a sorted page",
        )
    })
}
