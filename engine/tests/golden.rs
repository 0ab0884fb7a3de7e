//! Files of format version 1 open for ever.
//!
//! `golden/` holds small databases as they were written once, some with the log of a process that was
//! killed, and beside each a listing of everything in it. Every test works on copies in memory.
//!
//! ```text
//! VELLUM_GOLDEN=write cargo test -p vellum --test golden -- the_present_code
//! ```
//!
//! writes the images of [`IMAGES`] that are not there yet. It never replaces one: a file that can no
//! longer be read as its listing says is a broken promise, not an outdated file.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::disk::SyncedDisk;
use common::{dump, id};
use vellum::format::changes::{OpReader, TAGS};
use vellum::format::log::{RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, decode_record};
use vellum::storage::MemoryDirectory;
use vellum::{
    Builder, BulkEdge, BulkNode, CheckpointMode, Database, Error, NodeId, NodeUpdate, ReadTxn,
    WriteTxn,
};

/// The least that a log segment may have.
const SEGMENT: u32 = 64 << 10;

type Generator = fn() -> Image;

/// Name and generator of every image.
const IMAGES: [(&str, Generator); 4] = [
    ("everyday", everyday),
    ("bulk", bulk),
    ("wide", wide),
    ("logged", logged),
];

/// A database file, and its log if it was not closed.
struct Image {
    database: Vec<u8>,
    log: Option<Vec<u8>>,
}

impl Image {
    fn of(files: &MemoryDirectory) -> Image {
        Image {
            database: files.contents("image").unwrap(),
            log: files.contents("image-log").map(first_half),
        }
    }

    fn directory(&self) -> MemoryDirectory {
        let directory = MemoryDirectory::new();
        directory.put("image", self.database.clone());
        if let Some(log) = &self.log {
            directory.put("image-log", log.clone());
        }
        directory
    }

    fn builder(&self) -> Builder {
        Database::builder().in_directory(Arc::new(self.directory()))
    }
}

/// The records of the log's first half. What follows them there is zeros, and the other half belongs
/// to a segment that recovery does not need: neither is worth keeping.
fn first_half(log: Vec<u8>) -> Vec<u8> {
    let half = &log[..log.len().min(SEGMENT as usize)];
    let end = half.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    half[..end.next_multiple_of(512)].to_vec()
}

fn builder(file_id: &[u8; 16]) -> Builder {
    Database::builder()
        .file_id(*file_id)
        .log_segment_bytes(SEGMENT)
        .checkpoint(CheckpointMode::Inline)
}

fn pattern(len: usize, salt: u8) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8 ^ salt).collect()
}

/// Runs one transaction.
fn commit(db: &Database, changes: impl FnOnce(&mut WriteTxn)) {
    let mut txn = db.begin_write().unwrap();
    changes(&mut txn);
    txn.commit().unwrap();
}

/// Nodes and edges as they come and go: parallel edges, loops, a node with many neighbours, blobs,
/// deleted nodes, reserved ids and some of them used, names of every length.
fn everyday() -> Image {
    let files = MemoryDirectory::new();
    let builder = builder(b"golden: everyday").in_directory(Arc::new(files.clone()));
    let db = builder.create("image").unwrap();
    commit(&db, |txn| {
        for (kind, name) in [("city", "Lyon"), ("city", "Turin"), ("river", "Rhône")] {
            txn.insert_node(kind, name, b"{}").unwrap();
        }
        txn.insert_node("empty", "", b"").unwrap();
        txn.insert_node("long", &"n".repeat(1_024), &pattern(512, 1))
            .unwrap();
        txn.insert_node("blob", "Lyon", &pattern(3_000, 2)).unwrap();
        for number in 0..30 {
            let spoke = txn.insert_node("spoke", &format!("spoke {number}"), b"");
            txn.insert_edge(id(1), "reaches", spoke.unwrap(), &[number])
                .unwrap();
        }
    });
    commit(&db, |txn| {
        let parallel: [&[u8]; 3] = [b"first", b"second", &pattern(2_000, 3)];
        for data in parallel {
            txn.insert_edge(id(1), "rail", id(2), data).unwrap();
        }
        txn.insert_edge(id(3), "loops", id(3), b"").unwrap();
        txn.insert_edge(id(3), "loops", id(3), b"again").unwrap();
        txn.insert_edge(id(2), &"l".repeat(255), id(4), b"long label")
            .unwrap();
        txn.reserve_ids(6).unwrap();
    });
    commit(&db, |txn| {
        for gone in [8, 9, 20] {
            assert!(txn.delete_node(id(gone)).unwrap());
        }
        assert!(txn.delete_edge(id(1), "rail", id(2), 1).unwrap());
        txn.insert_node_with_id(id(39), "city", "placed", b"")
            .unwrap();
        txn.insert_node_with_id(id(50), "city", "far away", b"")
            .unwrap();
        txn.update_node(id(2), NodeUpdate::new().name("Torino").kind("town"))
            .unwrap();
    });
    db.close().unwrap();
    Image::of(&files)
}

fn bulk_node(number: u64) -> BulkNode {
    BulkNode {
        id: id_with_gap(number),
        kind: format!("kind {}", number % 3),
        name: format!("node {}", number % 50),
        data: pattern(100, number as u8),
    }
}

/// Ids of bulk loaded nodes, with a gap after the tenth.
fn id_with_gap(number: u64) -> Option<NodeId> {
    NodeId::new(if number <= 10 { number } else { number + 7 })
}

/// A bulk load into a database with unique edges, cut where its record in the log is durable and the
/// header slot is not written yet. Recovery takes the state from the record.
fn bulk() -> Image {
    let disk = SyncedDisk::default();
    let builder = builder(b"golden: the bulk").in_directory(disk.directory());
    let db = builder.unique_edges(true).create("image").unwrap();
    // The first checkpoint moves the log to its first half.
    commit(&db, |txn| assert_eq!(txn.reserve_ids(1).unwrap(), 1..2));
    db.checkpoint().unwrap();
    let edges = (0..90u64).map(|number| {
        Ok(BulkEdge {
            source: id_with_gap(number * 5 % 60 + 2).unwrap(),
            label: format!("label {}", number % 2),
            target: id_with_gap(number * number % 60 + 2).unwrap(),
            data: pattern(number as usize % 9, 5),
        })
    });
    db.bulk_load((2..=61).map(|n| Ok(bulk_node(n))), edges, |_| {})
        .unwrap();
    let history = disk.history();
    let (_, files) = history
        .iter()
        .rfind(|(name, _)| name == "image-log")
        .unwrap();
    Image::of(files)
}

/// Pages of 16 KiB, no name index, and data that stands in its leaf only because pages are large.
fn wide() -> Image {
    let files = MemoryDirectory::new();
    let builder = builder(b"golden: the wide").in_directory(Arc::new(files.clone()));
    let builder = builder.page_size(16_384).name_index(false);
    let db = builder.create("image").unwrap();
    commit(&db, |txn| {
        for number in 0..5u8 {
            let (kind, name) = (format!("kind {}", number % 2), format!("wide {number}"));
            txn.insert_node(&kind, &name, &pattern(2_044 + usize::from(number), number))
                .unwrap();
        }
    });
    db.close().unwrap();
    Image::of(&files)
}

/// A log with every operation in it, over trees that hold next to nothing.
fn logged() -> Image {
    let files = MemoryDirectory::new();
    let builder = builder(b"golden: the logs").in_directory(Arc::new(files.clone()));
    let db = builder.create("image").unwrap();
    commit(&db, |txn| assert_eq!(txn.reserve_ids(5).unwrap(), 1..6));
    db.checkpoint().unwrap();
    commit(&db, |txn| {
        for number in 0..6u8 {
            let name = format!("logged {number}");
            txn.insert_node("kind", &name, &pattern(40, number))
                .unwrap();
        }
        for (from, to) in [(6, 7), (6, 7), (7, 7), (8, 9)] {
            txn.insert_edge(id(from), "links", id(to), b"data").unwrap();
        }
    });
    commit(&db, |txn| {
        txn.update_node(id(6), NodeUpdate::new().kind("other").name("renamed"))
            .unwrap();
        assert!(txn.delete_edge(id(6), "links", id(7), 0).unwrap());
        assert!(txn.update_edge(id(7), "links", id(7), 0, b"new").unwrap());
    });
    commit(&db, |txn| {
        assert!(txn.delete_node(id(8)).unwrap());
        txn.insert_node_with_id(id(3), "kind", "placed", &pattern(700, 9))
            .unwrap();
    });
    // Using up the whole run of an absent id takes the run away.
    commit(&db, |txn| {
        for number in [1, 2] {
            txn.insert_node_with_id(id(number), "kind", "placed", b"")
                .unwrap();
        }
    });
    Image::of(&files)
}

/// FNV-1a, 64 bits.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// A string as it is if short, else its length and digest.
fn text(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if text.len() <= 40 => format!("{text:?}"),
        _ => format!("{} bytes {:016x}", bytes.len(), digest(bytes)),
    }
}

fn names(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| text(name.as_bytes())).collect();
    names.join(", ")
}

/// Everything that can be read from a snapshot.
fn list_graph(out: &mut String, db: &Database, txn: &ReadTxn) {
    let options = db.options();
    let id_hex: String = options.file_id.map(|byte| format!("{byte:02x}")).concat();
    writeln!(out, "file id {id_hex}").unwrap();
    writeln!(out, "page size {}", options.page_size).unwrap();
    writeln!(out, "log segment {}", options.log_segment_bytes).unwrap();
    writeln!(out, "name index {}", options.name_index).unwrap();
    writeln!(out, "unique edges {}", options.unique_edges).unwrap();
    writeln!(out, "commit {}", txn.commit_number()).unwrap();
    writeln!(out, "nodes {}", txn.node_count()).unwrap();
    writeln!(out, "edges {}", txn.edge_count()).unwrap();
    writeln!(out, "next id {}", txn.next_id()).unwrap();
    writeln!(out, "kinds {}", names(&txn.kinds().unwrap())).unwrap();
    writeln!(out, "labels {}", names(&txn.labels().unwrap())).unwrap();
    let model = dump(txn, options.unique_edges, options.name_index).unwrap();
    for (number, node) in &model.nodes {
        let (kind, name) = (text(node.kind.as_bytes()), text(node.name.as_bytes()));
        writeln!(out, "node {number}: {kind} {name} {}", text(&node.data)).unwrap();
    }
    for ((source, label, target, ordinal), data) in &model.edges {
        let label = text(label.as_bytes());
        let data = text(data);
        writeln!(out, "edge {source} {label} {target} #{ordinal}: {data}").unwrap();
    }
}

/// Ids that name no node: reserved ones can be used, deleted ones cannot.
fn list_absent(out: &mut String, db: &Database) {
    let mut txn = db.begin_write().unwrap();
    let next = db.begin_read().unwrap().next_id();
    let absent = (1..next).filter(|number| !txn.contains_node(id(*number)).unwrap());
    for number in absent.collect::<Vec<_>>() {
        let state = match txn.insert_node_with_id(id(number), "tried", "", b"") {
            Ok(()) => "reserved",
            Err(Error::Usage(_)) => "deleted",
            Err(error) => panic!("id {number}: {error}"),
        };
        writeln!(out, "id {number}: {state}").unwrap();
    }
}

/// The listing of an image: what a handle that may not write sees, and then one that may.
fn listing(image: &Image) -> String {
    let db = image.builder().open_read_only("image").unwrap();
    assert_eq!(db.check().unwrap().findings, []);
    let mut out = String::new();
    match db.recovery() {
        Some(found) => writeln!(out, "log of {} records", found.records).unwrap(),
        None => writeln!(out, "no log").unwrap(),
    }
    list_graph(&mut out, &db, &db.begin_read().unwrap());
    let db = image.builder().open("image").unwrap();
    let mut again = out.lines().next().unwrap().to_owned() + "\n";
    list_graph(&mut again, &db, &db.begin_read().unwrap());
    assert_eq!(again, out, "opened for writing");
    list_absent(&mut out, &db);
    out
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Every image in the folder, with its listing.
fn golden() -> Vec<(String, Image, String)> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let images = paths.filter(|path| path.extension().is_some_and(|end| end == "vellum"));
    let read = |path: PathBuf| {
        let log = std::fs::read(path.with_extension("vellum-log")).ok();
        let database = std::fs::read(&path).unwrap();
        let listing = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, Image { database, log }, listing)
    };
    let golden: Vec<_> = images.map(read).collect();
    assert!(golden.len() >= IMAGES.len(), "golden files are missing");
    golden
}

/// Writes an image that is not there yet.
fn keep(name: &str, image: &Image, listing: &str) {
    let path = folder().join(name).with_extension("vellum");
    if path.exists() {
        return;
    }
    std::fs::write(&path, &image.database).unwrap();
    if let Some(log) = &image.log {
        std::fs::write(path.with_extension("vellum-log"), log).unwrap();
    }
    std::fs::write(path.with_extension("txt"), listing).unwrap();
}

#[test]
fn golden_files_open_and_hold_what_they_always_held() {
    for (name, image, expected) in golden() {
        let found = listing(&image);
        for (found, expected) in found.lines().zip(expected.lines()) {
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(found.lines().count(), expected.lines().count(), "{name}");
    }
}

#[test]
fn golden_files_can_be_written_to() {
    for (name, image, _) in golden() {
        let builder = image.builder();
        let db = builder.open("image").unwrap();
        let before = dump_of(&db);
        commit(&db, |txn| {
            let fresh = txn.insert_node("fresh kind", "fresh", &pattern(5_000, 7));
            let fresh = fresh.unwrap();
            txn.insert_edge(fresh, "fresh label", fresh, b"").unwrap();
            assert!(txn.delete_node(fresh).unwrap());
        });
        db.close().unwrap();
        let db = builder.open("image").unwrap();
        assert!(db.recovery().is_none(), "{name}");
        assert_eq!(db.check().unwrap().findings, [], "{name}");
        let after = dump_of(&db);
        assert_eq!(after.next, before.next + 1, "{name}");
        assert!(after.nodes == before.nodes && after.edges == before.edges);
    }
}

fn dump_of(db: &Database) -> common::Model {
    let options = db.options();
    let txn = db.begin_read().unwrap();
    dump(&txn, options.unique_edges, options.name_index).unwrap()
}

/// The present code may lay out its files otherwise, but their content must be the same.
#[test]
fn the_present_code_makes_the_same_graphs() {
    let write = std::env::var("VELLUM_GOLDEN").is_ok_and(|value| value == "write");
    for (name, generate) in IMAGES {
        let image = generate();
        let listing = listing(&image);
        if write {
            keep(name, &image, &listing);
        }
        let path = folder().join(name).with_extension("txt");
        let expected = std::fs::read_to_string(path).unwrap();
        assert_eq!(listing.lines().next(), expected.lines().next(), "{name}");
        assert!(listing.lines().eq(expected.lines()), "{name}:\n{listing}");
    }
}

/// The kinds of records that a golden log holds, and the tags of all operations in them.
fn operations(log: &[u8]) -> (Vec<RecordKind>, BTreeSet<u8>) {
    let segment = SegmentHeader::decode(log).unwrap();
    let mut rest = &log[SEGMENT_HEADER_LEN..];
    let mut position = segment.base;
    let (mut kinds, mut tags) = (Vec::new(), BTreeSet::new());
    while let Ok(record) = decode_record(rest, &segment, position) {
        kinds.push(record.header.kind);
        position = record.end();
        rest = &rest[record.len..];
        if record.header.kind == RecordKind::Commit {
            let mut reader = OpReader::new(record.payload);
            let mut at = 0;
            while let Some(op) = reader.next() {
                op.unwrap();
                tags.insert(record.payload[at]);
                at = reader.position();
            }
        }
    }
    (kinds, tags)
}

#[test]
fn golden_logs_hold_every_record_and_every_operation() {
    let (mut kinds, mut tags) = (Vec::new(), BTreeSet::new());
    for (_, image, _) in golden() {
        let found = image.log.map(|log| operations(&log)).unwrap_or_default();
        kinds.extend(found.0);
        tags.extend(found.1);
    }
    assert!(kinds.contains(&RecordKind::Commit) && kinds.contains(&RecordKind::Root));
    for (name, tag) in TAGS {
        assert!(tags.contains(tag), "no golden log holds {name}");
    }
}
