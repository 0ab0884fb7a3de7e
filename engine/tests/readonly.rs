//! A read-only handle reads what is there, replays a live log in memory, and writes nothing.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::disk::{CountedDisk, copy_of};
use common::{Model, assert_same, id};
use vellum::storage::MemoryDirectory;
use vellum::{Builder, BulkNode, CheckpointMode, Database, Durability, Error, NodeUpdate, Options};

/// Commits some changes to the database and to the model.
fn change(db: &Database, model: &mut Model, round: u64) {
    let mut txn = db.begin_write().unwrap();
    for number in 0..20u64 {
        let name = format!("name {round} {number}");
        let data = vec![number as u8; if number == 3 { 3_000 } else { 30 }];
        model.insert_node("kind", &name, &data);
        txn.insert_node("kind", &name, &data).unwrap();
    }
    let last = model.next - 1;
    for number in 0..30u64 {
        let (from, to) = (last - number % 7, last - number % 11);
        model.insert_edge(from, "links", to, b"edge");
        txn.insert_edge(id(from), "links", id(to), b"edge").unwrap();
    }
    assert!(txn.delete_node(id(last - 2)).unwrap());
    model.delete_node(last - 2);
    txn.commit().unwrap();
}

/// A database with two commits in its trees and, if it is to have a log, three more in that.
fn build(live_log: bool) -> (MemoryDirectory, Model) {
    let files = MemoryDirectory::new();
    let builder = Database::builder().log_segment_bytes(64 << 10);
    let builder = builder.in_directory(Arc::new(files.clone()));
    let db = builder.create("graph").unwrap();
    let mut model = Model::new(false);
    for round in 0..2 {
        change(&db, &mut model, round);
    }
    if live_log {
        db.checkpoint().unwrap();
        for round in 2..5 {
            change(&db, &mut model, round);
        }
    } else {
        db.close().unwrap();
    }
    (copy_of(&files), model)
}

/// Everything that reading can do.
fn read_everything(db: &Database, model: &Model) {
    let txn = db.begin_read().unwrap();
    assert_same(&txn, model, true);
    assert_eq!(db.check().unwrap().findings, []);
    assert_eq!(db.stats().unwrap().nodes, model.nodes.len() as u64);
    db.drop_caches();
    assert_same(&db.begin_read().unwrap(), model, true);
}

type Files = BTreeMap<String, (SystemTime, Vec<u8>)>;

fn files_in(folder: &Path) -> Files {
    let entry = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let modified = entry.metadata().unwrap().modified().unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let name = entry.file_name().into_string().unwrap();
        (name, (modified, bytes))
    };
    std::fs::read_dir(folder).unwrap().map(entry).collect()
}

/// Puts a database into a folder, last modified an hour ago.
fn place(files: &MemoryDirectory, folder: &Path) {
    for name in ["graph", "graph-log"] {
        let Some(bytes) = files.contents(name) else {
            continue;
        };
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
        file.set_modified(hour_ago).unwrap();
    }
}

#[test]
fn reading_leaves_files_and_folder_as_they_are() {
    for live_log in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (files, model) = build(live_log);
        place(&files, dir.path());
        let before = files_in(dir.path());
        assert_eq!(before.len(), 1 + usize::from(live_log));
        let path = dir.path().join("graph");
        let db = Database::open_read_only(&path).unwrap();
        let other = Database::open_read_only(&path).expect("readers do not keep each other out");
        assert_eq!(db.recovery().is_some(), live_log);
        read_everything(&db, &model);
        read_everything(&other, &model);
        refuses_to_write(&db);
        assert!(matches!(Database::open(&path), Err(Error::Locked { .. })));
        db.close().unwrap();
        drop(other);
        assert!(files_in(dir.path()) == before, "live log: {live_log}");
    }
}

#[test]
fn reading_makes_no_call_that_writes() {
    for live_log in [false, true] {
        let (files, model) = build(live_log);
        let disk = CountedDisk::over(&files);
        let builder = Database::builder().in_directory(disk.directory());
        let db = builder.open_read_only("graph").unwrap();
        read_everything(&db, &model);
        refuses_to_write(&db);
        db.close().unwrap();
        let done = disk.counts();
        for counts in [done.database, done.log] {
            assert_eq!((counts.writes, counts.written_bytes), (0, 0));
            assert_eq!((counts.set_lens, counts.directory_syncs), (0, 0));
        }
        // What is replayed is made durable before anyone sees it.
        assert_eq!(
            (done.database.syncs, done.log.syncs),
            (0, u64::from(live_log))
        );
    }
}

#[test]
fn files_without_permission_to_write_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let (files, model) = build(true);
    place(&files, dir.path());
    for name in ["graph", "graph-log"] {
        let path = dir.path().join(name);
        let mut permissions = std::fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(&path, permissions).unwrap();
    }
    let db = Database::open_read_only(dir.path().join("graph")).unwrap();
    read_everything(&db, &model);
}

/// Every way to write gives the typed error, and leaves the handle as it was.
fn refuses_to_write(db: &Database) {
    let says_read_only = |error: Error| match error {
        Error::Usage(what) => assert!(what.contains("read-only"), "{what}"),
        error => panic!("{error:?}"),
    };
    let nodes = db.begin_read().unwrap().node_count();
    says_read_only(db.begin_write().err().unwrap());
    let node = BulkNode {
        kind: "kind".to_owned(),
        ..BulkNode::default()
    };
    says_read_only(db.bulk_load([Ok(node)], [], |_| {}).err().unwrap());
    says_read_only(db.checkpoint().err().unwrap());
    assert_eq!(db.begin_read().unwrap().node_count(), nodes);
    assert!(db.begin_write().is_err(), "still");
}

#[test]
fn a_copy_can_be_made_through_a_handle_that_may_not_write() {
    let (files, model) = build(true);
    let before = (files.contents("graph"), files.contents("graph-log"));
    let builder = Database::builder().in_directory(Arc::new(files.clone()));
    let db = builder.open_read_only("graph").unwrap();
    db.backup("backup").unwrap();
    db.compact("compact").unwrap();
    for name in ["backup", "compact"] {
        let copy = builder.open(name).unwrap();
        assert_same(&copy.begin_read().unwrap(), &model, true);
        let mut txn = copy.begin_write().unwrap();
        assert!(
            txn.update_node(id(1), NodeUpdate::new().name("changed"))
                .unwrap()
        );
        txn.commit().unwrap();
    }
    assert!(before == (files.contents("graph"), files.contents("graph-log")));
}

#[test]
fn what_is_not_there_is_not_created() {
    let dir = tempfile::tempdir().unwrap();
    let opened = Database::open_read_only(dir.path().join("graph"));
    assert!(matches!(opened, Err(Error::Io { .. })));
    assert!(files_in(dir.path()).is_empty());
}

const FILE_ID: [u8; 16] = *b"chosen by a test";

/// Options that are all different from the defaults.
fn chosen() -> Builder {
    Database::builder()
        .page_size(8192)
        .cache_bytes(1 << 20)
        .durability(Durability::None)
        .log_segment_bytes(128 << 10)
        .write_buffer_bytes(1 << 20)
        .checkpoint(CheckpointMode::Inline)
        .name_index(false)
        .unique_edges(true)
        .file_id(FILE_ID)
}

fn assert_of_the_file(options: &Options) {
    assert_eq!(options.page_size, 8192);
    assert_eq!(options.log_segment_bytes, 128 << 10);
    assert_eq!((options.name_index, options.unique_edges), (false, true));
    assert_eq!(options.file_id, FILE_ID);
}

fn assert_of_the_handle(options: &Options) {
    assert_eq!(options.cache_bytes, 1 << 20);
    assert_eq!(options.durability, Durability::None);
    assert_eq!(options.write_buffer_bytes, 1 << 20);
    assert_eq!(options.checkpoint, CheckpointMode::Inline);
}

type Open = fn(&Builder, &'static str) -> vellum::Result<Database>;

#[test]
fn options_in_effect_can_be_read_back() {
    let directory = Arc::new(MemoryDirectory::new());
    let chosen = chosen().in_directory(directory.clone());
    let default = Database::builder().in_directory(directory);
    let db = chosen.create("graph").unwrap();
    assert_of_the_file(db.options());
    assert_of_the_handle(db.options());
    assert!(!db.options().read_only);
    db.close().unwrap();
    let modes = [
        (false, Builder::open as Open),
        (true, Builder::open_read_only),
    ];
    for (read_only, open) in modes {
        let db = open(&chosen, "graph").unwrap();
        assert_of_the_file(db.options());
        assert_of_the_handle(db.options());
        assert_eq!(db.options().read_only, read_only);
        drop(db);
        // The file decides what was fixed when it was created, this handle the rest.
        let db = open(&default, "graph").unwrap();
        assert_of_the_file(db.options());
        assert_eq!(db.options().cache_bytes, 64 << 20);
        assert_eq!(db.options().durability, Durability::Sync);
        assert_eq!(db.options().write_buffer_bytes, 64 << 20);
        assert_eq!(db.options().checkpoint, CheckpointMode::Background);
        assert_eq!(db.cache_stats().capacity_bytes, 64 << 20);
    }
}

#[test]
fn the_least_that_is_in_effect_is_told() {
    let directory = Arc::new(MemoryDirectory::new());
    let least = Database::builder().cache_bytes(0).write_buffer_bytes(0);
    let least = least.in_directory(directory);
    let max_delay = Duration::from_millis(3);
    let group = least.clone().page_size(65_536).group_commit(max_delay);
    let db = group.create("graph").unwrap();
    assert_eq!(db.options().cache_bytes, 4 * 65_536);
    assert_eq!(db.options().write_buffer_bytes, 64 << 10);
    assert_eq!(db.options().durability, Durability::Group { max_delay });
    drop(db);
    for open in [Builder::open, Builder::open_read_only] {
        let db = open(&least, "graph").unwrap();
        assert_eq!(db.options().cache_bytes, 4 * 65_536, "pages are the file's");
        assert_eq!(db.options().write_buffer_bytes, 64 << 10);
    }
}
