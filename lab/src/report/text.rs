//! The result of a run as a terminal shows it.

use crate::results::{Phase, PhaseStatus, Run, SweepCell, Table, Verdict};
use crate::units::grouped;

use super::parts;

/// A few dozen lines: what each phase did and took, which checks failed, the verdict.
pub(crate) fn summary(run: &Run) -> String {
    let mut out = String::new();
    match run.cells.as_slice() {
        [cell] => {
            let fact = |name: &str| {
                let value = cell.dataset.get(name).filter(|value| value.0 > 0.0)?;
                Some(format!("{} {name}", grouped(value.0 as u64)))
            };
            let graph: Vec<String> = ["nodes", "edges"].into_iter().filter_map(fact).collect();
            out += &run.scenario;
            if !graph.is_empty() {
                out += &format!(": {}", graph.join(", "));
            }
            out += "\n\n";
            out += &phases(run, cell);
        }
        cells => {
            let axes: Vec<String> = run
                .axes
                .iter()
                .map(|axis| format!("{} {}", axis.values.len(), axis.name))
                .collect();
            out += &format!(
                "{}: {} cells ({})\n\n",
                run.scenario,
                grouped(cells.len() as u64),
                axes.join(" × ")
            );
            for cell in cells.iter().filter(|cell| !cell.right()) {
                out += &format!("  {}\n{}", cell.label(), phases(run, cell));
            }
            if run.right() {
                for (plot, table) in super::cells::tables(run) {
                    out += &format!("  {}\n{}\n", plot.title, aligned(&table));
                }
            }
        }
    }
    for missing in &run.missing {
        out += &format!("  skipped {missing}\n");
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
        if !matches!(check.verdict, Verdict::Pass | Verdict::Void) {
            out += &format!("          {}\n", check.detail);
        }
    }
    if !run.checks.is_empty() {
        out.push('\n');
    }
    out += &format!("{}.\n", parts::verdict(run).1);
    out
}

fn phases(run: &Run, cell: &SweepCell) -> String {
    let names = cell.phases.iter().map(|phase| phase.name.len());
    let width = names.max().unwrap_or(0);
    let mut out = String::new();
    for phase in &cell.phases {
        let time = parts::time_of(run, phase).unwrap_or_else(|| parts::status(phase).to_owned());
        out += &format!("  {:width$}  {time:>9}  {}\n", phase.name, said(run, phase));
    }
    out
}

/// A table in columns of text.
fn aligned(table: &Table) -> String {
    let mut rows: Vec<Vec<String>> = vec![
        table
            .columns
            .iter()
            .map(|column| super::plots::human(&column.name))
            .collect(),
    ];
    rows.extend(table.rows.iter().map(|row| {
        row.iter()
            .zip(&table.columns)
            .map(|(cell, column)| parts::cell(cell, column.unit))
            .collect()
    }));
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|text| text.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        out += "   ";
        for (text, width) in row.iter().zip(&widths) {
            out += &format!(" {text:>width$} ");
        }
        out.push('\n');
    }
    out
}

fn said(run: &Run, phase: &Phase) -> String {
    match (phase.status, &phase.answer) {
        (PhaseStatus::Wrong | PhaseStatus::Missing, _) => parts::findings(phase),
        (PhaseStatus::Right, Some(answer)) if run.right() => answer.clone(),
        _ => phase.what.clone(),
    }
}

/// Verdicts in the order of the scenario, one JSON object a line, cells first.
pub(crate) fn ndjson(run: &Run) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    for cell in &run.cells {
        out += &serde_json::to_string(cell)?;
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
