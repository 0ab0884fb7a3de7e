//! What a commit costs: syncs, log bytes, file lengths, and the size that many of them leave.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::disk::{CountedDisk, SyncedDisk};
use common::id;
use vellum::storage::{Directory, FileDirectory, IoCounts, MemoryDirectory};
use vellum::{CheckpointMode, CommitKind, CommitReport, Database, Durability, NodeId, WriteTxn};

const PAGE: u64 = 4096;
const COMMITS: u64 = 1_000;
const SEGMENT: u32 = 64 << 10;
/// What does not touch a file.
const NOTHING: IoCounts = IoCounts {
    reads: 0,
    read_bytes: 0,
    writes: 0,
    written_bytes: 0,
    set_lens: 0,
    syncs: 0,
    directory_syncs: 0,
};

fn create(directory: Arc<dyn Directory>, segment: u32, durability: Durability) -> Database {
    Database::builder()
        .in_directory(directory)
        .log_segment_bytes(segment)
        .durability(durability)
        .checkpoint(CheckpointMode::Inline)
        .create("graph")
        .unwrap()
}

fn data(number: u64) -> Vec<u8> {
    format!("{{\"line\":{number:06},\"visibility\":\"public\",\"text\":\"sixty bytes..\"}}")
        .into_bytes()
}

/// A small node with an edge to one before it.
fn insert(txn: &mut WriteTxn, number: u64) -> NodeId {
    let node = txn
        .insert_node("function", &format!("function_{number}"), &data(number))
        .unwrap();
    let target = id(node.get().div_ceil(2));
    txn.insert_edge(node, "calls", target, b"").unwrap();
    node
}

fn commit_one(db: &Database, number: u64) -> CommitReport {
    let mut txn = db.begin_write().unwrap();
    insert(&mut txn, number);
    txn.commit().unwrap()
}

#[test]
fn a_small_commit_is_one_write_and_one_sync_of_the_log() {
    let disk = CountedDisk::new();
    let db = create(disk.directory(), 16 << 20, Durability::Sync);
    commit_one(&db, 0);
    let log_len = disk.len("graph-log");
    let mut largest = 0;
    for number in 1..=200 {
        let before = disk.counts();
        let report = commit_one(&db, number);
        let cost = disk.counts() - before;
        assert_eq!(cost.database, NOTHING);
        assert_eq!((cost.log.writes, cost.log.syncs), (1, 1));
        assert_eq!(cost.log.written_bytes, report.log_bytes);
        assert_eq!((cost.log.reads, cost.log.set_lens), (0, 0));
        let reported = (report.commit, report.how, report.pages, report.syncs);
        assert_eq!(reported, (number + 1, CommitKind::Log, 0, 1));
        assert_eq!(disk.len("graph-log"), log_len, "the log keeps its length");
        largest = largest.max(report.log_bytes);
    }
    assert_eq!(data(7).len(), 60);
    println!("at most {largest} bytes of log for a commit");
    assert!(largest < 400, "{largest} bytes of log");
}

#[test]
fn a_log_that_goes_round_keeps_its_length() {
    let disk = CountedDisk::new();
    let db = create(disk.directory(), SEGMENT, Durability::Sync);
    let mut extended = Vec::new();
    let mut logged = 0;
    for number in 0..2_000 {
        let before = disk.len("graph-log");
        logged += commit_one(&db, number).log_bytes;
        if disk.len("graph-log") != before {
            extended.push(number);
        }
    }
    println!("{logged} bytes logged, length changed by {extended:?}");
    assert!(logged > 4 * u64::from(SEGMENT), "the log went round twice");
    assert_eq!(extended, [0], "only creating it gives the log its length");
    assert_eq!(disk.len("graph-log"), 2 * u64::from(SEGMENT));
}

#[test]
fn an_empty_commit_costs_nothing() {
    let disk = CountedDisk::new();
    let db = create(disk.directory(), SEGMENT, Durability::Sync);
    let before = disk.counts();
    let report = db.begin_write().unwrap().commit().unwrap();
    let reported = (
        report.how,
        report.commit,
        report.log_bytes,
        report.syncs,
        report.pages,
    );
    assert_eq!(reported, (CommitKind::Empty, 0, 0, 0, 0));
    let cost = disk.counts() - before;
    assert_eq!((cost.database, cost.log), (NOTHING, NOTHING));
}

/// Bytes of the closed file. Closing must leave it alone in its folder.
fn closed_size(commits: u64, segment: u32) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let directory = Arc::new(FileDirectory::new(dir.path()));
    let db = create(directory, segment, Durability::None);
    for commit in 0..commits {
        let mut txn = db.begin_write().unwrap();
        for number in 0..COMMITS / commits {
            insert(&mut txn, commit * COMMITS / commits + number);
        }
        txn.commit().unwrap();
    }
    assert!(dir.path().join("graph-log").exists());
    db.close().unwrap();
    let names: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["graph"], "closing leaves one file");
    std::fs::metadata(dir.path().join("graph")).unwrap().len()
}

#[test]
fn a_thousand_commits_leave_hardly_more_than_one() {
    let batch = closed_size(1, 16 << 20);
    // The small log makes the commits run several checkpoints on the way.
    for segment in [16 << 20, SEGMENT] {
        let many = closed_size(COMMITS, segment);
        println!("{many} bytes after {COMMITS} commits, {batch} after one");
        assert!(many <= batch + batch / 10 + 64 * PAGE);
    }
}

/// Edges in random order touch every page of the trees at once, so a checkpoint that wrote them all before
/// it gave any back would leave a file of twice the size.
#[test]
fn edges_in_random_order_leave_a_file_hardly_larger_than_a_compacted_one() {
    let (nodes, edges) = (20_000, 600_000);
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("graph"), dir.path().join("compacted"));
    let db = Database::builder()
        .durability(Durability::None)
        .write_buffer_bytes(4 << 20)
        .checkpoint(CheckpointMode::Inline)
        .create(&path)
        .unwrap();
    let mut txn = db.begin_write().unwrap();
    for number in 0..nodes {
        txn.insert_node("thing", &format!("{number}"), b"").unwrap();
    }
    txn.commit().unwrap();
    let mut random = 1u64;
    let mut node = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        id((random >> 33) % nodes + 1)
    };
    for _ in 0..edges / 20_000 {
        let mut txn = db.begin_write().unwrap();
        for _ in 0..20_000 {
            txn.insert_edge(node(), "to", node(), b"").unwrap();
        }
        txn.commit().unwrap();
    }
    db.compact(&copy).unwrap();
    db.close().unwrap();
    let len = |path| std::fs::metadata(path).unwrap().len();
    let (left, compacted) = (len(&path), len(&copy));
    assert!(
        left <= compacted + compacted / 4,
        "{left} bytes, and {compacted} compacted"
    );
}

#[test]
fn without_durability_commits_do_not_sync() {
    let disk = CountedDisk::new();
    let db = create(disk.directory(), 16 << 20, Durability::None);
    commit_one(&db, 0);
    let before = disk.counts();
    for number in 1..=100 {
        assert_eq!(commit_one(&db, number).syncs, 0);
    }
    let cost = disk.counts() - before;
    assert_eq!((cost.log.syncs, cost.log.writes), (0, 100));
    assert_eq!(cost.database, NOTHING);
    // What was only handed over becomes durable with the next commit that asks for it.
    let mut txn = db.begin_write().unwrap();
    txn.set_durability(Durability::Sync);
    insert(&mut txn, 101);
    assert_eq!(txn.commit().unwrap().syncs, 1);
    assert_eq!((disk.counts() - before).log.syncs, 1);
}

const THREADS: u64 = 8;
const EACH: u64 = 12;

/// Runs `THREADS` times `EACH` commits at once; `acknowledged` is told each node after its commit.
/// The sum of the syncs that the reports state.
fn commit_together(db: &Database, acknowledged: impl Fn(u64, u64) + Sync) -> u64 {
    let work = |thread: u64| {
        let mut syncs = 0;
        for number in 0..EACH {
            let mut txn = db.begin_write().unwrap();
            let node = insert(&mut txn, thread * EACH + number);
            syncs += txn.commit().unwrap().syncs;
            acknowledged(node.get(), thread * EACH + number);
        }
        syncs
    };
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}

#[test]
fn commits_in_a_group_share_syncs() {
    let disk = CountedDisk::new();
    let max_delay = Duration::from_millis(5);
    let db = create(disk.directory(), 16 << 20, Durability::Group { max_delay });
    commit_one(&db, 0);
    let before = disk.counts();
    let reported = commit_together(&db, |_, _| ());
    let cost = disk.counts() - before;
    println!("{} commits, {} syncs", THREADS * EACH, cost.log.syncs);
    assert_eq!(cost.log.syncs, reported);
    assert!(cost.log.syncs < THREADS * EACH);
    assert_eq!(cost.database, NOTHING);
}

/// The node is there, with the edge that was committed with it.
fn assert_survived(survivors: MemoryDirectory, node: u64, number: u64) {
    let db = Database::builder()
        .in_directory(Arc::new(survivors))
        .open("graph")
        .unwrap();
    let txn = db.begin_read().unwrap();
    let found = txn.node(id(node)).unwrap().expect("acknowledged, and lost");
    assert_eq!(found.name(), format!("function_{number}"));
    let edge = txn.edge(id(node), "calls", id(node.div_ceil(2)), 0);
    assert!(edge.unwrap().is_some());
}

#[test]
fn what_is_acknowledged_survives_a_power_cut_at_once() {
    let max_delay = Duration::from_millis(2);
    for durability in [Durability::Group { max_delay }, Durability::Sync] {
        let disk = SyncedDisk::default();
        let db = create(disk.directory(), SEGMENT, durability);
        let acknowledged = Mutex::new(Vec::new());
        commit_together(&db, |node, number| {
            let copy = disk.survivors();
            acknowledged.lock().unwrap().push((copy, node, number));
        });
        let acknowledged = acknowledged.into_inner().unwrap();
        assert_eq!(acknowledged.len() as u64, THREADS * EACH);
        for (survivors, node, number) in acknowledged {
            assert_survived(survivors, node, number);
        }
    }
}

#[test]
fn a_power_cut_takes_back_what_was_not_made_durable() {
    let disk = SyncedDisk::default();
    let db = create(disk.directory(), SEGMENT, Durability::None);
    commit_one(&db, 0);
    let directory = Arc::new(disk.survivors());
    let db = Database::builder().in_directory(directory).open("graph");
    assert_eq!(db.unwrap().begin_read().unwrap().node_count(), 0);
}
