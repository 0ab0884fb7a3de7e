#![cfg(test)]
#![allow(clippy::unwrap_used)]

use super::{Extent, Part, run};

#[track_caller]
fn clean(part: Part, stride: usize, least: u64) {
    let outcome = run(Extent {
        part,
        stride,
        seed: 1,
        until_broken: false,
    })
    .unwrap();
    assert!(outcome.broken.is_empty(), "{:#?}", outcome.broken);
    let total = outcome.total();
    println!("{total:?}");
    assert!(total.cells >= least, "{total:?}");
    assert!(
        total.failed > 0 && total.poisoned + total.done > 0,
        "{total:?}"
    );
}

#[test]
fn calls_that_fail_lose_nothing() {
    clean(Part::EveryCall, 29, 1_000);
}

#[test]
fn syncs_that_fail_are_final() {
    clean(Part::Syncs, 9, 400);
}

#[test]
fn writes_that_are_lost_or_misdirected_are_noticed() {
    clean(Part::Untold, 11, 120);
}
