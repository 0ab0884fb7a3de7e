#![allow(clippy::unwrap_used)]

use super::*;
use crate::format::blob::encode_data;
use crate::ids::MAX_U48;

const PAGE: usize = 4096;

fn page(number: u64, birth: u64) -> Page {
    let at = PageRef::new(number, birth).unwrap();
    Page::check_layout(encode_data(PAGE, b"x").into(), at).unwrap()
}

fn cache(pages: usize) -> PageCache {
    PageCache::new(PAGE, pages * PAGE, Tally::default())
}

/// The table once grew with the file: a cache of 64 KiB beside a file of 40 MB kept a single page.
#[test]
fn a_cache_keeps_as_many_pages_of_a_large_file_as_of_a_small_one() {
    for pages in [4, 16, 64] {
        for stride in [1, 97, 100_003, MAX_U48 / 5000] {
            let cache = cache(pages);
            for number in 1..=3 * pages as u64 {
                cache.insert(page(number * stride, 1));
                let stats = cache.stats();
                assert!(stats.bytes <= stats.capacity_bytes, "{stats:?}");
            }
            let kept = (1..=3 * pages as u64)
                .filter_map(|number| cache.get(PageRef::new(number * stride, 1)?))
                .count();
            assert!(kept >= pages / 2, "{kept} of {pages}, {stride} apart");
        }
    }
}

/// Pages that share a place put one another out, and none passes for another.
#[test]
fn pages_of_one_place_are_told_apart() {
    let cache = cache(16);
    let far = 3 * (cache.mask + 1);
    let (near, other) = (page(5, 7), page(5 + far, 7));
    let (near_at, other_at) = (near.at(), other.at());
    cache.insert(near);
    assert!(cache.get(near_at).is_some() && cache.get(other_at).is_none());
    cache.insert(other);
    assert!(cache.get(near_at).is_none());
    assert_eq!(cache.get(other_at).unwrap().page().at(), other_at);
    assert_eq!(cache.stats().evictions, 1);

    // One that somebody holds on to keeps its place.
    let held = cache.get(other_at).unwrap().shared();
    held.pins.fetch_add(1, Ordering::Relaxed);
    let frame = cache.insert(page(5, 7));
    assert_eq!(frame.page.at(), near_at);
    assert!(cache.get(near_at).is_none() && cache.get(other_at).is_some());
}

/// A newer page of the same number takes the place of an older one without a word.
#[test]
fn a_page_is_found_under_its_birth_only() {
    let cache = cache(16);
    cache.insert(page(9, 1));
    cache.insert(page(9, 2));
    assert!(cache.get(PageRef::new(9, 1).unwrap()).is_none());
    assert!(cache.get(PageRef::new(9, 2).unwrap()).is_some());
}
