//! A ledger as a readable account.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vellum::forensics::{Counter, How, Ledger, PageUse};

use crate::units::{counted, grouped};

/// Pages listed one by one; of more only the sums are told.
const PAGES_LISTED: usize = 40;

/// One step of an account: what was done, in which circumstances, and what it took.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) circumstances: &'static str,
    pub(crate) ledger: Ledger,
}

/// What so many pages are in a tree, or beside it.
fn role(used: &PageUse, count: u64) -> String {
    let (leaf, branch) = match count {
        1 => ("leaf", "branch"),
        _ => ("leaves", "branches"),
    };
    match (used.space, used.level) {
        (Some(space), 0) => format!("{leaf} of {space}"),
        (Some(space), level) => format!("{branch} of {space}, level {level}"),
        (None, _) => used.kind.name().to_owned(),
    }
}

/// The account of one step, indented under its name.
pub(crate) fn text(step: &Step) -> String {
    let ledger = &step.ledger;
    let mut out = format!("{}: {}\n", step.name, step.circumstances);
    let looked_at: Vec<&PageUse> = ledger
        .pages
        .iter()
        .filter(|used| used.how != How::Written)
        .collect();
    let written = ledger.pages.len() - looked_at.len();
    out += &format!("  {} looked at", pages(ledger.pages_touched() as u64));
    out += &sums(&looked_at);
    if written > 0 {
        let all: Vec<&PageUse> = ledger
            .pages
            .iter()
            .filter(|used| used.how == How::Written)
            .collect();
        out += &format!("  {} written{}", pages(written as u64), sums(&all));
    }
    for used in ledger.pages.iter().take(PAGES_LISTED) {
        out += &format!(
            "    page {:<10} {:<30} {}",
            used.page,
            role(used, 1),
            used.how.name()
        );
        out += &if used.times > 1 {
            format!(", {} times\n", grouped(used.times))
        } else {
            "\n".to_owned()
        };
    }
    let more = ledger.pages.len().saturating_sub(PAGES_LISTED) as u64;
    if more > 0 {
        out += &format!("    and {} more\n", grouped(more));
    }
    out + &work(ledger)
}

fn pages(count: u64) -> String {
    counted(count, "page", "pages")
}

/// How many of which role were come by in which way.
fn sums(used: &[&PageUse]) -> String {
    let mut sums: BTreeMap<(String, &str), Vec<&PageUse>> = BTreeMap::new();
    for one in used {
        let alike = sums.entry((role(one, 1), one.how.name())).or_default();
        alike.push(one);
    }
    let mut parts = Vec::new();
    for ((_, how), alike) in sums {
        let count = alike.len() as u64;
        let role = alike
            .first()
            .map_or_else(String::new, |one| role(one, count));
        parts.push(format!("{} {role} ({how})", grouped(count)));
    }
    if parts.is_empty() {
        "\n".to_owned()
    } else {
        format!(": {}\n", parts.join("; "))
    }
}

/// What was done besides looking at pages, as a counter says it: of one and of several.
const TOLD: [(Counter, &str, &str); 13] = [
    (
        Counter::PageReadBytes,
        "byte of pages read from the file",
        "bytes of pages read from the file",
    ),
    (
        Counter::NodesDecoded,
        "node cell decoded",
        "node cells decoded",
    ),
    (
        Counter::BlocksDecoded,
        "block of edges decoded",
        "blocks of edges decoded",
    ),
    (Counter::EdgesDecoded, "edge decoded", "edges decoded"),
    (
        Counter::BytesCopied,
        "byte of data copied",
        "bytes of data copied",
    ),
    (
        Counter::DeltaLookups,
        "key looked up among changes not merged yet",
        "keys looked up among changes not merged yet",
    ),
    (
        Counter::LogAppends,
        "log record appended",
        "log records appended",
    ),
    (
        Counter::LogAppendBytes,
        "byte appended to the log",
        "bytes appended to the log",
    ),
    (
        Counter::LogAheadBytes,
        "zero written ahead of the log",
        "zeros written ahead of the log",
    ),
    (
        Counter::LogSegmentBytes,
        "byte written to begin a log segment",
        "bytes written to begin a log segment",
    ),
    (
        Counter::PageWrittenBytes,
        "byte of pages written",
        "bytes of pages written",
    ),
    (
        Counter::SlotWrites,
        "header slot written",
        "header slots written",
    ),
    (
        Counter::DirectorySyncs,
        "sync of the directory",
        "syncs of the directory",
    ),
];

/// Nothing is said of what was not done.
fn work(ledger: &Ledger) -> String {
    let mut out = String::new();
    for (counter, one, several) in TOLD {
        let value = ledger.counts.get(counter);
        if value > 0 {
            out += &format!("  {}\n", counted(value, one, several));
        }
    }
    let syncs = ledger.counts.syncs();
    if syncs > 0 {
        let log = ledger.counts.get(Counter::LogSyncs);
        out += &format!(
            "  {}, {} of the log\n",
            counted(syncs, "sync of a file", "syncs of files"),
            grouped(log)
        );
    }
    out
}

/// The same as data: every counter that moved, and every page listed.
pub(crate) fn json(step: &Step) -> Value {
    let ledger = &step.ledger;
    let counts: serde_json::Map<String, Value> = ledger
        .counts
        .iter()
        .filter(|(_, value)| *value > 0)
        .map(|(counter, value)| (counter.name().to_owned(), value.into()))
        .collect();
    json!({
        "step": step.name,
        "circumstances": step.circumstances,
        "pages_touched": ledger.pages_touched(),
        "pages": ledger.pages,
        "uses_left_out": ledger.uses_left_out,
        "counts": counts,
    })
}
