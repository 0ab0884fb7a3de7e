//! Walks over the graph: breadth-first search, everything within some hops, shortest paths.
//!
//! Each walk keeps the pages it uses in a [`TraversalCache`], its caller's or one of its own, so
//! that the pages it comes back to stay with it whatever others do to the shared page cache. Pages that
//! the snapshot itself holds need no cache: a walk that was given none reads them where they are.
//!
//! A walk goes through a level of the graph in the order of the nodes' ids. Nodes with close ids
//! share pages, so each page is entered once for a level, and the order of everything that a walk
//! gives depends on the snapshot only.

mod bfs;
mod cache;
mod cost;
mod frontier;
mod lru;
mod pages;
mod path;
mod seen;

pub(crate) use bfs::k_hop;
pub use bfs::{Bfs, Visit};
pub use cache::{TraversalCache, TraversalCacheBuilder};
pub use path::{Path, PathQuery};
