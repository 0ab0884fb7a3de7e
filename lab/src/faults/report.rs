//! An outcome as metrics and tables.

use vellum::storage::sim::Call;

use super::operation::Operation;
use super::outcome::{Outcome, Tally};
use super::{TOLD, UNTOLD};
use crate::results::{Cell, Table};
use crate::scenario::faults as section;
use crate::units::{Unit, grouped};

/// Every metric of the phase, by its name in the registry.
pub(crate) fn metrics(outcome: &Outcome, time_ns: u64) -> Vec<(&'static str, f64)> {
    let total = outcome.total();
    let struck = |calls: &[Call]| {
        let counts = calls.iter().filter_map(|call| outcome.struck.get(call));
        counts.sum::<u64>()
    };
    let created_again = outcome
        .sum(|operation, _| operation == Operation::Create)
        .failed;
    let kinds = TOLD.iter().chain(&UNTOLD);
    let kinds = kinds.filter(|kind| outcome.sum(|_, name| name == kind.0).cells > 0);
    let counts = [
        ("time_ns", time_ns),
        ("cells", total.cells),
        ("operations", outcome.calls.len() as u64),
        ("calls", outcome.calls.values().sum()),
        ("kinds", kinds.count() as u64),
        ("done", total.done),
        ("failed", total.failed),
        ("poisoned", total.poisoned),
        ("violations", outcome.violations),
        ("lost_commits", outcome.lost),
        ("unclear_errors", outcome.unclear),
        ("wrong_handles", outcome.wrong_handles),
        ("panics", outcome.panics),
        ("saw.creates_again", created_again),
        ("saw.reads", struck(&[Call::Read, Call::Len])),
        ("saw.writes", struck(&[Call::Write])),
        ("saw.lengths", struck(&[Call::SetLen])),
        ("saw.syncs", struck(&[Call::Sync])),
        ("saw.directory_syncs", struck(&[Call::SyncDirectory])),
        ("saw.opens", struck(&[Call::Open, Call::Exists, Call::Lock])),
        ("saw.names", struck(&[Call::Rename, Call::Remove])),
    ];
    let mut metrics: Vec<(&'static str, f64)> =
        counts.map(|(name, count)| (name, count as f64)).to_vec();
    let seconds = time_ns.max(1) as f64 / 1e9;
    metrics.push(("cells_per_second", total.cells as f64 / seconds));
    metrics
}

fn row(name: &str, tally: &Tally) -> Vec<Cell> {
    let counts = [
        tally.cells,
        tally.done,
        tally.failed,
        tally.poisoned,
        tally.broken,
    ];
    let mut row = vec![Cell::from(name)];
    row.extend(counts.map(Cell::from));
    row
}

/// Cells by operation and by fault.
pub(crate) fn tables(owner: &str, outcome: &Outcome) -> Vec<Table> {
    let operations = outcome.calls.iter().map(|(operation, calls)| {
        let mut row = row(operation.name(), &outcome.sum(|one, _| one == *operation));
        row.insert(1, Cell::from(*calls));
        row
    });
    let kinds = TOLD.iter().chain(&UNTOLD).filter_map(|(name, _)| {
        let tally = outcome.sum(|_, one| one == *name);
        (tally.cells > 0).then(|| row(name, &tally))
    });
    vec![
        section::OPERATIONS.table(owner, operations.collect()),
        section::KINDS.table(owner, kinds.collect()),
    ]
}

/// One sentence.
pub(crate) fn answer(outcome: &Outcome, time_ns: u64) -> String {
    let total = outcome.total();
    let broken = match outcome.violations {
        0 => "no rule was broken".to_owned(),
        broken => format!("{} broke a rule", grouped(broken)),
    };
    format!(
        "{} cells in {}: {} done all the same, {} failed and were done again, {} ended the handle; {broken}",
        grouped(total.cells),
        Unit::Ns.show(time_ns as f64),
        grouped(total.done),
        grouped(total.failed),
        grouped(total.poisoned),
    )
}
