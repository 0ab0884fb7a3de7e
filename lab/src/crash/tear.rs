//! Torn writes: any part of one may reach the disk, and what stands in the rest is anybody's guess.

use vellum::storage::sim::{Change, Disk};

use super::choice::{Bits, Fill, Tear};
use super::walk::Pending;
use crate::random::Random;

const SECTOR: usize = 512;
const PAGE: u64 = 4096;
/// What is no larger than a sector, header slots above all, is torn at every eighth byte: nothing says
/// that a medium keeps sectors whole.
const SMALL_STEP: usize = 8;
/// All masks of this many parts are made; of larger writes cuts, single parts, and some at random.
const MASKED_PARTS: usize = 8;

/// Where the parts of a write begin and end, relative to its start. Sectors are those of the file.
fn parts(offset: u64, len: usize) -> Vec<(usize, usize)> {
    let step = if len <= SECTOR { SMALL_STEP } else { SECTOR };
    let first = step - (offset % step as u64) as usize;
    let mut parts = Vec::with_capacity(len / step + 2);
    let (mut start, mut end) = (0, first.min(len));
    while start < len {
        parts.push((start, end));
        (start, end) = (end, (end + step).min(len));
    }
    parts
}

/// Whether a write is one of whole pages.
pub(crate) fn is_pages(change: &Change) -> bool {
    let whole = |bytes: u64| bytes.is_multiple_of(PAGE);
    matches!(change, Change::Write { offset, data, .. } if whole(*offset) && whole(data.len() as u64))
}

/// The ways in which a write may be torn, at most so many of them, the same for the same seed.
pub(crate) fn ways(
    change: &Change,
    most: usize,
    fills: &[Fill],
    random: &mut Random,
) -> Vec<(Bits, Fill)> {
    let Change::Write { offset, data, .. } = change else {
        return Vec::new();
    };
    let count = parts(*offset, data.len()).len();
    let mut ways = Vec::new();
    for mask in masks(count, most, random) {
        // Nothing of the new bytes and all of the old ones is a lost write, not a torn one.
        let nothing = mask.count() == 0;
        ways.extend(
            fills
                .iter()
                .copied()
                .filter(|fill| !nothing || *fill != Fill::Old)
                .map(|fill| (mask.clone(), fill)),
        );
    }
    while ways.len() > most {
        let one = random.below(u32::try_from(ways.len()).unwrap_or(u32::MAX));
        ways.swap_remove(one as usize);
    }
    ways
}

fn masks(count: usize, most: usize, random: &mut Random) -> Vec<Bits> {
    if count <= MASKED_PARTS {
        return (0..(1u64 << count) - 1)
            .map(|mask| Bits::of(count, |i| mask >> i & 1 == 1))
            .collect();
    }
    let mut masks = vec![Bits::of(count, |_| false)];
    for cut in 1..count {
        masks.push(Bits::of(count, |i| i < cut));
        masks.push(Bits::of(count, |i| i >= cut));
    }
    for one in 0..count {
        masks.push(Bits::of(count, |i| i == one));
        masks.push(Bits::of(count, |i| i != one));
    }
    for _ in masks.len()..most / Fill::ALL.len() {
        let words: Vec<u32> = (0..count.div_ceil(32)).map(|_| random.next_u32()).collect();
        masks.push(Bits::of(count, |i| words[i / 32] >> (i % 32) & 1 == 1));
    }
    masks
}

/// Writes what the tear lets through. Garbage depends on the seed, the event and the part alone, so
/// that a state can be made again.
pub(crate) fn apply(disk: &mut Disk, pending: &Pending, tear: &Tear, seed: u64) {
    let Change::Write { file, offset, data } = &pending.change else {
        return;
    };
    let mut torn = data.to_vec();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    let stream = u64::from(u32::MAX) + pending.event as u64;
    let mut garbage = (tear.fill == Fill::Garbage).then(|| Random::new(seed, stream));
    for (index, (start, end)) in parts(*offset, data.len()).into_iter().enumerate() {
        if !tear.parts.contains(index) {
            match &mut garbage {
                Some(random) => garble(&mut torn[start..end], random),
                None => torn[start..end].fill(0),
            }
            if tear.fill == Fill::Old {
                continue;
            }
        }
        match runs.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => runs.push((start, end)),
        }
    }
    for (start, end) in runs {
        disk.apply(&Change::Write {
            file: *file,
            offset: offset + start as u64,
            data: torn[start..end].into(),
        });
    }
}

fn garble(bytes: &mut [u8], random: &mut Random) {
    for word in bytes.chunks_mut(4) {
        let noise = random.next_u32().to_le_bytes();
        word.copy_from_slice(&noise[..word.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_are_those_of_the_file() {
        assert_eq!(parts(0, 1024), [(0, 512), (512, 1024)]);
        assert_eq!(parts(1000, 600), [(0, 24), (24, 536), (536, 600)]);
        assert_eq!(parts(96, 20), [(0, 8), (8, 16), (16, 20)]);
        assert_eq!(parts(8, 0), []);
    }

    #[test]
    fn a_page_is_torn_in_every_way() {
        let change = Change::Write {
            file: 0,
            offset: 8192,
            data: vec![7; 4096].into(),
        };
        let mut random = Random::new(1, 1);
        // 254 masks with three fills, and nothing of it over zeros or garbage.
        assert_eq!(
            ways(&change, usize::MAX, &Fill::ALL, &mut random).len(),
            254 * 3 + 2
        );
        assert_eq!(ways(&change, 10, &Fill::ALL, &mut random).len(), 10);
    }
}
