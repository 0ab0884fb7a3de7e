//! Changes of edges, which a delta holds once for both directions.
//!
//! A run is sorted as the sources see its edges. How the targets see them is an order of places, made
//! when it is first asked for: while many edges are committed, nobody asks before the checkpoint does.

mod list;
mod packed;
mod rest;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use list::EdgeList;
pub(crate) use rest::{InRest, OutRest};
pub(crate) use run::EdgeRun;
