#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use super::*;
use crate::results::{Measure, Number};

fn phase(digest: Option<&str>, metrics: &[(&str, f64)]) -> Phase {
    Phase {
        name: "read".to_owned(),
        what: String::new(),
        database: "main".to_owned(),
        status: PhaseStatus::Right,
        findings: Vec::new(),
        metrics: metrics
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Measure::once(Number(*value))))
            .collect::<BTreeMap<_, _>>(),
        tables: Vec::new(),
        digest: digest.map(str::to_owned),
        answer: None,
    }
}

#[test]
fn counts_are_taken_over_and_times_are_not() {
    let mut own = phase(Some("a"), &[("time_ns", 10.0)]);
    let other = phase(
        Some("a"),
        &[
            ("time_ns", 99.0),
            ("counts.page_conflicts", 0.0),
            ("counts.log_syncs", 7.0),
        ],
    );
    assert!(own.measure("counts.log_syncs").is_none());
    join_phase(&mut own, &other);
    assert_eq!(own.status, PhaseStatus::Right);
    assert_eq!(own.measure("time_ns").unwrap().median, Number(10.0));
    assert_eq!(own.measure("counts.log_syncs").unwrap().median, Number(7.0));
    // Counted, and it did not move.
    assert_eq!(own.measure("counts.merges").unwrap().median, Number(0.0));
}

#[test]
fn other_results_are_wrong() {
    let mut own = phase(Some("a"), &[]);
    join_phase(&mut own, &phase(Some("b"), &[]));
    assert_eq!(own.status, PhaseStatus::Wrong);
    assert!(own.findings[0].contains("digest b in place of a"));
}

#[test]
fn what_the_build_that_counts_finds_wrong_is_wrong() {
    let mut own = phase(Some("a"), &[]);
    let mut other = phase(Some("a"), &[]);
    other.findings.push("page owners: two".to_owned());
    join_phase(&mut own, &other);
    assert_eq!(own.status, PhaseStatus::Wrong);
    assert!(own.findings[0].contains("page owners: two"));
}

#[test]
fn counts_of_another_revision_are_not_taken_over() {
    let program = Path::new("lab-forensic");
    assert_eq!(stale(program, "a", "a"), None);
    let said = stale(program, "a", "b").unwrap_or_default();
    assert!(
        said.contains("revision a") && said.contains("from b"),
        "{said}"
    );
}
