//! The phase in which calls to the simulated disk fail.

use std::time::Instant;

use crate::failure::Failure;
use crate::faults::{self, Course};
use crate::scenario::plan::{FaultPlan, PhasePlan};

use super::{Bench, Notes};

impl Bench<'_> {
    pub(super) fn faults(
        &mut self,
        plan: &PhasePlan,
        faults: &FaultPlan,
    ) -> Result<Notes, Failure> {
        let mut notes = Notes::new(plan.action.kind());
        let started = Instant::now();
        let course = Course {
            threads: faults.threads,
            progress: &|cells| self.console.progress("cells of the fault matrix:", cells),
            stop: &|| self.limits.check().is_err(),
            share: self.share,
        };
        let outcome = faults::run_on(faults.extent, &course).map_err(Failure::lab)?;
        self.stopped = self.limits.check().err();
        let time_ns = started.elapsed().as_nanos() as u64;
        for (metric, value) in faults::metrics(&outcome, time_ns) {
            notes.set_float(metric, value);
        }
        notes.tables = faults::tables(&plan.name, &outcome);
        notes.answer = Some(faults::answer(&outcome, time_ns));
        notes.findings = outcome.broken;
        Ok(notes)
    }
}
