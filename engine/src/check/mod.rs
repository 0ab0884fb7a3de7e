//! The full check: every page, every item, every relation between the trees.
//!
//! It reports everything that it finds and stops at nothing. What it looks at is one snapshot, so
//! writing may go on meanwhile.

mod absent;
mod pages;
mod relations;
mod sum;
mod terms;

use crate::error::{Error, Result};
use crate::store::Store;

pub use crate::btree::Finding;

/// Findings listed at most for one rule; more are counted.
pub(crate) const LISTED_PER_RULE: usize = 100;

/// What a check looked at, and what it found. See [`Database::check`](crate::Database::check).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CheckReport {
    /// Everything that is wrong; empty for a sound database.
    pub findings: Vec<Finding>,
    /// Pages that the trees, blobs and the freelist chain use.
    pub pages_reached: u64,
    /// Pages on the freelist.
    pub pages_free: u64,
    /// Nodes looked at.
    pub nodes: u64,
    /// Edges looked at, once for each direction.
    pub edges: u64,
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Checks the newest visible state.
pub(crate) fn check(store: &Store) -> Result<CheckReport> {
    let state = store.published();
    let mut report = CheckReport::default();
    let intact = pages::check(&store.pager, &state.base.header, &mut report)?;
    // Relations are read through the damaged pages too; without them nothing can be said.
    if intact {
        relations::check(&store.view(&state), store.options.name_index, &mut report)?;
    }
    Ok(report)
}

/// Turns a broken rule into a finding, and lets everything else through.
pub(crate) fn finding(error: Error, findings: &mut Vec<Finding>) -> Result<()> {
    match error {
        Error::Corrupt(corruption) => {
            findings.push(Finding::new(corruption.page, corruption.what));
            Ok(())
        }
        other => Err(other),
    }
}
