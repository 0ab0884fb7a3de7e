#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::root_header;
use crate::error::Error;
use crate::format::header::{Header, Root};
use crate::format::log::RecordKind;
use crate::wal::Record;

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
fn root(change: impl FnOnce(&mut Header)) -> crate::error::Result<Header> {
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
