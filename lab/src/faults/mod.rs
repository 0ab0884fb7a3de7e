//! Every call to the disk fails, in every way, in every operation: nothing acknowledged is lost, errors
//! are clear, and the handle writes on or refuses exactly as promised.

mod cell;
mod kinds;
mod operation;
mod outcome;
mod power;
mod replay;
mod report;
mod start;
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde::Deserialize;
use vellum::storage::sim::Call;

use self::cell::{Bench, Expected, Planned};
use self::kinds::{Kind, TOLD, UNTOLD, fails_a_sync};
use self::operation::Operation;
use self::replay::Id;
use self::start::{Build, Starts};

pub(crate) use self::outcome::Outcome;
pub(crate) use self::replay::replay;
pub(crate) use self::report::{answer, metrics, tables};

use crate::share::Share;

/// What every broken rule about the order of writes says.
pub(crate) const OUT_OF_ORDER: &str = "out of order: ";
/// What every finding of the engine's check says.
pub(crate) const CHECK_FINDS: &str = "the check finds: ";

/// Which part of the matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// Every call, failing in every way that the caller is told of.
    #[default]
    EveryCall,
    /// Every sync, failing in every way.
    Syncs,
    /// Every write, lost or misdirected though reported as done.
    Untold,
}

impl Part {
    fn kinds(self) -> &'static [Kind] {
        match self {
            Part::EveryCall | Part::Syncs => &TOLD,
            Part::Untold => &UNTOLD,
        }
    }

    pub(crate) fn what(self) -> &'static str {
        match self {
            Part::EveryCall => "every call to the disk fails in every way",
            Part::Syncs => "every sync fails in every way",
            Part::Untold => "every write is lost or goes elsewhere though reported as done",
        }
    }
}

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) part: Part,
    /// One of so many calls is taken, from a different first one for each kind, and each that sets a length.
    pub(crate) stride: usize,
    pub(crate) seed: u64,
    /// Ends at the first rule that is broken.
    pub(crate) until_broken: bool,
}

/// How the work is done and watched.
pub(crate) struct Course<'a> {
    pub(crate) threads: usize,
    /// Told how many cells are done.
    pub(crate) progress: &'a (dyn Fn(u64) + Sync),
    /// Whether to end now, with what there is.
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
    /// The part that is carried out.
    pub(crate) share: Share,
}

/// Goes through the matrix, on every processor.
#[cfg(any(test, vellum_plant))]
pub(crate) fn run(extent: Extent) -> Result<Outcome, String> {
    let course = Course {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        progress: &|_| {},
        stop: &|| false,
        share: Share::WHOLE,
    };
    run_on(extent, &course)
}

/// Goes through the matrix.
///
/// # Errors
/// If the databases cannot be made.
pub(crate) fn run_on(extent: Extent, course: &Course<'_>) -> Result<Outcome, String> {
    let starts = Build::ALL.map(Starts::new).into_iter();
    let starts: Result<Vec<Starts>, _> = starts.collect();
    let starts = starts.map_err(|error| format!("making the databases: {error}"))?;
    let mut outcome = Outcome::default();
    let mut rows = Vec::new();
    let benches = starts.iter().flat_map(|starts| {
        Operation::ALL.map(|operation| Bench {
            starts,
            operation,
            seed: extent.seed,
        })
    });
    for bench in benches {
        match guarded(|| bench.expected()) {
            Ok(expected) => {
                *outcome.calls.entry(bench.operation).or_default() += expected.calls.len() as u64;
                rows.push((bench, expected));
            }
            Err(broken) => outcome.fail(format!("{}: {broken}", bench.operation.name())),
        }
    }
    let work: Vec<(usize, usize)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, (_, expected))| (0..expected.calls.len()).map(move |call| (row, call)))
        .enumerate()
        .filter(|(number, _)| course.share.has(*number as u64))
        .map(|(_, one)| one)
        .collect();
    let next = AtomicUsize::new(0);
    let outcome = Mutex::new(outcome);
    std::thread::scope(|scope| {
        for _ in 0..course.threads.max(1) {
            scope.spawn(|| {
                while let Some((row, call)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some((bench, expected)) = rows.get(*row) else {
                        return;
                    };
                    let broken = extent.until_broken && outcome.lock().violations > 0;
                    if broken || (course.stop)() {
                        return;
                    }
                    call_of(bench, expected, *call, extent, &outcome);
                    (course.progress)(outcome.lock().total().cells);
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
    let Some(what) = expected.calls.get(call).copied() else {
        return;
    };
    for (place, (name, kind)) in extent.part.kinds().iter().copied().enumerate() {
        let wanted = kind.fits(what) && (extent.part != Part::Syncs || fails_a_sync(kind));
        // Lengths are set so rarely that a stride would step over all of them.
        let thinned_out =
            what != Call::SetLen && !(call + place).is_multiple_of(extent.stride.max(1));
        if !wanted || thinned_out {
            continue;
        }
        for lasts in [false, true] {
            let planned = Planned { call, kind, lasts };
            let came = guarded(|| bench.judge(expected, planned));
            let mut outcome = outcome.lock();
            outcome.note(bench.operation, name, what, &came);
            if let Err(broken) = came {
                let id = Id {
                    operation: bench.operation,
                    build: bench.starts.build,
                    seed: extent.seed,
                    call,
                    kind: (name, kind),
                    lasts,
                };
                outcome.fail(format!(
                    "{}: {broken}; again with: lab faults replay {id}",
                    id.said(what)
                ));
            }
        }
    }
}

/// What a panic's rule says.
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
