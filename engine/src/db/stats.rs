//! Counts and sizes, read from a published state.

use crate::error::{Error, Result};
use crate::ids::KeySpace;
use crate::store::Store;

/// Counts and sizes of one state. See [`Database::stats`](super::Database::stats).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stats {
    /// Nodes that exist.
    pub nodes: u64,
    /// Edges that exist. In a database with unique edges, those inserted since the last checkpoint
    /// count once each even where they replaced one another.
    pub edges: u64,
    /// Kinds of nodes in the dictionary.
    pub kinds: u64,
    /// Labels of edges in the dictionary.
    pub labels: u64,
    /// The lowest node id never issued.
    pub next_node: u64,
    /// Number of the newest commit.
    pub commit: u64,
    /// Number of the state of the trees.
    pub sequence: u64,
    /// Bytes of a page.
    pub page_size: u64,
    /// Pages that the state counts, header included.
    pub pages: u64,
    /// Pages on the freelist of the state.
    pub free_pages: u64,
    /// Bytes of the database file.
    pub file_bytes: u64,
    /// Memory of changes that are committed but not merged into the trees yet, in bytes.
    pub buffered_bytes: u64,
    /// Pages that no state needs any more but snapshots still hold.
    pub pinned_pages: u64,
    /// One entry per key space.
    pub trees: Vec<TreeStats>,
}

/// One tree. Changes that are not merged yet are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TreeStats {
    /// The key space.
    pub space: KeySpace,
    /// Page number of the root; `None` for an empty tree.
    pub root: Option<u64>,
    /// Levels; 0 for an empty tree.
    pub height: u8,
    /// Items in the tree.
    pub entries: u64,
    /// Branch and leaf pages.
    pub pages: u64,
}

impl Stats {
    pub(super) fn of(store: &Store) -> Result<Stats> {
        let state = store.published();
        let header = &state.base.header;
        let file_bytes = store
            .file
            .len()
            .map_err(|e| Error::io("reading the database's length", e))?;
        let trees = KeySpace::ALL
            .into_iter()
            .zip(header.roots)
            .map(|(space, root)| TreeStats {
                space,
                root: root.page.map(|page| page.page()),
                height: root.height,
                entries: root.entries,
                pages: root.pages,
            });
        Ok(Stats {
            nodes: state.totals.nodes,
            edges: state.totals.edges,
            kinds: state.totals.kinds.into(),
            labels: state.totals.labels.into(),
            next_node: state.totals.next_node,
            commit: state.commit,
            sequence: header.sequence,
            page_size: header.page_size as u64,
            pages: header.page_count,
            free_pages: header.free_pages,
            file_bytes,
            buffered_bytes: (state.active.bytes() + state.frozen.bytes()) as u64,
            pinned_pages: store.pinned_pages(),
            trees: trees.collect(),
        })
    }
}
