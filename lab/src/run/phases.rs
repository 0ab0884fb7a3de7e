//! One phase at a time: does it, measures it, proves it right.

mod ask;
mod crash;
mod damage;
mod faults;
mod kill;
mod opening;
mod raw_write;
mod real;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use vellum::forensics::Counts;
use vellum::storage::IoCounts;
use vellum::{Database, KeySpace, Stats};

use crate::console::Console;
use crate::dataset::model::Model;
use crate::dataset::oracle::Oracle;
use crate::failure::{Exit, Failure};
use crate::forensic;
use crate::results::{Measure, Number, Phase, PhaseStatus, Setting, Table};
use crate::scenario::plan::{Action, LoadHow, PhasePlan, Plan};
use crate::scenario::registry::{self, ActionKind, counts};
use crate::share::Share;
use crate::store::{self, Store, contents};
use crate::units::grouped;

use super::limits::Limits;
use super::mix::Latencies;
use super::tables;

/// What a phase found.
pub(super) struct Notes {
    kind: ActionKind,
    metrics: BTreeMap<String, Number>,
    pub(super) tables: Vec<Table>,
    pub(super) findings: Vec<String>,
    pub(super) answer: Option<String>,
    pub(super) digest: Option<String>,
    pub(super) latencies: Vec<Latencies>,
    /// What the engine counted, where an action counts from a point of its own.
    pub(super) counts: Option<Counts>,
    /// Why this machine does not permit it.
    pub(super) missing: Option<String>,
}

impl Notes {
    pub(super) fn new(kind: ActionKind) -> Notes {
        Notes {
            kind,
            metrics: BTreeMap::new(),
            tables: Vec::new(),
            findings: Vec::new(),
            answer: None,
            digest: None,
            latencies: Vec::new(),
            counts: None,
            missing: None,
        }
    }

    pub(super) fn set(&mut self, metric: &str, value: u64) {
        self.set_float(metric, value as f64);
    }

    pub(super) fn set_float(&mut self, metric: &str, value: f64) {
        debug_assert!(
            registry::describe(Some(self.kind), metric).is_some(),
            "{metric} is not in the registry"
        );
        self.metrics.insert(metric.to_owned(), Number(value));
    }

    /// What the engine counted, as metrics: nothing in a build that does not count. Counters that did
    /// not move are left out, and read as zero.
    fn note_counts(&mut self, counted: Counts, conflicts: Vec<String>) {
        if !forensic::HERE || !self.kind.counted() {
            return;
        }
        let named = |name: &str| format!("{}{name}", counts::PREFIX);
        self.set(&named(counts::CONFLICTS), conflicts.len() as u64);
        self.findings.extend(
            conflicts
                .into_iter()
                .map(|what| format!("page owners: {what}")),
        );
        if let Some(time) = self.metrics.get("time_ns").copied() {
            self.set_float(&named(counts::TIME), time.0);
        }
        for (counter, value) in counted.iter().filter(|(_, value)| *value > 0) {
            self.set(&named(counter.name()), value);
        }
    }
}

impl Notes {
    /// The phase as results have it, and its latencies. What is not measured keeps only its results.
    pub(super) fn into_phase(self, plan: &PhasePlan) -> (Phase, Vec<Latencies>) {
        let status = match (&self.missing, self.findings.is_empty()) {
            (Some(_), true) => PhaseStatus::Missing,
            (None, true) => PhaseStatus::Right,
            (_, false) => PhaseStatus::Wrong,
        };
        let metrics = self
            .metrics
            .into_iter()
            .filter(|_| plan.measure)
            .map(|(name, value)| (name, Measure::once(value)));
        let phase = Phase {
            status,
            findings: self.missing.into_iter().chain(self.findings).collect(),
            metrics: metrics.collect(),
            tables: self.tables,
            digest: self.digest,
            answer: self.answer,
            ..blank(plan)
        };
        let latencies = if plan.measure {
            self.latencies
        } else {
            Vec::new()
        };
        (phase, latencies)
    }
}

/// Everything that phases share: the databases, one of them open, and what they should hold.
pub(super) struct Bench<'a> {
    pub(super) plan: &'a Plan,
    pub(super) store: &'a Store,
    source: &'a Model,
    /// The part of its searches that is carried out.
    share: Share,
    /// Databases that hold something else than the source by now.
    grown: BTreeMap<String, Model>,
    /// The same as graphs that can be changed, where a mix has been at work.
    oracles: BTreeMap<String, Oracle>,
    /// Databases whose model is behind its oracle.
    behind: BTreeSet<String>,
    pub(super) open: Option<(String, Database)>,
    settings: Vec<Setting>,
    /// Of all phases so far.
    pub(super) latencies: Vec<Latencies>,
    /// What cut the last phase short.
    pub(super) stopped: Option<Failure>,
    pub(super) limits: &'a Limits,
    pub(super) console: &'a Console,
}

/// A phase before it ran.
pub(super) fn blank(plan: &PhasePlan) -> Phase {
    Phase {
        name: plan.name.clone(),
        what: plan.action.describe(),
        database: plan.database.clone(),
        status: PhaseStatus::Right,
        findings: Vec::new(),
        metrics: BTreeMap::new(),
        tables: Vec::new(),
        digest: None,
        answer: None,
    }
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        store: &'a Store,
        source: &'a Model,
        share: Share,
        limits: &'a Limits,
        console: &'a Console,
    ) -> Bench<'a> {
        Bench {
            plan,
            store,
            source,
            share,
            grown: BTreeMap::new(),
            oracles: BTreeMap::new(),
            behind: BTreeSet::new(),
            open: None,
            settings: Vec::new(),
            latencies: Vec::new(),
            stopped: None,
            limits,
            console,
        }
    }

    /// The engine's effective options, once a database has been made, or what a phase without one used.
    pub(super) fn settings(&self) -> Vec<Setting> {
        self.settings.clone()
    }

    /// Runs one phase. Wrong results, damage included, are a phase's outcome; only what keeps the lab
    /// from going on is a failure.
    pub(super) fn run(&mut self, plan: &PhasePlan) -> Result<Phase, Failure> {
        if !matches!(plan.action, Action::Mix(_)) {
            self.catch_up(&plan.database);
        }
        if self.settings.is_empty() {
            self.settings = settings::of(&plan.action);
        }
        let before = self.store.engine_counts();
        let outcome = match &plan.action {
            Action::Load(how) => self.load(plan, how),
            Action::Mix(mix) => self.mix(plan, mix),
            Action::Bytes => self.bytes(plan),
            Action::Ask(ask) => self.ask(plan, ask),
            Action::Verify { source, structure } => self.verify(plan, *source, *structure),
            Action::Reopen {
                repeats,
                log: false,
            } => self.reopen(plan, *repeats),
            Action::Reopen { repeats, .. } => self.recover(plan, *repeats),
            Action::Kill(kill) => self.kill(plan, *kill),
            Action::Crash(crash) => self.crash(plan, crash),
            Action::Faults(faults) => self.faults(plan, faults),
            Action::Damage(damage) => self.damage(plan, damage),
            Action::Real(real) => self.real(plan, real),
        };
        let mut notes = match outcome {
            Ok(notes) => notes,
            Err(failure) if failure.exit == Exit::Wrong => {
                let mut notes = Notes::new(plan.action.kind());
                notes.findings.push(failure.message);
                notes
            }
            Err(failure) => return Err(failure),
        };
        let whole = self.store.engine_counts() - before;
        let counted = notes.counts.unwrap_or(whole);
        notes.note_counts(counted, self.store.page_conflicts());
        let (phase, latencies) = notes.into_phase(plan);
        self.latencies.extend(latencies);
        Ok(phase)
    }

    /// The graph that the database should hold, to be changed and given back.
    pub(super) fn take_oracle(&mut self, database: &str) -> Oracle {
        self.oracles
            .remove(database)
            .unwrap_or_else(|| Oracle::of(self.model(database)))
    }

    pub(super) fn give_oracle(&mut self, database: &str, oracle: Oracle, changed: bool) {
        if changed {
            self.behind.insert(database.to_owned());
        }
        self.oracles.insert(database.to_owned(), oracle);
    }

    /// Makes the model equal to what mixes have made of the database.
    fn catch_up(&mut self, database: &str) {
        if self.behind.remove(database)
            && let Some(oracle) = self.oracles.get(database)
        {
            self.grown.insert(database.to_owned(), oracle.model());
        }
    }

    /// Closes what is open.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        match self.open.take() {
            Some((_, database)) => Ok(database.close()?),
            None => Ok(()),
        }
    }

    /// The database, opened if it is not.
    pub(super) fn database(&mut self, name: &str) -> Result<Database, Failure> {
        if let Some((open, database)) = &self.open
            && open == name
        {
            return Ok(database.clone());
        }
        self.finish()?;
        let database = self.store.open(name)?;
        self.open = Some((name.to_owned(), database.clone()));
        Ok(database)
    }

    /// What the database should hold.
    pub(super) fn model(&self, database: &str) -> &Model {
        self.grown.get(database).unwrap_or(self.source)
    }

    fn load(&mut self, plan: &PhasePlan, how: &LoadHow) -> Result<Notes, Failure> {
        self.finish()?;
        let mut notes = Notes::new(plan.action.kind());
        let before = self.store.counts();
        let counted = self.store.engine_counts();
        let database = self.store.create(&plan.database)?;
        if self.settings.is_empty() {
            self.settings = store::settings(&database);
        }
        let loaded = store::load::load(&database, self.source, how, self.plan.seed, self.console)?;
        let closing = Instant::now();
        database.close()?;
        let close_ns = closing.elapsed().as_nanos() as u64;
        let written = self.store.counts() - before;
        notes.counts = Some(self.store.engine_counts() - counted);
        let file_bytes = self.store.file_bytes(&plan.database)?;
        self.prove_loaded(&plan.database, &mut notes)?;
        let stats = self.database(&plan.database)?.stats()?;
        let rows = stats.nodes + stats.edges;
        let total_ns = loaded.time_ns + close_ns;
        notes.set("time_ns", loaded.time_ns);
        notes.set("close_ns", close_ns);
        notes.set_float(
            "nodes_and_edges_per_second",
            rows as f64 * 1e9 / total_ns.max(1) as f64,
        );
        notes.set_float(
            "edges_per_second",
            stats.edges as f64 * 1e9 / total_ns.max(1) as f64,
        );
        let raw_ns = raw_write::time_ns(self.store.folder(), file_bytes)?;
        notes.set("raw_write_ns", raw_ns);
        notes.set_float("load_over_raw", total_ns as f64 / raw_ns.max(1) as f64);
        notes.set("commits", loaded.commits);
        notes.set("nodes", stats.nodes);
        notes.set("edges", stats.edges);
        notes.set("file_bytes", file_bytes);
        notes.set("pages", stats.pages);
        notes.set("bytes_written", written.written_bytes);
        notes.set_float(
            "write_amplification",
            written.written_bytes as f64 / file_bytes.max(1) as f64,
        );
        notes.set("syncs", written.syncs);
        self.note_sizes(&mut notes, &stats);
        notes
            .tables
            .push(tables::spaces(&plan.name, &stats, self.source));
        notes.answer = Some(format!(
            "{} nodes and {} edges in {}; the file has {}",
            grouped(stats.nodes),
            grouped(stats.edges),
            if loaded.commits == 1 {
                "one commit".to_owned()
            } else {
                format!("{} commits", grouped(loaded.commits))
            },
            crate::units::Unit::Bytes.show(file_bytes as f64),
        ));
        Ok(notes)
    }

    /// Holds everything that was loaded against the graph, through a handle of its own: caches and counts stay
    /// as loading left them.
    fn prove_loaded(&self, database: &str, notes: &mut Notes) -> Result<(), Failure> {
        let reader = store::open_read_only(&self.store.path(database))?;
        let found = contents::of_snapshot(&reader.begin_read()?)?;
        notes.findings.extend(contents::difference(
            &found,
            &contents::of_model(self.source),
        ));
        notes.digest = Some(found);
        Ok(())
    }

    fn note_sizes(&self, notes: &mut Notes, stats: &Stats) {
        let pages = |spaces: &[KeySpace]| {
            stats
                .trees
                .iter()
                .filter(|tree| spaces.contains(&tree.space))
                .map(|tree| tree.pages)
                .sum::<u64>()
        };
        let payload = tables::in_leaves(self.source, stats);
        let sizes = [
            (
                "bytes_per_node",
                "node_overhead_bytes",
                &[KeySpace::Nodes, KeySpace::Names, KeySpace::Kinds][..],
                stats.nodes,
                payload.names + payload.node_data,
            ),
            (
                "bytes_per_edge",
                "edge_overhead_bytes",
                &[KeySpace::Out, KeySpace::In][..],
                stats.edges,
                payload.edge_data,
            ),
        ];
        for (whole, overhead, spaces, count, given) in sizes {
            if count > 0 {
                let bytes = (pages(spaces) * stats.page_size) as f64;
                notes.set_float(whole, bytes / count as f64);
                notes.set_float(overhead, (bytes - given as f64) / count as f64);
            }
        }
    }

    fn verify(
        &mut self,
        plan: &PhasePlan,
        source: bool,
        structure: bool,
    ) -> Result<Notes, Failure> {
        let mut notes = Notes::new(plan.action.kind());
        let database = self.database(&plan.database)?;
        let before = self.store.counts();
        let started = Instant::now();
        let mut said = Vec::new();
        if source {
            let txn = database.begin_read()?;
            let found = store::compare::compare(&txn, self.model(&plan.database), self.console)?;
            notes.set("nodes", found.nodes);
            notes.set("edges", found.edges);
            notes.set("differences", found.differences);
            notes.digest = Some(found.digest);
            let more = found.differences.saturating_sub(found.listed.len() as u64);
            notes.findings.extend(found.listed);
            if more > 0 {
                notes
                    .findings
                    .push(format!("{} more differences", grouped(more)));
            }
            said.push(format!(
                "{} nodes and {} edges equal the source from both ends",
                grouped(found.nodes),
                grouped(found.edges)
            ));
        }
        if structure {
            let report = database.check()?;
            notes.set("findings", report.findings.len() as u64);
            notes.findings.extend(
                report
                    .findings
                    .iter()
                    .map(|finding| format!("check: {finding}")),
            );
            said.push(format!(
                "{} pages in use and {} free are sound",
                grouped(report.pages_reached),
                grouped(report.pages_free)
            ));
        }
        notes.set("time_ns", started.elapsed().as_nanos() as u64);
        notes.set(
            "pages_read",
            self.pages(self.store.counts() - before, &database),
        );
        notes.answer = Some(said.join("; "));
        Ok(notes)
    }

    /// Pages read from storage. A read of part of a page costs a page, and one of many pages as many.
    pub(super) fn pages(&self, counts: IoCounts, database: &Database) -> u64 {
        counts.reads.max(
            counts
                .read_bytes
                .div_ceil(database.options().page_size as u64),
        )
    }
}
