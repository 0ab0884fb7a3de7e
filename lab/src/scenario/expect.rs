//! What a check expects: `OP number unit`, or `OP number * other.metric`.

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

/// The right-hand side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bound {
    /// A number in base units, and the unit if one was written.
    Number(f64, Option<Unit>),
    /// A multiple of another metric of the same run.
    Times(f64, String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expect {
    pub(crate) op: Op,
    pub(crate) bound: Bound,
}

/// Reads an expectation; the error says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Expect, String> {
    let text = text.trim();
    let (op, rest) = OPS
        .iter()
        .find_map(|(spelling, op)| text.strip_prefix(spelling).map(|rest| (*op, rest.trim())))
        .ok_or("an expectation starts with one of <=, <, >=, >, ==, !=")?;
    if rest.is_empty() {
        return Err("a number, or another metric, is missing after the comparison".to_owned());
    }
    if let Some((factor, path)) = rest.split_once('*') {
        return Ok(Expect {
            op,
            bound: Bound::Times(number(factor.trim())?, metric_path(path.trim())?),
        });
    }
    if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(Expect {
            op,
            bound: Bound::Times(1.0, metric_path(rest)?),
        });
    }
    let split = rest
        .find(|c: char| !(c.is_ascii_digit() || "._-+".contains(c)))
        .unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(split);
    let value = number(digits)?;
    let bound = match unit.trim() {
        "" => Bound::Number(value, None),
        name => {
            let (unit, factor) = units::unit_named(name).ok_or_else(|| {
                let known: Vec<&str> = units::spellings().collect();
                format!("`{name}` is no unit; known are {}", known.join(", "))
            })?;
            Bound::Number(value * factor, Some(unit))
        }
    };
    Ok(Expect { op, bound })
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
            assert_eq!(parse(text), Ok(Expect { op, bound }), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
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
