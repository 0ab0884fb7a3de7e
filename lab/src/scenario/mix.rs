//! Turns the fields of a `mix` phase into its plan.

use std::time::Duration;

use toml::Spanned;

use crate::units::{self, Unit};

use super::diagnose::Diagnostic;
use super::operations::Operation;
use super::phases::{value, way};
use super::plan::{MixPlan, Stop};
use super::raw::{Keys, Mix, Phase, Plain};

/// The fields that a mix takes.
pub(super) const FIELDS: &[&str] = &[
    "operations",
    "duration",
    "keys",
    "block",
    "clients",
    "beside",
    "rate",
    "batch",
    "depth",
    "direction",
    "label",
    "traversal_cache",
    "hold_snapshot",
    "rollback_every",
    "cold",
    "stream",
];

/// Operations where a phase does not say how many.
const OPERATIONS: u64 = 1_000;

/// Most operations of one phase.
const OPERATIONS_MAX: u64 = 1_000_000_000;

/// Nodes in a block where a phase does not say: about what one page of 4 KiB holds.
const BLOCK: u32 = 64;

pub(super) fn plan(phase: &Phase, mix: &Spanned<Mix>) -> Result<MixPlan, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let weights = weights(mix, &mut wrong);
    let beside = phase
        .beside
        .as_ref()
        .map_or_else(Vec::new, |mix| self::weights(mix, &mut wrong));
    let stop = stop(phase, &mut wrong);
    let rate = phase
        .rate
        .as_ref()
        .and_then(|rate| self::rate(rate, &mut wrong));
    let plan = MixPlan {
        weights,
        beside,
        stop,
        rate,
        keys: phase
            .keys
            .as_ref()
            .map_or(Keys::default(), |keys| *keys.get_ref()),
        block: value(&phase.block, BLOCK),
        clients: value(&phase.clients, 1),
        batch: value(&phase.batch, 1),
        depth: value(&phase.depth, 3),
        way: way(phase),
        label: phase.label.as_ref().map(|label| label.get_ref().clone()),
        traversal_cache: phase.traversal_cache.as_ref().map(|pages| *pages.get_ref()),
        hold_snapshot: phase
            .hold_snapshot
            .as_ref()
            .is_some_and(|hold| *hold.get_ref()),
        rollback_every: phase.rollback_every.as_ref().map(|every| *every.get_ref()),
        cold: phase.cold.as_ref().map(|cold| *cold.get_ref()),
        stream: value(&phase.stream, 0),
    };
    if wrong.is_empty() {
        together(phase, mix, &plan, &mut wrong);
    }
    if wrong.is_empty() {
        Ok(MixPlan {
            stop: due_by(plan.stop, plan.rate),
            ..plan
        })
    } else {
        Err(wrong)
    }
}

fn weights(mix: &Spanned<Mix>, wrong: &mut Vec<Diagnostic>) -> Vec<(Operation, u32)> {
    let mut found = Vec::new();
    for (span, name, weight) in &mix.get_ref().0 {
        let span = span.clone().unwrap_or_else(|| mix.span());
        match Operation::named(name) {
            Some(operation) if *weight > 0 => found.push((operation, *weight)),
            Some(_) => wrong.push(
                Diagnostic::new(span, format!("`{name}` has the weight 0"))
                    .label("leave it out, or give it a weight"),
            ),
            None => wrong.push(
                Diagnostic::new(span, format!("unknown operation `{name}`"))
                    .label("not known here")
                    .suggest(name, Operation::names()),
            ),
        }
    }
    if mix.get_ref().0.is_empty() {
        wrong
            .push(Diagnostic::new(mix.span(), "a mix needs at least one operation").label("empty"));
    }
    // One order whatever the file's: the same seed then gives the same operations.
    found.sort();
    found
}

fn stop(phase: &Phase, wrong: &mut Vec<Diagnostic>) -> Stop {
    match (&phase.operations, &phase.duration) {
        (Some(_), Some(duration)) => {
            wrong.push(
                Diagnostic::new(
                    duration.span(),
                    "a mix ends after `operations` or after `duration`",
                )
                .label("both are set"),
            );
            Stop::Operations(0)
        }
        (None, Some(duration)) => match units::parse_duration(duration.get_ref()) {
            Some(ns) if ns > 0 => Stop::Time(Duration::from_nanos(ns)),
            _ => {
                wrong.push(
                    Diagnostic::new(
                        duration.span(),
                        "a duration is a number with ns, us, ms, s or min",
                    )
                    .label("not a duration"),
                );
                Stop::Operations(0)
            }
        },
        (Some(operations), None) => {
            if !(1..=OPERATIONS_MAX).contains(operations.get_ref()) {
                let message = format!("`operations` must be from 1 to {OPERATIONS_MAX}");
                wrong.push(Diagnostic::new(operations.span(), message).label("out of range"));
            }
            Stop::Operations(*operations.get_ref())
        }
        (None, None) => Stop::Operations(OPERATIONS),
    }
}

/// An open loop does so many operations a second, so its time is a number of them, however long each takes.
fn due_by(stop: Stop, rate: Option<f64>) -> Stop {
    match (stop, rate) {
        (Stop::Time(time), Some(rate)) => {
            let due = (rate * time.as_secs_f64()).round() as u64;
            Stop::Operations(due.clamp(1, OPERATIONS_MAX))
        }
        _ => stop,
    }
}

fn rate(text: &Spanned<Plain>, wrong: &mut Vec<Diagnostic>) -> Option<f64> {
    let plain = text.get_ref().0.trim();
    let split = plain
        .find(|c: char| !(c.is_ascii_digit() || "._".contains(c)))
        .unwrap_or(plain.len());
    let (number, unit) = plain.split_at(split);
    let fits = unit.trim().is_empty()
        || units::unit_named(unit.trim()).is_some_and(|(unit, _)| unit == Unit::PerSecond);
    let rate = number.replace('_', "").parse::<f64>().ok();
    let rate = rate.filter(|rate| fits && rate.is_finite() && *rate > 0.0);
    if rate.is_none() {
        wrong.push(
            Diagnostic::new(
                text.span(),
                "a rate is operations a second, such as \"5000 /s\"",
            )
            .label("not a rate"),
        );
    }
    rate
}

/// Fields that exclude one another.
fn together(phase: &Phase, mix: &Spanned<Mix>, plan: &MixPlan, wrong: &mut Vec<Diagnostic>) {
    several(phase, plan, wrong);
    beside_others(phase, mix, plan, wrong);
    without_effect(phase, plan, wrong);
    let reopens = operations(plan).any(|one| one == Operation::Reopen);
    if let Some(hold) = phase
        .hold_snapshot
        .as_ref()
        .filter(|_| plan.hold_snapshot && reopens)
    {
        wrong.push(
            Diagnostic::new(hold.span(), "a held snapshot keeps the database open")
                .label("and this mix closes it"),
        );
    }
}

fn operations(plan: &MixPlan) -> impl Iterator<Item = Operation> {
    plan.weights.iter().map(|(operation, _)| *operation)
}

/// Several clients do only what gives the same whoever comes first.
fn several(phase: &Phase, plan: &MixPlan, wrong: &mut Vec<Diagnostic>) {
    let all = || operations(plan);
    let exclusive = all().find(|operation| operation.exclusive());
    let changes = all().find(|operation| operation.writes() && !operation.only_adds());
    if let Some(clients) = phase.clients.as_ref().filter(|_| plan.clients > 1) {
        let writes = all().any(|operation| operation.writes());
        let reads = all().any(|operation| !operation.writes());
        if let Some(operation) = exclusive.or(changes) {
            let message = format!("several clients cannot share `{}`", operation.name());
            wrong.push(
                Diagnostic::new(clients.span(), message)
                    .label("what they would find depends on who comes first"),
            );
        } else if writes && reads {
            wrong.push(
                Diagnostic::new(clients.span(), "several clients either read or write")
                    .label("what they would read depends on who comes first")
                    .help("give the writes to `beside`: one more client, on nodes of its own"),
            );
        }
    }
    if let (Some(_), Stop::Time(_)) = (
        phase.clients.as_ref().filter(|_| plan.clients > 1),
        plan.stop,
    ) && all().any(Operation::writes)
        && let Some(duration) = &phase.duration
    {
        wrong.push(
            Diagnostic::new(
                duration.span(),
                "several writing clients stop after `operations`",
            )
            .label("a time would end each somewhere else"),
        );
    }
}

fn beside_others(phase: &Phase, mix: &Spanned<Mix>, plan: &MixPlan, wrong: &mut Vec<Diagnostic>) {
    if let Some(beside) = &phase.beside {
        if let Some((operation, _)) = plan.beside.iter().find(|(one, _)| !one.only_adds()) {
            let message = format!("`{}` cannot run beside others", operation.name());
            wrong.push(
                Diagnostic::new(beside.span(), message)
                    .label("insert-node and insert-edge can: they leave what others read alone"),
            );
        }
        if let Some(operation) = operations(plan).find(|one| {
            one.writes() || one.exclusive() || *one == Operation::Scan || one.looks_up()
        }) {
            let message = format!("nothing can run beside `{}`", operation.name());
            wrong.push(
                Diagnostic::new(mix.span(), message)
                    .label("what it finds would depend on the writer beside it"),
            );
        }
    }
}

fn without_effect(phase: &Phase, plan: &MixPlan, wrong: &mut Vec<Diagnostic>) {
    if let Some(batch) = phase.batch.as_ref().filter(|_| !plan.writes()) {
        wrong.push(
            Diagnostic::new(
                batch.span(),
                "`batch` is the size of transactions, and this mix writes nothing",
            )
            .label("no effect"),
        );
    }
    if let Some(every) = phase
        .rollback_every
        .as_ref()
        .filter(|_| plan.clients > 1 || !plan.writes())
    {
        wrong.push(
            Diagnostic::new(
                every.span(),
                "`rollback_every` needs one client that writes",
            )
            .label("no effect"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_open_loop_is_a_number_of_operations() {
        let time = Stop::Time(Duration::from_millis(250));
        assert_eq!(due_by(time, Some(2_000.0)), Stop::Operations(500));
        assert_eq!(due_by(time, Some(0.001)), Stop::Operations(1));
        assert_eq!(due_by(time, None), time);
        assert_eq!(due_by(Stop::Operations(7), Some(10.0)), Stop::Operations(7));
    }
}
