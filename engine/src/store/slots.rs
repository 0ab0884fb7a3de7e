//! The two header slots: choosing the state to open, and publishing the next one.
//!
//! Invariant: state `s + 1` is written only after state `s` is durable in its own slot, so a torn
//! slot always leaves its predecessor intact.

use crate::error::{Error, Result};
use crate::format::header::{Header, SLOT_LEN, SLOT_OFFSETS, SlotProblem, decode_slot};
use crate::storage::Storage;

/// Reads both slots and returns the newest valid state.
pub(crate) fn read_newest(file: &dyn Storage) -> Result<Header> {
    let mut newest: Option<Header> = None;
    let mut problems = Vec::new();
    for (slot, offset) in SLOT_OFFSETS.into_iter().enumerate() {
        match read_slot(file, slot, offset)? {
            Ok(header) => newest = Some(newer(newest, header)?),
            Err(problem) => problems.push((offset, problem)),
        }
    }
    match newest {
        Some(header) => Ok(header),
        None => Err(refusal(&problems)),
    }
}

fn read_slot(
    file: &dyn Storage,
    slot: usize,
    offset: u64,
) -> Result<std::result::Result<Header, SlotProblem>> {
    let len = file.len().map_err(|e| Error::io("reading the database's length", e))?;
    let mut bytes = [0u8; SLOT_LEN];
    let there = usize::try_from(len.saturating_sub(offset)).unwrap_or(SLOT_LEN).min(SLOT_LEN);
    if let Some(present) = bytes.get_mut(..there) {
        file.read_at(offset, present)
            .map_err(|e| Error::io("reading a header slot of the database", e))?;
    }
    Ok(decode_slot(&bytes, slot))
}

fn newer(best: Option<Header>, header: Header) -> Result<Header> {
    let Some(best) = best else { return Ok(header) };
    let same = best.file_id == header.file_id
        && best.page_size == header.page_size
        && best.name_index == header.name_index
        && best.unique_edges == header.unique_edges
        && best.log_segment_bytes == header.log_segment_bytes;
    if !same {
        return Err(Error::corrupt_at(0, "the two header slots describe different databases"));
    }
    Ok(if header.sequence > best.sequence { header } else { best })
}

/// Says the most useful thing about a file without a valid slot.
fn refusal(problems: &[(u64, SlotProblem)]) -> Error {
    for (_, problem) in problems {
        if let SlotProblem::Version(version) = problem {
            return Error::Version { found: format!("format version {version}") };
        }
    }
    for (offset, problem) in problems {
        if let SlotProblem::Damaged(rule) = problem {
            return Error::corrupt_at(*offset, format!("both header slots are damaged: {rule}"));
        }
    }
    Error::Version { found: "a file that is not a Vellum database".to_owned() }
}

/// Writes a state to its slot and makes it durable. A failure leaves the other slot untouched.
pub(crate) fn publish(file: &dyn Storage, header: &Header) -> Result<()> {
    let slot = usize::from(header.sequence % 2 == 1);
    let offset = SLOT_OFFSETS.get(slot).copied().unwrap_or_default();
    file.write_at(offset, &header.encode())
        .map_err(|e| Error::io("writing a header slot of the database", e))?;
    file.sync().map_err(|e| Error::io("syncing a header slot of the database", e))
}
