//! Faults that the operating system makes: processes killed, file systems shut down, disks that
//! fill up or fail, openers that race. Each is skipped by name where it is not permitted.

mod beside;
mod cut;
mod disks;
mod kill;
mod ledger;
mod mounts;
mod openers;
mod strace;
mod victim;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use serde::Serialize;

use crate::cli::{RealArgs, RealFault};
use crate::console::Console;
use crate::failure::{Exit, Failure};

pub(crate) use openers::child as opener;
pub(crate) use victim::run as victim;

/// Which fault, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RealPlan {
    pub(crate) fault: RealFault,
    pub(crate) cycles: u64,
}

impl RealPlan {
    /// What it does, in a few words for people.
    pub(crate) fn describe(&self) -> String {
        let what = match self.fault {
            RealFault::Sigkill => "SIGKILL a process with three writers and two readers",
            RealFault::PowerExt4 => "cut the power of an ext4 file system under three writers",
            RealFault::PowerXfs => "cut the power of an XFS file system under three writers",
            RealFault::FailedSync => {
                "let the storage under a file system run out until a sync fails"
            }
            RealFault::FullDisk => "fill a small file system, twice",
            RealFault::DoubleOpen => "let two to eight openers race, and look from beside",
            RealFault::Strace => "let system calls fail by injection",
        };
        format!("{what}, {} times", crate::units::grouped(self.cycles))
    }

    /// How many experiments run beside each other. Those that share nothing but processors do, and those that wait for
    /// file systems to be mounted more than they compute do so more often.
    fn lanes(&self) -> u64 {
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        match self.fault {
            RealFault::Sigkill => cores.min(8),
            RealFault::PowerExt4 | RealFault::PowerXfs => (3 * cores).min(8),
            _ => 1,
        }
    }
}

/// What an experiment did, all of it counted.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    /// How often the fault was made.
    pub(crate) cycles: u64,
    /// Commits that were acknowledged as durable.
    pub(crate) acknowledged: u64,
    /// Faults that came after a commit was acknowledged in the same life.
    amid: u64,
    /// Commits found that nobody had been told of.
    unacknowledged: u64,
    /// Openings that recovered from a log.
    recovered: u64,
    /// Calls that failed with an error, as they had to.
    refused: u64,
    /// Rules that were broken. The first ends the experiment.
    pub(crate) violations: Vec<String>,
    time_ns: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.cycles += other.cycles;
        self.acknowledged += other.acknowledged;
        self.amid += other.amid;
        self.unacknowledged += other.unacknowledged;
        self.recovered += other.recovered;
        self.refused += other.refused;
        self.violations.extend(other.violations);
    }

    pub(crate) fn cycles_per_second(&self) -> f64 {
        self.cycles as f64 * 1e9 / self.time_ns.max(1) as f64
    }

    /// Every metric of the phase, by its name in the registry.
    pub(crate) fn metrics(&self) -> Vec<(&'static str, f64)> {
        let counts = [
            ("time_ns", self.time_ns),
            ("cycles", self.cycles),
            ("acknowledged_commits", self.acknowledged),
            ("amid_commits", self.amid),
            ("unacknowledged_commits", self.unacknowledged),
            ("recoveries", self.recovered),
            ("refused_calls", self.refused),
            ("violations", self.violations.len() as u64),
        ];
        let mut metrics: Vec<(&'static str, f64)> =
            counts.map(|(name, count)| (name, count as f64)).to_vec();
        let each = self.acknowledged as f64 / self.cycles.max(1) as f64;
        metrics.push(("cycles_per_second", self.cycles_per_second()));
        metrics.push(("acknowledged_per_cycle", each));
        metrics
    }
}

/// How an experiment ended.
pub(crate) enum Outcome {
    Done(Tally),
    /// Not permitted or not possible here, and why.
    Skipped(String),
}

/// Why an experiment stopped early.
enum Stop {
    Skip(String),
    Broken(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Stop {
        Stop::Broken(failure)
    }
}

impl From<vellum::Error> for Stop {
    fn from(error: vellum::Error) -> Stop {
        Stop::Broken(error.into())
    }
}

fn skip(why: impl fmt::Display) -> Stop {
    Stop::Skip(why.to_string())
}

/// Where and how long.
struct Bench<'a> {
    folder: PathBuf,
    cycles: u64,
    seed: u64,
    watch: &'a Watch<'a>,
}

/// What the lanes of one experiment share.
struct Watch<'a> {
    fault: RealFault,
    console: &'a Console,
    stop: &'a (dyn Fn() -> bool + Sync),
    done: AtomicU64,
    broken: AtomicBool,
}

impl Bench<'_> {
    /// Counts a cycle. Whether there is to be another.
    fn counted(&self, tally: &mut Tally) -> bool {
        tally.cycles += 1;
        let watch = self.watch;
        let done = watch.done.fetch_add(1, Ordering::Relaxed) + 1;
        let label = format!("{}:", watch.fault.name());
        watch.console.progress(&label, done);
        if !tally.violations.is_empty() {
            watch.broken.store(true, Ordering::Relaxed);
        }
        self.goes_on(tally)
    }

    fn goes_on(&self, tally: &Tally) -> bool {
        let broken = !tally.violations.is_empty() || self.watch.broken.load(Ordering::Relaxed);
        tally.cycles < self.cycles && !broken && !(self.watch.stop)()
    }
}

/// Where files are quickest: in memory, if the system shows a folder there. What tests syncs brings a file
/// system of its own.
pub(crate) fn quickest_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if cfg!(target_os = "linux") && memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

/// Carries an experiment out. What was counted before it was stopped is kept.
///
/// # Errors
/// If the lab cannot go on.
pub(crate) fn experiment(
    plan: &RealPlan,
    seed: u64,
    console: &Console,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Outcome, Failure> {
    experiment_in(&quickest_folder(), plan, seed, console, stop)
}

fn experiment_in(
    folder: &Path,
    plan: &RealPlan,
    seed: u64,
    console: &Console,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Outcome, Failure> {
    let folder = folder.join(format!("vellum-real-{}", std::process::id()));
    let watch = Watch {
        fault: plan.fault,
        console,
        stop,
        done: AtomicU64::new(0),
        broken: AtomicBool::new(false),
    };
    let started = Instant::now();
    let lanes = plan.lanes().min(plan.cycles).max(1);
    let done: Vec<(Tally, Result<(), Stop>)> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes)
            .map(|lane| {
                let bench = Bench {
                    folder: folder.join(format!("lane-{lane}")),
                    cycles: plan.cycles / lanes + u64::from(lane < plan.cycles % lanes),
                    seed: seed.wrapping_add(lane << 32),
                    watch: &watch,
                };
                scope.spawn(move || lane_of(&bench))
            })
            .collect();
        let joined = lanes.into_iter().map(|lane| lane.join());
        joined.flatten().collect()
    });
    if done.len() as u64 != lanes {
        return Err(Failure::lab("a thread of the experiment panicked"));
    }
    let mut tally = Tally::default();
    for (found, ended) in done {
        tally.add(found);
        match ended {
            Err(Stop::Skip(why)) => return Ok(Outcome::Skipped(why)),
            // Whoever is stopped may find that his children were stopped before him.
            Err(Stop::Broken(_)) if stop() => {}
            Err(Stop::Broken(failure)) if failure.exit == Exit::Wrong => {
                tally.violations.push(failure.message);
            }
            Err(Stop::Broken(failure)) => return Err(failure),
            Ok(()) => {}
        }
    }
    tally.time_ns = started.elapsed().as_nanos() as u64;
    // What is left lies in a folder of this process; a violation named its place.
    if tally.violations.is_empty() {
        let _ = std::fs::remove_dir_all(&folder);
    }
    Ok(Outcome::Done(tally))
}

fn lane_of(bench: &Bench<'_>) -> (Tally, Result<(), Stop>) {
    let mut tally = Tally::default();
    let made = std::fs::create_dir_all(&bench.folder)
        .map_err(|error| Failure::lab(format!("{}: {error}", bench.folder.display())).into());
    let ended = made.and_then(|()| match bench.watch.fault {
        RealFault::Sigkill => kill::run(bench, &mut tally),
        RealFault::PowerExt4 => cut::run(bench, "ext4", &mut tally),
        RealFault::PowerXfs => cut::run(bench, "xfs", &mut tally),
        RealFault::FailedSync => disks::failed_sync(bench, &mut tally),
        RealFault::FullDisk => disks::full(bench, &mut tally),
        RealFault::DoubleOpen => openers::run(bench, &mut tally),
        RealFault::Strace => strace::run(bench, &mut tally),
    });
    (tally, ended)
}

/// One line of the result.
#[derive(Serialize)]
struct Report {
    fault: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    #[serde(flatten)]
    tally: Tally,
    cycles_per_second: f64,
}

/// Carries out the experiments asked for, or all.
pub(crate) fn run(args: &RealArgs, console: &Console) -> Result<Exit, Failure> {
    let faults = if args.faults.is_empty() {
        RealFault::ALL.to_vec()
    } else {
        args.faults.clone()
    };
    let mut exit = Exit::Passed;
    let folder = args.folder.clone().unwrap_or_else(quickest_folder);
    for fault in faults {
        let plan = RealPlan {
            fault,
            cycles: args.cycles,
        };
        let outcome = experiment_in(&folder, &plan, args.seed, console, &|| false)?;
        exit = exit.worse(report(fault, outcome, console)?);
    }
    Ok(exit)
}

fn report(fault: RealFault, outcome: Outcome, console: &Console) -> Result<Exit, Failure> {
    let (skipped, tally) = match outcome {
        Outcome::Done(tally) => (None, tally),
        Outcome::Skipped(why) => (Some(why), Tally::default()),
    };
    let exit = match (&skipped, tally.violations.is_empty()) {
        (Some(_), _) => Exit::Missing,
        (None, true) => Exit::Passed,
        (None, false) => Exit::Wrong,
    };
    let cycles_per_second = tally.cycles_per_second();
    let report = Report {
        fault: fault.name(),
        skipped,
        tally,
        cycles_per_second,
    };
    let text = match console.format {
        crate::cli::Format::Json | crate::cli::Format::Ndjson => serde_json::to_string(&report)
            .map_err(|error| Failure::lab(format!("writing the result: {error}")))?,
        _ => sentence(&report),
    };
    console.result(&(text + "\n"))?;
    Ok(exit)
}

fn sentence(report: &Report) -> String {
    let Report {
        fault,
        skipped,
        tally,
        cycles_per_second,
    } = report;
    if let Some(why) = skipped {
        return format!("{fault}: SKIPPED: {why}");
    }
    let mut text = format!(
        "{fault}: {} cycles, {cycles_per_second:.1} a second; {} commits acknowledged, 0 lost; {} found unacknowledged; {} recoveries; {} calls refused",
        tally.cycles, tally.acknowledged, tally.unacknowledged, tally.recovered, tally.refused
    );
    if let Some(first) = tally.violations.first() {
        text = format!("{fault}: WRONG after {} cycles: {first}", tally.cycles);
    }
    text
}
