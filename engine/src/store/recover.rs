//! Bringing back what the log holds beyond the header's state.

use std::sync::Arc;

use super::files::Files;
use super::slots::Newest;
use crate::delta::{Delta, decode};
use crate::error::{Error, Result};
use crate::forensics::{Counter, Tally, count};
use crate::format::header::Header;
use crate::format::log::RecordKind;
use crate::graph::Totals;
use crate::options::OnRecovery;
use crate::plant::planted;
use crate::recovery::{RecoveryProgress, RecoveryReport};
use crate::storage::{Counted, OpenMode, Storage};
use crate::wal::{LogReader, LogStart, Record, log_begins_at};

/// The newest state, put together from a header and the log that it names.
pub(crate) struct Recovered {
    /// The newest durable header: a slot's, or that of a root record in the log.
    pub(crate) header: Header,
    /// The header stands in a root record, and its slot was not written yet.
    pub(crate) slot_pending: bool,
    /// What was committed after it.
    pub(crate) delta: Delta,
    pub(crate) totals: Totals,
    pub(crate) commit: u64,
    /// Where the log ends; `None` if the header names no log.
    pub(crate) log_end: Option<u64>,
    pub(crate) report: Option<RecoveryReport>,
}

impl Recovered {
    fn clean(header: Header) -> Recovered {
        let totals = Totals::of(&header);
        let commit = header.commit;
        Recovered {
            header,
            slot_pending: false,
            delta: Delta::default(),
            totals,
            commit,
            log_end: None,
            report: None,
        }
    }
}

/// Replays the log that the header names, in memory. Writes nothing.
pub(crate) fn recover(
    files: &Files,
    newest: Newest,
    mode: OpenMode,
    watch: &OnRecovery,
    tally: &Tally,
) -> Result<Recovered> {
    let header = newest.header;
    if header.log_generation == 0 {
        if newest.alone {
            expect_no_log_after(files, &header, tally)?;
        }
        return Ok(Recovered::clean(header));
    }
    if planted!("read-only-without-log") && mode == OpenMode::Read {
        return Ok(Recovered::clean(header));
    }
    let log = Arc::new(Counted::new(open_log(files, mode, tally)?));
    let start = LogStart {
        generation: header.log_generation,
        position: header.log_position,
        chain: header.log_chain,
    };
    let shared = Arc::clone(&log) as _;
    let mut reader = LogReader::open(shared, header.file_id, header.log_segment_bytes, start)?;
    let mut state = Recovered::clean(header);
    let mut report = RecoveryReport::default();
    while let Some(record) = reader.next()? {
        if planted!("last-record-not-replayed") && record.commit.is_multiple_of(3) {
            break;
        }
        report.records += 1;
        report.bytes += record.bytes;
        count!(tally, RecoveryRecords);
        count!(tally, RecoveryBytes, record.bytes);
        state.replay(record, &mut report)?;
        watch.call(RecoveryProgress {
            records: report.records,
            bytes: report.bytes,
        });
    }
    count!(tally, LogReadBytes, log.counts().read_bytes);
    let tail = reader.tail();
    report.dropped_bytes = tail.dropped_bytes;
    report.repaired = tail.repaired;
    state.log_end = Some(tail.end);
    state.report = Some(report);
    Ok(state)
}

/// A slot that names no log is not the newest state if a log goes on from it: the slot that named the
/// log is the one that cannot be read.
fn expect_no_log_after(files: &Files, header: &Header, tally: &Tally) -> Result<()> {
    let name = files.log();
    if !files.exists(&name)? {
        return Ok(());
    }
    let log = files
        .directory
        .open(&name, OpenMode::Read)
        .map_err(files.failed("opening", &name))?;
    let segment_bytes = header.log_segment_bytes;
    let log = Arc::new(Counted::new(log));
    let begins = log_begins_at(
        Arc::clone(&log) as _,
        header.file_id,
        segment_bytes,
        header.log_position,
    )?;
    count!(tally, LogReadBytes, log.counts().read_bytes);
    if begins {
        let what =
            "a header slot is damaged: the other one names no log, but a log goes on from it";
        return Err(Error::corrupt_at(0, what));
    }
    Ok(())
}

fn open_log(files: &Files, mode: OpenMode, tally: &Tally) -> Result<Arc<dyn Storage>> {
    let name = files.log();
    if !files.exists(&name)? {
        return Err(Error::corrupt_log(
            0,
            format!(
                "the database was not closed cleanly and its log {} is missing; put it back beside the database",
                files.describe(&name)
            ),
        ));
    }
    let log = files
        .directory
        .open(&name, mode)
        .map_err(files.failed("opening", &name))?;
    // What the log holds may exist only in the operating system's memory. It must be durable before
    // anyone sees it, or a power cut could take back what a reader has acted upon.
    log.sync().map_err(files.failed("syncing", &name))?;
    count!(tally, synced(Counter::LogSyncs));
    Ok(log)
}

impl Recovered {
    fn replay(&mut self, record: Record, report: &mut RecoveryReport) -> Result<()> {
        if record.commit != self.commit + 1 {
            let what = format!("commit {} follows commit {}", record.commit, self.commit);
            return Err(Error::corrupt_log(record.offset, what));
        }
        match record.kind {
            RecordKind::Commit => {
                let (batch, totals) = decode(&record.payload)
                    .map_err(|rule| Error::corrupt_log(record.offset, rule.to_string()))?;
                self.totals = self.totals.after(totals);
                if planted!("half-a-batch-replayed") && record.commit.is_multiple_of(2) {
                    self.commit = record.commit;
                    return Ok(());
                }
                self.delta.apply(batch);
            }
            RecordKind::Root => {
                if planted!("root-record-ignored") {
                    self.commit = record.commit;
                    return Ok(());
                }
                self.header = root_header(&record, &self.header)?;
                self.slot_pending = true;
                self.delta = Delta::default();
                self.totals = Totals::of(&self.header);
            }
        }
        self.commit = record.commit;
        report.commits += 1;
        Ok(())
    }
}

/// The header that a root record holds, which must continue the one before.
fn root_header(record: &Record, before: &Header) -> Result<Header> {
    let mut header = Header::decode(&record.payload)
        .map_err(|problem| Error::corrupt_log(record.offset, format!("root record: {problem}")))?;
    let continues = header.file_id == before.file_id
        && header.page_size == before.page_size
        && header.sequence == before.sequence + 1
        && header.log_position == record.end
        && header.commit == record.commit;
    if !continues {
        return Err(Error::corrupt_log(
            record.offset,
            "root record does not continue the state before it",
        ));
    }
    header.log_chain = record.checksum;
    Ok(header)
}

#[cfg(test)]
mod tests;
