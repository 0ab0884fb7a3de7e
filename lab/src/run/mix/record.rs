//! What a client measured: latencies in histograms, sums, and answers that were wrong.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::digest::Digest;
use crate::failure::{Context, Failure};
use crate::scenario::operations::Operation;
use crate::store::op::{Committed, Done, Step};

/// Wrong answers that are written out; more are counted.
const LISTED: usize = 10;

/// Digits that a latency is kept with.
const DIGITS: u8 = 3;

/// A histogram of nanoseconds that grows with what it is given.
pub(crate) fn histogram() -> Result<Histogram<u64>, Failure> {
    Histogram::new(DIGITS).context("a histogram")
}

/// Everything that one client, or all of them together, have to tell.
pub(crate) struct Record {
    pub(crate) all: Histogram<u64>,
    pub(crate) each: BTreeMap<Operation, Histogram<u64>>,
    pub(crate) commits: Histogram<u64>,
    /// Time spent in operations and commits.
    pub(crate) busy_ns: u64,
    /// Operations over the time spent; of several clients, over the time from their common start to the
    /// last one's end.
    pub(crate) per_second: f64,
    /// Bytes that commits appended to the log.
    pub(crate) log_bytes: u64,
    pub(crate) operations: u64,
    pub(crate) rows: u64,
    pub(crate) edges: u64,
    /// Of the store's own check.
    pub(crate) check_findings: u64,
    pub(crate) wrong: u64,
    pub(crate) listed: Vec<String>,
    digest: Digest,
}

impl Record {
    pub(crate) fn new() -> Result<Record, Failure> {
        Ok(Record {
            all: histogram()?,
            each: BTreeMap::new(),
            commits: histogram()?,
            busy_ns: 0,
            per_second: 0.0,
            log_bytes: 0,
            operations: 0,
            rows: 0,
            edges: 0,
            check_findings: 0,
            wrong: 0,
            listed: Vec::new(),
            digest: Digest::new(),
        })
    }

    /// Notes one operation. `latency` may be longer than the operation took, if it began late.
    pub(super) fn note(&mut self, step: &Step, done: Done, latency: u64) -> Result<(), Failure> {
        self.all.record(latency).context("a latency")?;
        of(&mut self.each, step.kind)?
            .record(latency)
            .context("a latency")?;
        self.busy_ns += done.ns;
        self.operations += 1;
        self.rows += done.rows;
        self.edges += step.edges;
        if step.want.is_some() {
            self.digest.number(done.hash);
        }
        if step.want.is_some_and(|want| want != done.hash) {
            self.wrong(|number| {
                format!(
                    "operation {number}, {}: the answer is not the model's: {:?}",
                    step.kind.name(),
                    Short(&step.op)
                )
            });
        }
        self.check_findings += done.findings.len() as u64;
        for finding in done.findings {
            self.wrong(|_| format!("check: {finding}"));
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, committed: Committed) -> Result<(), Failure> {
        self.busy_ns += committed.ns;
        self.log_bytes += committed.log_bytes;
        self.commits.record(committed.ns).context("a latency")
    }

    /// Notes that something was wrong that no single answer shows.
    pub(super) fn accuse(&mut self, what: String) {
        self.wrong(|_| what);
    }

    fn wrong(&mut self, what: impl FnOnce(u64) -> String) {
        self.wrong += 1;
        if self.listed.len() < LISTED {
            self.listed.push(what(self.operations));
        }
    }

    /// Adds what another client measured.
    pub(super) fn join(&mut self, other: Record) -> Result<(), Failure> {
        self.all.add(&other.all).context("latencies")?;
        self.commits.add(&other.commits).context("latencies")?;
        for (operation, histogram) in other.each {
            of(&mut self.each, operation)?
                .add(&histogram)
                .context("latencies")?;
        }
        self.busy_ns = self.busy_ns.max(other.busy_ns);
        self.log_bytes += other.log_bytes;
        self.operations += other.operations;
        self.rows += other.rows;
        self.edges += other.edges;
        self.check_findings += other.check_findings;
        self.wrong += other.wrong;
        self.listed.extend(other.listed);
        self.listed.truncate(LISTED);
        self.digest.text(&other.digest.to_string());
        Ok(())
    }

    /// To be called when a client is through.
    pub(super) fn finish(&mut self) {
        self.per_second = self.operations as f64 * 1e9 / self.busy_ns.max(1) as f64;
    }

    /// To be called when all clients are through. More clients than processors take turns, so that the
    /// sum of what each did in its own time would promise what no machine does.
    pub(super) fn finish_together(&mut self, wall: Duration) {
        self.per_second = self.operations as f64 / wall.as_secs_f64().max(1e-9);
    }

    pub(super) fn digest(&self) -> String {
        self.digest.to_string()
    }

    /// What was wrong, for the phase's findings.
    pub(super) fn findings(&self) -> Vec<String> {
        let mut findings = self.listed.clone();
        let more = self.wrong.saturating_sub(self.listed.len() as u64);
        if more > 0 {
            findings.push(format!(
                "{} more wrong answers",
                crate::units::grouped(more)
            ));
        }
        findings
    }
}

/// The histogram of one kind of operation, made where there is none.
fn of(
    each: &mut BTreeMap<Operation, Histogram<u64>>,
    operation: Operation,
) -> Result<&mut Histogram<u64>, Failure> {
    Ok(match each.entry(operation) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(histogram()?),
    })
}

/// An operation without the bulk of its data.
struct Short<'a>(&'a crate::store::op::Op);

impl std::fmt::Debug for Short<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{:?}", self.0);
        let short: String = text.chars().take(120).collect();
        f.write_str(&short)
    }
}
