#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};

use super::{Recovered, recover, root_header};
use crate::delta::{Batch, Delta, LoggedTotals, encode};
use crate::error::{Error, Result};
use crate::forensics::Tally;
use crate::format::header::{Header, Root, SLOT_LEN};
use crate::format::log::{RecordKind, record_len};
use crate::options::OnRecovery;
use crate::recovery::{RecoveryProgress, RecoveryReport};
use crate::storage::{MemoryDirectory, OpenMode, Poison};
use crate::store::files::Files;
use crate::store::slots::Newest;
use crate::wal::{LogIdentity, LogWriter, Record};

fn before() -> Header {
    Header {
        page_size: 4096,
        name_index: true,
        unique_edges: false,
        log_segment_bytes: 1 << 16,
        file_id: *b"0123456789abcdef",
        sequence: 9,
        birth_limit: 100,
        page_count: 10,
        next_node: 1,
        node_count: 0,
        edge_count: 0,
        commit: 11,
        log_generation: 1,
        log_position: 800,
        log_chain: 5,
        kind_count: 0,
        label_count: 0,
        freelist: None,
        free_pages: 0,
        roots: [Root::default(); 7],
    }
}

/// What a root record that ends at 1,600 makes of a header that goes on from the one before, once changed.
fn root(change: impl FnOnce(&mut Header)) -> Result<Header> {
    let mut header = Header {
        sequence: 10,
        commit: 12,
        log_position: 1600,
        ..before()
    };
    change(&mut header);
    let record = Record {
        kind: RecordKind::Root,
        commit: 12,
        payload: header.encode().to_vec(),
        offset: 1000,
        end: 1600,
        bytes: 560,
        checksum: 77,
    };
    root_header(&record, &before())
}

#[test]
fn a_root_record_is_the_state_at_its_end() {
    let header = root(|_| ()).unwrap();
    assert_eq!((header.sequence, header.commit), (10, 12));
    assert_eq!(header.log_chain, 77, "the next record follows this one");
}

#[test]
fn a_root_record_of_another_state_is_refused() {
    let changes: [fn(&mut Header); 5] = [
        |header| header.file_id = [0; 16],
        |header| header.page_size = 8192,
        |header| header.sequence = 11,
        |header| header.log_position = 1608,
        |header| header.commit = 13,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        match root(change) {
            Err(Error::Corrupt(corruption)) => {
                assert!(corruption.what.contains("does not continue"), "{number}");
            }
            other => panic!("{number}: {other:?}"),
        }
    }
}

/// A database's files: no database, and perhaps its log.
struct Left {
    directory: MemoryDirectory,
    header: Header,
}

impl Left {
    fn new() -> Left {
        Left {
            directory: MemoryDirectory::new(),
            header: before(),
        }
    }

    /// A log whose records begin at this position, and a header that names it.
    fn log(&mut self, base: u64) -> LogWriter {
        let identity = LogIdentity {
            file_id: self.header.file_id,
            generation: 1,
            salt: 0x5a17,
            base,
        };
        let (poison, tally) = (Arc::new(Poison::default()), Tally::default());
        let segment_bytes = self.header.log_segment_bytes;
        let log = LogWriter::create(
            &self.directory,
            "graph-log",
            identity,
            segment_bytes,
            &poison,
            &tally,
        )
        .unwrap();
        self.header.log_chain = log.chain();
        log
    }

    /// What is recovered, and every call of the progress function.
    fn recover(&self, alone: bool) -> Result<(Recovered, Vec<RecoveryProgress>)> {
        let files = Files {
            directory: Arc::new(self.directory.clone()),
            name: "graph".to_owned(),
            given_directory: true,
        };
        let newest = Newest {
            header: self.header.clone(),
            alone,
        };
        let calls: Arc<Mutex<Vec<RecoveryProgress>>> = Arc::default();
        let seen = Arc::clone(&calls);
        let watch = OnRecovery::new(move |progress| seen.lock().unwrap().push(progress));
        let recovered = recover(&files, newest, OpenMode::Read, &watch, &Tally::default())?;
        let calls = calls.lock().unwrap().clone();
        Ok((recovered, calls))
    }

    #[track_caller]
    fn refused(&self, alone: bool, what: &str) {
        match self.recover(alone).map(|_| ()) {
            Err(Error::Corrupt(corruption)) => {
                assert!(corruption.what.contains(what), "{corruption}");
            }
            other => panic!("{other:?}"),
        }
    }
}

/// What a commit logs that defines a kind, and after which this is the next node.
fn payload(next_node: u64) -> Vec<u8> {
    let mut batch = Batch::default();
    batch.define_kind(0, "kind");
    let mut delta = Delta::default();
    delta.apply(batch);
    let totals = LoggedTotals {
        next_node,
        ..LoggedTotals::default()
    };
    encode(&delta, totals)
}

#[test]
fn a_slot_alone_that_names_no_log_is_the_newest_unless_a_log_goes_on_from_it() {
    let clean = |left: &Left, alone| {
        let (recovered, calls) = left.recover(alone).unwrap();
        assert_eq!(recovered.header, left.header);
        assert_eq!(recovered.commit, 11);
        assert_eq!((recovered.log_end, recovered.report), (None, None));
        assert!(!recovered.slot_pending && calls.is_empty());
    };
    let mut left = Left::new();
    left.header.log_generation = 0;
    clean(&left, true);
    // What is left of another log: it goes on from another state, or from this one and holds nothing.
    let other = left.log(left.header.log_position + 8);
    other.append(RecordKind::Commit, 12, &payload(2)).unwrap();
    clean(&left, true);
    let log = left.log(left.header.log_position);
    clean(&left, true);
    log.append(RecordKind::Commit, 12, &payload(2)).unwrap();
    left.refused(true, "a header slot is damaged");
    clean(&left, false);
}

#[test]
fn commits_are_replayed_up_to_the_end_and_from_the_last_root_record() {
    let mut left = Left::new();
    let log = left.log(left.header.log_position);
    let (recovered, calls) = left.recover(false).unwrap();
    assert_eq!((recovered.commit, recovered.log_end), (11, Some(800)));
    assert_eq!(recovered.report, Some(RecoveryReport::default()));
    assert!(calls.is_empty());

    let commits = [12, 13].map(|commit| {
        let appended = log.append(RecordKind::Commit, commit, &payload(commit));
        appended.unwrap().bytes
    });
    let (recovered, calls) = left.recover(false).unwrap();
    assert_eq!((recovered.commit, recovered.totals.next_node), (13, 13));
    assert!(!recovered.slot_pending && !recovered.delta.is_empty());
    let bytes = commits[0] + commits[1];
    let expected = [(1, commits[0]), (2, bytes)];
    assert_eq!(
        calls,
        expected.map(|(records, bytes)| RecoveryProgress { records, bytes })
    );
    assert_eq!(recovered.log_end, Some(800 + bytes));

    let position = log.end() + record_len(SLOT_LEN) as u64;
    let root = Header {
        sequence: 10,
        commit: 14,
        next_node: 20,
        log_position: position,
        ..left.header.clone()
    };
    let root = log.append(RecordKind::Root, 14, &root.encode()).unwrap();
    assert_eq!(root.end, position);
    let (recovered, _) = left.recover(false).unwrap();
    assert_eq!((recovered.commit, recovered.totals.next_node), (14, 20));
    assert_eq!(
        (recovered.header.sequence, recovered.header.commit),
        (10, 14)
    );
    assert!(recovered.slot_pending && recovered.delta.is_empty());

    let last = log.append(RecordKind::Commit, 15, &payload(21)).unwrap();
    let (recovered, calls) = left.recover(false).unwrap();
    assert_eq!((recovered.commit, recovered.totals.next_node), (15, 21));
    assert_eq!(
        (recovered.header.sequence, recovered.header.commit),
        (10, 14)
    );
    assert!(recovered.slot_pending && !recovered.delta.is_empty());
    let report = RecoveryReport {
        records: 4,
        commits: 4,
        bytes: last.end - 800,
        ..RecoveryReport::default()
    };
    assert_eq!(recovered.report, Some(report));
    assert_eq!((calls.len(), recovered.log_end), (4, Some(last.end)));
}

#[test]
fn a_commit_that_does_not_follow_the_one_before_is_refused() {
    for commit in [10, 11, 13] {
        let mut left = Left::new();
        let log = left.log(left.header.log_position);
        let appended = log.append(RecordKind::Commit, commit, &payload(2));
        appended.unwrap();
        left.refused(false, &format!("commit {commit} follows commit 11"));
    }
}

#[test]
fn a_commit_that_means_nothing_is_refused() {
    let mut left = Left::new();
    let log = left.log(left.header.log_position);
    log.append(RecordKind::Commit, 12, &[0xff; 40]).unwrap();
    assert!(matches!(left.recover(false), Err(Error::Corrupt(_))));
}

#[test]
fn a_log_that_is_named_and_missing_is_told() {
    Left::new().refused(false, "is missing");
}
