//! Every metric and table that a phase can yield, by what the phase does.
//!
//! Checks and plots are held against this list before anything runs, and the runner asserts that a
//! phase yields nothing else.

use crate::results::{Cell, Column, Table};
use crate::units::Unit;

use super::crash;

/// What a phase does, as far as its results are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionKind {
    Load,
    Ask,
    Reach,
    Verify,
    Reopen,
    Kill,
    Crash,
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

const DATASET: &[Metric] = &[
    metric("nodes", Unit::Count, "nodes of the source"),
    metric("edges", Unit::Count, "edge rows of the source"),
    metric("kinds", Unit::Count, "distinct node kinds"),
    metric("labels", Unit::Count, "distinct edge types"),
    metric(
        "payload_bytes",
        Unit::Bytes,
        "names, node data and edge data of the source",
    ),
];

const LOAD: &[Metric] = &[
    metric(
        "time_ns",
        Unit::Ns,
        "first to last change, commits included",
    ),
    metric(
        "close_ns",
        Unit::Ns,
        "closing afterwards: what was logged is merged into the trees",
    ),
    metric(
        "nodes_and_edges_per_second",
        Unit::PerSecond,
        "rows over time, closing included",
    ),
    metric("commits", Unit::Count, "commits made"),
    metric("nodes", Unit::Count, "nodes in the database afterwards"),
    metric("edges", Unit::Count, "edges in the database afterwards"),
    metric(
        "file_bytes",
        Unit::Bytes,
        "size of the one file after closing",
    ),
    metric("pages", Unit::Count, "pages of that file"),
    metric(
        "bytes_per_node",
        Unit::Bytes,
        "tree pages of nodes, names and kinds, per node, payload included",
    ),
    metric(
        "bytes_per_edge",
        Unit::Bytes,
        "tree pages of both directions, per edge, payload included",
    ),
    metric(
        "node_overhead_bytes",
        Unit::Bytes,
        "bytes per node beyond its name and data",
    ),
    metric(
        "edge_overhead_bytes",
        Unit::Bytes,
        "bytes per edge beyond its data, both directions together",
    ),
    metric(
        "bytes_written",
        Unit::Bytes,
        "bytes written to the database and its log",
    ),
    metric(
        "write_amplification",
        Unit::Count,
        "bytes written over bytes of the final file",
    ),
    metric("syncs", Unit::Count, "syncs issued"),
];

const ASK: &[Metric] = &[
    metric("time_ns", Unit::Ns, "median of the repeats, warm"),
    metric(
        "mad_ns",
        Unit::Ns,
        "median absolute deviation of the repeats",
    ),
    metric("min_ns", Unit::Ns, "fastest repeat"),
    metric("max_ns", Unit::Ns, "slowest repeat"),
    metric("first_ns", Unit::Ns, "the first time, before the repeats"),
    metric(
        "pages_read",
        Unit::Count,
        "pages read from the file by the first time",
    ),
    metric(
        "pages_read_warm",
        Unit::Count,
        "pages read from the file by all repeats together",
    ),
    metric("answers", Unit::Count, "rows of the answer"),
];

const VERIFY: &[Metric] = &[
    metric("time_ns", Unit::Ns, "the whole verification"),
    metric("nodes", Unit::Count, "nodes compared with the source"),
    metric(
        "edges",
        Unit::Count,
        "edges compared with the source, each from both ends",
    ),
    metric(
        "differences",
        Unit::Count,
        "places where the database and the source differ",
    ),
    metric(
        "findings",
        Unit::Count,
        "findings of the engine's own check",
    ),
    metric("pages_read", Unit::Count, "pages read from the file"),
];

const REOPEN: &[Metric] = &[
    metric("time_ns", Unit::Ns, "median time to open"),
    metric("mad_ns", Unit::Ns, "median absolute deviation of that"),
    metric("pages_read", Unit::Count, "most pages read by an open"),
    metric(
        "first_get_pages",
        Unit::Count,
        "most pages read by the first get after it",
    ),
    metric(
        "first_get_ns",
        Unit::Ns,
        "median time of the first get after it",
    ),
];

const KILL: &[Metric] = &[
    metric(
        "time_ns",
        Unit::Ns,
        "all rounds: writing, killing, recovering, checking",
    ),
    metric(
        "rounds",
        Unit::Count,
        "writers that were killed inside their stream of commits",
    ),
    metric(
        "acknowledged_commits",
        Unit::Count,
        "commits that the writers reported as durable",
    ),
    metric(
        "surviving_commits",
        Unit::Count,
        "commits found whole after recovery",
    ),
    metric(
        "lost_commits",
        Unit::Count,
        "acknowledged commits that are missing or not whole",
    ),
    metric(
        "replayed_records",
        Unit::Count,
        "log records replayed by the recoveries",
    ),
    metric(
        "fewest_replayed_records",
        Unit::Count,
        "log records replayed by the recovery with the fewest",
    ),
    metric("replayed_bytes", Unit::Bytes, "log bytes replayed"),
    metric(
        "dropped_bytes",
        Unit::Bytes,
        "bytes of unfinished records dropped at the log's end",
    ),
    metric("recovery_ns", Unit::Ns, "median time to open after a kill"),
    metric(
        "findings",
        Unit::Count,
        "findings of the engine's own check afterwards",
    ),
    metric(
        "differences",
        Unit::Count,
        "places where the database and the expected graph differ",
    ),
];

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

/// They own metrics and tables of the whole run.
pub(crate) const OWNERS: [&str; 2] = ["dataset", "run"];

/// Names that phases may not take.
pub(crate) const RESERVED: [&str; 3] = [OWNERS[0], OWNERS[1], crash::PHASE];

impl ActionKind {
    pub(crate) fn metrics(self) -> &'static [Metric] {
        match self {
            ActionKind::Load => LOAD,
            ActionKind::Ask | ActionKind::Reach => ASK,
            ActionKind::Verify => VERIFY,
            ActionKind::Reopen => REOPEN,
            ActionKind::Kill => KILL,
            ActionKind::Crash => crash::METRICS,
        }
    }

    pub(crate) fn tables(self) -> &'static [TableDef] {
        match self {
            ActionKind::Load => &[SPACES],
            ActionKind::Ask => &[ANSWERS],
            ActionKind::Reach => &[HOPS, ANSWERS],
            ActionKind::Kill => &[ROUNDS],
            ActionKind::Crash => crash::TABLES,
            ActionKind::Verify | ActionKind::Reopen => &[],
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
        "run" => &[PHASES, QUERIES],
        _ => &[],
    }
}

/// What a metric of a phase means, wherever the name is unambiguous.
pub(crate) fn describe(kind: Option<ActionKind>, name: &str) -> Option<Metric> {
    let metrics = kind.map_or(DATASET, ActionKind::metrics);
    metrics.iter().find(|metric| metric.name == name).copied()
}

fn all() -> impl Iterator<Item = &'static Metric> {
    [ASK, LOAD, VERIFY, REOPEN, KILL, DATASET, crash::METRICS]
        .into_iter()
        .flatten()
}

/// Unit and meaning of a stored metric, for renderers that know only its name.
pub(crate) fn by_name(name: &str) -> Option<Metric> {
    all().find(|metric| metric.name == name).copied()
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

    const KINDS_OF_ACTION: [ActionKind; 7] = [
        ActionKind::Load,
        ActionKind::Ask,
        ActionKind::Reach,
        ActionKind::Verify,
        ActionKind::Reopen,
        ActionKind::Kill,
        ActionKind::Crash,
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
