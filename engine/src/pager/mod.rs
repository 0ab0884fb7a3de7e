//! Pages: where they are kept in memory, which ones are in use, and how new ones are written.
//!
//! Invariants:
//! * A page is verified once, when it is read, and never changes afterwards.
//! * A page number is reused only when no snapshot and no durable header reaches its page.
//! * A hit in the cache writes nothing that another thread reads.

mod allocator;
mod cache;
mod freelist;
mod pin;
mod stage;
mod writer;

use std::ops::Deref;
use std::sync::Arc;

pub(crate) use allocator::{Allocator, Mark};
pub use cache::CacheStats;
pub(crate) use freelist::read_freelist;
pub(crate) use pin::PagePin;
pub(crate) use stage::{PageSink, Stage, Steps};
pub(crate) use writer::{BirthReserve, Births, PageWriter, blob_pages};

use cache::{Frame, FrameGuard, PageCache};

use crate::error::{Error, Result};
use crate::forensics::{Counter, Tally, count};
use crate::format::FileId;
use crate::format::node::BlobRef;
use crate::format::page::{Page, PageKind};
use crate::ids::{KeySpace, PageRef};
use crate::storage::{Poison, Storage};
use crate::sync::atomic::{AtomicU64, Ordering};

/// A verified page, for as long as this is held.
pub struct PageGuard(Held);

enum Held {
    Cached(FrameGuard),
    Shared(Arc<Frame>),
    /// Counted by itself, so that clones write nothing that another thread reads.
    #[expect(
        clippy::redundant_allocation,
        reason = "the inner count is the one shared between threads"
    )]
    Private(Arc<Arc<Frame>>),
}

impl PageGuard {
    /// A guard of a page that is in no cache.
    fn of(page: Page) -> PageGuard {
        PageGuard(Held::Shared(Arc::new(Frame::new(page))))
    }

    fn frame(&self) -> Arc<Frame> {
        match &self.0 {
            Held::Cached(guard) => guard.shared(),
            Held::Shared(frame) => Arc::clone(frame),
            Held::Private(frame) => Arc::clone(frame),
        }
    }

    /// Notes that the page is in use though nobody asks the page cache for it.
    #[inline]
    pub(crate) fn touch(&self) {
        match &self.0 {
            Held::Cached(guard) => guard.frame().touch(),
            Held::Shared(frame) => frame.touch(),
            Held::Private(frame) => frame.touch(),
        }
    }

    /// The same page for one thread's repeated use.
    pub(crate) fn into_private(self) -> PageGuard {
        match self.clone().0 {
            Held::Shared(frame) => PageGuard(Held::Private(Arc::new(frame))),
            Held::Cached(_) | Held::Private(_) => self,
        }
    }
}

impl Deref for PageGuard {
    type Target = Page;

    #[inline]
    fn deref(&self) -> &Page {
        match &self.0 {
            Held::Cached(guard) => guard.page(),
            Held::Shared(frame) => &frame.page,
            Held::Private(frame) => &frame.page,
        }
    }
}

impl Clone for PageGuard {
    fn clone(&self) -> PageGuard {
        PageGuard(match &self.0 {
            Held::Cached(guard) => Held::Shared(guard.shared()),
            Held::Shared(frame) => Held::Shared(Arc::clone(frame)),
            Held::Private(frame) => Held::Private(Arc::clone(frame)),
        })
    }
}

/// Where pages come from.
pub(crate) trait Pages {
    /// A branch or leaf of this space and level.
    fn page(&self, at: PageRef, space: KeySpace, level: u8) -> Result<PageGuard>;
    /// The whole of a blob.
    fn blob(&self, at: BlobRef) -> Result<Vec<u8>>;
    /// Bytes of a page.
    fn page_size(&self) -> usize;
    /// Where what happens to them is counted.
    fn tally(&self) -> &Tally;
}

/// The pages of one database file.
pub(crate) struct Pager {
    file: Arc<dyn Storage>,
    poison: Arc<Poison>,
    page_size: usize,
    file_id: FileId,
    cache: PageCache,
    /// Births from here on belong to pages that no successful sync has covered yet.
    unsynced_from: AtomicU64,
    tally: Tally,
}

impl Pager {
    pub(crate) fn new(
        file: Arc<dyn Storage>,
        poison: &Arc<Poison>,
        page_size: usize,
        file_id: FileId,
        cache_bytes: usize,
        tally: Tally,
    ) -> Pager {
        count!(tally, has_pages_of(page_size));
        Pager {
            file,
            poison: Arc::clone(poison),
            page_size,
            file_id,
            cache: PageCache::new(page_size, cache_bytes, tally.clone()),
            unsynced_from: AtomicU64::new(u64::MAX),
            tally,
        }
    }

    /// Where what happens to its pages is counted.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    pub(crate) fn cache_stats(&self) -> CacheStats {
        self.cache.stats()
    }

    pub(crate) fn drop_caches(&self) {
        self.cache.clear();
    }

    /// A page that is not written yet, to be read again.
    pub(crate) fn temporary(&self, image: Box<[u8]>) -> Result<PageGuard> {
        let page = Page::check_layout(image.into(), PageRef::NOWHERE);
        let page = page.map_err(|rule| self.corrupt(PageRef::NOWHERE, rule.0))?;
        Ok(PageGuard::of(page))
    }

    /// Holds on to a page, if there is room for it beside what the cache needs. `beside`: memory that its holder keeps
    /// for it, in bytes.
    pub(crate) fn pin(&self, page: &PageGuard, beside: usize) -> Option<PagePin> {
        PagePin::new(&page.frame(), self.cache.pins(), beside)
    }

    /// Notes that a page was read that somebody holds on to.
    #[inline]
    pub(crate) fn read_held(&self, pin: &PagePin) {
        count!(self.tally, CacheAccesses);
        count!(self.tally, page_cached(pin.whole(), Counter::CacheHits));
    }

    /// Whether this many pages may be held on to at once.
    pub(crate) fn may_pin(&self, pages: u64) -> bool {
        self.cache.pins().may_hold(pages)
    }

    pub(crate) fn file(&self) -> &Arc<dyn Storage> {
        &self.file
    }

    pub(crate) fn file_id(&self) -> &FileId {
        &self.file_id
    }

    /// Notes that every page written so far is durable.
    pub(crate) fn synced(&self) {
        self.unsynced_from.store(u64::MAX, Ordering::Release);
    }

    /// Notes that a page with this birth is being written.
    fn unsynced(&self, birth: u64) {
        self.unsynced_from.fetch_min(birth, Ordering::AcqRel);
    }

    /// Any page that is kept in no cache.
    pub(crate) fn read_direct(&self, at: PageRef) -> Result<Page> {
        count!(self.tally, DirectReads);
        self.read(at)
    }

    /// Any page, read from the file and verified.
    fn read(&self, at: PageRef) -> Result<Page> {
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, self.page_size).collect();
        let offset = at.page().saturating_mul(self.page_size as u64);
        // Nobody else has it yet.
        let buffer = Arc::get_mut(&mut bytes).unwrap_or_default();
        self.file
            .read_at(offset, buffer)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => Error::corrupt_page(
                    at.page(),
                    self.page_size,
                    "the page lies beyond the end of the file",
                ),
                _ => Error::io(format!("reading page {}", at.page()), error),
            })?;
        count!(self.tally, PageReadBytes, self.page_size);
        let page = Page::verify(bytes, at, &self.file_id).map_err(|rule| {
            if self.poison.is_set() && at.birth() >= self.unsynced_from.load(Ordering::Acquire) {
                return Error::Poisoned;
            }
            self.corrupt(at, rule.0)
        })?;
        count!(self.tally, page_read(&page));
        Ok(page)
    }

    /// A tree page from the cache if it is there, else from the file, leaving the cache alone.
    pub(crate) fn page_uncached(
        &self,
        at: PageRef,
        space: KeySpace,
        level: u8,
    ) -> Result<PageGuard> {
        count!(self.tally, PassingAccesses);
        let guard = match self.cache.get(at) {
            Some(guard) => {
                count!(self.tally, page_cached(guard.page(), Counter::PassingHits));
                PageGuard(Held::Cached(guard))
            }
            None => {
                count!(self.tally, PassingMisses);
                PageGuard::of(self.read(at)?)
            }
        };
        self.expect(&guard, space, level)?;
        Ok(guard)
    }

    /// Whether this is a page of the file.
    pub(crate) fn holds(&self, page: &Page) -> bool {
        self.read(page.at())
            .is_ok_and(|own| own.bytes() == page.bytes())
    }

    /// A page of another kind, past the cache.
    pub(crate) fn read_kind(&self, at: PageRef, kind: PageKind) -> Result<Page> {
        let page = self.read_direct(at)?;
        if page.kind() == kind {
            return Ok(page);
        }
        let what = format!(
            "a {} page was expected, a {} page is there",
            kind.name(),
            page.kind().name()
        );
        Err(Error::corrupt_page(at.page(), self.page_size, what))
    }

    pub(crate) fn corrupt(&self, at: PageRef, rule: &str) -> Error {
        Error::corrupt_page(at.page(), self.page_size, rule)
    }

    #[inline]
    pub(crate) fn expect(&self, page: &Page, space: KeySpace, level: u8) -> Result<()> {
        if page.space() == Some(space) && page.level() == level {
            return Ok(());
        }
        Err(self.unexpected(page, space, level))
    }

    #[cold]
    fn unexpected(&self, page: &Page, space: KeySpace, level: u8) -> Error {
        let found = page.space().map_or("no tree", KeySpace::name);
        let what = format!(
            "a page of {space}, level {level}, was expected, one of {found}, level {}, is there",
            page.level()
        );
        Error::corrupt_page(page.at().page(), self.page_size, what)
    }
}

impl Pages for Pager {
    #[inline]
    fn page(&self, at: PageRef, space: KeySpace, level: u8) -> Result<PageGuard> {
        count!(self.tally, CacheAccesses);
        let guard = match self.cache.get(at) {
            Some(guard) => {
                count!(self.tally, page_cached(guard.page(), Counter::CacheHits));
                PageGuard(Held::Cached(guard))
            }
            None => {
                count!(self.tally, CacheMisses);
                PageGuard(Held::Shared(self.cache.insert(self.read(at)?)))
            }
        };
        self.expect(&guard, space, level)?;
        Ok(guard)
    }

    fn blob(&self, at: BlobRef) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        let mut index = Some(at.index);
        // Every index page but the last is full, so their number is bounded by the length.
        while let Some(next) = index {
            let page = self.read_kind(next, PageKind::BlobIndex)?;
            let view = page
                .blob_index()
                .ok_or_else(|| self.corrupt(next, "not a blob index"))?;
            if view.len() != at.len {
                return Err(self.corrupt(next, "the blob is not as long as its reference says"));
            }
            for extent in view.extents() {
                for page in (0..extent.pages).filter_map(|step| extent.page_ref(step)) {
                    self.blob_page(page, at.len, &mut data)?;
                }
            }
            index = view.next();
            if index.is_some() && data.len() as u64 >= at.len {
                return Err(self.corrupt(next, "a blob's index goes on after its end"));
            }
        }
        if data.len() as u64 != at.len {
            return Err(self.corrupt(at.index, "a blob is shorter than its reference says"));
        }
        count!(self.tally, BytesCopied, data.len());
        Ok(data)
    }

    fn page_size(&self) -> usize {
        self.page_size
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Pager {
    fn blob_page(&self, at: PageRef, len: u64, data: &mut Vec<u8>) -> Result<()> {
        let page = self.read_kind(at, PageKind::BlobData)?;
        let left = usize::try_from(len - data.len() as u64).unwrap_or(usize::MAX);
        let bytes = page
            .blob_data()
            .ok_or_else(|| self.corrupt(at, "not blob data"))?;
        let take = bytes.len().min(left);
        if take == 0 {
            return Err(self.corrupt(at, "a blob has more pages than bytes"));
        }
        data.extend_from_slice(bytes.get(..take).unwrap_or_default());
        Ok(())
    }
}
