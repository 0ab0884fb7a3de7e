//! What of a scenario needs the build that counts: metrics of the form `phase.counts.NAME` in its checks
//! and plots.

use std::collections::BTreeSet;
use std::ops::Range;

use super::diagnose::Diagnostic;
use super::expect::{Bound, Expect};
use super::plan::{Action, CheckPlan, PhasePlan, Scenario, Stop};
use super::registry::{self, counts};

/// What is wanted of the run that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counting {
    /// Phases whose counts are named.
    pub(crate) phases: BTreeSet<String>,
    /// Whether its times are wanted too, and thus as many repeats.
    pub(crate) timed: bool,
}

impl Counting {
    pub(crate) fn of(scenario: &Scenario) -> Counting {
        let mut counting = Counting::default();
        let checks = scenario.checks.iter().flat_map(named);
        let plots = scenario.plots.iter().filter(|plot| plot.table.is_none());
        let plots = plots.flat_map(|plot| plot.y.iter().map(String::as_str));
        for (phase, counter) in checks.chain(plots).filter_map(counts::of_path) {
            counting.phases.insert(phase.to_owned());
            counting.timed |= counter == counts::TIME;
        }
        counting
    }

    pub(crate) fn wanted(&self) -> bool {
        !self.phases.is_empty()
    }
}

/// The metrics that a check names.
fn named(check: &CheckPlan) -> impl Iterator<Item = &str> {
    let bound = match &check.expect {
        Expect::Compare {
            bound: Bound::Times(_, path),
            ..
        } => Some(path.as_str()),
        _ => None,
    };
    std::iter::once(check.metric.as_str()).chain(bound)
}

/// Whether a check rests on the run that counts.
pub(crate) fn needs_counts(check: &CheckPlan) -> bool {
    named(check).any(|path| counts::of_path(path).is_some())
}

/// The metric `counts.NAME` of a phase. Two builds must be able to do the same work up to it.
pub(super) fn metric(
    phase: &PhasePlan,
    counter: &str,
    span: Range<usize>,
    phases: &[PhasePlan],
) -> Result<registry::Metric, Diagnostic> {
    if !phase.action.kind().counted() {
        let message = format!("the engine's counters say nothing about `{}`", phase.name);
        return Err(Diagnostic::new(span, message).label("this phase is not counted"));
    }
    let metric = counts::describe(counter).ok_or_else(|| {
        Diagnostic::new(span.clone(), format!("there is no counter `{counter}`"))
            .label("unknown counter")
            .help("`lab metrics` lists every counter")
            .suggest(counter, counts::names())
    })?;
    let upto = phases.iter().position(|other| other.name == phase.name);
    let before = phases.iter().take(upto.map_or(0, |at| at + 1));
    for other in before {
        let Action::Mix(mix) = &other.action else {
            continue;
        };
        let why = match mix.stop {
            Stop::Time(_) => "it ends by time; say `operations` instead of `duration`",
            Stop::Operations(_) if !mix.beside.is_empty() => {
                "the writer beside goes on as long as the others take"
            }
            Stop::Operations(_) => continue,
        };
        let message = format!(
            "`{}` cannot be counted: two builds do not do the same in `{}`",
            phase.name, other.name
        );
        return Err(Diagnostic::new(span, message).label(why));
    }
    Ok(metric)
}
