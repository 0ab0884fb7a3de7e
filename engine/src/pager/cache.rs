//! The page cache: a table by page number whose hits take no lock, and two queues that decide what
//! stays.
//!
//! Eviction follows S3-FIFO (Yang and others, FIFO queues are all you need for cache eviction,
//! SOSP 2023), without its ghost queue: a new page waits in a small queue and moves to the main one
//! only if it is used again before its turn comes, so a scan passes through without driving out
//! what is in use.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock, PoisonError};

use super::pin::Pins;
use crate::forensics::{Tally, count};
use crate::format::page::Page;
use crate::ids::PageRef;
use crate::plant::planted;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use crate::sync::swap::{ArcSwapOption, Guard};
use crate::sync::{Mutex, MutexGuard};

/// The first chunk of the table has this many places, and each later one twice as many.
const FIRST_CHUNK_LOG2: u32 = 7;
/// Enough chunks for every 48-bit page number.
const CHUNKS: usize = 42;
/// Memory of a cached page beside its bytes: frame, reference counts, queue entry.
const FRAME_OVERHEAD: usize = size_of::<Frame>() + 16 + size_of::<PageRef>();
/// The table's share of the budget at most, as a divisor. A file with more pages than it has places then (one of
/// 2 GiB, for 64 MiB of cache and pages of 4 KiB) has several pages to a place. Each page has a second place, its
/// neighbour's: were there one only, a root and the branch below it could put each other out at every step.
const TABLE_SHARE: usize = 16;
/// The small queue's share of the budget, as a divisor.
const SMALL_SHARE: usize = 10;
/// Pages that the small queue has room for at least, in a cache of twice as many: those of one descent, and what it
/// leads to. Pages of a descent that put one another out before their second use would be read at every one.
const PATH: usize = 8;

/// What the page cache has done since the database was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CacheStats {
    /// Memory that it may use, in bytes.
    pub capacity_bytes: usize,
    /// Memory that it uses, in bytes, its table included.
    pub bytes: usize,
    /// Pages in it.
    pub pages: usize,
    /// Pages read from the file because they were not in it.
    pub misses: u64,
    /// Pages that had to make room.
    pub evictions: u64,
}

/// A page in memory.
pub(super) struct Frame {
    pub(super) page: Page,
    used: AtomicBool,
    /// How many hold on to it, whether it is in the cache or not.
    pub(super) pins: AtomicU32,
}

impl Frame {
    pub(super) fn new(page: Page) -> Frame {
        Frame {
            page,
            used: AtomicBool::new(false),
            pins: AtomicU32::new(0),
        }
    }

    /// Notes that the page is in use, so that it gets a second chance.
    #[inline]
    pub(super) fn touch(&self) {
        // Written only once, so that pages in use are not passed between processor caches.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }
}

/// A page found in the cache. Holding it keeps the page in memory, evicted or not.
pub(super) struct FrameGuard(Guard<Option<Arc<Frame>>>);

impl FrameGuard {
    #[inline]
    pub(super) fn page(&self) -> &Page {
        &self.frame().page
    }

    pub(super) fn shared(&self) -> Arc<Frame> {
        Arc::clone(self.frame())
    }

    #[inline]
    pub(super) fn frame(&self) -> &Arc<Frame> {
        match &*self.0 {
            Some(frame) => frame,
            None => unreachable!("a guard is made only around a frame"),
        }
    }
}

type Place = ArcSwapOption<Frame>;
type Chunk = Box<[Place]>;

/// The page, if it is in this place.
#[inline]
fn found(place: &Place, at: PageRef) -> Option<FrameGuard> {
    let guard = place.load();
    let frame = guard.as_ref()?;
    let here = frame.page.at();
    let ignored = planted!("cache-ignores-births") && here.page() == at.page();
    if here != at && !ignored {
        return None;
    }
    frame.touch();
    Some(FrameGuard(guard))
}

pub(super) struct PageCache {
    chunks: [OnceLock<Chunk>; CHUNKS],
    queues: Mutex<Queues>,
    /// Leaves of a page's number what the table has places for.
    mask: u64,
    frame_bytes: usize,
    capacity_bytes: usize,
    pins: Arc<Pins>,
    misses: AtomicU64,
    evictions: AtomicU64,
    tally: Tally,
}

#[derive(Default)]
struct Queues {
    small: VecDeque<PageRef>,
    main: VecDeque<PageRef>,
    table_bytes: usize,
}

impl Queues {
    fn pages(&self) -> usize {
        self.small.len() + self.main.len()
    }
}

impl PageCache {
    pub(super) fn new(page_size: usize, capacity_bytes: usize, tally: Tally) -> PageCache {
        let frame_bytes = page_size + FRAME_OVERHEAD;
        PageCache {
            chunks: [const { OnceLock::new() }; CHUNKS],
            queues: Mutex::default(),
            mask: mask(capacity_bytes),
            frame_bytes,
            capacity_bytes,
            pins: Arc::new(Pins::new(capacity_bytes, frame_bytes)),
            misses: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            tally,
        }
    }

    /// The page, if it is here with this birth.
    #[inline]
    pub(super) fn get(&self, at: PageRef) -> Option<FrameGuard> {
        let [home, neighbour] = self.places(at.page())?;
        found(home, at).or_else(|| found(neighbour, at))
    }

    /// Keeps a page that was just read, and makes room for it.
    pub(super) fn insert(&self, page: Page) -> Arc<Frame> {
        self.misses.fetch_add(1, Ordering::Relaxed);
        let at = page.at();
        let frame = Arc::new(Frame::new(page));
        let mut queues = self.queues();
        self.grow(at.page(), &mut queues);
        let Some(place) = self.place_for(at) else {
            // Somebody holds on to the pages that have its places, so their memory would not be free.
            return frame;
        };
        if let Some(other) = place.load().as_ref()
            && other.page.at().page() != at.page()
        {
            self.evict(other.page.at());
        }
        let before = place.swap(Some(Arc::clone(&frame)));
        // A page that another thread put here meanwhile has its place in a queue already.
        if before.is_none_or(|before| before.page.at() != at) {
            queues.small.push_back(at);
        }
        self.make_room(&mut queues);
        frame
    }

    pub(super) fn pins(&self) -> &Arc<Pins> {
        &self.pins
    }

    fn make_room(&self, queues: &mut Queues) {
        let taken = queues.table_bytes + self.pins.bytes();
        let budget = self.capacity_bytes.saturating_sub(taken);
        let most = (budget / self.frame_bytes).max(1);
        let small = (most / SMALL_SHARE).max(PATH.min(most / 2));
        // Each turn removes a page, moves one to the main queue, or takes away its second chance.
        for _ in 0..2 * queues.pages() + 2 {
            if queues.pages() <= most {
                return;
            }
            let from_small = queues.small.len() > small || queues.main.is_empty();
            let next = if from_small {
                queues.small.pop_front()
            } else {
                queues.main.pop_front()
            };
            let Some(at) = next else { return };
            if self.take_second_chance(at) {
                queues.main.push_back(at);
            } else {
                self.evict(at);
            }
        }
    }

    /// Whether the page is held on to, or was used since its last turn. Clears the mark.
    fn take_second_chance(&self, at: PageRef) -> bool {
        self.place_of(at).is_some_and(|place| {
            place.load().as_ref().is_some_and(|frame| {
                let used = frame.used.swap(false, Ordering::Relaxed);
                used || frame.pins.load(Ordering::Relaxed) > 0
            })
        })
    }

    fn evict(&self, at: PageRef) {
        if let Some(place) = self.place_of(at) {
            place.store(None);
            self.evictions.fetch_add(1, Ordering::Relaxed);
            count!(self.tally, page_evicted(at));
        }
    }

    pub(super) fn clear(&self) {
        let mut queues = self.queues();
        let (small, main) = (
            std::mem::take(&mut queues.small),
            std::mem::take(&mut queues.main),
        );
        for at in small.into_iter().chain(main) {
            if let Some(place) = self.place_of(at) {
                place.store(None);
            }
        }
    }

    pub(super) fn stats(&self) -> CacheStats {
        let queues = self.queues();
        CacheStats {
            capacity_bytes: self.capacity_bytes,
            bytes: queues.pages() * self.frame_bytes + queues.table_bytes + self.pins.bytes(),
            pages: queues.pages(),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    /// The two places of a page, its own first. Neighbours stand in one chunk, as each has an even length.
    #[inline]
    fn places(&self, page: u64) -> Option<[&Place; 2]> {
        let (chunk, index) = locate(page & self.mask);
        let places = self.chunks.get(chunk)?.get()?;
        Some([places.get(index)?, places.get(index ^ 1)?])
    }

    /// Where this page is.
    fn place_of(&self, at: PageRef) -> Option<&Place> {
        let places = self.places(at.page())?.into_iter();
        places.into_iter().find(|place| {
            let guard = place.load();
            guard.as_ref().is_some_and(|frame| frame.page.at() == at)
        })
    }

    /// Which of its places a new page takes: that of an older page of its number, an empty one, one whose page was
    /// not used since its last turn. None if both are held on to.
    fn place_for(&self, at: PageRef) -> Option<&Place> {
        let worth = |place: &Place| match place.load().as_ref() {
            Some(frame) if frame.page.at().page() == at.page() => 0,
            None => 1,
            Some(frame) if frame.pins.load(Ordering::Relaxed) > 0 => 4,
            Some(frame) => 2 + u8::from(frame.used.load(Ordering::Relaxed)),
        };
        let places = self.places(at.page())?.into_iter();
        let (worth, place) = places
            .map(|place| (worth(place), place))
            .min_by_key(|(worth, _)| *worth)?;
        (worth < 4).then_some(place)
    }

    /// Makes the part of the table that a page has its places in.
    fn grow(&self, page: u64, queues: &mut Queues) {
        let (chunk, _) = locate(page & self.mask);
        let len = 1usize.checked_shl(FIRST_CHUNK_LOG2 + chunk as u32);
        if let (Some(places), Some(len)) = (self.chunks.get(chunk), len) {
            places.get_or_init(|| {
                queues.table_bytes += len * size_of::<Place>();
                (0..len).map(|_| Place::empty()).collect()
            });
        }
    }

    // Both queues are whole after every statement that changes them.
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many places as the table's share of the budget has room for, a power of two, less one.
fn mask(capacity_bytes: usize) -> u64 {
    let places = capacity_bytes / TABLE_SHARE / size_of::<Place>();
    (1 << places.max(1).ilog2()) - 1
}

/// The chunk of a page number, and its place there.
#[inline]
fn locate(page: u64) -> (usize, usize) {
    let shifted = page + (1 << FIRST_CHUNK_LOG2);
    let log2 = shifted.ilog2();
    (
        (log2 - FIRST_CHUNK_LOG2) as usize,
        (shifted - (1 << log2)) as usize,
    )
}

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests;

#[cfg(all(test, loom))]
mod schedules;
