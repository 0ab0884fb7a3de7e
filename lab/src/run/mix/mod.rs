//! The phase that carries out a mix of operations, measures each and holds each answer against the
//! model.

pub(crate) mod awake;
mod drive;
mod keys;
mod record;
mod steps;

use std::fs::File;
use std::path::Path;

use hdrhistogram::Histogram;
use vellum::CacheStats;
use vellum::storage::IoCounts;

use crate::console::Console;
use crate::dataset::generate::Content;
use crate::dataset::oracle::Oracle;
use crate::failure::{Context, Failure};
use crate::results::Cell;
use crate::scenario::plan::{DatasetPlan, MixPlan, PhasePlan, Plan};
use crate::scenario::raw::{Cold, Durability};
use crate::scenario::registry::{self, ActionKind};
use crate::store::op::Walk;
use crate::store::peers::PeerStore;
use crate::store::target::{Engine, Target};
use crate::units::{Unit, counted};

use self::awake::Spinner;
use self::drive::{Carried, Mission};
use self::record::Record;

use super::limits::Limits;
use super::phases::{Bench, Notes};

/// Latencies of one kind of operation in one phase.
pub(crate) struct Latencies {
    /// `phase.operation`, or the phase alone for all of them.
    pub(crate) name: String,
    pub(crate) histogram: Histogram<u64>,
}

/// Input and output around the operations.
struct Around {
    io: IoCounts,
    pages_read: u64,
    cache: CacheStats,
    cache_before: CacheStats,
}

impl Bench<'_> {
    pub(super) fn mix(&mut self, plan: &PhasePlan, mix: &MixPlan) -> Result<Notes, Failure> {
        let mut notes = Notes::new(ActionKind::Mix);
        if let Some(cold) = mix.cold {
            self.make_cold(&plan.database, cold)?;
        }
        let mut oracle = self.take_oracle(&plan.database);
        let database = self.database(&plan.database)?;
        let held = match mix.hold_snapshot {
            true => Some(database.begin_read()?),
            false => None,
        };
        let before = held.as_ref().map(vellum::ReadTxn::commit_number);
        let scanned = held.as_ref().map(scan).transpose()?;
        let durable = mix.writes() && self.plan.engine.durability != Durability::None;
        let spinner = if durable { Spinner::start() } else { None };
        let io = self.store.counts();
        let counted = self.store.engine_counts();
        let cache_before = database.cache_stats();
        let carried = self.carry_out(plan, mix, &mut oracle, database)?;
        let database = self.database(&plan.database)?;
        let io = self.store.counts() - io;
        notes.counts = Some(self.store.engine_counts() - counted);
        let around = Around {
            pages_read: self.pages(io, &database),
            io,
            cache: database.cache_stats(),
            cache_before,
        };
        if let Some(held) = &held
            && (scanned != Some(scan(held)?) || before != Some(held.commit_number()))
        {
            notes
                .findings
                .push("the snapshot held all the while has changed".to_owned());
        }
        let commits = carried.record.commits.len();
        if durable && commits > 0 {
            let bytes = carried.record.log_bytes / commits;
            note_floor(
                &mut notes,
                &carried.record,
                awake::floor(self.store.folder(), bytes)?,
            );
        }
        drop(spinner);
        note_all(&mut notes, plan, &carried, &around);
        notes.set("file_bytes", self.store.file_bytes(&plan.database)?);
        notes.set("log_bytes", self.store.log_bytes(&plan.database));
        notes.set("nodes", oracle.node_count());
        notes.set("edges", oracle.edge_count());
        notes.findings.extend(carried.record.findings());
        notes.digest = Some(carried.record.digest());
        notes.latencies = latencies(&plan.name, carried.record);
        self.give_oracle(&plan.database, oracle, mix.writes());
        Ok(notes)
    }

    fn carry_out(
        &mut self,
        plan: &PhasePlan,
        mix: &MixPlan,
        oracle: &mut Oracle,
        database: vellum::Database,
    ) -> Result<Carried, Failure> {
        let walk = walk(mix);
        let content = content(&self.plan.dataset);
        let store = self.store;
        let mission = Mission {
            name: &plan.name,
            plan: mix,
            walk: &walk,
            content: &content,
            seed: self.plan.seed,
            limits: self.limits,
            console: self.console,
        };
        if mix.clients == 1 && mix.beside.is_empty() {
            // The only handle, so that an operation may close it.
            self.open = None;
            let mut engine = Engine::new(store, &plan.database, database, &walk)?;
            let carried = mission.single(&mut engine, oracle)?;
            self.open = Some((plan.database.clone(), engine.into_database()?));
            return Ok(carried);
        }
        let target = || -> Result<Box<dyn Target + '_>, Failure> {
            let engine = Engine::new(store, &plan.database, database.clone(), &walk)?;
            Ok(Box::new(engine))
        };
        let targets = (0..mix.clients)
            .map(|_| target())
            .collect::<Result<_, _>>()?;
        let beside = match mix.beside.is_empty() {
            true => None,
            false => Some(target()?),
        };
        mission.several(targets, beside, oracle)
    }

    /// Closes the database, and has the kernel forget its file if asked to.
    pub(super) fn make_cold(&mut self, database: &str, cold: Cold) -> Result<(), Failure> {
        self.finish()?;
        match cold {
            Cold::Handle => Ok(()),
            Cold::Os => forget(&self.store.path(database)),
        }
    }
}

/// The same on a peer: one client, and the metrics that every store has.
pub(super) fn on_peer(
    plan: &Plan,
    phase: &PhasePlan,
    mix: &MixPlan,
    peer: &mut dyn PeerStore,
    oracle: &mut Oracle,
    limits: &Limits,
    console: &Console,
) -> Result<Notes, Failure> {
    let mut notes = Notes::new(ActionKind::Mix);
    if mix.cold.is_some() {
        peer.forget()?;
    }
    let walk = walk(mix);
    let content = content(&plan.dataset);
    let mission = Mission {
        name: &phase.name,
        plan: mix,
        walk: &walk,
        content: &content,
        seed: plan.seed,
        limits,
        console,
    };
    let durable = mix.writes() && plan.engine.durability != Durability::None;
    let spinner = if durable { Spinner::start() } else { None };
    let carried = mission.single(peer, oracle)?;
    drop(spinner);
    note_operations(&mut notes, phase, &carried);
    notes.set("file_bytes", peer.file_bytes()?);
    notes.set("nodes", oracle.node_count());
    notes.set("edges", oracle.edge_count());
    notes.findings.extend(carried.record.findings());
    notes.digest = Some(carried.record.digest());
    notes.latencies = latencies(&phase.name, carried.record);
    Ok(notes)
}

fn walk(mix: &MixPlan) -> Walk {
    Walk {
        way: mix.way,
        label: mix.label.clone(),
        depth: mix.depth,
        cache_pages: mix.traversal_cache,
    }
}

/// What new nodes and edges hold: as the generated ones, or as a default beside those of a file.
fn content(dataset: &DatasetPlan) -> Content {
    match dataset {
        DatasetPlan::Generated(generator) => generator.content.clone(),
        DatasetPlan::Files(_) | DatasetPlan::Nothing => Content::default(),
    }
}

fn scan(txn: &vellum::ReadTxn) -> Result<(u64, u64), Failure> {
    let (mut nodes, mut bytes) = (0, 0);
    for node in txn.nodes() {
        bytes += node?.data()?.len() as u64;
        nodes += 1;
    }
    Ok((nodes, bytes))
}

/// Asks the kernel to drop the file's pages from its cache. It may keep those that others use.
#[cfg(target_os = "linux")]
pub(crate) fn forget(path: &Path) -> Result<(), Failure> {
    let file = File::open(path).context(path.display())?;
    file.sync_all().context(path.display())?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).context(path.display())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn forget(path: &Path) -> Result<(), Failure> {
    let _: File = File::open(path).context(path.display())?;
    Err(Failure::missing(
        "`cold = \"os\"` needs Linux: no other system here is asked to forget a file",
    ))
}

fn note_floor(notes: &mut Notes, record: &Record, floor: u64) {
    notes.set("floor_ns", floor);
    let median = record.commits.value_at_quantile(0.5);
    notes.set_float("commit_over_floor", median as f64 / floor.max(1) as f64);
}

/// Everything about the operations as metrics.
fn note_operations(notes: &mut Notes, plan: &PhasePlan, carried: &Carried) {
    let record = &carried.record;
    notes.set("time_ns", record.busy_ns);
    notes.set("operations", record.operations);
    notes.set_float("operations_per_second", record.per_second.round());
    notes.set("rows", record.rows);
    notes.set("edges_followed", record.edges);
    if record.edges > 0 {
        notes.set_float("edge_ns", record.busy_ns as f64 / record.edges as f64);
    }
    for (name, value) in quantiles(&record.all) {
        notes.set(name, value);
    }
    let mut rows = Vec::new();
    for (operation, histogram) in &record.each {
        let name = operation.name();
        notes.set(&format!("{name}.operations"), histogram.len());
        let mut row = vec![Cell::from(name), Cell::from(histogram.len())];
        for (quantile, value) in quantiles(histogram) {
            notes.set(&format!("{name}.{quantile}"), value);
            row.push(Cell::from(value));
        }
        rows.push(row);
    }
    notes
        .tables
        .push(registry::OPERATIONS.table(&plan.name, rows));
    let commits = record.commits.len();
    notes.set("commits", commits);
    if commits > 0 {
        notes.set("commit_p50_ns", record.commits.value_at_quantile(0.5));
        notes.set("commit_p99_ns", record.commits.value_at_quantile(0.99));
    }
    notes.set("findings", record.check_findings);
    let (accesses, hits) = carried.traversals;
    if accesses > 0 {
        notes.set("traversal_hits", hits);
        notes.set_float("traversal_hit_ratio", hits as f64 / accesses as f64);
    }
    if let Some(beside) = &carried.beside {
        notes.set("beside_operations", beside.operations);
        notes.set(
            "beside_commit_p50_ns",
            beside.commits.value_at_quantile(0.5),
        );
        notes.set(
            "beside_commit_p99_ns",
            beside.commits.value_at_quantile(0.99),
        );
    }
    notes.answer = Some(format!(
        "{}, {}; median {}, 99 % within {}",
        counted(record.operations, "operation", "operations"),
        Unit::PerSecond.show(record.per_second),
        Unit::Ns.show(record.all.value_at_quantile(0.5) as f64),
        Unit::Ns.show(record.all.value_at_quantile(0.99) as f64),
    ));
}

fn note_all(notes: &mut Notes, plan: &PhasePlan, carried: &Carried, around: &Around) {
    note_operations(notes, plan, carried);
    let operations = carried.record.operations.max(1) as f64;
    let commits = carried.record.commits.len();
    let io = &around.io;
    notes.set("pages_read", around.pages_read);
    notes.set_float("pages_per_operation", around.pages_read as f64 / operations);
    notes.set("bytes_written", io.written_bytes);
    notes.set_float("bytes_per_operation", io.written_bytes as f64 / operations);
    notes.set("syncs", io.syncs);
    if commits > 0 {
        notes.set_float("bytes_per_commit", io.written_bytes as f64 / commits as f64);
        notes.set_float("syncs_per_commit", io.syncs as f64 / commits as f64);
    }
    // Reopening starts these counters anew.
    let (now, before) = (&around.cache, &around.cache_before);
    notes.set("cache_bytes", now.capacity_bytes as u64);
    notes.set("cache_misses", now.misses.saturating_sub(before.misses));
    notes.set(
        "cache_evictions",
        now.evictions.saturating_sub(before.evictions),
    );
    notes.set("pinned_pages", carried.pinned_pages);
}

fn quantiles(histogram: &Histogram<u64>) -> [(&'static str, u64); 5] {
    [
        ("p50_ns", histogram.value_at_quantile(0.5)),
        ("p90_ns", histogram.value_at_quantile(0.9)),
        ("p99_ns", histogram.value_at_quantile(0.99)),
        ("p999_ns", histogram.value_at_quantile(0.999)),
        ("max_ns", histogram.max()),
    ]
}

fn latencies(phase: &str, record: Record) -> Vec<Latencies> {
    let named = |name: String, histogram| Latencies { name, histogram };
    let mut all = vec![named(phase.to_owned(), record.all)];
    if !record.commits.is_empty() {
        all.push(named(format!("{phase}.commit"), record.commits));
    }
    let each = record.each.into_iter();
    all.extend(
        each.map(|(operation, histogram)| {
            named(format!("{phase}.{}", operation.name()), histogram)
        }),
    );
    all
}
