//! What the matrix found.

use std::collections::BTreeMap;

use vellum::storage::sim::Call;

use super::PANICKED;
use super::cell::{Came, LOST, NOT_CLEAR, WRONG_HANDLE};
use super::operation::Operation;
use super::power::Survivors;

/// Violations that are kept in words; more are only counted.
const KEPT: usize = 100;

/// Cells that have something in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Operation, call, fault, once or for good, survivors of the power cut.
    pub(crate) cells: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) poisoned: u64,
    pub(crate) broken: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.cells += other.cells;
        self.done += other.done;
        self.failed += other.failed;
        self.poisoned += other.poisoned;
        self.broken += other.broken;
    }

    fn of(came: &Result<Came, String>) -> Tally {
        let cells = Survivors::EACH.len() as u64;
        let mut tally = Tally {
            cells,
            ..Tally::default()
        };
        match came {
            Ok(Came::NotReached) => tally.cells = 0,
            Ok(Came::Done) => tally.done = cells,
            Ok(Came::Failed) => tally.failed = cells,
            Ok(Came::Poisoned) => tally.poisoned = cells,
            Err(_) => tally.broken = cells,
        }
        tally
    }
}

/// Everything that was counted, and what was found to be wrong.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Calls that each operation makes when nothing fails.
    pub(crate) calls: BTreeMap<Operation, u64>,
    pub(crate) tallies: BTreeMap<(Operation, &'static str), Tally>,
    /// Cells by the call that failed.
    pub(crate) struck: BTreeMap<Call, u64>,
    pub(crate) violations: u64,
    pub(crate) panics: u64,
    pub(crate) lost: u64,
    /// Errors that were swallowed, or not the right ones.
    pub(crate) unclear: u64,
    /// Handles that went on where they must not, or refused where they need not.
    pub(crate) wrong_handles: u64,
    /// Each names the cell that broke a rule.
    pub(crate) broken: Vec<String>,
}

impl Outcome {
    pub(crate) fn total(&self) -> Tally {
        self.sum(|_, _| true)
    }

    pub(super) fn sum(&self, of: impl Fn(Operation, &str) -> bool) -> Tally {
        let mut total = Tally::default();
        for ((operation, kind), tally) in &self.tallies {
            if of(*operation, kind) {
                total.add(*tally);
            }
        }
        total
    }

    pub(super) fn note(
        &mut self,
        operation: Operation,
        kind: &'static str,
        call: Call,
        came: &Result<Came, String>,
    ) {
        let tally = Tally::of(came);
        if tally.cells > 0 {
            self.tallies
                .entry((operation, kind))
                .or_default()
                .add(tally);
            *self.struck.entry(call).or_default() += tally.cells;
        }
    }

    pub(super) fn fail(&mut self, broken: String) {
        let says = |what: &str| u64::from(broken.contains(what));
        self.violations += 1;
        self.panics += says(PANICKED);
        self.lost += says(LOST);
        self.unclear += NOT_CLEAR.iter().map(|what| says(what)).max().unwrap_or(0);
        self.wrong_handles += WRONG_HANDLE
            .iter()
            .map(|what| says(what))
            .max()
            .unwrap_or(0);
        if self.broken.len() < KEPT {
            self.broken.push(broken);
        }
    }
}
