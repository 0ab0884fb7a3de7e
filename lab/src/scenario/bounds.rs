//! Whole numbers of a section, each with its range and what holds where it is left out.

use std::ops::RangeInclusive;

use toml::Spanned;

use super::diagnose::Diagnostic;

/// The number that a field gives, or the usual one. One out of range is noted, and given all the same.
pub(super) fn whole(
    name: &str,
    field: Option<&Spanned<u64>>,
    range: RangeInclusive<u64>,
    usual: u64,
    wrong: &mut Vec<Diagnostic>,
) -> u64 {
    let Some(field) = field else { return usual };
    if !range.contains(field.get_ref()) {
        let message = format!("`{name}` must be from {} to {}", range.start(), range.end());
        wrong.push(Diagnostic::new(field.span(), message).label("out of range"));
    }
    *field.get_ref()
}

/// One thread for each processor.
pub(super) fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// Most threads of anything.
pub(super) const THREADS: RangeInclusive<u64> = 1..=1024;
