#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

use super::{BlobRef, Data, NodeCell};
use crate::format::limits::MAX_DATA_LEN;
use crate::format::testing::{each, place};

#[track_caller]
fn check(cell: NodeCell<'_>) {
    let mut out = Vec::new();
    cell.encode(&mut out);
    assert_eq!(out.len(), cell.encoded_len());
    assert_eq!(NodeCell::decode(&out), Ok(cell));
    let data = if cell.data.is_blob() {
        0
    } else {
        cell.data.stored_len()
    };
    for cut in each(0..out.len() - data) {
        assert!(NodeCell::decode(&out[..cut]).is_err());
    }
}

#[test]
fn cells_round_trip() {
    check(NodeCell {
        kind: 0,
        name: "",
        data: Data::EMPTY,
    });
    check(NodeCell {
        kind: u16::MAX,
        name: &"n".repeat(1024),
        data: Data::Inline(b"{}"),
    });
    for len in [1, 127, 128, MAX_DATA_LEN] {
        let blob = Data::Blob(BlobRef {
            index: place(),
            len,
        });
        assert_eq!(blob.len(), len);
        check(NodeCell {
            kind: 63,
            name: "ünï",
            data: blob,
        });
        check(NodeCell {
            kind: 64,
            name: "ünï",
            data: blob,
        });
    }
}

#[test]
fn cells_out_of_range_are_refused() {
    let refused = |bytes: &[u8], rule| assert_eq!(NodeCell::decode(bytes).unwrap_err().0, rule);
    refused(&[0x80, 0x80, 0x08, 0], "node kind out of range");
    refused(&[0, 0x81, 0x08], "node name too long");
    refused(&[0, 2, 0xff, 0xff], "node name is not UTF-8");
    refused(
        &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        "a blob refers to no page",
    );
    refused(
        &[1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        "a blob is empty",
    );
    refused(
        &[1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1],
        "bytes left over after the last field",
    );
}

proptest! {
    #[test]
    fn any_cell_round_trips(kind in any::<u16>(), name in ".{0,60}", data in prop::collection::vec(any::<u8>(), 0..60)) {
        check(NodeCell { kind, name: &name, data: Data::Inline(&data) });
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(cell) = NodeCell::decode(&bytes) {
            let mut out = Vec::new();
            cell.encode(&mut out);
            prop_assert_eq!(out, bytes);
        }
    }
}
