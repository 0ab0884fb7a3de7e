//! One cell of a sweep, once: its graph, its databases, its phases one after the other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::cli::KeepDb;
use crate::console::Console;
use crate::dataset::Source;
use crate::dataset::model::Model;
use crate::failure::{Context, Exit, Failure};
use crate::results::{Number, Phase, PhaseStatus, Setting, Table};
use crate::rundir::RunDir;
use crate::scenario::plan::{DatasetPlan, PhasePlan, Plan, Scenario};
use crate::share::Share;
use crate::store::{Store, peers};

use super::limits::Limits;
use super::mix::Latencies;
use super::phases::{self, Bench};
use super::{Orders, names, tables};

/// Rows of graphs that are kept for the next cell.
const KEPT: usize = 4_000_000;

/// What one repeat of one cell gave.
pub(super) struct Found {
    pub(super) engine: Vec<Setting>,
    pub(super) dataset: BTreeMap<String, Number>,
    pub(super) tables: Vec<Table>,
    pub(super) phases: Vec<Phase>,
    pub(super) latencies: Vec<Latencies>,
    /// What cut its last phase short. What that phase had done by then is in its results.
    pub(super) stopped: Option<Failure>,
}

/// Where cells are carried out.
pub(super) struct Workshop<'a> {
    scenario: &'a Scenario,
    orders: &'a Orders<'a>,
    limits: &'a Limits,
    console: &'a Console,
    /// Graphs made so far, the last used at the end.
    graphs: Vec<(DatasetPlan, Rc<Model>)>,
    kept: Vec<PathBuf>,
}

impl<'a> Workshop<'a> {
    pub(super) fn new(
        scenario: &'a Scenario,
        orders: &'a Orders<'a>,
        limits: &'a Limits,
        console: &'a Console,
    ) -> Workshop<'a> {
        Workshop {
            scenario,
            orders,
            limits,
            console,
            graphs: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// Refuses names that the graphs do not have, before anything runs.
    pub(super) fn check_names(&mut self) -> Result<(), Failure> {
        let scenario = self.scenario;
        let mut seen: Vec<&DatasetPlan> = Vec::new();
        for plan in scenario.cells.iter().filter(|plan| names::asks(plan)) {
            if !seen.contains(&&plan.dataset) {
                seen.push(&plan.dataset);
                let model = self.graph(&plan.dataset)?;
                names::resolve(scenario, plan, &model, self.console.color)?;
            }
        }
        Ok(())
    }

    fn graph(&mut self, dataset: &DatasetPlan) -> Result<Rc<Model>, Failure> {
        if let Some(at) = self.graphs.iter().position(|(known, _)| known == dataset) {
            let found = self.graphs.remove(at);
            let model = Rc::clone(&found.1);
            self.graphs.push(found);
            return Ok(model);
        }
        let model = Rc::new(match dataset {
            DatasetPlan::Files(files) => {
                self.console.detail("reading the graph");
                Source::new(files.clone()).model()?
            }
            DatasetPlan::Generated(generator) => {
                self.console
                    .detail(format!("making a graph: {}", generator.describe()));
                generator.model()
            }
            DatasetPlan::Nothing => Model::default(),
        });
        let rows = |model: &Model| model.nodes().len() + model.edges().len();
        let mut all = rows(&model);
        // The oldest go first until the rest fits.
        let keep = self
            .graphs
            .iter()
            .rev()
            .take_while(|(_, model)| {
                all += rows(model);
                all <= KEPT
            })
            .count();
        self.graphs.drain(..self.graphs.len() - keep);
        self.graphs.push((dataset.clone(), Rc::clone(&model)));
        Ok(model)
    }

    /// Runs every phase of the cell. Those after a wrong one are skipped.
    pub(super) fn run(
        &mut self,
        plan: &Plan,
        number: usize,
        repeat: u32,
        folder: &RunDir,
    ) -> Result<Found, Failure> {
        self.limits.check()?;
        let model = self.graph(&plan.dataset)?;
        let simple = self.scenario.cells.len() == 1 && self.scenario.repeats == 1;
        let databases = match simple {
            true => folder.databases(),
            false => folder
                .databases()
                .join(format!("cell-{number:04}-repeat-{repeat}")),
        };
        let mut found = Found {
            engine: Vec::new(),
            dataset: facts(&model),
            tables: tables::of_dataset(&model),
            phases: Vec::new(),
            latencies: Vec::new(),
            stopped: None,
        };
        let outcome = if plan.store == peers::VELLUM {
            self.phases(plan, &model, databases.clone(), &mut found)
        } else {
            let wanted: Vec<PhasePlan> = plan.phases[..self.last_wanted(&plan.phases)]
                .iter()
                .map(|phase| self.orders.measured(phase).into_owned())
                .collect();
            super::peer::phases(
                &Plan {
                    phases: wanted,
                    ..plan.clone()
                },
                &model,
                &databases,
                self.limits,
                self.console,
                &mut found,
            )
        };
        let right = outcome.is_ok()
            && found
                .phases
                .iter()
                .all(|phase| phase.status != PhaseStatus::Wrong);
        let keep = match self.orders.keep {
            KeepDb::Always => true,
            KeepDb::Failed => !right && !stopped(&outcome),
            KeepDb::Never => false,
        };
        if keep {
            self.console
                .log(format!("the databases are in {}", databases.display()));
            self.kept.push(databases);
        } else {
            std::fs::remove_dir_all(&databases).context(databases.display())?;
        }
        outcome.map(|()| found)
    }

    fn phases(
        &self,
        plan: &Plan,
        model: &Model,
        databases: PathBuf,
        found: &mut Found,
    ) -> Result<(), Failure> {
        let store = Store::new(databases, &plan.engine, self.orders.trace)?;
        let share = match plan.divides() {
            true => self.orders.share(),
            false => Share::WHOLE,
        };
        let mut bench = Bench::new(plan, &store, model, share, self.limits, self.console);
        let last = self.last_wanted(&plan.phases);
        for phase in &plan.phases[..last] {
            if found
                .phases
                .iter()
                .any(|phase| phase.status == PhaseStatus::Wrong)
            {
                found.phases.push(Phase {
                    status: PhaseStatus::Skipped,
                    ..phases::blank(phase)
                });
                continue;
            }
            self.limits.check()?;
            self.console
                .detail(format!("{}: {}", phase.name, phase.action.describe()));
            let done = bench.run(&self.orders.measured(phase))?;
            found.phases.push(done);
            found.stopped = bench.stopped.take();
            if found.stopped.is_some() {
                break;
            }
            self.limits.check_disk(store.folder())?;
            if found.engine.is_empty() {
                found.engine = bench.settings();
            }
        }
        found.latencies = std::mem::take(&mut bench.latencies);
        bench.finish()?;
        store.end_traces()
    }

    /// How many phases have to run for those that are wanted.
    fn last_wanted(&self, phases: &[PhasePlan]) -> usize {
        let wanted = phases
            .iter()
            .rposition(|phase| self.orders.only.contains(&phase.name));
        wanted.map_or(phases.len(), |last| last + 1)
    }

    /// Takes the folder of databases away where nothing in it was kept.
    pub(super) fn clear(&self, folder: &RunDir, right: bool) -> Result<(), Failure> {
        let all = folder.databases();
        if self.kept.is_empty() && right && all.exists() {
            std::fs::remove_dir_all(&all).context(all.display())?;
        }
        Ok(())
    }
}

fn stopped(outcome: &Result<(), Failure>) -> bool {
    matches!(outcome, Err(failure) if matches!(failure.exit, Exit::Interrupted | Exit::Budget))
}

/// What the graph is made of, as metrics of `dataset`.
fn facts(model: &Model) -> BTreeMap<String, Number> {
    let facts = [
        ("nodes", model.nodes().len() as u64),
        ("edges", model.edges().len() as u64),
        ("kinds", model.kinds().len() as u64),
        ("labels", model.labels().len() as u64),
        ("payload_bytes", model.payload().total()),
    ];
    facts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Number::from(value)))
        .collect()
}
