//! Where the trees fit in the cache, reads find their leaves through directories that hold on to pages.
//! They must answer as reads without them do, whatever is laid over the trees, and keep to the budget.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used
)]

mod common;

use std::sync::Arc;

use common::{id, visited};
use vellum::storage::MemoryDirectory;
use vellum::{BulkEdge, BulkNode, Database, Direction, Error, NodeId, ReadTxn};

const NODES: u64 = 3_000;
const LABELS: [&str; 3] = ["a", "b", "c"];

/// A hub whose edges span many leaves, nodes of every small degree, and some without edges.
fn edges() -> impl Iterator<Item = BulkEdge> {
    let hub = (0..20_000).map(|number| (700, number * 7 % NODES + 1));
    let others = (1..=NODES).flat_map(|node| {
        let degree = node % 23;
        (0..degree).map(move |number| (node, (node * 31 + number * number * 17) % NODES + 1))
    });
    hub.chain(others)
        .zip(0usize..)
        .map(|((source, target), number)| BulkEdge {
            source: id(source),
            label: LABELS[number % 3].to_owned(),
            target: id(target),
            data: if number % 97 == 0 {
                vec![7; number % 50]
            } else {
                Vec::new()
            },
        })
}

/// The same content, once with a cache that holds everything and once with one that holds nothing.
fn databases() -> [Database; 2] {
    [64 << 20, 0].map(|cache| {
        let db = Database::builder()
            .in_directory(Arc::new(MemoryDirectory::new()))
            .cache_bytes(cache)
            .create("graph")
            .unwrap();
        let nodes = (1..=NODES).map(|number| {
            Ok(BulkNode {
                // Every hundredth id is left out.
                id: NodeId::new(number + number / 100),
                kind: format!("kind {}", number % 5),
                name: format!("name {}", number % 700),
                data: vec![b'x'; (number % 90) as usize],
            })
        });
        let there = |node: NodeId| node.get() % 101 != 100;
        let edges = edges().filter(|edge| there(edge.source) && there(edge.target));
        db.bulk_load(nodes, edges.map(Ok), |_| {}).unwrap();
        db
    })
}

/// Everything that a reader can ask of a node, as text.
fn answers(txn: &ReadTxn, node: NodeId) -> String {
    let found = txn.node(node).unwrap();
    let found = found.map(|node| {
        let data = node.data().unwrap().len();
        (node.kind().to_owned(), node.name().to_owned(), data)
    });
    let mut out = format!("{found:?}");
    for direction in [Direction::Out, Direction::In] {
        for label in [None, Some("b"), Some("none")] {
            let peers: Vec<u64> = txn
                .neighbors(node, direction, label)
                .map(|peer| peer.unwrap().get())
                .collect();
            let degree = txn.degree(node, direction, label).unwrap();
            assert_eq!(degree, peers.len() as u64);
            out += &format!(" {peers:?}");
            let told = visited(txn, node, direction, label, u64::MAX);
            let nodes = told.iter().map(|found| found.node.get());
            assert!(nodes.eq(peers.iter().copied()));
            assert!(told.is_sorted_by_key(|found| (found.label, found.node)));
            for most in [1, 2, degree / 2, degree] {
                let first = visited(txn, node, direction, label, most.max(1));
                assert_eq!(first[..], told[..first.len()]);
            }
        }
        out += &format!(" {:?}", txn.k_hop(node, 1, direction, None).unwrap());
    }
    out
}

fn assert_same(held: &ReadTxn, plain: &ReadTxn) {
    for number in (1..NODES + 100).chain([1 << 20, (1 << 48) - 1]) {
        assert_eq!(
            answers(held, id(number)),
            answers(plain, id(number)),
            "node {number}"
        );
    }
    for kind in ["kind 0", "kind 4", "none"] {
        let scan =
            |txn: &ReadTxn| -> Vec<_> { txn.nodes_of_kind(kind).map(|id| id.unwrap()).collect() };
        assert_eq!(scan(held), scan(plain));
    }
    for name in ["name 7", "name 699", "name", "other", ""] {
        let exact =
            |txn: &ReadTxn| -> Vec<_> { txn.nodes_named(name).map(Result::unwrap).collect() };
        assert_eq!(exact(held), exact(plain));
        let prefix =
            |txn: &ReadTxn| -> Vec<_> { txn.nodes_with_prefix(name).map(Result::unwrap).collect() };
        assert_eq!(prefix(held), prefix(plain));
    }
}

#[test]
fn held_pages_answer_as_others_do() {
    let [held, plain] = databases();
    let before = [&held, &plain].map(|db| db.begin_read().unwrap());
    assert_same(&before[0], &before[1]);
    let full = held.cache_stats();
    assert!(full.pages > 50 && full.bytes <= full.capacity_bytes);
    // Pages that are held are not asked for again.
    assert_same(&before[0], &before[1]);
    assert_eq!(held.cache_stats().misses, full.misses);
    for db in [&held, &plain] {
        let mut txn = db.begin_write().unwrap();
        for number in (1..NODES).step_by(70) {
            let fresh = txn.insert_node("kind 4", "name 7", b"new").unwrap();
            txn.insert_edge(fresh, "b", id(number), b"").unwrap();
            txn.insert_edge(id(number), "c", fresh, b"").unwrap();
            txn.delete_node(id(number + 1)).unwrap();
        }
        txn.commit().unwrap();
    }
    let over = [&held, &plain].map(|db| db.begin_read().unwrap());
    assert_same(&over[0], &over[1]);
    for db in [&held, &plain] {
        db.checkpoint().unwrap();
    }
    let merged = [&held, &plain].map(|db| db.begin_read().unwrap());
    assert_same(&merged[0], &merged[1]);
    assert_same(&over[0], &over[1]);
    // A snapshot keeps what it holds, and a new one starts from nothing.
    held.drop_caches();
    assert_eq!(held.cache_stats().pages, 0);
    assert_same(&before[0], &before[1]);
    let misses = held.cache_stats().misses;
    assert_same(&held.begin_read().unwrap(), &merged[1]);
    assert!(held.cache_stats().misses > misses);
    drop((before, over, merged));
    held.drop_caches();
    let empty = held.cache_stats();
    assert_eq!(empty.pages, 0);
    assert!(empty.bytes < full.bytes / 4, "nothing is held any more");
}

/// A branch that cannot be read takes only what is below it with it.
#[test]
fn damage_to_one_branch_leaves_the_others_readable() {
    let directory = MemoryDirectory::new();
    let options = || Database::builder().in_directory(Arc::new(directory.clone()));
    let db = options().create("graph").unwrap();
    let last = 30_000;
    let nodes = (0..last).map(|_| {
        Ok(BulkNode {
            kind: "kind".to_owned(),
            data: vec![b'x'; 80],
            ..BulkNode::default()
        })
    });
    db.bulk_load(nodes, std::iter::empty(), |_| {}).unwrap();
    let path = db.begin_read().unwrap().locate(id(last)).unwrap();
    let branch = path.iter().find(|place| place.level == 1).unwrap().page;
    assert_eq!(path.len(), 3, "one branch of several");
    db.close().unwrap();
    let mut bytes = directory.contents("graph").unwrap();
    bytes[usize::try_from(branch).unwrap() * 4096 + 50] ^= 1;
    directory.put("graph", bytes);
    let db = options().open("graph").unwrap();
    let txn = db.begin_read().unwrap();
    for number in 1..2_000 {
        assert!(txn.node(id(number)).unwrap().is_some());
    }
    assert!(matches!(txn.node(id(last)), Err(Error::Corrupt(_))));
}
