//! The page cache of one traversal.

use std::ops::RangeInclusive;
use std::sync::{Arc, Weak};

use super::lru::Lru;
use crate::error::{Error, Result};
use crate::ids::PageRef;
use crate::pager::{PageGuard, Pager};

const DEFAULT_CAPACITY: u16 = 64;

/// A small page cache that belongs to one traversal at a time.
///
/// It stands before the database's page cache, is used by nobody else, and so takes no lock. A page
/// is known by its number and its birth, so one cache may serve traversals of different snapshots,
/// one after the other: a page that was rewritten meanwhile is another page. When it comes to another
/// open database it forgets what it holds.
///
/// ```
/// use vellum::TraversalCache;
/// # fn main() -> vellum::Result<()> {
/// let cache = TraversalCache::builder().capacity(16).build()?;
/// assert_eq!((cache.len(), cache.capacity()), (0, 16));
/// assert!(TraversalCache::builder().capacity(1_000).build().is_err());
/// # Ok(())
/// # }
/// ```
pub struct TraversalCache {
    pages: Lru<PageRef, PageGuard>,
    /// Where the pages are from. Page and birth may name different pages of different files.
    source: Weak<Pager>,
    hits: u64,
    misses: u64,
}

/// Makes a [`TraversalCache`].
#[derive(Clone, Copy, Debug)]
pub struct TraversalCacheBuilder {
    capacity: usize,
}

impl TraversalCacheBuilder {
    /// Pages it holds at most: 1 to 256, 64 by default.
    #[must_use]
    pub fn capacity(mut self, pages: usize) -> TraversalCacheBuilder {
        self.capacity = pages;
        self
    }

    /// The cache, empty.
    ///
    /// # Errors
    /// [`Error::Usage`] if the capacity is out of bounds.
    pub fn build(self) -> Result<TraversalCache> {
        let bounds = TraversalCache::bounds();
        match u16::try_from(self.capacity) {
            Ok(capacity) if bounds.contains(&self.capacity) => Ok(TraversalCache::of(capacity)),
            _ => Err(Error::usage(format!(
                "a traversal cache holds {} to {} pages, not {}",
                bounds.start(),
                bounds.end(),
                self.capacity
            ))),
        }
    }
}

impl Default for TraversalCacheBuilder {
    fn default() -> TraversalCacheBuilder {
        TraversalCacheBuilder {
            capacity: DEFAULT_CAPACITY.into(),
        }
    }
}

impl Default for TraversalCache {
    fn default() -> TraversalCache {
        TraversalCache::of(DEFAULT_CAPACITY)
    }
}

impl TraversalCache {
    /// The capacities, in pages, that a cache can be made with.
    pub const fn bounds() -> RangeInclusive<usize> {
        1..=256
    }

    fn of(capacity: u16) -> TraversalCache {
        TraversalCache {
            pages: Lru::new(capacity),
            source: Weak::new(),
            hits: 0,
            misses: 0,
        }
    }

    /// Options before making one.
    pub fn builder() -> TraversalCacheBuilder {
        TraversalCacheBuilder::default()
    }

    /// The page, if it is here. Counts a hit or a miss, and a hit makes it the most recently used.
    #[inline]
    pub fn get(&mut self, at: PageRef) -> Option<PageGuard> {
        let found = self.pages.get(&at).cloned();
        match &found {
            Some(page) => {
                self.hits += 1;
                // Else the page cache would put out first what traversals use most.
                page.touch();
            }
            None => self.misses += 1,
        }
        found
    }

    /// Makes the cache hold pages of this database and no other.
    pub(super) fn serve(&mut self, source: &Arc<Pager>) {
        if !std::ptr::eq(self.source.as_ptr(), Arc::as_ptr(source)) {
            self.pages.clear();
            self.source = Arc::downgrade(source);
        }
    }

    /// Adds a page, in the place of the least recently used one if the cache is full. Whether it did: a
    /// page from elsewhere, which the database that the cache last served does not hold, is left out.
    pub fn insert(&mut self, page: PageGuard) -> bool {
        let source = self.source.upgrade();
        let known = source.is_some_and(|source| source.holds(&page));
        if known {
            self.keep(page);
        }
        known
    }

    /// Adds a page of the database that the cache serves.
    pub(super) fn keep(&mut self, page: PageGuard) {
        self.pages.insert(page.at(), page.into_private());
    }

    /// Forgets a page. Whether it was here.
    pub fn invalidate(&mut self, at: PageRef) -> bool {
        self.pages.remove(&at)
    }

    /// Forgets every page. The counts stay.
    pub fn clear(&mut self) {
        self.pages.clear();
    }

    /// Whether the page is here. Counts nothing and changes no order.
    pub fn contains(&self, at: PageRef) -> bool {
        self.pages.contains(&at)
    }

    /// Pages here.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there are no pages here.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pages it holds at most.
    pub fn capacity(&self) -> usize {
        self.pages.capacity()
    }

    /// Pages that were asked for and here.
    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// Pages that were asked for and not here.
    pub fn misses(&self) -> u64 {
        self.misses
    }

    /// The share of pages asked for that were here, 0 to 1; `None` before the first.
    pub fn hit_ratio(&self) -> Option<f64> {
        let asked = self.hits + self.misses;
        (asked > 0).then(|| self.hits as f64 / asked as f64)
    }

    /// Sets the counts of hits and misses to 0. The pages stay.
    pub fn reset_stats(&mut self) {
        (self.hits, self.misses) = (0, 0);
    }
}
