//! Faults that the operating system makes, as phases: which fault, and how often.

use std::ops::Range;

use toml::Spanned;

use crate::cli::RealFault;
use crate::real::RealPlan;
use crate::units::Unit;

use super::bounds::whole;
use super::diagnose::Diagnostic;
use super::registry::{Metric, metric};

const CYCLES: u64 = 1_000;

/// The plan, or what is wrong with it.
pub(super) fn plan(
    fault: RealFault,
    cycles: Option<&Spanned<u64>>,
    wrong: &mut Vec<Diagnostic>,
) -> RealPlan {
    let cycles = whole("cycles", cycles, 1..=1_000_000_000, CYCLES, wrong);
    RealPlan { fault, cycles }
}

/// Fields that only the simulation has, each with its place if it is there.
pub(super) fn simulated_only(fields: &[(&str, Option<Range<usize>>)], wrong: &mut Vec<Diagnostic>) {
    for (name, place) in fields {
        if let Some(place) = place {
            let message =
                format!("`{name}` has no meaning for a fault that the operating system makes");
            wrong.push(
                Diagnostic::new(place.clone(), message).label("only where `via` is `simulated`"),
            );
        }
    }
}

/// The field that only faults of the operating system have.
pub(super) fn real_only(cycles: Option<&Spanned<u64>>, wrong: &mut Vec<Diagnostic>) {
    if let Some(cycles) = cycles {
        let message = "`cycles` has no meaning in a simulation, which goes through everything once";
        wrong.push(Diagnostic::new(cycles.span(), message).label("only with another `via`"));
    }
}

/// Metrics of such a phase.
pub(crate) const METRICS: &[Metric] = &[
    metric(
        "time_ns",
        Unit::Ns,
        "all cycles, what prepares them included",
    ),
    metric(
        "cycles_per_second",
        Unit::PerSecond,
        "faults made in a second",
    ),
    metric("cycles", Unit::Count, "how often the fault was made"),
    metric(
        "acknowledged_commits",
        Unit::Count,
        "commits acknowledged as durable",
    ),
    metric(
        "acknowledged_per_cycle",
        Unit::Count,
        "acknowledged commits for each fault",
    ),
    metric(
        "amid_commits",
        Unit::Count,
        "faults that came after an acknowledged commit of the same life",
    ),
    metric(
        "unacknowledged_commits",
        Unit::Count,
        "commits found that nobody had been told of: whole, and begun before the fault",
    ),
    metric(
        "recoveries",
        Unit::Count,
        "openings that recovered from a log",
    ),
    metric(
        "refused_calls",
        Unit::Count,
        "calls that failed with an error, as they had to",
    ),
    metric(
        "violations",
        Unit::Count,
        "rules broken: commits lost, halved or invented, damage, wrong errors",
    ),
];
