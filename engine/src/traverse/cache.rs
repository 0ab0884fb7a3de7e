//! A small private cache of pages for one traversal at a time.

use std::collections::HashMap;

use crate::ids::PageRef;
use crate::pager::PageGuard;

/// Least and most pages of a traversal cache, and how many it holds by default.
const PAGES_MIN: usize = 1;
const PAGES_MAX: usize = 256;
const PAGES_DEFAULT: usize = 64;

/// The pages that a traversal used last, so that it finds them again without looking in the page
/// cache of the database.
///
/// It belongs to one traversal at a time and takes no lock. Pages are known by number and birth, so
/// one cache may serve traversals of different snapshots one after the other. All operations take
/// constant time; when it is full, the page that was not used for longest makes room.
///
/// ```
/// use vellum::TraversalCache;
/// let cache = TraversalCache::builder().pages(128).build();
/// assert_eq!((cache.capacity(), cache.len()), (128, 0));
/// assert_eq!(TraversalCache::default().capacity(), 64);
/// ```
pub struct TraversalCache {
    places: HashMap<PageRef, usize>,
    entries: Vec<Entry>,
    /// The entry used last, and the one not used for longest.
    newest: Option<usize>,
    oldest: Option<usize>,
    free: Vec<usize>,
    capacity: usize,
    hits: u64,
    misses: u64,
}

struct Entry {
    at: PageRef,
    /// `None` for an entry that was invalidated.
    page: Option<PageGuard>,
    newer: Option<usize>,
    older: Option<usize>,
}

/// Options of a [`TraversalCache`].
#[derive(Clone, Copy, Debug)]
pub struct TraversalCacheBuilder {
    pages: usize,
}

impl TraversalCacheBuilder {
    /// Pages to hold: 1 to 256; more or less is taken as the nearest of these. Default 64.
    #[must_use]
    pub fn pages(mut self, pages: usize) -> TraversalCacheBuilder {
        self.pages = pages.clamp(PAGES_MIN, PAGES_MAX);
        self
    }

    /// The cache, empty.
    pub fn build(self) -> TraversalCache {
        TraversalCache {
            places: HashMap::with_capacity(self.pages),
            entries: Vec::with_capacity(self.pages),
            newest: None,
            oldest: None,
            free: Vec::new(),
            capacity: self.pages,
            hits: 0,
            misses: 0,
        }
    }
}

impl Default for TraversalCache {
    fn default() -> TraversalCache {
        TraversalCache::builder().build()
    }
}

impl TraversalCache {
    /// Options before making one.
    pub fn builder() -> TraversalCacheBuilder {
        TraversalCacheBuilder { pages: PAGES_DEFAULT }
    }

    /// The fewest and the most pages that a cache can hold.
    pub fn bounds() -> (usize, usize) {
        (PAGES_MIN, PAGES_MAX)
    }

    /// The page, which becomes the one used last. Counts a hit or a miss.
    pub fn get(&mut self, at: PageRef) -> Option<PageGuard> {
        let Some(&place) = self.places.get(&at) else {
            self.misses += 1;
            return None;
        };
        self.hits += 1;
        self.unlink(place);
        self.link_newest(place);
        self.entries.get(place)?.page.clone()
    }

    /// Keeps a page, in place of the one not used for longest if the cache is full.
    pub fn insert(&mut self, page: PageGuard) {
        let at = page.at();
        if let Some(&place) = self.places.get(&at) {
            self.unlink(place);
            self.link_newest(place);
            return;
        }
        if self.places.len() == self.capacity {
            if let Some(oldest) = self.oldest.and_then(|place| self.entries.get(place)).map(|entry| entry.at) {
                self.invalidate(oldest);
            }
        }
        let entry = Entry { at, page: Some(page), newer: None, older: None };
        let place = match self.free.pop() {
            Some(place) => {
                if let Some(old) = self.entries.get_mut(place) {
                    *old = entry;
                }
                place
            }
            None => {
                self.entries.push(entry);
                self.entries.len() - 1
            }
        };
        self.places.insert(at, place);
        self.link_newest(place);
    }

    /// Forgets a page. `false` if it was not there.
    pub fn invalidate(&mut self, at: PageRef) -> bool {
        let Some(place) = self.places.remove(&at) else { return false };
        self.unlink(place);
        if let Some(entry) = self.entries.get_mut(place) {
            entry.page = None;
        }
        self.free.push(place);
        true
    }

    /// Forgets every page; the statistics stay.
    pub fn clear(&mut self) {
        self.places.clear();
        self.entries.clear();
        self.free.clear();
        self.newest = None;
        self.oldest = None;
    }

    /// Whether a page is there. Counts nothing and changes no order.
    pub fn contains(&self, at: PageRef) -> bool {
        self.places.contains_key(&at)
    }

    /// Pages held.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no page is held.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Pages held at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Pages found here.
    pub fn hits(&self) -> u64 {
        self.hits
    }

    /// Pages not found here.
    pub fn misses(&self) -> u64 {
        self.misses
    }

    /// Hits as a share of all accesses, 0 to 1; `None` before the first.
    pub fn hit_ratio(&self) -> Option<f64> {
        let accesses = self.hits + self.misses;
        (accesses > 0).then(|| self.hits as f64 / accesses as f64)
    }

    /// Sets hits and misses to zero.
    pub fn reset_stats(&mut self) {
        self.hits = 0;
        self.misses = 0;
    }

    fn link_newest(&mut self, place: usize) {
        let before = self.newest.replace(place);
        if let Some(entry) = self.entries.get_mut(place) {
            entry.newer = None;
            entry.older = before;
        }
        match before.and_then(|before| self.entries.get_mut(before)) {
            Some(entry) => entry.newer = Some(place),
            None => self.oldest = Some(place),
        }
    }

    fn unlink(&mut self, place: usize) {
        let Some(entry) = self.entries.get(place) else { return };
        let (newer, older) = (entry.newer, entry.older);
        match newer.and_then(|newer| self.entries.get_mut(newer)) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match older.and_then(|older| self.entries.get_mut(older)) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }
}
