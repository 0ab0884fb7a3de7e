//! Damages, by a seed.

use std::ops::Range;

use crate::random::Random;

const PAGE: usize = 4096;

/// What was done to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Flips,
    Zeros,
    Swaps,
    Truncation,
    Garbage,
    OneSlot,
    BothSlots,
    Everything,
    Log,
}

impl Kind {
    const ALL: [Kind; 8] = [
        Kind::Flips,
        Kind::Zeros,
        Kind::Swaps,
        Kind::Truncation,
        Kind::Garbage,
        Kind::OneSlot,
        Kind::BothSlots,
        Kind::Everything,
    ];

    pub(super) fn said(self) -> &'static str {
        match self {
            Kind::Flips => "1 to 40 bits flipped",
            Kind::Zeros => "1 to 40 pages zeroed",
            Kind::Swaps => "1 to 20 pairs of pages swapped",
            Kind::Truncation => "cut off anywhere",
            Kind::Garbage => "1 to 8 runs of up to 64 KiB of garbage",
            Kind::OneSlot => "one header slot destroyed, and pages",
            Kind::BothSlots => "both header slots destroyed, and pages",
            Kind::Everything => "several of these",
            Kind::Log => "the log: bits, zeros or garbage",
        }
    }
}

/// A damaged copy.
pub(super) fn damage(seed: u64, bytes: &[u8]) -> (Kind, Vec<u8>) {
    let mut random = Random::new(seed, 77);
    // The low bits of the seed choose the original and the thread.
    let kind = Kind::ALL[(seed / 4) as usize % Kind::ALL.len()];
    let mut out = bytes.to_vec();
    match kind {
        Kind::Flips => flips(&mut out, &mut random),
        Kind::Zeros => zeros(&mut out, &mut random),
        Kind::Swaps => swaps(&mut out, &mut random),
        Kind::Truncation => truncate(&mut out, &mut random),
        Kind::Garbage => garbage(&mut out, &mut random),
        Kind::OneSlot => {
            let slot = random.below(2) as usize;
            destroy_slot(&mut out, slot, &mut random);
            pages(&mut out, &mut random);
        }
        Kind::BothSlots => {
            destroy_slot(&mut out, 0, &mut random);
            destroy_slot(&mut out, 1, &mut random);
            if random.below(2) == 0 {
                pages(&mut out, &mut random);
            }
        }
        Kind::Everything => {
            for _ in 0..2 + random.below(3) {
                pages(&mut out, &mut random);
            }
            if random.below(4) == 0 {
                truncate(&mut out, &mut random);
            }
            if random.below(3) == 0 {
                let slot = random.below(2) as usize;
                destroy_slot(&mut out, slot, &mut random);
            }
        }
        Kind::Log => unreachable!("a damage of the other file"),
    }
    (kind, out)
}

/// A log damaged within these bytes, or in the header of its segment.
pub(super) fn damage_log(seed: u64, log: &[u8], records: Range<usize>) -> Vec<u8> {
    let mut random = Random::new(seed, 78);
    let mut out = log.to_vec();
    match random.below(4) {
        0 => {
            for _ in 0..1 + random.below(12) {
                let at = records.start + place(&mut random, records.len());
                out[at] ^= 1 << random.below(8);
            }
        }
        1 => out[place(&mut random, 128)] ^= 1 << random.below(8),
        what => {
            for _ in 0..1 + random.below(3) {
                let at = records.start + place(&mut random, records.len());
                let len = (1 + place(&mut random, 600)).min(records.end - at);
                for byte in &mut out[at..at + len] {
                    *byte = if what == 2 {
                        0
                    } else {
                        random.next_u32() as u8
                    };
                }
            }
        }
    }
    out
}

fn pages(out: &mut [u8], random: &mut Random) {
    match random.below(4) {
        0 => flips(out, random),
        1 => zeros(out, random),
        2 => swaps(out, random),
        _ => garbage(out, random),
    }
}

fn place(random: &mut Random, bound: usize) -> usize {
    random.below(bound as u32) as usize
}

fn flips(out: &mut [u8], random: &mut Random) {
    for _ in 0..1 + random.below(40) {
        let at = place(random, out.len());
        out[at] ^= 1 << random.below(8);
    }
}

fn zeros(out: &mut [u8], random: &mut Random) {
    for _ in 0..1 + random.below(40) {
        let page = 2 + place(random, out.len() / PAGE - 2);
        out[page * PAGE..][..PAGE].fill(0);
    }
}

fn swaps(out: &mut [u8], random: &mut Random) {
    for _ in 0..1 + random.below(20) {
        let (a, b) = (
            2 + place(random, out.len() / PAGE - 2),
            2 + place(random, out.len() / PAGE - 2),
        );
        for i in 0..PAGE {
            out.swap(a * PAGE + i, b * PAGE + i);
        }
    }
}

fn truncate(out: &mut Vec<u8>, random: &mut Random) {
    out.truncate(place(random, out.len()));
}

fn garbage(out: &mut [u8], random: &mut Random) {
    for _ in 0..1 + random.below(8) {
        let at = place(random, out.len());
        let len = 1 + place(random, 65_536);
        for byte in out.iter_mut().skip(at).take(len) {
            *byte = random.next_u32() as u8;
        }
    }
}

fn destroy_slot(out: &mut [u8], slot: usize, random: &mut Random) {
    let zero = random.below(2) == 0;
    for byte in &mut out[slot * 4096..][..512] {
        *byte = if zero { 0 } else { random.next_u32() as u8 };
    }
}
