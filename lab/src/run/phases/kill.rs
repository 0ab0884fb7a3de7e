//! The phase that kills a writer and recovers what it left.

use std::time::Instant;

use crate::failure::Failure;
use crate::results::Cell;
use crate::scenario::plan::{KillPlan, PhasePlan};
use crate::scenario::registry;
use crate::stats::Summary;
use crate::store::kill::{Experiment, Round};
use crate::units::grouped;

use super::{Bench, Notes};

impl Bench<'_> {
    pub(super) fn kill(&mut self, plan: &PhasePlan, kill: KillPlan) -> Result<Notes, Failure> {
        self.finish()?;
        let mut notes = Notes::new(plan.action.kind());
        let mut model = self.model(&plan.database).clone();
        let started = Instant::now();
        let experiment = Experiment {
            store: self.store,
            database: &plan.database,
            plan: kill,
            durability: self.plan.engine.durability.name(),
            seed: self.plan.seed,
            console: self.console,
        };
        let rounds = experiment.run(&mut model)?;
        notes.set("time_ns", started.elapsed().as_nanos() as u64);
        self.oracles.remove(&plan.database);
        self.grown.insert(plan.database.clone(), model);
        note_rounds(&mut notes, &plan.name, &rounds);
        Ok(notes)
    }
}

fn note_rounds(notes: &mut Notes, owner: &str, rounds: &[Round]) {
    let sum = |of: fn(&Round) -> u64| rounds.iter().map(of).sum::<u64>();
    let (acknowledged, surviving) = (sum(Round::acknowledged), sum(Round::surviving));
    let (lost, replayed) = (sum(Round::lost), sum(|round| round.replayed_records));
    notes.set("rounds", rounds.len() as u64);
    notes.set("acknowledged_commits", acknowledged);
    notes.set("surviving_commits", surviving);
    notes.set("lost_commits", lost);
    notes.set("replayed_records", replayed);
    notes.set(
        "fewest_replayed_records",
        rounds
            .iter()
            .map(|round| round.replayed_records)
            .min()
            .unwrap_or(0),
    );
    notes.set("replayed_bytes", sum(|round| round.replayed_bytes));
    notes.set("dropped_bytes", sum(|round| round.dropped_bytes));
    notes.set("findings", sum(|round| round.findings.len() as u64));
    notes.set("differences", sum(|round| round.comparison.differences));
    let recoveries: Vec<u64> = rounds.iter().map(|round| round.recovery_ns).collect();
    if let Some(summary) = Summary::of(&recoveries) {
        notes.set("recovery_ns", summary.median);
    }
    for (round, number) in rounds.iter().zip(1u64..) {
        notes.findings.extend(
            round
                .wrong()
                .into_iter()
                .map(|wrong| format!("round {number}: {wrong}")),
        );
    }
    notes.digest = rounds.last().map(|round| round.comparison.digest.clone());
    notes.answer = Some(format!(
        "{} commits acknowledged, {} found whole, {} lost; {} log records replayed",
        grouped(acknowledged),
        grouped(surviving),
        grouped(lost),
        grouped(replayed)
    ));
    let rows = rounds.iter().zip(1u64..).map(|(round, number)| {
        [
            number,
            round.acknowledged(),
            round.surviving(),
            round.replayed_records,
            round.replayed_bytes,
            round.dropped_bytes,
            round.recovery_ns,
        ]
        .map(Cell::from)
        .to_vec()
    });
    notes
        .tables
        .push(registry::ROUNDS.table(owner, rows.collect()));
}
