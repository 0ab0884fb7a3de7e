//! `lab explain`, in the build that counts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use vellum::{BulkEdge, BulkNode, Database, NodeId};

fn lab(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_lab-forensic"))
        .args(args)
        .output()
        .unwrap()
}

fn explain(database: &Path, what: &[&str]) -> Value {
    let mut args = vec!["--format", "json", "explain", database.to_str().unwrap()];
    args.extend(what);
    let output = lab(&args);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn build(path: &Path, nodes: u64) {
    let db = Database::create(path).unwrap();
    let id = |number| NodeId::new(number).unwrap();
    let rows = (1..=nodes).map(|number| {
        Ok(BulkNode {
            kind: format!("kind {}", number % 5),
            name: format!("node {number}"),
            data: b"{\"some\":\"json\"}".to_vec(),
            ..BulkNode::default()
        })
    });
    let edges = (1..=nodes).map(|number| {
        Ok(BulkEdge {
            source: id(number),
            label: "next".into(),
            target: id(number % nodes + 1),
            data: Vec::new(),
        })
    });
    db.bulk_load(rows, edges, |_| {}).unwrap();
    db.close().unwrap();
}

#[test]
fn a_get_touches_four_pages_at_most() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.vellum");
    build(&path, 1_000_000);
    let value = explain(&path, &["get", "777777"]);
    let steps = value["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    for step in steps {
        let touched = step["pages_touched"].as_u64().unwrap();
        assert!((2..=4).contains(&touched), "{step}");
        let pages = step["pages"].as_array().unwrap();
        let leaf = |page: &&Value| page["level"] == 0 && page["space"] == "nodes";
        assert_eq!(pages.iter().filter(leaf).count(), 1, "{step}");
    }
    assert!(steps[0]["counts"]["page_read_bytes"].as_u64().unwrap() >= 2 * 4096);
    assert!(steps[1]["counts"].get("page_read_bytes").is_none());
    let value = explain(&path, &["neighbors", "500", "--incoming"]);
    assert_eq!(value["answer"], "1 neighbour");
    let value = explain(&path, &["path", "10", "15"]);
    assert_eq!(value["answer"], "5 edges");
}

#[test]
fn an_insert_is_explained_without_changing_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.vellum");
    build(&path, 1000);
    let before = fs::read(&path).unwrap();
    let value = explain(
        &path,
        &["insert", "kind 1", "new", "--to", "5", "--label", "next"],
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let steps = value["steps"].as_array().unwrap();
    let commit = steps
        .iter()
        .find(|step| step["step"] == "second commit")
        .unwrap();
    assert_eq!(commit["counts"]["log_syncs"], 1);
    assert_eq!(commit["counts"]["log_appends"], 1);
    let text = lab(&["explain", path.to_str().unwrap(), "insert"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("Nothing was written to the file"), "{text}");
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none");
    let output = lab(&["explain", missing.to_str().unwrap(), "get", "1"]);
    assert_eq!(output.status.code(), Some(2));
    let output = lab(&["explain", missing.to_str().unwrap(), "insert"]);
    assert_eq!(output.status.code(), Some(2));
    let output = lab(&["explain", missing.to_str().unwrap(), "get", "0"]);
    assert_eq!(output.status.code(), Some(2));
}

/// A trace of each time that a database was opened lies beside it, and tells of every page of the file.
#[test]
fn a_run_records_traces_that_the_map_shows() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("traced.toml");
    let text = "schema = 1\n[engine]\nwrite_buffer = \"64 KiB\"\n[dataset]\ngenerator = \"uniform\"\nnodes = 500\n\
                [[phase]]\nload = \"batch\"\n[[phase]]\nmix = \"update-node\"\noperations = 500\n";
    fs::write(&scenario, text).unwrap();
    let out = folder.path().join("out");
    let (out, scenario) = (out.to_str().unwrap(), scenario.to_str().unwrap());
    let run = lab(&["--out", out, "run", "--trace", scenario]);
    assert!(run.status.success(), "{run:?}");
    let refused = lab(&[
        "--out",
        out,
        "run",
        "--trace",
        "--keep-db",
        "never",
        scenario,
    ]);
    assert_eq!(refused.status.code(), Some(2));
    let runs = Path::new(out).join("runs");
    let run = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    let databases = run.join("db");
    let traces = fs::read_dir(&databases)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".trace-"))
        .count();
    assert!(traces >= 1);
    let database = databases.join("main.vellum");
    let last = databases.join(format!("main.trace-{traces}.ndjson"));
    let (database, last) = (database.to_str().unwrap(), last.to_str().unwrap());
    let map = lab(&[
        "--format", "json", "inspect", database, "map", "--trace", last,
    ]);
    assert!(map.status.success(), "{map:?}");
    let map: Value = serde_json::from_slice(&map.stdout).unwrap();
    assert!(map["history"]["events"].as_u64().unwrap() > 100, "{map}");
    assert_eq!(map["history"]["pages_written_since"], 0, "{map}");
}
