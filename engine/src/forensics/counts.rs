//! What the counters say at one moment.

use std::fmt;
use std::ops::{Add, Sub};

use super::amplification::Amplification;
use super::counters::Counter;

const LEN: usize = Counter::ALL.len();

/// The values of every counter. All zero in a build without the feature `forensics`.
///
/// Subtract an earlier one for what happened in between.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Counts([u64; LEN]);

impl Default for Counts {
    fn default() -> Counts {
        Counts([0; LEN])
    }
}

impl Counts {
    /// The value of one counter.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0.get(counter as usize).copied().unwrap_or_default()
    }

    /// Every counter with its value, in the order of [`Counter::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Counter, u64)> + '_ {
        Counter::ALL.iter().copied().zip(self.0)
    }

    /// The sum of some counters.
    pub fn sum(&self, counters: &[Counter]) -> u64 {
        counters.iter().map(|counter| self.get(*counter)).sum()
    }

    /// Pages read from the file, of all kinds.
    pub fn pages_read(&self) -> u64 {
        self.sum(&Counter::READS)
    }

    /// Pages written, of all kinds.
    pub fn pages_written(&self) -> u64 {
        self.sum(&Counter::WRITES)
    }

    /// Bytes read from every file of the database: what storage counts too.
    pub fn bytes_read(&self) -> u64 {
        self.sum(&[
            Counter::PageReadBytes,
            Counter::SlotReadBytes,
            Counter::LogReadBytes,
            Counter::ScratchReadBytes,
        ])
    }

    /// Bytes written to every file of the database: what storage counts too.
    pub fn bytes_written(&self) -> u64 {
        self.sum(&[
            Counter::PageWrittenBytes,
            Counter::SlotWriteBytes,
            Counter::LogAppendBytes,
            Counter::LogAheadBytes,
            Counter::LogSegmentBytes,
            Counter::ScratchWriteBytes,
        ])
    }

    /// Syncs of files, without those of directories.
    pub fn syncs(&self) -> u64 {
        self.sum(&[
            Counter::PageSyncs,
            Counter::SlotWrites,
            Counter::SlotSyncs,
            Counter::LogSyncs,
            Counter::LengthSyncs,
        ])
    }

    /// Commits that wrote something.
    pub fn commits(&self) -> u64 {
        self.sum(&[Counter::CommitsLogged, Counter::CommitsFlipped])
    }

    /// What was done for what was asked. `file_bytes`: the bytes that the database takes now, if its
    /// whole content was written while this counted.
    pub fn amplification(&self, file_bytes: Option<u64>) -> Amplification {
        Amplification::of(self, file_bytes)
    }

    pub(super) fn from_fn(value: impl FnMut(usize) -> u64) -> Counts {
        Counts(std::array::from_fn(value))
    }

    pub(super) fn add(&mut self, counter: Counter, n: u64) {
        if let Some(cell) = self.0.get_mut(counter as usize) {
            *cell = cell.wrapping_add(n);
        }
    }
}

impl Sub for Counts {
    type Output = Counts;

    fn sub(self, earlier: Counts) -> Counts {
        let mut left = self;
        for (value, before) in left.0.iter_mut().zip(earlier.0) {
            // Other threads count while a snapshot is taken, so two may cross by a little.
            *value = value.saturating_sub(before);
        }
        left
    }
}

impl Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        let mut sum = self;
        for (value, more) in sum.0.iter_mut().zip(other.0) {
            *value = value.wrapping_add(more);
        }
        sum
    }
}

/// Only what is not zero, so that it can be read.
impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moved = self.iter().filter(|(_, value)| *value > 0);
        f.debug_map()
            .entries(moved.map(|(counter, value)| (counter.name(), value)))
            .finish()
    }
}
