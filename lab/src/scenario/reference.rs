//! Every section and field of a scenario with its meaning: the source of the JSON Schema and of the
//! reference in `docs/scenarios.md`.

use serde_json::{Map, Value, json};

use super::expect::FORMS;
use super::operations::OPERATIONS;
use super::registry;

/// What a field takes.
enum Takes {
    Whole,
    Text,
    Flag,
    /// Bytes, as a number or as text with a unit.
    Size,
    Time,
    Rate,
    Choice(&'static [&'static str]),
    Mix,
    Texts,
    /// Values by path or axis.
    Table,
}

struct Field {
    name: &'static str,
    takes: Takes,
    /// What holds where the field is left out.
    default: &'static str,
    meaning: &'static str,
}

/// A section: a table, or an entry of a list of tables.
pub(crate) struct Section {
    /// As it is written; the top level has none.
    pub(crate) heading: &'static str,
    what: &'static str,
    fields: &'static [Field],
}

const fn field(
    name: &'static str,
    takes: Takes,
    default: &'static str,
    meaning: &'static str,
) -> Field {
    Field {
        name,
        takes,
        default,
        meaning,
    }
}

use Takes::{Choice, Flag, Mix, Rate, Size, Table, Text, Texts, Time, Whole};

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
        "a folder with nodes.jsonl and edges.tsv (or .gz), relative to the scenario; instead of a generator",
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
        Choice(&["same-host"]),
        "always",
        "judged only if the baseline was made on this machine",
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
pub(crate) const SECTIONS: &[Section] = &[
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

impl Takes {
    fn said(&self) -> String {
        match self {
            Whole => "number".to_owned(),
            Text => "text".to_owned(),
            Flag => "true or false".to_owned(),
            Size => "size".to_owned(),
            Time => "time".to_owned(),
            Rate => "rate".to_owned(),
            Choice(names) => names.join(", "),
            Mix => "operations".to_owned(),
            Texts => "list of texts".to_owned(),
            Table => "table".to_owned(),
        }
    }

    fn schema(&self) -> Value {
        match self {
            Whole => json!({ "type": "integer", "minimum": 0 }),
            Text => json!({ "type": "string" }),
            Flag => json!({ "type": "boolean" }),
            Size => {
                json!({ "type": ["integer", "string"], "examples": [4096, "32 MiB", "64 pages"] })
            }
            Time => json!({ "type": "string", "examples": ["2 ms", "30 s"] }),
            Rate => json!({ "type": ["integer", "number", "string"], "examples": ["5000 /s"] }),
            Choice(names) => json!({ "enum": names }),
            Mix => {
                let weights: Map<String, Value> = OPERATIONS
                    .iter()
                    .map(|(_, name, meaning)| {
                        let weight =
                            json!({ "type": "integer", "minimum": 1, "description": meaning });
                        ((*name).to_owned(), weight)
                    })
                    .collect();
                let names: Vec<&str> = OPERATIONS.iter().map(|(_, name, _)| *name).collect();
                json!({ "oneOf": [
                    { "enum": names },
                    { "type": "object", "properties": weights, "additionalProperties": false, "minProperties": 1 },
                ] })
            }
            Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Table => json!({ "type": "object" }),
        }
    }
}

impl Section {
    /// Names of the fields, for the test that holds this list against the reader.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    fn schema(&self, needed: &[&str]) -> Value {
        let properties: Map<String, Value> = self
            .fields
            .iter()
            .map(|field| {
                let mut schema = field.takes.schema();
                schema["description"] =
                    format!("{}. Default: {}", field.meaning, field.default).into();
                (field.name.to_owned(), schema)
            })
            .collect();
        json!({
            "type": "object",
            "description": self.what,
            "properties": properties,
            "additionalProperties": false,
            "required": needed,
        })
    }
}

/// JSON Schema of a scenario file, for editors.
pub(crate) fn scenario_schema() -> Value {
    let mut whole = SECTIONS.first().map_or(Value::Null, |top| {
        top.schema(&["schema", "dataset", "phase"])
    });
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    whole["title"] = "Vellum lab scenario".into();
    whole["properties"]["schema"] = json!({ "const": 1 });
    for section in SECTIONS.iter().skip(1) {
        let name = section.heading.trim_matches(['[', ']']);
        let needed: &[&str] = match name {
            "check" => &["metric", "expect"],
            "plot" => &["title", "x", "y"],
            _ => &[],
        };
        let mut schema = section.schema(needed);
        if name == "quick" {
            schema["additionalProperties"] = true.into();
        }
        if section.heading.starts_with("[[") {
            schema = json!({ "type": "array", "items": schema });
        }
        whole["properties"][name] = schema;
    }
    whole
}

/// JSON Schema of `results.json`: its skeleton, with every metric's unit and meaning.
pub(crate) fn result_schema() -> Value {
    let number = json!({ "type": "number" });
    let metrics: Map<String, Value> = registry::by_owner()
        .iter()
        .flat_map(|(_, metrics)| metrics.iter())
        .map(|metric| {
            let description = format!("{} ({:?})", metric.meaning, metric.unit);
            let measure = json!({ "$ref": "#/$defs/measure", "description": description });
            (metric.name.to_owned(), measure)
        })
        .collect();
    let object = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required });
    let measure = object(
        json!({ "median": number, "mad": number, "interval": { "type": "array", "items": number, "minItems": 2, "maxItems": 2 }, "samples": { "type": "array", "items": number } }),
        &["median", "samples"],
    );
    let phase = object(
        json!({ "name": { "type": "string" }, "what": { "type": "string" }, "database": { "type": "string" }, "status": { "enum": ["right", "wrong", "skipped"] }, "findings": { "type": "array" }, "metrics": { "type": "object", "properties": metrics, "additionalProperties": { "$ref": "#/$defs/measure" } }, "tables": { "type": "array" }, "digest": { "type": ["string", "null"] }, "answer": { "type": ["string", "null"] } }),
        &["name", "status", "metrics"],
    );
    let cell = object(
        json!({ "number": { "type": "integer" }, "at": { "type": "array" }, "repeats": { "type": "integer" }, "engine": { "type": "array" }, "dataset": { "type": "object" }, "phases": { "type": "array", "items": { "$ref": "#/$defs/phase" } } }),
        &["number", "at", "repeats", "phases"],
    );
    let check = object(
        json!({ "metric": { "type": "string" }, "expect": { "type": "string" }, "verdict": { "enum": ["pass", "warn", "fail", "inconclusive", "skipped", "void"] }, "actual": { "type": ["number", "null"] }, "judged": { "type": "integer" }, "detail": { "type": "string" }, "file": { "type": "string" }, "line": { "type": "integer" } }),
        &["metric", "expect", "verdict"],
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Vellum lab results",
        "type": "object",
        "required": ["schema", "id", "scenario", "cells", "checks"],
        "properties": {
            "schema": { "const": crate::results::SCHEMA },
            "id": { "type": "string" },
            "scenario": { "type": "string" },
            "question": { "type": "string" },
            "ended": {},
            "axes": { "type": "array" },
            "cells": { "type": "array", "items": { "$ref": "#/$defs/cell" } },
            "checks": { "type": "array", "items": { "$ref": "#/$defs/check" } },
        },
        "$defs": { "measure": measure, "phase": phase, "cell": cell, "check": check },
    })
}

/// The reference as Markdown: sections, operations, expectations, metrics.
pub(crate) fn markdown() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let heading = if section.heading.is_empty() {
            "Top"
        } else {
            section.heading
        };
        out += &format!("### {}\n\n{}\n\n", heading.trim_matches('`'), section.what);
        if section.fields.is_empty() {
            continue;
        }
        out += "| field | takes | default | meaning |\n|---|---|---|---|\n";
        for field in section.fields {
            out += &format!(
                "| `{}` | {} | {} | {} |\n",
                field.name,
                field.takes.said(),
                field.default,
                field.meaning
            );
        }
        out.push('\n');
    }
    out += "### Operations of a mix\n\n| operation | what it does |\n|---|---|\n";
    for (_, name, meaning) in OPERATIONS {
        out += &format!("| `{name}` | {meaning} |\n");
    }
    out += "\n### Expectations\n\n| form | holds if |\n|---|---|\n";
    for (form, meaning) in FORMS {
        out += &format!("| `{form}` | {meaning} |\n");
    }
    out += "\n### Metrics\n\n";
    for (owner, metrics) in registry::by_owner() {
        out += &format!("Of `{owner}`:\n\n| metric | meaning |\n|---|---|\n");
        for metric in metrics {
            out += &format!("| `{}` | {} |\n", metric.name, metric.meaning);
        }
        out.push('\n');
    }
    out += &format!(
        "A mix also yields {} for each of its operations, as `phase.operation.metric`.\n",
        registry::MIX_EACH
            .map(|name| format!("`{name}`"))
            .join(", ")
    );
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    /// What the reader says that it knows in a section: its own complaint lists it.
    fn known(section: &Section) -> Vec<String> {
        let base = "schema = 1\n";
        let text = match section.heading {
            "" => format!("{base}zzz = 1\n"),
            heading => format!("{base}{heading}\nzzz = 1\n"),
        };
        let error = toml::from_str::<super::super::raw::Scenario>(&text).expect_err("accepted");
        let message = error.message().to_owned();
        assert!(
            message.starts_with("unknown field `zzz`"),
            "{}: {message}",
            section.heading
        );
        message
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_reference_has_what_the_reader_takes() {
        for section in SECTIONS.iter().filter(|section| !section.fields.is_empty()) {
            let mut known = known(section);
            // Axes are taken out before the rest is read; sections have entries of their own.
            let sections: Vec<&str> = SECTIONS
                .iter()
                .map(|one| one.heading.trim_matches(['[', ']']))
                .collect();
            known.retain(|name| !sections.contains(&name.as_str()));
            let mut listed: Vec<String> = section
                .names()
                .filter(|name| *name != "axes")
                .map(str::to_owned)
                .collect();
            known.sort();
            listed.sort();
            assert_eq!(listed, known, "{}", section.heading);
        }
    }

    #[test]
    fn the_documentation_has_the_reference() {
        let document = include_str!("../../../docs/scenarios.md");
        let (_, rest) = document
            .split_once("<!-- reference -->\n")
            .expect("a beginning");
        let (found, _) = rest.split_once("<!-- /reference -->").expect("an end");
        assert_eq!(
            found.trim(),
            markdown().trim(),
            "write it anew with `lab schema reference`"
        );
    }

    #[test]
    fn schemas_are_whole() {
        let schema = scenario_schema();
        assert_eq!(
            schema["properties"]["phase"]["items"]["properties"]["keys"]["enum"][1],
            "zipf"
        );
        assert!(schema["properties"]["engine"]["properties"]["cache"].is_object());
        assert!(
            result_schema()["$defs"]["phase"]["properties"]["metrics"]["properties"]["p99_ns"]
                .is_object()
        );
    }
}
