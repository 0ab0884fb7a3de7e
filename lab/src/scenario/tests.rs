#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use crate::failure::Exit;

use super::plan::{Action, DatasetPlan};
use super::*;

#[path = "tests/refused.rs"]
mod refused;

const SMALL: &str = r#"schema = 1
name = "small"
question = "Does it load?"
[dataset]
file = "data/debian"
[[phase]]
name = "load"
load = "bulk"
"#;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn parse_text(text: &str) -> Result<Scenario, Failure> {
    parse_with(text, &Changes::default())
}

fn parse_with(text: &str, changes: &Changes) -> Result<Scenario, Failure> {
    parse(
        &scenarios().join("test.toml"),
        text.to_owned(),
        changes,
        false,
    )
}

/// The scenario is refused with exit code 2, and the drawing holds every one of these pieces.
#[track_caller]
fn refused(text: &str, pieces: &[&str]) {
    let failure = parse_text(text).expect_err("accepted");
    assert_eq!(failure.exit, Exit::Usage, "{failure}");
    for piece in pieces {
        assert!(
            failure.message.contains(piece),
            "no `{piece}` in\n{failure}"
        );
    }
}

fn with(extra: &str) -> String {
    format!("{SMALL}{extra}")
}

#[test]
fn eight_lines_are_enough() {
    let scenario = parse_text(SMALL).unwrap();
    let plan = &scenario.cells[0];
    assert_eq!(
        (plan.phases.len(), plan.phases[0].database.as_str()),
        (1, "main")
    );
    assert_eq!(plan.engine.durability, raw::Durability::Sync);
}

#[test]
fn shipped_scenarios_are_valid() {
    for entry in std::fs::read_dir(scenarios()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            let plan = load(&path, &Changes::default(), false)
                .unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(
                Some(plan.name.as_str()),
                path.file_stem().and_then(|stem| stem.to_str())
            );
            let first = plan.sources.main().lines().next().unwrap_or_default();
            assert!(
                first.starts_with("# ") && first.ends_with('?'),
                "{}: states no question",
                path.display()
            );
        }
    }
}

#[test]
fn unknown_fields_are_drawn_at_their_place() {
    refused(
        &SMALL.replace("load = \"bulk\"", "laod = \"bulk\""),
        &[
            "unknown field `laod`",
            "test.toml:8:1",
            "8 | laod",
            "^^^^",
            "the nearest name is `load`",
        ],
    );
    refused(
        &with("[engine]\npagesize = 4096\n"),
        &["unknown field `pagesize`", "10 |", "`page_size`"],
    );
    refused(
        &SMALL.replace("\"bulk\"", "\"bluk\""),
        &["unknown variant `bluk`", "the nearest name is `bulk`"],
    );
    refused(
        &SMALL.replace("schema = 1", "schema = 2"),
        &["only schema 1 is known", "test.toml:1:10"],
    );
    refused(
        &SMALL.replace("schema = 1\n", ""),
        &["missing field `schema`"],
    );
    let unnamed = parse_text(&SMALL.replace("name = \"small\"\n", "")).unwrap();
    assert_eq!(unnamed.name, "test");
    refused("schema = 1\nname = \n", &["test.toml:2:"]);
}

#[test]
fn unknown_metrics_and_tables_are_refused() {
    let check = |metric: &str, expect: &str| {
        with(&format!(
            "[[check]]\nmetric = \"{metric}\"\nexpect = \"{expect}\"\n"
        ))
    };
    assert!(parse_text(&check("load.file_bytes", "<= 23 MB")).is_ok());
    assert!(parse_text(&check("load.file_bytes", "<= 2 * dataset.payload_bytes")).is_ok());
    refused(
        &check("load.filebytes", "<= 1 B"),
        &["has no metric `filebytes`", "10 | metric", "`file_bytes`"],
    );
    refused(
        &check("laod.file_bytes", "<= 1 B"),
        &["no phase `laod`", "the nearest name is `load`"],
    );
    refused(&check("file_bytes", "<= 1 B"), &["a metric is named"]);
    refused(
        &check("load.file_bytes", "<= 1 ms"),
        &["measured in another unit: bytes", "11 | expect"],
    );
    refused(
        &check("load.file_bytes", "<= 2 * load.time_ns"),
        &["another unit"],
    );
    refused(
        &check("load.file_bytes", "about 3"),
        &["starts with one of"],
    );
    let plot = |table: &str, x: &str, y: &str| {
        with(&format!(
            "[[plot]]\ntitle = \"t\"\ntable = \"{table}\"\nx = \"{x}\"\ny = [{y}]\n"
        ))
    };
    assert!(parse_text(&plot("dataset.degree", "degree", "\"nodes_in\"")).is_ok());
    refused(
        &plot("dataset.degre", "degree", "\"nodes_in\""),
        &["no table `degre`", "`degree`"],
    );
    refused(
        &plot("load.hops", "hops", "\"hops\""),
        &["`load` has no table `hops`"],
    );
    refused(
        &plot("load.spaces", "space", "\"pages\""),
        &["needs numbers"],
    );
    refused(
        &plot("dataset.degree", "degree", ""),
        &["at least one column"],
    );
    refused(
        &plot("dataset.degree", "degree", "\"node_in\""),
        &["no column `node_in`", "`nodes_in`"],
    );
}

#[test]
fn phases_are_held_together() {
    let phase = |body: &str| with(&format!("[[phase]]\nname = \"p\"\n{body}\n"));
    refused(&phase(""), &["phase `p` does nothing"]);
    refused(
        &phase("verify = \"all\"\nask = \"path\""),
        &["does one thing"],
    );
    refused(
        &phase("verify = \"all\"\nbatch = 3"),
        &["`batch` has no meaning", "it takes none"],
    );
    refused(
        &phase("ask = \"path\"\nfrom = \"a\""),
        &["phase `p` needs `to`"],
    );
    refused(
        &phase("ask = \"k-hop\"\nfrom = \"a\"\nhops = 0"),
        &["`hops` must be from 1 to 64"],
    );
    refused(
        &phase("load = \"bulk\""),
        &["database `main` is loaded already"],
    );
    refused(
        &phase("verify = \"all\"\ndatabase = \"mian\""),
        &["no earlier phase loads", "the nearest name is `main`"],
    );
    refused(
        &with("[[phase]]\nname = \"load\"\nverify = \"all\"\n"),
        &["the name `load` is taken"],
    );
    refused(
        &with("[[phase]]\nname = \"run\"\nverify = \"all\"\n"),
        &["the name `run` is taken"],
    );
    refused(
        &with("[[phase]]\nname = \"A b\"\nverify = \"all\"\n"),
        &["not such a name"],
    );
    let plan = parse_text(&phase("kill = \"writer\"\nrounds = 2")).unwrap();
    assert!(matches!(plan.cells[0].phases[1].action, Action::Kill(kill) if kill.rounds == 2));
}

#[test]
fn engine_options_have_limits() {
    let engine = |line: &str| with(&format!("[engine]\n{line}\n"));
    let plan = parse_text(&engine(
        "page_size = \"16 KiB\"\ncache = 1048576\ndurability = \"none\"",
    ))
    .unwrap();
    assert_eq!(
        (
            plan.cells[0].engine.page_size,
            plan.cells[0].engine.cache_bytes
        ),
        (Some(16384), Some(1 << 20))
    );
    refused(
        &engine("page_size = 5000"),
        &["a power of two", "10 | page_size"],
    );
    refused(&engine("cache = \"1 B\""), &["at least 16 KiB"]);
    refused(&engine("cache = \"lots\""), &["`lots` is not a size"]);
    refused(&engine("group_delay = \"2 weeks\""), &["a delay is"]);
    assert!(parse_text(&engine("durability = \"group\"\ngroup_delay = \"2 ms\"")).is_ok());
}

#[test]
fn several_mistakes_are_shown_at_once() {
    let text =
        with("[engine]\npage_size = 1\ncache = 1\n[[phase]]\nname = \"load\"\nverify = \"all\"\n");
    refused(&text, &["a power of two", "at least 16 KiB", "is taken"]);
}

#[test]
fn a_missing_dataset_is_a_missing_prerequisite() {
    let failure = parse_text(&SMALL.replace("data/debian", "data/absent")).expect_err("accepted");
    assert_eq!(failure.exit, Exit::Missing);
    for piece in ["data/absent: no such file", "test.toml:5:8", "5 | file"] {
        assert!(
            failure.message.contains(piece),
            "no `{piece}` in\n{failure}"
        );
    }
}

const SWEPT: &str = r#"schema = 1
[dataset]
generator = "power-law"
nodes = 100
[sweep]
repeats = 3
[sweep.axes]
"engine.cache" = ["16 pages", "64 KiB"]
"dataset.nodes" = { from = 10, to = 1_000, factor = 10 }
"phase.read.operations" = [5, 6]
[quick]
"dataset.nodes" = [10]
"phase.read.operations" = 1
[[phase]]
load = "bulk"
[[phase]]
name = "read"
mix = { get-node = 1, neighbors = 2 }
[[check]]
metric = "read.p99_ns"
expect = "non-increasing within 10% over cache"
[[plot]]
title = "t"
x = "dataset.nodes"
y = ["read.p50_ns", "read.p99_ns"]
where = { cache = "16 pages" }
"#;

fn nodes(scenario: &Scenario) -> Vec<u64> {
    let nodes = scenario
        .cells
        .iter()
        .filter_map(|cell| match &cell.dataset {
            DatasetPlan::Generated(generator) => Some(generator.nodes),
            DatasetPlan::Files(_) | DatasetPlan::Nothing => None,
        });
    nodes.collect()
}

#[test]
fn axes_span_cells() {
    let scenario = parse_text(SWEPT).unwrap();
    assert_eq!((scenario.cells.len(), scenario.repeats), (12, 3));
    let names: Vec<&str> = scenario
        .axes
        .iter()
        .map(|axis| axis.name.as_str())
        .collect();
    assert_eq!(names, ["cache", "nodes", "operations"]);
    assert_eq!(nodes(&scenario)[..6], [10, 10, 100, 100, 1000, 1000]);
    assert_eq!(scenario.cells[0].engine.cache_bytes, Some(65536));
    assert_eq!(scenario.plots[0].only_where, [(0, 0)]);
    assert_eq!(scenario.cells[1].at[2].value, "6");
    assert_eq!(
        (scenario.name.as_str(), scenario.question.as_str()),
        ("test", "")
    );
}

#[test]
fn the_command_line_changes_values_and_axes() {
    let set = |set: &[&str]| Changes {
        set: set.iter().map(|one| (*one).to_owned()).collect(),
        repeats: Some(2),
        seed: Some(9),
        ..Changes::default()
    };
    let changes = set(&[
        "dataset.nodes=7",
        "phase.read.keys=zipf",
        "engine.page_size=8 KiB",
    ]);
    let scenario = parse_with(SWEPT, &changes).unwrap();
    assert_eq!((nodes(&scenario), scenario.repeats), (vec![7; 4], 2));
    assert_eq!((scenario.seed, scenario.cells[0].seed), (9, 9));
    assert_eq!(scenario.cells[0].engine.cache_bytes, Some(16 * 8192));
    let ranged = set(&["dataset.nodes={ from = 1, to = 4, factor = 2 }"]);
    assert_eq!(parse_with(SWEPT, &ranged).unwrap().axes[1].values.len(), 3);
    let wrong = |one: &str, pieces: &[&str]| {
        let failure = parse_with(SWEPT, &set(&[one])).expect_err("accepted");
        for piece in pieces {
            assert!(
                failure.message.contains(piece),
                "no `{piece}` in\n{failure}"
            );
        }
    };
    wrong(
        "dataset.nods=7",
        &["unknown field `nods`", "--set:1:1", "`nodes`"],
    );
    wrong("phase.raed.keys=zipf", &["no phase named `raed`", "`read`"]);
    wrong("engine.cache", &["`path=value`"]);
    wrong(
        "phase.read.keys=zpif",
        &["unknown variant `zpif`", "--set:1:17", "`zipf`"],
    );
}

#[test]
fn quick_takes_what_the_scenario_has_for_it() {
    let changes = Changes {
        quick: true,
        ..Changes::default()
    };
    let scenario = parse_with(SWEPT, &changes).unwrap();
    assert_eq!((nodes(&scenario), scenario.repeats), (vec![10; 2], 1));
    let twice = SWEPT.replace("[quick]\n", "[quick]\n\"sweep.repeats\" = 2\n");
    assert_eq!(parse_with(&twice, &changes).unwrap().repeats, 2);
    let once = Changes {
        repeats: Some(1),
        ..changes
    };
    assert_eq!(parse_with(&twice, &once).unwrap().repeats, 1);
}

#[test]
fn a_scenario_extends_another() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base.toml");
    std::fs::write(&base, SWEPT).unwrap();
    let parse_here = |text: &str| {
        let path = folder.path().join("over.toml");
        parse(&path, text.to_owned(), &Changes::default(), false)
    };
    let over = "schema = 1\nextends = \"base.toml\"\n[engine]\ndurability = \"none\"\n[[phase]]\nname = \"read\"\nkeys = \"zipf\"\n[[phase]]\nverify = \"all\"\n";
    let scenario = parse_here(over).unwrap();
    assert_eq!((scenario.cells.len(), scenario.checks.len()), (12, 1));
    let cell = &scenario.cells[0];
    let names: Vec<&str> = cell
        .phases
        .iter()
        .map(|phase| phase.name.as_str())
        .collect();
    assert_eq!(names, ["load", "read", "verify"]);
    assert!(matches!(&cell.phases[1].action, Action::Mix(mix) if mix.keys == raw::Keys::Zipf));
    assert_eq!(cell.engine.durability, raw::Durability::None);
    // A mistake in the base is shown in the base.
    std::fs::write(&base, SWEPT.replace("neighbors = 2", "nieghbors = 2")).unwrap();
    let failure = parse_here(over).expect_err("accepted");
    assert!(failure.message.contains("base.toml:18:"), "{failure}");
    let failure = parse_here("extends = \"over.toml\"\n").expect_err("accepted");
    assert!(failure.message.contains("extends itself"), "{failure}");
    let failure = parse_here("extends = \"gone.toml\"\n").expect_err("accepted");
    assert!(
        failure.message.contains("gone.toml") && failure.message.contains(":1:11"),
        "{failure}"
    );
}

/// Each kind of mistake with the place at which it is shown and what is said.
#[test]
// Long because each entry is one mistake.
fn every_kind_of_mistake_is_shown_at_its_place() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("schema = 1", "schema = one", &[":1:10"]),
        (
            "generator = \"power-law\"",
            "generator = \"powerlaw\"",
            &[":3:13", "unknown variant `powerlaw`", "`power-law`"],
        ),
        ("nodes = 100", "nodes = 100\ndegree = -1", &[":5:10", "-1"]),
        (
            "nodes = 100",
            "nodes = 100\nstride = 2",
            &[":5:10", "no effect on the generator `power-law`"],
        ),
        (
            "nodes = 100",
            "nodes = 100\nfile = \"x\"",
            &["a file or generated"],
        ),
        (
            "generator = \"power-law\"\nnodes = 100",
            "seed = 1",
            &["needs `generator` or `file`"],
        ),
        ("repeats = 3", "repeats = 0", &[":6:11", "from 1 to 1000"]),
        ("repeats = 3", "repeat = 3", &[":6:1", "`repeats`"]),
        (
            "[\"16 pages\", \"64 KiB\"]",
            "[\"16 pages\", \"16 pages\"]",
            &[":8:31", "stands on this axis already"],
        ),
        (
            "[\"16 pages\", \"64 KiB\"]",
            "[]",
            &[":8:18", "has 0 values"],
        ),
        (
            "factor = 10",
            "factor = 1",
            &[":9:19", "`factor` more than 1"],
        ),
        (
            "factor = 10",
            "step = 10",
            &[":9:44", "unknown field `step`"],
        ),
        (
            "\"phase.read.operations\" = [5, 6]",
            "\"phase.reed.operations\" = [5, 6]",
            &[":10:1", "no phase named `reed`", "`read`"],
        ),
        (
            "\"phase.read.operations\" = [5, 6]",
            "\"engine.cahce\" = [5, 6]",
            &[":10:1", "unknown field `cahce`", "`cache`"],
        ),
        (
            "mix = { get-node = 1, neighbors = 2 }",
            "mix = { get-nod = 1 }",
            &[":18:9", "unknown operation `get-nod`", "`get-node`"],
        ),
        (
            "mix = { get-node = 1, neighbors = 2 }",
            "mix = {}",
            &["at least one operation"],
        ),
        (
            "mix = { get-node = 1, neighbors = 2 }",
            "mix = { get-node = 0 }",
            &[":18:9", "weight 0"],
        ),
        (
            "mix = { get-node = 1, neighbors = 2 }",
            "mix = 3",
            &[":18:7", "an operation, or a table"],
        ),
        (
            "neighbors = 2 }",
            "delete-node = 2 }\nclients = 3",
            &[":19:11", "cannot share `delete-node`"],
        ),
        (
            "neighbors = 2 }",
            "neighbors = 2 }\nbatch = 3",
            &[":19:9", "writes nothing"],
        ),
        (
            "neighbors = 2 }",
            "neighbors = 2 }\nduration = \"soon\"",
            &["`operations` or after `duration`"],
        ),
        (
            "neighbors = 2 }",
            "neighbors = 2 }\nrate = \"fast\"",
            &[":19:8", "a rate is operations a second"],
        ),
        (
            "neighbors = 2 }",
            "neighbors = 2 }\nhops = 3",
            &[":19:8", "`hops` has no meaning"],
        ),
        (
            "neighbors = 2 }",
            "neighbors = 2 }\nbeside = { delete-node = 1 }",
            &[":19:10", "cannot run beside"],
        ),
        (
            "neighbors = 2 }",
            "scan = 2 }\nbeside = { insert-node = 1 }",
            &["nothing can run beside `scan`"],
        ),
        (
            "\"read.p99_ns\"",
            "\"read.p98_ns\"",
            &[":20:10", "no metric `p98_ns`", "`p90_ns`"],
        ),
        (
            "\"read.p99_ns\"",
            "\"read.scan.p99_ns\"",
            &[":20:10", "no operation `scan`"],
        ),
        (
            "over cache",
            "over page_size",
            &[":21:10", "no axis `page_size`"],
        ),
        ("within 10%", "within ten", &[":21:10", "is no tolerance"]),
        (
            "non-increasing within 10% over cache",
            "<= 3 parsecs",
            &[":21:10", "parsecs"],
        ),
        (
            "x = \"dataset.nodes\"",
            "x = \"dataset.nods\"",
            &[":24:5", "no axis `dataset.nods`", "`dataset.nodes`"],
        ),
        (
            "\"read.p99_ns\"]",
            "\"read.operations\"]",
            &[":25:21", "different units"],
        ),
        (
            "cache = \"16 pages\" }",
            "cache = \"15 pages\" }",
            &[":26:19", "no cell has cache = 15 pages", "`16 pages`"],
        ),
        (
            "cache = \"16 pages\" }",
            "cash = \"16 pages\" }",
            &[":26:11", "no axis `cash`", "`cache`"],
        ),
        (
            "[[check]]",
            "[budget]\ntime = \"long\"\n[[check]]",
            &[":20:8", "a time is"],
        ),
        (
            "[[check]]",
            "[peers]\nwith = [\"sqlight\"]\n[[check]]",
            &[":20:9", "no peer `sqlight`", "`sqlite`"],
        ),
    ];
    let mut missed = Vec::new();
    for (good, bad, pieces) in cases {
        assert!(SWEPT.contains(good), "{good}");
        let said = match parse_text(&SWEPT.replacen(good, bad, 1)) {
            Ok(_) => "accepted".to_owned(),
            Err(failure) => {
                assert_eq!(failure.exit, Exit::Usage, "{failure}");
                failure.message
            }
        };
        let pieces = pieces.iter().chain(&["test.toml:"]);
        let lacking: Vec<_> = pieces.filter(|piece| !said.contains(**piece)).collect();
        if !lacking.is_empty() {
            missed.push(format!("{bad}: no {lacking:?} in\n{said}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
}
