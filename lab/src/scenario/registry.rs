//! Every metric and table that a phase can yield, by what the phase does.
//!
//! Checks and plots are held against this list before anything runs, and the runner asserts that a
//! phase yields nothing else.

pub(crate) mod counts;
mod metrics;

use crate::results::{Cell, Column, Table};
use crate::units::Unit;

use super::crash;
use super::damage;
use super::faults;
use super::operations::Operation;
use super::real;

pub(crate) use self::metrics::MIX_EACH;
use self::metrics::{ASK, BYTES, DATASET, KILL, LOAD, MIX, REOPEN, VERIFY};

/// What a phase does, as far as its results are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Load,
    Mix,
    Bytes,
    Ask,
    Reach,
    Verify,
    Reopen,
    Kill,
    Crash,
    Faults,
    Damage,
    Real,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) meaning: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct TableDef {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Unit)],
}

impl TableDef {
    /// An empty table of this shape, owned by a phase (or by `run` or `dataset`).
    pub(crate) fn table(&self, owner: &str, rows: Vec<Vec<Cell>>) -> Table {
        let columns = self.columns.iter().map(|(name, unit)| Column {
            name: (*name).to_owned(),
            unit: *unit,
        });
        Table {
            name: format!("{owner}.{}", self.name),
            columns: columns.collect(),
            rows,
            rows_left_out: 0,
        }
    }
}

pub(super) const fn metric(name: &'static str, unit: Unit, meaning: &'static str) -> Metric {
    Metric {
        name,
        unit,
        meaning,
    }
}

pub(crate) const DEGREE: TableDef = TableDef {
    name: "degree",
    columns: &[
        ("degree", Unit::Count),
        ("nodes_out", Unit::Count),
        ("nodes_in", Unit::Count),
    ],
};
pub(crate) const KINDS: TableDef = TableDef {
    name: "kinds",
    columns: &[("kind", Unit::Text), ("nodes", Unit::Count)],
};
pub(crate) const LABELS: TableDef = TableDef {
    name: "labels",
    columns: &[("label", Unit::Text), ("edges", Unit::Count)],
};
pub(crate) const PHASES: TableDef = TableDef {
    name: "phases",
    columns: &[
        ("phase", Unit::Text),
        ("time_ns", Unit::Ns),
        ("mad_ns", Unit::Ns),
        ("pages_read", Unit::Count),
    ],
};
pub(crate) const QUERIES: TableDef = TableDef {
    name: "queries",
    columns: &[
        ("phase", Unit::Text),
        ("warm_ns", Unit::Ns),
        ("mad_ns", Unit::Ns),
        ("first_ns", Unit::Ns),
        ("pages_read", Unit::Count),
        ("answers", Unit::Count),
    ],
};
pub(crate) const COUNTING: TableDef = TableDef {
    name: "counting",
    columns: &[
        ("phase", Unit::Text),
        ("time_ns", Unit::Ns),
        ("counting_ns", Unit::Ns),
    ],
};
pub(crate) const SPACES: TableDef = TableDef {
    name: "spaces",
    columns: &[
        ("space", Unit::Text),
        ("tree_bytes", Unit::Bytes),
        ("payload_bytes", Unit::Bytes),
        ("pages", Unit::Count),
        ("height", Unit::Count),
        ("entries", Unit::Count),
        ("bytes_per_entry", Unit::Bytes),
    ],
};
pub(crate) const HOPS: TableDef = TableDef {
    name: "hops",
    columns: &[
        ("hops", Unit::Count),
        ("nodes_new", Unit::Count),
        ("nodes_reached", Unit::Count),
        ("time_ns", Unit::Ns),
    ],
};
pub(crate) const ANSWERS: TableDef = TableDef {
    name: "answers",
    columns: &[
        ("place", Unit::Count),
        ("id", Unit::Text),
        ("kind", Unit::Text),
        ("name", Unit::Text),
    ],
};
pub(crate) const ROUNDS: TableDef = TableDef {
    name: "rounds",
    columns: &[
        ("round", Unit::Count),
        ("acknowledged_commits", Unit::Count),
        ("surviving_commits", Unit::Count),
        ("replayed_records", Unit::Count),
        ("replayed_bytes", Unit::Bytes),
        ("dropped_bytes", Unit::Bytes),
        ("recovery_ns", Unit::Ns),
    ],
};

pub(crate) const OPERATIONS: TableDef = TableDef {
    name: "operations",
    columns: &[
        ("operation", Unit::Text),
        ("operations", Unit::Count),
        ("p50_ns", Unit::Ns),
        ("p90_ns", Unit::Ns),
        ("p99_ns", Unit::Ns),
        ("p999_ns", Unit::Ns),
        ("max_ns", Unit::Ns),
    ],
};

/// They own metrics and tables of the whole run.
pub(crate) const OWNERS: [&str; 2] = ["dataset", "run"];

/// Names that phases may not take.
pub(crate) const RESERVED: [&str; 5] = [
    OWNERS[0],
    OWNERS[1],
    crash::PHASE,
    faults::PHASE,
    damage::PHASE,
];

impl ActionKind {
    /// Whether the engine's counters say something about it: not of sessions on simulated
    /// storage, nor of other processes.
    pub(crate) fn counted(self) -> bool {
        !matches!(
            self,
            ActionKind::Crash | ActionKind::Faults | ActionKind::Damage | ActionKind::Real
        )
    }

    pub(crate) fn metrics(self) -> &'static [Metric] {
        match self {
            ActionKind::Load => LOAD,
            ActionKind::Mix => MIX,
            ActionKind::Bytes => BYTES,
            ActionKind::Ask | ActionKind::Reach => ASK,
            ActionKind::Verify => VERIFY,
            ActionKind::Reopen => REOPEN,
            ActionKind::Kill => KILL,
            ActionKind::Crash => crash::METRICS,
            ActionKind::Faults => faults::METRICS,
            ActionKind::Damage => damage::METRICS,
            ActionKind::Real => real::METRICS,
        }
    }

    pub(crate) fn tables(self) -> &'static [TableDef] {
        match self {
            ActionKind::Load => &[SPACES],
            ActionKind::Mix => &[OPERATIONS],
            ActionKind::Ask => &[ANSWERS],
            ActionKind::Reach => &[HOPS, ANSWERS],
            ActionKind::Kill => &[ROUNDS],
            ActionKind::Crash => crash::TABLES,
            ActionKind::Faults => faults::TABLES,
            ActionKind::Damage => damage::TABLES,
            ActionKind::Verify | ActionKind::Reopen | ActionKind::Bytes | ActionKind::Real => &[],
        }
    }
}

/// Metrics of `dataset`.
pub(crate) fn dataset_metrics() -> &'static [Metric] {
    DATASET
}

/// Tables of `dataset` and of `run`.
pub(crate) fn run_tables(owner: &str) -> &'static [TableDef] {
    match owner {
        "dataset" => &[DEGREE, KINDS, LABELS],
        "run" => &[PHASES, QUERIES, COUNTING],
        _ => &[],
    }
}

/// What a metric of a phase means, wherever the name is unambiguous.
pub(crate) fn describe(kind: Option<ActionKind>, name: &str) -> Option<Metric> {
    let metrics = kind.map_or(DATASET, ActionKind::metrics);
    if let Some(counter) = name.strip_prefix(counts::PREFIX) {
        let counted = kind.is_some_and(ActionKind::counted);
        return counted.then(|| counts::describe(counter)).flatten();
    }
    if let Some((operation, each)) = name.split_once('.')
        && kind == Some(ActionKind::Mix)
    {
        let known = MIX_EACH.contains(&each) && Operation::named(operation).is_some();
        return known.then(|| describe(kind, each)).flatten();
    }
    metrics.iter().find(|metric| metric.name == name).copied()
}

fn all() -> impl Iterator<Item = &'static Metric> {
    [
        MIX,
        ASK,
        LOAD,
        VERIFY,
        REOPEN,
        KILL,
        BYTES,
        DATASET,
        crash::METRICS,
        faults::METRICS,
        damage::METRICS,
        real::METRICS,
    ]
    .into_iter()
    .flatten()
}

/// Every metric with what yields it, for the reference.
pub(crate) fn by_owner() -> [(&'static str, &'static [Metric]); 12] {
    [
        ("mix", MIX),
        ("load", LOAD),
        ("ask", ASK),
        ("verify", VERIFY),
        ("verify = \"bytes\"", BYTES),
        ("reopen", REOPEN),
        ("kill", KILL),
        (crash::PHASE, crash::METRICS),
        (faults::PHASE, faults::METRICS),
        (damage::PHASE, damage::METRICS),
        (
            "crash` or `faults` with another `via` than `simulated",
            real::METRICS,
        ),
        ("dataset", DATASET),
    ]
}

/// Unit and meaning of a stored metric, for renderers that know only its name.
pub(crate) fn by_name(name: &str) -> Option<Metric> {
    if let Some(counter) = name.strip_prefix(counts::PREFIX) {
        return counts::describe(counter);
    }
    let each = name.rsplit_once('.').map_or(name, |(_, each)| each);
    all()
        .find(|metric| metric.name == name)
        .or_else(|| all().find(|metric| metric.name == each))
        .copied()
}

/// Whether a clock had a part in a metric, so that it repeats only roughly and means something on one
/// machine only.
pub(crate) fn by_clock(name: &str) -> bool {
    let clock = |unit| matches!(unit, Unit::Ns | Unit::PerSecond);
    by_name(name).is_some_and(|metric| clock(metric.unit))
        || ["commit_over_floor", "load_over_raw"].contains(&name)
}

/// Which way a metric gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
    /// It only says what was done.
    Neither,
}

/// What the scenario or the disk beside the store decides.
const NOT_OF_A_STORE: [&str; 4] = ["payload_bytes", "cache_bytes", "raw_write_ns", "floor_ns"];

pub(crate) fn better(name: &str) -> Better {
    if let Some(counter) = name.strip_prefix(counts::PREFIX) {
        return counts::better(counter);
    }
    let name = name.rsplit_once('.').map_or(name, |(_, each)| each);
    match by_name(name).map(|metric| metric.unit) {
        Some(Unit::PerSecond) => Better::Higher,
        Some(Unit::Ns | Unit::Bytes) if !NOT_OF_A_STORE.contains(&name) => Better::Lower,
        _ if name == "traversal_hit_ratio" => Better::Higher,
        _ => {
            let costs = [
                "pages",
                "syncs",
                "amplification",
                "misses",
                "evictions",
                "differences",
                "findings",
                "lost",
                "over_floor",
                "over_raw",
            ];
            if costs.iter().any(|cost| name.contains(cost)) {
                Better::Lower
            } else {
                Better::Neither
            }
        }
    }
}

/// Where a metric stands in the list; unknown ones come last.
pub(crate) fn rank(name: &str) -> usize {
    all()
        .position(|metric| metric.name == name)
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS_OF_ACTION: [ActionKind; 12] = [
        ActionKind::Load,
        ActionKind::Mix,
        ActionKind::Bytes,
        ActionKind::Ask,
        ActionKind::Reach,
        ActionKind::Verify,
        ActionKind::Reopen,
        ActionKind::Kill,
        ActionKind::Crash,
        ActionKind::Faults,
        ActionKind::Damage,
        ActionKind::Real,
    ];

    /// A renderer that knows only the name must not be misled about the unit.
    #[test]
    fn one_name_has_one_unit() {
        for metric in KINDS_OF_ACTION
            .iter()
            .flat_map(|kind| kind.metrics())
            .chain(DATASET)
        {
            assert_eq!(
                by_name(metric.name).map(|known| known.unit),
                Some(metric.unit),
                "{}",
                metric.name
            );
        }
    }

    #[test]
    fn units_stand_last_in_names() {
        for metric in KINDS_OF_ACTION.iter().flat_map(|kind| kind.metrics()) {
            assert_eq!(
                metric.name.ends_with("_ns"),
                metric.unit == Unit::Ns,
                "{}",
                metric.name
            );
            assert_eq!(
                metric.name.ends_with("_per_second"),
                metric.unit == Unit::PerSecond,
                "{}",
                metric.name
            );
        }
    }
}
