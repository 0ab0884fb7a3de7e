//! What opening a database reads does not depend on its size, nor on what is read or written first.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use common::disk::{CountedDisk, Counts, copy_of};
use common::id;
use vellum::storage::MemoryDirectory;
use vellum::{BulkEdge, BulkNode, Database, KeySpace, NodeId, NodeUpdate, Stats, WriteTxn};

const PAGE: u64 = 4096;
const SMALL: u64 = 1_000;
const LARGE: u64 = 1_000_000;
/// Pages that an open may read, whatever the size, and that the first use may read beyond the
/// heights of the trees.
const ALLOWED: u64 = 8;
const SEGMENT: u32 = 1 << 20;
/// Zeros that a young log holds ahead of its records, and the headers of both of its segments.
const LOG_AHEAD: u64 = (64 << 10) + 2 * 128;

/// The id of a node: every 250 of them leave one out, so that there are absent ids to be looked up.
fn nth(number: u64) -> NodeId {
    id(number + number / 250)
}

fn kind(number: u64) -> String {
    format!("kind-{:03}", number % 400)
}

/// A closed database of small nodes, with an edge from every fourth to another far away, and with
/// free pages.
fn build(nodes: u64) -> MemoryDirectory {
    let disk = CountedDisk::new();
    let db = Database::builder()
        .in_directory(disk.directory())
        .create("graph")
        .unwrap();
    let items = (1..=nodes).map(|number| {
        Ok(BulkNode {
            id: Some(nth(number)),
            kind: kind(number),
            name: format!("n{number}"),
            data: number.to_le_bytes().to_vec(),
        })
    });
    let edges = (1..=nodes).step_by(4).map(|number| {
        Ok(BulkEdge {
            source: nth(number),
            label: "far".to_owned(),
            target: nth(number * 7_919 % nodes + 1),
            data: Vec::new(),
        })
    });
    db.bulk_load(items, edges, |_| {}).unwrap();
    let mut txn = db.begin_write().unwrap();
    for number in (2..nodes / 2).step_by((nodes / 600) as usize) {
        assert!(txn.delete_node(nth(number)).unwrap());
    }
    txn.commit().unwrap();
    db.close().unwrap();
    disk.files
}

fn open(disk: &CountedDisk) -> Database {
    Database::builder()
        .in_directory(disk.directory())
        .open("graph")
        .unwrap()
}

fn height(stats: &Stats, space: KeySpace) -> u64 {
    let tree = stats.trees.iter().find(|tree| tree.space == space);
    tree.unwrap().height.into()
}

fn heights(stats: &Stats) -> u64 {
    stats.trees.iter().map(|tree| u64::from(tree.height)).sum()
}

/// At most this many pages of the database file, in calls and in bytes, and nothing of the log.
fn assert_read(what: &str, read: Counts, pages: u64) {
    println!(
        "{what}: {} calls, {} bytes of at most {pages} pages",
        read.database.reads, read.database.read_bytes
    );
    assert!(read.database.reads <= pages, "{what}: {read:?}");
    assert!(read.database.read_bytes <= pages * PAGE, "{what}: {read:?}");
    assert_eq!((read.log.reads, read.log.read_bytes), (0, 0), "{what}");
}

/// The reads of one open.
fn assert_open(files: &MemoryDirectory) -> Counts {
    let disk = CountedDisk::over(files);
    let db = open(&disk);
    let read = disk.counts();
    assert_read("open", read, ALLOWED);
    assert_eq!(read.database.writes + read.log.writes, 0);
    drop(db);
    assert_eq!(disk.counts(), read, "closing what was only opened");
    read
}

fn assert_first_get(files: &MemoryDirectory, nodes: u64) {
    for number in [1, nodes / 2 + 1, nodes] {
        let disk = CountedDisk::over(files);
        let db = open(&disk);
        let most = height(&db.stats().unwrap(), KeySpace::Nodes) + ALLOWED;
        let before = disk.counts();
        let txn = db.begin_read().unwrap();
        let node = txn.node(nth(number)).unwrap().unwrap();
        assert_eq!(node.name(), format!("n{number}"));
        assert_eq!(node.kind(), kind(number));
        assert_eq!(node.data().unwrap(), number.to_le_bytes().as_slice());
        assert_read("first get", disk.counts() - before, most);
    }
}

type Change = fn(&mut WriteTxn, NodeId);

/// Changes of one node and its edges, whose transactions look at different trees.
const FIRST_CHANGES: [(&str, Change); 4] = [
    ("insert", |txn, middle| {
        let fresh = txn.insert_node(&kind(7), "fresh", b"data").unwrap();
        txn.insert_edge(fresh, "far", middle, b"").unwrap();
    }),
    ("insert edge", |txn, middle| {
        let ordinal = txn.insert_edge_returning(middle, "new label", nth(1), b"");
        assert_eq!(ordinal.unwrap(), 0);
    }),
    ("update", |txn, middle| {
        let update = NodeUpdate::new().kind("new kind").name("renamed");
        assert!(txn.update_node(middle, update).unwrap());
    }),
    ("delete", |txn, middle| {
        assert!(txn.delete_node(middle).unwrap());
    }),
];

fn assert_first_commit(files: &MemoryDirectory, nodes: u64) {
    for (name, change) in FIRST_CHANGES {
        let disk = CountedDisk::over(&copy_of(files));
        let db = open(&disk);
        let most = heights(&db.stats().unwrap()) + ALLOWED;
        let before = disk.counts();
        let mut txn = db.begin_write().unwrap();
        change(&mut txn, nth(nodes / 2 + 1));
        txn.commit().unwrap();
        let what = format!("first commit, {name}");
        assert_read(&what, disk.counts() - before, most);
    }
}

/// All promises for one database; the reads of its open.
fn assert_promises(files: &MemoryDirectory, nodes: u64) -> Counts {
    let read = assert_open(files);
    assert_first_get(files, nodes);
    assert_first_commit(files, nodes);
    read
}

#[test]
fn opening_reads_as_little_of_a_million_nodes_as_of_a_thousand() {
    let (small, large) = (build(SMALL), build(LARGE));
    let stats = open(&CountedDisk::over(&large)).stats().unwrap();
    assert!(stats.free_pages > 0);
    for tree in &stats.trees {
        println!("{}: height {}", tree.space, tree.height);
        assert!(tree.height >= 2, "{} is too small to tell", tree.space);
    }
    assert_eq!(
        assert_promises(&small, SMALL),
        assert_promises(&large, LARGE)
    );
}

/// A database killed after some commits, and the bytes of their records. After a checkpoint, they
/// are in the half of the log that has the other one behind it.
fn killed_after(commits: u64, checkpoint: bool) -> (MemoryDirectory, u64) {
    let disk = CountedDisk::new();
    let db = Database::builder()
        .in_directory(disk.directory())
        .log_segment_bytes(SEGMENT)
        .create("graph")
        .unwrap();
    if checkpoint {
        commit_one(&db, "early");
        db.checkpoint().unwrap();
    }
    let names = (0..commits).map(|number| format!("late {number}"));
    let logged = names.map(|name| commit_one(&db, &name)).sum();
    (copy_of(&disk.files), logged)
}

/// Bytes of log.
fn commit_one(db: &Database, name: &str) -> u64 {
    let mut txn = db.begin_write().unwrap();
    txn.insert_node("kind", name, &[7; 60]).unwrap();
    txn.commit().unwrap().log_bytes
}

#[test]
fn a_live_log_is_read_in_addition() {
    for (commits, checkpoint) in [(1, false), (100, false), (400, false), (100, true)] {
        let (files, logged) = killed_after(commits, checkpoint);
        let disk = CountedDisk::over(&files);
        let db = open(&disk);
        let read = disk.counts();
        println!("{commits} commits, {logged} bytes logged: {read:?}");
        assert!(read.database.reads <= ALLOWED);
        assert!(read.database.read_bytes <= ALLOWED * PAGE);
        // The end of a segment is told from damage by what follows, so that is read too.
        let followed = if checkpoint { SEGMENT.into() } else { logged };
        let read_log = read.log.read_bytes;
        assert!(read_log >= logged);
        assert!(
            read_log <= followed + LOG_AHEAD,
            "{read_log} for {logged} bytes"
        );
        let recovery = db.recovery().unwrap();
        assert_eq!((recovery.records, recovery.bytes), (commits, logged));
        assert_eq!(read.database.writes + read.log.writes, 0);
    }
}
