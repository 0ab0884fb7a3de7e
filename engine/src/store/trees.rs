//! The state of the trees on disk, and the one way to replace it by the next.
//!
//! A *change* (a checkpoint slice, a spilled transaction, a bulk load) writes new pages through
//! [`Trees::writer`], then [`Trees::seal`] makes its pages durable and describes the resulting
//! state, and [`Trees::publish`] makes that state durable and current. A change that fails in between
//! is undone by [`Trees::abandon`]: nothing durable ever named its pages. Trees that come back from
//! whoever held them are never in the middle of a change.

use std::sync::Arc;

use super::checkpoint::Checkpoint;
use super::exclusive::Lent;
use super::slots::Slots;
use crate::error::{Error, Result};
use crate::forensics::{Counter, Site, count};
use crate::format::header::{Header, Root};
use crate::graph::{Base, Totals};
use crate::ids::{KeySpace, PageRef};
use crate::pager::{Allocator, Births, Mark, PageWriter, Pager, read_freelist};
use crate::plant::planted;
use crate::sync::counted;

/// What the trees of a state hold, as far as the header says it.
pub(crate) struct Contents {
    pub(crate) roots: [Root; 7],
    pub(crate) totals: Totals,
    /// Number of the last commit that the trees hold whole.
    pub(crate) commit: u64,
}

/// Through where the trees hold the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Covered {
    /// First segment that recovery needs; 0 for no log.
    pub(crate) generation: u64,
    /// Log position through which everything is in the trees.
    pub(crate) position: u64,
    /// Checksum of the last record before that position.
    pub(crate) chain: u64,
}

impl Covered {
    /// What a header says it covers.
    pub(crate) fn of(header: &Header) -> Covered {
        Covered {
            generation: header.log_generation,
            position: header.log_position,
            chain: header.log_chain,
        }
    }

    fn put(self, header: &mut Header) {
        header.log_generation = self.generation;
        header.log_position = self.position;
        header.log_chain = self.chain;
    }
}

/// The owner of everything that a change of the trees needs.
pub(crate) struct Trees {
    pager: Arc<Pager>,
    slots: Slots,
    allocator: Allocator,
    births: Births,
    /// Pages of the current freelist chain; `None` until a change needs the freelist.
    freelist: Option<Vec<PageRef>>,
    /// What snapshots may still reach, oldest first.
    live: Vec<counted::Weak<u64>>,
    /// What views into changes may reach, which may outlive them.
    private: Vec<counted::Weak<u64>>,
    /// The checkpoint under way.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Trees {
    /// The trees as the current header describes them. Nothing is read until a change needs it.
    pub(crate) fn new(pager: Arc<Pager>, slots: Slots) -> (Trees, Arc<Base>) {
        let header = slots.header.clone();
        let allocator = Allocator::new(&header, pager.tally().clone());
        let births = Births::from(header.birth_limit);
        let base = Arc::new(Base::new(header, &pager));
        let live = vec![counted::Arc::downgrade(&base.reach)];
        let trees = Trees {
            pager,
            slots,
            allocator,
            births,
            freelist: None,
            live,
            private: Vec::new(),
            checkpoint: None,
        };
        (trees, base)
    }

    /// The current state.
    pub(crate) fn header(&self) -> &Header {
        &self.slots.header
    }

    /// A writer of pages for the change under way.
    #[track_caller]
    pub(crate) fn writer(&mut self) -> Result<PageWriter<'_>> {
        let site = Site::here();
        self.slots.settle()?;
        if self.freelist.is_none() {
            let list = read_freelist(&self.pager, &self.slots.header)?;
            if !planted!("freelist-forgotten") {
                self.allocator.load(list.runs);
            }
            self.freelist = Some(list.pages);
        }
        self.release_unused();
        Ok(PageWriter::new(
            &self.pager,
            &mut self.allocator,
            &mut self.births,
            &mut self.slots,
            site,
        ))
    }

    /// Makes the current state durable in its slot if it may not be.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.slots.settle()
    }

    /// Publishes the same trees with another log, or none. Reserves births for this owner.
    pub(crate) fn publish_log(&mut self, covered: Covered) -> Result<()> {
        self.slots.publish_same(|header| covered.put(header))?;
        self.births.extend_to(self.slots.header.birth_limit);
        Ok(())
    }

    /// The limit of births that [`publish_log`](Trees::publish_log) will state: no log before had it.
    pub(crate) fn next_birth_limit(&self) -> u64 {
        self.slots.next_birth_limit()
    }

    /// Writes what the change still holds back, makes all its pages durable, and returns the header
    /// of the new state, which nothing durable names yet, with the pages of its freelist.
    pub(crate) fn seal(
        &mut self,
        contents: &Contents,
        covered: Covered,
    ) -> Result<(Header, Vec<PageRef>)> {
        let old = self.freelist.clone().unwrap_or_default();
        let mut writer = self.writer()?;
        let (freelist, free_pages) = writer.write_freelist(&old)?;
        writer.flush()?;
        drop(writer);
        if !planted!("pages-not-synced") {
            self.pager
                .file()
                .sync()
                .map_err(|e| Error::io("syncing the database", e))?;
        }
        count!(self.pager.tally(), synced(Counter::PageSyncs));
        self.pager.synced();
        let mut header = self.slots.header.clone();
        header.sequence += 1;
        if planted!("slot-over-the-newest") {
            header.sequence += 1;
        }
        header.page_count = self.allocator.page_count();
        header.freelist = freelist.first().copied();
        header.free_pages = free_pages;
        header.roots = contents.roots;
        if !planted!("node-count-stale") {
            header.node_count = contents.roots[KeySpace::Nodes.index()].entries;
        }
        header.edge_count = contents.roots[KeySpace::Out.index()].entries;
        header.commit = contents.commit;
        header.next_node = contents.totals.next_node;
        header.kind_count = contents.totals.kinds;
        header.label_count = contents.totals.labels;
        covered.put(&mut header);
        // Counts that damage made differ from the trees must not become a state.
        header.check().map_err(|rule| {
            Error::corrupt_at(0, format!("the next state would be wrong: {rule}"))
        })?;
        Ok((header, freelist))
    }

    /// Makes a sealed state durable in its slot, and current. Returns the base for new snapshots.
    pub(crate) fn publish(
        &mut self,
        (header, freelist): (Header, Vec<PageRef>),
    ) -> Result<Arc<Base>> {
        self.slots.publish(header)?;
        Ok(self.adopt(freelist))
    }

    /// Makes a state current that a durable root record holds. If writing its slot fails, nobody
    /// writes any more, and recovery finds the record.
    pub(crate) fn publish_recorded(
        &mut self,
        (header, freelist): (Header, Vec<PageRef>),
    ) -> (Arc<Base>, Result<()>) {
        let written = self.slots.publish_recorded(header);
        (self.adopt(freelist), written)
    }

    fn adopt(&mut self, freelist: Vec<PageRef>) -> Arc<Base> {
        let header = self.slots.header.clone();
        let seen = self.seen();
        self.allocator.commit_change(header.sequence, seen);
        self.freelist = Some(freelist);
        let base = Arc::new(Base::new(header, &self.pager));
        self.live.push(counted::Arc::downgrade(&base.reach));
        base
    }

    /// Forgets the change under way: its pages are free again, what it dropped is still in use.
    #[track_caller]
    pub(crate) fn abandon(&mut self) {
        let seen = self.seen();
        self.allocator.abort_change(seen);
    }

    /// Pages written by the change under way.
    pub(crate) fn written(&self) -> u64 {
        self.allocator.taken()
    }

    /// Pages that snapshots keep from being reused.
    pub(crate) fn pinned_pages(&mut self) -> u64 {
        self.release_unused();
        self.allocator.waiting_pages()
    }

    /// A place within the change under way.
    pub(crate) fn mark(&self) -> Mark {
        self.allocator.mark()
    }

    /// Undoes what the change under way did since the mark.
    #[track_caller]
    pub(crate) fn rollback_to(&mut self, mark: &Mark) {
        let seen = self.seen();
        self.allocator.rollback_to(mark, seen);
    }

    /// The base of a view into the change under way. While it is held, no page is reused that its roots
    /// may reach, whatever becomes of the change.
    pub(crate) fn private_base(&mut self, roots: [Root; 7]) -> Arc<Base> {
        let mut header = self.slots.header.clone();
        header.roots = roots;
        let base = Arc::new(Base::private(header));
        self.live.push(counted::Arc::downgrade(&base.reach));
        self.private.retain(|reach| reach.strong_count() > 0);
        self.private.push(counted::Arc::downgrade(&base.reach));
        base
    }

    /// The state up to which undone pages of the change under way may be looked at: `None` if nobody
    /// looks into it.
    fn seen(&self) -> Option<u64> {
        self.has_private_views()
            .then_some(self.slots.header.sequence)
    }

    /// Whether views into changes are held.
    pub(crate) fn has_private_views(&self) -> bool {
        self.private.iter().any(|reach| reach.strong_count() > 0)
    }

    /// Gives back pages that no snapshot reaches any more.
    fn release_unused(&mut self) {
        self.live.retain(|reach| reach.strong_count() > 0);
        let oldest = self
            .live
            .iter()
            .find_map(counted::Weak::upgrade)
            .map(|reach| *reach);
        self.allocator
            .release(oldest.unwrap_or(self.slots.header.sequence));
    }

    /// Whether a snapshot older than the current state is still held.
    fn old_snapshots(&self) -> bool {
        let current = self.slots.header.sequence;
        self.live
            .iter()
            .filter_map(counted::Weak::upgrade)
            .any(|reach| *reach < current)
    }

    /// Publishes a state that does not count free pages at the end of the file, unless snapshots may
    /// need them.
    pub(crate) fn trim(&mut self, contents: &Contents) -> Result<()> {
        drop(self.writer()?);
        if self.old_snapshots() || !self.allocator.has_free_tail() {
            self.abandon();
            return Ok(());
        }
        self.allocator.trim_tail();
        let sealed = self.seal(contents, Covered::of(&self.slots.header))?;
        self.publish(sealed)?;
        Ok(())
    }
}

impl Lent for Trees {
    fn come_back(&mut self) {
        self.abandon();
    }
}
