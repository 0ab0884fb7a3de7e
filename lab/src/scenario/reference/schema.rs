//! JSON Schema of scenario files and of results.

use serde_json::{Map, Value, json};

use crate::scenario::operations::OPERATIONS;
use crate::scenario::registry;

use super::Section;
use super::Takes::{self, Choice, Flag, Mix, Rate, Size, Table, Text, Texts, Time, Whole};
use super::fields::SECTIONS;

impl Takes {
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
    let mut whole = SECTIONS
        .first()
        .map_or(Value::Null, |top| top.schema(&["schema"]));
    // What is missing may be inherited, and some experiments bring graphs and phases of their own.
    let ways: [&[&str]; 5] = [
        &["dataset", "phase"],
        &["extends"],
        &["crash"],
        &["faults"],
        &["damage"],
    ];
    whole["anyOf"] = ways
        .iter()
        .map(|needed| json!({ "required": needed }))
        .collect();
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
        json!({ "name": { "type": "string" }, "what": { "type": "string" }, "database": { "type": "string" }, "status": { "enum": ["right", "wrong", "skipped", "missing"] }, "findings": { "type": "array" }, "metrics": { "type": "object", "properties": metrics, "additionalProperties": { "$ref": "#/$defs/measure" } }, "tables": { "type": "array" }, "digest": { "type": ["string", "null"] }, "answer": { "type": ["string", "null"] } }),
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
