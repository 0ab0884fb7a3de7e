//! Carries out a scenario: every cell of its sweep as often as it repeats, checks at the end, everything
//! stored as it comes.

mod cell;
pub(crate) mod checks;
pub(crate) mod counted;
mod gather;
pub(crate) mod joined;
pub(crate) mod limits;
pub(crate) mod mix;
mod names;
mod peer;
mod phases;
mod tables;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::cli::KeepDb;
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::machine;
use crate::random::Random;
use crate::report;
use crate::results::{Ended, Manifest, Run, SCHEMA};
use crate::rundir::{self, RunDir};
use crate::scenario::plan::{Changes, PhasePlan, Scenario};
use crate::scenario::raw::Durability;
use crate::scenario::sweep::Order;
use crate::share::Share;
use crate::store::peers;

use self::cell::Workshop;
use self::gather::Gathered;
use self::limits::Limits;

/// Stream of the seed that shuffles cells.
const SHUFFLE: u64 = 4 << 32;

/// How a run is to be carried out, beside what its scenario says.
pub(crate) struct Orders<'a> {
    pub(crate) out: &'a Path,
    pub(crate) keep: KeepDb,
    /// Whether every database of the run records a trace.
    pub(crate) trace: bool,
    pub(crate) changes: &'a Changes,
    pub(crate) tag: Option<String>,
    /// Phases whose metrics are wanted; all of them if there are none. Those before them run too.
    pub(crate) only: Vec<String>,
    /// This part of so many, from 1.
    pub(crate) shard: Option<(u32, u32)>,
    pub(crate) baseline: Option<checks::Baseline>,
}

impl Orders<'_> {
    pub(crate) fn share(&self) -> Share {
        self.shard
            .map_or(Share::WHOLE, |(number, of)| Share::new(number, of))
    }

    /// The phase as it is to be carried out: without metrics if others were asked for.
    fn measured<'p>(&self, phase: &'p PhasePlan) -> Cow<'p, PhasePlan> {
        if self.only.is_empty() || self.only.contains(&phase.name) {
            return Cow::Borrowed(phase);
        }
        Cow::Owned(PhasePlan {
            measure: false,
            ..phase.clone()
        })
    }
}

/// A run that came to its end.
pub(crate) struct Finished {
    pub(crate) run: Run,
    pub(crate) manifest: Manifest,
    /// The HTML page.
    pub(crate) report: PathBuf,
    pub(crate) exit: Exit,
}

/// Runs one scenario and writes its reports.
pub(crate) fn execute(
    scenario: &Scenario,
    orders: &Orders<'_>,
    console: &Console,
) -> Result<Finished, Failure> {
    let started = Instant::now();
    let stamp = machine::now();
    let mut manifest = manifest(scenario, orders);
    manifest.started_utc = stamp.utc;
    let mut gathered = Gathered::default();
    let limits = Limits::new(scenario.budget);
    let mut workshop = Workshop::new(scenario, orders, &limits, console);
    workshop.check_names()?;
    let folder = RunDir::create(
        orders.out,
        &stamp.compact,
        &scenario.name,
        &manifest.revision,
    )?;
    manifest.id.clone_from(&folder.id);
    scenario.write_resolved(&folder.path, orders.changes)?;
    let mut run = empty(scenario, &folder.id);
    let order = order(scenario, orders, &mut run);
    let stage = Stage {
        scenario,
        folder: &folder,
        manifest: &manifest,
        console,
    };
    let mut stopped = stage.cells(order, &mut workshop, &mut gathered, &mut run)?;
    workshop.clear(&folder, run.right())?;
    run.cells = gathered.cells();
    if stopped.is_none() && run.right() {
        stopped = counted::add(scenario, orders, &folder, &mut run, &mut manifest, console)?;
    }
    run.ended = match (stopped.as_ref().map(|failure| failure.exit), orders.shard) {
        (Some(Exit::Budget), _) => Ended::OverBudget,
        (Some(_), _) => Ended::Interrupted,
        (None, Some((number, of))) => Ended::Shard { number, of },
        (None, None) => Ended::Complete,
    };
    if let Some(failure) = &stopped {
        console.alarm(&format!(
            "lab: {}; what was measured is kept in {}",
            failure.message,
            folder.path.display()
        ));
    }
    run.tables = tables::of_run(&run);
    run.checks = checks::judge(scenario, &run, orders.baseline.as_ref(), &manifest);
    manifest.duration_ns = started.elapsed().as_nanos() as u64;
    gathered.write_histograms(&folder.path)?;
    finish(
        scenario,
        run,
        manifest,
        &folder,
        stopped.map(|failure| failure.exit),
        orders.out,
        console,
    )
}

/// Where cells are carried out and what is known of them is kept.
struct Stage<'a> {
    scenario: &'a Scenario,
    folder: &'a RunDir,
    manifest: &'a Manifest,
    console: &'a Console,
}

impl Stage<'_> {
    /// Carries out the cells in this order. What stops them early, but in order, is returned.
    fn cells(
        &self,
        order: Vec<(u32, usize)>,
        workshop: &mut Workshop<'_>,
        gathered: &mut Gathered,
        run: &mut Run,
    ) -> Result<Option<Failure>, Failure> {
        let all = order.len();
        for (done, (repeat, number)) in order.into_iter().enumerate() {
            let Some(plan) = self.scenario.cells.get(number) else {
                continue;
            };
            self.console
                .step(done, all, &label(self.scenario, number, repeat));
            match workshop.run(plan, number, repeat, self.folder) {
                Ok(mut found) => {
                    let stopped = found.stopped.take();
                    gathered.add(number, plan, found)?;
                    if stopped.is_some() {
                        return Ok(stopped);
                    }
                }
                Err(failure) if matches!(failure.exit, Exit::Interrupted | Exit::Budget) => {
                    return Ok(Some(failure));
                }
                Err(failure) => return Err(failure),
            }
            run.cells = gathered.cells();
            self.folder.save(run, self.manifest)?;
            self.console.event(&serde_json::json!({
                "event": "cell", "run": run.id, "number": number, "at": plan.at, "repeat": repeat,
                "done": done + 1, "of": all, "right": run.right(),
            }))?;
            if !run.right() {
                break;
            }
        }
        Ok(None)
    }
}

/// Stores and renders a run, and says how it ended.
pub(crate) fn finish(
    scenario: &Scenario,
    run: Run,
    manifest: Manifest,
    folder: &RunDir,
    stopped: Option<Exit>,
    out: &Path,
    console: &Console,
) -> Result<Finished, Failure> {
    folder.save(&run, &manifest)?;
    let report = report::write(&folder.path, &run, &manifest)?;
    if run.ended == Ended::Complete {
        rundir::point_latest(out, &folder.id)?;
    }
    checks::alarm(scenario, &run, console);
    let exit = match stopped {
        _ if !run.right() => Exit::Wrong,
        Some(exit) => exit,
        None if !run.met() => Exit::Threshold,
        None if run.impossible().next().is_some() => Exit::Missing,
        None if counted::lacking(&run).is_some() => Exit::Missing,
        None => Exit::Passed,
    };
    Ok(Finished {
        run,
        manifest,
        report,
        exit,
    })
}

fn manifest(scenario: &Scenario, orders: &Orders<'_>) -> Manifest {
    let mut manifest = machine::describe(orders.out);
    manifest.seed = scenario.seed;
    manifest.repeats = u64::from(scenario.repeats);
    manifest.tag.clone_from(&orders.tag);
    let mut durabilities: Vec<&str> = scenario
        .cells
        .iter()
        .map(|cell| cell.engine.durability.name())
        .collect();
    durabilities.sort_unstable();
    durabilities.dedup();
    manifest.durability = durabilities.join(", ");
    let durable = scenario
        .cells
        .iter()
        .any(|cell| cell.engine.durability != Durability::None);
    manifest.idle_spinner = (durable && manifest.cpus > 1 && cfg!(target_os = "linux"))
        .then(|| mix::awake::SPINNER.to_owned());
    let path = std::path::absolute(&scenario.path).unwrap_or_else(|_| scenario.path.clone());
    manifest.scenario_path = path.display().to_string();
    manifest.sources = scenario.sources.clone();
    manifest.changes = orders.changes.clone();
    manifest
}

fn empty(scenario: &Scenario, id: &str) -> Run {
    Run {
        schema: SCHEMA,
        id: id.to_owned(),
        scenario: scenario.name.clone(),
        question: scenario.question.clone(),
        ended: Ended::Unfinished,
        axes: scenario.axes.clone(),
        cells: Vec::new(),
        missing: Vec::new(),
        tables: Vec::new(),
        checks: Vec::new(),
        plots: scenario.plots.clone(),
    }
}

/// Which repeat of which cell comes when. Cells whose store is missing are named and left out.
fn order(scenario: &Scenario, orders: &Orders<'_>, run: &mut Run) -> Vec<(u32, usize)> {
    let mut cells = Vec::new();
    for (number, plan) in scenario.cells.iter().enumerate() {
        // A search is divided by itself: every part has a share of it.
        if !plan.divides() && !orders.share().has(number as u64) {
            continue;
        }
        match peers::missing(&plan.store) {
            Some(missing) if !run.missing.contains(&missing) => run.missing.push(missing),
            Some(_) => {}
            None => cells.push(number),
        }
    }
    let mut order = Vec::new();
    for repeat in 1..=scenario.repeats {
        let mut round = cells.clone();
        if scenario.order == Order::Shuffled {
            Random::new(scenario.seed, SHUFFLE + u64::from(repeat)).shuffle(&mut round);
        }
        order.extend(round.into_iter().map(|number| (repeat, number)));
    }
    order
}

fn label(scenario: &Scenario, number: usize, repeat: u32) -> String {
    let places: Vec<String> = scenario.cells.get(number).map_or_else(Vec::new, |plan| {
        plan.at
            .iter()
            .map(|place| format!("{}={}", place.axis, place.value))
            .collect()
    });
    let mut said = scenario.name.clone();
    if !places.is_empty() {
        said += &format!(": {}", places.join(", "));
    }
    if scenario.repeats > 1 {
        said += &format!(", repeat {repeat} of {}", scenario.repeats);
    }
    said
}
