//! A delta as the payload of a log record, and back.

use std::ops::Bound;

use super::Delta;
use super::batch::{Batch, kind_key};
use super::spaces::Overlaid;
use crate::btree::{
    Absent, Change, Dictionary, EdgeData, Kinds, NameKey, Names, NodeRecord, Nodes, Out,
};
use crate::format::FormatError;
use crate::format::changes::{Op, OpReader, OpWriter};
use crate::plant::planted;

/// Counts that a commit states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LoggedTotals {
    pub(crate) next_node: u64,
    pub(crate) nodes: u64,
    pub(crate) edges: u64,
    /// Kinds and labels that exist at least, as the operations define them.
    pub(crate) kinds: u32,
    pub(crate) labels: u32,
}

/// The operations that make this delta, each an outcome.
pub(crate) fn encode(delta: &Delta, totals: LoggedTotals) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = OpWriter::new();
    let mut put = |op: Op<'_>| writer.put(&mut out, &op);
    terms_and_nodes(delta, &mut put);
    indexes(delta, &mut put);
    for (key, change) in Out::changes(delta, Bound::Unbounded) {
        put(match &change {
            Change::Put(data) => Op::PutEdge {
                key,
                data: data.bytes(),
            },
            Change::Delete => Op::DeleteEdge { key },
        });
    }
    let LoggedTotals {
        next_node,
        nodes,
        edges,
        ..
    } = totals;
    put(Op::Totals {
        next_node,
        nodes,
        edges,
    });
    out
}

fn terms_and_nodes(delta: &Delta, put: &mut impl FnMut(Op<'_>)) {
    for (key, change) in Dictionary::changes(delta, Bound::Unbounded) {
        if let (Some((tag, id)), Change::Put(name)) = (by_number(&key), change) {
            let name = std::str::from_utf8(&name).unwrap_or_default();
            if planted!("kinds-not-logged") && tag == 0 {
                continue;
            }
            put(if tag == 0 {
                Op::DefineKind { id, name }
            } else {
                Op::DefineLabel { id, name }
            });
        }
    }
    for (id, change) in Nodes::changes(delta, Bound::Unbounded) {
        put(match &change {
            Change::Put(node) => Op::PutNode {
                id,
                kind: node.kind,
                name: &node.name,
                data: &node.data,
            },
            Change::Delete => Op::DeleteNode { id },
        });
    }
}

/// Names, kinds and absent ids.
fn indexes(delta: &Delta, put: &mut impl FnMut(Op<'_>)) {
    for (key, change) in Names::changes(delta, Bound::Unbounded) {
        let (id, name) = (
            key.id(),
            std::str::from_utf8(key.name()).unwrap_or_default(),
        );
        put(match change {
            Change::Put(()) => Op::PutName { id, name },
            Change::Delete => Op::DropName { id, name },
        });
    }
    for (key, change) in Kinds::changes(delta, Bound::Unbounded) {
        // Kinds are numbered with 16 bits.
        let (id, kind) = (key.peer, key.node as u16);
        put(match change {
            Change::Put(()) => Op::PutKind { id, kind },
            Change::Delete => Op::DropKind { id, kind },
        });
    }
    for (first, change) in Absent::changes(delta, Bound::Unbounded) {
        put(match change {
            Change::Put(value) => Op::PutAbsent {
                first,
                len: value / 2,
                reserved: value % 2 == 1,
            },
            Change::Delete => Op::DropAbsent { first },
        });
    }
}

/// The tag and number of a dictionary key that leads from a number to a name.
fn by_number(key: &[u8]) -> Option<(u8, u16)> {
    match key {
        [tag @ (0 | 1), high, low] => Some((*tag, u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// The changes that a payload holds.
pub(crate) fn decode(payload: &[u8]) -> Result<(Batch, LoggedTotals), FormatError> {
    let mut batch = Batch::default();
    let mut totals = LoggedTotals::default();
    for op in OpReader::new(payload) {
        replay(op?, &mut batch, &mut totals);
    }
    Ok((batch, totals))
}

fn replay(op: Op<'_>, batch: &mut Batch, totals: &mut LoggedTotals) {
    match op {
        Op::DefineKind { id, name } => {
            batch.define_kind(id, name);
            totals.kinds = totals.kinds.max(u32::from(id) + 1);
        }
        Op::DefineLabel { id, name } => {
            batch.define_label(id, name);
            totals.labels = totals.labels.max(u32::from(id) + 1);
        }
        Op::PutNode {
            id,
            kind,
            name,
            data,
        } => {
            batch.put_node(
                id,
                NodeRecord {
                    kind,
                    name: name.into(),
                    data: data.into(),
                },
            );
        }
        Op::DeleteNode { id } => batch.drop_node(id),
        Op::PutEdge { key, data } => batch.put_edge(key, EdgeData::new(data)),
        Op::DeleteEdge { key } => batch.delete_edge(key),
        Op::PutName { id, name } => batch.names.push((NameKey::new(name, id), Change::Put(()))),
        Op::DropName { id, name } => batch.names.push((NameKey::new(name, id), Change::Delete)),
        Op::PutKind { id, kind } => batch.kinds.push((kind_key(kind, id), Change::Put(()))),
        Op::DropKind { id, kind } => batch.kinds.push((kind_key(kind, id), Change::Delete)),
        Op::PutAbsent {
            first,
            len,
            reserved,
        } => {
            batch
                .absent
                .push((first, Change::Put(2 * len + u64::from(reserved))));
        }
        Op::DropAbsent { first } => batch.absent.push((first, Change::Delete)),
        Op::Totals {
            next_node,
            nodes,
            edges,
        } => {
            *totals = LoggedTotals {
                next_node,
                nodes,
                edges,
                ..*totals
            };
        }
    }
}
