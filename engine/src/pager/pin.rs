//! Pages that are held on to, so that reading them again takes no look into the cache.
//!
//! Invariant: pins leave a share of the cache's budget to pages that nobody holds on to, so that the
//! cache always finds one to put out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cache::Frame;
use crate::format::names::NamesPage;
use crate::format::page::Page;
use crate::format::sorted::{Layout, SortedPage};

/// Memory that a held page takes beside the page itself, the holder's share included, in bytes.
const PIN_BYTES: usize = size_of::<PagePin>() + 40;
/// The share of the budget that pins leave alone, as a divisor.
const FREE_SHARE: usize = 16;

/// How many pages are held on to, and may be.
pub(crate) struct Pins {
    held: AtomicUsize,
    most: usize,
}

impl Pins {
    pub(super) fn new(capacity_bytes: usize, frame_bytes: usize) -> Pins {
        let budget = capacity_bytes - capacity_bytes / FREE_SHARE;
        Pins {
            held: AtomicUsize::new(0),
            most: budget / (frame_bytes + PIN_BYTES),
        }
    }

    pub(super) fn may_hold(&self, pages: u64) -> bool {
        usize::try_from(pages).is_ok_and(|pages| pages <= self.most)
    }

    /// Memory taken beside the pages, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.held.load(Ordering::Relaxed) * PIN_BYTES
    }

    fn take(&self) -> bool {
        let more = |held| (held < self.most).then_some(held + 1);
        self.held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
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
}

impl PagePin {
    pub(super) fn new(frame: &Arc<Frame>, pins: &Arc<Pins>) -> Option<PagePin> {
        if !pins.take() {
            return None;
        }
        let (bytes, layout) = frame.page.shared();
        frame.pins.fetch_add(1, Ordering::Relaxed);
        Some(PagePin {
            bytes,
            layout,
            frame: Arc::clone(frame),
            pins: Arc::clone(pins),
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
        self.pins.held.fetch_sub(1, Ordering::Relaxed);
    }
}
