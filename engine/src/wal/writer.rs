//! Writing the log.
//!
//! Space is written with zeros ahead of the records, in growing steps, so that the sync of a commit
//! changes no file length. A record never straddles a segment, and a segment is only begun when the
//! one before it is durable to its end.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::group::GroupSync;
use super::half;
use crate::error::{Error, Result};
use crate::forensics::{Counter, Tally, count};
use crate::format::FileId;
use crate::format::log::{
    RECORD_OVERHEAD, RecordHeader, RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, encode_record,
};
use crate::plant::planted;
use crate::storage::{Directory, OpenMode, Poison, Poisonable, Storage};
use crate::sync::{Mutex, MutexGuard, thread};

/// First step of writing zeros ahead; each step doubles it up to the largest.
const AHEAD_BYTES_MIN: u64 = 64 << 10;
const AHEAD_BYTES_MAX: u64 = 1 << 20;

/// How often a sync gives way to others at the most.
const YIELDS_MAX: u32 = 64;

/// What distinguishes a new log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogIdentity {
    pub(crate) file_id: FileId,
    pub(crate) generation: u64,
    pub(crate) salt: u64,
    /// Position of the first record.
    pub(crate) base: u64,
}

/// Where a record was put.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appended {
    /// Log position after the record.
    pub(crate) end: u64,
    pub(crate) checksum: u64,
    pub(crate) bytes: u64,
}

/// The log of a database that is open for writing.
pub(crate) struct LogWriter {
    file: Arc<dyn Storage>,
    poison: Arc<Poison>,
    segment_bytes: u32,
    tail: Mutex<Tail>,
    group: GroupSync,
    tally: Tally,
}

/// Where the next record goes.
struct Tail {
    segment: SegmentHeader,
    /// Checksum of the last record, or of the segment header.
    chain: u64,
    /// Log position of the next record.
    end: u64,
    /// Offset in the file up to which this segment's half has been written.
    ahead: u64,
    /// The oldest generation that recovery may still need.
    needed_from: u64,
    /// Offsets up to which each half has been written before.
    written: [u64; 2],
}

impl LogWriter {
    /// Creates the log file under a temporary name, makes it durable, and gives it its own.
    pub(crate) fn create(
        directory: &dyn Directory,
        name: &str,
        identity: LogIdentity,
        segment_bytes: u32,
        poison: &Arc<Poison>,
        tally: &Tally,
    ) -> Result<LogWriter> {
        let context = |e| Error::io(format!("creating {}", directory.describe(name)), e);
        let temporary = format!("{name}-new");
        if directory.exists(&temporary).map_err(context)? {
            directory.remove(&temporary).map_err(context)?;
        }
        let file = directory
            .open(&temporary, OpenMode::CreateNew)
            .map_err(context)?;
        let file: Arc<dyn Storage> = Arc::new(Poisonable::new(file, poison));
        let segment = SegmentHeader {
            file_id: identity.file_id,
            generation: identity.generation,
            salt: identity.salt,
            base: identity.base,
            previous_chain: 0,
        };
        let start = half(segment.generation, segment_bytes);
        let mut first = segment.encode().to_vec();
        let ahead = start + AHEAD_BYTES_MIN.min(segment_bytes.into());
        first.resize(usize::try_from(ahead - start).unwrap_or(first.len()), 0);
        file.write_at(start, &first).map_err(context)?;
        count!(tally, LogSegments);
        count!(tally, LogSegmentBytes, first.len());
        if !planted!("log-named-before-synced") {
            file.sync().map_err(context)?;
        }
        count!(tally, synced(Counter::LogSyncs));
        directory.rename(&temporary, name).map_err(context)?;
        // Tried again, it might report success for a name that is not durable.
        if !planted!("log-name-not-synced") {
            poison.critical(directory.sync().map_err(context))?;
        }
        count!(tally, synced(Counter::DirectorySyncs));
        let mut written = [0; 2];
        written[usize::from(segment.generation % 2 == 1)] = ahead;
        let tail = Tail {
            chain: segment.checksum(),
            end: segment.base,
            ahead,
            needed_from: segment.generation,
            written,
            segment,
        };
        let group = GroupSync::new(tail.end);
        let poison = Arc::clone(poison);
        Ok(LogWriter {
            file,
            poison,
            segment_bytes,
            tail: Mutex::new(tail),
            group,
            tally: tally.clone(),
        })
    }

    /// Bytes of the largest record that a segment takes.
    pub(crate) fn max_record(segment_bytes: u32) -> usize {
        segment_bytes as usize - SEGMENT_HEADER_LEN
    }

    /// Appends a record and hands it to the operating system.
    pub(crate) fn append(&self, kind: RecordKind, commit: u64, payload: &[u8]) -> Result<Appended> {
        self.poison.check()?;
        let mut tail = self.tail();
        let header = RecordHeader {
            kind,
            position: tail.end,
            durable_to: self.group.durable_to(),
            commit,
            chain: tail.chain,
        };
        let mut record = Vec::with_capacity(payload.len() + RECORD_OVERHEAD + 8);
        let checksum = encode_record(&mut record, &tail.segment, &header, payload);
        let offset = tail.offset(self.segment_bytes);
        let end = offset + record.len() as u64;
        if end > half(tail.segment.generation, self.segment_bytes) + u64::from(self.segment_bytes) {
            return Err(Error::usage(
                "a record was appended to a log segment without room for it",
            ));
        }
        self.write_ahead(&mut tail, end)?;
        let written = self.file.write_at(offset, &record);
        self.poison
            .critical(written.map_err(|e| Error::io("writing the log", e)))?;
        count!(self.tally, log_appended(tail.end, record.len()));
        if planted!("records-overwritten") && commit.is_multiple_of(5) {
            tail.chain = checksum;
        } else {
            tail.end += record.len() as u64;
        }
        tail.chain = checksum;
        Ok(Appended {
            end: tail.end,
            checksum,
            bytes: record.len() as u64,
        })
    }

    /// Makes sure that the file has bytes up to `end`, so that a record's sync need not change the
    /// file's length. Failing here has changed nothing.
    fn write_ahead(&self, tail: &mut Tail, end: u64) -> Result<()> {
        if end <= tail.ahead {
            return Ok(());
        }
        let start = half(tail.segment.generation, self.segment_bytes);
        let limit = start + u64::from(self.segment_bytes);
        let step = (tail.ahead - start).clamp(AHEAD_BYTES_MIN, AHEAD_BYTES_MAX);
        let to = end.max(tail.ahead + step).min(limit);
        let zeros = vec![0; usize::try_from(to - tail.ahead).unwrap_or_default()];
        self.file
            .write_at(tail.ahead, &zeros)
            .map_err(|e| Error::io("extending the log", e))?;
        count!(self.tally, LogAheadBytes, zeros.len());
        tail.ahead = to;
        tail.written[usize::from(tail.segment.generation % 2 == 1)] = to;
        Ok(())
    }

    /// Makes everything up to `end` durable, sharing the sync with whoever waits for the same.
    /// Returns how many syncs this call issued.
    pub(crate) fn sync_to(&self, end: u64) -> Result<u64> {
        self.group_sync_to(end, Duration::ZERO)
    }

    /// The same, after waiting this long for company.
    pub(crate) fn group_sync_to(&self, end: u64, delay: Duration) -> Result<u64> {
        let mut issued = 0;
        self.group.wait_for(end, &self.poison, || {
            if !delay.is_zero() {
                thread::sleep(delay);
            }
            self.gather();
            // What is appended while the sync runs may or may not be part of it.
            let target = self.tail().end;
            issued += 1;
            if planted!("log-sync-skipped") {
                return Ok(target);
            }
            let synced = self.file.sync();
            if planted!("log-sync-error-ignored") {
                return Ok(target);
            }
            synced.map_err(|e| Error::io("syncing the log", e))?;
            count!(self.tally, synced(Counter::LogSyncs));
            Ok(target)
        })?;
        Ok(issued)
    }

    /// Gives way to others as long as they append: a sync takes longer than their records do, and whom the one before
    /// let go comes back at once.
    fn gather(&self) {
        let mut end = self.tail().end;
        for _ in 0..YIELDS_MAX {
            thread::yield_now();
            let now = self.tail().end;
            if now == end {
                break;
            }
            end = now;
        }
    }

    /// Begins the next segment: makes this one durable to its end, then writes the next one's header
    /// into the other half and makes that durable too.
    pub(crate) fn start_segment(&self) -> Result<()> {
        self.sync_to(self.end())?;
        let mut tail = self.tail();
        if tail.needed_from != tail.segment.generation {
            return Err(Error::usage(
                "a log segment was begun before the one it replaces was merged",
            ));
        }
        let segment = SegmentHeader {
            generation: tail.segment.generation + 1,
            base: tail.end,
            previous_chain: tail.chain,
            ..tail.segment
        };
        let start = half(segment.generation, self.segment_bytes);
        let context = |e| Error::io("beginning a log segment", e);
        let written = &mut tail.written[usize::from(segment.generation % 2 == 1)];
        let after = start + SEGMENT_HEADER_LEN as u64;
        if *written < after {
            // The first use may lack space, and then has changed nothing.
            self.file
                .write_at(start, &[0; SEGMENT_HEADER_LEN])
                .map_err(context)?;
            *written = after;
            count!(self.tally, LogSegmentBytes, SEGMENT_HEADER_LEN);
        }
        let ahead = *written;
        // A header that stands there after all would contradict whatever is appended before it.
        let begun = self.file.write_at(start, &segment.encode());
        self.poison.critical(begun.map_err(context))?;
        count!(self.tally, LogSegments);
        count!(self.tally, LogSegmentBytes, SEGMENT_HEADER_LEN);
        if !planted!("segment-header-not-synced") {
            self.file.sync().map_err(context)?;
        }
        count!(self.tally, synced(Counter::LogSyncs));
        tail.ahead = ahead;
        tail.chain = segment.checksum();
        tail.segment = segment;
        Ok(())
    }

    /// Says that no recovery needs anything before this position any more.
    pub(crate) fn recycle(&self, position: u64) {
        let mut tail = self.tail();
        if position >= tail.segment.base {
            tail.needed_from = tail.segment.generation;
        }
    }

    /// Whether a payload of this length fits what is left of the segment.
    pub(crate) fn fits(&self, payload: usize) -> bool {
        let tail = self.tail();
        let used = tail.end - tail.segment.base + SEGMENT_HEADER_LEN as u64;
        let record = (payload + RECORD_OVERHEAD).next_multiple_of(8) as u64;
        used + record <= u64::from(self.segment_bytes)
    }

    /// Log position after the last record.
    pub(crate) fn end(&self) -> u64 {
        self.tail().end
    }

    /// Log position through which everything is known to be durable.
    pub(crate) fn durable_to(&self) -> u64 {
        self.group.durable_to()
    }

    /// The generation that records go to.
    pub(crate) fn generation(&self) -> u64 {
        self.tail().segment.generation
    }

    /// Checksum that the next record continues.
    pub(crate) fn chain(&self) -> u64 {
        self.tail().chain
    }

    // Changed only by plain assignments after everything that can fail, so whole after a panic.
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tail {
    fn offset(&self, segment_bytes: u32) -> u64 {
        half(self.segment.generation, segment_bytes)
            + SEGMENT_HEADER_LEN as u64
            + (self.end - self.segment.base)
    }
}
