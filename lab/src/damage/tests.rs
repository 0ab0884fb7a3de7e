#![cfg(test)]
#![allow(clippy::unwrap_used)]

use super::{Extent, Way, run};

#[test]
fn no_damage_is_silent() {
    let outcome = run(&Extent {
        ways: Way::ALL.to_vec(),
        page_sizes: vec![4096],
        stride: 997,
        stride_of_others: 997,
        seed: 1,
        until_broken: false,
    })
    .unwrap();
    println!(
        "{:#?}\n{:#?}\n{:?}",
        outcome.tallies, outcome.rules, outcome.facts
    );
    assert!(outcome.broken.is_empty(), "{:#?}", outcome.broken);
    for facts in &outcome.facts {
        assert!(facts.lowest_tree >= 2 && facts.page_kinds == 5, "{facts:?}");
        assert!(facts.free_pages > 0 && facts.log_records >= 3, "{facts:?}");
    }
    for way in Way::ALL {
        assert!(
            outcome
                .tallies
                .get(&way)
                .is_some_and(|tally| tally.tried > 0),
            "{way:?}"
        );
    }
    let total = outcome.total();
    assert!(total.tried > 5_000 && total.refused > 1_000, "{total:?}");
}
