//! The databases that are damaged: a graph with a history of changes, closed cleanly or killed.

use std::collections::BTreeSet;
use std::sync::Arc;

use vellum::storage::MemoryDirectory;
use vellum::{
    BulkEdge, BulkNode, CheckpointMode, Database, Direction, NodeId, NodeUpdate, WriteTxn,
};

use crate::random::Random;

pub(super) const NAME: &str = "graph";
const NODES: u64 = 16_000;
const EDGES: u64 = 90_000;

/// A database before any damage.
pub(super) struct Original {
    pub(super) said: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) log: Option<Vec<u8>>,
    /// Nodes that changed after the last checkpoint: what they are stands in the log.
    pub(super) logged: BTreeSet<u64>,
}

impl Original {
    /// Closed cleanly, with free pages that hold older states.
    pub(super) fn closed() -> Original {
        let (directory, database) = history();
        database.close().unwrap();
        Original {
            said: "one closed cleanly",
            bytes: directory.contents(NAME).unwrap(),
            log: None,
            logged: BTreeSet::new(),
        }
    }

    /// As a dying process leaves it: with commits that only the log holds.
    pub(super) fn killed() -> Original {
        let (directory, database) = history();
        let mut random = Random::new(9, 1);
        let mut logged = BTreeSet::new();
        for _ in 0..5 {
            let mut txn = database.begin_write().unwrap();
            for _ in 0..60 {
                let id = u64::from(random.below(NODES as u32)) + 1;
                logged.extend(change(&mut txn, id, &mut random));
            }
            txn.commit().unwrap();
        }
        let bytes = directory.contents(NAME).unwrap();
        let log = directory.contents(&format!("{NAME}-log"));
        assert!(log.is_some(), "an open database has a log");
        Original {
            said: "one killed, with its log",
            bytes,
            log,
            logged,
        }
    }
}

fn node(id: u64) -> NodeId {
    NodeId::new(id).unwrap()
}

fn json(id: u64, len: usize) -> Vec<u8> {
    let mut text = format!("{{\"number\":{id},\"note\":\"");
    while text.len() < len {
        text.push(char::from(b'a' + ((id + text.len() as u64 * 7) % 26) as u8));
    }
    (text + "\"}").into_bytes()
}

fn bulk(database: &Database) {
    let mut random = Random::new(7, 1);
    let nodes = (1..=NODES).map(|id| {
        let len = if id % 500 == 0 {
            9_000
        } else {
            90 + (id % 60) as usize
        };
        Ok(BulkNode {
            id: Some(node(id)),
            kind: format!("kind-{}", id % 7),
            name: format!("node number {id}"),
            data: json(id, len),
        })
    });
    let edges = (0..EDGES).map(|number| {
        // Every tenth goes where the one before went, so that some are parallel.
        let source = 1 + (number - u64::from(number % 10 == 1)) * 7 % NODES;
        let target = if number % 10 == 1 {
            1 + (number - 1) * 31 % NODES
        } else {
            1 + number * 31 % NODES
        };
        let len = match number % 9 {
            _ if number % 3000 == 0 => 5_000,
            0 => 40,
            _ => 0,
        };
        _ = random.next_u32();
        Ok(BulkEdge {
            source: node(source),
            label: format!("label-{}", number / 10 % 5),
            target: node(target),
            data: if len == 0 {
                Vec::new()
            } else {
                json(number, len)
            },
        })
    });
    database.bulk_load(nodes, edges, |_| {}).unwrap();
}

/// One change to a node or its edges; gives the nodes that it touched.
fn change(txn: &mut WriteTxn, id: u64, random: &mut Random) -> Vec<u64> {
    let here = node(id);
    if !txn.contains_node(here).unwrap() {
        return Vec::new();
    }
    match random.below(10) {
        0 => {
            txn.delete_node(here).unwrap();
            vec![id]
        }
        1..=4 => {
            let len = 20 + random.below(200) as usize;
            let data = json(id + 1, len);
            txn.update_node(
                here,
                NodeUpdate::new().data(&data).name(&format!("renamed {id}")),
            )
            .unwrap();
            vec![id]
        }
        5 => vec![
            txn.insert_node("late", &format!("late after {id}"), b"{}")
                .unwrap()
                .get(),
        ],
        6 | 7 => {
            let other = node(1 + (id * 17) % NODES);
            if txn.contains_node(other).unwrap() {
                txn.insert_edge(here, "late", other, &json(id, 15)).unwrap();
            }
            Vec::new()
        }
        _ => {
            let view = txn.view().unwrap();
            let found = view.edges(here, Direction::Out, None).next().map(|edge| {
                let edge = edge.unwrap();
                (edge.label().to_owned(), edge.target(), edge.ordinal())
            });
            drop(view);
            if let Some((label, target, ordinal)) = found {
                txn.delete_edge(here, &label, target, ordinal).unwrap();
            }
            Vec::new()
        }
    }
}

/// A bulk load and rounds of changes in one corner each, with a checkpoint after every round.
fn history() -> (MemoryDirectory, Database) {
    let directory = MemoryDirectory::new();
    let database = Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .file_id([0x5a; 16])
        .log_segment_bytes(1 << 20)
        .checkpoint(CheckpointMode::Inline)
        .create(NAME)
        .unwrap();
    bulk(&database);
    let mut random = Random::new(8, 1);
    for round in 0..6u64 {
        let mut txn = database.begin_write().unwrap();
        for _ in 0..150 {
            let id = 1 + (round * 2_500 + u64::from(random.below(1_800))) % NODES;
            change(&mut txn, id, &mut random);
        }
        txn.commit().unwrap();
        database.checkpoint().unwrap();
    }
    (directory, database)
}
