//! Faults that the operating system makes: processes killed, file systems shut down, disks that
//! fill up or fail, openers that race. Each is skipped by name where it is not permitted.

mod cut;
mod disks;
mod kill;
mod ledger;
mod mounts;
mod openers;
mod strace;
mod victim;

use std::fmt;
use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;

use crate::cli::{RealArgs, RealFault};
use crate::console::Console;
use crate::failure::{Exit, Failure};

pub(crate) use openers::child as opener;
pub(crate) use victim::run as victim;

/// What an experiment did, all of it counted.
#[derive(Debug, Default, Serialize)]
struct Tally {
    /// How often the fault was made.
    cycles: u64,
    /// Commits that were acknowledged as durable.
    acknowledged: u64,
    /// Commits found that nobody had been told of.
    unacknowledged: u64,
    /// Openings that recovered from a log.
    recovered: u64,
    /// Calls that failed with an error, as they had to.
    refused: u64,
    /// Rules that were broken. The first ends the experiment.
    violations: Vec<String>,
}

/// How an experiment ended.
enum Outcome {
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
    console: &'a Console,
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
    for fault in faults {
        let folder = args
            .folder
            .join(format!("vellum-real-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::lab(format!("{}: {error}", folder.display())))?;
        let bench = Bench {
            folder,
            cycles: args.cycles,
            seed: args.seed,
            console,
        };
        let started = Instant::now();
        let outcome = match experiment(fault, &bench) {
            Ok(tally) => Outcome::Done(tally),
            Err(Stop::Skip(why)) => Outcome::Skipped(why),
            Err(Stop::Broken(failure)) => return Err(failure),
        };
        let seconds = started.elapsed().as_secs_f64();
        exit = exit.worse(report(fault, outcome, seconds, console)?);
        // What is left lies in a temporary folder of this process; a violation named its place.
        if exit != Exit::Wrong {
            let _ = std::fs::remove_dir_all(&bench.folder);
        }
    }
    Ok(exit)
}

fn experiment(fault: RealFault, bench: &Bench<'_>) -> Result<Tally, Stop> {
    match fault {
        RealFault::Sigkill => kill::run(bench),
        RealFault::PowerExt4 => cut::run(bench, "ext4"),
        RealFault::PowerXfs => cut::run(bench, "xfs"),
        RealFault::FailedSync => disks::failed_sync(bench),
        RealFault::FullDisk => disks::full(bench),
        RealFault::DoubleOpen => openers::run(bench),
        RealFault::Strace => strace::run(bench),
    }
}

fn report(
    fault: RealFault,
    outcome: Outcome,
    seconds: f64,
    console: &Console,
) -> Result<Exit, Failure> {
    let (skipped, tally) = match outcome {
        Outcome::Done(tally) => (None, tally),
        Outcome::Skipped(why) => (Some(why), Tally::default()),
    };
    let exit = match (&skipped, tally.violations.is_empty()) {
        (Some(_), _) => Exit::Missing,
        (None, true) => Exit::Passed,
        (None, false) => Exit::Wrong,
    };
    let cycles_per_second = tally.cycles as f64 / seconds.max(1e-9);
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
