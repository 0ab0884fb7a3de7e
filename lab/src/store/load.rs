//! Loading a graph: by transactions, or in one bulk load.

use std::time::Instant;

use vellum::{BulkEdge, BulkNode, BulkProgress, Database};

use crate::console::Console;
use crate::dataset::model::{Model, ModelEdge};
use crate::failure::Failure;
use crate::random::Random;
use crate::scenario::plan::LoadHow;
use crate::scenario::raw::EdgeOrder;

use super::node_id;

/// What loading took.
pub(crate) struct Loaded {
    pub(crate) time_ns: u64,
    pub(crate) commits: u64,
}

/// Stream of the seed that shuffles edges.
const SHUFFLE: u64 = 5 << 32;

/// Loads the whole model. Putting the rows into the order asked for is outside the clock.
pub(crate) fn load(
    database: &Database,
    model: &Model,
    how: &LoadHow,
    seed: u64,
    console: &Console,
) -> Result<Loaded, Failure> {
    let edges = match how {
        LoadHow::Bulk(EdgeOrder::Sorted) => model.edges().iter().collect(),
        LoadHow::Bulk(EdgeOrder::Shuffled) => shuffled(model, seed),
        LoadHow::Bulk(EdgeOrder::Source) | LoadHow::Batch(_) => model.edges_as_they_came(),
    };
    let started = Instant::now();
    let commits = match how {
        LoadHow::Batch(size) => by_transactions(database, model, &edges, *size as usize, console)?,
        LoadHow::Bulk(_) => in_bulk(database, model, &edges, console)?,
    };
    Ok(Loaded {
        time_ns: started.elapsed().as_nanos() as u64,
        commits,
    })
}

/// The edges at random, parallel ones side by side and in their order: that numbers them.
fn shuffled(model: &Model, seed: u64) -> Vec<&ModelEdge> {
    let mut groups: Vec<&[ModelEdge]> = model
        .edges()
        .chunk_by(|a, b| (a.source, a.label, a.target) == (b.source, b.label, b.target))
        .collect();
    Random::new(seed, SHUFFLE).shuffle(&mut groups);
    groups.into_iter().flatten().collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::EdgeRow;

    /// Another order of rows must not be another graph.
    #[test]
    fn a_shuffle_moves_edges_and_keeps_the_order_of_parallel_ones() {
        let rows = (0..200u64).map(|number| EdgeRow {
            source: number % 20 + 1,
            label: "to".to_owned(),
            target: 1,
            data: number.to_string().into_bytes(),
        });
        let model = Model::new(Vec::new(), rows);
        let shuffled = shuffled(&model, 1);
        let places: Vec<(u64, u32)> = shuffled
            .iter()
            .map(|edge| (edge.source, edge.ordinal))
            .collect();
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert_eq!(places.len(), 200);
        assert_ne!(places, sorted);
        for source in 1..=20 {
            let ordinals: Vec<u32> = places
                .iter()
                .filter(|place| place.0 == source)
                .map(|place| place.1)
                .collect();
            assert!(ordinals.is_sorted() && ordinals.len() == 10, "{ordinals:?}");
        }
    }
}
