//! The limits of FORMAT.md, section 7, at the public API: what is allowed fits and comes back, one more is a
//! typed error without effect.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use vellum::storage::MemoryDirectory;
use vellum::{Database, Direction, Error, NodeUpdate};

const PAGE_SIZES: [usize; 5] = [4096, 8192, 16_384, 32_768, 65_536];
const DATA_MAX: usize = 64 << 20;

fn create(page_size: usize) -> (MemoryDirectory, Database) {
    let files = MemoryDirectory::new();
    let builder = Database::builder()
        .in_directory(Arc::new(files.clone()))
        .page_size(page_size);
    let db = builder.create("graph").unwrap();
    (files, db)
}

fn reopen(files: &MemoryDirectory, db: Database) -> Database {
    db.close().unwrap();
    Database::builder()
        .in_directory(Arc::new(files.clone()))
        .open("graph")
        .unwrap()
}

#[track_caller]
fn expect_limit<T>(result: vellum::Result<T>, most: u64) {
    match result {
        Err(Error::Limit { max, got, .. }) => {
            assert_eq!(max, most);
            assert_eq!(got, most + 1);
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a limit was exceeded"),
    }
}

#[test]
fn names_kinds_and_labels_of_every_length_up_to_the_limit() {
    for page_size in PAGE_SIZES {
        let (files, db) = create(page_size);
        let mut txn = db.begin_write().unwrap();
        let (name, term) = ("n".repeat(1024), "é".repeat(127) + "k");
        let node = txn.insert_node(&term, &name, b"").unwrap();
        let nameless = txn.insert_node("k", "", b"").unwrap();
        txn.insert_edge(node, &term, nameless, b"").unwrap();
        expect_limit(txn.insert_node("k", &(name.clone() + "n"), b""), 1024);
        expect_limit(txn.insert_node(&(term.clone() + "k"), "", b""), 255);
        expect_limit(
            txn.insert_edge(node, &(term.clone() + "k"), nameless, b""),
            255,
        );
        expect_limit(
            txn.update_node(node, NodeUpdate::new().name(&(name.clone() + "n"))),
            1024,
        );
        for empty in [
            txn.insert_node("", "", b"").map(drop),
            txn.insert_edge(node, "", node, b""),
        ] {
            assert!(matches!(empty, Err(Error::Usage(_))));
        }
        txn.commit().unwrap();

        let db = reopen(&files, db);
        let txn = db.begin_read().unwrap();
        // A call that fails has no effect.
        assert_eq!((txn.node_count(), txn.edge_count()), (2, 1));
        assert_eq!(txn.kinds().unwrap(), [term.as_str(), "k"]);
        assert_eq!(txn.labels().unwrap(), [term.as_str()]);
        assert_eq!(txn.node(node).unwrap().unwrap().name(), name);
        assert_eq!(txn.nodes_named(&name).count(), 1);
        assert_eq!(txn.nodes_named("").count(), 1);
        assert_eq!(txn.nodes_of_kind(&term).count(), 1);
        assert_eq!(txn.degree(node, Direction::Out, Some(&term)).unwrap(), 1);
        assert!(db.check().unwrap().is_sound());
    }
}

#[test]
fn data_of_64_mib_on_a_node_and_on_an_edge() {
    let (files, db) = create(4096);
    let mut data: Vec<u8> = (0..DATA_MAX).map(|at| (at / 251) as u8).collect();
    let mut txn = db.begin_write().unwrap();
    let node = txn.insert_node("blob", "large", &data).unwrap();
    txn.insert_edge(node, "holds", node, &data).unwrap();
    data.push(0);
    let most = DATA_MAX as u64;
    expect_limit(txn.insert_node("blob", "larger", &data), most);
    expect_limit(txn.insert_edge(node, "holds", node, &data), most);
    expect_limit(
        txn.update_node(node, NodeUpdate::new().data(&data))
            .map(drop),
        most,
    );
    expect_limit(txn.update_edge(node, "holds", node, 0, &data), most);
    txn.commit().unwrap();
    data.pop();

    let db = reopen(&files, db);
    let txn = db.begin_read().unwrap();
    assert!(*txn.node(node).unwrap().unwrap().data().unwrap() == *data);
    let edge = txn.edge(node, "holds", node, 0).unwrap().unwrap();
    assert!(*edge.data().unwrap() == *data);
    assert_eq!(txn.edge_count(), 1);
    assert!(db.check().unwrap().is_sound());
}

#[test]
fn kinds_and_labels_up_to_65_536() {
    let (files, db) = create(4096);
    let mut txn = db.begin_write().unwrap();
    let mut last = None;
    for number in 0..65_536 {
        let node = txn.insert_node(&format!("kind {number}"), "", b"").unwrap();
        txn.insert_edge(node, &format!("label {number}"), node, b"")
            .unwrap();
        last = Some(node);
    }
    let last = last.unwrap();
    expect_limit(txn.insert_node("one too many", "", b""), 65_536);
    expect_limit(txn.insert_edge(last, "one too many", last, b""), 65_536);
    txn.commit().unwrap();

    let db = reopen(&files, db);
    let txn = db.begin_read().unwrap();
    assert_eq!(txn.kinds().unwrap().len(), 65_536);
    assert_eq!(txn.labels().unwrap().len(), 65_536);
    assert_eq!(txn.node(last).unwrap().unwrap().kind(), "kind 65535");
    let found: Vec<_> = txn.nodes_of_kind("kind 65535").collect();
    assert_eq!(found.len(), 1);
    let label = Some("label 65535");
    assert_eq!(txn.degree(last, Direction::In, label).unwrap(), 1);
    drop(txn);
    let mut txn = db.begin_write().unwrap();
    expect_limit(txn.insert_node("one too many", "", b""), 65_536);
    assert!(txn.insert_node("kind 7", "", b"").is_ok());
}

#[test]
fn ids_up_to_the_highest() {
    let (_files, db) = create(4096);
    let mut txn = db.begin_write().unwrap();
    let highest = vellum::NodeId::new(vellum::MAX_U48).unwrap();
    assert!(vellum::NodeId::new(vellum::MAX_U48 + 1).is_none());
    assert!(vellum::NodeId::new(0).is_none());
    txn.insert_node_with_id(highest, "k", "last", b"").unwrap();
    expect_limit(txn.insert_node("k", "", b""), vellum::MAX_U48);
    expect_limit(txn.reserve_ids(1), vellum::MAX_U48);
    txn.commit().unwrap();
    assert!(db.check().unwrap().is_sound());
}

#[test]
fn messages_name_the_whole_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.vellum");
    let shown = path.display().to_string();
    let message = |result: vellum::Result<Database>| match result {
        Ok(_) => panic!("it opened"),
        Err(error) => error.to_string(),
    };
    assert!(message(Database::open(&path)).contains(&shown));
    let db = Database::create(&path).unwrap();
    assert!(message(Database::open(&path)).contains(&shown));
    assert!(message(Database::create(&path)).contains(&shown));
    let nowhere = folder.path().join("no such folder").join("graph.vellum");
    assert!(message(Database::create(&nowhere)).contains("no such folder"));
    let refused = db.backup(&path).unwrap_err().to_string();
    assert!(refused.contains(&shown) && refused.contains("another name"));
}
