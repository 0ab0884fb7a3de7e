//! The two header slots: choosing the state to open, and publishing the next one.
//!
//! Invariant: state `s + 1` is written only after state `s` is durable in its own slot, so a torn
//! slot always leaves its predecessor intact.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::forensics::{Counter, Tally, count};
use crate::format::header::{Header, SLOT_LEN, SLOT_OFFSETS, SlotProblem, decode_slot};
use crate::pager::BirthReserve;
use crate::plant::planted;
use crate::storage::{Poison, Storage};

/// What the slots say.
pub(crate) struct Newest {
    pub(crate) header: Header,
    /// The other slot cannot be read, so a newer state than this may have stood there.
    pub(crate) alone: bool,
}

/// Reads both slots and returns the newest valid state.
pub(crate) fn read_newest(file: &dyn Storage, tally: &Tally) -> Result<Newest> {
    let mut newest: Option<Header> = None;
    let mut problems = Vec::new();
    for (slot, offset) in SLOT_OFFSETS.into_iter().enumerate() {
        match read_slot(file, slot, offset, tally)? {
            Ok(header) => newest = Some(newer(newest, header)?),
            Err(problem) => problems.push((offset, problem)),
        }
    }
    match newest {
        Some(header) => Ok(Newest {
            header,
            alone: !problems.is_empty(),
        }),
        None => Err(refusal(&problems)),
    }
}

fn read_slot(
    file: &dyn Storage,
    slot: usize,
    offset: u64,
    tally: &Tally,
) -> Result<std::result::Result<Header, SlotProblem>> {
    let len = file
        .len()
        .map_err(|e| Error::io("reading the database's length", e))?;
    let mut bytes = [0u8; SLOT_LEN];
    let there = usize::try_from(len.saturating_sub(offset))
        .unwrap_or(SLOT_LEN)
        .min(SLOT_LEN);
    file.read_at(offset, bytes.get_mut(..there).unwrap_or_default())
        .map_err(|e| Error::io("reading a header slot of the database", e))?;
    count!(tally, SlotReads);
    count!(tally, SlotReadBytes, there);
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
        return Err(Error::corrupt_at(
            0,
            "the two header slots describe different databases",
        ));
    }
    let mut newer = header.sequence > best.sequence;
    if planted!("older-slot-chosen") {
        newer = !newer;
    }
    Ok(if newer { header } else { best })
}

/// Says the most useful thing about a file without a valid slot.
fn refusal(problems: &[(u64, SlotProblem)]) -> Error {
    for (_, problem) in problems {
        if let SlotProblem::Version(version) = problem {
            return Error::Version {
                found: format!("format version {version}"),
            };
        }
    }
    for (offset, problem) in problems {
        if let SlotProblem::Damaged(rule) = problem {
            return Error::corrupt_at(*offset, format!("both header slots are damaged: {rule}"));
        }
    }
    Error::Version {
        found: "a file that is not a Vellum database".to_owned(),
    }
}

/// The slots of a database that is open for writing.
pub(crate) struct Slots {
    file: Arc<dyn Storage>,
    poison: Arc<Poison>,
    /// The current state.
    pub(crate) header: Header,
    /// The current state stands in a root record only; its slot must be written before the next.
    pending: bool,
    /// The slots that were read may exist only in the operating system's memory, after a process that
    /// died before its sync.
    unsynced: bool,
    tally: Tally,
}

/// Births reserved at a time. Each reservation costs a header write, so it is sized to be rare
/// (4 GiB of 4 KiB pages) and still far from exhausting 48 bits.
const BIRTHS_RESERVED: u64 = 1 << 20;

impl Slots {
    pub(crate) fn new(
        file: Arc<dyn Storage>,
        poison: &Arc<Poison>,
        header: Header,
        pending: bool,
        tally: Tally,
    ) -> Slots {
        Slots {
            file,
            poison: Arc::clone(poison),
            header,
            pending,
            unsynced: true,
            tally,
        }
    }

    /// Makes the current state durable in its slot, before anything is done that only it allows: pages
    /// that the state before still needs are written over, and the log that it names is replaced.
    pub(crate) fn settle(&mut self) -> Result<()> {
        if self.unsynced {
            let synced = self.file.sync();
            let context = |e| Error::io("syncing the database that was opened", e);
            self.poison.critical(synced.map_err(context))?;
            count!(self.tally, synced(Counter::SlotSyncs));
            self.unsynced = false;
        }
        if self.pending {
            if planted!("recorded-state-not-settled") {
                self.pending = false;
                return Ok(());
            }
            self.write(&self.header)?;
            self.pending = false;
        }
        Ok(())
    }

    /// Makes a state durable in its slot and the current one.
    pub(crate) fn publish(&mut self, header: Header) -> Result<()> {
        self.settle()?;
        if !planted!("slot-not-written") {
            self.write(&header)?;
        }
        self.header = header;
        Ok(())
    }

    /// Makes a state the current one that a durable root record holds, then writes its slot.
    pub(crate) fn publish_recorded(&mut self, header: Header) -> Result<()> {
        self.settle()?;
        self.header = header;
        self.pending = true;
        self.settle()
    }

    /// The limit of births after the next reservation.
    pub(crate) fn next_birth_limit(&self) -> u64 {
        self.header.birth_limit + BIRTHS_RESERVED
    }

    /// Publishes the same trees with more births reserved, and what else the caller changes.
    pub(crate) fn publish_same(&mut self, change: impl FnOnce(&mut Header)) -> Result<()> {
        let mut header = self.header.clone();
        header.sequence += 1;
        header.birth_limit = self.next_birth_limit();
        change(&mut header);
        header.check().map_err(|rule| {
            Error::corrupt_at(0, format!("the next state would be wrong: {rule}"))
        })?;
        self.publish(header)
    }

    fn write(&self, header: &Header) -> Result<()> {
        // Half a slot is no state, so nobody may go on after a failure.
        self.poison
            .critical(write_slot(&*self.file, header, &self.tally))
    }
}

impl BirthReserve for Slots {
    fn reserve(&mut self) -> Result<u64> {
        self.publish_same(|_| ())?;
        Ok(self.header.birth_limit)
    }
}

/// Writes a state to its slot and makes it durable. A failure leaves the other slot untouched.
pub(crate) fn write_slot(file: &dyn Storage, header: &Header, tally: &Tally) -> Result<()> {
    let slot = usize::from(header.sequence % 2 == 1);
    let offset = SLOT_OFFSETS.get(slot).copied().unwrap_or_default();
    file.write_at(offset, &header.encode())
        .map_err(|e| Error::io("writing a header slot of the database", e))?;
    count!(tally, SlotWriteBytes, SLOT_LEN);
    if planted!("slot-not-synced") {
        return Ok(());
    }
    file.sync()
        .map_err(|e| Error::io("syncing a header slot of the database", e))?;
    count!(tally, synced(Counter::SlotWrites));
    Ok(())
}

#[cfg(test)]
mod tests;
