#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

use super::{Run, encode};
use crate::format::testing::{damage, damaged, place, read_all, reseal, sealed};
use crate::ids::MAX_U48;

/// Pages of the chain, unlinked, as many as it takes.
#[track_caller]
fn check(runs: &[Run]) -> Vec<crate::format::page::Page> {
    let mut left = runs.iter().copied().peekable();
    let mut pages = Vec::new();
    while left.peek().is_some() {
        pages.push(sealed(encode(4096, Some(place()), &mut left)));
    }
    let read = |page: &crate::format::page::Page| {
        read_all(page);
        let freelist = page.freelist().unwrap();
        assert_eq!(freelist.next(), Some(place()));
        freelist.runs().map(Result::unwrap).collect::<Vec<_>>()
    };
    assert_eq!(pages.iter().flat_map(read).collect::<Vec<_>>(), runs);
    pages
}

fn run(first: u64, len: u64) -> Run {
    Run { first, len }
}

#[test]
fn runs_round_trip() {
    check(&[run(1, 1)]);
    check(&[run(2, 5), run(9, 1), run(11, 1 << 40)]);
    check(&[run(1, MAX_U48)]);
    check(&[run(MAX_U48, 1)]);
    let many: Vec<Run> = (1..5000).map(|i| run(i * 1000, 1 + i % 900)).collect();
    let pages = check(&many);
    assert_eq!(pages.len(), 5, "a run takes about four bytes");
    let empty = sealed(encode(4096, None, &mut std::iter::empty().peekable()));
    assert_eq!((empty.count(), empty.freelist().unwrap().next()), (0, None));
}

#[test]
fn broken_rules_are_named() {
    let page = &check(&[run(2, 5), run(9, 1)])[0];
    let break_at = |at: usize, byte: u8| {
        let mut image: Box<[u8]> = page.bytes().into();
        image[at] = byte;
        reseal(image).err().map(|error| error.0)
    };
    assert_eq!(break_at(6, 1), Some("reserved bytes are not zero"));
    assert_eq!(break_at(28, 0), Some("free runs touch or are empty"));
    assert_eq!(break_at(29, 0), Some("free runs touch or are empty"));
    assert_eq!(break_at(30, 0), Some("free runs touch or are empty"));
    assert_eq!(break_at(32, 1), Some("unused bytes are not zero"));
    assert_eq!(break_at(5, 255), Some("free runs touch or are empty"));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "free runs must ascend and not touch")]
fn runs_that_touch_are_not_encoded() {
    encode(
        4096,
        None,
        &mut [run(2, 5), run(7, 1)].into_iter().peekable(),
    );
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "free runs must ascend and not touch")]
fn runs_of_no_pages_are_not_encoded() {
    encode(4096, None, &mut [run(2, 0)].into_iter().peekable());
}

proptest! {
    #[test]
    fn any_runs_round_trip(gaps in prop::collection::vec((1..1u64 << 34, 1..1u64 << 20), 1..900), damage in damage()) {
        let mut end = 0;
        let runs: Vec<Run> = gaps.into_iter().map(|(gap, len)| {
            let run = Run { first: end + gap, len };
            end = run.end();
            run
        }).collect();
        damaged(&check(&runs)[0], &damage);
    }
}
