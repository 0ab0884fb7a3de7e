//! The result of a run as a terminal shows it.

use crate::results::{Phase, PhaseStatus, Run, Verdict};
use crate::units::grouped;

use super::parts;

/// A few dozen lines: what each phase did and took, which checks failed, the verdict.
pub(crate) fn summary(run: &Run) -> String {
    let fact = |name: &str| run.dataset.get(name).map_or(0, |value| value.0 as u64);
    let mut out = format!(
        "{}: {} nodes, {} edges\n\n",
        run.scenario,
        grouped(fact("nodes")),
        grouped(fact("edges"))
    );
    let name_width = run
        .phases
        .iter()
        .map(|phase| phase.name.len())
        .max()
        .unwrap_or(0);
    for phase in &run.phases {
        let time = parts::time_of(run, phase).unwrap_or_else(|| parts::status(phase).to_owned());
        out += &format!(
            "  {:name_width$}  {:>9}  {}\n",
            phase.name,
            time,
            said(run, phase)
        );
    }
    out.push('\n');
    let width = run
        .checks
        .iter()
        .map(|check| check.metric.len())
        .max()
        .unwrap_or(0);
    for check in parts::checks_by_gravity(run) {
        let mark = parts::verdict_mark(check.verdict);
        out += &format!(
            "  {mark}  {:width$}  {:>12}  {}\n",
            check.metric,
            parts::actual(check),
            check.expect
        );
    }
    if !run.checks.is_empty() {
        out.push('\n');
    }
    out += &format!("{}.\n", parts::verdict(run).1);
    out
}

fn said(run: &Run, phase: &Phase) -> String {
    match (phase.status, &phase.answer) {
        (PhaseStatus::Wrong, _) => parts::findings(phase),
        (PhaseStatus::Right, Some(answer)) if run.right() => answer.clone(),
        _ => phase.what.clone(),
    }
}

/// Verdicts in the order of the scenario, one JSON object a line, phases first.
pub(crate) fn ndjson(run: &Run) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    for phase in &run.phases {
        out += &serde_json::to_string(phase)?;
        out.push('\n');
    }
    for check in run
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Void)
    {
        out += &serde_json::to_string(check)?;
        out.push('\n');
    }
    Ok(out)
}
