#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::Allocator;
use crate::forensics::{Site, Tally};
use crate::format::freelist::Run;
use crate::format::header::Header;
use crate::ids::{MAX_U48, PageRef};

fn allocator(page_count: u64, free: &[(u64, u64)]) -> Allocator {
    let header = Header {
        page_size: 4096,
        name_index: true,
        unique_edges: false,
        log_segment_bytes: 4096,
        file_id: [7; 16],
        sequence: 0,
        birth_limit: 1,
        page_count,
        next_node: 1,
        node_count: 0,
        edge_count: 0,
        commit: 0,
        log_generation: 0,
        log_position: 0,
        log_chain: 0,
        kind_count: 0,
        label_count: 0,
        freelist: None,
        free_pages: 0,
        roots: Default::default(),
    };
    let mut allocator = Allocator::new(&header, Tally::default());
    allocator.load(free.iter().map(|&(first, len)| Run { first, len }));
    allocator
}

fn at(page: u64, birth: u64) -> PageRef {
    PageRef::new(page, birth).unwrap()
}

fn take(allocator: &mut Allocator, count: usize) -> Vec<u64> {
    (0..count).map(|_| allocator.take(Site::here())).collect()
}

fn unreached(allocator: &Allocator) -> Vec<(u64, u64)> {
    let runs = allocator.unreached();
    runs.iter().map(|run| (run.first, run.len)).collect()
}

#[test]
fn the_lowest_free_page_is_taken_first_and_then_the_file_grows() {
    let mut allocator = allocator(20, &[(5, 2), (9, 1)]);
    allocator.begin_change(1);
    assert_eq!(take(&mut allocator, 5), [5, 6, 9, 20, 21]);
    assert_eq!((allocator.page_count(), allocator.taken()), (22, 5));
    assert_eq!(unreached(&allocator), []);
}

#[test]
fn runs_are_taken_in_part_whole_and_behind_the_file() {
    let mut allocator = allocator(20, &[(5, 4), (12, 2)]);
    allocator.begin_change(1);
    let mut run = |most| {
        let run = allocator.take_run(most, Site::here());
        (run.first, run.len)
    };
    assert_eq!(
        [run(3), run(3), run(2), run(3)],
        [(5, 3), (8, 1), (12, 2), (20, 3)]
    );
    assert_eq!((allocator.page_count(), allocator.taken()), (23, 9));
}

#[test]
fn a_file_has_its_header_at_least() {
    let mut allocator = allocator(0, &[]);
    allocator.begin_change(1);
    assert_eq!(take(&mut allocator, 1), [2]);
}

#[test]
fn dropped_pages_wait_until_no_older_snapshot_is_left() {
    let mut allocator = allocator(20, &[]);
    allocator.begin_change(100);
    allocator.drop_page(at(7, 3), Site::here());
    allocator.drop_page(at(8, 4), Site::here());
    assert_eq!(unreached(&allocator), [(7, 2)]);
    allocator.commit_change(6, None);
    assert_eq!(allocator.waiting_pages(), 2);
    allocator.begin_change(200);
    allocator.release(5);
    assert_eq!(
        take(&mut allocator, 1),
        [20],
        "a snapshot of state 5 reads them"
    );
    assert_eq!(unreached(&allocator), [(7, 2)]);
    allocator.release(6);
    assert_eq!(allocator.waiting_pages(), 0);
    assert_eq!(take(&mut allocator, 3), [7, 8, 21]);
}

#[test]
fn releases_go_no_further_than_the_first_that_must_wait() {
    let mut allocator = allocator(20, &[]);
    for state in 1..=3 {
        allocator.begin_change(100 * state);
        allocator.drop_page(at(10 + 2 * state, 1), Site::here());
        allocator.commit_change(state, None);
    }
    allocator.release(2);
    assert_eq!(allocator.waiting_pages(), 1);
    allocator.begin_change(400);
    assert_eq!(take(&mut allocator, 3), [12, 14, 20]);
    assert_eq!(unreached(&allocator), [(16, 1)]);
}

#[test]
fn what_a_change_writes_and_drops_itself_is_free_at_its_end() {
    let mut allocator = allocator(20, &[]);
    allocator.begin_change(50);
    assert_eq!(take(&mut allocator, 2), [20, 21]);
    allocator.drop_page(at(20, 50), Site::here());
    assert_eq!(
        take(&mut allocator, 1),
        [22],
        "a savepoint may bring it back"
    );
    allocator.drop_page(at(3, 49), Site::here());
    allocator.commit_change(9, None);
    assert_eq!((allocator.waiting_pages(), allocator.taken()), (1, 0));
    allocator.begin_change(60);
    assert_eq!(take(&mut allocator, 2), [20, 23]);
}

#[test]
fn what_a_view_may_see_waits_like_the_rest() {
    let mut allocator = allocator(20, &[]);
    allocator.begin_change(50);
    assert_eq!(take(&mut allocator, 1), [20]);
    allocator.drop_page(at(20, 50), Site::here());
    allocator.commit_change(9, Some(8));
    assert_eq!(allocator.waiting_pages(), 1);
    allocator.release(8);
    assert_eq!(allocator.waiting_pages(), 1);
    allocator.release(9);
    assert_eq!(allocator.waiting_pages(), 0);
}

#[test]
fn going_back_undoes_what_came_after_the_mark() {
    for seen in [None, Some(4)] {
        let mut allocator = allocator(20, &[(5, 2)]);
        allocator.begin_change(50);
        take(&mut allocator, 1);
        allocator.drop_page(at(3, 1), Site::here());
        let mark = allocator.mark();
        take(&mut allocator, 2);
        allocator.drop_page(at(4, 1), Site::here());
        allocator.rollback_to(&mark, seen);
        assert_eq!(allocator.taken(), 1);
        assert_eq!(unreached(&allocator), [(3, 1), (6, 1), (20, 1)]);
        let waiting = if seen.is_some() { 2 } else { 0 };
        assert_eq!(allocator.waiting_pages(), waiting);
        allocator.release(4);
        assert_eq!(allocator.waiting_pages(), waiting);
        allocator.release(5);
        assert_eq!(allocator.waiting_pages(), 0);
        assert_eq!(take(&mut allocator, 3), [6, 20, 21]);
    }
}

#[test]
fn a_change_that_did_not_come_about_leaves_no_trace() {
    let mut allocator = allocator(20, &[(5, 2)]);
    allocator.abort_change(None);
    allocator.begin_change(50);
    // One that is under way goes on.
    allocator.begin_change(70);
    take(&mut allocator, 3);
    allocator.drop_page(at(3, 1), Site::here());
    allocator.abort_change(None);
    assert_eq!(unreached(&allocator), [(5, 2), (20, 1)]);
    assert_eq!((allocator.taken(), allocator.waiting_pages()), (0, 0));
    allocator.begin_change(80);
    take(&mut allocator, 1);
    allocator.abort_change(Some(2));
    assert_eq!(allocator.waiting_pages(), 1);
}

#[test]
fn neighbours_become_one_run() {
    let mut allocator = allocator(30, &[(5, 2), (8, 3), (14, 1)]);
    allocator.begin_change(50);
    for page in [7, 12, 13, 20] {
        allocator.drop_page(at(page, 1), Site::here());
    }
    assert_eq!(unreached(&allocator), [(5, 6), (12, 3), (20, 1)]);
    allocator.commit_change(1, None);
    allocator.release(1);
    assert_eq!(unreached(&allocator), [(5, 6), (12, 3), (20, 1)]);
    allocator.begin_change(60);
    assert_eq!(
        allocator.take_run(9, Site::here()),
        Run { first: 5, len: 6 }
    );
}

#[test]
fn free_pages_at_the_end_are_left_out() {
    let mut allocator = allocator(20, &[(5, 2), (15, 5)]);
    assert!(allocator.has_free_tail());
    allocator.trim_tail();
    assert_eq!(
        (allocator.page_count(), allocator.has_free_tail()),
        (15, false)
    );
    allocator.trim_tail();
    assert_eq!(
        (allocator.page_count(), unreached(&allocator)),
        (15, vec![(5, 2)])
    );
    let mut full = self::allocator(20, &[]);
    full.trim_tail();
    assert_eq!((full.page_count(), full.has_free_tail()), (20, false));
}

#[test]
fn runs_may_be_as_long_as_a_file() {
    for len in [65_535, 65_536, u64::from(u32::MAX), 1 << 32, MAX_U48 - 40] {
        let mut allocator = allocator(10 + len, &[(10, len)]);
        assert!(allocator.has_free_tail());
        allocator.begin_change(1);
        assert_eq!(take(&mut allocator, 2), [10, 11]);
        assert_eq!(unreached(&allocator), [(12, len - 2)]);
        allocator.abort_change(None);
        assert_eq!(unreached(&allocator), [(10, len)]);
        allocator.trim_tail();
        assert_eq!(allocator.page_count(), 10);
    }
}
