//! Scenarios of faults and damage from the command line to their results.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn lab(out: &Path, arguments: &[&str], path: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    if let Some(path) = path {
        command.env("PATH", path);
    }
    command
        .args(arguments)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap()
}

fn run(out: &Path, sections: &str, path: Option<&str>) -> (Option<i32>, Value) {
    let scenario = out.join("mine.toml");
    fs::write(&scenario, format!("schema = 1\n{sections}")).unwrap();
    let arguments = ["run", scenario.to_str().unwrap(), "--format", "json", "-q"];
    let output = lab(out, &arguments, path);
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), document["runs"][0].clone())
}

#[test]
fn two_lines_make_a_scenario_of_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (code, run) = run(
        folder.path(),
        "[damage]\nstride = 100_000\npage_sizes = [4096]\n",
        None,
    );
    assert_eq!(code, Some(0), "{run}");
    let phase = &run["cells"][0]["phases"][0];
    let metric = |name: &str| phase["metrics"][name]["median"].as_f64().unwrap();
    assert!(metric("damages") >= 1_000.0 && metric("rules") >= 10.0);
    assert_eq!(metric("silent") + metric("panics"), 0.0);
    // The program counts what it allocates, and no damage makes it take much.
    assert!(metric("peak_bytes") > 0.0 && metric("excess_bytes") <= f64::from(16 << 20));
    assert_eq!(phase["tables"].as_array().unwrap().len(), 2);
}

#[test]
fn faults_are_counted_by_operation_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let sections = "[faults]\npart = \"syncs\"\nstride = 50\n\
        [[check]]\nmetric = \"faults.violations\"\nexpect = \"== 0\"\n\
        [[plot]]\ntitle = \"t\"\ntable = \"faults.kinds\"\nx = \"fault\"\ny = [\"cells\"]\nform = \"bars\"\n";
    let (code, run) = run(folder.path(), sections, None);
    assert_eq!(code, Some(0), "{run}");
    let tables = run["cells"][0]["phases"][0]["tables"].as_array().unwrap();
    assert_eq!(tables[0]["rows"].as_array().unwrap().len(), 21);
    let report = run["report"].as_str().unwrap();
    assert!(fs::read_to_string(report).unwrap().contains("<svg"));
}

/// What the machine does not permit is named, and is no success.
#[test]
fn a_skip_is_never_a_pass() {
    let folder = tempfile::tempdir().unwrap();
    let sections = "[faults]\nvia = \"strace\"\n[[check]]\nmetric = \"faults.violations\"\nexpect = \"== 0\"\n";
    let empty = folder.path().join("nothing");
    let (code, run) = run(folder.path(), sections, Some(empty.to_str().unwrap()));
    assert_eq!(code, Some(5), "{run}");
    let phase = &run["cells"][0]["phases"][0];
    assert_eq!(phase["status"], "missing");
    let why = phase["findings"][0].as_str().unwrap();
    assert!(why.starts_with("strace: "), "{why}");
    assert_eq!(run["checks"][0]["verdict"], "skipped");
    assert_eq!(run["checks"][0]["detail"], why);
    let report = fs::read_to_string(run["report"].as_str().unwrap()).unwrap();
    assert!(report.contains("SKIPPED, not passed"));
}

#[test]
fn a_cell_and_a_damage_are_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let keep = kept.to_str().unwrap();
    let damage = ["damage", "replay", "zeroed-pages.4096.1:7", "--keep", keep];
    for (arguments, piece) in [
        (
            &["faults", "replay", "checkpoint.large.1:3.eio"][..],
            "every rule holds",
        ),
        (&damage[..], "refused: "),
    ] {
        let output = lab(folder.path(), arguments, None);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains(piece), "{said}");
    }
    assert!(kept.join("graph").exists() && kept.join("graph-log").exists());
    for arguments in [
        ["faults", "replay", "x"],
        ["damage", "replay", "bits.4096.1"],
    ] {
        let output = lab(folder.path(), &arguments, None);
        assert_eq!(output.status.code(), Some(2));
    }
}
