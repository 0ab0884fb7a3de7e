//! What a check expects. The forms are listed in [`FORMS`].

use crate::units::{self, Unit};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Less,
    AtMost,
    Equal,
    Different,
    AtLeast,
    More,
}

/// Longer spellings first, so that `<=` is not read as `<`.
const OPS: [(&str, Op); 6] = [
    ("<=", Op::AtMost),
    (">=", Op::AtLeast),
    ("==", Op::Equal),
    ("!=", Op::Different),
    ("<", Op::Less),
    (">", Op::More),
];

impl Op {
    pub(crate) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Op::Less => left < right,
            Op::AtMost => left <= right,
            Op::Equal => left == right,
            Op::Different => left != right,
            Op::AtLeast => left >= right,
            Op::More => left > right,
        }
    }
}

/// Every form of an expectation with its meaning, for messages and for the reference.
pub(crate) const FORMS: &[(&str, &str)] = &[
    (
        "OP NUMBER UNIT",
        "compares with a number; OP is one of <=, <, >=, >, ==, !=",
    ),
    (
        "OP NUMBER * PHASE.METRIC",
        "compares with a multiple of another metric of the same cell",
    ),
    (
        "baseline ± N%",
        "at most N percent from the median that the baseline has for the same cell",
    ),
    ("baseline + N%", "at most N percent above it"),
    ("baseline - N%", "at most N percent below it"),
    (
        "non-decreasing within N% over AXIS",
        "no value along the axis is lower than the highest before it by more than N percent",
    ),
    (
        "non-increasing within N% over AXIS",
        "no value along the axis is higher than the lowest before it by more than N percent",
    ),
    (
        "flat within N x over AXIS",
        "the highest value along the axis is at most N times the lowest",
    ),
    (
        "same over AXIS",
        "all values along the axis are equal; `repeats` is an axis too",
    ),
];

/// The name by which the repeats of a cell are an axis.
pub(crate) const REPEATS: &str = "repeats";

/// The right-hand side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bound {
    /// A number in base units, and the unit if one was written.
    Number(f64, Option<Unit>),
    /// A multiple of another metric of the same run.
    Times(f64, String),
}

/// How the values of one metric follow one another along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trend {
    /// The tolerance is a fraction.
    NonDecreasing(f64),
    NonIncreasing(f64),
    /// The tolerance is a factor.
    Flat(f64),
    Same,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expect {
    /// One value of each cell against a bound.
    Compare { op: Op, bound: Bound },
    /// One value of each cell against the baseline's: how far below and above it may lie, as
    /// fractions.
    Baseline { below: f64, above: f64 },
    /// The values along an axis against one another.
    Along { trend: Trend, axis: String },
}

/// Reads an expectation; the error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Expect, String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("baseline") {
        return baseline(rest.trim());
    }
    for word in ["non-decreasing", "non-increasing", "flat", "same"] {
        if let Some(rest) = text.strip_prefix(word) {
            return along(word, rest.trim());
        }
    }
    let (op, rest) = OPS
        .iter()
        .find_map(|(spelling, op)| text.strip_prefix(spelling).map(|rest| (*op, rest.trim())))
        .ok_or(
            "an expectation starts with one of <=, <, >=, >, ==, !=, or with baseline, non-decreasing, non-increasing, flat or same",
        )?;
    if rest.is_empty() {
        return Err("a number, or another metric, is missing after the comparison".to_owned());
    }
    Ok(Expect::Compare {
        op,
        bound: bound(rest)?,
    })
}

fn bound(rest: &str) -> Result<Bound, String> {
    if let Some((factor, path)) = rest.split_once('*') {
        return Ok(Bound::Times(
            number(factor.trim())?,
            metric_path(path.trim())?,
        ));
    }
    if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(Bound::Times(1.0, metric_path(rest)?));
    }
    let split = rest
        .find(|c: char| !(c.is_ascii_digit() || "._-+".contains(c)))
        .unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(split);
    let value = number(digits)?;
    Ok(match unit.trim() {
        "" => Bound::Number(value, None),
        name => {
            let (unit, factor) = units::unit_named(name).ok_or_else(|| {
                let known: Vec<&str> = units::spellings().collect();
                let near = crate::nearest::nearest(name, known.iter().copied());
                let near = near.map_or(String::new(), |near| {
                    format!(", and the nearest is `{near}`")
                });
                format!(
                    "`{name}` is not a unit; known are {}{near}",
                    known.join(", ")
                )
            })?;
            Bound::Number(value * factor, Some(unit))
        }
    })
}

fn baseline(rest: &str) -> Result<Expect, String> {
    let form = "a baseline's expectation is `baseline ± 5%`, `baseline + 5%` or `baseline - 5%`";
    for (sign, below, above) in [
        ("±", 1.0, 1.0),
        ("+-", 1.0, 1.0),
        ("+", f64::INFINITY, 1.0),
        ("-", 1.0, f64::INFINITY),
    ] {
        if let Some(share) = rest.strip_prefix(sign) {
            let share = share.trim().strip_suffix('%').ok_or(form)?;
            let share = number(share.trim())? / 100.0;
            return Ok(Expect::Baseline {
                below: below * share,
                above: above * share,
            });
        }
    }
    Err(form.to_owned())
}

fn along(word: &str, rest: &str) -> Result<Expect, String> {
    let (before, axis) = rest
        .rsplit_once("over ")
        .ok_or_else(|| format!("`{word}` needs `over` and an axis of the sweep"))?;
    let tolerance = match before.trim() {
        "" => None,
        text => Some(tolerance(text.strip_prefix("within").ok_or_else(
            || format!("`{text}` is not understood; a tolerance is `within 10%` or `within 2 x`"),
        )?)?),
    };
    let trend = match (word, tolerance) {
        ("same", None) => Trend::Same,
        ("same", Some(_)) => return Err("`same` knows no tolerance; use `flat`".to_owned()),
        ("flat", Some(factor)) => Trend::Flat(1.0 + factor),
        ("flat", None) => return Err("`flat` needs a tolerance, such as `within 2 x`".to_owned()),
        ("non-decreasing", tolerance) => Trend::NonDecreasing(tolerance.unwrap_or(0.0)),
        (_, tolerance) => Trend::NonIncreasing(tolerance.unwrap_or(0.0)),
    };
    Ok(Expect::Along {
        trend,
        axis: axis.trim().to_owned(),
    })
}

/// `10%` is a tenth; `2 x` is once more than the value itself.
fn tolerance(text: &str) -> Result<f64, String> {
    let text = text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        return Ok(number(percent.trim())? / 100.0);
    }
    if let Some(factor) = text.strip_suffix('x') {
        return match number(factor.trim())? {
            factor if factor >= 1.0 => Ok(factor - 1.0),
            _ => Err("a factor of less than 1 is no tolerance".to_owned()),
        };
    }
    Err(format!("`{text}` is no tolerance; write `10%` or `2 x`"))
}

fn number(text: &str) -> Result<f64, String> {
    let parsed: Option<f64> = text.replace('_', "").parse().ok();
    parsed
        .filter(|number| number.is_finite())
        .ok_or_else(|| format!("`{text}` is not a number"))
}

fn metric_path(text: &str) -> Result<String, String> {
    if text.contains('.')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not the name of a metric, which is `phase.metric`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_read() {
        let cases = [
            (
                "<= 23 MB",
                Op::AtMost,
                Bound::Number(23e6, Some(Unit::Bytes)),
            ),
            (">=1", Op::AtLeast, Bound::Number(1.0, None)),
            ("< 1.5ms", Op::Less, Bound::Number(1.5e6, Some(Unit::Ns))),
            ("== 63_666", Op::Equal, Bound::Number(63_666.0, None)),
            (
                "> 100 /s",
                Op::More,
                Bound::Number(100.0, Some(Unit::PerSecond)),
            ),
            (
                "<= 1.1 * batch.file_bytes",
                Op::AtMost,
                Bound::Times(1.1, "batch.file_bytes".into()),
            ),
            ("!= a-b.c", Op::Different, Bound::Times(1.0, "a-b.c".into())),
        ];
        for (text, op, bound) in cases {
            assert_eq!(parse(text), Ok(Expect::Compare { op, bound }), "{text}");
        }
    }

    #[test]
    fn trends_and_baselines_are_read() {
        let along = |trend, axis: &str| {
            Ok(Expect::Along {
                trend,
                axis: axis.to_owned(),
            })
        };
        assert_eq!(parse("same over repeats"), along(Trend::Same, "repeats"));
        assert_eq!(
            parse("non-decreasing within 10% over engine.cache"),
            along(Trend::NonDecreasing(0.1), "engine.cache")
        );
        assert_eq!(
            parse("flat within 2 x over nodes"),
            along(Trend::Flat(2.0), "nodes")
        );
        assert_eq!(
            parse("non-increasing over nodes"),
            along(Trend::NonIncreasing(0.0), "nodes")
        );
        assert_eq!(
            parse("baseline ± 5%"),
            Ok(Expect::Baseline {
                below: 0.05,
                above: 0.05
            })
        );
        assert_eq!(
            parse("baseline + 10 %"),
            Ok(Expect::Baseline {
                below: f64::INFINITY,
                above: 0.1
            })
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "baseline",
            "baseline 5%",
            "baseline ± 5",
            "same",
            "same within 3% over x",
            "flat over x",
            "flat within 0.5 x over x",
            "non-decreasing within lots over x",
            "non-decreasing about 3 over x",
            "",
            "23 MB",
            "<=",
            "<= MB",
            "<= 2 parsecs",
            "<= x",
            "<= 2 * ",
            "<= 1e999",
            "= 3",
            "<= 1.2.3",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn comparisons_hold_as_written() {
        assert!(Op::AtMost.holds(1.0, 1.0) && !Op::Less.holds(1.0, 1.0));
        assert!(Op::Different.holds(1.0, 2.0) && !Op::Equal.holds(1.0, 2.0));
        assert!(Op::AtLeast.holds(2.0, 2.0) && Op::More.holds(3.0, 2.0));
    }
}
