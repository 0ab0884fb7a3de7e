//! Which states a power cut can leave: what was synced, and any part of the rest.
//!
//! At each boundary between two events some changes are pending: made, and not covered by a sync yet. A
//! crash keeps any subset of them. With few pending, all subsets are made; with many, all lost, all
//! kept, every prefix, each one lost, each one alone, pairs, and random subsets of a stated number. One
//! of the kept writes may also be torn.

use super::choice::{Bits, Choice, Fill, Surfaced, Tear};
use super::tear;
use super::walk::{Fresh, Walk};
use crate::random::Random;

/// How far the enumeration goes at one boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// All subsets are made of at most this many pending changes.
    pub(crate) exhaustive: usize,
    /// Random subsets where there are more, and pairs.
    pub(crate) samples: u32,
    /// Ways in which the newest write is torn if it is one of whole pages, chosen at random where there
    /// are more.
    pub(crate) page_tears: usize,
    /// The same for any other write, such as log records and header slots.
    pub(crate) tears: usize,
    /// Ways in which each of the older pending writes is torn.
    pub(crate) older_tears: usize,
    /// What may stand where a torn write did not get.
    pub(crate) fills: &'static [Fill],
}

impl Bounds {
    /// The same, not going as far: for the sessions after a crash.
    pub(crate) fn reduced(self, by: u32) -> Bounds {
        let by_size = by.max(1) as usize;
        Bounds {
            exhaustive: self.exhaustive,
            samples: self.samples / by.max(1),
            page_tears: self.page_tears / by_size,
            tears: self.tears / by_size,
            older_tears: self.older_tears / by_size,
            fills: self.fills,
        }
    }
}

/// Calls `visit` with every choice at this place, until it returns `false`. Returns whether to go on.
pub(crate) fn choices(
    walk: &Walk,
    fresh: Fresh,
    bounds: Bounds,
    random: &mut Random,
    visit: &mut dyn FnMut(Choice) -> bool,
) -> bool {
    match fresh {
        Fresh::Nothing => true,
        Fresh::All => {
            subsets(walk.pending.len(), false, bounds, random, visit) && surfaced(walk, visit)
        }
        Fresh::Newest => {
            subsets(walk.pending.len(), true, bounds, random, visit)
                && torn(walk, bounds, random, visit)
                && surfaced(walk, visit)
        }
    }
}

/// Subsets of the pending changes. The newest is in all of them if asked for: those without it were
/// made before it was.
fn subsets(
    pending: usize,
    with_newest: bool,
    bounds: Bounds,
    random: &mut Random,
    visit: &mut dyn FnMut(Choice) -> bool,
) -> bool {
    let free = pending - usize::from(with_newest);
    let mut make = |kept: &dyn Fn(usize) -> bool| {
        let kept = Bits::of(pending, |i| i >= free || kept(i));
        visit(Choice::keeping(kept))
    };
    if free <= bounds.exhaustive {
        return (0..1u64 << free).all(|mask| make(&|i| mask >> i & 1 == 1));
    }
    (0..=free).all(|end| make(&|i| i < end))
        && (0..free).all(|one| make(&|i| i == one) && make(&|i| i != one))
        && pairs(free, bounds.samples, random)
            .into_iter()
            .all(|(a, b)| make(&|i| i == a || i == b) && make(&|i| i != a && i != b))
        && (0..bounds.samples).all(|_| {
            let words: Vec<u32> = (0..free.div_ceil(32)).map(|_| random.next_u32()).collect();
            make(&|i| words[i / 32] >> (i % 32) & 1 == 1)
        })
}

/// All pairs, or as many at random as are asked for.
fn pairs(of: usize, most: u32, random: &mut Random) -> Vec<(usize, usize)> {
    if of * (of - 1) / 2 <= most as usize {
        return (0..of).flat_map(|a| (0..a).map(move |b| (a, b))).collect();
    }
    let bound = u32::try_from(of).unwrap_or(u32::MAX);
    let one = |random: &mut Random| random.below(bound) as usize;
    (0..most).map(|_| (one(random), one(random))).collect()
}

/// One write torn: the newest with everything before it kept and with everything before it lost, each
/// older one with everything else kept.
fn torn(
    walk: &Walk,
    bounds: Bounds,
    random: &mut Random,
    visit: &mut dyn FnMut(Choice) -> bool,
) -> bool {
    let count = walk.pending.len();
    let Some(newest) = count.checked_sub(1) else {
        return true;
    };
    let mut one = |change: usize, alone: bool, most: usize, random: &mut Random| {
        let ways = tear::ways(&walk.pending[change].change, most, bounds.fills, random);
        ways.into_iter().all(|(parts, fill)| {
            let tear = Tear {
                change,
                parts,
                fill,
            };
            visit(Choice::tearing(
                Bits::of(count, |i| i == change || !alone),
                tear,
            ))
        })
    };
    let most = if tear::is_pages(&walk.pending[newest].change) {
        bounds.page_tears
    } else {
        bounds.tears
    };
    one(newest, true, most, random)
        && (newest == 0 || one(newest, false, most, random))
        && (0..newest).all(|older| one(older, false, bounds.older_tears, random))
}

/// What the crash before seemed to have lost is there after this one: all of it or a single change, with
/// everything that is pending and with nothing of it.
fn surfaced(walk: &Walk, visit: &mut dyn FnMut(Choice) -> bool) -> bool {
    if walk.lost.is_empty() {
        return true;
    }
    let ones = (0..walk.lost.len()).map(Surfaced::One);
    [Surfaced::All].into_iter().chain(ones).all(|surfaced| {
        [false, true].into_iter().all(|kept| {
            visit(Choice {
                kept: Bits::of(walk.pending.len(), |_| kept),
                tear: None,
                surfaced,
            })
        })
    })
}

#[cfg(test)]
mod tests;
