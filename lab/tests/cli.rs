//! What the shell sees of bad input: exit codes, and messages on stderr only.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const GOOD: &str = r#"schema = 1
name = "tiny"
question = "Does it load?"
[dataset]
file = "data"
[[phase]]
name = "load"
load = "bulk"
"#;

fn lab(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// The command fails with this code, says all of this on stderr, and nothing on stdout.
#[track_caller]
fn refused(folder: &Path, arguments: &[&str], code: i32, pieces: &[&str]) {
    let output = lab(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(
        output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    for piece in pieces {
        assert!(said.contains(piece), "no `{piece}` in\n{said}");
    }
}

/// A folder with one scenario.
fn scenario(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn usage_mistakes_give_two() {
    let folder = tempfile::tempdir().unwrap();
    refused(folder.path(), &[], 2, &["Usage"]);
    refused(folder.path(), &["imprt"], 2, &["import"]);
    refused(folder.path(), &["run"], 2, &["SCENARIO"]);
    refused(
        folder.path(),
        &["run", "a.toml", "--format", "xml"],
        2,
        &["human, json, ndjson, md"],
    );
    refused(
        folder.path(),
        &["run", "-q", "-v", "a.toml"],
        2,
        &["cannot be used"],
    );
    refused(folder.path(), &["run", "absent.toml"], 2, &["absent.toml"]);
    refused(
        folder.path(),
        &["inspect", "absent", "info"],
        2,
        &["absent"],
    );
}

#[test]
fn help_and_version_are_results() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["--version"], &["run", "--help"]] {
        let output = lab(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
}

#[test]
fn bad_scenarios_are_drawn_and_give_two() {
    let (folder, _path) = scenario(&GOOD.replace("load = \"bulk\"", "load = \"bulk\"\nbatsh = 3"));
    refused(
        folder.path(),
        &["run", "tiny.toml"],
        2,
        &["tiny.toml:9:1", "^^^^^", "`batch`"],
    );
    assert!(!folder.path().join("reports").exists(), "nothing ran");
    let check = format!("{GOOD}[[check]]\nmetric = \"load.file_byte\"\nexpect = \"<= 1 B\"\n");
    let (folder, _path) = scenario(&check);
    refused(
        folder.path(),
        &["run", "tiny.toml"],
        2,
        &["has no metric `file_byte`", "`file_bytes`"],
    );
}

/// What takes minutes to build is not built for a scenario that cannot run.
#[test]
fn ab_reads_the_scenario_before_it_builds() {
    let (folder, _path) = scenario(&GOOD.replace("bulk", "bluk"));
    refused(
        folder.path(),
        &["ab", "HEAD", "tiny.toml"],
        2,
        &["unknown variant `bluk`", "tiny.toml:8:8"],
    );
    assert!(!folder.path().join("reports").exists());
}

/// JSON is one document, whatever tells it.
#[test]
fn json_is_one_document_and_ndjson_a_line_each() {
    let (folder, _path) = scenario(&GOOD.replace("file = \"data\"", "generator = \"tree\""));
    for arguments in [
        &["list", "."][..],
        &["doctor"],
        &["peers"],
        &["plan", "tiny.toml"],
    ] {
        let output = lab(folder.path(), &[&["--format", "json"], arguments].concat());
        let document: Result<serde_json::Value, _> = serde_json::from_slice(&output.stdout);
        assert!(document.is_ok_and(|one| one.is_object()), "{arguments:?}");
        let output = lab(
            folder.path(),
            &[&["--format", "ndjson"], arguments].concat(),
        );
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let document: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert!(
                document.is_ok_and(|one| one.is_object()),
                "{arguments:?}: {line}"
            );
        }
    }
}

#[test]
fn what_nobody_can_estimate_is_said_to_be_unknown() {
    let (folder, _path) = scenario("schema = 1\n[crash]\nworkload = \"small\"\n");
    let output = lab(folder.path(), &["plan", "tiny.toml"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("time: unknown until it has run once"),
        "{said}"
    );
}

/// The second scenario is wrong, so the first does not run either.
#[test]
fn nothing_runs_before_everything_is_checked() {
    let (folder, _path) = scenario(GOOD);
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/nodes.jsonl"), "").unwrap();
    fs::write(folder.path().join("bad.toml"), "schema = 2\n").unwrap();
    refused(
        folder.path(),
        &["run", "tiny.toml", "bad.toml"],
        2,
        &["bad.toml"],
    );
    assert!(!folder.path().join("reports").exists());
}

#[test]
fn missing_prerequisites_are_named_and_give_five() {
    let (folder, _path) = scenario(GOOD);
    refused(folder.path(), &["run", "tiny.toml"], 5, &["data"]);
    refused(folder.path(), &["report"], 5, &["no run so far"]);
    refused(
        folder.path(),
        &["report", "gone"],
        5,
        &["gone", "no such run"],
    );
    refused(folder.path(), &["merge", "gone"], 5, &["no such run"]);
    refused(
        folder.path(),
        &["baseline", "save", "b", "gone"],
        5,
        &["no such run"],
    );
    refused(
        folder.path(),
        &["compare", "gone", "latest"],
        5,
        &["`gone`"],
    );
}

#[test]
fn inspecting_garbage_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("noise"), b"\x01\x02".repeat(9000)).unwrap();
    for what in [
        &["info"][..],
        &["pages"],
        &["page", "1"],
        &["node", "1"],
        &["wal"],
    ] {
        for format in ["human", "json", "ndjson", "md"] {
            let arguments = [&["--format", format, "inspect", "noise"], what].concat();
            let output = lab(folder.path(), &arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}");
            assert!(!output.stdout.is_empty());
        }
    }
}
