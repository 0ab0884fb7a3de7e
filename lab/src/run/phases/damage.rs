//! The phase in which the files are damaged.

use std::time::Instant;

use crate::damage::{self, Course};
use crate::failure::Failure;
use crate::scenario::plan::{DamagePlan, PhasePlan};

use super::{Bench, Notes};

impl Bench<'_> {
    pub(super) fn damage(
        &mut self,
        plan: &PhasePlan,
        damage: &DamagePlan,
    ) -> Result<Notes, Failure> {
        let mut notes = Notes::new(plan.action.kind());
        let started = Instant::now();
        let course = Course {
            threads: damage.threads,
            progress: &|damages| self.console.progress("damages:", damages),
            stop: &|| self.limits.check().is_err(),
            share: self.share,
        };
        let outcome = damage::run_on(&damage.extent, &course).map_err(Failure::lab)?;
        self.stopped = self.limits.check().err();
        let time_ns = started.elapsed().as_nanos() as u64;
        for (metric, value) in damage::metrics(&damage.extent, &outcome, time_ns) {
            notes.set_float(metric, value);
        }
        notes.tables = damage::tables(&plan.name, &outcome);
        notes.answer = Some(damage::answer(&outcome, time_ns));
        notes.findings = outcome.broken;
        Ok(notes)
    }
}
