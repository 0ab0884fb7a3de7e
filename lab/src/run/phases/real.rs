//! The phase in which the operating system makes faults.

use crate::failure::Failure;
use crate::real::{self, Outcome, RealPlan};
use crate::scenario::plan::PhasePlan;
use crate::units::grouped;

use super::{Bench, Notes};

impl Bench<'_> {
    pub(super) fn real(&mut self, plan: &PhasePlan, real: &RealPlan) -> Result<Notes, Failure> {
        self.finish()?;
        let mut notes = Notes::new(plan.action.kind());
        let stop = || self.limits.check().is_err();
        let tally = match real::experiment(real, self.plan.seed, self.console, &stop)? {
            Outcome::Skipped(why) => {
                notes.missing = Some(format!("{}: {why}", real.fault.name()));
                return Ok(notes);
            }
            Outcome::Done(tally) => tally,
        };
        self.stopped = self.limits.check().err();
        for (metric, value) in tally.metrics() {
            notes.set_float(metric, value);
        }
        notes.answer = Some(format!(
            "{} cycles, {:.0} a second; {} commits acknowledged, {} rules broken",
            grouped(tally.cycles),
            tally.cycles_per_second(),
            grouped(tally.acknowledged),
            tally.violations.len()
        ));
        notes.findings = tally.violations;
        Ok(notes)
    }
}
