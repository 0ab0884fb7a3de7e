//! Parts of runs as processes of their own, as on several machines, and what joins them.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

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

fn lab(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

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

/// Carries out one part, or the whole for none, and returns its document.
#[track_caller]
fn run(folder: &Path, shard: Option<&str>) -> Value {
    let mut arguments = vec!["--format", "json", "-q", "run", "sharded.toml"];
    arguments.extend(shard.into_iter().flat_map(|shard| ["--shard", shard]));
    let output = lab(folder, &arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{shard:?}: {said}");
    document(&output)
}

fn id(document: &Value) -> String {
    document["runs"][0]["id"].as_str().unwrap().to_owned()
}

fn merge(folder: &Path, parts: &[String]) -> Output {
    let parts = parts.iter().map(String::as_str);
    let all: Vec<&str> = ["--format", "json", "merge"]
        .into_iter()
        .chain(parts)
        .collect();
    lab(folder, &all)
}

/// Changes what is stored of a run.
fn rewrite(folder: &Path, id: &str, file: &str, change: impl Fn(&mut Value)) {
    let path = folder.join("reports/runs").join(id).join(file);
    let mut stored: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut stored);
    fs::write(&path, stored.to_string()).unwrap();
}

#[test]
fn shards_merge_to_the_same_verdict_and_digests() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sharded.toml"), SHARDED).unwrap();
    let whole = run(folder, None);
    let parts = ["1/3", "2/3", "3/3"].map(|shard| id(&run(folder, Some(shard))));
    let lacking = merge(folder, &parts[..2]);
    assert_eq!(lacking.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&lacking.stderr).contains("of 3 parts these are missing: 3"));
    let merged = merge(folder, &parts);
    let said = String::from_utf8_lossy(&merged.stderr).into_owned();
    assert_eq!(merged.status.code(), Some(0), "{said}");
    let merged = document(&merged);
    assert_eq!(digests(&whole["runs"][0]), digests(&merged["runs"][0]));
    assert_eq!(verdicts(&whole["runs"][0]), verdicts(&merged["runs"][0]));
    assert_eq!(merged["runs"][0]["ended"], "complete");
}

/// What the pods of a job leave that were killed and started again.
#[test]
fn merging_leaves_out_what_was_not_finished_or_run_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sharded.toml"), SHARDED).unwrap();
    let shards = ["1/2", "2/2", "1/2", "2/2"];
    let parts = shards.map(|shard| id(&run(folder, Some(shard))));
    // The first was killed, as was one before it stored anything; the second is older than the last.
    rewrite(folder, &parts[0], "results.json", |run| {
        run["ended"] = "unfinished".into()
    });
    fs::create_dir(folder.join("reports/runs/20000101T000000Z-sharded-x")).unwrap();
    rewrite(folder, &parts[1], "manifest.json", |manifest| {
        manifest["started_utc"] = "2000-01-01 00:00:00 UTC".into();
    });
    let mut all = parts.to_vec();
    all.push("20000101T000000Z-sharded-x".to_owned());
    let merged = merge(folder, &all);
    let said = String::from_utf8_lossy(&merged.stderr).into_owned();
    assert_eq!(merged.status.code(), Some(0), "{said}");
    for (id, why) in [
        (&parts[0], "it is unfinished"),
        (&all[4], "it holds no results"),
        (&parts[1], "part 2 was run again"),
    ] {
        let line = said.lines().find(|line| line.contains(&**id));
        assert!(line.is_some_and(|line| line.contains(why)), "{id}: {said}");
    }
    assert_eq!(
        document(&merged)["runs"][0]["cells"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    let lacking = merge(folder, &parts[..2]);
    assert_eq!(lacking.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&lacking.stderr).contains("missing: 1"));
}

/// No later success takes a wrong result back.
#[test]
fn a_wrong_part_stays_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("sharded.toml"), SHARDED).unwrap();
    let parts = ["1/2", "2/2", "1/2"].map(|shard| id(&run(folder, Some(shard))));
    rewrite(folder, &parts[0], "results.json", |run| {
        run["cells"].as_array_mut().unwrap().truncate(1);
        run["cells"][0]["phases"][1]["status"] = "wrong".into();
    });
    let merged = merge(folder, &parts);
    assert_eq!(
        merged.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&merged.stderr)
    );
}

const SEARCHES: [&str; 3] = [
    "[crash]\nworkload = \"small\"\nsessions = 2\nrecordings = 2\nexhaustive = 3\nsamples = 4\ntears = 8\npage_tears = 4\nolder_tears = 1\nfailing_syncs = 40\n[[check]]\nmetric = \"crash.distinct\"\nexpect = \">= 6_000\"\n",
    "[faults]\nstride = 9\n[[check]]\nmetric = \"faults.cells\"\nexpect = \">= 1_000\"\n",
    "[damage]\nstride = 300\npage_sizes = [\"4 KiB\"]\nways = [\"bits\", \"swapped-pages\", \"resealed-fields\"]\n[[check]]\nmetric = \"damage.damages\"\nexpect = \">= 300\"\n",
];

/// What a search counted, but for times and for what was seen while opening states: how many are opened, because
/// no session can tell the others from them, depends on who meets which first.
fn counted(run: &Value) -> Vec<(String, Value)> {
    let phase = &run["cells"][0]["phases"][0];
    let metrics = phase["metrics"].as_object().unwrap();
    let by_chance = [
        "opened",
        "shared",
        "saw.absent",
        "saw.repaired",
        "saw.replayed",
        "saw.torn_slot",
        "saw.torn_tail",
        "peak_bytes",
        "excess_bytes",
    ];
    let counts = metrics.iter().filter(|(name, _)| {
        let clock = name.ends_with("_ns") || name.ends_with("_per_second");
        !clock && !by_chance.contains(&name.as_str())
    });
    let counts = counts.map(|(name, measure)| (name.clone(), measure["median"].clone()));
    let digest = ("digest".to_owned(), phase["digest"].clone());
    counts.chain([digest]).collect()
}

/// A search is divided by what it goes through, and comes back whole.
#[test]
fn searches_are_divided_and_count_the_same_together() {
    for search in SEARCHES {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let text = format!("schema = 1\nseed = 7\n{search}");
        fs::write(folder.join("sharded.toml"), text).unwrap();
        let whole = run(folder, None);
        let whole = &whole["runs"][0];
        let parts = ["1/3", "2/3", "3/3"].map(|shard| run(folder, Some(shard)));
        let item = ["crash.states", "faults.cells", "damage.damages"]
            .into_iter()
            .find_map(|path| {
                path.split_once('.')
                    .filter(|(phase, _)| search.starts_with(&format!("[{phase}]")))
            })
            .unwrap();
        let items = |run: &Value| {
            run["cells"][0]["phases"][0]["metrics"][item.1]["median"]
                .as_u64()
                .unwrap()
        };
        let all = items(whole);
        for part in &parts {
            let part = &part["runs"][0];
            assert!(
                items(part) * 4 > all && items(part) * 2 < all,
                "{search}: {}",
                items(part)
            );
            assert_eq!(verdicts(part), ["skipped"], "{search}");
        }
        let merged = merge(folder, &parts.each_ref().map(id));
        let said = String::from_utf8_lossy(&merged.stderr).into_owned();
        assert_eq!(merged.status.code(), Some(0), "{search}: {said}");
        let merged = document(&merged);
        let merged = &merged["runs"][0];
        assert_eq!(counted(merged), counted(whole), "{search}");
        assert_eq!(verdicts(merged), ["pass"], "{search}");
        assert_eq!(merged["cells"].as_array().unwrap().len(), 1);
    }
}

/// A search that cannot be divided is one cell: one part has all of it, and the others nothing.
#[test]
fn a_search_of_crashed_recoveries_is_one_part() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = r#"schema = 1
seed = 7
[crash]
workload = "small"
depth = 2
exhaustive = 1
samples = 0
tears = 1
page_tears = 0
older_tears = 0
[[check]]
metric = "crash.distinct_twice"
expect = ">= 1"
"#;
    fs::write(folder.join("sharded.toml"), text).unwrap();
    let parts = ["1/2", "2/2"].map(|shard| run(folder, Some(shard)));
    let cells = |document: &Value| document["runs"][0]["cells"].as_array().unwrap().len();
    assert_eq!(parts.each_ref().map(cells), [1, 0]);
    let merged = merge(folder, &parts.each_ref().map(id));
    assert_eq!(
        merged.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&merged.stderr)
    );
    assert_eq!(verdicts(&document(&merged)["runs"][0]), ["pass"]);
}
