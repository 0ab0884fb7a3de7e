//! The state of the trees on disk, and the one way to replace it by the next.
//!
//! A *change* (a checkpoint slice, a spilled transaction, a bulk load) writes new pages through
//! [`Trees::writer`], then [`Trees::seal`] makes its pages durable and describes the resulting
//! state, and [`Trees::adopt`] makes that state the current one once it is durable too. A change
//! that fails in between is undone by [`Trees::abandon`]: nothing durable ever named its pages.

use std::sync::{Arc, Weak};

use super::checkpoint::Checkpoint;
use super::slots;
use crate::error::{Error, Result};
use crate::format::header::{Header, Root};
use crate::graph::{Base, Totals};
use crate::pager::{Allocator, Births, PageWriter, Pager};
use crate::storage::Storage;

/// Births reserved at a time. Each reservation costs a header write, so it is sized to be rare
/// (4 GiB of 4 KiB pages) and still far from exhausting 48 bits.
const BIRTHS_RESERVED: u64 = 1 << 20;

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

/// The owner of everything that a change of the trees needs.
pub(crate) struct Trees {
    file: Arc<dyn Storage>,
    pager: Arc<Pager>,
    /// The current state. Durable in a slot, or in a root record whose slot is still to come.
    pub(crate) header: Header,
    pub(crate) allocator: Allocator,
    births: Births,
    /// Bases that snapshots may still hold, oldest first.
    live: Vec<Weak<Base>>,
    freelist_loaded: bool,
    /// The current state stands in a root record only; its slot must be written before the next.
    slot_pending: bool,
    /// The checkpoint under way.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Trees {
    /// The trees as a header describes them. Nothing is read until a change needs it.
    pub(crate) fn new(
        file: Arc<dyn Storage>,
        pager: Arc<Pager>,
        header: Header,
        slot_pending: bool,
    ) -> (Trees, Arc<Base>) {
        let allocator = Allocator::new(&header);
        let births = Births::new(header.birth_limit);
        let base = Arc::new(Base::new(header.clone()));
        let live = vec![Arc::downgrade(&base)];
        let trees = Trees {
            file,
            pager,
            header,
            allocator,
            births,
            live,
            freelist_loaded: false,
            slot_pending,
            checkpoint: None,
        };
        (trees, base)
    }

    /// A writer of pages for the change under way.
    pub(crate) fn writer(&mut self) -> Result<PageWriter<'_>> {
        self.settle_slot()?;
        self.load_freelist()?;
        self.ensure_births()?;
        self.release_unused();
        Ok(PageWriter::new(&self.pager, &mut self.allocator, &mut self.births))
    }

    fn load_freelist(&mut self) -> Result<()> {
        if self.freelist_loaded {
            return Ok(());
        }
        self.allocator.load(&self.pager, &self.header)?;
        self.freelist_loaded = true;
        Ok(())
    }

    /// Makes sure that a change of ordinary size finds its births reserved, before it begins.
    fn ensure_births(&mut self) -> Result<()> {
        if self.births.remaining() >= BIRTHS_RESERVED / 2 {
            return Ok(());
        }
        let mut header = self.header.clone();
        header.birth_limit = self.births.limit() + BIRTHS_RESERVED;
        self.publish_unchanged(header)
    }

    /// Publishes a header that names the same trees: a new birth limit, another log.
    fn publish_unchanged(&mut self, mut header: Header) -> Result<()> {
        self.settle_slot()?;
        header.sequence = self.header.sequence + 1;
        slots::publish(&*self.file, &header)?;
        self.births.extend_to(header.birth_limit);
        self.header = header;
        Ok(())
    }

    /// Reserves births for a new owner and names a log (or none), in one header write.
    pub(crate) fn publish_log(&mut self, covered: Covered) -> Result<()> {
        let mut header = self.header.clone();
        header.birth_limit = self.births.limit() + BIRTHS_RESERVED;
        set_covered(&mut header, covered);
        self.publish_unchanged(header)
    }

    /// Writes the current state to its slot if only a root record holds it yet.
    fn settle_slot(&mut self) -> Result<()> {
        if self.slot_pending {
            slots::publish(&*self.file, &self.header)?;
            self.slot_pending = false;
        }
        Ok(())
    }

    /// Births that the next log's salt is derived from.
    pub(crate) fn birth_limit(&self) -> u64 {
        self.births.limit() + BIRTHS_RESERVED
    }

    /// Writes what the change still holds back, makes all its pages durable, and returns the header
    /// of the new state, which no slot names yet.
    pub(crate) fn seal(&mut self, contents: &Contents, covered: Covered) -> Result<Header> {
        let mut writer = PageWriter::new(&self.pager, &mut self.allocator, &mut self.births);
        let (freelist, free_pages) = writer.write_freelist(self.header.freelist)?;
        writer.flush()?;
        self.file.sync().map_err(|e| Error::io("syncing the database", e))?;
        self.pager.synced();
        let mut header = self.header.clone();
        header.sequence += 1;
        header.birth_limit = self.births.limit();
        header.page_count = self.allocator.page_count();
        header.freelist = freelist;
        header.free_pages = free_pages;
        header.roots = contents.roots;
        header.commit = contents.commit;
        header.next_node = contents.totals.next_node;
        header.kind_count = contents.totals.kinds;
        header.label_count = contents.totals.labels;
        set_covered(&mut header, covered);
        Ok(header)
    }

    /// Writes a sealed state to its slot.
    pub(crate) fn publish(&self, header: &Header) -> Result<()> {
        slots::publish(&*self.file, header)
    }

    /// Makes a durable state the current one and returns the base for new snapshots.
    pub(crate) fn adopt(&mut self, header: Header) -> Arc<Base> {
        self.allocator.commit_change(header.sequence);
        self.header = header.clone();
        let base = Arc::new(Base::new(header));
        self.live.push(Arc::downgrade(&base));
        base
    }

    /// Forgets the change under way: its pages are free again, what it dropped is still in use.
    pub(crate) fn abandon(&mut self) {
        self.allocator.abort_change();
    }

    /// Gives back pages that no snapshot reaches any more.
    fn release_unused(&mut self) {
        self.live.retain(|base| base.strong_count() > 0);
        let oldest = self.live.iter().find_map(|base| base.upgrade().map(|base| base.header.sequence));
        let durable = self.header.sequence;
        self.allocator.release(oldest.unwrap_or(durable), durable);
    }

    /// Whether a snapshot older than the current state is still held.
    pub(crate) fn old_snapshots(&self) -> bool {
        let current = self.header.sequence;
        self.live.iter().filter_map(Weak::upgrade).any(|base| base.header.sequence < current)
    }
}

fn set_covered(header: &mut Header, covered: Covered) {
    header.log_generation = covered.generation;
    header.log_position = covered.position;
    header.log_chain = covered.chain;
}
