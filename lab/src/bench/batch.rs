//! The edges of a commit in the order of each direction, as a B-tree takes them best; and what key-value
//! stores make of a node.

use super::graph::{Edge, Node};
use super::subject::Change;

/// The edges to insert, by source, then by target.
pub(super) fn links(changes: &[Change<'_>]) -> [Vec<Edge>; 2] {
    let mut out: Vec<Edge> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Link(edge) => Some(*edge),
            _ => None,
        })
        .collect();
    let into = by_target(&out);
    out.sort_unstable_by_key(|edge| (edge.source, edge.label, edge.target));
    [out, into]
}

pub(super) fn by_source(edges: &[Edge]) -> Vec<Edge> {
    let mut edges = edges.to_vec();
    edges.sort_unstable_by_key(|edge| (edge.source, edge.label, edge.target));
    edges
}

pub(super) fn by_target(edges: &[Edge]) -> Vec<Edge> {
    let mut edges = edges.to_vec();
    edges.sort_unstable_by_key(|edge| (edge.target, edge.label, edge.source));
    edges
}

/// Kind, length of the name, name and data in one value.
pub(super) fn record(node: &Node<'_>, into: &mut Vec<u8>) {
    into.clear();
    into.push(node.kind);
    into.extend_from_slice(&(node.name.len() as u16).to_le_bytes());
    into.extend_from_slice(node.name.as_bytes());
    into.extend_from_slice(node.data);
}

/// The parts of such a value; `None` if it is none.
pub(super) fn parts(record: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = record.split_at_checked(3)?;
    let (name, data) = rest.split_at_checked(usize::from(head[1]) | usize::from(head[2]) << 8)?;
    Some((head[0], name, data))
}

/// The first text behind all that begin with the prefix; `None` where there is none.
pub(super) fn behind(prefix: &str) -> Option<String> {
    let mut bytes = prefix.as_bytes().to_vec();
    let last = bytes.last_mut()?;
    *last = last.checked_add(1).filter(u8::is_ascii)?;
    String::from_utf8(bytes).ok()
}
