//! What the engine counted, as tables that explain the times: a row for each counter that moved, group by
//! group; a column for each phase, or for each cell of a sweep.

use vellum::forensics::Counter;

use crate::results::{Manifest, Phase, Run};
use crate::scenario::registry::counts;
use crate::units::Unit;

use super::html::{escape, prose};

/// One table.
struct Account {
    title: String,
    columns: Vec<String>,
    groups: Vec<Group>,
}

/// Counters of one group.
struct Group {
    name: &'static str,
    lines: Vec<Line>,
}

struct Line {
    name: &'static str,
    meaning: &'static str,
    values: Vec<String>,
}

/// The tables of a run: one of its phases side by side, or of a sweep one for each phase.
fn accounts(run: &Run) -> Vec<Account> {
    let Some(first) = run.cells.first().filter(|_| run.right()) else {
        return Vec::new();
    };
    if run.single() {
        let phases: Vec<&Phase> = first
            .phases
            .iter()
            .filter(|phase| phase.counted())
            .collect();
        let columns = phases.iter().map(|phase| phase.name.clone()).collect();
        return account("phase", columns, &phases).into_iter().collect();
    }
    let of_phase = |phase: &Phase| {
        let (mut columns, mut phases) = (Vec::new(), Vec::new());
        for cell in &run.cells {
            let same = cell.phases.iter().find(|other| other.name == phase.name);
            if let Some(same) = same.filter(|same| same.counted()) {
                let places: Vec<&str> = cell.at.iter().map(|place| place.value.as_str()).collect();
                columns.push(places.join(" · "));
                phases.push(same);
            }
        }
        account(&phase.name, columns, &phases)
    };
    first.phases.iter().filter_map(of_phase).collect()
}

/// `None` if nothing was counted.
fn account(title: &str, columns: Vec<String>, phases: &[&Phase]) -> Option<Account> {
    let mut groups: Vec<Group> = Vec::new();
    for counter in Counter::ALL {
        let name = [counts::PREFIX, counter.name()].concat();
        let value = |phase: &&Phase| phase.measure(&name).map_or(0.0, |count| count.median.0);
        let values: Vec<f64> = phases.iter().map(value).collect();
        if values.iter().all(|value| *value == 0.0) {
            continue;
        }
        let unit = counts::describe(counter.name()).map_or(Unit::Count, |metric| metric.unit);
        let line = Line {
            name: counter.name(),
            meaning: counter.meaning(),
            values: values.iter().map(|value| unit.show(*value)).collect(),
        };
        let group = counter.group().name();
        match groups.last_mut() {
            Some(last) if last.name == group => last.lines.push(line),
            _ => groups.push(Group {
                name: group,
                lines: vec![line],
            }),
        }
    }
    (!groups.is_empty()).then(|| Account {
        title: title.to_owned(),
        columns,
        groups,
    })
}

/// What the columns of the tables are.
fn axes(run: &Run) -> String {
    let names: Vec<&str> = run.axes.iter().map(|axis| axis.name.as_str()).collect();
    names.join(" · ")
}

/// Where the counts come from.
fn source(run: &Run, manifest: &Manifest) -> String {
    let from = match &manifest.counted_by {
        Some(by) if by.repeats == 1 => "Counted by a build with counters, each cell once",
        Some(_) => "Counted by a build with counters, as often as it was timed",
        None => "Counted by this build itself, so that its times contain the counting",
    };
    let columns = match run.single() {
        true => String::new(),
        false => format!(" Columns: {}.", axes(run)),
    };
    format!(
        "{from}. Counters that did not move are left out. The register of page owners found no contradiction.{columns}"
    )
}

/// The section of the page; empty if nothing was counted.
pub(super) fn html(run: &Run, manifest: &Manifest) -> String {
    let accounts = accounts(run);
    if accounts.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<h2>Why: what the engine counted</h2>\n<div class=\"card\">\n<p class=\"remark\">{}</p>\n",
        escape(&source(run, manifest))
    );
    for account in &accounts {
        let table = table_html(account);
        out += &match run.single() {
            true => format!("<div class=\"account\">{table}</div>\n"),
            false => format!(
                "<details><summary>{}</summary><div class=\"account\">{table}</div></details>\n",
                escape(&account.title)
            ),
        };
    }
    out + "</div>\n"
}

fn table_html(account: &Account) -> String {
    let mut out = String::from("<table class=\"cells\"><thead><tr><th>counter</th>");
    for column in &account.columns {
        out += &format!("<th class=\"n\">{}</th>", escape(column));
    }
    out += "<th class=\"wide\">what one is</th></tr></thead>\n";
    let width = account.columns.len() + 2;
    for group in &account.groups {
        out += &format!(
            "<tbody><tr><th class=\"group\" colspan=\"{width}\">{}</th></tr>\n",
            group.name
        );
        for line in &group.lines {
            out += &format!("<tr><td><code>{}</code></td>", line.name);
            for value in &line.values {
                let class = if value == "0" || value == "0 B" {
                    "n none"
                } else {
                    "n"
                };
                out += &format!("<td class=\"{class}\">{}</td>", escape(value));
            }
            out += &format!(
                "<td class=\"wide what\">{}</td></tr>\n",
                prose(line.meaning)
            );
        }
        out += "</tbody>\n";
    }
    out + "</table>"
}

/// The same as Markdown.
pub(super) fn markdown(run: &Run, manifest: &Manifest) -> String {
    let accounts = accounts(run);
    if accounts.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "\n## Why: what the engine counted\n\n{}\n",
        source(run, manifest)
    );
    for account in &accounts {
        if !run.single() {
            out += &format!("\n### {}\n", account.title);
        }
        out += &format!(
            "\n| group | counter | {} |\n|---|---|",
            account.columns.join(" | ")
        );
        out += &"---:|".repeat(account.columns.len());
        out.push('\n');
        for group in &account.groups {
            for line in &group.lines {
                let values = line.values.join(" | ");
                out += &format!("| {} | `{}` | {values} |\n", group.name, line.name);
            }
        }
    }
    out
}
