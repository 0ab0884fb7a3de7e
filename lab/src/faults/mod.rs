//! Every call to the disk fails, in every way, in every operation: nothing acknowledged is lost, errors
//! are clear, and the handle writes on or refuses exactly as promised.

mod cell;
mod kinds;
mod operation;
mod power;
mod start;
mod tests;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use self::cell::{Bench, Came, Expected, Planned};
use self::kinds::{Kind, TOLD, UNTOLD, fails_a_sync};
use self::operation::Operation;
use self::power::Survivors;
use self::start::Starts;

/// Violations that are kept in words; more are only counted.
const KEPT: usize = 100;

/// Which part of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Every call, failing in every way that the caller is told of.
    EveryCall,
    /// Every sync, failing in every way.
    Syncs,
    /// Every write, lost or misdirected though reported as done.
    Untold,
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) part: Part,
    /// One of so many calls is taken, from a different first one for each kind.
    pub(crate) stride: usize,
    pub(crate) seed: u64,
    /// Ends at the first rule that is broken.
    pub(crate) until_broken: bool,
}

/// Cells of one operation and one kind of fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Operation, fault, once or for good, survivors of the power cut.
    pub(crate) cells: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) poisoned: u64,
    pub(crate) broken: u64,
}

/// What the matrix found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) tallies: BTreeMap<(Operation, &'static str), Tally>,
    pub(crate) panics: u64,
    pub(crate) lost: u64,
    /// Each names the cell that broke a rule.
    pub(crate) broken: Vec<String>,
}

impl Outcome {
    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.values() {
            total.cells += tally.cells;
            total.done += tally.done;
            total.failed += tally.failed;
            total.poisoned += tally.poisoned;
            total.broken += tally.broken;
        }
        total
    }

    fn note(&mut self, operation: Operation, name: &'static str, came: &Result<Came, String>) {
        let tally = self.tallies.entry((operation, name)).or_default();
        let cells = Survivors::EACH.len() as u64;
        match came {
            Ok(Came::NotReached) => return,
            Ok(Came::Done) => tally.done += cells,
            Ok(Came::Failed) => tally.failed += cells,
            Ok(Came::Poisoned) => tally.poisoned += cells,
            Err(_) => tally.broken += cells,
        }
        tally.cells += cells;
    }
}

/// Goes through the matrix, on every processor.
pub(crate) fn run(extent: Extent) -> Result<Outcome, String> {
    let starts = Starts::new().map_err(|error| format!("making the databases: {error}"))?;
    let mut outcome = Outcome::default();
    let mut rows = Vec::new();
    for operation in Operation::ALL {
        let bench = Bench {
            starts: &starts,
            operation,
            seed: extent.seed,
        };
        match guarded(|| bench.expected()) {
            Ok(expected) => rows.push((bench, expected)),
            Err(broken) => outcome
                .broken
                .push(format!("{}: {broken}", operation.name())),
        }
    }
    let work: Vec<(usize, usize)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, (_, expected))| (0..expected.calls.len()).map(move |call| (row, call)))
        .collect();
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(outcome);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((row, call)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some((bench, expected)) = rows.get(*row) else {
                        return;
                    };
                    if extent.until_broken && !outcome.lock().broken.is_empty() {
                        return;
                    }
                    call_of(bench, expected, *call, extent, &outcome);
                }
            });
        }
    });
    Ok(outcome.into_inner())
}

/// One call, failing in every way.
fn call_of(
    bench: &Bench<'_>,
    expected: &Expected,
    call: usize,
    extent: Extent,
    outcome: &Mutex<Outcome>,
) {
    let kinds: &[Kind] = match extent.part {
        Part::EveryCall | Part::Syncs => &TOLD,
        Part::Untold => &UNTOLD,
    };
    let Some(what) = expected.calls.get(call).copied() else {
        return;
    };
    for (place, (name, kind)) in kinds.iter().copied().enumerate() {
        let wanted = kind.fits(what) && (extent.part != Part::Syncs || fails_a_sync(kind));
        if !wanted || !(call + place).is_multiple_of(extent.stride.max(1)) {
            continue;
        }
        for lasts in [false, true] {
            let planned = Planned { call, kind, lasts };
            let came = guarded(|| bench.judge(expected, planned));
            let mut outcome = outcome.lock();
            outcome.note(bench.operation, name, &came);
            if let Err(broken) = came {
                outcome.panics += u64::from(broken.starts_with(PANICKED));
                outcome.lost += u64::from(broken.ends_with("an acknowledged commit is lost"));
                if outcome.broken.len() < KEPT {
                    let how = if lasts { "from then on" } else { "once" };
                    outcome.broken.push(format!(
                        "{}, call {call} ({what:?}), {name} {how}: {broken}",
                        bench.operation.name()
                    ));
                }
            }
        }
    }
}

const PANICKED: &str = "panicked";

/// A panic is a rule broken, too.
fn guarded<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("{PANICKED}: {}", text.unwrap_or_default()))
    })
}
