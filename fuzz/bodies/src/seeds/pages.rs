//! A page of every kind, key space, level and mode.

use vellum::format::blob::{self, Extent};
use vellum::format::edges::{BlockEdge, EdgeBlockBuilder};
use vellum::format::freelist::{self, Run};
use vellum::format::names::NamesBuilder;
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::{HEADER_LEN, TRAILER_LEN, put_ref};
use vellum::format::sorted::{Mode, SortedBuilder, least_separator};
use vellum::format::varint;
use vellum::{KeySpace, PageRef};

use super::Seeds;
use crate::page_unpack::{Start, sealed};

const TARGET: &str = "page_unpack";
const SIZE: usize = 4096;

pub(super) fn add(seeds: &mut Seeds) {
    for space in KeySpace::ALL {
        if space != KeySpace::Names {
            add_leaves(seeds, space);
        }
        add_branches(seeds, space);
    }
    let reference = PageRef::new(5, 6);
    let extents = [(8, 2), (20, 1)].map(|(page, pages)| Extent {
        page,
        pages,
        birth: 9,
    });
    let runs = [(3, 4), (9, 1), (1 << 30, 70)].map(|(first, len)| Run { first, len });
    add_page(seeds, "names", &names(40));
    add_page(
        seeds,
        "blob-index",
        &blob::encode_index(SIZE, 9_000, reference, &extents),
    );
    add_page(seeds, "blob-data", &blob::encode_data(SIZE, b"some data"));
    let free = freelist::encode(SIZE, reference, &mut runs.into_iter().peekable());
    add_page(seeds, "freelist", &free);
    add_page(
        seeds,
        "freelist-empty",
        &freelist::encode(SIZE, None, &mut [].into_iter().peekable()),
    );
    seeds.add(TARGET, "raw-names", raw(&names(3)));
    seeds.add(TARGET, "raw-short", vec![1; 20]);
    seeds.add(
        TARGET,
        "unknown-kind",
        Start {
            kind: 9,
            ..Start::default()
        }
        .input(&[]),
    );
}

/// A leaf of consecutive keys, one of spread keys, and for the dictionary one of names.
fn add_leaves(seeds: &mut Seeds, space: KeySpace) {
    let lists: [(&str, &[u64]); 3] = [
        ("direct", &[70, 71, 73]),
        ("fixed", &[70, 80_000, 9_000_000]),
        ("wide", &[70, 1 << 33, 1 << 45]),
    ];
    for (name, ids) in lists {
        let mut builder = SortedBuilder::new(SIZE, space, 0);
        for id in ids {
            builder.push(&id.to_be_bytes()[2..], &value(space, *id));
        }
        add_page(seeds, &format!("{space}-leaf-{name}"), &builder.finish());
    }
    if space == KeySpace::Dictionary {
        let mut builder = SortedBuilder::new(SIZE, space, 0);
        for key in [&b"\0\0\x01"[..], b"\x01\0\x01", b"\x02kind", b"\x03label"] {
            builder.push(key, b"\0\x01");
        }
        add_page(seeds, "dictionary-leaf-variable", &builder.finish());
    }
}

/// A branch of keys of one length, and one of separators that cut within a node or a name.
fn add_branches(seeds: &mut Seeds, space: KeySpace) {
    let (mut child, mut builder) = (Vec::new(), SortedBuilder::new(SIZE, space, 1));
    put_ref(&mut child, PageRef::new(12, 34));
    for id in [0u64, 70, 80_000] {
        builder.push(&id.to_be_bytes()[2..], &child);
    }
    add_page(seeds, &format!("{space}-branch-fixed"), &builder.finish());
    builder.push(least_separator(space), &child);
    builder.push(b"\0\0\0\0\0\x07", &child);
    builder.push(b"\0\0\0\0\0\x07\0\x01peer", &child);
    let variable = builder.finish();
    add_page(seeds, &format!("{space}-branch-variable"), &variable);
    if space == KeySpace::Out {
        add_mode(seeds, variable);
    }
}

/// A branch may not be in direct mode: the refusing side of a rule.
fn add_mode(seeds: &mut Seeds, mut branch: Box<[u8]>) {
    branch[3] = Mode::Direct as u8;
    add_page(seeds, "branch-direct", &branch);
}

fn value(space: KeySpace, id: u64) -> Vec<u8> {
    let mut out = Vec::new();
    match space {
        KeySpace::Nodes => NodeCell {
            kind: 3,
            name: "a name",
            data: Data::Inline(b"data"),
        }
        .encode(&mut out),
        KeySpace::Out | KeySpace::In | KeySpace::Kinds => {
            let mut block = EdgeBlockBuilder::new();
            for peer in [id, id + 1] {
                let edge = BlockEdge {
                    label: 0,
                    peer,
                    ordinal: 0,
                };
                block.push(edge, Data::EMPTY);
            }
            block.encode(&mut out);
        }
        _ => varint::put(&mut out, 2 * id),
    }
    out
}

fn names(count: u64) -> Box<[u8]> {
    let mut builder = NamesBuilder::new(SIZE);
    for id in 1..=count {
        builder.push(format!("name-{id:04}").as_bytes(), id);
    }
    builder.finish()
}

/// The page as the structured input takes it.
fn add_page(seeds: &mut Seeds, name: &str, image: &[u8]) {
    let number = |at| u16::from_le_bytes([image[at], image[at + 1]]);
    let start = Start {
        form: 0,
        kind: image[0],
        space: image[1],
        level: image[2],
        flags: image[3],
        count: number(4),
        prefix_len: number(6),
        extra: number(14),
    };
    let body = &image[HEADER_LEN..SIZE - TRAILER_LEN];
    let used = body
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    seeds.add(TARGET, name, start.input(&body[..used]));
}

/// The page whole, checksum and all.
fn raw(image: &[u8]) -> Vec<u8> {
    let start = Start {
        form: 1,
        ..Start::default()
    };
    start.input(&sealed(image.into()))
}
