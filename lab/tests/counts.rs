//! Times from one build and counts from another, joined, judged, and named where they are missing.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use common::lab_forensic;

const COUNTED: &str = r#"schema = 1
[engine]
checkpoint = "inline"
[dataset]
generator = "power-law"
nodes = 500
[sweep]
[sweep.axes]
"engine.cache" = ["16 pages", "1024 pages"]
[[phase]]
load = "batch"
[[phase]]
name = "insert"
mix = { insert-node = 1 }
operations = 40
[[phase]]
name = "read"
mix = { get-node = 1 }
operations = 200
cold = "handle"
[[phase]]
name = "later"
mix = { get-node = 1 }
operations = 10
[[check]]
metric = "insert.counts.log_appends"
expect = "== 1 * insert.operations"
[[check]]
metric = "read.counts.node_gets"
expect = "== 200"
[[check]]
metric = "read.counts.merges"
expect = "== 0"
[[check]]
metric = "read.counts.page_conflicts"
expect = "== 0"
[[check]]
metric = "read.operations"
expect = "== 200"
[[plot]]
title = "Misses"
x = "cache"
y = ["read.counts.cache_misses"]
"#;

/// Runs a scenario with the program that counts at this place.
fn run(folder: &Path, text: &str, forensic: &Path, more: &[&str]) -> Output {
    fs::write(folder.join("counted.toml"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder)
        .env("VELLUM_LAB_FORENSIC", forensic)
        .args(["--format", "json", "run", "counted.toml"])
        .args(more)
        .output()
        .unwrap()
}

#[track_caller]
fn ended(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

fn only_run(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["runs"][0].clone()
}

fn verdicts(run: &Value) -> Vec<&str> {
    let checks = run["checks"].as_array().unwrap().iter();
    checks
        .map(|check| check["verdict"].as_str().unwrap())
        .collect()
}

#[test]
fn counts_join_the_times() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), COUNTED, lab_forensic(), &[]);
    ended(&output, 0);
    let run = only_run(&output);
    assert_eq!(verdicts(&run), ["pass"; 5]);
    for cell in run["cells"].as_array().unwrap() {
        let metrics = |phase: usize| &cell["phases"][phase]["metrics"];
        assert_eq!(metrics(1)["counts.log_appends"]["median"], 40, "{cell}");
        assert_eq!(metrics(2)["counts.node_gets"]["median"], 200, "{cell}");
        // Pages read and missed are the same things seen by storage and by the cache.
        let misses = metrics(2)["counts.cache_misses"]["median"].as_u64();
        assert_eq!(misses, metrics(2)["cache_misses"]["median"].as_u64());
        assert!(misses > Some(0));
        // Nothing is counted behind the last phase that is named.
        assert!(metrics(3)["counts.node_gets"].is_null(), "{cell}");
        assert!(metrics(3)["time_ns"].is_object(), "{cell}");
    }
    let stored = fs::canonicalize(folder.path().join("reports/latest")).unwrap();
    let manifest = fs::read_to_string(stored.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let has = |features: &Value| features.to_string().contains("forensics");
    assert!(!has(&manifest["features"]), "{manifest}");
    assert!(has(&manifest["counted_by"]["features"]), "{manifest}");
    assert!(!stored.join("counting").exists());
    for report in ["report.html", "report.md"] {
        let text = fs::read_to_string(stored.join(report)).unwrap();
        assert!(text.contains("log_append_bytes"), "{report}");
        assert!(text.contains("lab-forensic"), "{report}");
    }
}

#[test]
fn a_threshold_on_a_counter_turns_red_at_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let text = COUNTED.replace(
        "\"== 200\"\n[[check]]\nmetric = \"read.counts.m",
        "\"< 200\"\n[[check]]\nmetric = \"read.counts.m",
    );
    let line = text
        .lines()
        .position(|line| line.contains("< 200"))
        .unwrap()
        + 1;
    let output = run(folder.path(), &text, lab_forensic(), &[]);
    let said = ended(&output, 3);
    assert!(said.contains(&format!("counted.toml:{line}:")), "{said}");
    assert!(said.contains("measured: 200"), "{said}");
    let found = only_run(&output);
    assert_eq!(verdicts(&found), ["pass", "fail", "pass", "pass", "pass"]);
}

#[test]
fn without_the_program_counts_are_skipped_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let output = run(folder.path(), COUNTED, &nowhere, &[]);
    ended(&output, 5);
    let found = only_run(&output);
    assert_eq!(
        verdicts(&found),
        ["skipped", "skipped", "skipped", "skipped", "pass"]
    );
    let why = found["checks"][0]["detail"].as_str().unwrap();
    assert!(
        why.contains("lab-forensic") && why.contains("make forensic"),
        "{why}"
    );
    // Another check that fails outranks it.
    let text = COUNTED.replace(
        "read.operations\"\nexpect = \"== 200",
        "read.operations\"\nexpect = \"== 1",
    );
    ended(&run(folder.path(), &text, &nowhere, &[]), 3);
    // Where nothing is counted, nothing is missing.
    ended(
        &run(folder.path(), COUNTED, &nowhere, &["--only", "load"]),
        0,
    );
}

#[test]
fn a_program_that_does_not_count_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Path::new(env!("CARGO_BIN_EXE_lab"));
    // It says by itself that it lacks its counts.
    let output = run(folder.path(), COUNTED, plain, &[]);
    let said = ended(&output, 1);
    assert!(said.contains("does not count"), "{said}");
}

#[test]
fn shards_count_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut parts = Vec::new();
    for shard in ["1/2", "2/2"] {
        let output = run(folder.path(), COUNTED, lab_forensic(), &["--shard", shard]);
        ended(&output, 0);
        let found = only_run(&output);
        parts.push(found["id"].as_str().unwrap().to_owned());
    }
    let merged = Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder.path())
        .args(["--format", "json", "merge", &parts[0], &parts[1]])
        .output()
        .unwrap();
    ended(&merged, 0);
    assert_eq!(verdicts(&only_run(&merged)), ["pass"; 5]);
}

#[test]
fn counters_that_do_not_exist_or_cannot_be_compared_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let refused = |from: &str, to: &str, pieces: &[&str]| {
        assert!(COUNTED.contains(from), "{from}");
        let output = run(folder.path(), &COUNTED.replacen(from, to, 1), &nowhere, &[]);
        let said = ended(&output, 2);
        for piece in pieces {
            assert!(said.contains(piece), "{piece}: {said}");
        }
        assert!(!folder.path().join("reports").exists());
    };
    refused(
        "insert.counts.log_appends",
        "insert.counts.log_append",
        &[
            "counted.toml:26:10",
            "no counter `log_append`",
            "the nearest name is `log_appends`",
        ],
    );
    refused(
        "read.counts.cache_misses",
        "read.counts.cash_misses",
        &["no counter `cash_misses`", "`cache_misses`"],
    );
    refused(
        "expect = \"== 200\"\n[[check]]\nmetric = \"read.counts.merges\"",
        "expect = \"== 200 B\"\n[[check]]\nmetric = \"read.counts.merges\"",
        &["measured in another unit"],
    );
    refused(
        "operations = 40",
        "duration = \"1 ms\"",
        &["cannot be counted", "say `operations`"],
    );
}
