//! Looks at a database file without opening it as one: read-only, with the engine's own decoders, on
//! files that the engine refuses too. Damage is something to show, never an error.

mod file;
mod info;
mod node;
mod page;
mod pages;
mod wal;

use std::path::Path;

use serde_json::Value;

use crate::cli::Inspect;
use crate::failure::Failure;

use self::file::PageFile;

/// What was seen, for people and for programs.
pub(crate) struct View {
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// Looks at one thing. `verbose` adds a dump of the bytes where there are any.
pub(crate) fn inspect(path: &Path, what: &Inspect, verbose: bool) -> Result<View, Failure> {
    let file = PageFile::open(path)?;
    match what {
        Inspect::Info => Ok(info::view(&file)),
        Inspect::Pages => pages::view(&file),
        Inspect::Page { number } => page::view(&file, *number, verbose),
        Inspect::Node { id } => node::view(&file, *id),
        Inspect::Wal => wal::view(&file),
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
