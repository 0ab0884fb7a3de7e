#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::ops::{ControlFlow, Range};

use proptest::prelude::*;

use super::{BlockEdge, EdgeBlock, EdgeBlockBuilder};
use crate::format::Result;
use crate::format::limits::MAX_DATA_LEN;
use crate::format::node::{BlobRef, Data};
use crate::format::testing::{cases, each, place};
use crate::ids::MAX_U48;

/// Owned data, so that strategies can make it.
#[derive(Clone, Debug)]
enum Owned {
    Inline(Vec<u8>),
    Blob(u64),
}

impl Owned {
    fn borrow(&self) -> Data<'_> {
        match self {
            Owned::Inline(bytes) => Data::Inline(bytes),
            Owned::Blob(len) => Data::Blob(BlobRef {
                index: place(),
                len: *len,
            }),
        }
    }
}

fn edge(label: u16, peer: u64, ordinal: u32) -> BlockEdge {
    BlockEdge {
        label,
        peer,
        ordinal,
    }
}

fn encode(edges: &[(BlockEdge, Owned)]) -> Vec<u8> {
    let mut builder = EdgeBlockBuilder::new();
    for (edge, data) in edges {
        let foretold = builder.size_with(*edge, data.borrow().stored_len());
        builder.push(*edge, data.borrow());
        assert_eq!(builder.size(), foretold);
    }
    let mut out = Vec::new();
    builder.encode(&mut out);
    assert_eq!(out.len(), builder.size());
    out
}

#[track_caller]
fn check(edges: &[(BlockEdge, Owned)]) -> Vec<u8> {
    let cell = encode(edges);
    let plain: Vec<BlockEdge> = edges.iter().map(|(edge, _)| *edge).collect();
    // Once at the very end of the bytes, once as in a page: after other bytes and before a trailer.
    let mut page = vec![0xee; 5];
    page.extend_from_slice(&cell);
    page.extend_from_slice(&[0xaa; 8]);
    for (bytes, range) in [(&cell, 0..cell.len()), (&page, 5..5 + cell.len())] {
        let block = EdgeBlock::parse(bytes, range).expect("a block that was just encoded");
        let mut out = vec![edge(9, 9, 9)];
        block.decode_into(&mut out).unwrap();
        assert_eq!(out[0], edge(9, 9, 9), "decoding appends");
        assert_eq!(&out[1..], plain);
        assert_eq!(block.len(), plain.len());
        assert_eq!(block.first().unwrap(), plain[0]);
        assert_eq!(block.last().unwrap(), plain[plain.len() - 1]);
        assert_eq!(
            block.has_ordinals(),
            plain.iter().any(|edge| edge.ordinal > 0)
        );
        assert_eq!(
            block.has_data(),
            edges.iter().any(|(_, data)| !data.borrow().is_empty())
        );
        let data: Vec<_> = block.data_iter().unwrap().map(Result::unwrap).collect();
        let expected: Vec<_> = edges.iter().map(|(_, data)| data.borrow()).collect();
        assert_eq!(data, expected);
        assert_eq!(
            block.data(plain.len() - 1).unwrap(),
            expected[plain.len() - 1]
        );
        block.check().unwrap();
        check_parts(&block, &plain);
    }
    for cut in each(0..cell.len()) {
        let Ok(block) = EdgeBlock::parse(&cell, 0..cut) else {
            continue;
        };
        // Where the cell's length says how many edges there are, a shorter cell is a block of fewer.
        if block.check().is_ok() {
            assert!(block.is_joined() && block.len() < plain.len());
            let mut out = Vec::new();
            block.decode_into(&mut out).unwrap();
            assert_eq!(out, plain[..out.len()]);
        }
    }
    cell
}

/// The labels and peers that a visitor is told, who stops after so many.
fn visit(block: &EdgeBlock<'_>, range: Range<usize>, most: usize) -> Result<Vec<(u16, u64)>> {
    let mut told = Vec::new();
    let stopped = block.visit(range, |label, peer| {
        told.push((label, peer));
        match told.len() == most {
            true => ControlFlow::Break(label),
            false => ControlFlow::Continue(()),
        }
    })?;
    let last = told.last().filter(|_| told.len() == most);
    assert_eq!(stopped.break_value(), last.map(|(label, _)| *label));
    Ok(told)
}

fn check_parts(block: &EdgeBlock<'_>, plain: &[BlockEdge]) {
    let len = plain.len();
    let ranges = [
        0..0,
        0..1,
        len - 1..len,
        len / 3..len / 2,
        1..len,
        len / 2..len,
        len..len,
    ];
    for range in each(ranges) {
        let mut out = Vec::new();
        if range.start <= range.end {
            block.decode_range(range.clone(), &mut out).unwrap();
            assert_eq!(out, plain[range.clone()]);
            let mut peers = vec![7];
            block.peers_into(range.clone(), &mut peers).unwrap();
            assert!(peers[1..].iter().eq(out.iter().map(|edge| &edge.peer)));
            for most in [1, 2, len] {
                let told = visit(block, range.clone(), most).unwrap();
                let first = out.iter().take(most);
                assert!(
                    told.into_iter()
                        .eq(first.map(|edge| (edge.label, edge.peer)))
                );
            }
        }
    }
    let runs = plain.chunk_by(|a, b| a.label == b.label);
    assert!(
        block
            .labels()
            .map(|(label, run)| (label, run.len()))
            .eq(runs.map(|run| (run[0].label, run.len())))
    );
    assert!(visit(block, 0..len + 1, len).is_err());
    assert!(block.decode_range(0..len + 1, &mut Vec::new()).is_err());
    assert!(block.get(len).is_err());
    let labels = plain.iter().map(|edge| edge.label);
    for label in each(labels.flat_map(|label| [label, label ^ 1, label.wrapping_add(1)])) {
        let start = plain.partition_point(|edge| edge.label < label);
        let end = plain.partition_point(|edge| edge.label <= label);
        assert_eq!(
            block.label_range(label),
            (start < end).then_some(start..end)
        );
    }
}

fn plain(edges: impl IntoIterator<Item = BlockEdge>) -> Vec<(BlockEdge, Owned)> {
    edges
        .into_iter()
        .map(|edge| (edge, Owned::Inline(vec![])))
        .collect()
}

#[test]
fn one_edge_is_small() {
    assert_eq!(check(&plain([edge(0, 1, 0)])).len(), 3);
    assert_eq!(check(&plain([edge(3, 0xffff, 0)])).len(), 5);
    check(&plain([edge(15, MAX_U48, 0)]));
    check(&plain([edge(u16::MAX, MAX_U48, u32::MAX)]));
}

#[test]
fn label_runs_at_the_edges_of_their_byte() {
    for label in each([0, 14, 15, 16, 142, 143, 65535]) {
        for len in each([1, 15, 16, 17, 143, 144, 145]) {
            check(&plain((1..=len).map(|peer| edge(label, peer * 1000, 0))));
        }
    }
    check(&plain(
        (0..40).flat_map(|label| [edge(label, 5, 0), edge(label, 6, 0)]),
    ));
}

#[test]
fn labels_and_peers_are_joined_where_both_fit() {
    let joined = |label, peer| {
        let cell = check(&plain([edge(0, 1, 0), edge(label, peer, 0)]));
        EdgeBlock::parse(&cell, 0..cell.len()).unwrap().is_joined()
    };
    assert!(joined(0, 2) && joined(7, 1_000_000) && joined(255, MAX_U48));
    assert!(!joined(256, MAX_U48), "57 bits cannot be loaded at once");
    assert!(!joined(1 << 15, 1), "the label's width has four bits");
    // Ten edges of eight labels between a million nodes.
    let ten = (0..10).map(|i| edge(i as u16 * 4 / 5, 900_000 + i, 0));
    assert_eq!(check(&plain(ten)).len(), 2 + (10 * 23_usize).div_ceil(8));
    // Ordinals and data have their places in other blocks.
    let cell = check(&plain([edge(0, 1, 0), edge(0, 1, 1)]));
    assert!(!EdgeBlock::parse(&cell, 0..cell.len()).unwrap().is_joined());
}

#[test]
fn long_runs_are_delta_packed() {
    for len in each([127, 128, 129, 255, 256, 257, 1000]) {
        let cell = check(&plain((1..=len).map(|i| edge(2, 1_000_000 + 3 * i, 0))));
        assert!(EdgeBlock::parse(&cell, 0..cell.len()).unwrap().is_delta());
        assert!(cell.len() < 8 + 7 * (len as usize / 128 + 1) + len as usize / 4);
    }
    // Hubs of several labels: chunks end with their runs.
    let hubs = each(0..5)
        .flat_map(|label| (1..=200 + 77 * label).map(move |i| edge(label as u16, i * 9, 0)));
    check(&plain(hubs));
    check(&plain((1..=300).map(|i| edge(0, MAX_U48 - 300 + i, 0))));
}

#[test]
fn every_width_of_peers() {
    for width in each(1..=48) {
        let top = (1u64 << width) - 1;
        let few = [1, top / 2, top - 1, top];
        let mut peers: Vec<u64> = few.into_iter().filter(|peer| *peer > 0).collect();
        peers.sort_unstable();
        peers.dedup();
        check(&plain(peers.into_iter().map(|peer| edge(1, peer, 0))));
    }
}

#[test]
fn parallel_edges_have_ordinals() {
    check(&plain((0..100).map(|ordinal| edge(4, 17, ordinal))));
    check(&plain(
        (0..300).map(|ordinal| edge(4, 17, ordinal * 1_000_000)),
    ));
    check(&plain([edge(0, 1, 0), edge(0, 1, u32::MAX), edge(0, 2, 0)]));
}

#[test]
fn data_of_all_sorts() {
    let inline = |len: usize| Owned::Inline(vec![len as u8; len]);
    let mixed = [
        inline(0),
        inline(1),
        inline(63),
        inline(64),
        Owned::Blob(1),
        inline(500),
    ];
    let edges = mixed
        .into_iter()
        .enumerate()
        .map(|(i, data)| (edge(1, 10 + i as u64, 0), data));
    check(&edges.collect::<Vec<_>>());
    check(&[(edge(0, 1, 0), Owned::Blob(MAX_DATA_LEN))]);
    let tail = (0..200).map(|i| (edge(0, 1 + i, 0), inline(usize::from(i == 199))));
    check(&tail.collect::<Vec<_>>());
}

#[test]
fn blocks_that_claim_too_much_are_refused() {
    let parse = |bytes: &[u8]| EdgeBlock::parse(bytes, 0..bytes.len()).map(|block| block.len());
    assert!(parse(&[0, 0, 0]).is_err(), "no edges");
    assert!(parse(&[8, 1, 1, 0]).is_err(), "reserved flag");
    assert!(
        parse(&[0, 0xff, 0xff, 0xff, 0x7f, 0, 0xef, 0xff, 0xff, 0x7f, 0]).is_err(),
        "too many"
    );
    assert!(
        parse(&[0, 2, 2, 49, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err(),
        "too wide"
    );
    assert!(parse(&[0, 2, 1, 1, 3]).is_err(), "label 0 twice");
    assert!(
        parse(&[0, 2, 3, 1, 3]).is_err(),
        "more in runs than counted"
    );
    assert!(
        EdgeBlock::parse(&[0, 1, 1, 1, 1], 0..9).is_err(),
        "cell outside its page"
    );
    assert!(parse(&[8, 49, 1, 0, 0, 0, 0, 0, 0]).is_err(), "too wide");
    assert!(parse(&[0x38, 4, 1]).is_err(), "too narrow");
    assert!(parse(&[0x38, 17, 1]).is_err(), "not one whole edge");
    assert!(
        parse(&[0x38, 13, 1, 0, 0]).is_err(),
        "bytes beyond the edges"
    );
    assert!(parse(&[9, 8, 1]).is_err(), "joined with ordinals");
    // Two equal edges, as only a broken writer makes them.
    let twice = [0, 2, 2, 1, 3];
    assert!(EdgeBlock::parse(&twice, 0..5).unwrap().check().is_err());
}

#[test]
fn a_block_of_no_edges_is_no_bytes() {
    let builder = EdgeBlockBuilder::new();
    let mut out = vec![7];
    builder.encode(&mut out);
    assert_eq!((builder.size(), &out[..]), (0, &[7][..]));
}

#[test]
fn an_edge_that_does_not_fit_changes_nothing() {
    let samples = [
        (edge(1, 500, 0), &b""[..]),
        (edge(1, 500, 3), b""),
        (edge(9, 500, 0), b"data"),
    ];
    for (next, data) in samples {
        let mut builder = EdgeBlockBuilder::new();
        builder.push(edge(0, 40, 0), Data::EMPTY);
        let before = builder.size();
        let size = builder.size_with(next, data.len());
        assert!(!builder.push_within(next, Data::Inline(data), size - 1));
        assert_eq!((builder.size(), builder.len()), (before, 1));
        assert!(builder.push_within(next, Data::Inline(data), size));
        assert_eq!((builder.size(), builder.len()), (size, 2));
    }
}

#[test]
fn peers_beyond_48_bits_are_refused_and_give_nothing() {
    // Two edges packed as a difference: the greatest peer there is, and one more.
    let cell = [4, 2, 2, 255, 255, 255, 255, 255, 255, 1, 1];
    let block = EdgeBlock::parse(&cell, 0..cell.len()).unwrap();
    let (mut edges, mut peers) = (Vec::new(), vec![7]);
    assert!(block.decode_into(&mut edges).is_err() && edges.is_empty());
    assert!(block.peers_into(0..2, &mut peers).is_err() && peers == [7]);
    assert!(visit(&block, 0..2, 2).is_err() && visit(&block, 1..2, 1).is_err());
    assert_eq!(block.first(), Ok(edge(0, MAX_U48, 0)));
    assert!(block.last().is_err() && block.check().is_err());
}

#[test]
fn data_ends_where_it_breaks_a_rule() {
    let five = || Owned::Inline(vec![5; 5]);
    let mut cell = encode(&[(edge(1, 10, 0), five()), (edge(1, 11, 0), five())]);
    // The lengths stand before the data; the lowest bit of a length says that it is a blob.
    let tag = cell.len() - 2 * 5 - 2;
    assert_eq!(cell[tag..tag + 2], [10, 10]);
    cell[tag] |= 1;
    let block = EdgeBlock::parse(&cell, 0..cell.len()).unwrap();
    let data: Vec<_> = block.data_iter().unwrap().collect();
    assert!(data.len() == 1 && data[0].is_err());
}

/// Reading any bytes as a block ends in an error or in edges that are bounded by the bytes.
fn read_any(bytes: &[u8]) {
    let Ok(block) = EdgeBlock::parse(bytes, 0..bytes.len()) else {
        return;
    };
    let mut out = Vec::new();
    let mut peers = Vec::new();
    let read = block.peers_into(0..block.len(), &mut peers);
    assert!(read.is_ok() || peers.is_empty());
    if block.decode_into(&mut out).is_ok() {
        assert!(peers.iter().eq(out.iter().map(|edge| &edge.peer)));
        assert_eq!(out.len(), block.len());
        let told = visit(&block, 0..block.len(), usize::MAX).unwrap();
        assert!(told.iter().map(|(_, peer)| peer).eq(&peers));
        assert!(out.iter().all(|edge| edge.peer <= MAX_U48));
        assert!(out.is_sorted_by_key(|edge| edge.label));
    }
    assert!(block.len() <= 8 * bytes.len());
    let _ = (
        block.first(),
        block.last(),
        block.get(block.len() / 2),
        block.check(),
    );
    let _ = block.data(0);
    if let Ok(data) = block.data_iter() {
        assert!(data.count() <= block.len());
    }
}

#[test]
fn every_short_cell_is_read_without_a_panic() {
    // All cells of two bytes after the flags, and all of three with few values.
    for flags in each((0..16).chain([0x18, 0x38, 0xf8])) {
        for a in each(0..=255) {
            for b in each(0..=255) {
                read_any(&[flags, a, b]);
                read_any(&[flags, 1, a, b]);
                read_any(&[flags, 2, 2, a, b]);
            }
        }
    }
}

fn blocks() -> impl Strategy<Value = Vec<(BlockEdge, Owned)>> {
    let label = prop_oneof![0..3u16, 13..18u16, any::<u16>()];
    let peer = prop_oneof![1..300u64, 1_000_000..1_002_000u64, 1..=MAX_U48];
    let ordinal = prop_oneof![5 => Just(0u32), 1 => 0..4u32, 1 => any::<u32>()];
    let edges = prop_oneof![
        prop::collection::btree_set((label.clone(), peer.clone(), ordinal), 1..60),
        prop::collection::btree_set((Just(1u16), 1..5_000u64, Just(0u32)), 100..400),
        prop::collection::btree_set((label, peer, Just(0u32)), 1..300),
    ];
    let data = prop_oneof![
        6 => Just(Owned::Inline(vec![])),
        1 => prop::collection::vec(any::<u8>(), 0..100).prop_map(Owned::Inline),
        1 => (1..=MAX_DATA_LEN).prop_map(Owned::Blob),
    ];
    let data = prop_oneof![
        Just(vec![Owned::Inline(vec![])]),
        prop::collection::vec(data, 1..20)
    ];
    (edges, data).prop_map(|(edges, data)| {
        let data = data.into_iter().cycle();
        edges
            .into_iter()
            .map(|(l, p, o)| edge(l, p, o))
            .zip(data)
            .collect()
    })
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn blocks_round_trip(edges in blocks()) {
        check(&edges);
    }

    #[test]
    fn damaged_blocks_never_panic(edges in blocks(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut cell = encode(&edges);
        for (at, byte) in damage {
            let at = at.index(cell.len().min(40));
            cell[at] = byte;
        }
        read_any(&cell);
    }

    #[test]
    fn garbage_blocks_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 1..80), flags in prop_oneof![0..16u8, Just(0x38u8)]) {
        bytes[0] = flags;
        read_any(&bytes);
    }
}
