//! A run: consecutive pages of one level that are replaced together, streamed through one builder.

use super::space::{Change, LeafBuilder};
use crate::error::{Error, Result};
use crate::format::sorted::least_separator;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PageGuard, PageSink, Pager};

/// One level of a tree, as far as merging needs to know it.
pub(super) trait Level {
    type Key: Ord + Clone;
    type Stored: Clone;
    type Builder: LeafBuilder<Self::Key, Self::Stored>;

    fn space(&self) -> KeySpace;
    fn level(&self) -> u8;
    fn encode_key(&self, key: &Self::Key, out: &mut Vec<u8>);
    fn is_below(&self, key: &Self::Key, bound: &[u8], buffer: &mut Vec<u8>) -> bool;
    fn items(&self, page: &PageGuard) -> Result<Vec<(Self::Key, Self::Stored)>>;
}

/// What replaces a run: changes of the separators in the level above, ascending.
pub(super) type Separators = Vec<(Vec<u8>, Change<PageRef>)>;

/// A page that is complete and not written yet, so that it can share with the one after it.
struct Complete {
    separator: Vec<u8>,
    image: Box<[u8]>,
    used: usize,
}

pub(super) struct Run<'l, L: Level> {
    level: &'l L,
    page_size: usize,
    builder: L::Builder,
    /// Leads to the page being built.
    separator: Vec<u8>,
    last: Option<L::Key>,
    held: Option<Complete>,
    written: Vec<(Vec<u8>, PageRef)>,
    replaced: Vec<Vec<u8>>,
}

impl<'l, L: Level> Run<'l, L> {
    /// A run whose first page is led to by this separator.
    pub(super) fn new(level: &'l L, page_size: usize, separator: Vec<u8>) -> Run<'l, L> {
        Run {
            level,
            page_size,
            builder: L::Builder::new(page_size, level.space(), level.level()),
            separator,
            last: None,
            held: None,
            written: Vec::new(),
            replaced: Vec::new(),
        }
    }

    /// Notes that the run replaces the page that this separator leads to.
    pub(super) fn replaces(&mut self, separator: Vec<u8>) {
        self.replaced.push(separator);
    }

    pub(super) fn push(
        &mut self,
        key: L::Key,
        stored: &L::Stored,
        writer: &mut impl PageSink,
    ) -> Result<()> {
        // Reading a leaf checks each of its blocks, but neither order within a block nor that its
        // keys lie where the branches above say. Builders rely on both.
        if self.last.as_ref() >= Some(&key) {
            let what = format!("items of {} do not ascend", self.level.space());
            return Err(Error::corrupt_at(0, what));
        }
        if !self.builder.push(&key, stored) {
            self.complete_page(&key, writer)?;
            if !self.builder.push(&key, stored) {
                return Err(Error::usage(
                    "an item is larger than a page; its limits were not checked",
                ));
            }
        }
        self.last = Some(key);
        Ok(())
    }

    fn complete_page(&mut self, next: &L::Key, writer: &mut impl PageSink) -> Result<()> {
        let separator = self.separator_before(next);
        let used = self.builder.size();
        let image = self.builder.finish();
        let page = Complete {
            separator: std::mem::replace(&mut self.separator, separator),
            image,
            used,
        };
        if let Some(before) = self.held.replace(page) {
            self.write(before, writer)?;
        }
        Ok(())
    }

    /// The shortest key greater than everything below the last item and not greater than the next. The
    /// items of a branch are themselves separators: keys below the last may be as great as anything
    /// below the next, so only the next one itself will do.
    fn separator_before(&self, next: &L::Key) -> Vec<u8> {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        if let Some(last) = &self.last {
            self.level.encode_key(last, &mut before);
        }
        self.level.encode_key(next, &mut after);
        // A branch's last child reaches up to the next separator, so only leaves can cut it short.
        if self.level.level() == 0 {
            let shared = before
                .iter()
                .zip(&after)
                .take_while(|(a, b)| a == b)
                .count();
            // Branches search keys that begin with an id fastest if none is shorter than the id.
            after.truncate((shared + 1).max(least_separator(self.level.space()).len()));
        }
        after
    }

    fn write(&mut self, page: Complete, writer: &mut impl PageSink) -> Result<()> {
        let at = writer.write(page.image)?;
        self.written.push((page.separator, at));
        Ok(())
    }

    /// Whether the run ends in a page less than half full that has no predecessor to share with.
    pub(super) fn is_underfull(&self) -> bool {
        self.held.is_none() && self.builder.size() < self.page_size / 2
    }

    /// Writes what is left and says what the level above has to change. `balance`: the last two
    /// pages share their items evenly if the last is less than half full.
    pub(super) fn finish(
        mut self,
        balance: bool,
        pager: &Pager,
        writer: &mut impl PageSink,
    ) -> Result<(Separators, i64)> {
        if !self.builder.is_empty() {
            let used = self.builder.size();
            let image = self.builder.finish();
            let tail = Complete {
                separator: std::mem::take(&mut self.separator),
                image,
                used,
            };
            match self.held.take() {
                Some(before) if balance && used < self.page_size / 2 => {
                    self.share(before, tail, pager, writer)?;
                }
                Some(before) => {
                    self.write(before, writer)?;
                    self.write(tail, writer)?;
                }
                None => self.write(tail, writer)?,
            }
        } else if let Some(before) = self.held.take() {
            self.write(before, writer)?;
        }
        let grown = self.written.len() as i64 - self.replaced.len() as i64;
        Ok((separators(self.replaced, self.written), grown))
    }

    /// Distributes the items of two pages evenly.
    fn share(
        &mut self,
        before: Complete,
        tail: Complete,
        pager: &Pager,
        writer: &mut impl PageSink,
    ) -> Result<()> {
        let half = usize::midpoint(before.used, tail.used);
        self.separator = before.separator;
        self.last = None;
        let mut cut = false;
        for image in [before.image, tail.image] {
            let page = pager.temporary(image)?;
            for (key, stored) in self.level.items(&page)? {
                if !cut && self.builder.size() >= half && self.last.is_some() {
                    self.complete_page(&key, writer)?;
                    cut = true;
                }
                self.push(key, &stored, writer)?;
            }
        }
        if let Some(first) = self.held.take() {
            self.write(first, writer)?;
        }
        let used = self.builder.size();
        let last = Complete {
            separator: std::mem::take(&mut self.separator),
            image: self.builder.finish(),
            used,
        };
        self.write(last, writer)
    }
}

/// Deletions of the old separators and puts of the new ones, in one ascending list.
fn separators(replaced: Vec<Vec<u8>>, written: Vec<(Vec<u8>, PageRef)>) -> Separators {
    let mut changes = Vec::with_capacity(replaced.len() + written.len());
    let mut replaced = replaced.into_iter().peekable();
    for (separator, at) in written {
        while let Some(old) = replaced.next_if(|old| *old < separator) {
            changes.push((old, Change::Delete));
        }
        // The put of the same key says enough.
        replaced.next_if_eq(&separator);
        changes.push((separator, Change::Put(at)));
    }
    changes.extend(replaced.map(|old| (old, Change::Delete)));
    changes
}
