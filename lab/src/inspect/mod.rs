//! Looks at a database file without opening it as one: read-only, with the engine's own decoders, on
//! files that the engine refuses too. Damage is something to show, never an error.

mod diff;
mod everything;
mod hex;
mod info;
pub(crate) mod log;
mod map;
mod node;
mod page;
mod pages;
pub(crate) mod paint;
pub(crate) mod source;
mod stats;
pub(crate) mod survey;
mod tree;
mod wal;
mod why;

use serde_json::Value;

use crate::cli::Inspect;
use crate::failure::Failure;

pub use self::everything::{Looked, look_at_everything};
use self::paint::Paint;
use self::source::Source;

/// What was seen, for people and for programs.
pub(crate) struct View {
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// How to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) paint: Paint,
    /// Lists everything, however long.
    pub(crate) verbose: bool,
    /// Structure and lengths, no contents.
    pub(crate) redact: bool,
}

/// Looks at one thing.
pub(crate) fn inspect(source: &Source, what: &Inspect, look: Look) -> Result<View, Failure> {
    match what {
        Inspect::Info => Ok(info::view(source, look)),
        Inspect::Stats => stats::view(source, look),
        Inspect::Pages => pages::view(source, look),
        Inspect::Page { number } => page::view(source, *number, look),
        Inspect::Node { id } => node::view(source, *id, look),
        Inspect::Tree(args) => tree::view(source, args, look),
        Inspect::Map(args) => map::view(source, args, look),
        Inspect::Wal => Ok(wal::view(source, look)),
        Inspect::Why { number } => why::view(source, *number, look),
        Inspect::Diff { other } => diff::view(source, &Source::open(other)?, look),
    }
}

impl Look {
    /// Bytes as text where they are text, else as a few hexadecimal digits; only their number if
    /// contents are not to be shown.
    fn bytes(self, bytes: &[u8], limit: usize) -> String {
        if self.redact {
            return format!("‹{} bytes›", bytes.len());
        }
        shown(bytes, limit)
    }

    /// How many of `all` rows are listed.
    fn listed(self, all: usize, limit: usize) -> usize {
        if self.verbose { all } else { all.min(limit) }
    }
}

/// Bytes as text where they are text, else as a few hexadecimal digits.
fn shown(bytes: &[u8], limit: usize) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => {
            let short: String = text.chars().take(limit).collect();
            if short.len() < text.len() {
                format!("{short:?}… ({} bytes)", bytes.len())
            } else {
                format!("{text:?}")
            }
        }
        _ => {
            let hex: String = bytes
                .iter()
                .take(limit / 2)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            if bytes.len() > limit / 2 {
                format!("{hex}… ({} bytes)", bytes.len())
            } else {
                format!("0x{hex}")
            }
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
