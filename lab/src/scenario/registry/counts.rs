//! Metrics that the build that counts yields for a phase, as `phase.counts.NAME`: every counter of the
//! engine, and what belongs to counting itself.

use vellum::forensics::Counter;

use crate::units::Unit;

use super::{Better, Metric, metric};

/// What their names begin with.
pub(crate) const PREFIX: &str = "counts.";

/// The phase's time where it was counted.
pub(crate) const TIME: &str = "time_ns";

/// Contradictions about page owners.
pub(crate) const CONFLICTS: &str = "page_conflicts";

/// Those that are no counter of the engine.
pub(crate) const OWN: [Metric; 2] = [
    metric(
        TIME,
        Unit::Ns,
        "the phase's `time_ns` in the build that counts: beside the plain one, what counting costs",
    ),
    metric(
        CONFLICTS,
        Unit::Count,
        "contradictions in the register of page owners, such as a page with two; one makes the phase wrong",
    ),
];

/// Every name behind the prefix.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    let own = OWN.iter().map(|metric| metric.name);
    own.chain(Counter::ALL.iter().map(|counter| counter.name()))
}

/// A metric by its name behind the prefix.
pub(crate) fn describe(name: &str) -> Option<Metric> {
    let own = OWN.iter().find(|metric| metric.name == name).copied();
    own.or_else(|| {
        Counter::by_name(name).map(|counter| Metric {
            name: counter.name(),
            unit: match counter.unit() {
                "bytes" => Unit::Bytes,
                _ => Unit::Count,
            },
            meaning: counter.meaning(),
        })
    })
}

/// Which way it gets better. What a caller asked for, and what was found where it was looked for, only
/// says what was done.
pub(super) fn better(name: &str) -> Better {
    match Counter::by_name(name) {
        Some(counter) if counter.group().name() == "calls" || name.ends_with("_hits") => {
            Better::Neither
        }
        _ => Better::Lower,
    }
}

/// The name behind the prefix, if a path of the form `phase.counts.NAME` has one.
pub(crate) fn of_path(path: &str) -> Option<(&str, &str)> {
    let (phase, metric) = path.split_once('.')?;
    Some((phase, metric.strip_prefix(PREFIX)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_name_is_described_once() {
        let mut seen: Vec<&str> = names().collect();
        assert_eq!(seen.len(), Counter::ALL.len() + OWN.len());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), Counter::ALL.len() + OWN.len());
        for name in names() {
            let metric = describe(name).unwrap();
            assert_eq!(metric.name, name);
            assert_eq!(metric.unit == Unit::Ns, name == TIME);
        }
        assert_eq!(describe("log_syncs").unwrap().unit, Unit::Count);
        assert_eq!(describe("log_append_bytes").unwrap().unit, Unit::Bytes);
        assert!(describe("log_sync").is_none());
    }

    #[test]
    fn paths_are_taken_apart() {
        assert_eq!(
            of_path("insert.counts.log_syncs"),
            Some(("insert", "log_syncs"))
        );
        assert_eq!(of_path("insert.log_syncs"), None);
        assert_eq!(of_path("counts.log_syncs"), None);
    }
}
