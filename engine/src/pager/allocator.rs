//! Which pages are in use, by whom, and which may be written.
//!
//! A page may be reused when no snapshot reaches it and either no durable header ever did, or the
//! state that drops it is durable. So pages that a change drops wait, under the number of the state
//! that the change makes, until no older snapshot is left.
//!
//! Within one change nothing is reused: a page written and dropped by the same change may still be
//! seen through a view of the transaction, and a savepoint may bring it back. Such a view may outlive
//! the change; then what the change undoes or drops of its own waits as well. `seen` says so: it is the
//! state that the view counts as a snapshot of.

use std::collections::{BTreeMap, VecDeque};

use crate::forensics::{Site, Tally, count};
use crate::format::freelist::Run;
use crate::format::header::{Header, first_data_page};
use crate::ids::PageRef;
use crate::plant::planted;

/// The free pages of one database file, and the change under way.
pub(crate) struct Allocator {
    /// Runs of pages that may be written: first page and length.
    free: BTreeMap<u64, u64>,
    page_count: u64,
    /// Pages dropped by states that became durable, waiting for older snapshots to go.
    waiting: VecDeque<Dropped>,
    waiting_pages: u64,
    /// Pages taken by the change under way, in order.
    taken: Vec<u64>,
    /// Pages dropped by the change under way, in order.
    dropped: Vec<PageRef>,
    /// Births from here on belong to the change under way.
    change_from: u64,
    page_count_before: u64,
    tally: Tally,
}

struct Dropped {
    by_state: u64,
    pages: Vec<u64>,
}

/// A place within a change to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    taken: usize,
    dropped: usize,
}

impl Allocator {
    /// An allocator that knows how long the file is, and nothing of its free pages yet.
    pub(crate) fn new(header: &Header, tally: Tally) -> Allocator {
        Allocator {
            free: BTreeMap::new(),
            page_count: header.page_count.max(first_data_page(header.page_size)),
            waiting: VecDeque::new(),
            waiting_pages: 0,
            taken: Vec::new(),
            dropped: Vec::new(),
            change_from: u64::MAX,
            page_count_before: 0,
            tally,
        }
    }

    /// Adds what the freelist of the state says.
    pub(crate) fn load(&mut self, runs: impl IntoIterator<Item = Run>) {
        for run in runs {
            count!(self.tally, pages_listed(run));
            self.free.insert(run.first, run.len);
        }
    }

    /// Begins a change, unless one is under way. Its pages have births from this one on.
    pub(crate) fn begin_change(&mut self, birth: u64) {
        if self.change_from == u64::MAX {
            self.change_from = birth;
            self.page_count_before = self.page_count;
        }
    }

    /// Pages that the state counts, header included.
    pub(crate) fn page_count(&self) -> u64 {
        self.page_count
    }

    /// Pages taken by the change under way.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.len() as u64
    }

    /// Pages that snapshots keep from being reused.
    pub(crate) fn waiting_pages(&self) -> u64 {
        self.waiting_pages
    }

    /// Takes the lowest free page, or lengthens the file.
    pub(crate) fn take(&mut self, site: Site) -> u64 {
        self.take_run(1, site).first
    }

    /// Takes up to this many consecutive pages, at least one.
    pub(crate) fn take_run(&mut self, most: u64, site: Site) -> Run {
        let before = self.page_count;
        let run = match self.free.pop_first() {
            Some((first, len)) if len > most => {
                self.free.insert(first + most, len - most);
                Run { first, len: most }
            }
            Some((first, len)) => Run { first, len },
            None => {
                let first = self.page_count;
                self.page_count += most;
                Run { first, len: most }
            }
        };
        count!(self.tally, pages_taken(run, self.page_count > before, site));
        self.taken.extend(run.first..run.end());
        run
    }

    /// Says that the state of the change under way does not reach this page any more.
    pub(crate) fn drop_page(&mut self, at: PageRef, site: Site) {
        count!(self.tally, page_dropped(at, site));
        if planted!("dropped-pages-reused-at-once") {
            self.free.insert(at.page(), 1);
            return;
        }
        if planted!("pages-dropped-twice") {
            self.dropped.push(at);
        }
        if planted!("dropped-pages-leaked") && at.page().is_multiple_of(2) {
            return;
        }
        self.dropped.push(at);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            taken: self.taken.len(),
            dropped: self.dropped.len(),
        }
    }

    /// Undoes what the change did since the mark.
    #[track_caller]
    pub(crate) fn rollback_to(&mut self, mark: &Mark, seen: Option<u64>) {
        let site = Site::here();
        let restored = self.dropped.get(mark.dropped..).unwrap_or_default();
        count!(self.tally, pages_restored(restored, site));
        self.dropped.truncate(mark.dropped);
        let undone = self.taken.split_off(mark.taken.min(self.taken.len()));
        match seen {
            Some(state) => {
                count!(self.tally, pages_kept(&undone, site));
                self.wait(state + 1, undone);
            }
            None => {
                count!(self.tally, pages_unwound(&undone, site));
                self.give_back(undone);
            }
        }
    }

    /// Ends a change whose state has become durable.
    #[track_caller]
    pub(crate) fn commit_change(&mut self, state: u64, seen: Option<u64>) {
        let site = Site::here();
        let (mut own, mut older) = (Vec::new(), Vec::new());
        for at in self.dropped.drain(..) {
            // No header ever reached what the change itself wrote and dropped.
            let own_alone = at.birth() >= self.change_from && seen.is_none();
            let list = if own_alone { &mut own } else { &mut older };
            list.push(at.page());
        }
        self.taken.clear();
        self.change_from = u64::MAX;
        count!(self.tally, pages_freed(&own, site));
        self.give_back(own);
        self.wait(state, older);
    }

    /// Ends a change that did not come about.
    #[track_caller]
    pub(crate) fn abort_change(&mut self, seen: Option<u64>) {
        if self.change_from == u64::MAX {
            return;
        }
        let start = Mark {
            taken: 0,
            dropped: 0,
        };
        if planted!("pages-leaked-on-abort") {
            self.taken.clear();
        }
        self.rollback_to(&start, seen);
        self.change_from = u64::MAX;
    }

    /// Keeps pages that this state does not reach until no older one is looked at.
    fn wait(&mut self, state: u64, pages: Vec<u64>) {
        self.waiting_pages += pages.len() as u64;
        self.waiting.push_back(Dropped {
            by_state: state,
            pages,
        });
    }

    /// Frees what no snapshot at or after `oldest_state` reaches.
    #[track_caller]
    pub(crate) fn release(&mut self, oldest_state: u64) {
        let site = Site::here();
        while let Some(dropped) = self.waiting.pop_front_if(|dropped| {
            dropped.by_state <= oldest_state || planted!("snapshot-pages-reused")
        }) {
            self.waiting_pages -= dropped.pages.len() as u64;
            count!(self.tally, pages_freed(&dropped.pages, site));
            self.give_back(dropped.pages);
        }
    }

    fn give_back(&mut self, mut pages: Vec<u64>) {
        pages.sort_unstable();
        for page in pages {
            self.insert_run(Run {
                first: page,
                len: 1,
            });
        }
    }

    /// Adds a run and joins it with its neighbours.
    fn insert_run(&mut self, run: Run) {
        let (mut first, mut len) = (run.first, run.len);
        if let Some((&before, &before_len)) = self.free.range(..first).next_back()
            && before + before_len == first
        {
            first = before;
            len += before_len;
        }
        if let Some(after_len) = self.free.remove(&run.end()) {
            len += after_len;
        }
        self.free.insert(first, len);
    }

    /// Everything that the state of the change under way does not reach, in order.
    pub(crate) fn unreached(&self) -> Vec<Run> {
        let mut pages: Vec<u64> = self.dropped.iter().map(|at| at.page()).collect();
        pages.extend(
            self.waiting
                .iter()
                .flat_map(|dropped| dropped.pages.iter().copied()),
        );
        pages.sort_unstable();
        let mut runs: Vec<Run> = Vec::new();
        let mut pages = pages.into_iter().peekable();
        let mut free = self
            .free
            .iter()
            .map(|(&first, &len)| Run { first, len })
            .peekable();
        loop {
            let next = match (pages.peek(), free.peek()) {
                (Some(page), Some(run)) if run.first < *page => free.next(),
                (Some(_), _) => pages.next().map(|first| Run { first, len: 1 }),
                (None, _) => free.next(),
            };
            let Some(next) = next else { return runs };
            match runs.last_mut() {
                Some(last) if last.end() == next.first => last.len += next.len,
                _ => runs.push(next),
            }
        }
    }

    /// Whether the file ends in free pages.
    pub(crate) fn has_free_tail(&self) -> bool {
        self.free
            .last_key_value()
            .is_some_and(|(first, len)| first + len == self.page_count)
    }

    /// Leaves free pages at the end of the file out of what the state counts. Part of a change.
    pub(crate) fn trim_tail(&mut self) {
        if let Some(last) = self.free.last_entry()
            && last.key() + last.get() == self.page_count
        {
            let (first, len) = last.remove_entry();
            count!(self.tally, pages_trimmed(Run { first, len }));
            self.page_count = first;
        }
    }
}

#[cfg(test)]
mod tests;
