//! The rows of the table, as data: what each means and what it is to reach at M and at L.

use super::stages::CSR;

/// What a row's value is held against. Each pair: at M (and S), at L.
pub(super) enum Goal {
    /// At least so many times as good as the best peer.
    Peer([f64; 2]),
    /// At most so many times the time of the flat arrays.
    Limit([f64; 2]),
    AtMost([f64; 2]),
    AtLeast([f64; 2]),
}

pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    /// More is better.
    pub(super) more: bool,
    pub(super) goals: &'static [Goal],
}

const fn less(
    key: &'static str,
    title: &'static str,
    unit: &'static str,
    goals: &'static [Goal],
) -> Row {
    Row {
        key,
        title,
        unit,
        more: false,
        goals,
    }
}

const fn more(
    key: &'static str,
    title: &'static str,
    unit: &'static str,
    goals: &'static [Goal],
) -> Row {
    Row {
        more: true,
        ..less(key, title, unit, goals)
    }
}

use Goal::{AtLeast, AtMost, Limit, Peer};

pub(super) const ROWS: &[Row] = &[
    less(
        "get",
        "get node, warm, snapshot held, all bytes hashed",
        "ns",
        &[Peer([2.3, 1.9]), Limit([1.6, f64::INFINITY])],
    ),
    less(
        "own_snapshot",
        "get node, own snapshot each",
        "ns",
        &[Peer([2.5, 1.9])],
    ),
    less(
        "out",
        "out-neighbours, ids and labels summed",
        "ns",
        &[Peer([6.0, 5.0]), Limit([3.0, 4.0])],
    ),
    less(
        "in",
        "in-neighbours, ids and labels summed",
        "ns",
        &[Peer([6.0, 5.0]), Limit([3.0, 4.0])],
    ),
    less(
        "hops3",
        "breadth-first search, 3 hops",
        "ns/walk",
        &[Peer([5.0, 4.0]), Limit([2.0, 2.0])],
    ),
    less(
        "traversal",
        "full traversal, per edge of the graph",
        "ns/edge",
        &[Peer([5.0, 4.0]), Limit([2.0, 2.0])],
    ),
    less(
        "kind",
        "kind scan, per node",
        "ns/node",
        &[Peer([4.0, 3.0])],
    ),
    less("named", "exact name", "ns", &[Peer([2.0, 1.5])]),
    less(
        "prefix",
        "name prefix, about ten names",
        "ns",
        &[Peer([2.0, 1.5])],
    ),
    more(
        "node_load",
        "node load, 1,000 a commit, durable, no name index",
        "nodes/s",
        &[Peer([2.0, 2.0])],
    ),
    more(
        "edge_load",
        "edge load, 10,000 a commit, random order, durable, settled and closed",
        "edges/s",
        &[Peer([8.0, 8.0])],
    ),
    more(
        "edges_loaded",
        "edges that this load had time for",
        "edges",
        &[],
    ),
    less(
        "amplification",
        "bytes written to storage per byte of the final file over that load",
        "",
        &[AtMost([6.0, 6.0])],
    ),
    more(
        "bulk",
        "bulk load with its nodes, edges a second",
        "edges/s",
        &[AtLeast([6e6, 4e6])],
    ),
    less("insert_node", "durable node insert", "µs", &[]),
    less(
        "insert_node_over_floor",
        "the same over a bare fdatasync",
        "×",
        &[AtMost([1.15, 1.2])],
    ),
    less("insert_edge", "durable edge insert", "µs", &[]),
    less(
        "insert_edge_over_floor",
        "the same over a bare fdatasync",
        "×",
        &[AtMost([1.15, 1.2])],
    ),
    less("update", "durable update", "µs", &[]),
    less(
        "update_over_floor",
        "the same over a bare fdatasync",
        "×",
        &[AtMost([1.15, 1.2])],
    ),
    less("delete_edge", "durable edge delete", "µs", &[]),
    less(
        "delete_edge_over_floor",
        "the same over a bare fdatasync",
        "×",
        &[AtMost([1.15, 1.2])],
    ),
    less(
        "delete_node",
        "durable node delete with its edges",
        "µs",
        &[Peer([1.5, 1.5])],
    ),
    more("commits_one", "commits a second, one thread", "1/s", &[]),
    more(
        "commits_eight",
        "commits a second, eight threads",
        "1/s",
        &[],
    ),
    more(
        "threads8",
        "eight committing threads against one",
        "×",
        &[AtLeast([4.0, 4.0])],
    ),
    more(
        "mixed",
        "95 % gets, 5 % durable edge inserts",
        "operations/s",
        &[Peer([1.5, 1.5])],
    ),
    more(
        "two_readers",
        "two reading threads against one",
        "×",
        &[AtLeast([1.9, 1.9])],
    ),
    less(
        "beside_writer",
        "a reader's time beside a running writer",
        "×",
        &[AtMost([1.1, 1.1])],
    ),
    less(
        "reopen_warm",
        "reopen and first get, warm",
        "µs",
        &[AtMost([150.0, 150.0])],
    ),
    less(
        "reopen_cold",
        "reopen and first get, file out of the kernel's cache",
        "µs",
        &[Peer([1.0, 1.0])],
    ),
    less("miss", "get of an absent id", "ns", &[]),
    less(
        "miss_over_hit",
        "the same over a hit",
        "×",
        &[AtMost([1.0, 1.0])],
    ),
    less("named_miss", "absent name", "ns", &[]),
    less(
        "named_miss_over_hit",
        "the same over a hit",
        "×",
        &[AtMost([1.0, 1.0])],
    ),
    less(
        "edge_bytes",
        "bytes per edge after that load",
        "B",
        &[AtMost([6.5, 7.0])],
    ),
    less(
        "edge_bytes_bulk",
        "bytes per edge after a bulk load",
        "B",
        &[AtMost([6.5, 7.0])],
    ),
    less(
        "node_bytes",
        "bytes per node above kind, name and data",
        "B",
        &[AtMost([12.0, 12.0])],
    ),
    less(
        "node_bytes_named",
        "the same with an index of names",
        "B",
        &[AtMost([20.0, 20.0])],
    ),
    less(
        "peak",
        "peak resident memory above the graph's own, all of the above",
        "MiB",
        &[],
    ),
    less(
        "memory_peak",
        "peak resident memory above a cache of 32 MiB and buffers of 64 MiB, loads and gets",
        "MiB",
        &[AtMost([64.0, 64.0])],
    ),
    less("memory_get", "get node, cache of 32 MiB", "ns", &[]),
    less(
        "memory_get_over_pread",
        "the same over bare reads of the missing pages",
        "×",
        &[AtMost([1.7, 1.7])],
    ),
    less(
        "caches_get",
        "get: a larger cache over the next smaller, at worst (16 pages to 64 MiB)",
        "×",
        &[AtMost([1.05, 1.05])],
    ),
    less(
        "caches_out",
        "out-neighbours: the same",
        "×",
        &[AtMost([1.05, 1.05])],
    ),
];

/// The limit that reads are shown beside.
pub(super) const LIMIT: &str = CSR;
