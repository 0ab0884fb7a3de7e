//! A ledger as a readable account.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vellum::forensics::{Counter, How, Ledger, PageUse};

use crate::units::grouped;

/// Pages listed one by one; of more only the sums are told.
const PAGES_LISTED: usize = 40;

/// One step of an account: what was done, in which circumstances, and what it took.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) circumstances: &'static str,
    pub(crate) ledger: Ledger,
}

/// What a page is in a tree, or beside it.
fn role(used: &PageUse) -> String {
    match (used.space, used.level) {
        (Some(space), 0) => format!("leaf of {space}"),
        (Some(space), level) => format!("branch of {space}, level {level}"),
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
            role(used),
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
    let s = if count == 1 { "" } else { "s" };
    format!("{} page{s}", grouped(count))
}

/// How many of which role were come by in which way.
fn sums(used: &[&PageUse]) -> String {
    let mut sums: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for one in used {
        *sums.entry((role(one), one.how.name())).or_default() += 1;
    }
    let parts: Vec<String> = sums
        .iter()
        .map(|((role, how), count)| format!("{} {role} ({how})", grouped(*count)))
        .collect();
    if parts.is_empty() {
        "\n".to_owned()
    } else {
        format!(": {}\n", parts.join("; "))
    }
}

/// What was done besides looking at pages; nothing is said of what was not done.
fn work(ledger: &Ledger) -> String {
    let told = [
        (Counter::PageReadBytes, "bytes of pages read from the file"),
        (Counter::NodesDecoded, "node cells decoded"),
        (Counter::BlocksDecoded, "blocks of edges decoded"),
        (Counter::EdgesDecoded, "edges decoded"),
        (Counter::BytesCopied, "bytes of data copied"),
        (
            Counter::DeltaLookups,
            "keys looked up among changes not merged yet",
        ),
        (Counter::LogAppends, "log records appended"),
        (Counter::LogAppendBytes, "bytes appended to the log"),
        (Counter::LogAheadBytes, "zeros written ahead of the log"),
        (
            Counter::LogSegmentBytes,
            "bytes written to begin a log segment",
        ),
        (Counter::PageWrittenBytes, "bytes of pages written"),
        (Counter::SlotWrites, "header slots written"),
        (Counter::DirectorySyncs, "syncs of the directory"),
    ];
    let mut out = String::new();
    for (counter, what) in told {
        let value = ledger.counts.get(counter);
        if value > 0 {
            out += &format!("  {} {what}\n", grouped(value));
        }
    }
    let syncs = ledger.counts.syncs();
    if syncs > 0 {
        let log = ledger.counts.get(Counter::LogSyncs);
        out += &format!(
            "  {} syncs of files, {} of them of the log\n",
            grouped(syncs),
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
