//! Vellum is an embedded property-graph store: one file, crash-safe, with nothing to operate.
//!
//! A *node* has an id, a kind, a name (not unique) and data. An *edge* leads from a source to a target,
//! has a label and data, and an ordinal that tells parallel edges apart. Data are bytes, JSON by
//! convention.
//!
//! ```
//! use vellum::{Database, Direction};
//!
//! # fn main() -> vellum::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! let db = Database::create(folder.path().join("trains.vellum"))?;
//! let mut txn = db.begin_write()?;
//! let lyon = txn.insert_node("city", "Lyon", b"{}")?;
//! let turin = txn.insert_node("city", "Turin", b"{}")?;
//! txn.insert_edge(lyon, "rail", turin, br#"{"km":315}"#)?;
//! txn.commit()?;
//!
//! let txn = db.begin_read()?;
//! let edge = txn.edges(lyon, Direction::Out, Some("rail")).next().expect("one edge")?;
//! assert_eq!((edge.target(), &*edge.data()?), (turin, &br#"{"km":315}"#[..]));
//! # Ok(())
//! # }
//! ```
//!
//! * [`Database`]: create, open, [`check`](Database::check), [`backup`](Database::backup),
//!   [`stats`](Database::stats). [`Builder`] has the options.
//! * [`WriteTxn`]: one at a time; [`commit`](WriteTxn::commit) makes it durable, dropping it undoes it.
//! * [`ReadTxn`]: a snapshot, any number at a time; nodes, names, kinds, edges, [`Bfs`], [`PathQuery`].
//! * [`Database::bulk_load`]: whole graphs, sorted and packed, in bounded memory.
//! * [`format`](mod@format): what stands in the files, readable without a database.
//! * [`inspect`]: the pages of a file that need not open as a database.
//! * [`storage`]: the seam to the file system, with storage in memory and counted storage.
//!
//! * [`forensics`]: counters, ledgers, page owners and traces: why something costs what it costs.
//!
//! Features, all off by default: `serde` makes reports serialisable; `forensics` makes the counters
//! count; `sim` is for the laboratory.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod btree;
mod bulk;
mod check;
mod db;
mod delta;
mod digits;
mod error;
pub mod forensics;
pub mod format;
mod graph;
mod ids;
pub mod inspect;
mod options;
mod pager;
#[cfg(not(vellum_plant))]
mod plant;
#[cfg(vellum_plant)]
pub mod plant;
mod recovery;
pub mod storage;
mod store;
mod sync;
mod traverse;
mod txn;
pub mod wal;

pub use bulk::{BulkEdge, BulkNode, BulkProgress, BulkReport};
pub use check::{CheckReport, Finding};
pub use db::{Builder, Database, Stats, TreeStats};
pub use error::{Corruption, Error, Result};
pub use graph::{Direction, Edge, Edges, Neighbor, Neighbors, Node};
pub use ids::{EdgeKey, KeySpace, KindId, LabelId, MAX_U48, NodeId, PageRef};
pub use options::{CheckpointMode, Durability, Options};
pub use pager::{CacheStats, PageGuard};
pub use recovery::{RecoveryProgress, RecoveryReport};
pub use store::{CommitKind, CommitReport};
pub use traverse::{Bfs, Path, PathQuery, TraversalCache, TraversalCacheBuilder, Visit};
pub use txn::{NodeUpdate, PageLocation, Pending, ReadTxn, Savepoint, WriteTxn};

/// The example of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
