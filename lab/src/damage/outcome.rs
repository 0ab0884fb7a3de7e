//! What the sweeps found.

use std::collections::BTreeMap;

use super::image::Facts;
use super::replay::Id;
use super::sweep::Came;
use super::ways::Way;

/// Violations that are kept in words; more are only counted.
const KEPT: usize = 100;
/// So many times the size of its files a database may take in memory, beside what its options allow.
const FILES: u64 = 4;

/// What one way of damaging came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) tried: u64,
    pub(crate) refused: u64,
    pub(crate) harmless: u64,
    pub(crate) never_read: u64,
    /// The end of the log was cut off with what it held.
    pub(crate) shortened: u64,
    /// Byte for byte what the engine writes for other contents.
    pub(crate) forged: u64,
    pub(crate) silent: u64,
    pub(crate) panics: u64,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.tried += other.tried;
        self.refused += other.refused;
        self.harmless += other.harmless;
        self.never_read += other.never_read;
        self.shortened += other.shortened;
        self.forged += other.forged;
        self.silent += other.silent;
        self.panics += other.panics;
    }
}

/// One damage, judged.
pub(super) struct One {
    pub(super) id: Id,
    /// The error is a panic.
    pub(super) came: Result<Came, ()>,
    pub(super) time_ns: u64,
    /// The most memory that judging it held.
    pub(super) peak_bytes: Option<u64>,
    /// Bytes of both files.
    pub(super) file_bytes: u64,
}

/// Everything that was counted, and what was found to be wrong.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) facts: Vec<Facts>,
    pub(crate) tallies: BTreeMap<Way, Tally>,
    /// Which rule refused how much.
    pub(crate) rules: BTreeMap<String, u64>,
    pub(crate) violations: u64,
    pub(crate) broken: Vec<String>,
    pub(crate) slowest_ns: u64,
    /// The most memory that judging one damage held, and the most beyond [`FILES`] sizes of both files.
    pub(crate) peak_bytes: Option<u64>,
    pub(crate) excess_bytes: u64,
}

impl Outcome {
    pub(super) fn note(&mut self, way: Way, one: One) {
        self.slowest_ns = self.slowest_ns.max(one.time_ns);
        self.peak_bytes = self.peak_bytes.max(one.peak_bytes);
        if let Some(peak) = one.peak_bytes {
            let excess = peak.saturating_sub(FILES * one.file_bytes);
            self.excess_bytes = self.excess_bytes.max(excess);
        }
        let tally = self.tallies.entry(way).or_default();
        tally.tried += 1;
        let broken = match one.came {
            Ok(Came::Refused(rule)) => {
                tally.refused += 1;
                *self.rules.entry(rule).or_default() += 1;
                return;
            }
            Ok(Came::Harmless) => {
                tally.harmless += 1;
                return;
            }
            Ok(Came::NeverRead) => {
                tally.never_read += 1;
                return;
            }
            Ok(Came::Shortened) if way.may_shorten() => {
                tally.shortened += 1;
                return;
            }
            Ok(Came::Shortened) => {
                tally.shortened += 1;
                "took back a commit without a word"
            }
            Ok(Came::Forged) => {
                tally.forged += 1;
                return;
            }
            Ok(Came::Silent) => {
                tally.silent += 1;
                "changed an answer without a word"
            }
            Err(()) => {
                tally.panics += 1;
                "caused a panic"
            }
        };
        self.violations += 1;
        if self.broken.len() < KEPT {
            let (name, id) = (way.name(), one.id);
            let place = id.place;
            self.broken.push(format!(
                "{name}, place {place}: {broken}; again with: lab damage replay {id}"
            ));
        }
    }

    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.values() {
            total.add(tally);
        }
        total
    }

    pub(super) fn tried(&self, ways: &[Way]) -> u64 {
        let tallies = ways.iter().filter_map(|way| self.tallies.get(way));
        tallies.map(|tally| tally.tried).sum()
    }
}
