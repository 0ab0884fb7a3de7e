#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

use super::{Header, Root, SLOT_LEN, SlotProblem, decode_slot, first_data_page, header_region};
use crate::format::FormatError;
use crate::format::checksum::crc;
use crate::format::testing::each;
use crate::ids::PageRef;

fn sample() -> Header {
    let root = Root {
        page: PageRef::new(40, 17),
        height: 2,
        entries: 99,
        pages: 5,
    };
    Header {
        page_size: 4096,
        name_index: true,
        unique_edges: false,
        log_segment_bytes: 16 << 20,
        file_id: *b"0123456789abcdef",
        sequence: 7,
        birth_limit: 1 << 20,
        page_count: 1000,
        next_node: 150,
        node_count: 99,
        edge_count: 99,
        commit: 55,
        log_generation: 3,
        log_position: 8888,
        log_chain: 0xdead_beef,
        kind_count: 2,
        label_count: 65_536,
        freelist: PageRef::new(41, 18),
        free_pages: 12,
        roots: [
            root,
            root,
            Root::default(),
            root,
            Root::default(),
            root,
            root,
        ],
    }
}

/// A sample with some bytes replaced and the checksum made to fit.
fn patched(at: usize, bytes: &[u8]) -> [u8; SLOT_LEN] {
    let mut slot = sample().encode();
    slot[at..at + bytes.len()].copy_from_slice(bytes);
    let checksum = crc(&[&slot[..504]]);
    slot[504..].copy_from_slice(&checksum.to_le_bytes());
    slot
}

#[test]
fn headers_round_trip() {
    let slot = sample().encode();
    assert_eq!(Header::decode(&slot), Ok(sample()));
    assert_eq!(decode_slot(&slot, 1), Ok(sample()));
    assert!(decode_slot(&slot, 0).is_err());
    let longer = [&slot[..], &[1; 40]].concat();
    assert_eq!(Header::decode(&longer), Ok(sample()));
    for size in [4096, 8192, 16384, 32768, 65536] {
        let fresh = Header {
            page_size: size,
            page_count: first_data_page(size),
            next_node: 1,
            node_count: 0,
            edge_count: 0,
            freelist: None,
            free_pages: 0,
            roots: [Root::default(); 7],
            ..sample()
        };
        assert_eq!(Header::decode(&fresh.encode()), Ok(fresh));
    }
}

#[test]
fn the_header_region_is_whole_pages() {
    let regions = [
        (4096, 8192, 2),
        (8192, 8192, 1),
        (16384, 16384, 1),
        (65536, 65536, 1),
    ];
    for (size, region, first) in regions {
        assert_eq!(
            (header_region(size), first_data_page(size)),
            (region, first)
        );
    }
}

#[test]
fn strangers_newer_files_and_damage_are_told_apart() {
    assert_eq!(Header::decode(&[]), Err(SlotProblem::NotVellum));
    assert_eq!(Header::decode(&[0; 512]), Err(SlotProblem::NotVellum));
    assert_eq!(
        Header::decode(b"SQLite format 3\0"),
        Err(SlotProblem::NotVellum)
    );
    assert_eq!(
        Header::decode(&patched(8, &[2, 0])),
        Err(SlotProblem::Version(2))
    );
    let slot = sample().encode();
    for cut in each(8..SLOT_LEN) {
        assert!(matches!(
            Header::decode(&slot[..cut]),
            Err(SlotProblem::Damaged(_))
        ));
    }
    for bit in each(8 * 10..8 * SLOT_LEN) {
        let mut slot = slot;
        slot[bit / 8] ^= 1 << (bit % 8);
        let damaged = SlotProblem::Damaged(FormatError("header slot fails its checksum"));
        assert_eq!(Header::decode(&slot), Err(damaged), "bit {bit}");
    }
}

#[test]
fn fields_out_of_range_are_refused() {
    let refused = |at, bytes: &[u8], rule| {
        let problem = SlotProblem::Damaged(FormatError(rule));
        assert_eq!(Header::decode(&patched(at, bytes)), Err(problem), "{at}");
    };
    refused(8, &[0], "format version is 0");
    refused(10, &[11], "page size out of range");
    refused(10, &[17], "page size out of range");
    refused(11, &[4], "reserved header flag is set");
    refused(12, &[1], "log segment size out of range");
    refused(12, &[0; 4], "log segment size out of range");
    refused(46, &[2], "birth limit out of range");
    refused(48, &[1, 0], "page count out of range");
    refused(55, &[1], "page count out of range");
    refused(56, &[0], "next node id out of range");
    refused(64, &[150], "more nodes than ids issued");
    refused(64, &[98], "nodes are counted otherwise than in their tree");
    refused(72, &[100], "edges are counted otherwise than in their tree");
    refused(88, &[0], "a header without a log names a record");
    refused(96, &[0xb9], "log position is no record's");
    refused(112, &[1, 0, 1], "too many kinds");
    let few = [49, 0, 0, 0, 0, 0, 0, 0];
    refused(
        112,
        &few,
        "the dictionary holds more than the kinds and labels",
    );
    refused(116, &[1, 0, 1], "too many labels");
    refused(120, &[1], "header refers to a page outside the file");
    refused(120, &[0, 4], "header refers to a page outside the file");
    refused(130, &[1], "header refers to a birth not yet reserved");
    refused(120, &[0; 12], "free pages without a freelist");
    refused(132, &[1], "reserved bytes are not zero");
    refused(136, &[0xe8, 3], "more free pages than pages");
    refused(144, &[0; 12], "an empty tree has a size");
    refused(156, &[0], "tree height out of range");
    refused(156, &[26], "tree height out of range");
    refused(157, &[1], "reserved bytes are not zero");
    refused(160, &[0], "a tree with a root has no entries");
    refused(168, &[1], "a tree has fewer pages than levels");
    refused(169, &[9], "a tree has more pages than the file");
    refused(220, &[1], "an empty tree has a size");
    refused(400, &[1], "reserved bytes are not zero");
}

proptest! {
    #[test]
    fn any_bytes_that_pass_encode_to_themselves(at in 8..504usize, bytes in prop::collection::vec(any::<u8>(), 1..8)) {
        let bytes = &bytes[..bytes.len().min(504 - at)];
        let slot = patched(at, bytes);
        if let Ok(header) = Header::decode(&slot) {
            prop_assert_eq!(header.encode(), slot);
        }
    }
}
