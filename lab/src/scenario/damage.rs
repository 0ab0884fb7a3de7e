//! The section `[damage]`: what is done to the files, and to how much of them. It makes one phase, named
//! `damage`.

use serde::Deserialize;
use toml::Spanned;

use crate::damage::{Extent, Way};
use crate::units::Unit;

use super::bounds::{THREADS, cores, whole};
use super::diagnose::Diagnostic;
use super::plan::DamagePlan;
use super::raw::Size;
use super::registry::{Metric, TableDef, metric};

/// The name of the phase, and the owner of its metrics and tables.
pub(crate) const PHASE: &str = "damage";

/// Pages of three databases.
const PAGE_SIZES: [usize; 3] = [4096, 4096, 8192];
/// Places of the larger sweeps.
const STRIDES: std::ops::RangeInclusive<u64> = 1..=1_000_000_000;

/// `[damage]`. What is left out keeps its default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Damage {
    ways: Option<Spanned<Vec<Spanned<Way>>>>,
    page_sizes: Option<Vec<Spanned<Size>>>,
    stride: Option<Spanned<u64>>,
    stride_of_others: Option<Spanned<u64>>,
    threads: Option<Spanned<u64>>,
}

/// The plan, or everything that is wrong with it.
pub(super) fn plan(damage: &Damage, seed: u64, wrong: &mut Vec<Diagnostic>) -> DamagePlan {
    let ways = match &damage.ways {
        None => Way::ALL.to_vec(),
        Some(ways) => {
            if ways.get_ref().is_empty() {
                let message = "`ways` names no way of damaging";
                wrong.push(Diagnostic::new(ways.span(), message).label("leave it out for all"));
            }
            ways.get_ref().iter().map(|way| *way.get_ref()).collect()
        }
    };
    let page_sizes = damage.page_sizes.as_ref().map_or_else(
        || PAGE_SIZES.to_vec(),
        |sizes| sizes.iter().map(|size| page_size(size, wrong)).collect(),
    );
    let stride = whole("stride", damage.stride.as_ref(), STRIDES, 1, wrong);
    let others = damage.stride_of_others.as_ref();
    let stride_of_others = whole("stride_of_others", others, STRIDES, stride, wrong);
    let threads = whole("threads", damage.threads.as_ref(), THREADS, cores(), wrong);
    DamagePlan {
        extent: Extent {
            ways,
            page_sizes,
            stride: stride as usize,
            stride_of_others: stride_of_others as usize,
            seed,
            until_broken: false,
        },
        threads: threads as usize,
    }
}

fn page_size(size: &Spanned<Size>, wrong: &mut Vec<Diagnostic>) -> usize {
    let bytes = size.get_ref().bytes(1);
    if !bytes.is_power_of_two() || !(4096..=65_536).contains(&bytes) {
        let message = "a page has a power of two of bytes, from 4 KiB to 64 KiB";
        wrong.push(Diagnostic::new(size.span(), message).label("out of range"));
        return PAGE_SIZES[0];
    }
    bytes as usize
}

/// Metrics of the phase.
pub(crate) const METRICS: &[Metric] = &[
    metric(
        "time_ns",
        Unit::Ns,
        "making the databases, damaging and judging",
    ),
    metric(
        "damages_per_second",
        Unit::PerSecond,
        "damages judged in a second",
    ),
    metric(
        "slowest_ns",
        Unit::Ns,
        "the longest judgement of one damage",
    ),
    metric("damages", Unit::Count, "damages done, each alone"),
    metric(
        "refused",
        Unit::Count,
        "damages that an error told of, or the engine's check",
    ),
    metric(
        "harmless",
        Unit::Count,
        "damages with which everything is answered as before",
    ),
    metric(
        "never_read",
        Unit::Count,
        "damages in places that nothing reads",
    ),
    metric(
        "shortened",
        Unit::Count,
        "logs that end earlier, at the end of another commit",
    ),
    metric(
        "forged",
        Unit::Count,
        "pages and logs, resealed, that are byte for byte what the engine writes for other contents",
    ),
    metric(
        "silent",
        Unit::Count,
        "damages that changed an answer without a word",
    ),
    metric("panics", Unit::Count, "damages that made the engine panic"),
    metric("violations", Unit::Count, "damages that broke a rule"),
    metric(
        "stride",
        Unit::Count,
        "of so many places of the first database one was damaged",
    ),
    metric("databases", Unit::Count, "databases damaged"),
    metric("pages", Unit::Count, "pages in them"),
    metric("database_bytes", Unit::Bytes, "bytes in them"),
    metric("log_bytes", Unit::Bytes, "bytes in their logs"),
    metric("fields", Unit::Count, "lengths and counts in both"),
    metric("rules", Unit::Count, "different rules that refused damage"),
    metric(
        "peak_bytes",
        Unit::Bytes,
        "the most memory that judging one damage held",
    ),
    metric(
        "excess_bytes",
        Unit::Bytes,
        "the most that it held beyond four times the size of both files",
    ),
    metric(
        "saw.page_kinds",
        Unit::Count,
        "kinds of pages in each database",
    ),
    metric("saw.lowest_tree", Unit::Count, "levels of the lowest tree"),
    metric(
        "saw.free_pages",
        Unit::Count,
        "free pages in each, at least",
    ),
    metric(
        "saw.log_records",
        Unit::Count,
        "commits in each log, at least",
    ),
    metric("saw.flipped_bits", Unit::Count, "single bits flipped"),
    metric(
        "saw.swaps",
        Unit::Count,
        "pages, sectors, words and bytes swapped",
    ),
    metric(
        "saw.older_pages",
        Unit::Count,
        "pages replaced by what they were before",
    ),
    metric("saw.truncations", Unit::Count, "files cut off"),
    metric(
        "saw.resealed",
        Unit::Count,
        "lengths and counts changed with the checksum repaired",
    ),
];

pub(crate) const WAYS: TableDef = TableDef {
    name: "ways",
    columns: &[
        ("way", Unit::Text),
        ("tried", Unit::Count),
        ("refused", Unit::Count),
        ("harmless", Unit::Count),
        ("never_read", Unit::Count),
        ("shortened", Unit::Count),
        ("forged", Unit::Count),
        ("silent", Unit::Count),
        ("panics", Unit::Count),
    ],
};
pub(crate) const RULES: TableDef = TableDef {
    name: "rules",
    columns: &[
        ("caught_by", Unit::Text),
        ("rule", Unit::Text),
        ("damages", Unit::Count),
    ],
};

/// Tables of the phase.
pub(crate) const TABLES: &[TableDef] = &[WAYS, RULES];
