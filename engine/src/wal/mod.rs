//! The log: records in two alternating segments, written by one owner and read by recovery.

mod group;
mod reader;
mod writer;

pub(crate) use reader::log_begins_at;
pub use reader::{LogReader, LogStart, LogTail, Record};
pub(crate) use writer::{LogIdentity, LogWriter};

/// Generation of the first segment of a log.
pub(crate) const FIRST_GENERATION: u64 = 1;

/// Where the segment of a generation begins in the log file.
fn half(generation: u64, segment_bytes: u32) -> u64 {
    generation % 2 * u64::from(segment_bytes)
}

#[cfg(test)]
mod tests;
