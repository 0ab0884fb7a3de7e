//! The report as Markdown, for places where a page is too much.

use crate::results::{Manifest, PhaseStatus, Run, SweepCell, Table, Verdict};
use crate::units::Unit;

use super::parts;

/// Text that is safe in a table's cell.
pub(super) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('\n', " ")
        .replace('<', "&lt;")
}

/// The whole report.
pub(super) fn page(run: &Run, manifest: &Manifest) -> String {
    let (_, sentence) = parts::verdict(run);
    let mut out = format!(
        "# {}\n\n{}\n\n**{sentence}.**\n\n",
        run.scenario, run.question
    );
    out += &format!(
        "{} · revision {} · {} · took {}\n",
        manifest.started_utc,
        manifest.revision,
        manifest.cpu,
        Unit::Ns.show(manifest.duration_ns as f64)
    );
    for missing in &run.missing {
        out += &format!("\nSkipped {}.\n", escape(missing));
    }
    out += &in_short(run);
    out += &checks(run);
    for cell in run
        .cells
        .iter()
        .filter(|cell| run.single() || !cell.right())
    {
        out += &phases(run, cell);
    }
    if run.right() {
        for (plot, table) in super::cells::tables(run) {
            out += &format!("\n## {}\n\n", escape(&plot.title));
            if let Some(note) = &plot.note {
                out += &format!("{}\n\n", escape(note));
            }
            out += &table_markdown(&table);
        }
        let single = run.cells.iter().filter(|_| run.single());
        for table in single
            .flat_map(|cell| &cell.phases)
            .flat_map(|phase| &phase.tables)
        {
            out += &format!("\n### {}\n\n{}", escape(&table.name), table_markdown(table));
        }
    }
    out += &super::account::markdown(run, manifest);
    let (common, differing) = parts::configuration(run);
    if !common.is_empty() || !differing.rows.is_empty() {
        out += "\n## Effective configuration\n\n";
    }
    for setting in common {
        out += &format!("* {}: {}\n", setting.name, setting.value);
    }
    if !differing.rows.is_empty() {
        out += &format!("\n{}", table_markdown(&differing));
    }
    out += "\n## Machine\n\n";
    for setting in parts::machine(manifest) {
        out += &format!("* {}: {}\n", setting.name, setting.value);
    }
    out
}

/// What the plots say, in words.
fn in_short(run: &Run) -> String {
    let mut out = String::new();
    for point in super::brief::points(run) {
        out += &format!("* {}\n", escape(&point.title));
        for line in &point.lines {
            out += &format!("  * {}\n", escape(line));
        }
    }
    match out.is_empty() {
        true => out,
        false => format!("\n## In short\n\n{out}"),
    }
}

fn checks(run: &Run) -> String {
    if run.checks.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "\n## Checks\n\n| verdict | metric | measured | expected | worst |\n|---|---|---:|---:|---|\n",
    );
    for check in parts::checks_by_gravity(run) {
        let detail = if check.judged > 1 || !matches!(check.verdict, Verdict::Pass | Verdict::Void)
        {
            escape(&check.detail)
        } else {
            String::new()
        };
        out += &format!(
            "| {} | `{}` | {} | {} | {detail} |\n",
            parts::verdict_mark(check.verdict),
            check.metric,
            escape(&parts::actual(check)),
            escape(&check.expect)
        );
    }
    out
}

fn phases(run: &Run, cell: &SweepCell) -> String {
    let label = cell.label();
    let at = if label.is_empty() {
        label
    } else {
        format!(" at {}", escape(&label))
    };
    let mut out =
        format!("\n## Phases{at}\n\n| phase | what | result | time |\n|---|---|---|---:|\n");
    for phase in &cell.phases {
        let answer = match (&phase.answer, phase.status) {
            (_, PhaseStatus::Wrong | PhaseStatus::Missing) => parts::findings(phase),
            (Some(answer), PhaseStatus::Right) if run.right() => answer.clone(),
            _ => parts::status(phase).to_owned(),
        };
        let time = parts::time_of(run, phase).unwrap_or_else(|| "–".to_owned());
        out += &format!(
            "| {} | {} | {} | {} |\n",
            escape(&phase.name),
            escape(&phase.what),
            escape(&answer),
            time
        );
    }
    out
}

fn table_markdown(table: &Table) -> String {
    let mut out = String::new();
    for column in &table.columns {
        out += &format!("| {} ", escape(&super::plots::human(&column.name)));
    }
    out += "|\n";
    for column in &table.columns {
        out += if column.unit == Unit::Text {
            "|---"
        } else {
            "|---:"
        };
    }
    out += "|\n";
    for row in &table.rows {
        for (cell, column) in row.iter().zip(&table.columns) {
            out += &format!("| {} ", escape(&parts::cell(cell, column.unit)));
        }
        out += "|\n";
    }
    if table.rows_left_out > 0 {
        out += &format!(
            "\n{} more rows.\n",
            crate::units::grouped(table.rows_left_out)
        );
    }
    out
}
