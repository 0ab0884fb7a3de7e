//! Units: what a metric is measured in, how people write it and how they want to read it.

use serde::{Deserialize, Serialize};

/// What a number counts. Stored numbers are always in the base unit: 1, bytes, nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    /// Plain numbers: nodes, pages, commits.
    Count,
    Bytes,
    /// Nanoseconds.
    Ns,
    /// Events a second.
    PerSecond,
    /// No number at all: a column of text.
    Text,
}

/// Spellings of units in scenario files, with their factor over the base unit.
const SPELLINGS: &[(&str, Unit, f64)] = &[
    ("B", Unit::Bytes, 1.0),
    ("KB", Unit::Bytes, 1e3),
    ("MB", Unit::Bytes, 1e6),
    ("GB", Unit::Bytes, 1e9),
    ("KiB", Unit::Bytes, 1024.0),
    ("MiB", Unit::Bytes, 1024.0 * 1024.0),
    ("GiB", Unit::Bytes, 1024.0 * 1024.0 * 1024.0),
    ("ns", Unit::Ns, 1.0),
    ("us", Unit::Ns, 1e3),
    ("µs", Unit::Ns, 1e3),
    ("ms", Unit::Ns, 1e6),
    ("s", Unit::Ns, 1e9),
    ("min", Unit::Ns, 60e9),
    ("/s", Unit::PerSecond, 1.0),
    ("%", Unit::Count, 0.01),
];

/// Every spelling, for messages that suggest one.
pub(crate) fn spellings() -> impl Iterator<Item = &'static str> {
    SPELLINGS.iter().map(|(name, _, _)| *name)
}

/// The unit that this spelling names, and its factor over the base unit.
pub(crate) fn unit_named(name: &str) -> Option<(Unit, f64)> {
    SPELLINGS
        .iter()
        .find(|(spelling, _, _)| *spelling == name)
        .map(|(_, unit, factor)| (*unit, *factor))
}

/// A size such as `32 MiB` or `4096`, in bytes.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.replace('_', "").parse().ok()?;
    let factor = match unit.trim() {
        "" => 1.0,
        name => unit_named(name).filter(|(unit, _)| *unit == Unit::Bytes)?.1,
    };
    let bytes = number * factor;
    (bytes.fract() == 0.0 && (0.0..9e15).contains(&bytes)).then_some(bytes as u64)
}

/// A duration such as `2 ms` or `1.5 s`, in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '_' || c == '.'))?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.replace('_', "").parse().ok()?;
    let (unit, factor) = unit_named(unit.trim())?;
    let ns = number * factor;
    (unit == Unit::Ns && (0.0..9e18).contains(&ns)).then_some(ns.round() as u64)
}

impl Unit {
    /// The value as people read it: `17.5 MB`, `1.25 ms`, `63,666`.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Unit::Count | Unit::Text => plain(value),
            Unit::Bytes => scaled(value, &[("GB", 1e9), ("MB", 1e6), ("KB", 1e3), ("B", 1.0)]),
            Unit::Ns => scaled(value, &[("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0)]),
            Unit::PerSecond => format!("{}/s", plain(three_digits(value))),
        }
    }
}

fn scaled(value: f64, steps: &[(&str, f64)]) -> String {
    for (name, factor) in steps {
        if value.abs() >= *factor {
            return format!("{} {name}", plain(three_digits(value / factor)));
        }
    }
    let last = steps.last().map_or("", |(name, _)| name);
    format!("{} {last}", plain(three_digits(value)))
}

/// Rounded to three significant digits, and to whole numbers from 1,000 on.
fn three_digits(value: f64) -> f64 {
    let digits = match value.abs() {
        v if v >= 100.0 => 1.0,
        v if v >= 10.0 => 10.0,
        _ => 100.0,
    };
    (value * digits).round() / digits
}

/// A number with thousands separators and three decimals, or more if it is very small.
fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        let sign = if value < 0.0 { "−" } else { "" };
        return format!("{sign}{}", grouped(value.abs() as u64));
    }
    // Small shares keep two digits that say something.
    let decimals = match value.abs() {
        small if small < 0.01 && small > 1e-9 => (1.0 - small.log10().floor()) as usize,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A size that was chosen as a power of two, as it was chosen: `32 MiB`.
pub(crate) fn binary(bytes: u64) -> String {
    for (name, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{} {name}", grouped(bytes / factor));
        }
    }
    format!("{} B", grouped(bytes))
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with what is counted, of one and of several.
pub(crate) fn counted(count: u64, one: &str, several: &str) -> String {
    let what = if count == 1 { one } else { several };
    format!("{} {what}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        let cases = [
            ("4096", Some(4096)),
            ("32 MiB", Some(32 << 20)),
            ("23MB", Some(23_000_000)),
            ("1.5 KB", Some(1500)),
            ("64_000 B", Some(64_000)),
            ("", None),
            ("MB", None),
            ("-1 B", None),
            ("1 ms", None),
            ("1.5 B", None),
            ("1 mb", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_bytes(text), want, "{text}");
        }
    }

    #[test]
    fn durations_are_read() {
        let cases = [
            ("2 ms", Some(2_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("5 min", Some(300_000_000_000)),
            ("7", None),
            ("7 MB", None),
            ("soon", None),
        ];
        for (text, want) in cases {
            assert_eq!(parse_duration(text), want, "{text}");
        }
    }

    #[test]
    fn values_are_shown_short() {
        let cases = [
            (Unit::Count, 63_666.0, "63,666"),
            (Unit::Count, 2.5, "2.5"),
            (Unit::Count, 0.00153, "0.0015"),
            (Unit::Bytes, 17_460_000.0, "17.5 MB"),
            (Unit::Bytes, 12.0, "12 B"),
            (Unit::Bytes, 5.5, "5.5 B"),
            (Unit::Ns, 1_250_000.0, "1.25 ms"),
            (Unit::Ns, 999.0, "999 ns"),
            (Unit::Ns, 0.0, "0 ns"),
            (Unit::PerSecond, 1_234_567.4, "1,234,567/s"),
        ];
        for (unit, value, want) in cases {
            assert_eq!(unit.show(value), want);
        }
    }

    #[test]
    fn chosen_sizes_are_shown_as_chosen() {
        let cases = [
            (4096, "4 KiB"),
            (32 << 20, "32 MiB"),
            (1000, "1,000 B"),
            (0, "0 B"),
            (3 << 30, "3 GiB"),
        ];
        for (bytes, want) in cases {
            assert_eq!(binary(bytes), want);
        }
    }

    #[test]
    fn digits_are_grouped() {
        for (number, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), want);
        }
    }
}
