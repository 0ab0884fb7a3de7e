//! Medians and their spread. Never a mean alone: one slow sample would speak for all.

use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::results::{Measure, Number};

/// Samples drawn for a bootstrap interval.
const RESAMPLES: usize = 1_000;

/// Share of the resampled medians that an interval leaves out on each side.
const TAIL: f64 = 0.025;

/// Seed of the resampling: the same samples always give the same interval.
const SEED: u64 = 0x6d65_6469_616e;

/// Fewer samples than this have no interval worth the name.
const ENOUGH: usize = 3;

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

/// The median of numbers, or the midpoint of the middle two; `None` without numbers.
pub(crate) fn median(numbers: &[f64]) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, upper))
}

/// The 95 % bootstrap interval of the median, by percentiles. `None` for fewer than three samples.
pub(crate) fn interval(samples: &[f64]) -> Option<[f64; 2]> {
    if samples.len() < ENOUGH {
        return None;
    }
    let mut random = Random::new(SEED, 0);
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let drawn: Vec<f64> = (0..samples.len())
                .map(|_| samples[random.below_u64(samples.len() as u64) as usize])
                .collect();
            median(&drawn)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    let at = |share: f64| medians.get((share * (medians.len() - 1) as f64).round() as usize);
    Some([*at(TAIL)?, *at(1.0 - TAIL)?])
}

impl Measure {
    /// One sample, which has no spread.
    pub(crate) fn once(value: Number) -> Measure {
        Measure {
            median: value,
            mad: None,
            interval: None,
            samples: vec![value],
        }
    }

    /// `None` without samples.
    pub(crate) fn of(samples: Vec<Number>) -> Option<Measure> {
        let numbers: Vec<f64> = samples.iter().map(|sample| sample.0).collect();
        let middle = median(&numbers)?;
        let distances: Vec<f64> = numbers
            .iter()
            .map(|number| (number - middle).abs())
            .collect();
        Some(Measure {
            median: Number(middle),
            mad: (numbers.len() > 1)
                .then(|| median(&distances).map(Number))
                .flatten(),
            interval: interval(&numbers).map(|ends| ends.map(Number)),
            samples,
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
    fn an_interval_holds_the_median_and_repeats() {
        let samples = [10.0, 12.0, 11.0, 50.0, 10.5];
        let [low, high] = interval(&samples).unwrap_or_default();
        assert!(low <= 11.0 && 11.0 <= high && low >= 10.0 && high <= 50.0);
        assert_eq!(interval(&samples), Some([low, high]));
        assert_eq!(
            (interval(&[1.0, 2.0]), interval(&[3.0; 9])),
            (None, Some([3.0, 3.0]))
        );
        let measure = Measure::of(vec![Number(1.0), Number(3.0)]);
        assert_eq!(
            measure.map(|measure| (measure.median, measure.mad)),
            Some((Number(2.0), Some(Number(1.0))))
        );
        assert!(Measure::of(Vec::new()).is_none());
    }

    #[test]
    fn extremes_are_kept() {
        let summary = Summary::of(&[4, 2, 8]);
        assert_eq!(summary.map(|s| (s.min, s.max, s.count)), Some((2, 8, 3)));
    }
}
