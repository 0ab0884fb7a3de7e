//! The merged report: one table for each size, with ratios and verdicts, and a plot of each row over size.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::results::Manifest;
use crate::stats;
use crate::units::grouped;

use super::calls::Calls;
use super::rows::{Goal, LIMIT, ROWS, Row};
use super::short::why;
use super::stages::{STORES, VELLUM};
use super::{Results, Size, growth, plot};

/// A row of one size, judged.
pub(super) struct Line {
    pub(super) row: &'static Row,
    /// A median for each store, in the stores' order.
    pub(super) values: Vec<Option<f64>>,
    /// How many times as good the engine is as the best peer, and that peer.
    best: Option<(f64, &'static str)>,
    /// How many times the limit's time it takes.
    limit: Option<f64>,
    goal: String,
    /// `None` where there is no goal, or where it cannot be judged.
    pub(super) reached: Option<bool>,
}

pub(super) fn lines(results: &Results) -> Vec<Line> {
    ROWS.iter()
        .map(|row| line(results, row))
        .filter(|line| line.values.iter().any(Option::is_some))
        .collect()
}

/// The median over the repeats.
pub(super) fn value(results: &Results, store: &str, key: &str) -> Option<f64> {
    let of_store = results.notes.iter().filter(|note| note.store == store);
    let samples: Vec<f64> = match key.strip_suffix("_over_hit") {
        Some(miss) => of_store
            .filter_map(|note| {
                let hit = if miss == "miss" { "get" } else { "named" };
                Some(note.values.get(miss)? / note.values.get(hit)?)
            })
            .collect(),
        None => of_store
            .filter_map(|note| note.values.get(key).copied())
            .collect(),
    };
    stats::median(&samples)
}

fn line(results: &Results, row: &'static Row) -> Line {
    let values: Vec<Option<f64>> = STORES
        .iter()
        .map(|(store, _)| value(results, store, row.key))
        .collect();
    let own = values.first().copied().flatten();
    let best = own.and_then(|own| {
        STORES
            .iter()
            .zip(&values)
            .filter(|((store, _), _)| *store != VELLUM && *store != LIMIT)
            .filter_map(|((store, _), value)| Some((better(row, own, (*value)?), *store)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
    });
    let limit = own
        .zip(value(results, LIMIT, row.key))
        .map(|(own, limit)| own / limit);
    let place = usize::from(results.size == Size::PeersL);
    let (mut goal, mut reached) = (Vec::new(), Some(true));
    for wanted in row.goals {
        let (text, holds) = judge(wanted, place, own, best.map(|best| best.0), limit);
        if text.is_empty() {
            continue;
        }
        goal.push(text);
        reached = reached.zip(holds).map(|(before, holds)| before && holds);
    }
    Line {
        row,
        values,
        best,
        limit,
        reached: if goal.is_empty() { None } else { reached },
        goal: goal.join(", "),
    }
}

fn better(row: &Row, own: f64, other: f64) -> f64 {
    if row.more { own / other } else { other / own }
}

fn judge(
    goal: &Goal,
    place: usize,
    own: Option<f64>,
    best: Option<f64>,
    limit: Option<f64>,
) -> (String, Option<bool>) {
    match goal {
        Goal::Peer(wanted) => (
            format!("≥ {}× the best peer", wanted[place]),
            best.map(|best| best >= wanted[place]),
        ),
        Goal::Limit(wanted) if wanted[place].is_infinite() => (String::new(), None),
        Goal::Limit(wanted) => (
            format!("≤ {}× the arrays", wanted[place]),
            limit.map(|limit| limit <= wanted[place]),
        ),
        Goal::AtMost(wanted) => (
            format!("≤ {}", wanted[place]),
            own.map(|own| own <= wanted[place]),
        ),
        Goal::AtLeast(wanted) => (
            format!("≥ {}", number(wanted[place])),
            own.map(|own| own >= wanted[place]),
        ),
    }
}

/// Three digits that matter, and no more.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2}M", value / 1e6),
        size if size >= 1e4 => format!("{:.0}K", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), number)
}

/// The cells of a line, the verdict last.
fn cells(line: &Line) -> Vec<String> {
    let unit = match line.row.unit {
        "" => String::new(),
        unit => format!(", {unit}"),
    };
    let mut cells = vec![format!("{}{unit}", line.row.title)];
    cells.extend(line.values.iter().map(|value| shown(*value)));
    cells.push(line.best.map_or_else(
        || "–".to_owned(),
        |(ratio, store)| format!("{}× ({store})", number(ratio)),
    ));
    cells.push(
        line.limit
            .map_or_else(|| "–".to_owned(), |ratio| format!("{}×", number(ratio))),
    );
    cells.push(line.goal.clone());
    cells.push(verdict(line).to_owned());
    cells
}

fn verdict(line: &Line) -> &'static str {
    match line.reached {
        Some(true) => "reached",
        Some(false) => "short",
        None => "",
    }
}

fn heads() -> Vec<&'static str> {
    let mut heads = vec!["row"];
    heads.extend(STORES.iter().map(|(store, _)| *store));
    heads.extend(["over the best peer", "of the arrays", "goal", "verdict"]);
    heads
}

fn title(results: &Results) -> String {
    let (nodes, edges) = results.size.numbers();
    format!(
        "{}: {} nodes, {} edges, {} repeats",
        results.size.name(),
        grouped(nodes),
        grouped(edges),
        results.repeats
    )
}

/// What a reader must know of a size's numbers.
fn remarks(results: &Results) -> Vec<String> {
    let manifest = &results.manifest;
    let dirty = match manifest.dirty {
        Some(true) => " with uncommitted changes",
        _ => "",
    };
    let mut remarks = vec![
        format!(
            "{}, {} processors, {}, {}; revision {}{dirty}, {}.",
            manifest.cpu,
            manifest.cpus,
            manifest.kernel,
            manifest.file_system,
            manifest.revision,
            manifest.rustc
        ),
        format!(
            "Read rows: the cache of every store holds its whole file ({} MiB; LMDB has the kernel's). The database declares its edges unique.",
            results.size.cache_bytes() >> 20
        ),
    ];
    if results.wrong.is_empty() {
        remarks.push("The sums of all rows are the same for all stores.".to_owned());
    }
    remarks.extend(results.wrong.iter().map(|wrong| format!("WRONG: {wrong}")));
    remarks
}

/// What the stores said of themselves in the first repeat.
fn said(results: &Results) -> Vec<(String, String)> {
    results
        .notes
        .iter()
        .filter(|note| note.repeat == 0)
        .flat_map(|note| {
            note.said
                .iter()
                .map(|(what, text)| (format!("{}: {what}", note.store), text.clone()))
        })
        .collect()
}

/// Rows that fall short, and what the profile says of each.
fn short(results: &Results) -> Vec<(String, &'static str)> {
    lines(results)
        .iter()
        .filter(|line| line.reached == Some(false))
        .map(|line| {
            let why = why(line.row.key).unwrap_or("No profile was taken.");
            (line.row.title.to_owned(), why)
        })
        .collect()
}

/// A table beside those of the sizes.
struct Extra {
    title: &'static str,
    remark: String,
    heads: Vec<&'static str>,
    /// Whether a row falls short, and its cells.
    rows: Vec<(bool, Vec<String>)>,
}

fn extras(all: &[Results], calls: Option<&Calls>) -> Vec<Extra> {
    let mut extras = Vec::new();
    let growth = growth::lines(all);
    if !growth.is_empty() {
        let rows = growth.into_iter().map(|line| {
            let verdict = if line.reached { "reached" } else { "short" };
            let times = format!("{}×", number(line.times));
            let cells = vec![line.title.to_owned(), times, line.goal, verdict.to_owned()];
            (!line.reached, cells)
        });
        extras.push(Extra {
            title: "From M to L",
            remark: "Ten times the nodes and edges.".to_owned(),
            heads: vec!["cost", "grew", "goal", "verdict"],
            rows: rows.collect(),
        });
    }
    if let Some(calls) = calls {
        let Manifest {
            cpu,
            revision,
            rustc,
            ..
        } = &calls.manifest;
        let times = calls.times.iter().map(|time| {
            let cells = [time.ns, time.low, time.high].map(|ns| format!("{} ns", number(ns)));
            (false, [vec![time.call.clone()], cells.to_vec()].concat())
        });
        extras.push(Extra {
            title: "Single calls, time",
            remark: format!(
                "10,000 nodes and 100,000 edges in memory; {cpu}; revision {revision}, {rustc}."
            ),
            heads: vec!["call", "median", "95 % from", "to"],
            rows: times.collect(),
        });
        let counts = calls.instructions.iter();
        let counts = counts.map(|(name, count)| (false, vec![name.clone(), grouped(*count)]));
        extras.push(Extra {
            title: "Single calls, instructions",
            remark: format!("Of a thousand calls, or one walk or scan; {}.", calls.tools),
            heads: vec!["calls", "instructions"],
            rows: counts.collect(),
        });
    }
    extras
}

/// Writes `report.md`, `report.html` and the plots, and returns the page's path.
pub(super) fn write(
    all: &[Results],
    calls: Option<&Calls>,
    out: &Path,
) -> Result<PathBuf, Failure> {
    let path = out.join("report.md");
    fs::write(&path, markdown(all, calls)).context(path.display())?;
    let path = out.join("report.html");
    fs::write(&path, html(all, calls)).context(path.display())?;
    Ok(path)
}

fn markdown(all: &[Results], calls: Option<&Calls>) -> String {
    let mut text = "# Vellum beside other stores\n".to_owned();
    for results in all {
        let _ = write!(text, "\n## {}\n\n", title(results));
        for remark in remarks(results) {
            let _ = writeln!(text, "* {remark}");
        }
        let heads = heads();
        let _ = writeln!(text, "\n| {} |", heads.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(heads.len()));
        for line in lines(results) {
            let mut cells = cells(&line);
            if let (Some(false), Some(last)) = (line.reached, cells.last_mut()) {
                *last = format!("🔴 **{last}**");
            }
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text.push_str("\nRows that fall short, and what the profile says:\n\n");
        for (row, why) in short(results) {
            let _ = writeln!(text, "* **{row}**: {why}");
        }
        text.push_str("\nSettings, as the stores told them:\n\n");
        for (what, value) in said(results) {
            let _ = writeln!(text, "* {what}: `{value}`");
        }
    }
    for extra in extras(all, calls) {
        let _ = write!(text, "\n## {}\n\n{}\n\n", extra.title, extra.remark);
        let _ = writeln!(text, "| {} |", extra.heads.join(" | "));
        let _ = writeln!(text, "|{}", "---|".repeat(extra.heads.len()));
        for (short, cells) in extra.rows {
            let mark = if short { " 🔴" } else { "" };
            let _ = writeln!(text, "| {}{mark} |", cells.join(" | "));
        }
    }
    text
}

fn html(all: &[Results], calls: Option<&Calls>) -> String {
    use crate::report::{escape, prose};
    let mut text = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Vellum beside other stores</title><style>{}\
         tr.short td, tr.short th {{ color: var(--bad); }} tr.why td {{ text-align: left; white-space: normal; }} main {{ max-width: 1500px; }}</style><main><h1>Vellum beside other stores</h1>",
        crate::report::STYLE
    );
    for results in all {
        let _ = write!(text, "<h2>{}</h2>", escape(&title(results)));
        for remark in remarks(results) {
            let _ = write!(text, "<p class=\"remark\">{}</p>", prose(&remark));
        }
        text.push_str("<div class=\"card\"><table><thead><tr>");
        for head in heads() {
            let _ = write!(text, "<th>{}</th>", escape(head));
        }
        text.push_str("</tr></thead><tbody>");
        for line in lines(results) {
            let _ = write!(text, "<tr class=\"{}\">", verdict(&line));
            for cell in cells(&line) {
                let _ = write!(text, "<td>{}</td>", escape(&cell));
            }
            text.push_str("</tr>");
        }
        text.push_str("</tbody></table></div><details open><summary>Rows that fall short, and what the profile says</summary><table>");
        for (row, why) in short(results) {
            let _ = write!(
                text,
                "<tr class=\"why\"><th>{}</th><td>{}</td></tr>",
                escape(&row),
                prose(why)
            );
        }
        text.push_str("</table></details><details><summary>Settings, as the stores told them</summary><table>");
        for (what, value) in said(results) {
            let _ = write!(
                text,
                "<tr><th>{}</th><td>{}</td></tr>",
                escape(&what),
                escape(&value)
            );
        }
        text.push_str("</table></details>");
    }
    for extra in extras(all, calls) {
        html_extra(&mut text, &extra);
    }
    text.push_str("<h2>Each row over size</h2><div class=\"plots\">");
    for row in ROWS {
        text.push_str(&plot::figure(row, all));
    }
    text.push_str("</div></main></html>\n");
    text
}

/// A table of its own below those of the rows.
fn html_extra(text: &mut String, extra: &Extra) {
    use crate::report::{escape, prose};
    let _ = write!(
        text,
        "<h2>{}</h2><p class=\"remark\">{}</p><div class=\"card\"><table><thead><tr>",
        escape(extra.title),
        prose(&extra.remark)
    );
    for head in &extra.heads {
        let _ = write!(text, "<th>{}</th>", escape(head));
    }
    text.push_str("</tr></thead><tbody>");
    for (short, cells) in &extra.rows {
        let class = if *short { "short" } else { "" };
        let _ = write!(text, "<tr class=\"{class}\">");
        for cell in cells {
            let _ = write!(text, "<td>{}</td>", escape(cell));
        }
        text.push_str("</tr>");
    }
    text.push_str("</tbody></table></div>");
}
