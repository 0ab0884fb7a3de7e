//! The sections and their fields.

use super::Takes::{Choice, Flag, Mix, Rate, Size, Table, Text, Texts, Time, Whole};
use super::injections::{CRASH, DAMAGE, FAULTS, ORACLE};
use super::{Field, Section, field};

/// Marks fields that must be there.
const NEEDED: &str = "needed";

const TOP: &[Field] = &[
    field("schema", Whole, NEEDED, "version of this language: 1"),
    field(
        "extends",
        Text,
        "nothing",
        "a file, relative to this one, whose values hold where this one says nothing; phases join by name, checks and plots add up",
    ),
    field(
        "name",
        Text,
        "the file's name",
        "lower-case letters, digits and hyphens",
    ),
    field(
        "question",
        Text,
        "the first line, if it is a comment",
        "what the scenario answers",
    ),
    field(
        "seed",
        Whole,
        "0",
        "of everything random: one seed gives the same graph and the same operations everywhere",
    ),
];

const ENGINE: &[Field] = &[
    field(
        "page_size",
        Size,
        "4 KiB",
        "a power of two from 4 KiB to 64 KiB",
    ),
    field(
        "cache",
        Size,
        "64 MiB",
        "memory of the page cache; also in pages: \"64 pages\"",
    ),
    field(
        "write_buffer",
        Size,
        "64 MiB",
        "memory of changes that are not in the trees yet",
    ),
    field(
        "log_segment",
        Size,
        "16 MiB",
        "capacity of one of the two log segments",
    ),
    field(
        "durability",
        Choice(&["sync", "group", "none"]),
        "sync",
        "what a commit has survived when it returns",
    ),
    field(
        "group_delay",
        Time,
        "1 ms",
        "how long a commit of durability group may wait for others",
    ),
    field(
        "checkpoint",
        Choice(&["background", "inline"]),
        "background",
        "where checkpoints run; inline gives the same bytes for the same operations",
    ),
    field(
        "name_index",
        Flag,
        "true",
        "whether nodes can be found by name",
    ),
    field(
        "unique_edges",
        Flag,
        "false",
        "whether (source, label, target) identifies an edge",
    ),
];

const DATASET: &[Field] = &[
    field(
        "file",
        Text,
        "–",
        "a folder with a file named nodes (.jsonl, .tsv or .csv) and one named edges (.tsv or .csv), each plain or with .gz, relative to the scenario; instead of a generator",
    ),
    field(
        "generator",
        Choice(&[
            "uniform",
            "power-law",
            "rmat",
            "chain",
            "star",
            "grid",
            "tree",
            "complete",
        ]),
        "–",
        "the shape of a graph made from the seed",
    ),
    field(
        "nodes",
        Whole,
        "10_000",
        "how many nodes; ids are 1, 2, 3, …",
    ),
    field(
        "degree",
        Whole,
        "5",
        "edges that leave a node (uniform, power-law, rmat), or children of a node (tree, 2 by default)",
    ),
    field("stride", Whole, "1", "how far along a chain its edges lead"),
    field(
        "seed",
        Whole,
        "the scenario's",
        "another seed for the graph",
    ),
    field("kinds", Whole, "10", "distinct kinds of nodes"),
    field("labels", Whole, "3", "distinct labels of edges"),
    field("node_bytes", Size, "60", "data of a node"),
    field(
        "node_bytes_max",
        Size,
        "node_bytes",
        "with it, data of node_bytes to this many bytes more, each doubling equally often",
    ),
    field("edge_bytes", Size, "0", "data of an edge"),
];

const SWEEP: &[Field] = &[
    field(
        "axes",
        Table,
        "none",
        "paths of this file, quoted, with a list of values each, or { from, to, factor }; every combination is a cell",
    ),
    field(
        "repeats",
        Whole,
        "1",
        "how often each cell is carried out, repeats interleaved",
    ),
    field(
        "order",
        Choice(&["shuffled", "written"]),
        "shuffled",
        "order of the cells within a repeat",
    ),
];

const BUDGET: &[Field] = &[
    field(
        "time",
        Time,
        "none",
        "the run ends then, with exit code 6, and keeps what it has",
    ),
    field(
        "disk",
        Size,
        "none",
        "the same for the size of a cell's databases",
    ),
];

const PEERS: &[Field] = &[field(
    "with",
    Texts,
    "none",
    "other stores that carry out the same phases; they make an axis named store",
)];

const PHASE: &[Field] = &[
    field(
        "name",
        Text,
        "the action's name",
        "by which checks, plots and paths know the phase",
    ),
    field("database", Text, "main", "the database it works on"),
    field(
        "measure",
        Flag,
        "true",
        "false keeps no metrics of it: a warm-up. Results are checked all the same",
    ),
    field(
        "load",
        Choice(&["batch", "bulk"]),
        "–",
        "action: put the dataset into a new database",
    ),
    field("mix", Mix, "–", "action: carry out operations, see below"),
    field(
        "ask",
        Choice(&[
            "neighbors",
            "k-hop",
            "path",
            "by-kind",
            "by-name",
            "by-prefix",
        ]),
        "–",
        "action: one question about named nodes, its answer shown in the report",
    ),
    field(
        "verify",
        Choice(&["all", "source", "structure", "bytes"]),
        "–",
        "action: compare everything with the model, run the engine's check, or digest the file's bytes",
    ),
    field(
        "reopen",
        Choice(&["clean", "log"]),
        "–",
        "action: close and open, or open a copy of the open files and replay their log",
    ),
    field(
        "kill",
        Choice(&["writer"]),
        "–",
        "action: kill a writing process inside its stream of commits and look what is there",
    ),
    field(
        "order",
        Choice(&["source", "sorted", "shuffled"]),
        "source",
        "bulk load: in which order its edges come; the generators make them sorted by source",
    ),
    field(
        "operations",
        Whole,
        "1_000",
        "mix: how many, of all clients together",
    ),
    field("duration", Time, "–", "mix: ends by measured time instead"),
    field(
        "keys",
        Choice(&[
            "uniform",
            "zipf",
            "sequential",
            "reverse",
            "block-sequential",
            "block-skip",
            "same",
        ]),
        "uniform",
        "mix: which node an operation is about",
    ),
    field(
        "block",
        Whole,
        "64",
        "mix: nodes in a block, for the choices that know blocks",
    ),
    field(
        "clients",
        Whole,
        "1",
        "mix: threads; several either read or only add",
    ),
    field(
        "beside",
        Mix,
        "none",
        "mix: writes of one more client meanwhile, on nodes of its own",
    ),
    field(
        "rate",
        Rate,
        "closed loop",
        "mix: operations due per second by all clients; latency counts from when one was due",
    ),
    field(
        "batch",
        Whole,
        "1; loading 10_000",
        "operations in one transaction",
    ),
    field(
        "depth",
        Whole,
        "3",
        "mix: steps of bfs-k and k-hop; 0 is no limit",
    ),
    field(
        "traversal_cache",
        Whole,
        "the engine's",
        "mix: pages of the cache that traversals take along, 1 to 256",
    ),
    field(
        "hold_snapshot",
        Flag,
        "false",
        "mix: a snapshot is taken before and must read the same after",
    ),
    field(
        "rollback_every",
        Whole,
        "never",
        "mix: every so manieth transaction is dropped instead of committed",
    ),
    field(
        "stream",
        Whole,
        "0",
        "mix: number of the random stream; two phases with one number choose the same operations",
    ),
    field(
        "direction",
        Choice(&["out", "in"]),
        "out",
        "which way edges are followed",
    ),
    field("label", Text, "every label", "which edges are followed"),
    field("from", Text, NEEDED, "ask: name of the node"),
    field("to", Text, NEEDED, "ask path: name of the other end"),
    field("hops", Whole, NEEDED, "ask k-hop: steps, 1 to 64"),
    field("kind", Text, NEEDED, "ask by-kind"),
    field("prefix", Text, NEEDED, "ask by-prefix"),
    field("named", Text, NEEDED, "ask by-name"),
    field(
        "repeats",
        Whole,
        "20; reopening 5",
        "ask and reopen: how often",
    ),
    field(
        "cold",
        Choice(&["handle", "os"]),
        "warm",
        "ask and mix: the database is closed and opened before; os also has the kernel drop the file's pages (Linux)",
    ),
    field("rounds", Whole, "3", "kill: how often"),
    field(
        "after",
        Whole,
        "100",
        "kill: at least so many acknowledged commits before",
    ),
    field("nodes", Whole, "2", "kill: nodes of a transaction"),
    field("edges", Whole, "4", "kill: edges of a transaction"),
    field("data_bytes", Whole, "100", "kill: data of a node"),
];

const CHECK: &[Field] = &[
    field(
        "metric",
        Text,
        NEEDED,
        "phase.metric, phase.operation.metric or dataset.fact",
    ),
    field("expect", Text, NEEDED, "one of the forms below"),
    field(
        "severity",
        Choice(&["fail", "warn"]),
        "fail",
        "warn is reported without effect on the exit code",
    ),
    field(
        "only_if",
        Choice(&["same-host", "full"]),
        "always",
        "same-host: judged only if the baseline was made on this machine; full: not with --quick",
    ),
    field(
        "where",
        Table,
        "every cell",
        "values of axes that limit the cells judged",
    ),
    field(
        "note",
        Text,
        "nothing",
        "why it is checked; shown when it fails",
    ),
];

const PLOT: &[Field] = &[
    field("title", Text, NEEDED, "above the plot"),
    field("note", Text, "nothing", "how to read it"),
    field(
        "table",
        Text,
        "the cells",
        "a table to draw, such as dataset.degree, instead of metrics along an axis",
    ),
    field("x", Text, NEEDED, "an axis, or a column of the table"),
    field(
        "y",
        Texts,
        NEEDED,
        "metrics of one unit, or columns; every combination of the other axes is a line",
    ),
    field(
        "where",
        Table,
        "every cell",
        "values of axes that limit the cells drawn",
    ),
    field(
        "form",
        Choice(&["points", "lines", "bars", "dots"]),
        "lines; dots along text",
        "how it is drawn",
    ),
    field(
        "x_scale",
        Choice(&["linear", "log"]),
        "linear",
        "scale of the axis",
    ),
    field(
        "y_scale",
        Choice(&["linear", "log"]),
        "linear",
        "scale of the values",
    ),
];

/// Every section, in the order in which a file has them.
pub(super) const SECTIONS: &[Section] = &[
    Section {
        heading: "",
        what: "Before the first section.",
        fields: TOP,
    },
    Section {
        heading: "[engine]",
        what: "Options of the engine. What is in effect is read back, stored and shown; a value that had no effect fails the run.",
        fields: ENGINE,
    },
    Section {
        heading: "[dataset]",
        what: "The graph: from a file, or made from the seed.",
        fields: DATASET,
    },
    Section {
        heading: "[sweep]",
        what: "Values to try.",
        fields: SWEEP,
    },
    Section {
        heading: "[quick]",
        what: "Paths and values that `--quick` puts in place: `\"dataset.nodes\" = 1000`. For an axis, a list of the values that are left.",
        fields: &[],
    },
    Section {
        heading: "[budget]",
        what: "What ends a run early.",
        fields: BUDGET,
    },
    Section {
        heading: "[peers]",
        what: "Other stores to compare with; `lab peers` lists them.",
        fields: PEERS,
    },
    Section {
        heading: "[crash]",
        what: "A session on simulated storage that is crashed at every point; a phase named `crash`. See `docs/crash.md`.",
        fields: CRASH,
    },
    Section {
        heading: "[oracle]",
        what: "What is asked of each crash state beyond what always holds.",
        fields: ORACLE,
    },
    Section {
        heading: "[faults]",
        what: "Calls that fail, in every operation; a phase named `faults`. See `docs/reliability.md`.",
        fields: FAULTS,
    },
    Section {
        heading: "[damage]",
        what: "Databases whose files are damaged; a phase named `damage`. See `docs/reliability.md`.",
        fields: DAMAGE,
    },
    Section {
        heading: "[[phase]]",
        what: "What is done, one after the other. Exactly one action; the other fields belong to actions.",
        fields: PHASE,
    },
    Section {
        heading: "[[check]]",
        what: "What must hold.",
        fields: CHECK,
    },
    Section {
        heading: "[[plot]]",
        what: "What is drawn.",
        fields: PLOT,
    },
];
