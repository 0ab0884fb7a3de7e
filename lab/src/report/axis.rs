//! Axes: where a value stands between two ends, and which values get a tick.

use crate::results::Scale;

/// Maps values to 0 to 1, linearly or by their logarithm.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// An axis that holds every value and ends on ticks. A linear one starts at zero, because the
    /// length of a bar or the height of a line is read as an amount.
    pub(super) fn covering(values: &[f64], scale: Scale, ticks: usize) -> Axis {
        let shown: Vec<f64> = values
            .iter()
            .copied()
            .filter(|value| fits(*value, scale))
            .collect();
        let most = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = shown.iter().copied().fold(f64::INFINITY, f64::min);
        match scale {
            Scale::Linear => linear(least.min(0.0), if most > 0.0 { most } else { 1.0 }, ticks),
            Scale::Log if shown.is_empty() => decades(0, 1, ticks),
            Scale::Log => decades(
                least.log10().floor() as i32,
                most.log10().ceil() as i32,
                ticks,
            ),
        }
    }

    /// An axis with a tick at each of these values, and a little room beyond the outer ones. A
    /// logarithmic one takes values above zero.
    pub(super) fn at(values: &[f64], scale: Scale) -> Axis {
        let mut ticks = values.to_vec();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        let there = |value: f64| {
            if scale == Scale::Log {
                value.log10()
            } else {
                value
            }
        };
        let back = |place: f64| {
            if scale == Scale::Log {
                10f64.powf(place)
            } else {
                place
            }
        };
        let (first, last) = (
            there(ticks.first().copied().unwrap_or(1.0)),
            there(ticks.last().copied().unwrap_or(1.0)),
        );
        let room = if last > first {
            (last - first) * 0.06
        } else {
            1.0
        };
        Axis {
            scale,
            low: back(first - room),
            high: back(last + room),
            ticks,
        }
    }

    /// Where the value stands, or `None` if this scale cannot show it.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        if !fits(value, self.scale) {
            return None;
        }
        let (value, low, high) = match self.scale {
            Scale::Linear => (value, self.low, self.high),
            Scale::Log => (value.log10(), self.low.log10(), self.high.log10()),
        };
        Some(((value - low) / (high - low)).clamp(0.0, 1.0))
    }
}

fn fits(value: f64, scale: Scale) -> bool {
    value.is_finite() && (scale == Scale::Linear || value > 0.0)
}

/// Ticks at 1, 2 or 5 times a power of ten.
fn linear(low: f64, high: f64, ticks: usize) -> Axis {
    let rough = (high - low) / ticks.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(rough);
    let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
    let ticks: Vec<f64> = (first..=last).map(|number| number as f64 * step).collect();
    Axis {
        scale: Scale::Linear,
        low: first as f64 * step,
        high: last as f64 * step,
        ticks,
    }
}

/// Ticks at powers of ten, thinned out if there are more than wanted.
fn decades(first: i32, last: i32, ticks: usize) -> Axis {
    let last = last.max(first + 1);
    let stride = ((last - first) as usize).div_ceil(ticks.max(1));
    let ticks = (first..=last)
        .step_by(stride)
        .map(|power| 10f64.powi(power))
        .collect();
    Axis {
        scale: Scale::Log,
        low: 10f64.powi(first),
        high: 10f64.powi(last),
        ticks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_axes_start_at_zero_and_end_on_a_tick() {
        let axis = Axis::covering(&[3.0, 17.0], Scale::Linear, 5);
        assert_eq!(axis.ticks, [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(
            (axis.place(0.0), axis.place(20.0), axis.place(10.0)),
            (Some(0.0), Some(1.0), Some(0.5))
        );
    }

    #[test]
    fn logarithmic_axes_leave_out_what_has_no_logarithm() {
        let axis = Axis::covering(&[0.0, 2.0, 900.0], Scale::Log, 6);
        assert_eq!(axis.ticks, [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(
            (axis.place(0.0), axis.place(-1.0), axis.place(f64::NAN)),
            (None, None, None)
        );
        assert!(
            axis.place(10.0)
                .is_some_and(|place| (place - 1.0 / 3.0).abs() < 1e-9)
        );
    }

    #[test]
    fn nothing_and_sameness_still_make_an_axis() {
        for scale in [Scale::Linear, Scale::Log] {
            for values in [&[][..], &[0.0], &[5.0, 5.0], &[10.0]] {
                let axis = Axis::covering(values, scale, 5);
                assert!(axis.ticks.len() >= 2, "{values:?} {scale:?}");
                assert!(axis.place(5.0).is_some_and(f64::is_finite));
            }
        }
    }
}
