//! The graph as a snapshot sees it: trees below, layers of newer changes above.

mod absent;
mod adjacency;
mod dictionary;
mod indexes;
pub(crate) mod limits;
mod lookup;
mod overlay;
mod plain;
mod terms;
mod totals;
mod values;
mod view;
mod visit;
mod walk;

pub(crate) use absent::{AbsentRun, reserved_run};
pub use adjacency::{Direction, Edges, Neighbors};
pub(crate) use adjacency::{EdgesOver, Labels};
pub(crate) use dictionary::DictionaryCache;
pub(crate) use indexes::{KindScan, NameScan};
pub(crate) use totals::Totals;
pub use values::{Edge, Node};
pub(crate) use view::{Base, View};
pub use visit::Neighbor;
