//! Everything that a database answers, as one digest: two states are the same if their digests are.

use std::collections::BTreeSet;

use vellum::{Direction, NodeId, ReadTxn, Result};

use crate::digest::Digest;

/// Of everything that can be read, and of questions that walk the graph. The first error ends it.
pub(crate) fn content(txn: &ReadTxn) -> Result<String> {
    let (mut digest, ids) = readable(txn, &[Direction::Out, Direction::In])?;
    questions(txn, &ids, &mut digest)?;
    Ok(digest.to_string())
}

/// Of everything that can be read, once: what a model of the graph can say as well.
pub(crate) fn rows(txn: &ReadTxn) -> Result<u128> {
    Ok(readable(txn, &[Direction::Out])?.0.value())
}

/// Nodes, edges from both ends, names, kinds and labels. The data of an edge is read from these ends.
fn readable(txn: &ReadTxn, data_from: &[Direction]) -> Result<(Digest, Vec<NodeId>)> {
    let mut digest = Digest::new();
    digest.number(txn.next_id());
    digest.number(txn.node_count());
    digest.number(txn.edge_count());
    let mut ids = Vec::new();
    for node in txn.nodes() {
        let node = node?;
        ids.push(node.id());
        digest.number(node.id().get());
        digest.text(node.kind());
        digest.text(node.name());
        digest.bytes(&node.data()?);
    }
    for direction in [Direction::Out, Direction::In] {
        for id in &ids {
            edges(txn, *id, direction, data_from, &mut digest)?;
        }
    }
    for entry in txn.nodes_with_prefix("") {
        let (name, id) = entry?;
        digest.text(&name);
        digest.number(id.get());
    }
    for kind in txn.kinds()? {
        digest.text(&kind);
        for id in txn.nodes_of_kind(&kind) {
            digest.number(id?.get());
        }
    }
    for label in txn.labels()? {
        digest.text(&label);
    }
    Ok((digest, ids))
}

fn edges(
    txn: &ReadTxn,
    id: NodeId,
    direction: Direction,
    data_from: &[Direction],
    digest: &mut Digest,
) -> Result<()> {
    for edge in txn.edges(id, direction, None) {
        let edge = edge?;
        let other = match direction {
            Direction::Out => edge.target(),
            Direction::In => edge.source(),
        };
        digest.number(id.get());
        digest.text(edge.label());
        digest.number(other.get());
        digest.number(u64::from(edge.ordinal()));
        if data_from.contains(&direction) {
            digest.bytes(&edge.data()?);
        }
    }
    Ok(())
}

/// Ids that exist and ids that do not, degrees, names, walks.
fn questions(txn: &ReadTxn, ids: &[NodeId], digest: &mut Digest) -> Result<()> {
    let there: BTreeSet<NodeId> = ids.iter().copied().collect();
    let known = ids.iter().flat_map(|id| [id.get(), id.get() + 1]);
    for id in known.chain([1, txn.next_id()]).filter_map(NodeId::new) {
        digest.number(u64::from(txn.contains_node(id)?));
        if !there.contains(&id) {
            digest.number(u64::from(txn.node(id)?.is_some()));
        }
    }
    for id in ids.iter().step_by(7) {
        for direction in [Direction::Out, Direction::In] {
            digest.number(txn.degree(*id, direction, None)?);
            for neighbor in txn.neighbors(*id, direction, None) {
                digest.number(neighbor?.get());
            }
        }
    }
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
        return Ok(());
    };
    for found in txn.bfs(*first).max_depth(3).reached()? {
        digest.number(found.get());
    }
    let path = txn.shortest_path(*first, *last).run()?;
    digest.number(path.map_or(0, |path| path.nodes.len() as u64));
    Ok(())
}
