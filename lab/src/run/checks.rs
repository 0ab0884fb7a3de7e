//! Holds what was measured against what the scenario expects.

use crate::console::Console;
use crate::results::{Check, Ended, Manifest, Measure, Number, Run, SweepCell, Verdict};
use crate::scenario::counting;
use crate::scenario::diagnose::{self, Diagnostic};
use crate::scenario::expect::{Bound, Expect, Op, REPEATS, Trend};
use crate::scenario::plan::{CheckPlan, Plan, Scenario};
use crate::scenario::raw::{OnlyIf, Severity};
use crate::scenario::registry;

/// An earlier run that a scenario may refer to.
pub(crate) struct Baseline {
    pub(crate) name: String,
    pub(crate) run: Run,
    pub(crate) manifest: Manifest,
}

impl Baseline {
    /// The same place of the sweep in the baseline.
    pub(crate) fn cell(&self, cell: &SweepCell) -> Option<&SweepCell> {
        self.run.cells.iter().find(|other| other.at == cell.at)
    }
}

/// What one cell, or one row of cells, gave.
struct Judgement {
    verdict: Verdict,
    actual: Option<Number>,
    /// How far from what was expected: the larger, the worse.
    excess: f64,
    detail: String,
}

struct Court<'a> {
    scenario: &'a Scenario,
    run: &'a Run,
    baseline: Option<&'a Baseline>,
    same_host: bool,
}

/// Whether two runs were made on machines that can be compared by the clock.
pub(crate) fn same_host(a: &Manifest, b: &Manifest) -> bool {
    let host = |manifest: &Manifest| {
        (
            manifest.cpu.clone(),
            manifest.cpus,
            manifest.memory_bytes,
            manifest.kernel.clone(),
            manifest.file_system.clone(),
        )
    };
    host(a) == host(b)
}

/// Judges every check. Where a result was wrong, nothing measured counts.
pub(crate) fn judge(
    scenario: &Scenario,
    run: &Run,
    baseline: Option<&Baseline>,
    manifest: &Manifest,
) -> Vec<Check> {
    let court = Court {
        scenario,
        run,
        baseline,
        same_host: baseline.is_some_and(|baseline| same_host(&baseline.manifest, manifest)),
    };
    scenario
        .checks
        .iter()
        .map(|check| court.check(check))
        .collect()
}

impl Court<'_> {
    fn check(&self, plan: &CheckPlan) -> Check {
        let (file, line) = self.scenario.sources.line(&plan.span);
        let mut check = Check {
            metric: plan.metric.clone(),
            meaning: plan.meaning.clone(),
            expect: plan.expect_text.clone(),
            unit: plan.unit,
            actual: None,
            verdict: Verdict::Void,
            judged: 0,
            detail: "a result was wrong, so nothing measured counts".to_owned(),
            note: plan.note.clone(),
            file,
            line,
        };
        if !self.run.right() {
            return check;
        }
        let mut judgements = self.judgements(plan);
        check.judged = judgements.len() as u64;
        judgements.sort_by(|a, b| {
            (rank(a.verdict), b.excess)
                .partial_cmp(&(rank(b.verdict), a.excess))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
        match judgements.into_iter().next() {
            Some(worst) => {
                check.verdict = worst.verdict;
                check.actual = worst.actual;
                check.detail = worst.detail;
            }
            None if self.impossible(&plan.metric).is_some() => {
                check.verdict = Verdict::Skipped;
                check.detail = self.impossible(&plan.metric).unwrap_or_default();
            }
            None if !self.measured(plan) => {
                check.verdict = Verdict::Skipped;
                check.detail = "a phase that it is about was not measured".to_owned();
            }
            None if matches!(self.run.ended, Ended::Complete) => {
                check.verdict = Verdict::Fail;
                check.detail = "nothing was measured".to_owned();
            }
            None => {
                check.verdict = Verdict::Skipped;
                check.detail = "this part of the run has no cell that it judges".to_owned();
            }
        }
        if check.verdict == Verdict::Fail && plan.severity == Severity::Warn {
            check.verdict = Verdict::Warn;
        }
        check
    }

    /// Why this machine does not permit the phase of a metric.
    fn impossible(&self, path: &str) -> Option<String> {
        let owner = path.split_once('.').map_or("", |(owner, _)| owner);
        let mut phases = self.run.impossible();
        let phase = phases.find(|phase| phase.name == owner)?;
        Some(phase.findings.join("; "))
    }

    /// Whether any cell measured the phases whose metrics a check names.
    fn measured(&self, plan: &CheckPlan) -> bool {
        let has = |path: &str| {
            let owner = path.split_once('.').map_or("", |(owner, _)| owner);
            let mut phases = self.run.cells.iter().flat_map(|cell| &cell.phases);
            owner == "dataset"
                || phases.any(|phase| phase.name == owner && !phase.metrics.is_empty())
        };
        let bound = match &plan.expect {
            Expect::Compare {
                bound: Bound::Times(_, path),
                ..
            } => has(path),
            _ => true,
        };
        bound && has(&plan.metric)
    }

    /// The cells that a check is about. A share of a search says nothing of the whole.
    fn cells<'c>(&'c self, plan: &'c CheckPlan) -> impl Iterator<Item = &'c SweepCell> {
        let part = matches!(self.run.ended, Ended::Shard { .. });
        let divided = move |cell: &SweepCell| {
            let planned = self.scenario.cells.get(cell.number as usize);
            part && planned.is_some_and(Plan::divides)
        };
        self.run.cells.iter().filter(move |cell| {
            let within = |(axis, value): &(usize, usize)| cell.places.get(*axis) == Some(value);
            plan.only_where.iter().all(within) && !divided(cell)
        })
    }

    fn judgements(&self, plan: &CheckPlan) -> Vec<Judgement> {
        if let Some(missing) = super::counted::lacking(self.run)
            && counting::needs_counts(plan)
        {
            return vec![skipped(missing)];
        }
        if plan.only_if == Some(OnlyIf::SameHost) && !self.same_host {
            let detail = match self.baseline {
                None => "there is no baseline; name one with --baseline",
                Some(_) => "the baseline was made on another machine",
            };
            return vec![skipped(detail)];
        }
        if plan.only_if == Some(OnlyIf::Full) && self.scenario.quick {
            return vec![skipped("said of the full size, and this is the quick one")];
        }
        match &plan.expect {
            Expect::Compare { op, bound } => self
                .cells(plan)
                .filter_map(|cell| compare(cell, plan, *op, bound))
                .collect(),
            Expect::Baseline { below, above } => {
                let Some(baseline) = self.baseline else {
                    return vec![skipped("there is no baseline; name one with --baseline")];
                };
                if registry::by_clock(&plan.metric) && !self.same_host {
                    return vec![skipped("times of another machine say nothing here")];
                }
                self.cells(plan)
                    .filter_map(|cell| against(baseline, cell, plan, *below, *above))
                    .collect()
            }
            Expect::Along { trend, axis } if axis == REPEATS => self
                .cells(plan)
                .filter_map(|cell| over_repeats(cell, plan, *trend))
                .collect(),
            Expect::Along { trend, axis } => self.rows(plan, axis, *trend),
        }
    }

    /// Every row of cells along the axis, judged by itself.
    fn rows(&self, plan: &CheckPlan, axis: &str, trend: Trend) -> Vec<Judgement> {
        let Some(number) = self.run.axes.iter().position(|known| known.path == axis) else {
            return Vec::new();
        };
        let mut rows: Vec<(Vec<usize>, Vec<&SweepCell>)> = Vec::new();
        for cell in self.cells(plan) {
            let mut others = cell.places.clone();
            if number < others.len() {
                others.remove(number);
            }
            match rows.iter_mut().find(|(known, _)| *known == others) {
                Some((_, row)) => row.push(cell),
                None => rows.push((others, vec![cell])),
            }
        }
        let judged = rows.into_iter().filter_map(|(_, mut row)| {
            row.sort_by_key(|cell| cell.places.get(number).copied());
            let points: Vec<(String, Measure)> = row
                .iter()
                .filter_map(|cell| Some((cell.label(), measured(cell, &plan.metric)?)))
                .collect();
            along(&points, plan, trend)
        });
        judged.collect()
    }
}

fn skipped(detail: &str) -> Judgement {
    Judgement {
        verdict: Verdict::Skipped,
        actual: None,
        excess: 0.0,
        detail: detail.to_owned(),
    }
}

/// The worst comes first.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Void => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 2,
        Verdict::Warn => 3,
        Verdict::Pass => 4,
        Verdict::Skipped => 5,
    }
}

fn measured(cell: &SweepCell, path: &str) -> Option<Measure> {
    match path.strip_prefix("dataset.") {
        Some(_) => cell.metric(path).map(Measure::once),
        None => cell.measure(path).cloned(),
    }
}

/// The values that must all hold: every sample of a count, and the ends of the interval of what a clock
/// measured.
fn witnesses(path: &str, measure: &Measure) -> Vec<f64> {
    match measure.interval {
        _ if !registry::by_clock(metric_of(path)) => {
            measure.samples.iter().map(|sample| sample.0).collect()
        }
        Some([low, high]) => vec![low.0, high.0],
        None => vec![measure.median.0],
    }
}

/// `phase.metric` without the phase.
fn metric_of(path: &str) -> &str {
    path.split_once('.').map_or(path, |(_, metric)| metric)
}

/// All hold: pass. None holds: fail. Some: a count fails, a clock cannot tell.
fn decide(path: &str, holds: &[bool]) -> Verdict {
    match (
        holds.iter().all(|held| *held),
        holds.iter().any(|held| *held),
    ) {
        (true, _) => Verdict::Pass,
        (false, true) if registry::by_clock(metric_of(path)) => Verdict::Inconclusive,
        _ => Verdict::Fail,
    }
}

fn compare(cell: &SweepCell, plan: &CheckPlan, op: Op, bound: &Bound) -> Option<Judgement> {
    let measure = measured(cell, &plan.metric)?;
    let bound = match bound {
        Bound::Number(number, _) => *number,
        Bound::Times(factor, path) => factor * cell.metric(path)?.0,
    };
    let values = witnesses(&plan.metric, &measure);
    let holds: Vec<bool> = values.iter().map(|value| op.holds(*value, bound)).collect();
    let failing = values.iter().zip(&holds).find(|(_, held)| !**held);
    let actual = failing.map_or(measure.median.0, |(value, _)| *value);
    let distance = match op {
        Op::Less | Op::AtMost => actual / bound,
        Op::More | Op::AtLeast => bound / actual,
        Op::Equal | Op::Different => (actual - bound).abs(),
    };
    Some(Judgement {
        verdict: decide(&plan.metric, &holds),
        actual: Some(Number(actual)),
        excess: if distance.is_finite() {
            distance
        } else {
            f64::MAX
        },
        detail: within(cell, &format!("the bound is {}", plan.unit.show(bound))),
    })
}

/// A sentence with the cell that it is about.
fn within(cell: &SweepCell, what: &str) -> String {
    let label = cell.label();
    if label.is_empty() {
        what.to_owned()
    } else {
        format!("{what}; at {label}")
    }
}

fn against(
    baseline: &Baseline,
    cell: &SweepCell,
    plan: &CheckPlan,
    below: f64,
    above: f64,
) -> Option<Judgement> {
    let measure = measured(cell, &plan.metric)?;
    let Some(old) = baseline
        .cell(cell)
        .and_then(|old| measured(old, &plan.metric))
    else {
        return Some(skipped("the baseline does not have this cell"));
    };
    let old = old.median.0;
    let share = |value: f64| {
        if old == 0.0 {
            value
        } else {
            (value - old) / old.abs()
        }
    };
    let values = witnesses(&plan.metric, &measure);
    let fits = |value: &f64| (-below..=above).contains(&share(*value));
    let holds: Vec<bool> = values.iter().map(fits).collect();
    let actual = measure.median;
    Some(Judgement {
        verdict: decide(&plan.metric, &holds),
        actual: Some(actual),
        excess: share(actual.0).abs(),
        detail: within(
            cell,
            &format!(
                "{:+.1} % from {} in the baseline {}",
                share(actual.0) * 100.0,
                plan.unit.show(old),
                baseline.name
            ),
        ),
    })
}

fn over_repeats(cell: &SweepCell, plan: &CheckPlan, trend: Trend) -> Option<Judgement> {
    let measure = measured(cell, &plan.metric)?;
    let points: Vec<(String, Measure)> = measure
        .samples
        .iter()
        .zip(1..)
        .map(|(sample, number)| {
            (
                within(cell, &format!("repeat {number}")),
                Measure::once(*sample),
            )
        })
        .collect();
    along(&points, plan, trend)
}

/// Judges values that follow one another. A step counts as wrong only if the intervals say so too.
fn along(points: &[(String, Measure)], plan: &CheckPlan, trend: Trend) -> Option<Judgement> {
    let mut best = points.first()?;
    if points.len() == 1 {
        return Some(Judgement {
            verdict: Verdict::Inconclusive,
            actual: Some(best.1.median),
            excess: 0.0,
            detail: format!("one value, so that nothing is compared: {}", best.0),
        });
    }
    let mut worst = Judgement {
        verdict: Verdict::Pass,
        actual: Some(best.1.median),
        excess: f64::MIN,
        detail: String::new(),
    };
    for point in points.iter().skip(1) {
        let (old, new) = (best.1.median.0, point.1.median.0);
        let (excess, limit) = match trend {
            Trend::NonDecreasing(share) => (ratio(old, new), 1.0 + share),
            Trend::NonIncreasing(share) => (ratio(new, old), 1.0 + share),
            Trend::Flat(factor) => (ratio(old.max(new), old.min(new)), factor),
            Trend::Same => (if old == new { 1.0 } else { f64::MAX }, 1.0),
        };
        let verdict = if excess <= limit {
            Verdict::Pass
        } else if registry::by_clock(metric_of(&plan.metric)) && overlap(&best.1, &point.1) {
            Verdict::Inconclusive
        } else {
            Verdict::Fail
        };
        if (rank(verdict), -excess) < (rank(worst.verdict), -worst.excess) {
            worst = Judgement {
                verdict,
                actual: Some(point.1.median),
                excess,
                detail: format!(
                    "{} at {}, after {} at {}",
                    plan.unit.show(new),
                    point.0,
                    plan.unit.show(old),
                    best.0
                ),
            };
        }
        best = match trend {
            Trend::NonDecreasing(_) if new > old => point,
            Trend::NonIncreasing(_) if new < old => point,
            _ => best,
        };
    }
    if let Trend::Flat(factor) = trend {
        worst = flat(points, plan, factor)?;
    }
    Some(worst)
}

/// The highest value against the lowest.
fn flat(points: &[(String, Measure)], plan: &CheckPlan, factor: f64) -> Option<Judgement> {
    let by_median =
        |a: &&(String, Measure), b: &&(String, Measure)| a.1.median.0.total_cmp(&b.1.median.0);
    let low = points.iter().min_by(by_median)?;
    let high = points.iter().max_by(by_median)?;
    let excess = ratio(high.1.median.0, low.1.median.0);
    let verdict = if excess <= factor {
        Verdict::Pass
    } else if registry::by_clock(metric_of(&plan.metric)) && overlap(&low.1, &high.1) {
        Verdict::Inconclusive
    } else {
        Verdict::Fail
    };
    Some(Judgement {
        verdict,
        actual: Some(high.1.median),
        excess,
        detail: format!(
            "{excess:.2} x: from {} at {} to {} at {}",
            plan.unit.show(low.1.median.0),
            low.0,
            plan.unit.show(high.1.median.0),
            high.0
        ),
    })
}

/// How many times the second the first is.
fn ratio(a: f64, b: f64) -> f64 {
    if a == b {
        1.0
    } else if b == 0.0 {
        f64::MAX
    } else {
        a / b
    }
}

fn overlap(a: &Measure, b: &Measure) -> bool {
    match (a.interval, b.interval) {
        (Some(a), Some(b)) => a[0] <= b[1] && b[0] <= a[1],
        // Fewer than three repeats: nobody can tell a slower cell from a busy moment.
        _ => true,
    }
}

/// Draws every check that did not hold at its own line of the scenario, on stderr.
pub(crate) fn alarm(scenario: &Scenario, run: &Run, console: &Console) {
    for (check, planned) in run.checks.iter().zip(&scenario.checks) {
        if !matches!(check.verdict, Verdict::Fail | Verdict::Warn) {
            continue;
        }
        let actual = check
            .actual
            .map_or("nothing was measured".to_owned(), |actual| {
                format!("measured: {}", check.unit.show(actual.0))
            });
        let message = format!("check failed: {} ({})", check.metric, check.meaning);
        let mut diagnostic = Diagnostic::new(planned.span.clone(), message).label(actual);
        let why = check
            .note
            .as_ref()
            .map_or(String::new(), |note| format!("; {note}"));
        diagnostic = diagnostic.help(format!("{}{why}", check.detail));
        let warn = check.verdict == Verdict::Warn;
        console.alarm(&diagnose::render_failed_check(
            &scenario.sources,
            &diagnostic,
            warn,
            console.color,
        ));
    }
}

#[cfg(test)]
#[path = "checks/tests.rs"]
mod tests;
