//! The payload of a commit: operations that carry outcomes, so that replaying one twice changes
//! nothing more than replaying it once.

use super::limits::{MAX_COUNT, MAX_DATA_LEN, MAX_NAME_LEN, MAX_TERM_LEN};
use super::{FormatError, Reader, Result, ensure, varint};
use crate::ids::{EdgeKey, MAX_U48};

/// Every operation: name and tag, in order.
pub const TAGS: &[(&str, u8)] = &[
    ("define kind", tag::DEFINE_KIND),
    ("define label", tag::DEFINE_LABEL),
    ("put node", tag::PUT_NODE),
    ("delete node", tag::DELETE_NODE),
    ("put edge", tag::PUT_EDGE),
    ("delete edge", tag::DELETE_EDGE),
    ("put name", tag::PUT_NAME),
    ("drop name", tag::DROP_NAME),
    ("put kind", tag::PUT_KIND),
    ("drop kind", tag::DROP_KIND),
    ("put absent", tag::PUT_ABSENT),
    ("drop absent", tag::DROP_ABSENT),
    ("totals", tag::TOTALS),
];

mod tag {
    pub(super) const DEFINE_KIND: u8 = 1;
    pub(super) const DEFINE_LABEL: u8 = 2;
    pub(super) const PUT_NODE: u8 = 3;
    pub(super) const DELETE_NODE: u8 = 4;
    pub(super) const PUT_EDGE: u8 = 5;
    pub(super) const DELETE_EDGE: u8 = 6;
    pub(super) const PUT_NAME: u8 = 7;
    pub(super) const DROP_NAME: u8 = 8;
    pub(super) const PUT_KIND: u8 = 9;
    pub(super) const DROP_KIND: u8 = 10;
    pub(super) const PUT_ABSENT: u8 = 11;
    pub(super) const DROP_ABSENT: u8 = 12;
    pub(super) const TOTALS: u8 = 13;
}

/// One operation. Ids are node ids unless the field says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are those of the table in FORMAT.md"
)]
pub enum Op<'a> {
    /// A node kind has this name.
    DefineKind { id: u16, name: &'a str },
    /// An edge label has this name.
    DefineLabel { id: u16, name: &'a str },
    /// The node is now this.
    PutNode {
        id: u64,
        kind: u16,
        name: &'a str,
        data: &'a [u8],
    },
    /// The node is gone.
    DeleteNode { id: u64 },
    /// The edge, whose `node` is its source, is now there with this data.
    PutEdge { key: EdgeKey, data: &'a [u8] },
    /// The edge is gone.
    DeleteEdge { key: EdgeKey },
    /// The name index has this entry.
    PutName { id: u64, name: &'a str },
    /// The name index no longer has this entry.
    DropName { id: u64, name: &'a str },
    /// The kind index has this entry.
    PutKind { id: u64, kind: u16 },
    /// The kind index no longer has this entry.
    DropKind { id: u64, kind: u16 },
    /// The run of absent ids that begins here has this length, and may be given to nodes if reserved.
    PutAbsent {
        first: u64,
        len: u64,
        reserved: bool,
    },
    /// No run of absent ids begins here any longer.
    DropAbsent { first: u64 },
    /// Totals after the commit; always the last operation.
    Totals {
        next_node: u64,
        nodes: u64,
        edges: u64,
    },
}

/// Writes operations one after the other into one payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpWriter {
    source: u64,
}

impl OpWriter {
    /// A writer at the start of a payload.
    pub fn new() -> OpWriter {
        OpWriter::default()
    }

    /// Appends an operation.
    pub fn put(&mut self, out: &mut Vec<u8>, op: &Op<'_>) {
        match *op {
            Op::DefineKind { id, name } => put_named(out, tag::DEFINE_KIND, id.into(), name),
            Op::DefineLabel { id, name } => put_named(out, tag::DEFINE_LABEL, id.into(), name),
            Op::PutNode {
                id,
                kind,
                name,
                data,
            } => {
                put_numbers(out, tag::PUT_NODE, &[id, kind.into()]);
                put_bytes(out, name.as_bytes());
                put_bytes(out, data);
            }
            Op::DeleteNode { id } => put_numbers(out, tag::DELETE_NODE, &[id]),
            Op::PutEdge { key, data } => {
                self.put_edge(out, tag::PUT_EDGE, key);
                put_bytes(out, data);
            }
            Op::DeleteEdge { key } => self.put_edge(out, tag::DELETE_EDGE, key),
            Op::PutName { id, name } => put_named(out, tag::PUT_NAME, id, name),
            Op::DropName { id, name } => put_named(out, tag::DROP_NAME, id, name),
            Op::PutKind { id, kind } => put_numbers(out, tag::PUT_KIND, &[id, kind.into()]),
            Op::DropKind { id, kind } => put_numbers(out, tag::DROP_KIND, &[id, kind.into()]),
            Op::PutAbsent {
                first,
                len,
                reserved,
            } => {
                put_numbers(
                    out,
                    tag::PUT_ABSENT,
                    &[first, 2 * len + u64::from(reserved)],
                );
            }
            Op::DropAbsent { first } => put_numbers(out, tag::DROP_ABSENT, &[first]),
            Op::Totals {
                next_node,
                nodes,
                edges,
            } => {
                put_numbers(out, tag::TOTALS, &[next_node, nodes, edges]);
            }
        }
    }

    fn put_edge(&mut self, out: &mut Vec<u8>, tag: u8, key: EdgeKey) {
        let step = key.node.wrapping_sub(self.source).cast_signed();
        self.source = key.node;
        let numbers = [zigzag(step), key.label.into(), key.peer, key.ordinal.into()];
        put_numbers(out, tag, &numbers);
    }
}

fn put_numbers(out: &mut Vec<u8>, tag: u8, numbers: &[u64]) {
    out.push(tag);
    for number in numbers {
        varint::put(out, *number);
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    varint::put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn put_named(out: &mut Vec<u8>, tag: u8, id: u64, name: &str) {
    put_numbers(out, tag, &[id]);
    put_bytes(out, name.as_bytes());
}

/// Small steps in either direction become small numbers.
fn zigzag(step: i64) -> u64 {
    (step << 1 ^ step >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Reads a payload. Ends after an error, or after the totals that must come last.
#[derive(Clone, Debug)]
pub struct OpReader<'a> {
    r: Reader<'a>,
    source: u64,
    done: bool,
}

impl<'a> OpReader<'a> {
    /// A reader at the start of a payload.
    pub fn new(payload: &'a [u8]) -> OpReader<'a> {
        OpReader {
            r: Reader::new(payload),
            source: 0,
            done: false,
        }
    }

    /// Bytes of the payload read so far.
    pub fn position(&self) -> usize {
        self.r.position()
    }

    fn read(&mut self) -> Result<Op<'a>> {
        ensure(!self.r.is_empty(), "commit ends without its totals")?;
        Ok(match self.r.u8()? {
            tag::DEFINE_KIND => Op::DefineKind {
                id: self.small_id()?,
                name: self.term()?,
            },
            tag::DEFINE_LABEL => Op::DefineLabel {
                id: self.small_id()?,
                name: self.term()?,
            },
            tag::PUT_NODE => Op::PutNode {
                id: self.id()?,
                kind: self.small_id()?,
                name: self.name()?,
                data: self.data()?,
            },
            tag::DELETE_NODE => Op::DeleteNode { id: self.id()? },
            tag::PUT_EDGE => Op::PutEdge {
                key: self.edge()?,
                data: self.data()?,
            },
            tag::DELETE_EDGE => Op::DeleteEdge { key: self.edge()? },
            tag::PUT_NAME => Op::PutName {
                id: self.id()?,
                name: self.name()?,
            },
            tag::DROP_NAME => Op::DropName {
                id: self.id()?,
                name: self.name()?,
            },
            tag::PUT_KIND => Op::PutKind {
                id: self.id()?,
                kind: self.small_id()?,
            },
            tag::DROP_KIND => Op::DropKind {
                id: self.id()?,
                kind: self.small_id()?,
            },
            tag::PUT_ABSENT => self.put_absent()?,
            tag::DROP_ABSENT => Op::DropAbsent { first: self.id()? },
            tag::TOTALS => self.totals()?,
            _ => return Err(FormatError("unknown operation")),
        })
    }

    fn id(&mut self) -> Result<u64> {
        let id = self.r.varint_to(MAX_U48, "node id exceeds 48 bits")?;
        ensure(id > 0, "node id is 0")?;
        Ok(id)
    }

    /// The id of a kind or label.
    fn small_id(&mut self) -> Result<u16> {
        let id = self
            .r
            .varint_to(u16::MAX.into(), "kind or label out of range")?;
        Ok(id as u16)
    }

    fn text(&mut self, max: usize) -> Result<&'a str> {
        let len = self.r.varint_to(max as u64, "name too long")?;
        let bytes = self.r.bytes(len as usize)?;
        str::from_utf8(bytes).map_err(|_| FormatError("name is not UTF-8"))
    }

    fn name(&mut self) -> Result<&'a str> {
        self.text(MAX_NAME_LEN)
    }

    /// The name of a kind or label.
    fn term(&mut self) -> Result<&'a str> {
        let term = self.text(MAX_TERM_LEN)?;
        ensure(!term.is_empty(), "the name of a kind or label is empty")?;
        Ok(term)
    }

    fn data(&mut self) -> Result<&'a [u8]> {
        let len = self.r.varint_to(MAX_DATA_LEN, "data too long")?;
        self.r.bytes(len as usize)
    }

    fn edge(&mut self) -> Result<EdgeKey> {
        let step = unzigzag(self.r.varint()?);
        let node = self.source.checked_add_signed(step);
        let node = node.filter(|node| (1..=MAX_U48).contains(node));
        let node = node.ok_or(FormatError("the source of an edge is no node id"))?;
        self.source = node;
        let (label, peer) = (self.small_id()?, self.id()?);
        let ordinal = self.r.varint_to(u32::MAX.into(), "ordinal out of range")? as u32;
        Ok(EdgeKey {
            node,
            label,
            peer,
            ordinal,
        })
    }

    fn put_absent(&mut self) -> Result<Op<'a>> {
        let first = self.id()?;
        let most = 2 * (MAX_U48 + 1 - first) + 1;
        let value = self.r.varint_to(most, "absent ids exceed 48 bits")?;
        let (len, reserved) = (value / 2, value % 2 == 1);
        ensure(len > 0, "a run of no absent ids")?;
        Ok(Op::PutAbsent {
            first,
            len,
            reserved,
        })
    }

    fn totals(&mut self) -> Result<Op<'a>> {
        let next_node = self.r.varint_to(MAX_U48 + 1, "next node id out of range")?;
        let nodes = self.r.varint()?;
        let edges = self.r.varint_to(MAX_COUNT, "edge count out of range")?;
        ensure(next_node > 0, "next node id out of range")?;
        ensure(nodes < next_node, "more nodes than ids issued")?;
        ensure(self.r.is_empty(), "operations after the totals")?;
        Ok(Op::Totals {
            next_node,
            nodes,
            edges,
        })
    }
}

impl<'a> Iterator for OpReader<'a> {
    type Item = Result<Op<'a>>;

    fn next(&mut self) -> Option<Result<Op<'a>>> {
        if self.done {
            return None;
        }
        let op = self.read();
        self.done = matches!(op, Err(_) | Ok(Op::Totals { .. }));
        Some(op)
    }
}

#[cfg(test)]
mod tests;
