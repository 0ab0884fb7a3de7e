//! The engine in little memory: a run of its own, with a cache much smaller than the file and all buffers at their
//! defaults.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use vellum::storage::{Directory, FileDirectory, OpenMode};

use crate::failure::{Context, Failure};
use crate::stats;

use super::account;
use super::graph::Graph;
use super::notes::Notes;
use super::reads;
use super::subject::{Config, Session, Store};
use super::vellum::Vellum;
use super::writes;

const CACHE_BYTES: u64 = 32 << 20;
/// The write buffer at its default; a bulk load sorts within as much.
const BUFFER_BYTES: u64 = 64 << 20;
const PAGE_BYTES: u64 = 4096;
const MIB: f64 = (1 << 20) as f64;
const ROUNDS: usize = 3;

/// Loads by commits and in bulk, and gets of random nodes. `reads`: gets of a round.
pub(super) fn measure(
    config: &Config,
    graph: &Graph,
    budget: Duration,
    reads: usize,
) -> Result<Notes, Failure> {
    let config = Config {
        cache_bytes: CACHE_BYTES,
        ..config.clone()
    };
    let mut notes = Notes::default();
    account::forget_peak();
    let before = account::resident();
    let bulk = Config {
        folder: config.folder.join("bulk"),
        ..config.clone()
    };
    fs::create_dir_all(&bulk.folder).context(bulk.folder.display())?;
    let store = Vellum::open(&bulk)?;
    store.bulk(graph)?;
    store.close()?;
    fs::remove_dir_all(&bulk.folder).context(bulk.folder.display())?;
    // The rates of this load are rows of their own, taken with the cache that those have.
    let whole = writes::load::<Vellum>(&config, graph, budget, &mut Notes::default())?;
    if !whole {
        notes.said("in 32 MiB", "the load was cut short by its time".to_owned());
    }
    gets(&config, graph, reads, &mut notes)?;
    let above = account::peak().saturating_sub(before);
    let budgets = CACHE_BYTES + BUFFER_BYTES;
    notes.value("memory_peak", (above as f64 - budgets as f64) / MIB);
    Ok(notes)
}

/// Gets of random nodes, and as many bare reads of random pages as the gets had misses.
fn gets(config: &Config, graph: &Graph, reads: usize, notes: &mut Notes) -> Result<(), Failure> {
    let store = Vellum::open(config)?;
    let picks = graph.picks(reads, 11);
    let session = store.session()?;
    let mut reader = session.reader()?;
    reads::gets(&mut reader, &picks)?;
    let path = config.folder.join("main.vellum");
    let pages = fs::metadata(&path).context(path.display())?.len() / PAGE_BYTES;
    let (mut got, mut bare) = (Vec::new(), Vec::new());
    let mut missed = 0;
    for _ in 0..ROUNDS {
        let misses = store.misses();
        let started = Instant::now();
        black_box(reads::gets(&mut reader, &picks)?);
        got.push(started.elapsed().as_nanos() as f64 / picks.len() as f64);
        missed = store.misses() - misses;
        bare.push(bare_reads(config, &picks, missed, pages)? / picks.len() as f64);
    }
    let median = |times: &[f64]| stats::median(times).unwrap_or(0.0);
    let (got, bare) = (median(&got), median(&bare));
    notes.value("memory_get", got);
    // Where hardly a page is missing, there is nothing to hold the gets against.
    if missed > reads as u64 / 4 {
        notes.value("memory_get_over_pread", got / bare);
    }
    notes.said(
        "in 32 MiB",
        format!(
            "file {:.1} times the cache, {:.2} pages missing a get",
            (pages * PAGE_BYTES) as f64 / CACHE_BYTES as f64,
            missed as f64 / picks.len() as f64
        ),
    );
    drop(reader);
    drop(session);
    store.close()
}

/// Nanoseconds of so many bare reads of pages anywhere in the file.
fn bare_reads(config: &Config, picks: &[u64], count: u64, pages: u64) -> Result<f64, Failure> {
    let file = FileDirectory::new(&config.folder)
        .open("main.vellum", OpenMode::Read)
        .context("main.vellum")?;
    let mut page = [0; PAGE_BYTES as usize];
    let started = Instant::now();
    for (number, pick) in (0..count).zip(picks.iter().cycle()) {
        let at = pick.wrapping_mul(0x9E37_79B9).wrapping_add(number * 7_919) % pages;
        file.read_at(at * PAGE_BYTES, &mut page)
            .context("main.vellum")?;
        black_box(&page);
    }
    Ok(started.elapsed().as_nanos() as f64)
}
