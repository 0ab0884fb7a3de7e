//! The parts of one exhaustive search, put together: what each part counted becomes what the whole counts.

use crate::results::{Cell, Measure, Number, Phase, PhaseStatus, SweepCell, Table};

/// Metrics that count items of a search, each of which is in one part. Of every other metric the largest
/// value stands: what all parts did alike, and times, as the parts ran side by side.
const SUMS: &[&str] = &[
    "cells",
    "cpu_ns",
    "damages",
    "different_recordings",
    "distinct",
    "distinct_once",
    "distinct_thrice",
    "distinct_twice",
    "done",
    "failed",
    "findings",
    "forged",
    "harmless",
    "lost_commits",
    "never_read",
    "opened",
    "panics",
    "partial_commits",
    "poisoned",
    "recoveries_crashed",
    "refused",
    "shared",
    "shortened",
    "silent",
    "states",
    "unclear_errors",
    "violations",
    "wrong_handles",
    "saw.absent",
    "saw.creates_again",
    "saw.directory_syncs",
    "saw.flipped_bits",
    "saw.lengths",
    "saw.names",
    "saw.older_pages",
    "saw.opens",
    "saw.reads",
    "saw.repaired",
    "saw.replayed",
    "saw.resealed",
    "saw.rolled_back",
    "saw.swaps",
    "saw.syncs",
    "saw.torn_slot",
    "saw.torn_tail",
    "saw.truncations",
    "saw.writes",
];

/// `saw` metrics of a session that every part records alike, although another search sums the same name.
const OF_SESSIONS: &[&str] = &["saw.opens"];

/// What is over what, in a second.
const RATES: [(&str, &str, &str); 4] = [
    ("distinct_per_second", "distinct", "time_ns"),
    ("core_distinct_per_second", "distinct", "cpu_ns"),
    ("cells_per_second", "cells", "time_ns"),
    ("damages_per_second", "damages", "time_ns"),
];

/// Metrics that count the rows of the table of the same name.
const ROWS: [&str; 2] = ["rules", "kinds"];

/// Columns that all parts fill alike.
const ALIKE: [&str; 2] = ["points", "calls"];

/// One cell from what the parts have of it, in their order.
pub(crate) fn join(parts: &[SweepCell]) -> Option<SweepCell> {
    let mut whole = parts.first()?.clone();
    for (at, phase) in whole.phases.iter_mut().enumerate() {
        let all: Vec<&Phase> = parts
            .iter()
            .filter_map(|part| part.phases.get(at))
            .collect();
        *phase = join_phases(&all)?;
    }
    Some(whole)
}

fn join_phases(parts: &[&Phase]) -> Option<Phase> {
    let mut whole = (*parts.first()?).clone();
    for part in &parts[1..] {
        whole.findings.extend(part.findings.iter().cloned());
        if part.status != PhaseStatus::Right {
            whole.status = part.status;
        }
        if part.digest != whole.digest {
            whole.status = PhaseStatus::Wrong;
            whole.findings.push(
                "the parts did not record the same sessions: their digests differ".to_owned(),
            );
        }
        for (table, more) in whole.tables.iter_mut().zip(&part.tables) {
            add_rows(table, more);
        }
    }
    // One wrong part makes the whole wrong, whatever came after it.
    if parts.iter().any(|part| part.status == PhaseStatus::Wrong) {
        whole.status = PhaseStatus::Wrong;
    }
    join_metrics(&mut whole, parts);
    whole.answer = Some(format!("joined from {} parts", parts.len()));
    Some(whole)
}

fn join_metrics(whole: &mut Phase, parts: &[&Phase]) {
    let names: Vec<String> = whole.metrics.keys().cloned().collect();
    let of_crash = whole.metrics.contains_key("distinct");
    for name in &names {
        let summed =
            SUMS.contains(&name.as_str()) && !(of_crash && OF_SESSIONS.contains(&name.as_str()));
        let all: Vec<&Measure> = parts
            .iter()
            .filter_map(|part| part.metrics.get(name))
            .collect();
        let repeats = all.iter().map(|one| one.samples.len()).max().unwrap_or(0);
        let joined = (0..repeats).map(|repeat| {
            let values = all.iter().filter_map(|one| one.samples.get(repeat));
            Number(match summed {
                true => values.map(|value| value.0).sum(),
                false => values.map(|value| value.0).fold(f64::MIN, f64::max),
            })
        });
        if let Some(joined) = Measure::of(joined.collect()) {
            whole.metrics.insert(name.clone(), joined);
        }
    }
    for name in ROWS
        .iter()
        .filter(|name| names.iter().any(|one| one == *name))
    {
        let table = format!("{}.{name}", whole.name);
        let rows = whole.tables.iter().find(|one| one.name == table);
        if let Some(rows) = rows.map(|table| table.rows.len() as u64) {
            let repeats = whole.metrics.get(*name).map_or(1, |one| one.samples.len());
            let joined = Measure::of(vec![Number::from(rows); repeats]);
            whole
                .metrics
                .extend(joined.map(|joined| ((*name).to_owned(), joined)));
        }
    }
    for (rate, count, time) in RATES {
        let of = |name: &str| whole.metrics.get(name).map(|one| one.samples.clone());
        if let (true, Some(counts), Some(times)) =
            (whole.metrics.contains_key(rate), of(count), of(time))
        {
            let each = counts.iter().zip(&times);
            let each = each.map(|(count, ns)| Number(count.0 * 1e9 / ns.0.max(1.0)));
            let joined = Measure::of(each.collect());
            whole
                .metrics
                .extend(joined.map(|joined| (rate.to_owned(), joined)));
        }
    }
}

/// Adds the rows of another part: where both have a row by the same name, its counts.
fn add_rows(table: &mut Table, more: &Table) {
    let columns: Vec<String> = table.columns.iter().map(|one| one.name.clone()).collect();
    let key = |row: &[Cell]| -> Vec<Cell> {
        let named = row.iter().enumerate();
        let named = named.filter(|(at, cell)| *at == 0 || matches!(cell, Cell::Text(_)));
        named.map(|(_, cell)| cell.clone()).collect()
    };
    for row in &more.rows {
        let known = table.rows.iter_mut().find(|known| key(known) == key(row));
        let Some(known) = known else {
            table.rows.push(row.clone());
            continue;
        };
        for ((cell, new), column) in known.iter_mut().zip(row).zip(&columns).skip(1) {
            if let (Cell::Number(old), Cell::Number(new)) = (&mut *cell, new) {
                let alike = ALIKE.contains(&column.as_str());
                *old = Number(if alike {
                    old.0.max(new.0)
                } else {
                    old.0 + new.0
                });
            }
        }
    }
}
