//! Crash scenarios from the command line to their results.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn lab(out: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(arguments)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap()
}

fn run(out: &Path, sections: &str) -> (Option<i32>, serde_json::Value) {
    let scenario = out.join("power.toml");
    let head = "schema = 1\nname = \"power\"\nquestion = \"Does it hold?\"\n";
    fs::write(&scenario, format!("{head}{sections}")).unwrap();
    let output = lab(
        out,
        &["run", scenario.to_str().unwrap(), "--format", "json", "-q"],
    );
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), document)
}

#[test]
fn a_crash_scenario_counts_draws_and_passes() {
    let folder = tempfile::tempdir().unwrap();
    let (code, document) = run(
        folder.path(),
        "[crash]\nworkload = \"create\"\ntears = 4\n\
         [[check]]\nmetric = \"crash.violations\"\nexpect = \"== 0\"\n\
         [[check]]\nmetric = \"crash.saw.absent\"\nexpect = \">= 1\"\n\
         [[plot]]\ntitle = \"kinds\"\ntable = \"crash.kinds\"\nx = \"kind\"\ny = [\"distinct\"]\nform = \"bars\"\n",
    );
    assert_eq!(code, Some(0), "{document}");
    let phase = &document["runs"][0]["cells"][0]["phases"][0];
    let metric = |name: &str| phase["metrics"][name]["median"].as_f64().unwrap();
    assert!(metric("distinct") >= 50.0 && metric("states") >= metric("distinct"));
    assert_eq!(metric("opened") + metric("shared"), metric("distinct"));
    assert_eq!(phase["tables"].as_array().unwrap().len(), 4);
    let settings = document["runs"][0]["cells"][0]["engine"]
        .as_array()
        .unwrap();
    for (name, value) in [
        ("crash.workload", "create"),
        ("crash.tears", "4"),
        ("crash.page_tears", "256"),
        ("oracle.rules", "check, commit, again"),
    ] {
        let used = settings.iter().find(|setting| setting["name"] == name);
        assert_eq!(
            used.map(|used| &used["value"]),
            Some(&value.into()),
            "{name}"
        );
    }
    let report = document["runs"][0]["report"].as_str().unwrap();
    assert!(fs::read_to_string(report).unwrap().contains("<svg"));
}

/// An experiment in which nothing happened is no success.
#[test]
fn an_idle_experiment_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _) = run(
        folder.path(),
        "[crash]\nworkload = \"create\"\ntears = 0\n\
         [[check]]\nmetric = \"crash.saw.flip_commits\"\nexpect = \">= 1\"\n",
    );
    assert_eq!(code, Some(3));
}

#[test]
fn a_state_is_replayed_traced_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let id = "log-commit.1:60.k0";
    let output = lab(
        folder.path(),
        &[
            "crash",
            "replay",
            id,
            "--trace",
            "--keep",
            kept.to_str().unwrap(),
        ],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("power fails") && text.contains("every rule holds"),
        "{text}"
    );
    assert!(kept.join("graph").exists() && kept.join("graph-log").exists());
    let output = lab(folder.path(), &["crash", "replay", "nothing"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("names no crash state")
    );
}
