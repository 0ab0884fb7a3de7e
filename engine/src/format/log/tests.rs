#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

use super::{
    Record, RecordHeader, RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, decode_record,
    encode_record, record_len, repair_one_bit,
};
use crate::format::FormatError;
use crate::format::checksum::crc;
use crate::format::header::{Header, Root};
use crate::format::testing::each;

fn segment() -> SegmentHeader {
    SegmentHeader {
        file_id: *b"0123456789abcdef",
        generation: 4,
        salt: 0x5a17,
        base: 4096,
        previous_chain: 99,
    }
}

fn commit(position: u64) -> RecordHeader {
    let kind = RecordKind::Commit;
    RecordHeader {
        kind,
        position,
        durable_to: position - 8,
        commit: 12,
        chain: 77,
    }
}

fn record(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let checksum = encode_record(&mut out, &segment(), &commit(4096), payload);
    assert_eq!(out.len(), record_len(payload.len()));
    assert_eq!(out[out.len() - 8..], checksum.to_le_bytes());
    out
}

/// Replaces bytes and makes the checksum fit.
fn patched(mut bytes: Vec<u8>, at: usize, patch: &[u8]) -> Vec<u8> {
    bytes[at..at + patch.len()].copy_from_slice(patch);
    let len = bytes.len() - 8;
    let segment = segment();
    let checksum = crc(&[
        &segment.salt.to_le_bytes(),
        &segment.generation.to_le_bytes(),
        &bytes[..len],
    ]);
    bytes[len..].copy_from_slice(&checksum.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Result<Record<'_>, FormatError> {
    decode_record(bytes, &segment(), 4096)
}

#[test]
fn segment_headers_round_trip() {
    let bytes = segment().encode();
    assert_eq!(SegmentHeader::decode(&bytes), Ok(segment()));
    assert_eq!(bytes[120..], segment().checksum().to_le_bytes());
    for cut in each(0..SEGMENT_HEADER_LEN) {
        assert!(SegmentHeader::decode(&bytes[..cut]).is_err());
    }
    for bit in each(0..8 * SEGMENT_HEADER_LEN) {
        let mut bytes = bytes;
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(SegmentHeader::decode(&bytes).is_err(), "bit {bit}");
    }
    assert!(
        SegmentHeader::decode(
            &SegmentHeader {
                generation: 0,
                ..segment()
            }
            .encode()
        )
        .is_err()
    );
    assert!(SegmentHeader::decode(&[0; 128]).is_err());
}

#[test]
fn records_round_trip() {
    for len in [0, 1, 7, 8, 9, 1000] {
        let payload = vec![0xab; len];
        let mut bytes = record(&payload);
        let len = bytes.len();
        bytes.extend_from_slice(&[0xcd; 100]);
        let record = decode(&bytes).unwrap();
        assert_eq!(
            (record.payload, record.header, record.len),
            (&payload[..], commit(4096), len)
        );
        assert_eq!(record.end(), 4096 + len as u64);
        for cut in each(0..len) {
            assert!(decode(&bytes[..cut]).is_err());
        }
        assert!(decode_record(&bytes, &segment(), 4104).is_err());
        let other = SegmentHeader {
            salt: 1,
            ..segment()
        };
        assert!(decode_record(&bytes, &other, 4096).is_err());
        let other = SegmentHeader {
            generation: 5,
            ..segment()
        };
        assert!(decode_record(&bytes, &other, 4096).is_err());
    }
    assert!(
        decode(&[0; 4096]).is_err(),
        "space written ahead is no record"
    );
}

#[test]
fn fields_out_of_range_are_refused() {
    let sound = record(b"payload");
    let refused = |at, patch: &[u8], rule| {
        assert_eq!(
            decode(&patched(sound.clone(), at, patch)).unwrap_err().0,
            rule
        );
    };
    refused(0, &[40], "record length is wrong");
    refused(0, &[57], "record length is wrong");
    refused(0, &[64], "record exceeds its segment");
    refused(4, &[0], "unknown record kind");
    refused(4, &[2], "root record does not hold a header");
    refused(5, &[2], "reserved bytes are not zero");
    refused(5, &[8], "record padding too long");
    refused(6, &[1], "reserved bytes are not zero");
    refused(8, &[8], "record stands at another position");
    refused(
        16,
        &[1, 16],
        "record claims that what follows it was durable",
    );
    refused(47, &[1], "reserved bytes are not zero");
}

#[test]
fn root_records_hold_the_state_at_their_end() {
    let mut state = Header {
        page_size: 4096,
        name_index: false,
        unique_edges: true,
        log_segment_bytes: 1 << 20,
        file_id: segment().file_id,
        sequence: 9,
        birth_limit: 100,
        page_count: 10,
        next_node: 1,
        node_count: 0,
        edge_count: 0,
        commit: 12,
        log_generation: 4,
        log_position: 4096 + record_len(512) as u64,
        log_chain: 0,
        kind_count: 0,
        label_count: 0,
        freelist: None,
        free_pages: 0,
        roots: [Root::default(); 7],
    };
    let header = RecordHeader {
        kind: RecordKind::Root,
        ..commit(4096)
    };
    let encode = |state: &Header| {
        let mut out = Vec::new();
        encode_record(&mut out, &segment(), &header, &state.encode());
        out
    };
    let bytes = encode(&state);
    assert_eq!(
        Header::decode(decode(&bytes).unwrap().payload),
        Ok(state.clone())
    );
    assert_eq!(
        decode(&patched(bytes, 100, &[9])).unwrap_err().0,
        "root record holds a damaged header"
    );
    state.log_position += 8;
    assert!(decode(&encode(&state)).is_err());
}

#[test]
fn any_one_flipped_bit_is_repaired() {
    for payload in [&b""[..], b"payload", &[3; 200]] {
        let sound = record(payload);
        let segment_end = [&sound[..], &[0x11; 300]].concat();
        assert_eq!(
            repair_one_bit(&segment_end, &segment(), 4096),
            None,
            "nothing to mend"
        );
        for bit in each(0..8 * sound.len()) {
            let mut bytes = segment_end.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bytes).is_err());
            let repaired = repair_one_bit(&bytes, &segment(), 4096);
            assert_eq!(repaired, Some((bit, sound.clone())), "bit {bit}");
        }
    }
}

#[test]
fn more_damage_than_a_bit_is_not_repaired() {
    let sound = record(b"payload of some length");
    for bit in each(0..8 * sound.len() - 9) {
        let mut bytes = sound.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes[(bit + 9) / 8] ^= 1 << ((bit + 9) % 8);
        assert_eq!(repair_one_bit(&bytes, &segment(), 4096), None);
    }
    assert_eq!(repair_one_bit(&[], &segment(), 0), None);
    assert_eq!(repair_one_bit(&[0; 500], &segment(), 0), None);
    // The flip that makes the checksum fit must make a record of this place.
    let mut elsewhere = record(b"payload");
    elsewhere[41] ^= 1;
    assert_eq!(repair_one_bit(&elsewhere, &segment(), 4104), None);
}

proptest! {
    #[test]
    fn garbage_is_no_record(mut bytes in prop::collection::vec(any::<u8>(), 0..200), len in 0..30u8) {
        prop_assert!(decode(&bytes).is_err());
        if bytes.len() >= 4 {
            bytes[..4].copy_from_slice(&[len * 8, 0, 0, 0]);
            prop_assert!(decode(&bytes).is_err());
            prop_assert_eq!(repair_one_bit(&bytes, &segment(), 4096), None);
        }
        prop_assert!(SegmentHeader::decode(&bytes).is_err());
    }

    #[test]
    fn sealed_garbage_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 56..200)) {
        bytes.truncate(bytes.len() / 8 * 8);
        let len = bytes.len() as u32;
        let bytes = patched(bytes, 0, &len.to_le_bytes());
        let fields = patched(bytes.clone(), 4, &[1, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0]);
        prop_assert!(decode(&bytes).is_ok() || decode(&fields).is_ok() || decode(&fields).is_err());
    }
}
