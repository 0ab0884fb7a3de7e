//! Pages that are held on to, so that reading them again takes no look into the cache.
//!
//! Invariant: pins leave a share of the cache's budget to pages that nobody holds on to, so that the
//! cache always finds one to put out.

use std::sync::Arc;

use super::cache::Frame;
use crate::format::names::NamesPage;
use crate::format::page::Page;
use crate::format::sorted::{Layout, SortedPage};
use crate::sync::atomic::{AtomicUsize, Ordering};

/// Memory that a held page takes beside the page itself, the holder's share included, in bytes.
const PIN_BYTES: usize = size_of::<PagePin>() + 40;
/// The share of the budget that pins leave alone, as a divisor.
const FREE_SHARE: usize = 16;

/// How much is held on to, and may be, in bytes.
pub(crate) struct Pins {
    /// The pages, and what is kept for each of them.
    held: AtomicUsize,
    /// Without the pages.
    beside: AtomicUsize,
    budget: usize,
    frame_bytes: usize,
}

impl Pins {
    pub(super) fn new(capacity_bytes: usize, frame_bytes: usize) -> Pins {
        Pins {
            held: AtomicUsize::new(0),
            beside: AtomicUsize::new(0),
            budget: capacity_bytes - capacity_bytes / FREE_SHARE,
            frame_bytes,
        }
    }

    pub(super) fn may_hold(&self, pages: u64) -> bool {
        let most = self.budget / (self.frame_bytes + PIN_BYTES);
        usize::try_from(pages).is_ok_and(|pages| pages <= most)
    }

    /// Memory taken beside the pages, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.beside.load(Ordering::Relaxed)
    }

    fn take(&self, beside: usize) -> bool {
        let page = self.frame_bytes + beside;
        let more = |held| (held + page <= self.budget).then_some(held + page);
        let taken = self
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok();
        if taken {
            self.beside.fetch_add(beside, Ordering::Relaxed);
        }
        taken
    }

    fn give_back(&self, beside: usize) {
        self.held
            .fetch_sub(self.frame_bytes + beside, Ordering::Relaxed);
        self.beside.fetch_sub(beside, Ordering::Relaxed);
    }
}

/// A page that is held on to.
pub(crate) struct PagePin {
    /// The page's bytes and layout, beside one another: a read finds a cell from here at once, and looks at
    /// nothing else, as each other place in memory is one more to wait for.
    bytes: Arc<[u8]>,
    layout: Layout,
    frame: Arc<Frame>,
    pins: Arc<Pins>,
    /// Memory taken beside the page, in bytes.
    beside: u32,
}

impl PagePin {
    pub(super) fn new(frame: &Arc<Frame>, pins: &Arc<Pins>, beside: usize) -> Option<PagePin> {
        let beside = u32::try_from(beside + PIN_BYTES).ok()?;
        if !pins.take(beside as usize) {
            return None;
        }
        let (bytes, layout) = frame.page.shared();
        frame.pins.fetch_add(1, Ordering::Relaxed);
        Some(PagePin {
            bytes,
            layout,
            frame: Arc::clone(frame),
            pins: Arc::clone(pins),
            beside,
        })
    }

    /// The cells of a sorted page.
    #[inline]
    pub(crate) fn sorted(&self) -> SortedPage<'_> {
        SortedPage::new(&self.bytes, &self.layout)
    }

    /// The entries, if this is a names leaf.
    #[inline]
    pub(crate) fn names(&self) -> Option<NamesPage<'_>> {
        self.frame.page.names()
    }

    /// The whole page.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The page as the cache has it.
    pub(crate) fn whole(&self) -> &Page {
        &self.frame.page
    }

    /// The page's number.
    pub(crate) fn page(&self) -> u64 {
        self.frame.page.at().page()
    }
}

impl Drop for PagePin {
    fn drop(&mut self) {
        self.frame.pins.fetch_sub(1, Ordering::Relaxed);
        self.pins.give_back(self.beside as usize);
    }
}
