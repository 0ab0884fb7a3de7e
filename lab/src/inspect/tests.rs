#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use vellum::format::header::{Header, Root};
use vellum::format::log::{RecordHeader, RecordKind, SegmentHeader, encode_record};
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::seal;
use vellum::format::sorted::SortedBuilder;
use vellum::{KeySpace, PageRef};

use super::*;
use crate::cli::{MapArgs, MapBy, TreeArgs};
use std::path::Path;

#[path = "map/tests.rs"]
mod pictures;

const ID: [u8; 16] = [7; 16];

fn header() -> Header {
    let mut roots = [Root::default(); 7];
    roots[KeySpace::Nodes.index()] = Root {
        page: PageRef::new(2, 5),
        height: 1,
        entries: 1,
        pages: 1,
    };
    Header {
        page_size: 4096,
        name_index: true,
        unique_edges: false,
        log_segment_bytes: 65536,
        file_id: ID,
        sequence: 4,
        birth_limit: 100,
        page_count: 3,
        next_node: 10,
        node_count: 1,
        edge_count: 0,
        commit: 3,
        log_generation: 1,
        log_position: 128,
        log_chain: 0,
        kind_count: 1,
        label_count: 0,
        freelist: None,
        free_pages: 0,
        roots,
    }
}

/// A database of one node with a log of one commit, in a folder of its own.
fn sample() -> (tempfile::TempDir, std::path::PathBuf) {
    let mut file = vec![0; 3 * 4096];
    file[..512].copy_from_slice(&header().encode());
    let mut leaf = SortedBuilder::new(4096, KeySpace::Nodes, 0);
    let mut cell = Vec::new();
    NodeCell {
        kind: 0,
        name: "libc6",
        data: Data::Inline(b"{\"a\":1}"),
    }
    .encode(&mut cell);
    assert!(leaf.push(&[0, 0, 0, 0, 0, 7], &cell));
    let mut page = leaf.finish();
    seal(&mut page, PageRef::new(2, 5).unwrap(), &ID);
    file[2 * 4096..].copy_from_slice(&page);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.vellum");
    fs::write(&path, file).unwrap();
    let segment = SegmentHeader {
        file_id: ID,
        generation: 2,
        salt: 9,
        base: 128,
        previous_chain: 0,
    };
    let mut log = segment.encode().to_vec();
    let record = RecordHeader {
        kind: RecordKind::Commit,
        position: 128,
        durable_to: 128,
        commit: 4,
        chain: segment.checksum(),
    };
    // Delete node 7, then the totals.
    encode_record(&mut log, &segment, &record, &[4, 7, 13, 10, 0, 0]);
    log.resize(65536, 0);
    fs::write(folder.path().join("a.vellum-log"), log).unwrap();
    (folder, path)
}

const PLAIN: Look = Look {
    paint: Paint { on: false },
    verbose: true,
    redact: false,
};

fn seen(path: &Path, what: &Inspect, look: Look) -> Result<View, Failure> {
    inspect(&Source::open(path)?, what, look)
}

fn look(path: &Path, what: Inspect) -> String {
    seen(path, &what, PLAIN).unwrap().text
}

fn map(by: MapBy) -> Inspect {
    Inspect::Map(MapArgs {
        by,
        svg: None,
        trace: None,
        columns: 64,
    })
}

/// Every view that shows something of any file.
fn every_view() -> Vec<Inspect> {
    let tree = |space: Option<&str>, dot| {
        Inspect::Tree(TreeArgs {
            space: space.map(str::to_owned),
            dot,
        })
    };
    let mut views = vec![
        Inspect::Info,
        Inspect::Stats,
        Inspect::Pages,
        Inspect::Node { id: 7 },
        tree(None, false),
        tree(Some("nodes"), true),
        Inspect::Wal,
        Inspect::Why { number: 0 },
    ];
    views.extend(
        [
            MapBy::Kind,
            MapBy::Fill,
            MapBy::Birth,
            MapBy::Space,
            MapBy::Owner,
            MapBy::Damage,
        ]
        .map(map),
    );
    views
}

#[track_caller]
fn holds(text: &str, pieces: &[&str]) {
    for piece in pieces {
        assert!(text.contains(piece), "no `{piece}` in\n{text}");
    }
}

#[test]
fn everything_of_a_sound_file_is_shown() {
    let (_folder, path) = sample();
    holds(
        &look(&path, Inspect::Info),
        &[
            "slot 0: state 4 (newest), commit 3",
            "slot 1: not a Vellum",
            "1 nodes, 0 edges",
        ],
    );
    holds(&look(&path, Inspect::Pages), &["sorted", "nodes", "whole"]);
    holds(
        &look(&path, Inspect::Page { number: 2 }),
        &[
            "sorted, leaf of nodes, direct mode: ",
            "whole",
            "name \"libc6\"",
            "birth       5 (0x5)",
            "2000",
        ],
    );
    holds(
        &look(&path, Inspect::Node { id: 7 }),
        &["nodes: pages 2", "\"libc6\"", "out: pages –"],
    );
    holds(&look(&path, Inspect::Node { id: 8 }), &["nothing stored"]);
    holds(
        &look(&path, Inspect::Wal),
        &[
            "generation 2",
            "commit         4",
            "1 delete node",
            "nothing was begun after them",
        ],
    );
}

#[test]
fn damage_is_shown_and_never_an_error() {
    let (_folder, path) = sample();
    let mut bytes = fs::read(&path).unwrap();
    bytes[2 * 4096 + 100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    holds(&look(&path, Inspect::Pages), &["damaged:"]);
    holds(
        &look(&path, Inspect::Page { number: 2 }),
        &[
            "damaged: bit 0 of byte 100 is flipped",
            "\"libc6\"",
            "byte 100 was 00",
        ],
    );
    holds(
        &look(&path, Inspect::Node { id: 7 }),
        &["page 2 (birth 5):"],
    );
    bytes[2 * 4096 + 101] ^= 1;
    fs::write(&path, &bytes).unwrap();
    holds(
        &look(&path, Inspect::Page { number: 2 }),
        &["not a valid page"],
    );
    holds(
        &look(&path, Inspect::Why { number: 2 }),
        &["the root of nodes", "damaged:", "state 4"],
    );
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    holds(&look(&path, Inspect::Info), &["slot 0: "]);
    holds(
        &look(&path, Inspect::Node { id: 7 }),
        &["no usable header slot"],
    );
    let stats = look(&path, Inspect::Stats);
    holds(
        &stats,
        &["no usable header slot", "pages that nothing reaches"],
    );
    assert!(!stats.contains("items"), "{stats}");
}

#[test]
fn a_log_that_is_not_there_is_told_from_one_that_is_missing() {
    let (folder, path) = sample();
    fs::remove_file(folder.path().join("a.vellum-log")).unwrap();
    holds(&look(&path, Inspect::Wal), &["no log", "so it is missing"]);
    let mut bytes = fs::read(&path).unwrap();
    let closed = Header {
        log_generation: 0,
        log_position: 0,
        ..header()
    };
    bytes[..512].copy_from_slice(&closed.encode());
    fs::write(&path, &bytes).unwrap();
    holds(&look(&path, Inspect::Wal), &["no log", "closed cleanly"]);
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    holds(
        &look(&path, Inspect::Wal),
        &["no log", "no usable header slot"],
    );
}

/// Every cut of the file and of the log, and a flip in every byte that matters: no panic, no error.
#[test]
fn nothing_makes_it_fail() {
    let (folder, path) = sample();
    let whole = fs::read(&path).unwrap();
    let log_path = folder.path().join("a.vellum-log");
    let log = fs::read(&log_path).unwrap();
    let look_at_all = || {
        for what in every_view() {
            seen(&path, &what, PLAIN).unwrap();
        }
        // A page beyond the end is the one thing that cannot be shown.
        let _ = seen(&path, &Inspect::Page { number: 2 }, PLAIN);
    };
    for cut in (0..600).step_by(7).chain([4096, 5000, 8192, 9000]) {
        fs::write(&path, &whole[..cut]).unwrap();
        look_at_all();
    }
    for at in (0..512).step_by(3).chain(8192..8300) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&path, bytes).unwrap();
        look_at_all();
    }
    fs::write(&path, &whole).unwrap();
    for at in 0..200 {
        let mut bytes = log.clone();
        bytes[at] ^= 0xff;
        fs::write(&log_path, &bytes).unwrap();
        look_at_all();
        fs::write(&log_path, &log[..at]).unwrap();
        look_at_all();
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let (folder, path) = sample();
    assert!(seen(&folder.path().join("none"), &Inspect::Info, PLAIN).is_err());
    assert!(seen(&path, &Inspect::Page { number: 3 }, PLAIN).is_err());
    assert!(seen(&path, &Inspect::Node { id: 0 }, PLAIN).is_err());
}

#[test]
fn trees_owners_and_maps_are_drawn() {
    let (_folder, path) = sample();
    holds(
        &look(
            &path,
            Inspect::Tree(TreeArgs {
                space: None,
                dot: false,
            }),
        ),
        &[
            "nodes: 1 entries in 1 pages, height 1",
            "page 2  leaf, 1 items",
        ],
    );
    let dot = look(
        &path,
        Inspect::Tree(TreeArgs {
            space: None,
            dot: true,
        }),
    );
    holds(&dot, &["digraph vellum {", "header -> p2 [label=\"nodes\""]);
    let why = look(&path, Inspect::Why { number: 2 });
    holds(
        &why,
        &[
            "page 2: the root of nodes",
            "leaf of nodes, the root, birth 5",
        ],
    );
    holds(
        &look(&path, map(MapBy::Space)),
        &["        0  HXn", " n  nodes "],
    );
    let unknown = Inspect::Tree(TreeArgs {
        space: Some("edges".to_owned()),
        dot: false,
    });
    assert!(seen(&path, &unknown, PLAIN).is_err());
}

#[test]
fn a_picture_is_one_file_and_overwrites_none() {
    let (folder, path) = sample();
    let svg = folder.path().join("map.svg");
    let drawn = Inspect::Map(MapArgs {
        by: MapBy::Kind,
        svg: Some(svg.clone()),
        trace: None,
        columns: 64,
    });
    holds(&look(&path, drawn), &["map.svg"]);
    let picture = fs::read_to_string(&svg).unwrap();
    holds(
        &picture,
        &[
            "prefers-color-scheme: dark",
            "page 2: sorted of nodes, 1 entries",
            "</svg>",
        ],
    );
    let tags = picture.split('<').skip(1);
    assert!(
        tags.into_iter()
            .all(|tag| tag.starts_with(|first: char| first.is_ascii_lowercase() || first == '/')),
        "not XML"
    );
    let again = Inspect::Map(MapArgs {
        by: MapBy::Kind,
        svg: Some(svg),
        trace: None,
        columns: 64,
    });
    assert!(
        seen(&path, &again, PLAIN).is_err(),
        "nothing is overwritten"
    );
}

/// With --redact no byte of a name or of data is left in any view, and structure is.
#[test]
fn redacted_views_hold_no_contents() {
    let (_folder, path) = sample();
    let redacted = Look {
        redact: true,
        ..PLAIN
    };
    let mut views = every_view();
    views.push(Inspect::Page { number: 2 });
    for what in views {
        let view = seen(&path, &what, redacted).unwrap();
        let json = serde_json::to_string(&view.json).unwrap();
        for text in [&view.text, &json] {
            assert!(
                !text.contains("libc6") && !text.contains("6c 69 62") && !text.contains("\\\"a"),
                "{text}"
            );
        }
    }
    let page = seen(&path, &Inspect::Page { number: 2 }, redacted)
        .unwrap()
        .text;
    holds(
        &page,
        &[
            "kind 0, name ‹5 bytes›, data ‹7 bytes›",
            "01 01 00 00 01 00",
            "·· ··",
        ],
    );
}

/// Large data stands in pages of its own, elsewhere in each file: its bytes are compared, not its place.
#[test]
fn large_data_is_compared_by_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let build = |name: &str, before: usize, last: u8| {
        let path = folder.path().join(name);
        let database = vellum::Database::create(&path).unwrap();
        let mut txn = database.begin_write().unwrap();
        let mut data = vec![7; 20_000];
        data[19_999] = last;
        txn.insert_node("filler", "x", &vec![1; before]).unwrap();
        let node = txn.insert_node("large", "y", &data).unwrap();
        txn.insert_edge(node, "self", node, &data).unwrap();
        txn.commit().unwrap();
        database.close().unwrap();
        path
    };
    let a = build("a", 9_000, 7);
    let (moved, other) = (build("b", 30_000, 7), build("c", 9_000, 8));
    let text = look(&a, Inspect::Diff { other: moved });
    holds(&text, &["1 changed\n  ~ node 1\n", "edges: the same"]);
    let text = look(&a, Inspect::Diff { other });
    holds(&text, &["1 changed\n  ~ node 2\n", "~ edge 2 –0→ 2 #0"]);
}

#[test]
fn two_files_are_compared_by_page_and_by_item() {
    let (folder, path) = sample();
    let other = folder.path().join("b.vellum");
    let mut bytes = fs::read(&path).unwrap();
    fs::write(&other, &bytes).unwrap();
    let same = look(
        &path,
        Inspect::Diff {
            other: other.clone(),
        },
    );
    holds(
        &same,
        &["0 pages differ", "nodes: the same", "edges: the same"],
    );
    let mut leaf = SortedBuilder::new(4096, KeySpace::Nodes, 0);
    let mut cell = Vec::new();
    NodeCell {
        kind: 0,
        name: "libc7",
        data: Data::EMPTY,
    }
    .encode(&mut cell);
    for id in [7, 8] {
        assert!(leaf.push(&[0, 0, 0, 0, 0, id], &cell));
    }
    let mut page = leaf.finish();
    seal(&mut page, PageRef::new(2, 5).unwrap(), &ID);
    bytes[2 * 4096..].copy_from_slice(&page);
    fs::write(&other, &bytes).unwrap();
    let text = look(&path, Inspect::Diff { other });
    holds(
        &text,
        &[
            "1 pages differ",
            "nodes: 0 only in a, 1 only in b, 1 changed",
            "+ node 8",
            "~ node 7",
        ],
    );
}

#[test]
fn colours_add_nothing_but_colours() {
    let (_folder, path) = sample();
    let coloured = Look {
        paint: Paint { on: true },
        ..PLAIN
    };
    let mut views = every_view();
    views.push(Inspect::Page { number: 2 });
    for what in views {
        let text = seen(&path, &what, coloured).unwrap().text;
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain += before;
            rest = after.split_once('m').unwrap().1;
        }
        plain += rest;
        assert_eq!(plain, seen(&path, &what, PLAIN).unwrap().text);
    }
}
