//! Everything that a database answers, as one digest: two states are the same if their digests are.

use std::collections::BTreeSet;

use vellum::{Direction, NodeId, ReadTxn, Result};

use crate::digest::Digest;

/// Of everything that can be read, and of questions that walk the graph. The first error ends it.
pub(crate) fn content(txn: &ReadTxn) -> Result<String> {
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
    for id in &ids {
        edges(txn, *id, &mut digest)?;
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
    questions(txn, &ids, &mut digest)?;
    Ok(digest.to_string())
}

fn edges(txn: &ReadTxn, id: NodeId, digest: &mut Digest) -> Result<()> {
    for direction in [Direction::Out, Direction::In] {
        for edge in txn.edges(id, direction, None) {
            let edge = edge?;
            digest.number(edge.source().get());
            digest.text(edge.label());
            digest.number(edge.target().get());
            digest.number(u64::from(edge.ordinal()));
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
