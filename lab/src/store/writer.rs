//! The writer that gets killed: a child process that commits one transaction after another and says
//! on its stdout which are durable. What transaction `n` does depends on `n` alone, so the parent
//! knows what to find.

use std::io::{self, Write};

use vellum::Database;

use crate::cli::WriterArgs;
use crate::dataset::{EdgeRow, NodeRow};
use crate::failure::{Context, Exit, Failure};
use crate::random::Random;
use crate::scenario::plan::Shape;
use crate::scenario::raw;

/// Kind of the writer's nodes and label of its edges.
const WRITTEN: &str = "written";

/// What one transaction adds.
pub(crate) struct Transaction {
    pub(crate) nodes: Vec<NodeRow>,
    pub(crate) edges: Vec<EdgeRow>,
}

/// Transaction `number` (from 1), whose first node has the id `first`. Half of its edges join its own
/// nodes, the other half lead to `anchors`, nodes that were there before.
pub(crate) fn transaction(number: u64, first: u64, shape: Shape, anchors: &[u64]) -> Transaction {
    let mut random = Random::new(number, 0);
    let nodes: Vec<NodeRow> = (0..u64::from(shape.nodes))
        .map(|place| NodeRow {
            id: first + place,
            kind: WRITTEN.to_owned(),
            name: format!("written-{number}-{place}"),
            data: (0..shape.data_bytes)
                .map(|_| b'a' + random.below(26) as u8)
                .collect(),
        })
        .collect();
    let edges = (0..u64::from(shape.edges)).map(|place| {
        let own = first + u64::from(random.below(shape.nodes));
        let anchor = anchors
            .get(random.below(anchors.len() as u32) as usize)
            .copied();
        EdgeRow {
            source: first + place % u64::from(shape.nodes.max(1)),
            label: WRITTEN.to_owned(),
            target: if place % 2 == 0 {
                own
            } else {
                anchor.unwrap_or(own)
            },
            data: format!("{{\"transaction\":{number}}}").into_bytes(),
        }
    });
    Transaction {
        edges: edges.collect(),
        nodes,
    }
}

/// The child's whole life. Acknowledgements are lines with the transaction's number.
pub(crate) fn run(args: &WriterArgs) -> Result<Exit, Failure> {
    let durability = raw::Durability::named(&args.durability)
        .ok_or_else(|| Failure::usage(format!("`{}` is no durability", args.durability)))?;
    let shape = Shape {
        nodes: args.nodes,
        edges: args.edges,
        data_bytes: args.data_bytes,
    };
    let database = Database::builder()
        .durability(super::durability(durability, None))
        .open(&args.database)?;
    let mut out = io::stdout().lock();
    for number in args.first..args.first.saturating_add(args.count) {
        let first = database.begin_read()?.next_id();
        write(&database, &transaction(number, first, shape, &args.anchors))?;
        writeln!(out, "{number}")
            .and_then(|()| out.flush())
            .context("stdout")?;
    }
    database.close()?;
    Ok(Exit::Passed)
}

fn write(database: &Database, transaction: &Transaction) -> Result<(), Failure> {
    let mut txn = database.begin_write()?;
    for node in &transaction.nodes {
        let id = txn.insert_node(&node.kind, &node.name, &node.data)?;
        if id.get() != node.id {
            return Err(Failure::wrong(format!(
                "the next id was said to be {}, and {id} was issued",
                node.id
            )));
        }
    }
    for edge in &transaction.edges {
        let (source, target) = (super::node_id(edge.source)?, super::node_id(edge.target)?);
        txn.insert_edge(source, &edge.label, target, &edge.data)?;
    }
    txn.commit()?;
    Ok(())
}
