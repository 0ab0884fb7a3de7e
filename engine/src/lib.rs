//! Vellum is an embedded property-graph store: one file, crash-safe, with nothing to operate.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod backup;
mod btree;
mod bulk;
mod check;
mod db;
mod delta;
mod error;
pub mod format;
mod graph;
mod ids;
mod options;
mod pager;
mod recovery;
pub mod storage;
mod store;
mod traverse;
mod txn;
pub mod wal;

pub use bulk::{BulkEdge, BulkNode, BulkProgress, BulkReport};
pub use check::{CheckReport, Finding};
pub use db::{Builder, Database, Stats, TreeStats};
pub use error::{Corruption, Error, Result};
pub use graph::{Direction, Edge, Edges, Neighbors, Node};
pub use ids::{EdgeKey, KeySpace, KindId, LabelId, MAX_U48, NodeId, PageRef};
pub use options::{CheckpointMode, Durability, Options};
pub use pager::{CacheStats, PageGuard};
pub use recovery::{RecoveryProgress, RecoveryReport};
pub use store::{CommitKind, CommitReport};
pub use traverse::{Bfs, Path, PathQuery, TraversalCache, TraversalCacheBuilder, Visit};
pub use txn::{NodeUpdate, PageLocation, Pending, ReadTxn, Savepoint, WriteTxn};
