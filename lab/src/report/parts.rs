//! What the reports say, in pieces that every format shows alike.

use std::ffi::OsStr;
use std::path::Path;

use crate::results::{
    Cell, Check, Column, Coordinate, Ended, Manifest, Measure, Phase, PhaseStatus, Run, Setting,
    Table, Verdict,
};
use crate::scenario::registry;
use crate::units::{Unit, grouped};

/// What the names of metrics begin with that tell what a crashed session really did.
const SAW: &str = "saw.";

/// The run's outcome in one line, with the class that colours it.
pub(super) fn verdict(run: &Run) -> (Verdict, String) {
    if !run.right() {
        return (
            Verdict::Fail,
            "A result was wrong: no measurement of this run counts".to_owned(),
        );
    }
    if let Some(phase) = run.impossible().next() {
        return (
            Verdict::Skipped,
            format!("SKIPPED, not passed: {}", findings(phase)),
        );
    }
    let count = |verdict: Verdict| {
        run.checks
            .iter()
            .filter(|check| check.verdict == verdict)
            .count()
    };
    let (failed, warned) = (
        count(Verdict::Fail) + count(Verdict::Void),
        count(Verdict::Warn),
    );
    let (open, skipped) = (count(Verdict::Inconclusive), count(Verdict::Skipped));
    let all = run.checks.len();
    let (verdict, mut said) = match (failed, warned) {
        (0, 0) if all == 0 => (
            Verdict::Pass,
            "Every result was right; the scenario states no checks".to_owned(),
        ),
        (0, 0) if all == 1 && open + skipped == 0 => (
            Verdict::Pass,
            "Every result was right, and the check passed".to_owned(),
        ),
        (0, 0) if open + skipped == 0 => (
            Verdict::Pass,
            format!("Every result was right; all {all} checks passed"),
        ),
        (0, 0) => (
            Verdict::Pass,
            format!(
                "Every result was right; {} of {all} checks passed",
                count(Verdict::Pass)
            ),
        ),
        (0, warned) => (
            Verdict::Warn,
            format!("Every result was right; {warned} of {all} checks warn"),
        ),
        (failed, _) => (Verdict::Fail, format!("{failed} of {all} checks failed")),
    };
    if open > 0 {
        said += &format!(", {open} inconclusive");
    }
    if skipped > 0 {
        said += &format!(", {skipped} skipped");
    }
    let cut = match run.ended {
        Ended::Complete => return (verdict, said),
        Ended::Shard { number, of } => {
            said += &format!(" (part {number} of {of})");
            return (verdict, said);
        }
        Ended::Unfinished => "unfinished",
        Ended::Interrupted => "interrupted",
        Ended::OverBudget => "over budget",
    };
    said += &format!(" ({cut}: not everything was run)");
    // Part of an answer is none, however good the part looks.
    let verdict = match verdict {
        Verdict::Pass => Verdict::Inconclusive,
        other => other,
    };
    (verdict, said)
}

/// A value of an axis: whole numbers in groups of three digits.
pub(super) fn place(value: &Coordinate) -> String {
    let number: Option<u64> = value.text.parse().ok();
    number.map_or_else(|| value.text.clone(), grouped)
}

pub(super) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "open",
        Verdict::Skipped => "skipped",
        Verdict::Void => "void",
    }
}

/// A mark that needs no colour to be understood.
pub(super) fn verdict_mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓ pass",
        Verdict::Warn => "! warn",
        Verdict::Fail => "✗ fail",
        Verdict::Inconclusive => "? open",
        Verdict::Skipped => "· skip",
        Verdict::Void => "– void",
    }
}

/// Checks with those that failed first, each group in the order of the scenario.
pub(super) fn checks_by_gravity(run: &Run) -> Vec<&Check> {
    let rank = |check: &Check| match check.verdict {
        Verdict::Fail => 0,
        Verdict::Void => 1,
        Verdict::Warn => 2,
        Verdict::Inconclusive => 3,
        Verdict::Pass => 4,
        Verdict::Skipped => 5,
    };
    let mut checks: Vec<&Check> = run.checks.iter().collect();
    checks.sort_by_key(|check| rank(check));
    checks
}

pub(super) fn actual(check: &Check) -> String {
    match (check.verdict, check.actual) {
        (Verdict::Void, _) | (_, None) => "–".to_owned(),
        (_, Some(number)) => check.unit.show(number.0),
    }
}

/// The first findings of a phase in one line; the page has them all.
pub(super) fn findings(phase: &Phase) -> String {
    const SHOWN: usize = 3;
    let more = phase.findings.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = phase
        .findings
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect();
    let tail = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!("{}{tail}", shown.join("; "))
}

/// A metric's value in its unit.
pub(super) fn metric(name: &str, value: f64) -> String {
    registry::by_name(name)
        .map_or(Unit::Count, |metric| metric.unit)
        .show(value)
}

/// The phase's metrics in the order in which the registry explains them.
pub(super) fn metrics(phase: &Phase) -> Vec<(&str, &Measure)> {
    // Those of single operations stand in a table of their own.
    let mut metrics: Vec<(&str, &Measure)> = phase
        .metrics
        .iter()
        .filter(|(name, _)| !name.contains('.') || name.starts_with(SAW))
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    metrics.sort_by_key(|(name, _)| registry::rank(name));
    metrics
}

/// A measure with its spread where it has one.
pub(super) fn measure(name: &str, measure: &Measure) -> String {
    let shown = metric(name, measure.median.0);
    match measure.mad {
        Some(mad) if mad.0 > 0.0 => format!("{shown} ± {}", metric(name, mad.0)),
        _ => shown,
    }
}

/// The phase's time, if its results may be shown.
pub(super) fn time_of(run: &Run, phase: &Phase) -> Option<String> {
    if !run.right() {
        return None;
    }
    phase
        .metrics
        .get("time_ns")
        .map(|time| Unit::Ns.show(time.median.0))
}

pub(super) fn status(phase: &Phase) -> &'static str {
    match phase.status {
        PhaseStatus::Right => "right",
        PhaseStatus::Wrong => "WRONG",
        PhaseStatus::Skipped => "skipped",
        PhaseStatus::Missing => "not possible here",
    }
}

pub(super) fn cell(cell: &Cell, unit: Unit) -> String {
    match cell {
        Cell::Number(number) => unit.show(number.0),
        Cell::Text(text) => text.clone(),
        Cell::Absent(()) => "–".to_owned(),
    }
}

/// A table's name without its owner, as a heading.
pub(super) fn table_title(table: &Table) -> String {
    let name = table
        .name
        .rsplit_once('.')
        .map_or(table.name.as_str(), |(_, name)| name);
    match table.rows_left_out {
        0 => format!("{name} ({})", grouped(table.rows.len() as u64)),
        more => format!(
            "{name} (the first {} of {})",
            grouped(table.rows.len() as u64),
            grouped(table.rows.len() as u64 + more)
        ),
    }
}

/// The engine's settings that all cells share, and a table of those that differ.
pub(super) fn configuration(run: &Run) -> (Vec<Setting>, Table) {
    let first = run
        .cells
        .first()
        .map_or(&[][..], |cell| cell.engine.as_slice());
    let shared = |setting: &&Setting| run.cells.iter().all(|cell| cell.engine.contains(setting));
    let common: Vec<Setting> = first.iter().filter(shared).cloned().collect();
    let differing: Vec<&Setting> = first.iter().filter(|setting| !shared(setting)).collect();
    let axes = run.axes.iter().map(|axis| axis.name.clone());
    let names = differing.iter().map(|setting| setting.name.clone());
    let columns = axes.chain(names).map(|name| Column {
        name,
        unit: Unit::Text,
    });
    let rows = run
        .cells
        .iter()
        .filter(|_| !differing.is_empty())
        .map(|cell| {
            let places = cell.at.iter().map(|place| Cell::from(place.value.as_str()));
            let values = differing.iter().map(|setting| {
                let own = cell.engine.iter().find(|own| own.name == setting.name);
                Cell::from(own.map(|own| own.value.as_str()))
            });
            places.chain(values).collect()
        });
    let table = Table {
        name: "run.settings".to_owned(),
        columns: columns.collect(),
        rows: rows.collect(),
        rows_left_out: 0,
    };
    (common, table)
}

/// Where and with what the run was made.
pub(super) fn machine(manifest: &Manifest) -> Vec<Setting> {
    let dirty = match manifest.dirty {
        Some(true) => ", with uncommitted changes",
        _ => "",
    };
    vec![
        Setting::new(
            "processor",
            format!("{} ({} usable)", manifest.cpu, manifest.cpus),
        ),
        Setting::new(
            "memory",
            manifest
                .memory_bytes
                .map_or("unknown".to_owned(), |bytes| Unit::Bytes.show(bytes as f64)),
        ),
        Setting::new("kernel", &manifest.kernel),
        Setting::new("file system", &manifest.file_system),
        Setting::new("compiler", &manifest.rustc),
        Setting::new(
            "build",
            format!(
                "{} for {}, lab {}",
                manifest.profile, manifest.target, manifest.lab_version
            ),
        ),
        Setting::new(
            "features",
            match manifest.features.as_slice() {
                [] => "none".to_owned(),
                features => features.join(", "),
            },
        ),
        Setting::new(
            "counted by",
            manifest
                .counted_by
                .as_ref()
                .map_or("nothing beside".to_owned(), |by| {
                    let program = Path::new(&by.program).file_name();
                    let program =
                        program.map_or(by.program.as_str().into(), OsStr::to_string_lossy);
                    format!(
                        "{program} ({}; features {}), repeats {}, took {}",
                        by.profile,
                        by.features.join(", "),
                        by.repeats,
                        Unit::Ns.show(by.duration_ns as f64)
                    )
                }),
        ),
        Setting::new(
            "clock",
            format!(
                "a reading costs {}",
                Unit::Ns.show(manifest.clock_ns as f64)
            ),
        ),
        Setting::new(
            "kept awake",
            manifest.idle_spinner.as_deref().unwrap_or("no spinner ran"),
        ),
        Setting::new("revision", format!("{}{dirty}", manifest.revision)),
        Setting::new("seed", manifest.seed.to_string()),
        Setting::new("repeats", manifest.repeats.to_string()),
        Setting::new("tag", manifest.tag.as_deref().unwrap_or("none")),
        Setting::new("durability", &manifest.durability),
        Setting::new("command", manifest.argv.join(" ")),
    ]
}
