//! The texts that the corpus holds are taken and refused.
#![allow(missing_docs)]

use vellum_fuzz_bodies::{import_text, scenario_text, seeds};

fn outcomes<T>(target: &str, run: fn(&[u8]) -> T) -> Vec<T> {
    let of_target = seeds::all()
        .into_iter()
        .filter(|seed| seed.target == target);
    of_target.map(|seed| run(&seed.input)).collect()
}

#[test]
fn scenarios_are_taken_and_refused() {
    let outcomes = outcomes("scenario_text", scenario_text::run);
    assert!(
        outcomes.contains(&scenario_text::Outcome::Refused),
        "{outcomes:?}"
    );
}

#[test]
fn graphs_are_taken_and_refused() {
    let outcomes = outcomes("import_text", import_text::run);
    for expected in [
        import_text::Outcome::Graph(0, 0),
        import_text::Outcome::Graph(2, 2),
        import_text::Outcome::Graph(2, 1),
        import_text::Outcome::Refused,
    ] {
        assert!(outcomes.contains(&expected), "{expected:?}: {outcomes:?}");
    }
}
