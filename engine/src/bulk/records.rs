//! What a bulk load sorts.

use super::sorter::Record;
use crate::btree::NameKey;
use crate::ids::EdgeKey;

/// Stands for an ordinal still to be given.
const NO_ORDINAL: u64 = u64::MAX;

/// An edge on its way into the out-adjacency. Its ordinal may still have to be given, so parallel
/// edges are told apart, and kept in order, by their arrival.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NewEdge {
    pub(super) source: u64,
    pub(super) label: u16,
    pub(super) target: u64,
    pub(super) arrival: u64,
    /// The ordinal that the edge brings, if it does.
    pub(super) ordinal: Option<u32>,
    pub(super) data: Box<[u8]>,
}

/// An entry of the in-adjacency or of the kind index: keys without values.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) EdgeKey);

/// An entry of the name index.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(pub(super) NameKey);

impl Record for NewEdge {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.source.to_le_bytes());
        out.extend_from_slice(&self.label.to_le_bytes());
        out.extend_from_slice(&self.target.to_le_bytes());
        out.extend_from_slice(&self.arrival.to_le_bytes());
        let ordinal = self.ordinal.map_or(NO_ORDINAL, u64::from);
        out.extend_from_slice(&ordinal.to_le_bytes());
        write_bytes(out, &self.data);
    }

    fn read(bytes: &mut &[u8]) -> Option<NewEdge> {
        Some(NewEdge {
            source: u64::from_le_bytes(take(bytes)?),
            label: u16::from_le_bytes(take(bytes)?),
            target: u64::from_le_bytes(take(bytes)?),
            arrival: u64::from_le_bytes(take(bytes)?),
            // Anything that is no ordinal stands for none.
            ordinal: u32::try_from(u64::from_le_bytes(take(bytes)?)).ok(),
            data: read_bytes(bytes)?,
        })
    }

    fn memory(&self) -> usize {
        size_of::<NewEdge>() + self.data.len()
    }
}

impl Record for Key {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.node.to_le_bytes());
        out.extend_from_slice(&self.0.label.to_le_bytes());
        out.extend_from_slice(&self.0.peer.to_le_bytes());
        out.extend_from_slice(&self.0.ordinal.to_le_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Key> {
        Some(Key(EdgeKey {
            node: u64::from_le_bytes(take(bytes)?),
            label: u16::from_le_bytes(take(bytes)?),
            peer: u64::from_le_bytes(take(bytes)?),
            ordinal: u32::from_le_bytes(take(bytes)?),
        }))
    }

    fn memory(&self) -> usize {
        size_of::<Key>()
    }
}

impl Record for Name {
    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(out, self.0.as_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Name> {
        read_bytes(bytes).map(|key| Name(NameKey::from_bytes(&key)))
    }

    fn memory(&self) -> usize {
        size_of::<Name>() + self.0.as_bytes().len()
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    // Names and data are limited to far less than 4 GiB.
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(bytes);
}

fn read_bytes(bytes: &mut &[u8]) -> Option<Box<[u8]>> {
    let mut rest = *bytes;
    let len = u32::from_le_bytes(take(&mut rest)?) as usize;
    let (content, rest) = rest.split_at_checked(len)?;
    *bytes = rest;
    Some(content.into())
}

/// Takes a fixed number of bytes, or nothing at all.
///
/// A record that is cut short is read again from its start, once more bytes are there.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}
