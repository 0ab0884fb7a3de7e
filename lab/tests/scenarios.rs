//! Every shipped scenario: its checks hold, and one whose threshold is changed turns red, with the right
//! exit code and at its own line.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn lab(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// Scenarios about crashes, or all others.
fn shipped(of_crashes: bool) -> Vec<PathBuf> {
    let of_crash = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with("crash-")
    };
    let mut paths: Vec<PathBuf> = fs::read_dir(scenarios())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        // Some need the right to mount file systems, which nobody has to have here.
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let mounting = ["full-disk.toml", "failed-sync.toml"];
            !name.starts_with("power-cut-") && !mounting.contains(&name)
        })
        .filter(|path| of_crash(path) == of_crashes)
        .collect();
    paths.sort();
    assert!(paths.len() >= 12, "{paths:?}");
    paths
}

/// The scenario with its first expectation made impossible: no metric is below zero. Also the line on
/// which that stands.
fn spoiled(text: &str) -> (String, u64) {
    let start = text.find("\nexpect = ").expect("a check") + 1;
    let end = start + text[start..].find('\n').unwrap_or(text.len() - start);
    let line = text[..start].matches('\n').count() as u64 + 1;
    let data = scenarios().join("data/debian").display().to_string();
    let spoiled = format!("{}expect = \"< 0\"{}", &text[..start], &text[end..]);
    (
        spoiled.replace("\"data/debian\"", &format!("{data:?}")),
        line,
    )
}

#[test]
fn one_changed_threshold_turns_each_scenario_red_and_nothing_else_does() {
    common::lab_forensic();
    for path in shipped(false) {
        let text = fs::read_to_string(&path).unwrap();
        let (text, line) = spoiled(&text);
        let folder = tempfile::tempdir().unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let arguments = [
            "--format",
            "json",
            "run",
            "--quick",
            "--keep-db",
            "never",
            name,
        ];
        let output = lab(folder.path(), &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {said}");
        assert!(
            said.contains(&format!("{name}:{line}:")),
            "{name}:{line}: {said}"
        );
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = document["runs"][0]["checks"].as_array().unwrap();
        for (number, check) in checks.iter().enumerate() {
            let verdict = check["verdict"].as_str().unwrap();
            if number == 0 {
                assert_eq!(
                    (verdict, check["line"].as_u64()),
                    ("fail", Some(line)),
                    "{name}"
                );
            } else {
                assert!(verdict != "fail" && verdict != "void", "{name}: {check}");
            }
        }
        let cells = document["runs"][0]["cells"].as_array().unwrap();
        for phase in cells
            .iter()
            .flat_map(|cell| cell["phases"].as_array().unwrap())
        {
            assert_eq!(phase["status"], "right", "{name}: {phase}");
        }
    }
}

/// With the fewest states that each point gives: `make crash` makes them all. What must have been seen among many
/// states may be missing among few, but what must never be seen is not.
#[test]
fn one_changed_threshold_turns_each_crash_scenario_red() {
    let few = [
        "recordings=2",
        "sessions=1",
        "exhaustive=2",
        "samples=1",
        "tears=2",
        "page_tears=1",
        "older_tears=0",
        "third_of=1000",
    ];
    let few: Vec<String> = few.iter().map(|one| format!("crash.{one}")).collect();
    for path in shipped(true) {
        let (text, line) = spoiled(&fs::read_to_string(&path).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        let mut arguments = vec!["--format", "json", "run", name];
        for one in &few {
            arguments.extend(["--set", one]);
        }
        let output = lab(folder.path(), &arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{name}: {said}");
        assert!(said.contains(&format!("{name}:{line}:")), "{name}: {said}");
        let document = document(&output);
        let checks = document["runs"][0]["checks"].as_array().unwrap();
        assert_eq!(checks[0]["verdict"], "fail", "{name}");
        for check in checks.iter().skip(1) {
            let never = check["expect"] == "== 0";
            assert!(!never || check["verdict"] == "pass", "{name}: {check}");
        }
    }
}

const SHARDED: &str = r#"schema = 1
[engine]
durability = "none"
[dataset]
generator = "power-law"
nodes = 200
[sweep]
repeats = 2
[sweep.axes]
"engine.cache" = ["16 pages", "64 pages"]
"dataset.nodes" = [50, 200, 400]
[[phase]]
load = "bulk"
[[phase]]
name = "work"
mix = { insert-node = 1, insert-edge = 2, neighbors = 2, two-hop = 1 }
operations = 200
[[check]]
metric = "work.nodes"
expect = "same over cache"
[[check]]
metric = "work.pages_per_operation"
expect = "non-increasing within 5% over cache"
[[plot]]
title = "t"
x = "nodes"
y = ["work.pages_per_operation"]
"#;

fn digests(run: &Value) -> Vec<(Value, Vec<Value>)> {
    let cells = run["cells"].as_array().unwrap();
    let of = |cell: &Value| {
        let phases = cell["phases"].as_array().unwrap();
        phases.iter().map(|phase| phase["digest"].clone()).collect()
    };
    cells
        .iter()
        .map(|cell| (cell["at"].clone(), of(cell)))
        .collect()
}

fn verdicts(run: &Value) -> Vec<Value> {
    let checks = run["checks"].as_array().unwrap();
    checks
        .iter()
        .map(|check| check["verdict"].clone())
        .collect()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_baseline_is_saved_listed_compared_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let text = SHARDED.replace("repeats = 2", "repeats = 1")
        + "[[check]]\nmetric = \"work.nodes\"\nexpect = \"baseline ± 1%\"\n";
    fs::write(folder.path().join("sharded.toml"), text).unwrap();
    let run = |more: &[&str]| {
        lab(
            folder.path(),
            &[&["-q", "--format", "json", "run", "sharded.toml"], more].concat(),
        )
    };
    let first = run(&[]);
    assert_eq!(verdicts(&document(&first)["runs"][0])[2], "skipped");
    assert_eq!(
        lab(folder.path(), &["baseline", "save", "good"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        lab(folder.path(), &["baseline", "save", "good"])
            .status
            .code(),
        Some(2)
    );
    let listed = lab(folder.path(), &["baseline", "list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("good  sharded"));
    let again = run(&["--baseline", "good"]);
    assert_eq!(verdicts(&document(&again)["runs"][0])[2], "pass");
    let id = document(&again)["runs"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let same = lab(
        folder.path(),
        &["compare", "good", "latest", "--threshold", "100000"],
    );
    let named = format!("B: {id}");
    assert!(String::from_utf8_lossy(&same.stdout).contains(&named));
    let other = run(&["--baseline", "good", "--set", "phase.work.operations=400"]);
    assert_eq!(other.status.code(), Some(3));
    assert_eq!(verdicts(&document(&other)["runs"][0])[2], "fail");
    assert_eq!(
        same.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&same.stdout)
    );
    assert_eq!(run(&["--baseline", "bad"]).status.code(), Some(5));
    assert_eq!(
        lab(folder.path(), &["baseline", "rm", "good"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        lab(folder.path(), &["baseline", "rm", "../x"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_budget_ends_a_run_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{SHARDED}[budget]\ndisk = 1\n");
    fs::write(folder.path().join("sharded.toml"), text).unwrap();
    let output = lab(folder.path(), &["--format", "json", "run", "sharded.toml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("the budget is 1 B"), "{said}");
    assert_eq!(document(&output)["runs"][0]["ended"], "over-budget");
    assert!(
        !folder.path().join("reports/latest").exists(),
        "latest is a complete run"
    );
}

/// What a new user would write from the documentation: eight lines.
#[test]
fn eight_lines_run() {
    let folder = tempfile::tempdir().unwrap();
    let text = "schema = 1\n[dataset]\ngenerator = \"tree\"\nnodes = 300\n[[phase]]\nload = \"bulk\"\n[[phase]]\nmix = { get-node = 3, two-hop = 1 }\n";
    assert_eq!(text.lines().count(), 8);
    fs::write(folder.path().join("mine.toml"), text).unwrap();
    let output = lab(folder.path(), &["run", "mine.toml"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let run = fs::canonicalize(folder.path().join("reports/latest")).unwrap();
    let log = fs::read_to_string(run.join("latencies.hlog")).unwrap();
    assert!(log.contains("Tag=cell-0/mix.two-hop,"), "{log}");
    // The cookie of a compressed histogram, as readers of the format expect it.
    assert!(log.contains(",HISTFAAAA"), "{log}");
    let lines = lab(
        folder.path(),
        &["--format", "ndjson", "-q", "run", "mine.toml"],
    );
    let lines: Vec<Value> = String::from_utf8_lossy(&lines.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["event"], &lines[0]["right"]),
        (&Value::from("cell"), &Value::from(true))
    );
    assert_eq!(lines.last().unwrap()["exit_code"], 0);
    let plan = lab(folder.path(), &["plan", "mine.toml"]);
    assert!(String::from_utf8_lossy(&plan.stdout).contains("as long as the last run took"));
}

/// What editors are told about the sections of a file holds for every file that ships.
#[test]
fn the_schema_knows_every_scenario_that_ships() {
    let folder = tempfile::tempdir().unwrap();
    let schema = lab(folder.path(), &["schema", "scenario"]);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let ways = schema["anyOf"].as_array().unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(scenarios()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let file: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for section in file.keys() {
            let known = &schema["properties"][section];
            assert!(!known.is_null(), "{}: {section}", path.display());
        }
        let has = |name: &Value| file.contains_key(name.as_str().unwrap());
        let fits = |way: &Value| way["required"].as_array().unwrap().iter().all(has);
        assert!(ways.iter().any(fits), "{}", path.display());
        seen += 1;
    }
    assert!(seen > 40);
}

#[test]
fn telling_commands_tell() {
    let folder = tempfile::tempdir().unwrap();
    let here = scenarios().display().to_string();
    let cases: &[(&[&str], &str)] = &[
        (&["list", &here], "cache-capacity-sweep"),
        (&["peers"], "sqlite"),
        (&["doctor"], "file system"),
        (&["doctor"], "for 256 bytes"),
        (&["schema", "scenario"], "\"block-skip\""),
        (&["schema", "result"], "\"p99_ns\""),
        (&["completions", "bash"], "lab"),
    ];
    for (arguments, piece) in cases {
        let output = lab(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(said.contains(piece), "{arguments:?}: {said}");
    }
    let lines = lab(folder.path(), &["schema", "scenario", "--format", "ndjson"]);
    let said = String::from_utf8_lossy(&lines.stdout);
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn what_is_exported_can_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("nodes.jsonl"), "{\"id\":1,\"kind\":\"a\",\"name\":\"x\",\"data\":{\"k\":[1]}}\n{\"id\":2,\"kind\":\"b\",\"name\":\"y\"}\n").unwrap();
    fs::write(
        data.join("edges.tsv"),
        "src\tdst\ttype\tdata\n1\t2\tto\t{}\n1\t2\tto\t\n2\t2\tself\t\n",
    )
    .unwrap();
    for step in [
        &["import", "data", "-o", "a.vellum"][..],
        &["export", "a.vellum", "-o", "out"],
        &["import", "out", "-o", "b.vellum"],
        &["export", "b.vellum", "-o", "again"],
    ] {
        let output = lab(folder.path(), step);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{step:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for file in ["nodes.jsonl", "edges.tsv"] {
        let read = |name: &str| fs::read_to_string(folder.path().join(name).join(file)).unwrap();
        assert_eq!(read("out"), read("again"), "{file}");
        assert!(!read("out").is_empty());
    }
    let again = lab(folder.path(), &["export", "a.vellum", "-o", "out"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing is overwritten"));
}

/// Each form holds what the others hold, and only CSV holds any text; what a form cannot hold is named.
#[test]
fn every_form_of_export_can_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("n.csv"),
        "id,kind,name,data\n5,a,\"x, y\",plain\n3,b,y,\n",
    )
    .unwrap();
    fs::write(
        path("e.csv"),
        "src,dst,type,data\n5,3,to,\"two\nlines\"\n3,3,to,\n",
    )
    .unwrap();
    let passes = |arguments: &[&str]| {
        let output = lab(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    };
    let refused = |arguments: &[&str], piece: &str| {
        let output = lab(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(piece), "{arguments:?}: {said}");
    };
    refused(
        &["import", "n.csv", "e.csv", "-o", "a.vellum"],
        "--renumber",
    );
    passes(&["import", "n.csv", "e.csv", "--renumber", "-o", "a.vellum"]);
    passes(&["export", "a.vellum", "--as", "csv", "-o", "csv"]);
    let written = |name: &str| fs::read_to_string(path(name)).unwrap();
    assert_eq!(
        written("csv/nodes.csv"),
        "id,kind,name,data\n1,a,\"x, y\",plain\n2,b,y,\n"
    );
    assert_eq!(
        written("csv/edges.csv"),
        "src,dst,type,data\n1,2,to,\"two\nlines\"\n2,2,to,\n"
    );
    refused(
        &["export", "a.vellum", "-o", "jsonl"],
        "`--as csv` holds any text",
    );
    refused(
        &["export", "a.vellum", "--as", "tsv", "-o", "tsv"],
        "an edge of node 1 has a tab",
    );
    for half in ["jsonl", "tsv"] {
        assert!(!path(half).exists(), "half an export is left in {half}");
    }
    fs::write(path("csv/edges.csv"), "src,dst,type\n1,2,to\n").unwrap();
    passes(&["import", "csv", "-o", "b.vellum"]);
    passes(&["export", "b.vellum", "--as", "tsv", "-o", "again"]);
    assert_eq!(
        written("again/nodes.tsv"),
        "id\tkind\tname\tdata\n1\ta\tx, y\tplain\n2\tb\ty\t\n"
    );
    assert_eq!(
        written("again/edges.tsv"),
        "src\tdst\ttype\tdata\n1\t2\tto\t\n"
    );
    passes(&[
        "import",
        "again/edges.tsv",
        "again/nodes.tsv",
        "-o",
        "c.vellum",
    ]);
}

/// The answers of a peer are the model's, as the engine's own are; without it, it is named and skipped.
#[test]
fn peers_agree_or_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = scenarios().join("peers.toml").display().to_string();
    let output = lab(
        folder.path(),
        &["--format", "json", "run", "--quick", &path],
    );
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let document = document(&output);
    let run = &document["runs"][0];
    if cfg!(feature = "sqlite") {
        let digests = digests(run);
        assert_eq!(digests.len(), 2);
        assert!(digests[0].1.iter().all(Value::is_string));
        assert_eq!(digests[0].1, digests[1].1);
    } else {
        assert!(
            run["missing"][0]
                .as_str()
                .unwrap()
                .contains("--features sqlite")
        );
        assert_eq!(run["cells"].as_array().unwrap().len(), 1);
    }
}

/// The first interrupt ends a run in order, with what it has.
#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let text = "schema = 1\n[dataset]\ngenerator = \"tree\"\nnodes = 300\n[sweep]\norder = \"written\"\n[sweep.axes]\n\"phase.work.duration\" = [\"1 ms\", \"10000 s\"]\n[[phase]]\nload = \"bulk\"\n[[phase]]\nname = \"work\"\nmix = \"get-node\"\n[[check]]\nmetric = \"work.operations\"\nexpect = \">= 1\"\n";
    fs::write(folder.path().join("long.toml"), text).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder.path())
        .args(["--format", "json", "run", "long.toml"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let first_cell_is_stored = || {
        let runs = fs::read_dir(folder.path().join("reports/runs")).ok()?;
        let run = runs.flatten().next()?.path();
        let text = fs::read_to_string(run.join("results.json")).ok()?;
        let stored: Value = serde_json::from_str(&text).ok()?;
        (stored["cells"].as_array()?.len() == 1).then_some(())
    };
    while first_cell_is_stored().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    let document = document(&output);
    let run = &document["runs"][0];
    assert_eq!(
        (&run["ended"], run["cells"].as_array().unwrap().len()),
        (&Value::from("interrupted"), 1)
    );
    assert_eq!(verdicts(run), ["pass"]);
}
