//! The limits of `FORMAT.md`, section 7, as typed errors before anything is changed.

use crate::error::{Error, Result};
use crate::format::limits::{MAX_DATA_LEN, MAX_NAME_LEN, MAX_TERM_LEN, MAX_TERMS};
use crate::ids::{MAX_U48, NodeId};

/// What a writer gives by a node besides its name and data, in bytes: id and kind.
pub(crate) const NODE_BYTES: usize = 6 + 2;
/// What a writer gives by an edge besides its data, in bytes: two ids and a label.
pub(crate) const EDGE_BYTES: usize = 6 + 6 + 2;

fn at_most(what: &'static str, got: u64, max: u64) -> Result<()> {
    if got > max {
        Err(Error::Limit { what, max, got })
    } else {
        Ok(())
    }
}

/// A node's name.
pub(crate) fn name(name: &str) -> Result<()> {
    at_most(
        "bytes of a node's name",
        name.len() as u64,
        MAX_NAME_LEN as u64,
    )
}

/// Data of a node or an edge.
pub(crate) fn data(data: &[u8]) -> Result<()> {
    at_most("bytes of data", data.len() as u64, MAX_DATA_LEN)
}

/// The name of a kind or a label.
pub(crate) fn term(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::usage(
            "the name of a kind or label must not be empty",
        ));
    }
    at_most(
        "bytes of a kind's or label's name",
        name.len() as u64,
        MAX_TERM_LEN as u64,
    )
}

/// The number of a kind or label to be defined next.
pub(crate) fn next_term(next: u32) -> Result<u16> {
    u16::try_from(next).map_err(|_| Error::Limit {
        what: "kinds, or labels, of one database",
        max: MAX_TERMS.into(),
        got: u64::from(next) + 1,
    })
}

/// A node id to be issued.
pub(crate) fn node_id(number: u64) -> Result<NodeId> {
    NodeId::new(number).ok_or(Error::Limit {
        what: "node ids",
        max: MAX_U48,
        got: number,
    })
}

/// The ordinal after the highest of some parallel edges.
pub(crate) fn next_ordinal(highest: u32) -> Result<u32> {
    highest.checked_add(1).ok_or(Error::Limit {
        what: "ordinals of parallel edges",
        max: u32::MAX.into(),
        got: u64::from(u32::MAX) + 1,
    })
}
