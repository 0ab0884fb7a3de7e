//! One operation, put to a store, and what its answer is worth: a hash that every store must give.

use xxhash_rust::xxh3::xxh3_64;

use crate::dataset::model::Way;
use crate::scenario::operations::Operation;

/// An operation with everything it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    InsertNode {
        kind: String,
        name: String,
        data: Vec<u8>,
    },
    InsertEdge {
        source: u64,
        label: String,
        target: u64,
        data: Vec<u8>,
    },
    UpdateNode {
        id: u64,
        kind: Option<String>,
        name: Option<String>,
        data: Vec<u8>,
    },
    DeleteNode(u64),
    DeleteEdge {
        source: u64,
        label: String,
        target: u64,
        ordinal: u32,
    },
    Empty,
    /// Also for ids that no node has.
    GetNode(u64),
    Neighbors(u64),
    Degree(u64),
    TwoHop(u64),
    Bfs(u64),
    KHop(u64),
    Path(u64, u64),
    ByKind(String),
    /// Also for names that no node has.
    ByName(String),
    ByPrefix(String),
    Scan,
    Snapshot,
    Reopen,
    Check,
}

/// How edges are followed by every operation of a phase.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) way: Way,
    pub(crate) label: Option<String>,
    /// 0 is no limit.
    pub(crate) depth: u32,
    /// Pages of the cache that traversals take along.
    pub(crate) cache_pages: Option<u32>,
}

impl Walk {
    pub(crate) fn depth(&self) -> u32 {
        if self.depth == 0 {
            u32::MAX
        } else {
            self.depth
        }
    }
}

/// What an operation did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// Of the answer.
    pub(crate) hash: u64,
    /// Nodes or edges in the answer.
    pub(crate) rows: u64,
    pub(crate) ns: u64,
    /// The id of a new node.
    pub(crate) id: Option<u64>,
    /// What is wrong by the store's own word.
    pub(crate) findings: Vec<String>,
}

/// What a commit took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Committed {
    pub(crate) ns: u64,
    /// Bytes that it appended to a log.
    pub(crate) log_bytes: u64,
}

/// An operation and its place in a stream of them.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: Operation,
    pub(crate) op: Op,
    /// The hash that the model gives; `None` where nobody can foretell the answer, as with the ids of
    /// nodes that several clients insert.
    pub(crate) want: Option<u64>,
    /// Edges that the model followed.
    pub(crate) edges: u64,
    /// How a transaction that is open ends before this operation.
    pub(crate) first: Then,
    /// How it ends after it.
    pub(crate) then: Then,
}

/// How a transaction ends, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Nothing,
    Commit,
    Rollback,
}

/// The hash of a number: an id, a count, a length.
pub(crate) fn hash_number(number: u64) -> u64 {
    xxh3_64(&number.to_le_bytes())
}

pub(crate) fn hash_done(done: bool) -> u64 {
    hash_number(u64::from(done))
}

pub(crate) fn hash_absent() -> u64 {
    xxh3_64(b"absent")
}

pub(crate) fn hash_node(kind: &str, name: &str, data: &[u8]) -> u64 {
    let parts = [
        xxh3_64(kind.as_bytes()),
        xxh3_64(name.as_bytes()),
        xxh3_64(data),
    ];
    hash_sequence(parts)
}

/// The hash of ids whose order means nothing. Sorts them.
pub(crate) fn hash_ids(ids: &mut [u64]) -> u64 {
    ids.sort_unstable();
    hash_sequence(ids.iter().copied())
}

pub(crate) fn hash_sequence(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let mut state = xxhash_rust::xxh3::Xxh3::new();
    for number in numbers {
        state.update(&number.to_le_bytes());
    }
    state.digest()
}

pub(crate) fn hash_names<'a>(names: impl IntoIterator<Item = (&'a str, u64)>) -> u64 {
    hash_sequence(
        names
            .into_iter()
            .flat_map(|(name, id)| [xxh3_64(name.as_bytes()), id]),
    )
}

/// The hash of a whole scan: how many nodes, and how many bytes of data.
pub(crate) fn hash_scan(nodes: u64, bytes: u64) -> u64 {
    hash_sequence([nodes, bytes])
}

/// The hash of a path's length.
pub(crate) fn hash_path(edges: Option<u64>) -> u64 {
    edges.map_or_else(hash_absent, hash_number)
}
