#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

use super::{Op, OpReader, OpWriter, TAGS};
use crate::format::testing::each;
use crate::format::{FormatError, Result};
use crate::ids::{EdgeKey, MAX_U48};

const TOTALS: Op<'static> = Op::Totals {
    next_node: 10,
    nodes: 3,
    edges: 4,
};

fn encode(ops: &[Op<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = OpWriter::new();
    ops.iter().for_each(|op| writer.put(&mut out, op));
    out
}

fn decode(payload: &[u8]) -> Result<Vec<Op<'_>>> {
    OpReader::new(payload).collect()
}

#[track_caller]
fn check(ops: &[Op<'_>]) {
    let payload = encode(ops);
    assert_eq!(decode(&payload).unwrap(), ops);
    for cut in each(0..payload.len()) {
        assert!(decode(&payload[..cut]).is_err(), "cut at {cut}");
    }
}

fn every_op() -> Vec<Op<'static>> {
    let key = EdgeKey {
        node: 5,
        label: 2,
        peer: 8,
        ordinal: 1,
    };
    vec![
        Op::DefineKind {
            id: 0,
            name: "person",
        },
        Op::DefineLabel {
            id: u16::MAX,
            name: "knows",
        },
        Op::PutNode {
            id: 5,
            kind: 0,
            name: "Ada",
            data: b"{}",
        },
        Op::DeleteNode { id: MAX_U48 },
        Op::PutEdge { key, data: b"" },
        Op::DeleteEdge {
            key: EdgeKey { node: 1, ..key },
        },
        Op::PutName { id: 5, name: "Ada" },
        Op::DropName { id: 6, name: "" },
        Op::PutKind { id: 5, kind: 0 },
        Op::DropKind { id: 6, kind: 1 },
        Op::PutAbsent {
            first: 1,
            len: MAX_U48,
            reserved: true,
        },
        Op::DropAbsent { first: 7 },
        TOTALS,
    ]
}

#[test]
fn every_operation_round_trips() {
    check(&every_op());
    check(&[TOTALS]);
    assert_eq!(every_op().len(), TAGS.len());
    for (op, (_, tag)) in every_op().iter().zip(TAGS) {
        assert_eq!(encode(&[*op])[0], *tag);
    }
}

#[test]
fn sources_are_relative() {
    let edge = |node| Op::PutEdge {
        key: EdgeKey {
            node,
            label: 0,
            peer: 1,
            ordinal: 0,
        },
        data: b"x",
    };
    check(&[edge(MAX_U48), edge(1), edge(MAX_U48), edge(MAX_U48), TOTALS]);
    assert_eq!(encode(&[edge(1_000_000), edge(1_000_001)]).len(), 9 + 7);
}

#[test]
fn payloads_that_break_rules_are_refused() {
    let error = |payload: &[u8]| decode(payload).unwrap_err();
    assert_eq!(error(&[]), FormatError("commit ends without its totals"));
    assert_eq!(
        error(&encode(&[TOTALS, TOTALS])),
        FormatError("operations after the totals")
    );
    assert_eq!(error(&[0]), FormatError("unknown operation"));
    assert_eq!(error(&[14]), FormatError("unknown operation"));
    assert_eq!(error(&[4, 0]), FormatError("node id is 0"));
    assert_eq!(
        error(&[1, 0, 0]),
        FormatError("the name of a kind or label is empty")
    );
    assert_eq!(error(&[7, 1, 1, 0xff]), FormatError("name is not UTF-8"));
    assert_eq!(
        error(&[6, 1, 0, 1, 0]),
        FormatError("the source of an edge is no node id")
    );
    assert_eq!(
        error(&[6, 0, 0, 1, 0]),
        FormatError("the source of an edge is no node id")
    );
    assert_eq!(error(&[11, 1, 0]), FormatError("a run of no absent ids"));
    assert_eq!(
        error(&[13, 3, 3, 0]),
        FormatError("more nodes than ids issued")
    );
    let mut r = OpReader::new(&[4, 1, 0, 4, 1]);
    assert!(r.next().unwrap().is_ok());
    assert!(r.next().unwrap().is_err());
    assert!(r.next().is_none(), "ends after an error");
}

type Raw = (u8, u64, u16, u64, String, Vec<u8>);

fn build((tag, id, small, peer, name, data): &Raw) -> Op<'_> {
    let (id, small, peer) = (*id, *small, *peer);
    let key = EdgeKey {
        node: id,
        label: small,
        peer,
        ordinal: peer as u32,
    };
    match tag {
        1 => Op::DefineKind { id: small, name },
        2 => Op::DefineLabel { id: small, name },
        3 => Op::PutNode {
            id,
            kind: small,
            name,
            data,
        },
        4 => Op::DeleteNode { id },
        5 => Op::PutEdge { key, data },
        6 => Op::DeleteEdge { key },
        7 => Op::PutName { id, name },
        8 => Op::DropName { id, name },
        9 => Op::PutKind { id, kind: small },
        10 => Op::DropKind { id, kind: small },
        11 => Op::PutAbsent {
            first: id,
            len: 1,
            reserved: small % 2 == 0,
        },
        _ => Op::DropAbsent { first: id },
    }
}

fn ops() -> impl Strategy<Value = Vec<Raw>> {
    let id = prop_oneof![1..50u64, 1..=MAX_U48];
    let op = (
        1..=12u8,
        id.clone(),
        any::<u16>(),
        id,
        "[a-zß]{1,9}",
        any::<Vec<u8>>(),
    );
    prop::collection::vec(op, 0..40)
}

proptest! {
    #[test]
    fn any_operations_round_trip(ops in ops()) {
        let mut built: Vec<Op<'_>> = ops.iter().map(build).collect();
        built.push(TOTALS);
        check(&built);
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(prop_oneof![0..14u8, any::<u8>()], 0..60)) {
        if let Ok(ops) = decode(&bytes) {
            prop_assert_eq!(encode(&ops), bytes);
        }
    }
}
