//! An outcome as metrics, tables and findings.

use std::fs;
use std::path::Path as Folder;

use vellum::storage::sim::Disk;

use super::oracle::Vellum;
use super::path::Source;
use super::replay::{minimise, reach};
use super::search::Failure as Broken;
use super::subject::Rule;
use super::tally::Count;
use super::{CrashPlan, Outcome, record_source};
use crate::failure::{Context, Failure};
use crate::results::{Cell, Table};
use crate::scenario::crash as section;
use crate::units::{Unit, grouped};

/// Failures that are made smaller and whose images are kept.
const KEPT: usize = 5;

/// Every metric of the phase, by its name in the registry.
pub(crate) fn metrics(plan: &CrashPlan, outcome: &Outcome) -> Vec<(&'static str, f64)> {
    let tally = &outcome.tally;
    let total = tally.total();
    let seconds = |ns: u64| (ns.max(1) as f64) / 1e9;
    let broke = |rules: &[Rule]| {
        let broken = outcome.broken.iter();
        broken
            .filter(|broken| rules.contains(&broken.violation.rule))
            .count() as u64
    };
    let distinct = total.distinct as f64;
    let core_ns = outcome
        .cpu_ns
        .unwrap_or(outcome.time_ns.saturating_mul(outcome.threads as u64));
    let mut metrics = vec![
        ("distinct_per_second", distinct / seconds(outcome.time_ns)),
        ("core_distinct_per_second", distinct / seconds(core_ns)),
    ];
    let seen = &tally.seen;
    let counts = [
        ("time_ns", outcome.time_ns),
        ("recovery_ns", tally.times.quantile(0.5)),
        ("slow_recovery_ns", tally.times.quantile(0.99)),
        ("slowest_recovery_ns", tally.times.max_ns),
        ("sessions", u64::from(plan.sessions)),
        ("recordings", u64::from(plan.recordings)),
        ("different_recordings", outcome.different),
        ("events", outcome.events),
        ("points", total.points),
        ("states", total.states),
        ("distinct", total.distinct),
        ("distinct_once", tally.depths[0].distinct),
        ("distinct_twice", tally.depths[1].distinct),
        ("distinct_thrice", tally.depths[2].distinct),
        ("opened", total.opened),
        ("shared", total.distinct - total.opened),
        ("recoveries_crashed", tally.recoveries_crashed),
        ("violations", outcome.broken.len() as u64),
        ("lost_commits", broke(&[Rule::Lost])),
        ("partial_commits", broke(&[Rule::Whole])),
        ("findings", broke(&[Rule::Check, Rule::Accounting])),
        ("panics", broke(&[Rule::Panic])),
        ("saw.split_trees", outcome.saw.split_trees.len() as u64),
        ("saw.merged_trees", outcome.saw.merged_trees.len() as u64),
        ("saw.failed_syncs", seen.failed_syncs),
        ("saw.absent", seen.absent),
        ("saw.replayed", seen.replayed),
        ("saw.torn_tail", seen.torn_tail),
        ("saw.repaired", seen.repaired),
        ("saw.torn_slot", seen.torn_slot),
        ("saw.rolled_back", seen.rolled_back),
    ];
    metrics.extend(counts.map(|(name, count)| (name, count as f64)));
    metrics.extend(outcome.cpu_ns.map(|ns| ("cpu_ns", ns as f64)));
    metrics.extend(
        outcome
            .saw
            .numbers()
            .into_iter()
            .map(|(name, count)| (name, count as f64)),
    );
    metrics
}

fn cells(count: &Count) -> [Cell; 4] {
    [count.points, count.states, count.distinct, count.opened].map(Cell::from)
}

/// The outcome by kind of state, by way into the file, by crashes, and the times of recovery.
pub(crate) fn tables(owner: &str, outcome: &Outcome) -> Vec<Table> {
    let tally = &outcome.tally;
    let kinds = tally.kinds.iter().map(|(kind, count)| {
        let [_, states, distinct, opened] = cells(count);
        vec![Cell::from(kind.name()), states, distinct, opened]
    });
    let row = |name: Cell, count: &Count| {
        let mut row = vec![name];
        row.extend(cells(count));
        row
    };
    let ways = tally.ways.iter();
    let ways = ways.map(|(way, count)| row(Cell::from(way.name()), count));
    let crashes = tally.depths.iter().enumerate();
    let crashes = crashes
        .filter(|(_, count)| count.states > 0)
        .map(|(depth, count)| row(Cell::from(depth as u64 + 1), count));
    let times = tally.times.rows();
    let times = times.map(|(up_to, count)| vec![Cell::from(up_to), Cell::from(count)]);
    vec![
        section::KINDS.table(owner, kinds.collect()),
        section::WAYS.table(owner, ways.collect()),
        section::CRASHES.table(owner, crashes.collect()),
        section::RECOVERY.table(owner, times.collect()),
    ]
}

/// One sentence.
pub(crate) fn answer(outcome: &Outcome) -> String {
    let total = outcome.tally.total();
    let broken = match outcome.broken.len() {
        0 => "none broke a rule".to_owned(),
        broken => format!("{} broke a rule", grouped(broken as u64)),
    };
    format!(
        "{} distinct states at {} points, {} of them opened, in {}; {broken}",
        grouped(total.distinct),
        grouped(total.points),
        grouped(total.opened),
        Unit::Ns.show(outcome.time_ns as f64)
    )
}

/// One line for each state that broke a rule, with the command that makes it again. The first ones are
/// made smaller, and their files kept in this folder.
///
/// # Errors
/// If the files cannot be written.
pub(crate) fn failures(outcome: &Outcome, folder: &Folder) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for (number, broken) in outcome.broken.iter().enumerate() {
        let path = if number < KEPT {
            keep(broken, &folder.join(format!("{}", number + 1)))?
        } else {
            broken.path.to_string()
        };
        lines.push(format!(
            "{}; again with: lab crash replay {path} --trace",
            broken.violation
        ));
    }
    Ok(lines)
}

/// Makes a failure smaller and keeps its files. Returns the path to it.
fn keep(broken: &Broken, folder: &Folder) -> Result<String, Failure> {
    let Ok(source) = broken.path.source.parse::<Source>() else {
        return Ok(broken.path.to_string());
    };
    let recording = record_source(&source)?;
    let subject = Vellum::new(&recording.models, source.rules);
    let smaller = minimise(&subject, &recording.events, &broken.path, source.seed);
    if let Ok(reached) = reach(&subject, &recording.events, &smaller, source.seed) {
        write_files(&reached.disk, folder)?;
    }
    Ok(smaller.to_string())
}

/// Writes everything that a disk holds into a folder.
///
/// # Errors
/// If the files cannot be written.
pub(crate) fn write_files(disk: &Disk, folder: &Folder) -> Result<(), Failure> {
    fs::create_dir_all(folder).context(folder.display())?;
    for (name, image) in disk.entries() {
        let path = folder.join(name);
        fs::write(&path, image.to_vec()).context(path.display())?;
    }
    Ok(())
}
