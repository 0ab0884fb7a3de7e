//! The stages of a measurement, and which stores take them.

use std::fs;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::failure::{Context, Failure};

use super::account;
use super::csr::Csr;
use super::graph::Graph;
use super::memory;
use super::notes::Notes;
use super::reads;
use super::subject::{Config, Reader, Session, Store, Way};
use super::vellum::Vellum;
use super::{Size, StageArgs, writes};

const SEED: u64 = 42;
/// The engine's name among the stores, and that of the flat arrays.
pub(super) const VELLUM: &str = "vellum";
pub(super) const CSR: &str = "csr";

/// Every store, and whether this binary has it.
pub(super) const STORES: &[(&str, bool)] = &[
    (VELLUM, true),
    ("sqlite", cfg!(feature = "sqlite")),
    ("redb", cfg!(feature = "redb")),
    ("lmdb", cfg!(feature = "lmdb")),
    ("fjall", cfg!(feature = "fjall")),
    (CSR, true),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Stage {
    /// Loads by commits, reopening, reads, single commits.
    Main,
    /// Lookups by name, with an index of names.
    Names,
    /// The load in the store's fastest way.
    Bulk,
    /// The engine with growing caches.
    Caches,
    /// The engine with a cache of 32 MiB.
    Memory,
}

pub(super) const STAGES: &[(Stage, &str)] = &[
    (Stage::Main, "main"),
    (Stage::Names, "names"),
    (Stage::Bulk, "bulk"),
    (Stage::Caches, "caches"),
    (Stage::Memory, "memory"),
];

/// Caches from 16 pages on.
const CACHES: [u64; 6] = [64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20];

impl Stage {
    pub(super) fn name(self) -> &'static str {
        STAGES
            .iter()
            .find(|(stage, _)| *stage == self)
            .map_or("", |(_, name)| name)
    }

    pub(super) fn takes(self, store: &str, _: Size) -> bool {
        match self {
            Stage::Main => true,
            Stage::Names | Stage::Bulk => store != CSR,
            Stage::Caches | Stage::Memory => store == VELLUM,
        }
    }
}

/// What every stage has.
struct Given {
    config: Config,
    graph: Graph,
    budget: Duration,
    /// Reads of a row.
    reads: usize,
    /// Durable commits of a row.
    commits: usize,
}

pub(super) fn carry_out(args: &StageArgs) -> Result<Notes, Failure> {
    let (nodes, edges) = args.size.numbers();
    let given = Given {
        config: Config {
            folder: args.folder.join("db"),
            cache_bytes: args.size.cache_bytes(),
            name_index: args.stage == Stage::Names,
        },
        graph: Graph::new(nodes, edges, SEED),
        budget: Duration::from_secs(args.load_seconds),
        reads: (nodes as usize * 2).min(200_000),
        commits: 200,
    };
    let stage = args.stage;
    match args.store.as_str() {
        VELLUM => on::<Vellum>(stage, given),
        CSR => flat(&given),
        #[cfg(feature = "sqlite")]
        "sqlite" => on::<super::sqlite::Sqlite>(stage, given),
        #[cfg(feature = "redb")]
        "redb" => on::<super::redb::Redb>(stage, given),
        #[cfg(feature = "lmdb")]
        "lmdb" => on::<super::lmdb::Lmdb>(stage, given),
        #[cfg(feature = "fjall")]
        "fjall" => on::<super::fjall::Fjall>(stage, given),
        other => Err(Failure::missing(format!(
            "{other}: this lab was built without it; build it with `--features peers`"
        ))),
    }
}

fn on<S: Store>(stage: Stage, given: Given) -> Result<Notes, Failure> {
    fs::create_dir_all(&given.config.folder).context(given.config.folder.display())?;
    match stage {
        Stage::Main => main::<S>(&given),
        Stage::Names => names::<S>(&given),
        Stage::Bulk => bulk::<S>(given),
        Stage::Caches => caches::<S>(&given),
        Stage::Memory => memory::measure(&given.config, &given.graph, given.budget, given.reads),
    }
}

/// The flat arrays have reads only.
fn flat(given: &Given) -> Result<Notes, Failure> {
    let mut notes = Notes::default();
    let store = Csr::open(&given.config)?;
    store.bulk(&given.graph)?;
    reads::alone(&store.session()?, &given.graph, given.reads, &mut notes)?;
    Ok(notes)
}

fn main<S: Store>(given: &Given) -> Result<Notes, Failure> {
    let Given { config, graph, .. } = given;
    let mut notes = Notes::default();
    account::forget_peak();
    let before = account::resident();
    if !writes::load::<S>(config, graph, given.budget, &mut notes)? {
        fs::remove_dir_all(&config.folder).context(config.folder.display())?;
        fs::create_dir_all(&config.folder).context(config.folder.display())?;
        let store = S::open(config)?;
        store.bulk(graph)?;
        store.close()?;
    }
    writes::reopen::<S>(config, graph, &mut notes)?;
    let store = S::open(config)?;
    {
        let session = store.session()?;
        reads::alone(&session, graph, given.reads, &mut notes)?;
    }
    reads::together(&store, graph, given.reads, &mut notes)?;
    writes::small(&store, config, graph, given.commits, &mut notes)?;
    for setting in store.settings()? {
        notes.said(&setting.name, setting.value);
    }
    store.close()?;
    notes.value(
        "peak",
        account::peak().saturating_sub(before) as f64 / f64::from(1 << 20),
    );
    Ok(notes)
}

fn names<S: Store>(given: &Given) -> Result<Notes, Failure> {
    let Given { config, graph, .. } = given;
    let mut notes = Notes::default();
    let alone = Graph::new(graph.nodes, 0, SEED);
    let store = S::open(config)?;
    store.bulk(&alone)?;
    store.close()?;
    let bytes = account::disk(&config.folder)?;
    let above = bytes.saturating_sub(graph.payload()) as f64;
    notes.value("node_bytes_named", above / graph.nodes as f64);
    let store = S::open(config)?;
    let session = store.session()?;
    let mut reader = session.reader()?;
    let picks = graph.picks(given.reads / 4, 7);
    let named = |id: &u64| graph.node(*id).name;
    reads::row(&mut notes, "named", picks.len(), || {
        let mut sum = 0u64;
        for id in &picks {
            reader.named(named(id), |id| sum = sum.wrapping_add(id))?;
        }
        Ok(sum)
    })?;
    // Without its last digit a name begins about ten others.
    reads::row(&mut notes, "prefix", picks.len() / 4, || {
        let mut sum = 0u64;
        for id in &picks[..picks.len() / 4] {
            let name = named(id);
            reader.prefixed(&name[..name.len() - 1], |id| sum = sum.wrapping_add(id))?;
        }
        Ok(sum)
    })?;
    let absent: Vec<String> = picks.iter().map(|id| format!("{}x", named(id))).collect();
    reads::row(&mut notes, "named_miss", picks.len(), || {
        let mut sum = 0u64;
        for name in &absent {
            reader.named(name, |id| sum = sum.wrapping_add(id))?;
        }
        Ok(sum)
    })?;
    drop(reader);
    drop(session);
    store.close()?;
    Ok(notes)
}

fn bulk<S: Store>(mut given: Given) -> Result<Notes, Failure> {
    let mut notes = Notes::default();
    let edges = std::mem::take(&mut given.graph.edges);
    let store = S::open(&given.config)?;
    store.bulk(&given.graph)?;
    store.close()?;
    let of_nodes = account::disk(&given.config.folder)?;
    given.graph.edges = edges;
    fs::remove_dir_all(&given.config.folder).context(given.config.folder.display())?;
    fs::create_dir_all(&given.config.folder).context(given.config.folder.display())?;
    let started = Instant::now();
    let store = S::open(&given.config)?;
    store.bulk(&given.graph)?;
    store.close()?;
    let edges = given.graph.edges.len() as f64;
    notes.value("bulk", edges / started.elapsed().as_secs_f64());
    let bytes = account::disk(&given.config.folder)?;
    notes.value(
        "edge_bytes_bulk",
        bytes.saturating_sub(of_nodes) as f64 / edges,
    );
    Ok(notes)
}

/// How much slower a larger cache makes a row, at worst. Rounds go through all caches in turn.
fn caches<S: Store>(given: &Given) -> Result<Notes, Failure> {
    let mut notes = Notes::default();
    let store = S::open(&given.config)?;
    store.bulk(&given.graph)?;
    store.close()?;
    let picks = given.graph.picks(given.reads / 4, 3);
    let mut times = [const { [const { Vec::new() }; CACHES.len()] }; 2];
    for _ in 0..3 {
        for (place, cache_bytes) in CACHES.into_iter().enumerate() {
            let config = Config {
                cache_bytes,
                ..given.config.clone()
            };
            let store = S::open(&config)?;
            let session = store.session()?;
            let mut reader = session.reader()?;
            reads::gets(&mut reader, &picks)?;
            reads::lists(&mut reader, &picks, Way::Out)?;
            let started = Instant::now();
            reads::gets(&mut reader, &picks)?;
            times[0][place].push(started.elapsed().as_nanos() as f64);
            let started = Instant::now();
            reads::lists(&mut reader, &picks, Way::Out)?;
            times[1][place].push(started.elapsed().as_nanos() as f64);
            drop(reader);
            drop(session);
            store.close()?;
        }
    }
    for (key, times) in ["get", "out"].into_iter().zip(&times) {
        let medians: Vec<f64> = times
            .iter()
            .map(|times| crate::stats::median(times).unwrap_or(0.0) / picks.len() as f64)
            .collect();
        let worst = medians
            .windows(2)
            .map(|pair| pair[1] / pair[0])
            .fold(0.0, f64::max);
        notes.value(&format!("caches_{key}"), worst);
        notes.said(
            &format!("{key} by cache"),
            medians
                .iter()
                .zip(CACHES)
                .map(|(ns, bytes)| format!("{} KiB: {ns:.0} ns", bytes >> 10))
                .collect::<Vec<_>>()
                .join(", "),
        );
    }
    Ok(notes)
}
