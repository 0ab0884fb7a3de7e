//! Reading the log: which records count, where it ends, and whether what follows is the tail of an
//! interrupted write or damage.

use std::sync::Arc;

use super::{FIRST_GENERATION, half};
use crate::error::{Error, Result};
use crate::format::log::{
    RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, decode_record, repair_one_bit,
};
use crate::format::{FileId, FormatError};
use crate::storage::Storage;

/// Whether a log begins at this position, with at least one record.
pub(crate) fn log_begins_at(
    file: Arc<dyn Storage>,
    file_id: FileId,
    segment_bytes: u32,
    position: u64,
) -> Result<bool> {
    let Ok(header) = read_header(&*file, FIRST_GENERATION, segment_bytes)? else {
        return Ok(false);
    };
    let begins = header.file_id == file_id
        && header.generation == FIRST_GENERATION
        && header.base == position;
    if !begins {
        return Ok(false);
    }
    let start = LogStart {
        generation: FIRST_GENERATION,
        position,
        chain: header.checksum(),
    };
    let mut reader = LogReader::open(file, file_id, segment_bytes, start)?;
    Ok(reader.next()?.is_some())
}

/// Where replay starts.
#[derive(Clone, Copy, Debug)]
pub struct LogStart {
    /// The segment that holds the position.
    pub generation: u64,
    /// The first position to replay.
    pub position: u64,
    /// Checksum of the record, or segment header, before that position.
    pub chain: u64,
}

/// A record that counts.
#[derive(Debug)]
pub struct Record {
    /// What the payload is.
    pub kind: RecordKind,
    /// Number of the commit.
    pub commit: u64,
    /// What it carries.
    pub payload: Vec<u8>,
    /// Byte offset in the log file.
    pub offset: u64,
    /// Log position after it.
    pub end: u64,
    /// Its whole length.
    pub bytes: u64,
    /// Its checksum, which the next record chains to.
    pub checksum: u64,
}

/// What follows the last record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogTail {
    /// Log position after the last record.
    pub end: u64,
    /// Bytes of a record that was begun there and not finished.
    pub dropped_bytes: u64,
    /// A record was taken with one bit flipped back.
    pub repaired: bool,
}

/// Goes through the records of a log in order.
pub struct LogReader {
    file: Arc<dyn Storage>,
    segment_bytes: u32,
    segment: Segment,
    position: u64,
    chain: u64,
    tail: LogTail,
    finished: bool,
}

/// One segment, in memory.
struct Segment {
    header: SegmentHeader,
    bytes: Vec<u8>,
}

impl Segment {
    fn read(file: &dyn Storage, header: SegmentHeader, segment_bytes: u32) -> Result<Segment> {
        let bytes = read_half(file, header.generation, segment_bytes, segment_bytes)?;
        Ok(Segment { header, bytes })
    }
}

impl LogReader {
    /// Reads the segment where replay starts; it must be the one that `start` describes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if it is not, [`Error::Io`].
    pub fn open(
        file: Arc<dyn Storage>,
        file_id: FileId,
        segment_bytes: u32,
        start: LogStart,
    ) -> Result<LogReader> {
        let offset = half(start.generation, segment_bytes);
        let header = read_header(&*file, start.generation, segment_bytes)?
            .map_err(|rule| Error::corrupt_log(offset, format!("log segment header: {rule}")))?;
        let ours = header.file_id == file_id
            && header.generation == start.generation
            && header.base <= start.position;
        if !ours {
            return Err(Error::corrupt_log(
                offset,
                "the log is not the one that the database names",
            ));
        }
        if header.base == start.position && header.checksum() != start.chain {
            return Err(Error::corrupt_log(
                offset,
                "the log segment is not the one that the database names",
            ));
        }
        let segment = Segment::read(&*file, header, segment_bytes)?;
        let reader = LogReader {
            file,
            segment_bytes,
            segment,
            position: start.position,
            chain: start.chain,
            tail: LogTail::default(),
            finished: false,
        };
        reader.expect_chain_before(start)?;
        Ok(reader)
    }

    /// What stands before the first position to replay must be the checksum that `start` names: otherwise it is
    /// another place, or another log, and records that do not follow from it would pass for its end.
    fn expect_chain_before(&self, start: LogStart) -> Result<()> {
        let end = usize::try_from(self.within(start.position)).unwrap_or(usize::MAX);
        let begin = end.saturating_sub(size_of::<u64>());
        let found = self.segment.bytes.get(begin..end);
        let found = found.and_then(|bytes| bytes.first_chunk());
        let found = found.map(|bytes| u64::from_le_bytes(*bytes));
        // The record that ends there is in the trees. A bit that rotted in it takes nothing from anybody.
        let same = found.is_some_and(|found| (found ^ start.chain).count_ones() <= 1);
        if same {
            return Ok(());
        }
        Err(Error::corrupt_log(
            self.offset(start.position),
            "no record ends where the database says that one does",
        ))
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the log was whole beyond this place once, [`Error::Io`].
    #[expect(clippy::should_implement_trait, reason = "nothing may follow an error")]
    pub fn next(&mut self) -> Result<Option<Record>> {
        // A log has two segments, so at most one continues another.
        for _ in 0..2 {
            if self.finished {
                return Ok(None);
            }
            if let Some(record) = self.take_next() {
                return Ok(Some(record));
            }
            self.continue_or_end()?;
        }
        Ok(None)
    }

    /// What follows the last record, once [`next`](LogReader::next) has returned `None`.
    pub fn tail(&self) -> LogTail {
        LogTail {
            end: self.position,
            ..self.tail
        }
    }

    fn offset(&self, position: u64) -> u64 {
        half(self.segment.header.generation, self.segment_bytes) + self.within(position)
    }

    /// Where a position stands within its segment.
    fn within(&self, position: u64) -> u64 {
        (position - self.segment.header.base).saturating_add(SEGMENT_HEADER_LEN as u64)
    }

    fn bytes_from(&self, position: u64) -> &[u8] {
        let within = usize::try_from(self.within(position)).unwrap_or(usize::MAX);
        self.segment.bytes.get(within..).unwrap_or_default()
    }

    /// The record here, if it is valid and continues the one before.
    fn take_next(&mut self) -> Option<Record> {
        let header = &self.segment.header;
        let bytes = self.bytes_from(self.position);
        let offset = self.offset(self.position);
        let mended;
        let mut repaired = false;
        let found = match decode_record(bytes, header, self.position) {
            Ok(found) => found,
            Err(_) => {
                (_, mended) = repair_one_bit(bytes, header, self.position)?;
                repaired = true;
                decode_record(&mended, header, self.position).ok()?
            }
        };
        if found.header.chain != self.chain {
            return None;
        }
        let record = Record {
            kind: found.header.kind,
            commit: found.header.commit,
            payload: found.payload.to_vec(),
            offset,
            end: found.end(),
            bytes: found.len as u64,
            checksum: found.checksum,
        };
        self.position = record.end;
        self.chain = record.checksum;
        self.tail.repaired |= repaired;
        Some(record)
    }

    /// Goes on in the following segment, or decides what the end is.
    fn continue_or_end(&mut self) -> Result<()> {
        let generation = self.segment.header.generation + 1;
        let offset = half(generation, self.segment_bytes);
        if let Ok(header) = read_header(&*self.file, generation, self.segment_bytes)? {
            let follows =
                header.generation == generation && header.file_id == self.segment.header.file_id;
            if follows {
                if header.base != self.position || header.previous_chain != self.chain {
                    let what = "a later segment says that the log was durable beyond this record";
                    return Err(Error::corrupt_log(self.offset(self.position), what));
                }
                self.chain = header.checksum();
                self.segment = Segment::read(&*self.file, header, self.segment_bytes)?;
                return Ok(());
            }
        }
        debug_assert!(offset <= u64::from(self.segment_bytes));
        self.end()
    }

    /// Tells the tail of an interrupted write from damage: a record further on that was written when
    /// the log was durable beyond this place proves that this place was whole once.
    fn end(&mut self) -> Result<()> {
        self.finished = true;
        let here = self.position;
        let rest = self.bytes_from(here).len() as u64;
        for ahead in (8..rest).step_by(8) {
            let position = here + ahead;
            if let Ok(later) =
                decode_record(self.bytes_from(position), &self.segment.header, position)
            {
                if later.header.durable_to > here {
                    let what = "a record is damaged, and later ones show that it was durable";
                    return Err(Error::corrupt_log(self.offset(here), what));
                }
                self.tail.dropped_bytes = self.tail.dropped_bytes.max(ahead + later.len as u64);
            }
        }
        let begun = self.bytes_from(here).iter().take(64).any(|byte| *byte != 0);
        if begun && self.tail.dropped_bytes == 0 {
            self.tail.dropped_bytes = begun_bytes(self.bytes_from(here), here);
        }
        Ok(())
    }
}

/// Bytes of the record that begins here, if its header says that it is of this place. Anything else
/// is what an earlier use of the segment left.
fn begun_bytes(bytes: &[u8], position: u64) -> u64 {
    let stated = bytes
        .get(8..16)
        .and_then(|b| b.first_chunk())
        .map(|b| u64::from_le_bytes(*b));
    let length = bytes.first_chunk().map(|b| u32::from_le_bytes(*b));
    match (stated, length) {
        (Some(stated), Some(length)) if stated == position => {
            u64::from(length).min(bytes.len() as u64)
        }
        _ => 0,
    }
}

/// Reads what one half of the log begins with. The other half may hold any older use of the space,
/// or nothing: the inner result tells whether a segment header stands there.
fn read_header(
    file: &dyn Storage,
    generation: u64,
    segment_bytes: u32,
) -> Result<std::result::Result<SegmentHeader, FormatError>> {
    let bytes = read_half(file, generation, segment_bytes, SEGMENT_HEADER_LEN as u32)?;
    Ok(SegmentHeader::decode(&bytes))
}

/// Reads up to this many bytes of the half where a generation stands.
fn read_half(
    file: &dyn Storage,
    generation: u64,
    segment_bytes: u32,
    most: u32,
) -> Result<Vec<u8>> {
    let context = |e| Error::io("reading the log", e);
    let start = half(generation, segment_bytes);
    let there = file
        .len()
        .map_err(context)?
        .saturating_sub(start)
        .min(most.into());
    let mut bytes = vec![0; usize::try_from(there).unwrap_or_default()];
    file.read_at(start, &mut bytes).map_err(context)?;
    Ok(bytes)
}
