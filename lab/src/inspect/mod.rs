//! Looks at a database file without opening it as one: read-only, with the engine's own decoders, on
//! files that the engine refuses too. Damage is something to show, never an error.

mod info;
mod node;
mod page;
mod pages;
mod wal;

use std::path::{Path, PathBuf};

use serde_json::Value;
use vellum::inspect::PageFile;

use crate::cli::Inspect;
use crate::failure::Failure;

/// What was seen, for people and for programs.
pub(crate) struct View {
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// Looks at one thing. `verbose` adds a dump of the bytes where there are any.
pub(crate) fn inspect(path: &Path, what: &Inspect, verbose: bool) -> Result<View, Failure> {
    let file = PageFile::open(path).map_err(|error| match error {
        // What cannot be opened was most likely mistyped.
        vellum::Error::Io { source, .. } => Failure::usage(format!("{}: {source}", path.display())),
        other => other.into(),
    })?;
    match what {
        Inspect::Info => Ok(info::view(path, &file)),
        Inspect::Pages => pages::view(&file),
        Inspect::Page { number } => page::view(&file, *number, verbose),
        Inspect::Node { id } => node::view(path, &file, *id),
        Inspect::Wal => wal::view(path, &file),
    }
}

/// The log that belongs to a database.
fn log_path(database: &Path) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push("-log");
    database.with_file_name(name)
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
