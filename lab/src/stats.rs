//! Medians and their spread. Never a mean alone: one slow sample would speak for all.

use serde::{Deserialize, Serialize};

/// What a set of samples says, in the samples' own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// How many samples there were.
    pub(crate) count: u64,
    /// Half of the samples are at or below this.
    pub(crate) median: u64,
    /// Median absolute deviation from the median. `None` for one sample, which has no spread.
    pub(crate) mad: Option<u64>,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Summary {
    /// `None` without samples.
    pub(crate) fn of(samples: &[u64]) -> Option<Summary> {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let median = median_of_sorted(&sorted)?;
        let mut distances: Vec<u64> = sorted
            .iter()
            .map(|sample| sample.abs_diff(median))
            .collect();
        distances.sort_unstable();
        let mad = if sorted.len() < 2 {
            None
        } else {
            median_of_sorted(&distances)
        };
        Some(Summary {
            count: sorted.len() as u64,
            median,
            mad,
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

/// The middle sample, or the midpoint of the middle two, rounded down.
fn median_of_sorted(sorted: &[u64]) -> Option<u64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(middle.checked_sub(1)?)?;
    Some(u64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(samples: &[u64], want: Option<(u64, Option<u64>)>) {
        assert_eq!(
            Summary::of(samples).map(|summary| (summary.median, summary.mad)),
            want
        );
    }

    #[test]
    fn median_and_spread() {
        check(&[], None);
        check(&[7], Some((7, None)));
        check(&[1, 3], Some((2, Some(1))));
        check(&[5, 1, 9], Some((5, Some(4))));
        check(&[10, 10, 10, 1_000_000], Some((10, Some(0))));
        check(&[u64::MAX, u64::MAX], Some((u64::MAX, Some(0))));
    }

    #[test]
    fn extremes_are_kept() {
        let summary = Summary::of(&[4, 2, 8]);
        assert_eq!(summary.map(|s| (s.min, s.max, s.count)), Some((2, 8, 3)));
    }
}
