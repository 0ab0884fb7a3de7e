#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{newer, read_newest, write_slot};
use crate::error::{Error, Result};
use crate::forensics::Tally;
use crate::format::header::{Header, Root};
use crate::storage::{Directory, MemoryDirectory, OpenMode};

fn state(sequence: u64) -> Header {
    Header {
        page_size: 4096,
        name_index: true,
        unique_edges: false,
        log_segment_bytes: 1 << 16,
        file_id: *b"0123456789abcdef",
        sequence,
        birth_limit: 100,
        page_count: 10,
        next_node: 1,
        node_count: 0,
        edge_count: 0,
        commit: sequence,
        log_generation: 0,
        log_position: 0,
        log_chain: 0,
        kind_count: 0,
        label_count: 0,
        freelist: None,
        free_pages: 0,
        roots: [Root::default(); 7],
    }
}

/// What is found in a file that begins with these bytes, after these states were written to it.
fn found(bytes: Vec<u8>, states: &[u64]) -> Result<(u64, bool)> {
    let directory = MemoryDirectory::new();
    directory.put("graph", bytes);
    let file = directory.open("graph", OpenMode::Write).unwrap();
    for sequence in states {
        write_slot(&*file, &state(*sequence), &Tally::default()).unwrap();
    }
    let newest = read_newest(&*file, &Tally::default())?;
    Ok((newest.header.sequence, newest.alone))
}

#[test]
fn the_newer_slot_counts_wherever_it_stands() {
    assert_eq!(found(Vec::new(), &[6, 7]).unwrap(), (7, false));
    assert_eq!(found(Vec::new(), &[8, 7]).unwrap(), (8, false));
    assert_eq!(found(Vec::new(), &[8]).unwrap(), (8, true));
    assert_eq!(found(Vec::new(), &[7]).unwrap(), (7, true));
}

#[test]
fn a_file_without_a_slot_is_called_what_it_most_likely_is() {
    let stranger = found(vec![1; 9000], &[]);
    assert!(matches!(stranger, Err(Error::Version { found }) if found.contains("not a Vellum")));
    let mut bytes = vec![0; 9000];
    bytes.splice(..10, *b"VellumDB\x02\0");
    let later = found(bytes.clone(), &[]);
    assert!(matches!(later, Err(Error::Version { found }) if found.contains("version 2")));
    bytes.splice(8..10, [1, 0]);
    let damaged = found(bytes, &[]);
    assert!(matches!(damaged, Err(Error::Corrupt(_))));
}

#[test]
fn slots_of_two_databases_are_refused() {
    let changes: [fn(&mut Header); 5] = [
        |header| header.file_id = [0; 16],
        |header| header.page_size = 8192,
        |header| header.name_index = false,
        |header| header.unique_edges = true,
        |header| header.log_segment_bytes = 4096,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut other = state(7);
        change(&mut other);
        let both = newer(Some(state(6)), other);
        assert!(matches!(both, Err(Error::Corrupt(_))), "{number}");
    }
    assert_eq!(newer(None, state(6)).unwrap().sequence, 6);
}
