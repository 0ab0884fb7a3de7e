//! Copy-on-write B+Trees that change only by merging sorted batches.
//!
//! One algorithm serves every purpose: a checkpoint, a transaction larger than memory, a bulk load,
//! a backup and a compaction all stream ascending changes through [`merge`], which rewrites the
//! leaves they touch, then merges the resulting changes of separators into the level above, and so
//! on to a new root. Pages are always encoded whole; there is no insertion into a page.

mod branch;
mod check;
mod cursor;
mod descent;
mod dictionary;
mod directory;
mod due;
mod edges;
mod find;
mod merge;
mod name_directory;
mod names;
mod nodes;
mod run;
mod space;

pub use check::Finding;
pub(crate) use check::check_tree;
pub(crate) use cursor::Cursor;
pub(crate) use dictionary::{Absent, Dictionary};
pub(crate) use directory::Directories;
pub(crate) use edges::{EdgeCell, EdgeCells, EdgeData, In, Kinds, Out, StoredData};
pub(crate) use find::{find_absent, find_cell, find_name, find_node, path_to};
pub(crate) use merge::{StagedLeaves, merge, merge_staged, stage_leaves};
pub(crate) use names::{NameCursor, NameKey, Names, only_named};
pub(crate) use nodes::{NodeRecord, Nodes, StoredNode};
pub(crate) use space::{Change, Space};
