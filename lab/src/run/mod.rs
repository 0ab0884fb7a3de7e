//! Carries out a plan: phases one after the other, checks at the end, everything stored as it comes.

mod checks;
mod names;
mod phases;
mod tables;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::cli::KeepDb;
use crate::console::Console;
use crate::dataset::Source;
use crate::dataset::model::Model;
use crate::failure::{Exit, Failure};
use crate::machine;
use crate::report;
use crate::results::{Manifest, Number, Phase, PhaseStatus, Run, SCHEMA};
use crate::rundir::{self, RunDir};
use crate::scenario::plan::Plan;
use crate::store::Store;

use self::phases::Bench;

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
    plan: &Plan,
    out: &Path,
    keep: KeepDb,
    console: &Console,
) -> Result<Finished, Failure> {
    let started = Instant::now();
    let stamp = machine::now();
    let mut manifest = machine::describe(out);
    manifest.started_utc = stamp.utc;
    manifest.seed = plan.seed;
    manifest.durability = plan.engine.durability.name().to_owned();
    manifest.scenario_text.clone_from(&plan.text);
    let model = match &plan.dataset {
        Some(files) => {
            console.log(format!("{}: reading the graph", plan.name));
            Source::new(files.clone()).model()?
        }
        None => Model::default(),
    };
    names::resolve(plan, &model, console.color)?;
    let folder = RunDir::create(out, &stamp.compact, &plan.name, &manifest.revision)?;
    manifest.id.clone_from(&folder.id);
    let mut run = empty(plan, &folder.id, &model);
    let store = Store::new(folder.databases(), &plan.engine)?;
    let result = run_phases(plan, &store, &model, &mut run, &manifest, &folder, console);
    let right = result.is_ok() && run.right();
    match keep {
        KeepDb::Always => console.log(format!(
            "the databases are in {}",
            folder.databases().display()
        )),
        KeepDb::Failed if !right => console.log(format!(
            "the databases are kept in {}",
            folder.databases().display()
        )),
        KeepDb::Failed | KeepDb::Never => store.remove()?,
    }
    result?;
    run.checks = checks::judge(plan, &run);
    run.tables.extend(tables::of_run(&run));
    manifest.duration_ns = started.elapsed().as_nanos() as u64;
    folder.save(&run, &manifest)?;
    let report = report::write(&folder.path, &run, &manifest)?;
    rundir::point_latest(out, &folder.id)?;
    checks::alarm(plan, &run, console);
    let exit = if !run.right() {
        Exit::Wrong
    } else if run.met() {
        Exit::Passed
    } else {
        Exit::Threshold
    };
    Ok(Finished {
        run,
        manifest,
        report,
        exit,
    })
}

fn empty(plan: &Plan, id: &str, model: &Model) -> Run {
    let facts = [
        ("nodes", model.nodes().len()),
        ("edges", model.edges().len()),
        ("kinds", model.kinds().len()),
        ("labels", model.labels().len()),
        ("payload_bytes", model.payload().total() as usize),
    ];
    Run {
        schema: SCHEMA,
        id: id.to_owned(),
        scenario: plan.name.clone(),
        question: plan.question.clone(),
        engine: Vec::new(),
        dataset: facts
            .into_iter()
            .filter(|_| plan.dataset.is_some())
            .map(|(name, value)| (name.to_owned(), Number::from(value as u64)))
            .collect(),
        tables: match plan.dataset {
            Some(_) => tables::of_dataset(model),
            None => Vec::new(),
        },
        phases: Vec::new(),
        checks: Vec::new(),
        plots: plan.plots.clone(),
    }
}

/// Runs the phases, storing after each what is known so far. Those after a wrong one are skipped.
fn run_phases(
    plan: &Plan,
    store: &Store,
    model: &Model,
    run: &mut Run,
    manifest: &Manifest,
    folder: &RunDir,
    console: &Console,
) -> Result<(), Failure> {
    let mut bench = Bench::new(plan, store, model, console);
    for phase in &plan.phases {
        if !run.right() {
            run.phases.push(Phase {
                status: PhaseStatus::Skipped,
                ..phases::blank(phase)
            });
            continue;
        }
        console.log(format!("{}: {}", phase.name, phase.action.describe()));
        run.phases.push(bench.run(phase)?);
        if run.engine.is_empty() {
            run.engine = bench.settings();
        }
        folder.save(run, manifest)?;
    }
    bench.finish()
}
