//! Walking the graph: breadth-first search, k hops, shortest paths, and the small private page cache
//! that they use.

mod bfs;
mod cache;
mod cached;
mod path;
mod visited;

#[cfg(test)]
mod tests;

pub use bfs::{Bfs, Visit};
pub(crate) use bfs::k_hop;
pub use cache::{TraversalCache, TraversalCacheBuilder};
pub use path::{Path, PathQuery};
