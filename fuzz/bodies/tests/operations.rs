//! The operations that the corpus holds reach what they are for; and without the fuzzer, a stated
//! number of random inputs.
#![allow(missing_docs, clippy::unwrap_used)]

use vellum_fuzz_bodies::{TARGETS, ops_crash, ops_io_fault, ops_model, readers_snapshot, seeds};

fn outcomes<T>(target: &str, run: fn(&[u8]) -> T) -> Vec<T> {
    let of_target = seeds::all()
        .into_iter()
        .filter(|seed| seed.target == target);
    of_target.map(|seed| run(&seed.input)).collect()
}

#[test]
fn sessions_reach_every_operation() {
    let saw = outcomes("ops_model", ops_model::run);
    type Count = fn(&ops_model::Saw) -> u64;
    let counts: [(&str, Count); 8] = [
        ("log commits", |saw| saw.log_commits),
        ("root commits", |saw| saw.root_commits),
        ("dropped", |saw| saw.dropped),
        ("rolled back", |saw| saw.rolled_back),
        ("checkpoints", |saw| saw.checkpoints),
        ("reopened", |saw| saw.reopened),
        ("compared", |saw| saw.compared),
        ("backups", |saw| saw.backups),
    ];
    for (name, count) in counts {
        assert!(saw.iter().any(|saw| count(saw) > 0), "{name}: {saw:?}");
    }
}

#[test]
fn power_cuts_lose_tear_and_keep() {
    let outcomes = outcomes("ops_crash", ops_crash::run);
    type Is = fn(&ops_crash::Outcome) -> bool;
    let ways: [(&str, Is); 5] = [
        ("recovered", |outcome| outcome.recovered),
        ("torn", |outcome| outcome.torn),
        ("lost", |outcome| outcome.lost),
        ("unacknowledged", |outcome| outcome.unacknowledged),
        ("twice", |outcome| outcome.twice),
    ];
    for (name, is) in ways {
        assert!(outcomes.iter().any(is), "{name}: {outcomes:?}");
    }
}

#[test]
fn faults_strike_and_fail() {
    let outcomes = outcomes("ops_io_fault", ops_io_fault::run);
    type Is = fn(&ops_io_fault::Outcome) -> bool;
    let ways: [(&str, Is); 5] = [
        ("struck", |outcome| outcome.struck),
        ("borne", |outcome| outcome.struck && outcome.failed == 0),
        ("failed", |outcome| outcome.failed > 0),
        ("uncertain", |outcome| outcome.uncertain),
        ("recovered", |outcome| {
            outcome.uncertain && outcome.recovered
        }),
    ];
    for (name, is) in ways {
        assert!(outcomes.iter().any(is), "{name}: {outcomes:?}");
    }
}

#[test]
fn readers_walk_while_operations_go_on() {
    let outcomes = outcomes("readers_snapshot", readers_snapshot::run);
    assert!(
        outcomes
            .iter()
            .any(|outcome| outcome.items > 20 && outcome.saw.checkpoints > 0)
    );
}

/// The same inputs every time, from a generator of a few lines (SplitMix64).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[test]
fn random_inputs_break_no_promise() {
    let mut state = 1;
    for (target, run) in TARGETS {
        for _ in 0..40 {
            let len = random(&mut state) % 600;
            let input: Vec<u8> = (0..len).map(|_| random(&mut state) as u8).collect();
            // Shown when the test fails.
            println!("{target} {input:?}");
            run(&input);
        }
    }
}
