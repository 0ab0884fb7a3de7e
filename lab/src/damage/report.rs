//! An outcome as metrics and tables.

use super::outcome::Outcome;
use super::{Extent, Facts, Way};
use crate::results::{Cell, Table};
use crate::scenario::damage as section;
use crate::units::{Unit, grouped};

/// Every metric of the phase, by its name in the registry.
pub(crate) fn metrics(
    extent: &Extent,
    outcome: &Outcome,
    time_ns: u64,
) -> Vec<(&'static str, f64)> {
    let total = outcome.total();
    let least = |of: fn(&Facts) -> u64| outcome.facts.iter().map(of).min().unwrap_or(0);
    let sum = |of: fn(&Facts) -> u64| outcome.facts.iter().map(of).sum::<u64>();
    let counts = [
        ("time_ns", time_ns),
        ("slowest_ns", outcome.slowest_ns),
        ("damages", total.tried),
        ("refused", total.refused),
        ("harmless", total.harmless),
        ("never_read", total.never_read),
        ("shortened", total.shortened),
        ("forged", total.forged),
        ("silent", total.silent),
        ("panics", total.panics),
        ("violations", outcome.violations),
        ("stride", extent.stride as u64),
        ("databases", outcome.facts.len() as u64),
        ("pages", sum(|facts| facts.pages)),
        ("database_bytes", sum(|facts| facts.database_bytes)),
        ("log_bytes", sum(|facts| facts.log_bytes)),
        ("fields", sum(|facts| facts.fields as u64)),
        ("rules", outcome.rules.len() as u64),
        ("saw.page_kinds", least(|facts| facts.page_kinds as u64)),
        ("saw.lowest_tree", least(|facts| facts.lowest_tree.into())),
        ("saw.free_pages", least(|facts| facts.free_pages)),
        ("saw.log_records", least(|facts| facts.log_records as u64)),
        (
            "saw.flipped_bits",
            outcome.tried(&[Way::Bits, Way::LogBits]),
        ),
        (
            "saw.swaps",
            outcome.tried(&[
                Way::SwappedPages,
                Way::SwappedSectors,
                Way::SwappedBytes,
                Way::SwappedWords,
            ]),
        ),
        ("saw.older_pages", outcome.tried(&[Way::OlderPages])),
        (
            "saw.truncations",
            outcome.tried(&[Way::Truncated, Way::TruncatedLog]),
        ),
        (
            "saw.resealed",
            outcome.tried(&[Way::ResealedFields, Way::ResealedLog]),
        ),
    ];
    let mut metrics: Vec<(&'static str, f64)> =
        counts.map(|(name, count)| (name, count as f64)).to_vec();
    let seconds = time_ns.max(1) as f64 / 1e9;
    metrics.push(("damages_per_second", total.tried as f64 / seconds));
    if let Some(peak) = outcome.peak_bytes {
        metrics.push(("peak_bytes", peak as f64));
        metrics.push(("excess_bytes", outcome.excess_bytes as f64));
    }
    metrics
}

/// What each way came to, and which rule refused how much.
pub(crate) fn tables(owner: &str, outcome: &Outcome) -> Vec<Table> {
    let ways = outcome.tallies.iter().map(|(way, tally)| {
        let counts = [
            tally.tried,
            tally.refused,
            tally.harmless,
            tally.never_read,
            tally.shortened,
            tally.forged,
            tally.silent,
            tally.panics,
        ];
        let mut row = vec![Cell::from(way.name())];
        row.extend(counts.map(Cell::from));
        row
    });
    let mut rules: Vec<_> = outcome.rules.iter().collect();
    rules.sort_by_key(|(rule, count)| (std::cmp::Reverse(**count), rule.as_str()));
    let rules = rules.into_iter().map(|(rule, count)| {
        let (layer, what) = rule.split_once(": ").unwrap_or(("", rule));
        vec![Cell::from(layer), Cell::from(what), Cell::from(*count)]
    });
    vec![
        section::WAYS.table(owner, ways.collect()),
        section::RULES.table(owner, rules.collect()),
    ]
}

/// One sentence.
pub(crate) fn answer(outcome: &Outcome, time_ns: u64) -> String {
    let total = outcome.total();
    format!(
        "{} damages in {}: {} refused by {} rules, {} changed no answer, {} in places that nothing reads, {} silent",
        grouped(total.tried),
        Unit::Ns.show(time_ns as f64),
        grouped(total.refused),
        outcome.rules.len(),
        grouped(total.harmless),
        grouped(total.never_read),
        grouped(total.silent),
    )
}
