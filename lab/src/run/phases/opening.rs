//! The phases about opening and closing: how much an open reads, what a recovery takes, which bytes a
//! close leaves.

use std::fs;
use std::time::Instant;

use crate::failure::{Context, Failure};
use crate::scenario::plan::PhasePlan;
use crate::scenario::registry::ActionKind;
use crate::stats::Summary;
use crate::store::{self, Store};
use crate::units::{Unit, grouped};

use super::{Bench, Notes};

/// The name of copies that are opened.
const COPY: &str = "copy";

/// Bits of a digest that a result keeps: a whole number that every reader of JSON takes.
const DIGEST_BITS: u32 = 48;

impl Bench<'_> {
    pub(super) fn reopen(&mut self, plan: &PhasePlan, repeats: u32) -> Result<Notes, Failure> {
        let mut notes = Notes::new(plan.action.kind());
        let (mut opens, mut gets) = (Vec::new(), Vec::new());
        let (mut open_pages, mut get_pages) = (0, 0);
        let nodes = self.model(&plan.database).nodes();
        let empty = nodes.is_empty();
        // A node from the middle, so that its path is no special case.
        let middle = nodes.get(nodes.len() / 2).map_or(1, |node| node.id);
        let middle = store::node_id(middle)?;
        self.finish()?;
        for _ in 0..repeats {
            let before = self.store.counts();
            let started = Instant::now();
            let database = self.store.open(&plan.database)?;
            opens.push(started.elapsed().as_nanos() as u64);
            let opened = self.store.counts();
            open_pages = open_pages.max(self.pages(opened - before, &database));
            let started = Instant::now();
            let found = database.begin_read()?.node(middle)?.is_some();
            gets.push(started.elapsed().as_nanos() as u64);
            get_pages = get_pages.max(self.pages(self.store.counts() - opened, &database));
            if !found && !empty {
                notes
                    .findings
                    .push(format!("node {middle} is missing after reopening"));
            }
            database.close()?;
        }
        notes.set("pages_read", open_pages);
        notes.set("first_get_pages", get_pages);
        if let (Some(open), Some(get)) = (Summary::of(&opens), Summary::of(&gets)) {
            notes.set("time_ns", open.median);
            if let Some(mad) = open.mad {
                notes.set("mad_ns", mad);
            }
            notes.set("first_get_ns", get.median);
        }
        notes.answer = Some(format!(
            "{} pages to open, {} more for the first get",
            grouped(open_pages),
            grouped(get_pages)
        ));
        Ok(notes)
    }

    /// Copies the files while the database is open, and opens the copy: what is in its log is replayed.
    pub(super) fn recover(&mut self, plan: &PhasePlan, repeats: u32) -> Result<Notes, Failure> {
        let mut notes = Notes::new(plan.action.kind());
        let database = self.database(&plan.database)?;
        let nodes = database.stats()?.nodes;
        let log_bytes = self.store.log_bytes(&plan.database);
        let mut opens = Vec::new();
        let (mut pages, mut records, mut bytes) = (0, 0, 0);
        for _ in 0..repeats {
            self.store.copy(&plan.database, COPY)?;
            let before = self.store.counts();
            let started = Instant::now();
            let copy = self.store.open(COPY)?;
            opens.push(started.elapsed().as_nanos() as u64);
            pages = pages.max(self.pages(self.store.counts() - before, &copy));
            if let Some(report) = copy.recovery() {
                records = records.max(report.records);
                bytes = bytes.max(report.bytes);
            }
            let found = copy.stats()?.nodes;
            if found != nodes {
                notes.findings.push(format!(
                    "{} nodes recovered of {}",
                    grouped(found),
                    grouped(nodes)
                ));
            }
            // Dropped without closing: nothing of the copy is of further use.
            drop(copy);
            self.store.delete(COPY);
        }
        notes.set("pages_read", pages);
        notes.set("log_bytes", log_bytes);
        notes.set("replayed_records", records);
        notes.set("replayed_bytes", bytes);
        if let Some(open) = Summary::of(&opens) {
            notes.set("time_ns", open.median);
            if let Some(mad) = open.mad {
                notes.set("mad_ns", mad);
            }
            notes.set_float(
                "replay_bytes_per_second",
                bytes as f64 * 1e9 / open.median.max(1) as f64,
            );
        }
        notes.answer = Some(format!(
            "{} records, {} replayed by an open",
            grouped(records),
            Unit::Bytes.show(bytes as f64)
        ));
        Ok(notes)
    }

    /// Closes the database and digests what is left: the same operations must leave the same bytes.
    pub(super) fn bytes(&mut self, plan: &PhasePlan) -> Result<Notes, Failure> {
        let mut notes = Notes::new(ActionKind::Bytes);
        let started = Instant::now();
        let database = self.database(&plan.database)?;
        self.store.delete(COPY);
        database.compact(Store::file_name(COPY))?;
        drop(database);
        self.finish()?;
        let parts = [
            (&plan.database[..], "file_bytes", "file_digest"),
            (COPY, "compact_bytes", "compact_digest"),
        ];
        for (name, size, digest) in parts {
            let path = self.store.path(name);
            let bytes = fs::read(&path).context(path.display())?;
            notes.set(size, bytes.len() as u64);
            let whole = xxhash_rust::xxh3::xxh3_64(&bytes);
            notes.set(digest, whole >> (u64::BITS - DIGEST_BITS));
            notes.digest = Some(format!("{whole:016x}"));
        }
        self.store.delete(COPY);
        notes.set("time_ns", started.elapsed().as_nanos() as u64);
        Ok(notes)
    }
}
