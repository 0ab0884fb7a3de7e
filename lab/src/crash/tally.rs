//! What an enumeration counted.

use std::collections::BTreeMap;

use vellum::storage::sim::Change;

use super::choice::{Choice, Fill, Surfaced};
use super::marks::Way;
use super::subject::Signs;
use super::walk::Walk;

/// Crashes on top of each other, at the most.
pub(crate) const DEPTHS: usize = 3;

/// In what a state differs from what the disk was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Nothing is pending, or all of it was kept.
    AllKept,
    AllLost,
    Subset,
    /// Something else was kept, and a change of a length was not.
    LengthLost,
    /// Something else was kept, and a change of a name was not.
    NameLost,
    TornOld,
    TornZeros,
    TornGarbage,
    /// What an earlier crash seemed to have lost came back.
    Surfaced,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::AllKept => "all kept",
            Kind::AllLost => "all lost",
            Kind::Subset => "some lost",
            Kind::LengthLost => "length lost",
            Kind::NameLost => "name lost",
            Kind::TornOld => "torn over old",
            Kind::TornZeros => "torn over zeros",
            Kind::TornGarbage => "torn over garbage",
            Kind::Surfaced => "surfaced later",
        }
    }

    pub(crate) fn of(walk: &Walk, choice: &Choice) -> Kind {
        if choice.surfaced != Surfaced::None {
            return Kind::Surfaced;
        }
        if let Some(tear) = &choice.tear {
            return match tear.fill {
                Fill::Old => Kind::TornOld,
                Fill::Zeros => Kind::TornZeros,
                Fill::Garbage => Kind::TornGarbage,
            };
        }
        let kept = choice.kept.count();
        if kept == walk.pending.len() {
            return Kind::AllKept;
        }
        if kept == 0 {
            return Kind::AllLost;
        }
        let mut lost = walk.pending.iter().enumerate();
        let mut kind = Kind::Subset;
        for (_, pending) in lost.by_ref().filter(|(i, _)| !choice.kept.contains(*i)) {
            match pending.change {
                Change::SetLen { .. } => return Kind::LengthLost,
                Change::Create { .. } | Change::Rename { .. } | Change::Remove { .. } => {
                    kind = Kind::NameLost;
                }
                Change::Write { .. } => {}
            }
        }
        kind
    }
}

/// States, those of them that no other was equal to, and those that were really opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) points: u64,
    pub(crate) states: u64,
    pub(crate) distinct: u64,
    pub(crate) opened: u64,
}

impl Count {
    fn add(&mut self, other: Count) {
        self.points += other.points;
        self.states += other.states;
        self.distinct += other.distinct;
        self.opened += other.opened;
    }
}

/// Buckets of recovery times: four for each doubling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    buckets: BTreeMap<u32, u64>,
    pub(crate) count: u64,
    pub(crate) max_ns: u64,
}

const STEPS: f64 = 4.0;

impl Times {
    pub(crate) fn note(&mut self, ns: u64) {
        let bucket = ((ns.max(1) as f64).log2() * STEPS) as u32;
        *self.buckets.entry(bucket).or_default() += 1;
        self.count += 1;
        self.max_ns = self.max_ns.max(ns);
    }

    fn add(&mut self, other: &Times) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
        self.count += other.count;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// The upper end of each bucket, and how many are in it.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (u64, u64)> {
        let upper = |bucket: u32| (f64::from(bucket + 1) / STEPS).exp2() as u64;
        self.buckets
            .iter()
            .map(move |(bucket, count)| (upper(*bucket), *count))
    }

    /// A time that this share of the recoveries did not exceed, to the width of a bucket.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        let mut rows = self.rows();
        let found = rows.find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        found.map_or(0, |(upper, _)| upper.min(self.max_ns))
    }
}

/// What was to be seen of crashes, counted over the states that were opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) absent: u64,
    pub(crate) replayed: u64,
    pub(crate) torn_tail: u64,
    pub(crate) repaired: u64,
    pub(crate) torn_slot: u64,
    /// Recoveries to less than what had begun.
    pub(crate) rolled_back: u64,
    pub(crate) failed_syncs: u64,
}

/// Everything counted. Tallies of threads are added up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// By the number of crashes, from one.
    pub(crate) depths: [Count; DEPTHS],
    pub(crate) kinds: BTreeMap<Kind, Count>,
    pub(crate) ways: BTreeMap<Way, Count>,
    /// Time that recovery took, of the states that were opened.
    pub(crate) times: Times,
    pub(crate) seen: Seen,
    /// Distinct recoveries that were crashed again.
    pub(crate) recoveries_crashed: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Tally) {
        for (sum, more) in self.depths.iter_mut().zip(&other.depths) {
            sum.add(*more);
        }
        for (kind, count) in &other.kinds {
            self.kinds.entry(*kind).or_default().add(*count);
        }
        for (way, count) in &other.ways {
            self.ways.entry(*way).or_default().add(*count);
        }
        self.times.add(&other.times);
        self.recoveries_crashed += other.recoveries_crashed;
        let (sum, more) = (&mut self.seen, &other.seen);
        sum.absent += more.absent;
        sum.replayed += more.replayed;
        sum.torn_tail += more.torn_tail;
        sum.repaired += more.repaired;
        sum.torn_slot += more.torn_slot;
        sum.rolled_back += more.rolled_back;
        sum.failed_syncs += more.failed_syncs;
    }

    pub(crate) fn total(&self) -> Count {
        let mut total = Count::default();
        for depth in &self.depths {
            total.add(*depth);
        }
        total
    }

    /// Adds to everything that a state belongs to.
    pub(crate) fn count(&mut self, depth: usize, kind: Kind, way: Way, count: Count) {
        if let Some(sum) = self.depths.get_mut(depth) {
            sum.add(count);
        }
        self.kinds.entry(kind).or_default().add(count);
        self.ways.entry(way).or_default().add(count);
    }

    pub(crate) fn point(&mut self, depth: usize, way: Way) {
        let point = Count {
            points: 1,
            ..Count::default()
        };
        if let Some(sum) = self.depths.get_mut(depth) {
            sum.add(point);
        }
        self.ways.entry(way).or_default().add(point);
    }

    pub(crate) fn signs(&mut self, signs: Signs) {
        self.seen.absent += u64::from(signs.absent);
        self.seen.replayed += signs.replayed;
        self.seen.torn_tail += u64::from(signs.torn_tail);
        self.seen.repaired += u64::from(signs.repaired);
        self.seen.torn_slot += u64::from(signs.torn_slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_bucket() {
        let mut times = Times::default();
        for ns in 1..=1000 {
            times.note(ns * 1000);
        }
        let median = times.quantile(0.5) as f64;
        assert!((480_000.0..=600_000.0).contains(&median), "{median}");
        assert_eq!(times.quantile(1.0), 1_000_000);
        assert_eq!(Times::default().quantile(0.5), 0);
    }
}
