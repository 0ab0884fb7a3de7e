//! Logs through the engine's reader: what was not written is never read.

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use vellum::Error;
use vellum::format::changes::{Op, OpReader, OpWriter};
use vellum::format::header::Header;
use vellum::format::limits::MAX_COUNT;
use vellum::format::log::{RECORD_OVERHEAD, RecordKind, SegmentHeader};
use vellum::storage::{Directory, MemoryDirectory, OpenMode};
use vellum::wal::{LogReader, LogStart};

use crate::edits;
use crate::samples::{self, LogSample};

/// How the log read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The log is not the one asked for.
    pub refused: bool,
    /// It was whole further on once.
    pub corrupt: bool,
    /// Commit records that read whole; records of other commits break a rule in their payload.
    pub commits: usize,
    /// Root records.
    pub roots: usize,
    /// Operations of the commits, by tag.
    pub operations: [usize; 14],
    /// A record was taken with one bit flipped back.
    pub repaired: bool,
    /// A record was begun and not finished.
    pub torn: bool,
    /// Records came from both segments.
    pub continued: bool,
}

/// Where replay starts, for logs that are arbitrary.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Start {
    generation: u64,
    position: u64,
    chain: u64,
}

/// The input's first byte: 0 for a log as it follows, 1 for a valid one with changes, 2 for one whose
/// checksums are right after them.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let form = u.arbitrary::<u8>().unwrap_or_default();
    if form.is_multiple_of(3) {
        return arbitrary_log(u);
    }
    let sample = samples::log();
    let mut bytes = sample.bytes.clone();
    for edit in edits::read(&mut u) {
        edit.apply(&mut bytes);
    }
    let resealed = form % 3 == 2;
    if resealed {
        sample.reseal(&mut bytes);
    }
    let written = (!resealed).then_some(sample);
    let mut start = sample.start();
    if resealed {
        start.chain = segment_chain(&bytes);
    }
    replay(bytes, sample.segment_bytes, start, written)
}

/// A log of one segment of 4 KiB and a part of another, begun where the input or the log says.
fn arbitrary_log(mut u: Unstructured<'_>) -> Outcome {
    let Ok(start) = u.arbitrary::<Start>() else {
        return Outcome::default();
    };
    let bytes = u.take_rest().to_vec();
    let start = LogStart {
        // As far as a header may name one.
        generation: start.generation.clamp(1, MAX_COUNT),
        position: start.position.min(MAX_COUNT),
        chain: start.chain,
    };
    replay(bytes, samples::SEGMENT_BYTES, start, None)
}

/// The chain with which the records of the first generation begin.
fn segment_chain(bytes: &[u8]) -> u64 {
    let half = bytes.get(samples::SEGMENT_BYTES as usize..);
    let header = SegmentHeader::decode(half.unwrap_or_default());
    header.map_or(0, |header| header.checksum())
}

fn replay(
    bytes: Vec<u8>,
    segment_bytes: u32,
    start: LogStart,
    written: Option<&LogSample>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let most = bytes.len() / RECORD_OVERHEAD;
    let directory = MemoryDirectory::new();
    directory.put("log", bytes);
    let file = directory.open("log", OpenMode::Read).expect("just put");
    let id = samples::FILE_ID;
    let mut reader = match LogReader::open(Arc::clone(&file), id, segment_bytes, start) {
        Ok(reader) => reader,
        Err(error) => {
            assert_corrupt(&error);
            outcome.refused = true;
            return outcome;
        }
    };
    let (mut count, mut halves) = (0, [false; 2]);
    loop {
        match reader.next() {
            Ok(Some(record)) => {
                if let Some(sample) = written {
                    sample.assert_written(count, &record);
                }
                count += 1;
                assert!(count <= most, "more records than there is room for");
                halves[usize::from(record.offset >= u64::from(segment_bytes))] = true;
                read_payload(record.kind, &record.payload, &mut outcome);
            }
            Ok(None) => break,
            Err(error) => {
                assert_corrupt(&error);
                outcome.corrupt = true;
                break;
            }
        }
    }
    if !outcome.corrupt {
        assert!(matches!(reader.next(), Ok(None)), "the end is the end");
    }
    let tail = reader.tail();
    outcome.repaired = tail.repaired;
    outcome.torn = tail.dropped_bytes > 0;
    outcome.continued = halves == [true; 2];
    outcome
}

fn assert_corrupt(error: &Error) {
    assert!(matches!(error, Error::Corrupt(_)), "{error}");
}

/// Reads what a record carries; what reads whole must be written as the same bytes.
fn read_payload(kind: RecordKind, payload: &[u8], outcome: &mut Outcome) {
    if kind == RecordKind::Root {
        let header = Header::decode(payload).expect("a root record is checked with its record");
        assert_eq!(header.encode(), payload);
        outcome.roots += 1;
        return;
    }
    let Ok(operations) = OpReader::new(payload).collect::<Result<Vec<Op<'_>>, _>>() else {
        return;
    };
    let mut again = Vec::new();
    let mut writer = OpWriter::new();
    for operation in &operations {
        let tag = again.len();
        writer.put(&mut again, operation);
        outcome.operations[usize::from(again[tag])] += 1;
    }
    assert_eq!(again, payload, "operations have one encoding");
    outcome.commits += 1;
}

/// The input for an arbitrary log.
pub(crate) fn raw_input(start: LogStart, log: &[u8]) -> Vec<u8> {
    let mut input = vec![0];
    for number in [start.generation, start.position, start.chain] {
        input.extend_from_slice(&number.to_le_bytes());
    }
    input.extend_from_slice(log);
    input
}
