//! What stands in the files, as pure functions of bytes.
//!
//! `FORMAT.md` is the contract; this module is its only reader and writer. Nothing here does I/O,
//! panics on any input, or allocates more than the input justifies. Bytes that break a rule give a
//! [`FormatError`] that names the rule; the caller adds the place.
#![deny(clippy::indexing_slicing)]

use std::fmt;

pub mod blob;
pub mod bytes;
pub mod changes;
pub mod checksum;
pub mod edges;
pub mod freelist;
pub mod header;
pub mod limits;
pub mod log;
pub mod names;
pub mod node;
pub mod page;
pub mod sorted;
pub mod varint;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use bytes::Reader;

/// The random identity of a database file, part of every page's checksum.
pub type FileId = [u8; 16];

/// The rule of the format that some bytes break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormatError(pub &'static str);

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for FormatError {}

/// The unit of every decoder's result.
pub(crate) type Result<T> = std::result::Result<T, FormatError>;

/// Turns a broken rule into an error, so that checks read as statements.
pub(crate) fn ensure(holds: bool, rule: &'static str) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(FormatError(rule))
    }
}
