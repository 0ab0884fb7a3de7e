//! Every schedule of threads that read, put out and hold on to the pages of a small cache.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};

use super::{FRAME_OVERHEAD, Frame, PageCache, Place};
use crate::forensics::Tally;
use crate::format::blob::encode_data;
use crate::format::page::Page;
use crate::ids::PageRef;
use crate::pager::pin::PagePin;
use crate::sync::testing::{explore, spawn};

const SIZE: usize = 4096;
/// Bugs of each invariant here, planted for trial, showed within these.
const PREEMPTIONS: usize = 3;
/// Memory of the first part of the table.
const TABLE: usize = 128 * size_of::<Place>();

/// A cache with room for this many pages.
fn cache(pages: usize) -> Arc<PageCache> {
    let bytes = TABLE + pages * (SIZE + FRAME_OVERHEAD);
    Arc::new(PageCache::new(SIZE, bytes, Tally::default()))
}

fn at(page: u64) -> PageRef {
    PageRef::new(page, 1).unwrap()
}

/// A page that holds its own number.
fn page(at: PageRef) -> Page {
    let image = encode_data(SIZE, &at.page().to_le_bytes());
    Page::check_layout(image.into(), at).unwrap()
}

fn assert_whole(page: &Page, at: PageRef) {
    assert_eq!(page.at(), at);
    let data = page.blob_data().unwrap();
    assert!(data.starts_with(&at.page().to_le_bytes()));
}

/// Reads a page, from the cache or into it.
fn read(cache: &PageCache, at: PageRef) -> Arc<Frame> {
    match cache.get(at) {
        Some(guard) => {
            assert_whole(guard.page(), at);
            guard.shared()
        }
        None => cache.insert(page(at)),
    }
}

fn share_a_place(cache: &PageCache, pages: &[u64]) -> bool {
    let places: BTreeSet<u64> = pages.iter().map(|page| page & cache.mask).collect();
    places.len() < pages.len()
}

/// What must hold once everybody is done: whatever is there waits for its turn to go, and the budget is kept.
fn assert_settled(cache: &PageCache, pages: &[u64]) {
    let there: BTreeSet<PageRef> = pages
        .iter()
        .map(|page| at(*page))
        .filter(|at| cache.get(*at).is_some())
        .collect();
    let queues = cache.queues();
    let queued: Vec<PageRef> = queues.small.iter().chain(&queues.main).copied().collect();
    drop(queues);
    let turns: BTreeSet<PageRef> = queued.iter().copied().collect();
    assert!(there.is_subset(&turns), "a page never goes");
    // Only a page that another put out of its place leaves a turn behind.
    if cache.stats().evictions == 0 || !share_a_place(cache, pages) {
        assert_eq!(turns.len(), queued.len(), "a page is counted twice");
    }
    let stats = cache.stats();
    assert!(stats.bytes <= stats.capacity_bytes, "{stats:?}");
    assert_eq!(cache.pins().bytes(), 0);
}

/// Two threads read the same and other pages, so far apart, which put one another out.
fn meet(room: usize, apart: impl Fn(&PageCache) -> u64) {
    let cache = cache(room);
    let pages = [0, 1, 2].map(|step| 2 + step * apart(&cache));
    let [one, two, three] = pages.map(at);
    let other = {
        let cache = Arc::clone(&cache);
        spawn(move || {
            let held = read(&cache, one);
            assert_whole(&read(&cache, two).page, two);
            assert_whole(&held.page, one);
        })
    };
    let held = read(&cache, one);
    assert_whole(&read(&cache, three).page, three);
    assert_whole(&held.page, one);
    other.join().unwrap();
    assert_settled(&cache, &pages);
}

/// Two threads hold on to a page each where there is room for one to be held, and read another.
fn hold(pages: [u64; 3]) {
    let cache = cache(1);
    let holders = Arc::new(AtomicUsize::new(0));
    let run = {
        let (cache, holders) = (Arc::clone(&cache), Arc::clone(&holders));
        move |own, other| {
            let frame = read(&cache, own);
            let Some(pin) = PagePin::new(&frame, cache.pins(), 0) else {
                return;
            };
            let before = holders.fetch_add(1, Ordering::AcqRel);
            assert_eq!(before, 0, "more is held than the budget allows");
            assert_whole(&read(&cache, other).page, other);
            assert_whole(pin.whole(), own);
            holders.fetch_sub(1, Ordering::AcqRel);
        }
    };
    let [one, two, three] = pages.map(at);
    let other = {
        let run = run.clone();
        spawn(move || run(two, three))
    };
    run(one, three);
    other.join().unwrap();
    // There is room for one again, and the page goes when its turn comes.
    let frame = read(&cache, one);
    assert_eq!(frame.pins.load(Ordering::Relaxed), 0);
    assert!(PagePin::new(&frame, cache.pins(), 0).is_some());
    assert_whole(&read(&cache, two).page, two);
    assert_settled(&cache, &pages);
}

#[test]
fn pages_that_make_room_for_one_another_stay_whole_and_count_once() {
    explore(PREEMPTIONS, || meet(1, |_| 2));
    explore(PREEMPTIONS, || meet(4, |_| 2));
}

#[test]
fn pages_that_share_their_places_stay_whole_and_go() {
    explore(PREEMPTIONS, || meet(4, |cache| cache.mask + 1));
}

#[test]
fn pages_held_on_to_stay_whole_within_the_budget_and_are_let_go() {
    explore(PREEMPTIONS, || hold([2, 4, 6]));
}
