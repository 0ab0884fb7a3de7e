//! Corrupting, checking, inspecting and recovering a database, as the shell sees it.
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
use vellum::{BulkEdge, BulkNode, Database, NodeId};

const NODES: u64 = 3000;

fn lab(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn ends(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = lab(folder, arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}: {said}{wrong}"
    );
    said + &wrong
}

#[track_caller]
fn json(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let arguments = [&["--format", "json"], arguments].concat();
    serde_json::from_str(&ends(folder, &arguments, code)).unwrap()
}

fn node(id: u64) -> NodeId {
    NodeId::new(id).unwrap()
}

/// A folder with a database of a ring, `a.vellum`.
fn ring() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let db = Database::create(folder.path().join("a.vellum")).unwrap();
    let nodes = (1..=NODES).map(|id| {
        Ok(BulkNode {
            id: Some(node(id)),
            kind: "stop".into(),
            name: format!("stop {id}"),
            data: vec![b'x'; 60],
        })
    });
    let edges = (1..=NODES).map(|id| {
        Ok(BulkEdge {
            source: node(id),
            label: "next".into(),
            target: node(id % NODES + 1),
            data: vec![b'y'; 9],
        })
    });
    db.bulk_load(nodes, edges, |_| {}).unwrap();
    db.close().unwrap();
    folder
}

#[test]
fn a_flipped_bit_is_found_and_taken_back() {
    let folder = ring();
    let here = folder.path();
    ends(
        here,
        &[
            "corrupt", "a.vellum", "-o", "b.vellum", "--page", "5", "--bit", "1000",
        ],
        0,
    );
    let (a, b) = (
        fs::read(here.join("a.vellum")).unwrap(),
        fs::read(here.join("b.vellum")).unwrap(),
    );
    let differ: Vec<usize> = (0..a.len()).filter(|i| a[*i] != b[*i]).collect();
    assert_eq!(differ, [5 * 4096 + 125]);
    assert_eq!(a[differ[0]] ^ b[differ[0]], 1);
    let found = json(here, &["check", "b.vellum"], 4);
    assert_eq!(found["sound"], false);
    assert_eq!(found["findings"][0]["page"], 5);
    assert!(
        ends(here, &["inspect", "b.vellum", "pages"], 0).contains("bit 0 of byte 125 is flipped")
    );
    let saved = json(here, &["recover", "b.vellum", "-o", "c.vellum"], 0);
    assert_eq!(
        (&saved["complete"], &saved["nodes"]["saved"]),
        (&true.into(), &NODES.into())
    );
    assert_eq!(
        json(here, &["check", "c.vellum"], 0)["checked"]["edges"],
        NODES
    );
    let differences = ends(here, &["inspect", "a.vellum", "diff", "c.vellum"], 0);
    assert!(
        differences.contains("nodes: the same") && differences.contains("edges: the same"),
        "{differences}"
    );
}

#[test]
fn what_is_lost_is_listed_and_nothing_is_overwritten() {
    let folder = ring();
    let here = folder.path();
    let mut bytes = fs::read(here.join("a.vellum")).unwrap();
    bytes[3 * 4096..][..4096].fill(0xee);
    fs::write(here.join("b.vellum"), &bytes).unwrap();
    let saved = json(here, &["recover", "b.vellum", "-o", "c.vellum"], 4);
    let lost = saved["nodes"]["data_lost"].as_array().unwrap().len() as u64;
    assert!(lost > 10, "{saved}");
    assert_eq!(
        saved["nodes"]["saved"], NODES,
        "names and kinds stand elsewhere too"
    );
    assert_eq!(saved["pages"]["damaged"][0]["page"], 3);
    let text = ends(here, &["recover", "b.vellum", "-o", "d.vellum"], 4);
    assert!(text.contains("a leaf of nodes from id"), "{text}");
    assert_eq!(
        fs::read(here.join("b.vellum")).unwrap(),
        bytes,
        "the damaged file is only read"
    );
    for arguments in [
        &["recover", "a.vellum", "-o", "c.vellum"][..],
        &["recover", "a.vellum", "-o", "a.vellum"],
        &[
            "corrupt", "a.vellum", "-o", "c.vellum", "--page", "2", "--bit", "0",
        ],
        &["inspect", "a.vellum", "map", "--svg", "c.vellum"],
    ] {
        let before = fs::read(here.join("c.vellum")).unwrap();
        assert!(ends(here, arguments, 2).contains("exists already"));
        assert_eq!(fs::read(here.join("c.vellum")).unwrap(), before);
    }
}

#[test]
fn bad_arguments_and_files_that_are_none_are_refused() {
    let folder = ring();
    let here = folder.path();
    fs::write(here.join("noise"), b"\x01\x02".repeat(9000)).unwrap();
    assert!(ends(here, &["recover", "noise", "-o", "x"], 4).contains("nothing"));
    assert!(!here.join("x").exists());
    assert!(ends(here, &["recover", "absent", "-o", "x"], 2).contains("absent"));
    let corrupt = |page, bit| {
        ends(
            here,
            &[
                "corrupt", "a.vellum", "-o", "x", "--page", page, "--bit", bit,
            ],
            2,
        )
    };
    assert!(corrupt("99999", "0").contains("there is no page 99999"));
    assert!(corrupt("2", "32768").contains("32768 bits"));
    assert!(!here.join("x").exists());
    assert!(ends(here, &["inspect", "a.vellum", "tree", "nods"], 2).contains("no key space"));
}

/// Without both header slots the engine refuses, and the pages still tell everything.
#[test]
fn a_file_without_header_is_shown_checked_and_saved() {
    let folder = ring();
    let here = folder.path();
    let mut bytes = fs::read(here.join("a.vellum")).unwrap();
    bytes[..8192].fill(0);
    fs::write(here.join("b.vellum"), &bytes).unwrap();
    assert!(
        ends(here, &["inspect", "b.vellum", "info"], 0).contains("as the pages' checksums tell")
    );
    assert_eq!(
        json(here, &["inspect", "b.vellum", "pages"], 0)[0]["kind"],
        "sorted"
    );
    let saved = json(here, &["recover", "b.vellum", "-o", "c.vellum"], 4);
    assert_eq!(
        (&saved["nodes"]["saved"], &saved["edges"]["saved"]),
        (&NODES.into(), &NODES.into())
    );
    ends(here, &["check", "c.vellum"], 0);
}

/// Colours only where they are asked for: a pipe gets none.
#[test]
fn colours_are_for_terminals() {
    let folder = ring();
    let here = folder.path();
    let map = &["inspect", "a.vellum", "map"][..];
    assert!(!ends(here, map, 0).contains('\u{1b}'));
    assert!(ends(here, &[map, &["--color", "always"]].concat(), 0).contains("\u{1b}["));
    assert!(!ends(here, &[map, &["--color", "never"]].concat(), 0).contains('\u{1b}'));
}

/// The log of a database that was moved away is not swept aside by whatever takes its name.
#[test]
fn a_log_without_its_database_is_not_replaced() {
    let folder = ring();
    let here = folder.path();
    fs::write(here.join("b.vellum-log"), b"commits").unwrap();
    let said = ends(here, &["recover", "a.vellum", "-o", "b.vellum"], 2);
    assert!(said.contains("without its database"), "{said}");
    fs::write(
        here.join("nodes.jsonl"),
        "{\"id\":1,\"kind\":\"a\",\"name\":\"b\"}\n",
    )
    .unwrap();
    ends(here, &["import", "nodes.jsonl", "-o", "b.vellum"], 2);
    assert_eq!(fs::read(here.join("b.vellum-log")).unwrap(), b"commits");
    assert!(!here.join("b.vellum").exists());
}

/// As a process leaves it that is killed after some commits.
fn with_log(here: &Path) {
    let db = Database::open(here.join("a.vellum")).unwrap();
    for number in 0..8 {
        let mut txn = db.begin_write().unwrap();
        txn.insert_node("late", &format!("late {number}"), b"")
            .unwrap();
        txn.commit().unwrap();
    }
    for name in ["a.vellum", "a.vellum-log"] {
        fs::copy(here.join(name), here.join(name.replace("a.", "live."))).unwrap();
    }
    db.close().unwrap();
}

#[test]
fn what_is_wrong_with_a_log_is_found_and_what_can_be_read_of_it_is_saved() {
    let folder = ring();
    let here = folder.path();
    with_log(here);
    let whole = fs::read(here.join("live.vellum-log")).unwrap();
    let damaged = |bytes: &[u8]| fs::write(here.join("live.vellum-log"), bytes).unwrap();
    let wal = json(here, &["inspect", "live.vellum", "wal"], 0);
    let segments = wal["segments"].as_array().unwrap().iter();
    let mut used = segments.filter_map(|segment| segment["records"].as_array());
    let records = used.next().unwrap();
    assert_eq!(records.len(), 8);
    let offset = |number: usize| records[number]["offset"].as_u64().unwrap() as usize;

    // A bit of a record: read all the same, and told of.
    let mut bytes = whole.clone();
    bytes[offset(3) + 20] ^= 4;
    damaged(&bytes);
    let found = json(here, &["check", "live.vellum"], 4);
    assert!(
        found["findings"][0]["what"]
            .as_str()
            .unwrap()
            .contains("bit 2 of byte 20"),
        "{found}"
    );
    let saved = json(here, &["recover", "live.vellum", "-o", "bit.vellum"], 0);
    assert_eq!(saved["nodes"]["saved"], NODES + 8);
    assert_eq!(saved["pages"]["mended"].as_array().unwrap().len(), 1);

    // A bit of the segment's header.
    let mut bytes = whole.clone();
    bytes[offset(0) - 68] ^= 1;
    damaged(&bytes);
    let saved = json(here, &["recover", "live.vellum", "-o", "header.vellum"], 0);
    assert_eq!(saved["nodes"]["saved"], NODES + 8);
    assert!(ends(here, &["inspect", "live.vellum", "wal"], 0).contains("bit 0 of byte 60"));

    // A whole record lost: the others are replayed, and the gap is told of.
    let mut bytes = whole.clone();
    bytes[offset(3)..offset(4)].fill(0xee);
    damaged(&bytes);
    let saved = json(here, &["recover", "live.vellum", "-o", "gap.vellum"], 4);
    assert_eq!(saved["nodes"]["saved"], NODES + 7);
    let problem = saved["log"]["problem"].as_str().unwrap();
    assert!(problem.contains("are lost"), "{problem}");
    assert!(
        ends(here, &["inspect", "live.vellum", "wal"], 0).contains("4 whole records behind it")
    );

    // Cut in the middle of the last one, as a crash would: nothing is wrong, and it is told.
    let cut = &whole[..offset(7) + 16];
    damaged(cut);
    let saved = json(here, &["recover", "live.vellum", "-o", "torn.vellum"], 0);
    assert_eq!(saved["nodes"]["saved"], NODES + 7);
    assert!(
        saved["log"]["end"]
            .as_str()
            .unwrap()
            .contains("is not whole"),
        "{saved}"
    );

    // The log is gone.
    fs::remove_file(here.join("live.vellum-log")).unwrap();
    let said = ends(here, &["recover", "live.vellum", "-o", "none.vellum"], 4);
    assert!(
        said.contains("is not among them") && !said.contains("of as many"),
        "{said}"
    );
}

#[test]
fn a_damaged_header_shows_on_the_map_and_in_the_check() {
    let folder = ring();
    let here = folder.path();
    let mut bytes = fs::read(here.join("a.vellum")).unwrap();
    bytes[4096..][..512].fill(0);
    fs::write(here.join("one.vellum"), &bytes).unwrap();
    bytes[..512].fill(0);
    fs::write(here.join("both.vellum"), &bytes).unwrap();
    fs::write(here.join("empty.vellum"), b"").unwrap();
    for (name, damaged) in [("a", 0), ("one", 1), ("both", 2), ("empty", 0)] {
        let file = format!("{name}.vellum");
        let map = json(here, &["inspect", &file, "map"], 0);
        let pages = map["pages"].as_array().unwrap();
        let count = pages
            .iter()
            .take(2)
            .filter(|class| **class == "damaged")
            .count();
        assert_eq!(count, damaged, "{name}");
        assert_eq!(pages.is_empty(), name == "empty");
    }
    let found = json(here, &["check", "both.vellum"], 4);
    assert!(!found["findings"].as_array().unwrap().is_empty());
    ends(here, &["check", "empty.vellum"], 2);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let made = Command::new("mkfifo").arg(here.join("pipe")).status();
    if made.is_ok_and(|status| status.success()) {
        for arguments in [
            ["inspect", "pipe", "info"],
            ["recover", "pipe", "-onew"],
            ["check", "pipe", "-q"],
        ] {
            ends(here, &arguments, 2);
        }
    }
    ends(here, &["inspect", ".", "info"], 2);
}
