//! Vellum is an embedded property-graph store: one file, crash-safe, with nothing to operate.

mod error;
pub mod format;
pub mod ids;

pub use error::{Corruption, Error, Result};
pub use ids::{EdgeKey, KeySpace, KindId, LabelId, NodeId, PageRef};
