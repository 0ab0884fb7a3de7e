//! What one process found out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Notes {
    pub(super) store: String,
    pub(super) repeat: u32,
    /// By the keys of the rows.
    pub(super) values: BTreeMap<String, f64>,
    /// Sums that must be the same for every store.
    pub(super) digests: BTreeMap<String, String>,
    /// What the store says of its settings, and of itself.
    pub(super) said: BTreeMap<String, String>,
}

impl Notes {
    pub(super) fn value(&mut self, key: &str, value: f64) {
        self.values.insert(key.to_owned(), value);
    }

    pub(super) fn digest(&mut self, key: &str, sum: u64) {
        self.digests.insert(key.to_owned(), format!("{sum:016x}"));
    }

    pub(super) fn said(&mut self, what: &str, text: String) {
        self.said.insert(what.to_owned(), text);
    }

    /// Takes over what another process of the same store and repeat found.
    pub(super) fn join(&mut self, other: Notes) {
        self.values.extend(other.values);
        self.digests.extend(other.digests);
        self.said.extend(other.said);
    }
}
