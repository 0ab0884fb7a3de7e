#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::atomic::Ordering;
use std::thread;

use super::{FRAME_OVERHEAD, PageCache, locate};
use crate::forensics::Tally;
use crate::format::blob::encode_data;
use crate::format::page::Page;
use crate::ids::{MAX_U48, PageRef};

const SIZE: usize = 4096;
/// Memory of the first part of the table.
const TABLE: usize = 128 * size_of::<usize>();

/// A cache with room for this many pages.
fn cache(pages: usize) -> PageCache {
    let bytes = TABLE + pages * (SIZE + FRAME_OVERHEAD);
    PageCache::new(SIZE, bytes, Tally::default())
}

fn at(page: u64, birth: u64) -> PageRef {
    PageRef::new(page, birth).unwrap()
}

/// A page that holds its own number and birth.
fn page(at: PageRef) -> Page {
    let mut data = at.page().to_le_bytes().to_vec();
    data.extend(at.birth().to_le_bytes());
    Page::check_layout(encode_data(SIZE, &data).into(), at).unwrap()
}

#[track_caller]
fn assert_whole(page: &Page, at: PageRef) {
    assert_eq!(page.at(), at);
    let data = page.blob_data().unwrap();
    assert!(data.starts_with(&at.page().to_le_bytes()));
    assert!(data[8..].starts_with(&at.birth().to_le_bytes()));
}

#[test]
fn a_page_is_given_only_with_its_birth() {
    let cache = cache(8);
    assert!(cache.get(at(5, 1)).is_none());
    assert_whole(&cache.insert(page(at(5, 1))).page, at(5, 1));
    assert_whole(cache.get(at(5, 1)).unwrap().page(), at(5, 1));
    assert!(cache.get(at(5, 2)).is_none());
    assert!(cache.get(at(6, 1)).is_none());
    // Another page with the same number takes its place.
    cache.insert(page(at(5, 2)));
    assert!(cache.get(at(5, 1)).is_none());
    assert_whole(cache.get(at(5, 2)).unwrap().page(), at(5, 2));
}

#[test]
fn the_budget_holds_and_is_told() {
    let cache = cache(10);
    for number in 0..25 {
        cache.insert(page(at(number + 2, number)));
    }
    let stats = cache.stats();
    assert_eq!((stats.pages, stats.misses, stats.evictions), (10, 25, 15));
    assert_eq!(stats.bytes, stats.capacity_bytes);
    assert_eq!(stats.bytes, TABLE + 10 * (SIZE + FRAME_OVERHEAD));
    let there = (2..27).filter(|number| cache.get(at(*number, number - 2)).is_some());
    assert_eq!(there.count(), 10);
}

#[test]
fn a_page_read_twice_at_once_counts_once() {
    let cache = cache(10);
    cache.insert(page(at(5, 1)));
    cache.insert(page(at(5, 1)));
    assert_eq!((cache.stats().pages, cache.stats().misses), (1, 2));
}

#[test]
fn what_is_used_outlives_a_scan() {
    let cache = cache(10);
    for number in 2..6 {
        cache.insert(page(at(number, 1)));
        assert!(cache.get(at(number, 1)).is_some());
    }
    for number in 100..200 {
        cache.insert(page(at(number, 1)));
    }
    for number in 2..6 {
        assert!(cache.get(at(number, 1)).is_some(), "page {number}");
    }
}

#[test]
fn a_page_in_use_stays_whole_when_it_is_put_out() {
    let cache = cache(2);
    cache.insert(page(at(2, 1)));
    let held = cache.get(at(2, 1)).unwrap();
    let shared = held.shared();
    for number in 10..20 {
        cache.insert(page(at(number, 1)));
        // Used, so that the page that is held must go.
        let _ = cache.get(at(number, 1));
    }
    cache.clear();
    assert!(cache.get(at(2, 1)).is_none());
    assert_whole(held.page(), at(2, 1));
    drop(held);
    assert_whole(&shared.page, at(2, 1));
    let stats = cache.stats();
    assert_eq!((stats.pages, stats.bytes), (0, TABLE));
}

#[test]
fn a_cache_without_room_keeps_one_page() {
    let cache = PageCache::new(SIZE, 0, Tally::default());
    for number in 2..9 {
        assert_whole(&cache.insert(page(at(number, 1))).page, at(number, 1));
        assert_eq!(cache.stats().pages, 1);
    }
    assert!(cache.get(at(8, 1)).is_some());
}

#[test]
fn every_number_has_one_place() {
    assert_eq!(locate(0), (0, 0));
    assert_eq!(locate(127), (0, 127));
    assert_eq!(locate(128), (1, 0));
    assert_eq!(locate(383), (1, 255));
    assert_eq!(locate(384), (2, 0));
    assert_eq!(locate(MAX_U48).0, 41);
}

#[test]
fn threads_find_whole_pages_or_none() {
    let cache = cache(6);
    let turns = if cfg!(miri) { 30 } else { 3_000 };
    thread::scope(|scope| {
        for start in 0..3u64 {
            let cache = &cache;
            scope.spawn(move || {
                for turn in 0..turns {
                    let at = at(2 + (start * 5 + turn) % 11, turn / 40);
                    match cache.get(at) {
                        Some(found) => assert_whole(found.page(), at),
                        None => assert_whole(&cache.insert(page(at)).page, at),
                    }
                    if turn % 29 == 0 {
                        cache.clear();
                    }
                }
            });
        }
    });
    assert!(cache.stats().pages <= 6);
}

/// The table once grew with the file: a cache of 64 KiB beside a file of 40 MB kept a single page.
#[test]
fn a_cache_keeps_as_many_pages_of_a_large_file_as_of_a_small_one() {
    // A table of many places takes Miri minutes to take down.
    let sizes: &[usize] = if cfg!(miri) { &[4] } else { &[4, 16, 64] };
    for pages in sizes.iter().copied() {
        for stride in [1, 97, 100_003, MAX_U48 / 5000] {
            let cache = PageCache::new(SIZE, pages * SIZE, Tally::default());
            for number in 1..=3 * pages as u64 {
                cache.insert(page(at(number * stride, 1)));
                let stats = cache.stats();
                assert!(stats.bytes <= stats.capacity_bytes, "{stats:?}");
            }
            let kept = (1..=3 * pages as u64)
                .filter_map(|number| cache.get(at(number * stride, 1)))
                .count();
            assert!(kept >= pages / 2, "{kept} of {pages}, {stride} apart");
        }
    }
}

/// Of pages that share their two places two are kept, first of all those in use, and none passes for another.
#[test]
fn pages_of_one_place_are_told_apart() {
    let cache = cache(16);
    let far = 3 * (cache.mask + 1);
    let [one, two, three] = [5, 5 + far, 5 + 2 * far].map(|number| at(number, 7));
    cache.insert(page(one));
    assert!(cache.get(one).is_some() && cache.get(two).is_none());
    cache.insert(page(two));
    assert_whole(cache.get(one).unwrap().page(), one);
    assert_eq!(cache.stats().evictions, 0);
    // The second has not been used.
    cache.insert(page(three));
    assert!(cache.get(one).is_some() && cache.get(two).is_none());
    assert_whole(cache.get(three).unwrap().page(), three);
    assert_eq!(cache.stats().evictions, 1);

    // Those that somebody holds on to keep their places.
    let held = [one, three].map(|at| cache.get(at).unwrap().shared());
    for frame in &held {
        frame.pins.fetch_add(1, Ordering::Relaxed);
    }
    assert_whole(&cache.insert(page(two)).page, two);
    assert!(cache.get(two).is_none());
    assert!(cache.get(one).is_some() && cache.get(three).is_some());
}

/// A root and a branch once put each other out at every step, if their numbers were that far apart.
#[test]
fn a_path_of_pages_a_table_apart_is_read_once() {
    let cache = cache(16);
    let path = [3, 3 + cache.mask + 1, 40].map(|number| at(number, 1));
    for _ in 0..10 {
        for step in path {
            if cache.get(step).is_none() {
                cache.insert(page(step));
            }
        }
    }
    assert_eq!(cache.stats().misses, 3);
}

/// The pages of a descent that came after many pages in use once put one another out at every descent.
#[test]
fn a_path_stays_in_a_cache_full_of_pages_that_were_in_use() {
    let cache = cache(14);
    let look = |number| {
        let there = cache.get(at(number, 1)).is_some();
        if !there {
            cache.insert(page(at(number, 1)));
        }
        there
    };
    for number in 2..30 {
        for _ in 0..3 {
            look(number);
        }
    }
    let misses = cache.stats().misses;
    for _ in 0..50 {
        [100, 101, 102].into_iter().for_each(|number| {
            look(number);
        });
    }
    assert!(cache.stats().misses - misses <= 6);
}
