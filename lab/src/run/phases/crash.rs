//! The phase that enumerates the crash states of a recorded session.

use crate::crash::{self, Course, CrashPlan};
use crate::failure::Failure;
use crate::scenario::plan::PhasePlan;
use crate::units::grouped;

use super::{Bench, Notes};

impl Bench<'_> {
    pub(super) fn crash(&mut self, plan: &PhasePlan, crash: &CrashPlan) -> Result<Notes, Failure> {
        self.finish()?;
        let mut notes = Notes::new(plan.action.kind());
        let said = |distinct| {
            self.console
                .log(format!("{}: {} states", plan.name, grouped(distinct)));
        };
        let course = Course {
            progress: &said,
            stop: &|| self.limits.check().is_err(),
            share: self.share,
        };
        let outcome = crash::run(crash, self.plan.seed, &course)?;
        self.stopped = self.limits.check().err();
        for (metric, value) in crash::metrics(crash, &outcome) {
            notes.set_float(metric, value);
        }
        notes.tables = crash::tables(&plan.name, &outcome);
        let kept = self.store.folder().join("crash");
        notes.findings = crash::failures(&outcome, &kept)?;
        notes.digest = Some(format!("{:016x}", outcome.trace));
        notes.answer = Some(crash::answer(&outcome));
        Ok(notes)
    }
}
