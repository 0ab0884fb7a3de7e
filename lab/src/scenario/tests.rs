#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use crate::failure::Exit;

use super::plan::Action;
use super::*;

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

fn parse_text(text: &str) -> Result<Plan, Failure> {
    parse(&scenarios().join("test.toml"), text.to_owned(), false)
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
    let plan = parse_text(SMALL).unwrap();
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
            let plan = load(&path, false).unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(
                Some(plan.name.as_str()),
                path.file_stem().and_then(|stem| stem.to_str())
            );
            let first = plan.text.lines().next().unwrap_or_default();
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
        &SMALL.replace("name = \"small\"\n", ""),
        &["missing field `name`"],
    );
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
    assert!(matches!(plan.phases[1].action, Action::Kill(kill) if kill.rounds == 2));
}

#[test]
fn engine_options_have_limits() {
    let engine = |line: &str| with(&format!("[engine]\n{line}\n"));
    let plan = parse_text(&engine(
        "page_size = \"16 KiB\"\ncache = 1048576\ndurability = \"none\"",
    ))
    .unwrap();
    assert_eq!(
        (plan.engine.page_size, plan.engine.cache_bytes),
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
    assert!(failure.message.contains("data/absent"));
}
