#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use vellum::format::header::{Header, Root};
use vellum::format::log::{RecordHeader, RecordKind, SegmentHeader, encode_record};
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::seal;
use vellum::format::sorted::SortedBuilder;
use vellum::{KeySpace, PageRef};

use super::*;

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

fn look(path: &Path, what: Inspect) -> String {
    inspect(path, &what, true).unwrap().text
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
            "sorted: whole",
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
            "commit        4",
            "1 delete node",
            "nothing but zeros follows",
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
        &["not a valid page"],
    );
    holds(
        &look(&path, Inspect::Node { id: 7 }),
        &["page 2 (birth 5):"],
    );
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    holds(&look(&path, Inspect::Info), &["slot 0: "]);
    holds(
        &look(&path, Inspect::Node { id: 7 }),
        &["no usable header slot"],
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
        for what in [
            Inspect::Info,
            Inspect::Pages,
            Inspect::Node { id: 7 },
            Inspect::Wal,
        ] {
            inspect(&path, &what, true).unwrap();
        }
        // A page beyond the end is the one thing that cannot be shown.
        let _ = inspect(&path, &Inspect::Page { number: 2 }, true);
    };
    for cut in (0..600).chain([4096, 5000, 8192, 9000]) {
        fs::write(&path, &whole[..cut]).unwrap();
        look_at_all();
    }
    for at in (0..512).chain(8192..8300) {
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
    assert!(inspect(&folder.path().join("none"), &Inspect::Info, false).is_err());
    assert!(inspect(&path, &Inspect::Page { number: 3 }, false).is_err());
    assert!(inspect(&path, &Inspect::Node { id: 0 }, false).is_err());
}
