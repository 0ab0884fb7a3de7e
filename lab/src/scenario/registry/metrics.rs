//! The metrics of each action, with their units and meanings.

use crate::units::Unit;

use super::{Metric, metric};

pub(super) const DATASET: &[Metric] = &[
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

pub(super) const LOAD: &[Metric] = &[
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
        "bytes per node beyond its name and data; neither counts data of more than an eighth of a page, which has pages of its own",
    ),
    metric(
        "edge_overhead_bytes",
        Unit::Bytes,
        "bytes per edge beyond its data, both directions together; neither counts data of more than an eighth of a page",
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
    metric(
        "edges_per_second",
        Unit::PerSecond,
        "edges over time, closing and the nodes included",
    ),
    metric(
        "raw_write_ns",
        Unit::Ns,
        "a bare sequential write of as many bytes as the file has, and its sync, right after",
    ),
    metric(
        "load_over_raw",
        Unit::Count,
        "loading and closing over that",
    ),
];

pub(super) const ASK: &[Metric] = &[
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

pub(super) const MIX: &[Metric] = &[
    metric(
        "time_ns",
        Unit::Ns,
        "time spent in operations and commits, the busiest client's",
    ),
    metric("operations", Unit::Count, "operations carried out"),
    metric(
        "operations_per_second",
        Unit::PerSecond,
        "operations over the time spent in them; of several clients, over the time from start to end",
    ),
    metric(
        "p50_ns",
        Unit::Ns,
        "median latency of an operation; in an open loop from when it was due",
    ),
    metric(
        "p90_ns",
        Unit::Ns,
        "latency that 90 % of the operations stay below",
    ),
    metric(
        "p99_ns",
        Unit::Ns,
        "latency that 99 % of the operations stay below",
    ),
    metric(
        "p999_ns",
        Unit::Ns,
        "latency that 99.9 % of the operations stay below",
    ),
    metric("max_ns", Unit::Ns, "longest latency of an operation"),
    metric("rows", Unit::Count, "nodes and edges in the answers"),
    metric(
        "edges_followed",
        Unit::Count,
        "edges that the questions lead over, by the model",
    ),
    metric("edge_ns", Unit::Ns, "time per edge followed"),
    metric("commits", Unit::Count, "transactions committed"),
    metric("commit_p50_ns", Unit::Ns, "median latency of a commit"),
    metric(
        "commit_p99_ns",
        Unit::Ns,
        "latency that 99 % of the commits stay below",
    ),
    metric("pages_read", Unit::Count, "pages read from the file"),
    metric(
        "pages_per_operation",
        Unit::Count,
        "pages read from the file, per operation",
    ),
    metric(
        "bytes_written",
        Unit::Bytes,
        "bytes written to the database and its log",
    ),
    metric(
        "bytes_per_operation",
        Unit::Bytes,
        "bytes written, per operation",
    ),
    metric("bytes_per_commit", Unit::Bytes, "bytes written, per commit"),
    metric("syncs", Unit::Count, "syncs issued"),
    metric("syncs_per_commit", Unit::Count, "syncs issued, per commit"),
    metric(
        "cache_bytes",
        Unit::Bytes,
        "capacity of the page cache in effect",
    ),
    metric(
        "cache_misses",
        Unit::Count,
        "pages that the page cache did not have",
    ),
    metric(
        "cache_evictions",
        Unit::Count,
        "pages that the page cache gave up",
    ),
    metric(
        "traversal_hits",
        Unit::Count,
        "pages that the traversals' own cache had",
    ),
    metric(
        "traversal_hit_ratio",
        Unit::Count,
        "hits of the traversals' own cache over its accesses, 0 to 1",
    ),
    metric(
        "file_bytes",
        Unit::Bytes,
        "size of the database file afterwards",
    ),
    metric("log_bytes", Unit::Bytes, "size of the log afterwards"),
    metric(
        "pinned_pages",
        Unit::Count,
        "most pages that only snapshots held, seen between operations",
    ),
    metric("nodes", Unit::Count, "nodes in the database afterwards"),
    metric("edges", Unit::Count, "edges in the database afterwards"),
    metric(
        "findings",
        Unit::Count,
        "findings of the engine's own check, where the mix asks for it",
    ),
    metric(
        "beside_operations",
        Unit::Count,
        "operations of the writer beside",
    ),
    metric(
        "beside_commit_p50_ns",
        Unit::Ns,
        "median latency of a commit of the writer beside",
    ),
    metric(
        "beside_commit_p99_ns",
        Unit::Ns,
        "latency that 99 % of its commits stay below",
    ),
    metric(
        "floor_ns",
        Unit::Ns,
        "median of a bare write and fdatasync of as many bytes as a commit wrote, measured right after",
    ),
    metric(
        "commit_over_floor",
        Unit::Count,
        "median latency of a commit over that floor",
    ),
];

/// What is also known for each operation of a mix by itself, as `phase.operation.metric`.
pub(crate) const MIX_EACH: [&str; 6] = [
    "operations",
    "p50_ns",
    "p90_ns",
    "p99_ns",
    "p999_ns",
    "max_ns",
];

pub(super) const BYTES: &[Metric] = &[
    metric("time_ns", Unit::Ns, "closing, reading and compacting"),
    metric(
        "file_bytes",
        Unit::Bytes,
        "size of the one file after closing",
    ),
    metric(
        "file_digest",
        Unit::Count,
        "48 bits of a digest of that file's bytes",
    ),
    metric("compact_bytes", Unit::Bytes, "size of a compacted copy"),
    metric(
        "compact_digest",
        Unit::Count,
        "48 bits of a digest of the copy's bytes",
    ),
];

pub(super) const VERIFY: &[Metric] = &[
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

pub(super) const REOPEN: &[Metric] = &[
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
    metric(
        "log_bytes",
        Unit::Bytes,
        "size of the log that an open found",
    ),
    metric(
        "replayed_records",
        Unit::Count,
        "log records replayed by an open",
    ),
    metric(
        "replayed_bytes",
        Unit::Bytes,
        "log bytes replayed by an open",
    ),
    metric(
        "replay_bytes_per_second",
        Unit::PerSecond,
        "log bytes replayed over the time to open",
    ),
];

pub(super) const KILL: &[Metric] = &[
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
