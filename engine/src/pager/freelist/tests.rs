#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use super::read_freelist;
use crate::error::{Error, Result};
use crate::forensics::Tally;
use crate::format::FileId;
use crate::format::blob;
use crate::format::freelist::{Run, encode};
use crate::format::header::{Header, Root};
use crate::format::page::seal;
use crate::ids::PageRef;
use crate::pager::Pager;
use crate::storage::{Directory, MemoryDirectory, OpenMode, Poison};

const ID: FileId = *b"0123456789abcdef";
const PAGE: usize = 4096;

fn at(page: u64) -> PageRef {
    PageRef::new(page, 1).unwrap()
}

/// A page that lists these runs and names the next.
fn listing(runs: &[(u64, u64)], next: Option<u64>) -> Box<[u8]> {
    let runs = runs.iter().map(|&(first, len)| Run { first, len });
    encode(PAGE, next.map(at), &mut runs.peekable())
}

/// The runs of a chain that begins at page 2 and stands there in order, in a file of 100 pages.
fn read(pages: Vec<Box<[u8]>>, free_pages: u64) -> Result<Vec<(u64, u64)>> {
    let mut bytes = vec![0; 2 * PAGE];
    for (page, mut image) in (2..).zip(pages) {
        seal(&mut image, at(page), &ID);
        bytes.extend_from_slice(&image);
    }
    let directory = MemoryDirectory::new();
    directory.put("graph", bytes);
    let file = directory.open("graph", OpenMode::Read).unwrap();
    let poison = Arc::new(Poison::default());
    let pager = Pager::new(file, &poison, PAGE, ID, 1 << 20, Tally::default());
    let header = Header {
        page_size: PAGE,
        name_index: true,
        unique_edges: false,
        log_segment_bytes: 4096,
        file_id: ID,
        sequence: 0,
        birth_limit: 100,
        page_count: 100,
        next_node: 1,
        node_count: 0,
        edge_count: 0,
        commit: 0,
        log_generation: 0,
        log_position: 0,
        log_chain: 0,
        kind_count: 0,
        label_count: 0,
        freelist: Some(at(2)),
        free_pages,
        roots: [Root::default(); 7],
    };
    let list = read_freelist(&pager, &header)?;
    Ok(list.runs.iter().map(|run| (run.first, run.len)).collect())
}

#[track_caller]
fn refused(result: Result<Vec<(u64, u64)>>, what: &str) {
    match result {
        Err(Error::Corrupt(corruption)) => assert!(corruption.what.contains(what), "{corruption}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chain_is_read_in_order() {
    let pages = vec![
        listing(&[(10, 2), (20, 1)], Some(3)),
        listing(&[(30, 70)], None),
    ];
    assert_eq!(read(pages, 73).unwrap(), [(10, 2), (20, 1), (30, 70)]);
}

#[test]
fn a_chain_that_breaks_a_rule_is_refused() {
    let order = "out of order or beyond the file";
    let pages = vec![listing(&[(10, 2)], Some(3)), listing(&[(11, 1)], None)];
    refused(read(pages, 3), order);
    // Runs that touch are one.
    let pages = vec![listing(&[(10, 2)], Some(3)), listing(&[(12, 1)], None)];
    refused(read(pages, 3), order);
    refused(read(vec![listing(&[(1, 1)], None)], 1), order);
    refused(read(vec![listing(&[(90, 11)], None)], 11), order);
    refused(read(vec![listing(&[(10, 2)], None)], 3), "not as long as");
    let empty = vec![listing(&[(10, 2)], Some(3)), listing(&[], Some(2))];
    refused(read(empty, 2), "lists nothing and is not the last");
    refused(read(vec![blob::encode_data(PAGE, b"x")], 1), "");
}
