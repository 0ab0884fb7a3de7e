//! Loading a graph: by transactions, or in one bulk load.

use std::time::Instant;

use vellum::{BulkEdge, BulkNode, BulkProgress, Database};

use crate::console::Console;
use crate::dataset::model::{Model, ModelEdge};
use crate::failure::Failure;
use crate::scenario::plan::LoadHow;

use super::node_id;

/// What loading took.
pub(crate) struct Loaded {
    pub(crate) time_ns: u64,
    pub(crate) commits: u64,
}

/// Loads the whole model. Putting the rows into the order of the source is outside the clock.
pub(crate) fn load(
    database: &Database,
    model: &Model,
    how: &LoadHow,
    console: &Console,
) -> Result<Loaded, Failure> {
    let edges = model.edges_as_they_came();
    let started = Instant::now();
    let commits = match how {
        LoadHow::Batch(size) => by_transactions(database, model, &edges, *size as usize, console)?,
        LoadHow::Bulk => in_bulk(database, model, &edges, console)?,
    };
    Ok(Loaded {
        time_ns: started.elapsed().as_nanos() as u64,
        commits,
    })
}

fn by_transactions(
    database: &Database,
    model: &Model,
    edges: &[&ModelEdge],
    size: usize,
    console: &Console,
) -> Result<u64, Failure> {
    // Ids that start at 1 without a gap are those that the engine issues by itself.
    let dense = model
        .nodes()
        .iter()
        .zip(1u64..)
        .all(|(node, number)| node.id == number);
    let (mut commits, mut done) = (0, 0);
    for nodes in model.nodes().chunks(size) {
        let mut txn = database.begin_write()?;
        for node in nodes {
            if dense {
                txn.insert_node(&node.kind, &node.name, &node.data)?;
            } else {
                txn.insert_node_with_id(node_id(node.id)?, &node.kind, &node.name, &node.data)?;
            }
        }
        txn.commit()?;
        commits += 1;
        done += nodes.len() as u64;
        console.progress("nodes loaded:", done);
    }
    done = 0;
    for edges in edges.chunks(size) {
        let mut txn = database.begin_write()?;
        for edge in edges {
            txn.insert_edge(
                node_id(edge.source)?,
                model.label(edge),
                node_id(edge.target)?,
                &edge.data,
            )?;
        }
        txn.commit()?;
        commits += 1;
        done += edges.len() as u64;
        console.progress("edges loaded:", done);
    }
    Ok(commits)
}

fn in_bulk(
    database: &Database,
    model: &Model,
    edges: &[&ModelEdge],
    console: &Console,
) -> Result<u64, Failure> {
    let nodes = model.nodes().iter().map(|node| {
        Ok(BulkNode {
            id: vellum::NodeId::new(node.id),
            kind: node.kind.clone(),
            name: node.name.clone(),
            data: node.data.clone(),
        })
    });
    let no_id = |id: u64| vellum::Error::Usage(format!("{id} is no node id"));
    let edges = edges.iter().map(|edge| {
        Ok(BulkEdge {
            source: vellum::NodeId::new(edge.source).ok_or_else(|| no_id(edge.source))?,
            label: model.label(edge).to_owned(),
            target: vellum::NodeId::new(edge.target).ok_or_else(|| no_id(edge.target))?,
            data: edge.data.clone(),
        })
    });
    database.bulk_load(nodes, edges, |progress| show(progress, console))?;
    Ok(1)
}

/// Shows how far a bulk load is.
pub(crate) fn show(progress: BulkProgress, console: &Console) {
    match progress {
        BulkProgress::Nodes(done) => console.progress("nodes loaded:", done),
        BulkProgress::Edges(done) => console.progress("edges sorted:", done),
        BulkProgress::Out(done) => console.progress("out-edges written:", done),
        BulkProgress::In(done) => console.progress("in-edges written:", done),
        _ => {}
    }
}
