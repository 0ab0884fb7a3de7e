//! What one call, or one transaction, did.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use super::counters::Counter;
use super::counts::Counts;
use crate::format::page::PageKind;
use crate::ids::KeySpace;

/// Pages that one ledger lists; the rest is only counted.
const PAGES_MAX: usize = 4096;

/// How a page was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum How {
    /// Found in a walk's own cache.
    Walk,
    /// Found in the page cache.
    Cached,
    /// Read from the file.
    Read,
    /// Written.
    Written,
}

impl How {
    /// The word used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            How::Walk => "walk",
            How::Cached => "cached",
            How::Read => "read",
            How::Written => "written",
        }
    }
}

/// A page that a call used, and how often in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PageUse {
    /// The page's number.
    pub page: u64,
    /// What it holds.
    pub kind: PageKind,
    /// The key space that it belongs to, if one.
    pub space: Option<KeySpace>,
    /// 0 for a leaf, then upwards.
    pub level: u8,
    /// How it was come by.
    pub how: How,
    /// How often.
    pub times: u64,
}

/// What one thread did to a database while the ledger was open. See
/// [`Database::with_ledger`](crate::Database::with_ledger).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Ledger {
    /// Every counter, for this thread only.
    pub counts: Counts,
    /// The pages that were used, in the order of their first use.
    pub pages: Vec<PageUse>,
    /// Uses of further pages that are not listed: 4,096 are.
    pub uses_left_out: u64,
}

impl Ledger {
    /// How many different pages were looked at, cached or read.
    pub fn pages_touched(&self) -> usize {
        let mut pages: Vec<u64> = self
            .pages
            .iter()
            .filter(|used| used.how != How::Written)
            .map(|used| used.page)
            .collect();
        pages.sort_unstable();
        pages.dedup();
        pages.len()
    }
}

/// A ledger being written.
struct Open {
    number: usize,
    thread: ThreadId,
    ledger: Ledger,
    places: HashMap<(u64, How), usize>,
}

impl Open {
    fn page(&mut self, used: PageUse) {
        let next = self.ledger.pages.len();
        let place = match self.places.get(&(used.page, used.how)) {
            Some(place) => *place,
            None if next < PAGES_MAX => {
                self.places.insert((used.page, used.how), next);
                self.ledger.pages.push(PageUse { times: 0, ..used });
                next
            }
            None => {
                self.ledger.uses_left_out += used.times;
                return;
            }
        };
        if let Some(listed) = self.ledger.pages.get_mut(place) {
            listed.times += used.times;
        }
    }
}

/// The ledgers that are open on one database, each for the thread that opened it.
#[derive(Default)]
pub(super) struct Ledgers {
    /// Read without the lock, so that a build that counts stays fast while no ledger is open.
    count: AtomicUsize,
    open: Mutex<Vec<Open>>,
}

impl Ledgers {
    /// Opens a ledger for this thread.
    pub(super) fn open(&self) -> usize {
        let mut open = self.all();
        let number = open.iter().map(|one| one.number).max().unwrap_or(0) + 1;
        open.push(Open {
            number,
            thread: std::thread::current().id(),
            ledger: Ledger::default(),
            places: HashMap::new(),
        });
        self.count.store(open.len(), Ordering::Relaxed);
        number
    }

    /// Closes it and returns what it holds.
    pub(super) fn close(&self, number: usize) -> Ledger {
        let mut open = self.all();
        let place = open.iter().position(|one| one.number == number);
        let closed = place.map(|place| open.swap_remove(place).ledger);
        self.count.store(open.len(), Ordering::Relaxed);
        closed.unwrap_or_default()
    }

    pub(super) fn add(&self, counter: Counter, n: u64) {
        self.for_this_thread(|open| open.ledger.counts.add(counter, n));
    }

    pub(super) fn page(&self, used: PageUse) {
        self.for_this_thread(|open| open.page(used));
    }

    fn for_this_thread(&self, mut note: impl FnMut(&mut Open)) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let thread = std::thread::current().id();
        self.all()
            .iter_mut()
            .filter(|open| open.thread == thread)
            .for_each(&mut note);
    }

    // Whole after every statement that changes it.
    fn all(&self) -> MutexGuard<'_, Vec<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
