//! How counters and events are written as data.

use std::panic::Location;

use serde::ser::{Serialize, Serializer};

use super::counts::Counts;
use super::event::call_site;

/// A map from names to values, in the order of the registry.
impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(counter, value)| (counter.name(), value)))
    }
}

/// Written as file and line.
pub(super) fn site<S: Serializer>(
    site: &Option<&'static Location<'static>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    site.map(call_site).serialize(serializer)
}
