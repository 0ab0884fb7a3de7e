#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::ops::Range;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use super::{LogIdentity, LogReader, LogStart, LogWriter, half, log_begins_at};
use crate::error::{Error, Result};
use crate::forensics::Tally;
use crate::format::FileId;
use crate::format::log::{RecordHeader, RecordKind, SegmentHeader, encode_record, record_len};
use crate::storage::{Directory, MemoryDirectory, OpenMode, Poison, Storage};

const ID: FileId = *b"0123456789abcdef";
const SEGMENT: u32 = 4096;
const BASE: u64 = 800;

struct Log {
    directory: MemoryDirectory,
    poison: Arc<Poison>,
    writer: LogWriter,
    start: LogStart,
}

fn create(directory: MemoryDirectory) -> Log {
    let poison = Arc::new(Poison::default());
    let identity = LogIdentity {
        file_id: ID,
        generation: 1,
        salt: 0x5a17,
        base: BASE,
    };
    let tally = Tally::default();
    let writer = LogWriter::create(&directory, "log", identity, SEGMENT, &poison, &tally);
    let writer = writer.unwrap();
    let start = LogStart {
        generation: 1,
        position: BASE,
        chain: writer.chain(),
    };
    Log {
        directory,
        poison,
        writer,
        start,
    }
}

impl Log {
    fn new() -> Log {
        create(MemoryDirectory::new())
    }

    fn append(&self, commit: u64) -> Result<u64> {
        let payload = [commit as u8; 100];
        let appended = self.writer.append(RecordKind::Commit, commit, &payload)?;
        Ok(appended.end)
    }

    fn append_all(&self, commits: Range<u64>) {
        for commit in commits {
            self.append(commit).unwrap();
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.directory.contents("log").unwrap()
    }

    /// The same log with other bytes here.
    fn patched(&self, at: u64, patch: &[u8]) -> Arc<dyn Storage> {
        let mut bytes = self.bytes();
        let at = usize::try_from(at).unwrap();
        bytes[at..at + patch.len()].copy_from_slice(patch);
        file_of(bytes)
    }

    fn header(&self) -> SegmentHeader {
        let at = usize::try_from(half(1, SEGMENT)).unwrap();
        SegmentHeader::decode(&self.bytes()[at..]).unwrap()
    }
}

fn file_of(bytes: Vec<u8>) -> Arc<dyn Storage> {
    let directory = MemoryDirectory::new();
    directory.put("log", bytes);
    directory.open("log", OpenMode::Read).unwrap()
}

/// The commits that a log holds, and the bytes it ends in that are no record.
fn read(file: Arc<dyn Storage>, start: LogStart) -> Result<(Vec<u64>, u64)> {
    let mut reader = LogReader::open(file, ID, SEGMENT, start)?;
    let mut commits = Vec::new();
    while let Some(record) = reader.next()? {
        commits.push(record.commit);
    }
    assert!(reader.next()?.is_none(), "nothing follows the end");
    Ok((commits, reader.tail().dropped_bytes))
}

#[track_caller]
fn refused<T>(result: Result<T>, what: &str) {
    match result {
        Err(Error::Corrupt(corruption)) => assert!(corruption.what.contains(what), "{corruption}"),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("nothing was noticed"),
    }
}

#[test]
fn a_log_left_half_made_is_made_anew() {
    let directory = MemoryDirectory::new();
    directory.put("log-new", vec![1; 10]);
    let log = create(directory);
    assert!(!log.directory.exists("log-new").unwrap());
    assert_eq!(log.bytes().len() as u64, half(1, SEGMENT) + 4096);
}

#[test]
fn a_record_without_room_is_not_written() {
    let log = Log::new();
    while log.writer.fits(100) {
        log.append(1).unwrap();
    }
    let (end, before) = (log.writer.end(), log.bytes());
    assert!(matches!(log.append(2), Err(Error::Usage(_))));
    assert_eq!(log.writer.end(), end);
    assert!(log.bytes() == before);
}

#[test]
fn a_segment_is_not_replaced_before_it_is_merged() {
    let log = Log::new();
    log.append(1).unwrap();
    log.writer.start_segment().unwrap();
    assert_eq!(log.writer.generation(), 2);
    let begin = log.writer.end();
    let end = log.append(2).unwrap();
    assert!(matches!(log.writer.start_segment(), Err(Error::Usage(_))));
    // What is merged ends before this segment, so the first is needed still.
    log.writer.recycle(begin - 8);
    assert!(matches!(log.writer.start_segment(), Err(Error::Usage(_))));
    log.writer.recycle(end);
    log.writer.start_segment().unwrap();
    assert_eq!(log.writer.generation(), 3);
}

#[test]
fn two_segments_are_read_as_one_log() {
    let log = Log::new();
    log.append_all(1..4);
    log.writer.start_segment().unwrap();
    log.append_all(4..6);
    let whole = read(file_of(log.bytes()), log.start).unwrap();
    assert_eq!(whole, (vec![1, 2, 3, 4, 5], 0));
    // The second segment's header says that the three were durable.
    let last = half(1, SEGMENT) + 128 + 2 * record_len(100) as u64;
    let damaged = log.patched(last + 60, &[0xee; 9]);
    refused(read(damaged, log.start), "a later segment says");
}

#[test]
fn a_log_that_poison_has_ended_takes_nothing() {
    let log = Log::new();
    let end = log.append(1).unwrap();
    log.poison.set();
    assert!(matches!(log.append(2), Err(Error::Poisoned)));
    assert!(matches!(log.writer.sync_to(end), Err(Error::Poisoned)));
}

#[test]
fn whoever_comes_during_a_sync_shares_it_or_the_next() {
    let log = Log::new();
    let first = log.append(1).unwrap();
    let begun = Barrier::new(2);
    let delay = Duration::from_millis(20);
    let issued = thread::scope(|scope| {
        let one = scope.spawn(|| {
            begun.wait();
            log.writer.group_sync_to(first, delay).unwrap()
        });
        let other = scope.spawn(|| {
            begun.wait();
            let end = log.append(2).unwrap();
            let issued = log.writer.group_sync_to(end, delay).unwrap();
            assert!(log.writer.durable_to() >= end);
            issued
        });
        one.join().unwrap() + other.join().unwrap()
    });
    assert!((1..=2).contains(&issued), "{issued}");
    assert_eq!(log.writer.durable_to(), log.writer.end());
    assert_eq!(log.writer.sync_to(first).unwrap(), 0, "it is durable");
}

#[test]
fn a_record_that_follows_another_one_does_not_count() {
    let log = Log::new();
    let header = RecordHeader {
        kind: RecordKind::Commit,
        position: BASE,
        durable_to: BASE,
        commit: 1,
        chain: log.start.chain ^ 6,
    };
    let mut record = Vec::new();
    encode_record(&mut record, &log.header(), &header, b"payload");
    let other = log.patched(half(1, SEGMENT) + 128, &record);
    let (commits, dropped) = read(other, log.start).unwrap();
    assert_eq!((commits, dropped), (vec![], record.len() as u64));
}

#[test]
fn only_a_log_of_this_place_is_read() {
    let log = Log::new();
    let end = log.append(1).unwrap();
    let open = |id, change: fn(&mut LogStart)| {
        let mut start = log.start;
        change(&mut start);
        LogReader::open(file_of(log.bytes()), id, SEGMENT, start).map(|_| ())
    };
    assert!(open(ID, |_| ()).is_ok());
    let stranger = "the log is not the one";
    refused(open([0; 16], |_| ()), stranger);
    refused(open(ID, |start| start.position = 0), stranger);
    refused(open(ID, |start| start.generation = 3), stranger);
    refused(open(ID, |start| start.generation = 2), "log segment header");
    let other = "the log segment is not the one";
    refused(open(ID, |start| start.chain ^= 1), other);
    let start = LogStart {
        position: end,
        ..log.start
    };
    let within = LogReader::open(file_of(log.bytes()), ID, SEGMENT, start);
    refused(within, "no record ends where");
}

#[test]
fn the_first_log_after_a_state_begins_at_its_position() {
    let log = Log::new();
    let begins = |file, id, position| log_begins_at(file, id, SEGMENT, position).unwrap();
    assert!(!begins(file_of(log.bytes()), ID, BASE), "no record yet");
    log.append(1).unwrap();
    assert!(begins(file_of(log.bytes()), ID, BASE));
    assert!(!begins(file_of(log.bytes()), [0; 16], BASE));
    assert!(!begins(file_of(log.bytes()), ID, BASE + 8));
    assert!(!begins(file_of(Vec::new()), ID, BASE));
    let later = SegmentHeader {
        generation: 3,
        ..log.header()
    };
    let later = log.patched(half(1, SEGMENT), &later.encode());
    assert!(!begins(later, ID, BASE));
}

#[test]
fn a_segment_that_does_not_go_on_from_this_one_is_damage() {
    let log = Log::new();
    log.append(1).unwrap();
    log.writer.start_segment().unwrap();
    let at = half(2, SEGMENT);
    let sound = SegmentHeader::decode(&log.bytes()[usize::try_from(at).unwrap()..]).unwrap();
    let with = |change: fn(&mut SegmentHeader)| {
        let mut header = sound;
        change(&mut header);
        read(log.patched(at, &header.encode()), log.start)
    };
    assert_eq!(with(|_| ()).unwrap(), (vec![1], 0));
    // What an older use of the half left says nothing.
    assert_eq!(with(|header| header.generation = 4).unwrap().0, [1]);
    assert_eq!(with(|header| header.file_id = [0; 16]).unwrap().0, [1]);
    refused(with(|header| header.base += 8), "a later segment says");
    refused(
        with(|header| header.previous_chain ^= 1),
        "a later segment says",
    );
}

#[test]
fn the_tail_of_an_interrupted_write_is_told_from_damage() {
    let log = Log::new();
    let record = record_len(100) as u64;
    let second = half(1, SEGMENT) + 128 + record;
    let first_end = log.append(1).unwrap();
    log.append_all(2..4);
    // Two records that nobody was told are durable, of which the second is whole.
    let torn = log.patched(second + 60, &[0xee; 9]);
    assert_eq!(read(torn, log.start).unwrap(), (vec![1], 2 * record));
    // The record alone, begun and not finished.
    let mut bytes = log.bytes();
    let from = usize::try_from(second + 60).unwrap();
    bytes[from..].fill(0);
    assert_eq!(
        read(file_of(bytes.clone()), log.start).unwrap(),
        (vec![1], record)
    );
    // What an older use of the segment left begins nothing here.
    let stale = usize::try_from(second + 8).unwrap();
    bytes[stale..stale + 8].copy_from_slice(&(first_end + 8).to_le_bytes());
    assert_eq!(read(file_of(bytes), log.start).unwrap(), (vec![1], 0));
    // A record further on was written when the damaged one was known to be durable.
    log.writer.sync_to(log.writer.end()).unwrap();
    log.append(4).unwrap();
    let damaged = log.patched(second + 60, &[0xee; 9]);
    refused(
        read(damaged, log.start),
        "later ones show that it was durable",
    );
}

#[test]
fn a_segment_cut_off_is_read_as_far_as_it_goes() {
    let log = Log::new();
    log.append(1).unwrap();
    log.append(2).unwrap();
    let begin = usize::try_from(half(1, SEGMENT)).unwrap();
    let record = record_len(100);
    let read_to = |len: usize| read(file_of(log.bytes()[..len].to_vec()), log.start);
    let second = begin + 128 + record;
    assert_eq!(read_to(second).unwrap(), (vec![1], 0));
    assert_eq!(read_to(second + 3).unwrap(), (vec![1], 0));
    assert_eq!(read_to(second + 10).unwrap(), (vec![1], 0));
    assert_eq!(read_to(second + 20).unwrap(), (vec![1], 20));
}
