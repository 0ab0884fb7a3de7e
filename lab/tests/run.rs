//! Whole runs on a tiny graph: load both ways, ask, verify, reopen, kill, report.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SCENARIO: &str = r#"schema = 1
name = "tiny"
question = "Does the whole path hold?"
seed = 3

[dataset]
file = "data"

[[phase]]
name = "batch"
database = "batch"
load = "batch"
batch = 7

[[phase]]
name = "bulk"
load = "bulk"

[[phase]]
name = "verify-batch"
database = "batch"
verify = "all"

[[phase]]
name = "verify-bulk"
verify = "all"

[[phase]]
name = "reopen"
reopen = "clean"

[[phase]]
name = "back"
ask = "neighbors"
from = "n3"
direction = "in"

[[phase]]
name = "reach"
ask = "k-hop"
from = "n1"
hops = 3
cold = "handle"

[[phase]]
name = "chain"
ask = "path"
from = "n1"
to = "n40"

[[phase]]
name = "kinds"
ask = "by-kind"
kind = "k1"

[[phase]]
name = "prefix"
ask = "by-prefix"
prefix = "n1"

[[phase]]
name = "kill"
database = "batch"
kill = "writer"
rounds = 2
after = 20

[[phase]]
name = "after-kill"
database = "batch"
verify = "all"

[[check]]
metric = "kill.fewest_replayed_records"
expect = ">= 1"

[[check]]
metric = "kill.lost_commits"
expect = "== 0"

[[plot]]
title = "Reach"
table = "reach.hops"
x = "hops"
y = ["nodes_reached"]
form = "lines"
"#;

fn lab(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

/// Forty nodes in a ring with chords, parallel edges and a self-loop.
fn folder(scenario: &str) -> TempDir {
    // The space tests that paths are passed on whole.
    let folder = tempfile::Builder::new()
        .prefix("lab run ")
        .tempdir()
        .unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let nodes: Vec<String> = (1..=40)
        .map(|id| {
            format!(
                "{{\"id\":{id},\"kind\":\"k{}\",\"name\":\"n{id}\",\"data\":{{\"v\":{id}}}}}\n",
                id % 3
            )
        })
        .collect();
    let mut edges = String::from("src\tdst\ttype\tdata\n");
    for id in 1..=40u64 {
        edges += &format!("{id}\t{}\tnext\t{{\"w\":1}}\n", id % 40 + 1);
        edges += &format!("{id}\t{}\tchord\t\n", (id * 7) % 40 + 1);
    }
    edges += "3\t3\tself\t{}\n1\t2\tnext\t{\"w\":2}\n1\t2\tnext\t{\"w\":3}\n";
    fs::write(data.join("nodes.jsonl"), nodes.concat()).unwrap();
    fs::write(data.join("edges.tsv"), edges).unwrap();
    fs::write(folder.path().join("tiny.toml"), scenario).unwrap();
    folder
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_whole_run_ends_with_the_path_of_its_report() {
    let folder = folder(SCENARIO);
    let output = lab(folder.path(), &["run", "tiny.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let stdout = String::from_utf8(output.stdout).unwrap();
    let report = folder.path().join(stdout.lines().last().unwrap());
    let html = fs::read_to_string(&report).unwrap();
    assert!(
        html.contains("all 2 checks passed") && html.contains("<svg "),
        "{html}"
    );
    let run = report.parent().unwrap();
    for file in [
        "results.json",
        "manifest.json",
        "report.md",
        "plots/01-reach.svg",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }
    assert!(
        !run.join("db").exists(),
        "databases of a good run are not kept"
    );
    assert!(folder.path().join("reports/latest").exists());

    // Rendering again from what is stored gives the same page.
    fs::remove_file(&report).unwrap();
    assert_eq!(lab(folder.path(), &["report"]).status.code(), Some(0));
    assert_eq!(fs::read_to_string(&report).unwrap(), html);
}

/// Two runs, two ways of loading: the same digests.
#[test]
fn digests_agree() {
    let folder = folder(SCENARIO);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let output = lab(
            folder.path(),
            &["--format", "json", "-q", "run", "tiny.toml", "--seed", "9"],
        );
        assert!(output.stderr.is_empty(), "{}", said(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let phases = document["runs"][0]["cells"][0]["phases"]
            .as_array()
            .unwrap()
            .clone();
        let digest = |name: &str| {
            let phase = phases.iter().find(|phase| phase["name"] == name).unwrap();
            phase["digest"].as_str().unwrap().to_owned()
        };
        assert_eq!(digest("verify-batch"), digest("verify-bulk"));
        assert_eq!(digest("batch"), digest("bulk"));
        assert_ne!(digest("verify-batch"), digest("after-kill"));
        seen.push(["verify-bulk", "back", "reach", "chain", "kinds", "prefix"].map(digest));
    }
    assert_eq!(seen[0], seen[1]);
}

/// A run's directory has the scenario as it was carried out, and that does the same again.
#[test]
fn the_resolved_scenario_is_kept_and_runs() {
    let folder = folder(SCENARIO);
    let arguments = [
        "run",
        "tiny.toml",
        "--seed",
        "9",
        "--set",
        "phase.kill.rounds=1",
    ];
    assert_eq!(lab(folder.path(), &arguments).status.code(), Some(0));
    let resolved = fs::read_to_string(folder.path().join("reports/latest/scenario.toml")).unwrap();
    for piece in ["seed = 9", "rounds = 1", "name = \"tiny\"", "repeats = 1"] {
        assert!(resolved.contains(piece), "no `{piece}` in {resolved}");
    }
    let first = fs::canonicalize(folder.path().join("reports/latest")).unwrap();
    let path = first.join("scenario.toml").display().to_string();
    let again = lab(folder.path(), &["run", &path]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    let second = fs::canonicalize(folder.path().join("reports/latest")).unwrap();
    assert_ne!(first, second);
    let kept = fs::read_to_string(second.join("scenario.toml")).unwrap();
    assert_eq!(kept, resolved);
}

#[test]
fn a_missed_threshold_gives_three_at_its_line() {
    let folder = folder(&SCENARIO.replace("expect = \"== 0\"", "expect = \">= 1\""));
    let output = lab(folder.path(), &["run", "tiny.toml", "--keep-db", "always"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let text = said(&output);
    assert!(
        text.contains("check failed: kill.lost_commits") && text.contains("tiny.toml:79"),
        "{text}"
    );
    let run = fs::canonicalize(folder.path().join("reports/latest")).unwrap();
    let database = run.join("db/main.vellum");
    assert_eq!(
        lab(folder.path(), &["check", database.to_str().unwrap()])
            .status
            .code(),
        Some(0)
    );
}

/// A mistyped name makes no baseline beside the one that was meant.
#[test]
fn what_is_said_of_the_full_size_is_not_asked_of_the_quick_one() {
    let check =
        "\n[[check]]\nmetric = \"bulk.nodes\"\nexpect = \">= 1_000_000\"\nonly_if = \"full\"\n";
    let folder = folder(&format!("{SCENARIO}{check}"));
    let quick = lab(folder.path(), &["run", "--quick", "tiny.toml"]);
    assert_eq!(quick.status.code(), Some(0), "{}", said(&quick));
    assert!(
        said(&quick).contains("this is the quick one"),
        "{}",
        said(&quick)
    );
    let resolved = fs::canonicalize(folder.path().join("reports/latest/scenario.toml")).unwrap();
    let again = lab(folder.path(), &["run", resolved.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    let whole = lab(folder.path(), &["run", "tiny.toml"]);
    assert_eq!(whole.status.code(), Some(3), "{}", said(&whole));
}

#[test]
fn baselines_are_saved_once_and_accepted_by_the_same_name() {
    let folder = folder(SCENARIO);
    let code = |arguments: &[&str]| lab(folder.path(), arguments).status.code();
    assert_eq!(code(&["run", "tiny.toml", "--only", "reopen"]), Some(0));
    assert_eq!(code(&["baseline", "save", "good"]), Some(0));
    assert_eq!(code(&["baseline", "save", "good"]), Some(2));
    assert_eq!(code(&["baseline", "save", "../good"]), Some(2));
    assert_eq!(code(&["baseline", "accept", "good"]), Some(0));
    let wrong = lab(folder.path(), &["baseline", "accept", "god"]);
    assert_eq!(wrong.status.code(), Some(5), "{}", said(&wrong));
    let text = said(&wrong);
    assert!(
        text.contains("no baseline `god`; the nearest name is `good`"),
        "{text}"
    );
    let all = folder.path().join("reports/baselines");
    assert_eq!(fs::read_dir(all).unwrap().count(), 1);
}

#[test]
fn import_check_inspect() {
    let folder = folder(SCENARIO);
    let output = lab(folder.path(), &["import", "data", "-o", "a.vellum"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let again = lab(folder.path(), &["import", "data", "-o", "a.vellum"]);
    assert_eq!(
        again.status.code(),
        Some(2),
        "an existing database is left alone: {}",
        said(&again)
    );
    assert_eq!(
        lab(folder.path(), &["check", "a.vellum"]).status.code(),
        Some(0)
    );
    let info = said(&lab(folder.path(), &["inspect", "a.vellum", "info"]));
    assert!(info.contains("40 nodes, 83 edges"), "{info}");
    let node = said(&lab(folder.path(), &["inspect", "a.vellum", "node", "3"]));
    assert!(node.contains("name \"n3\""), "{node}");

    // One damaged page: found, with the code for damage.
    let mut bytes = fs::read(folder.path().join("a.vellum")).unwrap();
    let middle = bytes.len() / 4096 / 2 * 4096 + 64;
    bytes[middle] ^= 0xff;
    fs::write(folder.path().join("b.vellum"), &bytes).unwrap();
    let check = lab(folder.path(), &["check", "b.vellum"]);
    assert_eq!(check.status.code(), Some(4), "{}", said(&check));
}

#[test]
fn a_bad_row_leaves_no_database() {
    let folder = folder(SCENARIO);
    fs::write(
        folder.path().join("data/edges.tsv"),
        "src\tdst\ttype\n1\t99\tto\n",
    )
    .unwrap();
    let output = lab(folder.path(), &["import", "data", "-o", "a.vellum"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("edges.tsv:2: dst `99` is no node"),
        "{}",
        said(&output)
    );
    assert!(
        !folder.path().join("a.vellum").exists() && !folder.path().join("a.vellum-log").exists()
    );
}

/// Phases before the one that is wanted run, and leave no metric behind that a check could be about.
#[test]
fn only_one_phase_is_measured() {
    let folder = folder(SCENARIO);
    let arguments = [
        "--format",
        "json",
        "-q",
        "run",
        "tiny.toml",
        "--only",
        "reach",
    ];
    let output = lab(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &document["runs"][0];
    let phases = run["cells"][0]["phases"].as_array().unwrap();
    assert_eq!(phases.last().unwrap()["name"], "reach");
    for phase in phases {
        let measured = !phase["metrics"].as_object().unwrap().is_empty();
        assert_eq!(measured, phase["name"] == "reach", "{phase}");
        assert_eq!(phase["status"], "right");
    }
    for check in run["checks"].as_array().unwrap() {
        assert_eq!(check["verdict"], "skipped", "{check}");
    }
}

/// A published run is a copy without histograms and without a path of the machine, and its index names it.
#[test]
fn a_published_run_tells_nothing_of_where_it_was_made() {
    let folder = folder(SCENARIO);
    let reports = folder.path().join("reports");
    fs::create_dir(&reports).unwrap();
    fs::write(reports.join("README.md"), "# Mine\n").unwrap();
    let output = lab(folder.path(), &["-q", "run", "tiny.toml", "--publish"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let here = folder.path().canonicalize().unwrap().display().to_string();
    let files = ["results.json", "manifest.json", "report.html", "report.md"];
    for file in files {
        let text = fs::read_to_string(reports.join("tiny").join(file)).unwrap();
        assert!(!text.contains(&here), "{file}");
    }
    let readme = fs::read_to_string(reports.join("README.md")).unwrap();
    assert!(
        readme.starts_with("# Mine\n") && readme.contains("[tiny](tiny/report.md)"),
        "{readme}"
    );
    let index = fs::read_to_string(reports.join("index.html")).unwrap();
    assert!(index.contains("tiny/report.html") && index.contains("tiny/plots/01-reach.svg"));

    // Another run takes its place; one that missed a threshold does not.
    fs::write(reports.join("tiny/plots/99-old.svg"), "").unwrap();
    assert_eq!(
        lab(folder.path(), &["report", "--publish"]).status.code(),
        Some(0)
    );
    assert!(!reports.join("tiny/plots/99-old.svg").exists());
    let before = fs::read_to_string(reports.join("tiny/results.json")).unwrap();
    let worse = SCENARIO.replace("expect = \"== 0\"", "expect = \">= 1\"");
    fs::write(folder.path().join("tiny.toml"), worse).unwrap();
    let output = lab(folder.path(), &["-q", "run", "tiny.toml", "--publish"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert_eq!(
        lab(folder.path(), &["report", "--publish"]).status.code(),
        Some(2)
    );
    assert_eq!(
        fs::read_to_string(reports.join("tiny/results.json")).unwrap(),
        before
    );
}
