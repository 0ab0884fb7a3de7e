//! One self-contained page: no script, no font, no request. Light or dark as the reader's system is.

use crate::results::{Manifest, Phase, PhaseStatus, Run, Setting, SweepCell, Table, Verdict};
use crate::scenario::{crash, damage, faults, registry};
use crate::units::{Unit, grouped};

use super::Figure;
use super::brief;
use super::parts;

pub(crate) const STYLE: &str = include_str!("style.css");

/// Text that is safe between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A sentence for between tags: what stands in backticks is code.
pub(crate) fn prose(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    // An odd backtick is one like any other character.
    if pieces.len().is_multiple_of(2) {
        return escape(text);
    }
    let mark = |(place, piece): (usize, &&str)| match place % 2 {
        0 => escape(piece),
        _ => format!("<code>{}</code>", escape(piece)),
    };
    pieces.iter().enumerate().map(mark).collect()
}

/// What a check expects; a short one stays in one line.
fn expectation(text: &str) -> String {
    const SHORT: usize = 16;
    match text.chars().count() {
        0..=SHORT => escape(text).replace(' ', "&nbsp;"),
        _ => escape(text),
    }
}

/// A drawing that brings its own colours, for use outside the page.
pub(super) fn standalone_svg(svg: &str) -> String {
    let end = STYLE.find("\n* {").unwrap_or(0);
    let colours = STYLE.get(..end).unwrap_or_default().replace(":root", "svg");
    let style = format!(
        "<style>{colours}\nsvg {{ background: var(--card); }} text {{ font-family: system-ui, sans-serif; }}</style>"
    );
    match svg.split_once('>') {
        Some((open, body)) => format!("{open}>{style}{body}"),
        None => String::new(),
    }
}

/// A page up to its content.
pub(super) fn head(title: &str) -> String {
    let mut out = String::new();
    out += "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    out += "<meta name=\"color-scheme\" content=\"light dark\">\n";
    out + &format!(
        "<title>{} – Vellum lab</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(title)
    )
}

/// The whole page.
pub(super) fn page(run: &Run, manifest: &Manifest, figures: &[Figure<'_>]) -> String {
    let mut out = head(&run.scenario);
    out += &header(run, manifest);
    out += &in_short(run);
    out += &checks(run);
    out += &plots(run, figures);
    out += &phases(run);
    out += &super::account::html(run, manifest);
    out += &configuration(run, manifest);
    out += &footer(run, manifest);
    out += "</main>\n</body>\n</html>\n";
    out
}

fn header(run: &Run, manifest: &Manifest) -> String {
    let (verdict, sentence) = parts::verdict(run);
    let mut out = format!(
        "<header>\n<div class=\"kind\">Vellum lab report</div>\n<h1>{}</h1>\n<p class=\"question\">{}</p>\n<div class=\"verdict {}\">{}</div>\n",
        escape(&run.scenario),
        prose(&run.question),
        parts::verdict_name(verdict),
        escape(&sentence),
    );
    out += &format!(
        "<div class=\"when\">{} · revision {} · {} · took {}</div>\n",
        escape(&manifest.started_utc),
        escape(&manifest.revision),
        escape(&manifest.cpu),
        Unit::Ns.show(manifest.duration_ns as f64),
    );
    if run.right() {
        out += "<div class=\"tiles\">\n";
        for (value, label) in tiles(run) {
            out += &format!(
                "<div class=\"tile\"><b>{}</b><span>{}</span></div>\n",
                escape(&value),
                escape(&label)
            );
        }
        out += "</div>\n";
    }
    for missing in &run.missing {
        out += &format!("<p class=\"remark\">Skipped {}</p>\n", escape(missing));
    }
    out += "</header>\n";
    out
}

/// The graph's size and the smallest database that held it; of a sweep, its axes.
fn tiles(run: &Run) -> Vec<(String, String)> {
    let mut tiles: Vec<(String, String)> = Vec::new();
    if !run.single() {
        tiles.push((grouped(run.cells.len() as u64), "cells".to_owned()));
        for axis in &run.axes {
            let ends = [axis.values.first(), axis.values.last()];
            let mut ends: Vec<String> = ends.into_iter().flatten().map(parts::place).collect();
            ends.dedup();
            tiles.push((
                grouped(axis.values.len() as u64),
                format!("{}: {}", axis.name, ends.join(" … ")),
            ));
        }
        let repeats = run.cells.iter().map(|cell| cell.repeats).max().unwrap_or(0);
        tiles.push((grouped(repeats), "repeats of each".to_owned()));
        return tiles;
    }
    let Some(cell) = run.cells.first() else {
        return tiles;
    };
    let search = searched(cell);
    let with_graph = search.is_empty();
    tiles.extend(search);
    for name in ["nodes", "edges", "kinds", "labels", "payload_bytes"] {
        if let Some(value) = cell.dataset.get(name).filter(|_| with_graph) {
            let label = if name == "payload_bytes" {
                "payload: names and data"
            } else {
                name
            };
            tiles.push((parts::metric(name, value.0), label.to_owned()));
        }
    }
    let sizes = cell
        .phases
        .iter()
        .filter_map(|phase| Some((phase.metrics.get("file_bytes")?.median.0, &phase.name)));
    if let Some((bytes, phase)) = sizes.min_by(|a, b| a.0.total_cmp(&b.0)) {
        tiles.push((Unit::Bytes.show(bytes), format!("file after {phase}")));
    }
    tiles
}

/// How far the search of a cell went that brings its own databases: through crashes, faults or damage.
fn searched(cell: &SweepCell) -> Vec<(String, String)> {
    const OF: [(&str, &[(&str, &str)]); 3] = [
        (
            crash::PHASE,
            &[
                ("points", "points of crash"),
                ("states", "states made"),
                ("distinct", "distinct states"),
                ("opened", "opened and judged"),
                ("violations", "violations"),
            ],
        ),
        (
            faults::PHASE,
            &[
                ("cells", "cells of the matrix"),
                ("calls", "calls to the disk"),
                ("done", "done all the same"),
                ("failed", "failed, then done"),
                ("violations", "violations"),
            ],
        ),
        (
            damage::PHASE,
            &[
                ("damages", "damages"),
                ("refused", "refused"),
                ("harmless", "harmless"),
                ("never_read", "never read"),
                ("silent", "silent"),
                ("violations", "violations"),
            ],
        ),
    ];
    let mut tiles = Vec::new();
    for (owner, metrics) in OF {
        let phases = cell.phases.iter().filter(|phase| phase.name == owner);
        for phase in phases {
            for (name, label) in metrics {
                if let Some(measure) = phase.metrics.get(*name) {
                    let value = parts::metric(name, measure.median.0);
                    tiles.push((value, (*label).to_owned()));
                }
            }
        }
    }
    tiles
}

/// What the plots say, in words.
fn in_short(run: &Run) -> String {
    let points = brief::points(run);
    if points.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h2>In short</h2>\n<div class=\"card\"><dl class=\"short\">\n");
    for point in points {
        out += &format!("<dt>{}</dt>", escape(&point.title));
        for line in &point.lines {
            out += &format!("<dd>{}</dd>", escape(line));
        }
        out.push('\n');
    }
    out + "</dl></div>\n"
}

fn checks(run: &Run) -> String {
    if run.checks.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h2>Checks</h2>\n<div class=\"card\">\n<table class=\"checks\">\n<thead><tr><th>verdict</th><th>metric</th><th class=\"n\">measured</th><th>expected</th><th class=\"wide\">what it is</th><th class=\"n wide\">line</th></tr></thead>\n<tbody>\n",
    );
    for check in parts::checks_by_gravity(run) {
        let mut why = prose(&check.meaning);
        if let Some(note) = &check.note {
            why += &format!("; {}", prose(note));
        }
        if !check.detail.is_empty() && (check.judged > 1 || check.verdict != Verdict::Pass) {
            let judged = match check.judged {
                0 | 1 => String::new(),
                many => format!("{} judged, the worst: ", grouped(many)),
            };
            why += &format!(
                "<span class=\"detail\">{judged}{}</span>",
                prose(&check.detail)
            );
        }
        out += &format!(
            "<tr><td class=\"state {}\">{}</td><td><code>{}</code></td><td class=\"n\">{}</td><td class=\"expect\">{}</td><td class=\"wide\">{why}</td><td class=\"n wide\">{}</td></tr>\n",
            parts::verdict_name(check.verdict),
            parts::verdict_mark(check.verdict),
            // Long names break at their joints.
            escape(&check.metric)
                .replace('.', ".<wbr>")
                .replace('_', "_<wbr>"),
            escape(&parts::actual(check)),
            expectation(&check.expect),
            check.line,
        );
    }
    out += "</tbody></table>\n</div>\n";
    out
}

fn plots(run: &Run, figures: &[Figure<'_>]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h2>Plots</h2>\n");
    let spread = |phase: &Phase| phase.metrics.values().any(|one| one.interval.is_some());
    if run.cells.iter().flat_map(|cell| &cell.phases).any(spread) {
        out += "<p class=\"remark lead\">Points are medians of the repeats; a thin vertical line is the 95 % interval of the median.</p>\n";
    }
    out += "<div class=\"plots\">\n";
    for figure in figures {
        let plot = figure.plot;
        out += &format!("<figure>\n<figcaption><h3>{}</h3>", escape(&plot.title));
        if let Some(note) = &plot.note {
            out += &format!("<p class=\"note\">{}</p>", prose(note));
        }
        out += "</figcaption>\n";
        match &figure.drawing {
            Ok(drawing) => {
                out += &drawing.svg;
                if let Some(remark) = &drawing.remark {
                    out += &format!("<p class=\"remark\">{}</p>\n", prose(remark));
                }
            }
            Err(error) => {
                out += &format!("<p class=\"finding\">Not drawn: {}</p>\n", escape(error))
            }
        }
        if let Some(table) = &figure.table {
            out += &table_details(table, "The numbers: ");
        }
        out += "</figure>\n";
    }
    out += "</div>\n";
    out
}

fn table_details(table: &Table, lead: &str) -> String {
    let title = escape(&parts::table_title(table));
    format!(
        "<details><summary>{lead}{title}</summary><div class=\"scroll\">{}</div></details>\n",
        table_html(table)
    )
}

fn table_html(table: &Table) -> String {
    let class = |unit: Unit| {
        if unit == Unit::Text {
            ""
        } else {
            " class=\"n\""
        }
    };
    let mut out = String::from("<table><thead><tr>");
    for column in &table.columns {
        out += &format!(
            "<th{}>{}</th>",
            class(column.unit),
            escape(&super::plots::human(&column.name))
        );
    }
    out += "</tr></thead>\n<tbody>\n";
    for row in &table.rows {
        out += "<tr>";
        for (cell, column) in row.iter().zip(&table.columns) {
            out += &format!(
                "<td{}>{}</td>",
                class(column.unit),
                escape(&parts::cell(cell, column.unit))
            );
        }
        out += "</tr>\n";
    }
    out += "</tbody></table>";
    out
}

fn phases(run: &Run) -> String {
    let mut out = String::from("<h2>Phases</h2>\n");
    for cell in run
        .cells
        .iter()
        .filter(|cell| run.single() || !cell.right())
    {
        if !run.single() {
            out += &format!("<h3 class=\"cell\">{}</h3>\n", escape(&cell.label()));
        }
        let wrong = |phase: &&Phase| phase.status == PhaseStatus::Wrong;
        let wrong_first = cell.phases.iter().filter(wrong);
        let others = cell.phases.iter().filter(|phase| !wrong(phase));
        for phase in wrong_first.chain(others) {
            out += &phase_card(run, phase);
        }
    }
    if !run.single() && run.right() {
        let names = run.cells.first().into_iter().flat_map(|cell| &cell.phases);
        for phase in names {
            out += &phase_of_cells(run, phase);
        }
    }
    out
}

/// One phase of all cells: a row for each cell, a column for each metric.
fn phase_of_cells(run: &Run, phase: &Phase) -> String {
    let mut metrics: Vec<&str> = Vec::new();
    for cell in &run.cells {
        let found = cell.phases.iter().find(|other| other.name == phase.name);
        for (name, _) in found.map_or_else(Vec::new, parts::metrics) {
            if !metrics.contains(&name) {
                metrics.push(name);
            }
        }
    }
    if metrics.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<section class=\"card\">\n<div class=\"phase\"><h3>{}</h3><span class=\"what\">{}</span></div>\n<details><summary>Every cell</summary><div class=\"scroll\"><table class=\"cells\"><thead><tr>",
        escape(&phase.name),
        prose(&phase.what),
    );
    for axis in &run.axes {
        out += &format!("<th>{}</th>", escape(&axis.name));
    }
    for name in &metrics {
        let meaning = registry::by_name(name).map_or("", |metric| metric.meaning);
        out += &format!(
            "<th class=\"n\" title=\"{}\">{}</th>",
            escape(meaning),
            escape(&super::plots::human(name))
        );
    }
    out += "</tr></thead>\n<tbody>\n";
    for cell in &run.cells {
        out += "<tr>";
        for place in &cell.at {
            out += &format!("<td>{}</td>", escape(&place.value));
        }
        let found = cell.phases.iter().find(|other| other.name == phase.name);
        for name in &metrics {
            let measure = found.and_then(|phase| phase.metrics.get(*name));
            let shown = measure.map_or("–".to_owned(), |measure| parts::measure(name, measure));
            out += &format!("<td class=\"n\">{}</td>", escape(&shown));
        }
        out += "</tr>\n";
    }
    out + "</tbody></table></div></details>\n</section>\n"
}

fn phase_card(run: &Run, phase: &Phase) -> String {
    let wrong = if phase.status == PhaseStatus::Wrong {
        " wrong"
    } else {
        ""
    };
    let mut out = format!(
        "<section class=\"card{wrong}\">\n<div class=\"phase\"><h3>{}</h3><span class=\"what\">{}</span>",
        escape(&phase.name),
        prose(&phase.what),
    );
    if let Some(time) = parts::time_of(run, phase) {
        out += &format!("<span class=\"time\">{}</span>", escape(&time));
    } else {
        out += &format!("<span class=\"time\">{}</span>", parts::status(phase));
    }
    out += "</div>\n";
    for finding in &phase.findings {
        out += &format!("<p class=\"finding\">{}</p>\n", prose(finding));
    }
    if !run.right() {
        return out + "</section>\n";
    }
    if let Some(answer) = &phase.answer {
        out += &format!("<p class=\"answer\">{}</p>\n", prose(answer));
    }
    out += "<dl class=\"metrics\">\n";
    for (name, value) in parts::metrics(phase) {
        let meaning = registry::by_name(name).map_or("", |metric| metric.meaning);
        out += &format!(
            "<div><dt title=\"{}\">{}</dt><dd>{}</dd></div>\n",
            escape(meaning),
            escape(&super::plots::human(name)),
            escape(&parts::measure(name, value)),
        );
    }
    out += "</dl>\n";
    for table in &phase.tables {
        out += &table_details(table, "");
    }
    if let Some(digest) = &phase.digest {
        out += &format!(
            "<p class=\"remark\">Digest of the results: <code>{}</code></p>\n",
            escape(digest)
        );
    }
    out + "</section>\n"
}

fn configuration(run: &Run, manifest: &Manifest) -> String {
    let mut out = String::from("<div class=\"pair\">\n");
    let (common, differing) = parts::configuration(run);
    if !common.is_empty() || !differing.rows.is_empty() {
        out += "<div><h2>Effective configuration</h2>\n<div class=\"card\">";
        out += &settings(&common);
        if !differing.rows.is_empty() {
            out += &table_details(&differing, "Read back from each cell: ");
        }
        out += "</div></div>\n";
    }
    out += "<div><h2>Machine</h2>\n<div class=\"card\">";
    out += &settings(&parts::machine(manifest));
    out += "</div></div>\n</div>\n";
    let shape: Vec<&Table> = match run.cells.as_slice() {
        [cell] => {
            let filled = |table: &&Table| !table.rows.is_empty();
            cell.tables.iter().filter(filled).collect()
        }
        _ => Vec::new(),
    };
    if run.right() && !shape.is_empty() {
        out += "<h2>The graph</h2>\n<div class=\"card\">\n";
        for table in shape {
            out += &table_details(table, "");
        }
        out += "</div>\n";
    }
    out
}

fn settings(settings: &[Setting]) -> String {
    let mut out = String::from("<table><tbody>\n");
    for setting in settings {
        out += &format!(
            "<tr><th>{}</th><td>{}</td></tr>\n",
            escape(&setting.name),
            escape(&setting.value)
        );
    }
    out += "</tbody></table>";
    out
}

fn footer(run: &Run, manifest: &Manifest) -> String {
    let mut out = String::from("<h2>Scenario</h2>\n<div class=\"card\">");
    for (_, source) in manifest.sources.iter() {
        out += &format!(
            "<details><summary>{}, as it ran</summary><pre>{}</pre></details>",
            escape(&source.name),
            escape(&source.text)
        );
    }
    out += "</div>\n";
    let mut phases = run.cells.iter().flat_map(|cell| &cell.phases);
    let histograms = phases.any(|phase| phase.metrics.contains_key("p50_ns"));
    let latencies = match histograms && !manifest.published {
        true => ", <a href=\"latencies.hlog\">latencies.hlog</a> (histograms)",
        false => "",
    };
    out += &format!(
        "<footer>Run {} · raw numbers: <a href=\"results.json\">results.json</a>, <a href=\"manifest.json\">manifest.json</a>, <a href=\"report.md\">report.md</a>{latencies}</footer>\n",
        escape(&run.id)
    );
    out
}
