//! Where the events of one database are noted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::counters::Counter;
use super::counts::Counts;
use super::event::{Action, Event};
use super::ledger::{How, Ledger, Ledgers, PageUse};
use super::register::{Ownership, Register};
use super::tally::Site;
use super::trace::Sink;
use crate::error::Result;
use crate::format::freelist::Run;
use crate::format::page::{Page, PageKind, off};
use crate::ids::{KeySpace, PageRef};

/// The counters of one database, its open ledgers, its register of page owners, its trace.
pub(crate) struct Record {
    cells: [AtomicU64; Counter::ALL.len()],
    ledgers: Ledgers,
    register: Mutex<Register>,
    sink: Sink,
    page_size: AtomicU64,
}

/// Methods named after what happened, called through `count!` only.
impl Record {
    pub(super) fn new(sink: Sink) -> Record {
        Record {
            cells: [const { AtomicU64::new(0) }; Counter::ALL.len()],
            ledgers: Ledgers::default(),
            register: Mutex::default(),
            sink,
            page_size: AtomicU64::new(0),
        }
    }

    /// Adds to a counter, and to the ledgers that this thread has open.
    pub(crate) fn add(&self, counter: Counter, n: u64) {
        if let Some(cell) = self.cells.get(counter as usize) {
            cell.fetch_add(n, Ordering::Relaxed);
        }
        self.ledgers.add(counter, n);
    }

    /// The database has pages of this many bytes.
    pub(crate) fn has_pages_of(&self, bytes: usize) {
        self.page_size.store(bytes as u64, Ordering::Relaxed);
    }

    /// A page was found in a walk's own cache.
    pub(crate) fn page_of_walk(&self, page: &Page) {
        self.add(Counter::TraversalHits, 1);
        self.ledgers.page(page_use(page, How::Walk));
    }

    /// A page was found in the page cache by what asked through this counter.
    pub(crate) fn page_cached(&self, page: &Page, counter: Counter) {
        self.add(counter, 1);
        self.ledgers.page(page_use(page, How::Cached));
    }

    /// A page was read from the file.
    pub(crate) fn page_read(&self, page: &Page) {
        let (kind, level) = (page.kind(), page.level());
        self.add(Counter::read_of(kind, level), 1);
        self.ledgers.page(page_use(page, How::Read));
        self.note(Event {
            birth: Some(page.at().birth()),
            kind: Some(kind),
            space: page.space(),
            level,
            ..self.pages(Action::Read, page.at().page(), 1)
        });
    }

    /// A page left the cache to make room.
    pub(crate) fn page_evicted(&self, at: PageRef) {
        self.add(Counter::CacheEvictions, 1);
        self.note(Event {
            birth: Some(at.birth()),
            ..self.pages(Action::Evict, at.page(), 1)
        });
    }

    /// A page got its content, which is on its way to the file.
    pub(crate) fn page_written(&self, at: PageRef, image: &[u8], site: Site) {
        let byte = |at: usize| image.get(at).copied().unwrap_or_default();
        let level = byte(off::LEVEL);
        let space = KeySpace::from_number(byte(off::SPACE));
        let kind = PageKind::from_number(byte(off::KIND));
        if let Some(kind) = kind {
            self.add(Counter::write_of(kind, level), 1);
            self.ledgers.page(PageUse {
                page: at.page(),
                kind,
                space,
                level,
                how: How::Written,
                times: 1,
            });
        }
        self.note(Event {
            birth: Some(at.birth()),
            kind,
            space,
            level,
            site: site.location(),
            ..self.pages(Action::Write, at.page(), 1)
        });
    }

    /// The freelist of the state that was opened lists these pages.
    pub(crate) fn pages_listed(&self, run: Run) {
        self.note(self.pages(Action::Listed, run.first, run.len));
    }

    /// Pages were taken, by lengthening the file or from those that are free.
    pub(crate) fn pages_taken(&self, run: Run, grown: bool, site: Site) {
        self.add(Counter::PagesAllocated, run.len);
        let (counter, action) = if grown {
            (Counter::PagesGrown, Action::Grow)
        } else {
            (Counter::PagesReused, Action::Reuse)
        };
        self.add(counter, run.len);
        self.note(Event {
            site: site.location(),
            ..self.pages(action, run.first, run.len)
        });
    }

    /// A new state does not reach this page.
    pub(crate) fn page_dropped(&self, at: PageRef, site: Site) {
        self.add(Counter::PagesDropped, 1);
        self.note(Event {
            birth: Some(at.birth()),
            site: site.location(),
            ..self.pages(Action::Drop, at.page(), 1)
        });
    }

    /// The change that dropped these pages did not come about.
    pub(crate) fn pages_restored(&self, pages: &[PageRef], site: Site) {
        self.add(Counter::PagesRestored, pages.len() as u64);
        for at in pages {
            self.note(Event {
                birth: Some(at.birth()),
                site: site.location(),
                ..self.pages(Action::Restore, at.page(), 1)
            });
        }
    }

    /// Dropped pages became free.
    pub(crate) fn pages_freed(&self, pages: &[u64], site: Site) {
        self.given_back(Counter::PagesFreed, Action::Free, pages, site);
    }

    /// The change that took these pages did not come about.
    pub(crate) fn pages_unwound(&self, pages: &[u64], site: Site) {
        self.given_back(Counter::PagesUnwound, Action::Unwind, pages, site);
    }

    /// The same, but a view of the change is still held.
    pub(crate) fn pages_kept(&self, pages: &[u64], site: Site) {
        self.given_back(Counter::PagesKept, Action::Keep, pages, site);
    }

    fn given_back(&self, counter: Counter, action: Action, pages: &[u64], site: Site) {
        self.add(counter, pages.len() as u64);
        for page in pages {
            self.note(Event {
                site: site.location(),
                ..self.pages(action, *page, 1)
            });
        }
    }

    /// Free pages at the end of the file are not counted any more.
    pub(crate) fn pages_trimmed(&self, run: Run) {
        self.add(Counter::PagesTrimmed, run.len);
        self.note(self.pages(Action::Trim, run.first, run.len));
    }

    /// A record was appended to the log.
    pub(crate) fn log_appended(&self, position: u64, bytes: usize) {
        self.add(Counter::LogAppends, 1);
        self.add(Counter::LogAppendBytes, bytes as u64);
        self.note(Event {
            offset: position,
            bytes: bytes as u64,
            ..Event::of(Action::Append)
        });
    }

    /// A file was synced, which this counter counts.
    pub(crate) fn synced(&self, counter: Counter) {
        self.add(counter, 1);
        self.note(Event::of(Action::Sync));
    }

    fn pages(&self, action: Action, page: u64, pages: u64) -> Event {
        let page_size = self.page_size.load(Ordering::Relaxed);
        Event {
            page,
            pages,
            offset: page.saturating_mul(page_size),
            bytes: pages.saturating_mul(page_size),
            ..Event::of(action)
        }
    }

    fn note(&self, event: Event) {
        let mut register = self.register();
        let event = register.note(event);
        // Written under the register's lock, so that lines stand in the order of their numbers.
        if self.sink.is_set() {
            self.sink.write(&event);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let cell = |at| {
            self.cells
                .get(at)
                .map_or(0, |cell: &AtomicU64| cell.load(Ordering::Relaxed))
        };
        Counts::from_fn(cell)
    }

    pub(super) fn ownership(&self) -> Ownership {
        self.register().ownership()
    }

    pub(super) fn end_trace(&self) -> Result<()> {
        self.sink.end()
    }

    pub(super) fn open_ledger(&self) -> usize {
        self.ledgers.open()
    }

    pub(super) fn close_ledger(&self, number: usize) -> Ledger {
        self.ledgers.close(number)
    }

    // Whole after every statement that changes it.
    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn page_use(page: &Page, how: How) -> PageUse {
    PageUse {
        page: page.at().page(),
        kind: page.kind(),
        space: page.space(),
        level: page.level(),
        how,
        times: 1,
    }
}
