//! Holds what was measured against what the scenario expects.

use crate::console::Console;
use crate::results::{Check, Run, Verdict};
use crate::scenario::diagnose::{self, Diagnostic};
use crate::scenario::expect::Bound;
use crate::scenario::plan::{CheckPlan, Plan};
use crate::scenario::raw::Severity;

/// Judges every check. Where a result was wrong, nothing measured counts.
pub(super) fn judge(plan: &Plan, run: &Run) -> Vec<Check> {
    plan.checks
        .iter()
        .map(|check| one(plan, run, check))
        .collect()
}

fn one(plan: &Plan, run: &Run, check: &CheckPlan) -> Check {
    let actual = run.metric(&check.metric);
    let bound = match &check.expect.bound {
        Bound::Number(number, _) => Some(*number),
        Bound::Times(factor, path) => run.metric(path).map(|metric| factor * metric.0),
    };
    let holds = actual
        .zip(bound)
        .is_some_and(|(actual, bound)| check.expect.op.holds(actual.0, bound));
    let verdict = match (run.right(), holds, check.severity) {
        (false, ..) => Verdict::Void,
        (true, true, _) => Verdict::Pass,
        (true, false, Severity::Warn) => Verdict::Warn,
        (true, false, Severity::Fail) => Verdict::Fail,
    };
    let line = plan
        .text
        .get(..check.span.start)
        .map_or(0, |before| before.matches('\n').count() as u64 + 1);
    Check {
        metric: check.metric.clone(),
        meaning: check.meaning.clone(),
        expect: check.expect_text.clone(),
        unit: check.unit,
        actual,
        verdict,
        line,
    }
}

/// Draws every check that did not hold at its own line of the scenario, on stderr.
pub(super) fn alarm(plan: &Plan, run: &Run, console: &Console) {
    let path = plan.path.display().to_string();
    for (check, planned) in run.checks.iter().zip(&plan.checks) {
        if !matches!(check.verdict, Verdict::Fail | Verdict::Warn) {
            continue;
        }
        let actual = check
            .actual
            .map_or("nothing was measured".to_owned(), |actual| {
                format!("measured: {}", check.unit.show(actual.0))
            });
        let message = format!("check failed: {} ({})", check.metric, check.meaning);
        let diagnostic = Diagnostic::new(planned.span.clone(), message).label(actual);
        let warn = check.verdict == Verdict::Warn;
        console.alarm(&diagnose::render_failed_check(
            &path,
            &plan.text,
            &diagnostic,
            warn,
            console.color,
        ));
    }
}
