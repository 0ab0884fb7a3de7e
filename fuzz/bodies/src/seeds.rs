//! The committed corpus: inputs that reach the accepting branch of everything there is to accept.

mod images;
mod pages;
mod sessions;
mod texts;

use vellum::format::header::SLOT_LEN;
use vellum::format::log::SEGMENT_HEADER_LEN;

use crate::{adjacency_block, edits, inspect, samples, wal};

/// An input to start from.
#[derive(Clone, Debug)]
pub struct Seed {
    /// The target it is for.
    pub target: &'static str,
    /// Its file's name.
    pub name: String,
    /// The input.
    pub input: Vec<u8>,
}

/// Every seed, the same ones on every machine.
pub fn all() -> Vec<Seed> {
    let mut seeds = Seeds::default();
    pages::add(&mut seeds);
    add_headers(&mut seeds);
    add_logs(&mut seeds);
    add_blocks(&mut seeds);
    images::add(&mut seeds);
    sessions::add(&mut seeds);
    texts::add(&mut seeds);
    add_inspections(&mut seeds);
    seeds.0
}

#[derive(Default)]
struct Seeds(Vec<Seed>);

impl Seeds {
    fn add(&mut self, target: &'static str, name: impl Into<String>, input: Vec<u8>) {
        let name = name.into();
        self.0.push(Seed {
            target,
            name,
            input,
        });
    }

    /// An input that is a first byte, then changes.
    fn add_edits(&mut self, target: &'static str, name: &str, form: u8, changes: &[(u32, u8)]) {
        let mut input = vec![form];
        edits::write(changes, &mut input);
        self.add(target, name, input);
    }
}

/// Some of the images that are opened are looked at too, and again with their checksums repaired; all
/// that are arbitrary bytes are.
fn add_inspections(seeds: &mut Seeds) {
    let images: Vec<Seed> = seeds
        .0
        .iter()
        .filter(|seed| seed.target == "open_image")
        .enumerate()
        .filter(|(number, seed)| number % 3 == 0 || seed.input.first() == Some(&0))
        .map(|(_, seed)| seed.clone())
        .collect();
    for image in images {
        let mut resealed = image.input.clone();
        if let Some(form) = resealed.first_mut().filter(|form| **form > 0) {
            *form += inspect::RESEALED;
            seeds.add("inspect", format!("resealed-{}", image.name), resealed);
        }
        seeds.add("inspect", image.name, image.input);
    }
}

fn add_headers(seeds: &mut Seeds) {
    for variant in 0..10 {
        let slot = samples::header(variant).encode();
        seeds.add(
            "header",
            format!("slot-{variant}"),
            [&[0], &slot[..]].concat(),
        );
    }
    let slot = samples::header(1).encode();
    seeds.add("header", "short", [&[0], &slot[..SLOT_LEN - 1]].concat());
    seeds.add("header", "foreign", b"\0SQLite format 3\0".to_vec());
    seeds.add_edits("header", "damaged", 4, &[(40, 1)]);
    seeds.add_edits("header", "other-count", 5, &[(64, 1)]);
    seeds.add_edits("header", "no-such-page-size", 5, &[(10, 8)]);
    seeds.add_edits("header", "newer-version", 5, &[(8, 2)]);
    seeds.add_edits("header", "last-sequence", 5, &[(39, 0xff)]);
}

fn add_logs(seeds: &mut Seeds) {
    let log = samples::log();
    let half = samples::SEGMENT_BYTES;
    let record = half + SEGMENT_HEADER_LEN as u32;
    // The first generation alone, so that the file is small.
    let mut short = log.bytes.clone();
    short[..SEGMENT_HEADER_LEN].fill(0);
    let used = short.iter().rposition(|byte| *byte != 0).unwrap_or(0) + 1;
    short.truncate(used);
    seeds.add("wal", "one-segment", wal::raw_input(log.start(), &short));
    seeds.add("wal", "no-segment", wal::raw_input(log.start(), &[]));
    seeds.add_edits("wal", "two-segments", 1, &[]);
    seeds.add_edits("wal", "two-segments-resealed", 2, &[]);
    seeds.add_edits("wal", "one-bit", 1, &[(record + 50, 4)]);
    seeds.add_edits("wal", "two-bits", 1, &[(record + 50, 5)]);
    seeds.add_edits("wal", "segment-header", 1, &[(half + 40, 1)]);
    seeds.add_edits("wal", "no-second-segment", 1, &[(0, 1)]);
    seeds.add_edits(
        "wal",
        "torn-tail",
        1,
        &[(SEGMENT_HEADER_LEN as u32 + 560, 3)],
    );
    let last = log.last_record();
    seeds.add_edits("wal", "torn-last", 1, &[(last + 41, 3)]);
    seeds.add_edits("wal", "unknown-operation", 2, &[(record + 40, 0x40)]);
    seeds.add_edits("wal", "unknown-kind", 2, &[(record + 4, 8)]);
    seeds.add_edits("wal", "huge-length", 2, &[(record + 3, 0x80)]);
    let high = |at| (record + at + 7, 0xff);
    seeds.add_edits("wal", "far-position", 2, &[high(8)]);
}

fn add_blocks(seeds: &mut Seeds) {
    const TARGET: &str = "adjacency_block";
    let (near, far, again, label) = (0, 1 << 30, 2 << 30, 3 << 30);
    let lists: [(&str, Vec<(u32, u8)>); 8] = [
        ("one", vec![(near + 5, 0)]),
        ("near", (0..200).map(|i| (near + i % 5, 0)).collect()),
        ("far", (0..20).map(|i| (far + i, 0)).collect()),
        ("parallel", (0..20).map(|i| (again + i, 0)).collect()),
        ("labels", (0..20).map(|i| (label + i, 0)).collect()),
        ("data", (0..20).map(|i| (near + i, i as u8)).collect()),
        (
            "blobs",
            (0..20).map(|i| (near + i, 120 + i as u8)).collect(),
        ),
        (
            "mixed",
            (0..60)
                .map(|i| (((i % 4) << 30) + i % 7, i as u8 * 4))
                .collect(),
        ),
    ];
    for (name, steps) in &lists {
        let input = adjacency_block::list_input(steps);
        let block = adjacency_block::encoded(&input);
        seeds.add(TARGET, format!("list-{name}"), input);
        seeds.add(
            TARGET,
            format!("block-{name}"),
            adjacency_block::raw_input(&block),
        );
    }
    seeds.add(TARGET, "list-none", vec![1]);
    seeds.add(TARGET, "block-none", vec![0]);
    seeds.add(TARGET, "block-reserved-flag", vec![0, 16, 1]);
    seeds.add(TARGET, "block-joined-with-data", vec![0, 10, 8, 1]);
    seeds.add(TARGET, "block-too-many", vec![0, 0, 0xff, 0xff, 3, 0]);
}
