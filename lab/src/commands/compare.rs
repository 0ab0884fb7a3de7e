//! `lab compare`: two runs, cell by cell and metric by metric.

use std::path::Path;

use serde::Serialize;

use crate::cli::{CompareArgs, Format, Global};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::results::{Manifest, Measure, Run};
use crate::run::checks::same_host;
use crate::rundir;
use crate::scenario::registry::{self, Better};
use crate::units::Unit;

use super::baselines;

/// How a metric changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Change {
    Same,
    Better,
    Worse,
    /// Larger than allowed, but the intervals overlap.
    Unclear,
    /// Neither better nor worse: something else was done.
    Different,
    /// By a clock, on two machines.
    NotComparable,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) cell: String,
    pub(super) metric: String,
    pub(super) a: f64,
    pub(super) b: f64,
    /// `b` over `a`.
    pub(super) ratio: Option<f64>,
    pub(super) change: Change,
}

pub(super) fn run(args: &CompareArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let (a, a_manifest) = find(&global.out, &args.a, None)?;
    let (b, b_manifest) = find(&global.out, &args.b, Some(&a.scenario))?;
    let (a, a_manifest) = match a.scenario == b.scenario {
        true => (a, a_manifest),
        // A baseline's name stands for the run of the other's scenario.
        false => find(&global.out, &args.a, Some(&b.scenario))?,
    };
    if a.scenario != b.scenario {
        return Err(Failure::usage(format!(
            "{} is a run of {}, and {} of {}",
            args.a, a.scenario, args.b, b.scenario
        )));
    }
    let share = f64::from(args.threshold) / 100.0;
    let rows = rows(&a, &b, share, same_host(&a_manifest, &b_manifest));
    let worse = rows.iter().any(|row| row.change == Change::Worse);
    let shown: Vec<Row> = rows
        .into_iter()
        .filter(|row| args.all || row.change != Change::Same)
        .collect();
    console.result(&show(&shown, &a_manifest, &b_manifest, console.format)?)?;
    Ok(if worse { Exit::Threshold } else { Exit::Passed })
}

/// A run by its directory, its name or `latest`, or the name of a baseline.
fn find(out: &Path, name: &str, scenario: Option<&str>) -> Result<(Run, Manifest), Failure> {
    let folder = rundir::find(out, Path::new(name));
    if rundir::holds_run(&folder) {
        return rundir::read(&folder);
    }
    let baseline = baselines::root(out).join(name);
    if !baseline.is_dir() {
        return Err(Failure::missing(format!(
            "there is no run and no baseline `{name}` in {}",
            out.display()
        )));
    }
    match scenario {
        Some(scenario) => {
            let found = baselines::load(out, name, scenario)?;
            Ok((found.run, found.manifest))
        }
        None => {
            let first = baselines::scenarios(out, name)?.into_iter().next();
            let first =
                first.ok_or_else(|| Failure::missing(format!("the baseline `{name}` is empty")))?;
            let found = baselines::load(out, name, &first)?;
            Ok((found.run, found.manifest))
        }
    }
}

/// Every metric that both runs have. `share` is how far a clock may be off.
pub(super) fn rows(a: &Run, b: &Run, share: f64, same_host: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for cell in &b.cells {
        let Some(old) = a.cells.iter().find(|old| old.at == cell.at) else {
            continue;
        };
        for phase in &cell.phases {
            let before = old.phases.iter().find(|before| before.name == phase.name);
            for (name, measure) in &phase.metrics {
                let Some(before) = before.and_then(|before| before.metrics.get(name)) else {
                    continue;
                };
                let (from, to) = (before.median.0, measure.median.0);
                rows.push(Row {
                    cell: cell.label(),
                    metric: format!("{}.{name}", phase.name),
                    a: from,
                    b: to,
                    ratio: (from != 0.0).then(|| to / from),
                    change: change(name, before, measure, share, same_host),
                });
            }
        }
    }
    rows
}

fn change(name: &str, a: &Measure, b: &Measure, share: f64, same_host: bool) -> Change {
    let (from, to) = (a.median.0, b.median.0);
    let clock = registry::by_clock(name);
    if from == to {
        return Change::Same;
    }
    if clock && !same_host {
        return Change::NotComparable;
    }
    let allowed = if clock { share } else { 0.0 };
    if (to - from).abs() <= allowed * from.abs() {
        return Change::Same;
    }
    let overlap = match (a.interval, b.interval) {
        (Some(a), Some(b)) => a[0] <= b[1] && b[0] <= a[1],
        _ => false,
    };
    match registry::better(name) {
        Better::Neither => Change::Different,
        _ if clock && overlap => Change::Unclear,
        Better::Lower if to > from => Change::Worse,
        Better::Higher if to < from => Change::Worse,
        _ => Change::Better,
    }
}

fn show(rows: &[Row], a: &Manifest, b: &Manifest, format: Format) -> Result<String, Failure> {
    match format {
        Format::Json => {
            let value = serde_json::json!({ "a": a.id, "b": b.id, "rows": rows });
            return Ok(serde_json::to_string_pretty(&value).context("JSON")? + "\n");
        }
        Format::Ndjson => {
            let lines = rows.iter().map(serde_json::to_string);
            let lines = lines.collect::<Result<Vec<String>, _>>().context("JSON")?;
            return Ok(lines.iter().map(|line| format!("{line}\n")).collect());
        }
        Format::Human | Format::Md => {}
    }
    let mut out = format!("A: {}\nB: {}\n\n", a.id, b.id);
    if format == Format::Md {
        out += "| cell | metric | A | B | B/A | change |\n|---|---|---:|---:|---:|---|\n";
    }
    for row in rows {
        let name = row.metric.split_once('.').map_or("", |(_, name)| name);
        let unit = registry::by_name(name).map_or(Unit::Count, |metric| metric.unit);
        let ratio = row
            .ratio
            .map_or("–".to_owned(), |ratio| format!("{ratio:.3}"));
        let change = serde_json::to_value(row.change).context("JSON")?;
        let change = change.as_str().unwrap_or_default().to_owned();
        out += &match format {
            Format::Md => format!(
                "| {} | `{}` | {} | {} | {ratio} | {change} |\n",
                row.cell,
                row.metric,
                unit.show(row.a),
                unit.show(row.b)
            ),
            _ => format!(
                "  {change:<14} {:<36} {:>12} → {:>12}  ×{ratio}  {}\n",
                row.metric,
                unit.show(row.a),
                unit.show(row.b),
                row.cell
            ),
        };
    }
    if rows.is_empty() {
        out += "  nothing differs\n";
    }
    Ok(out)
}
