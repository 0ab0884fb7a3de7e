//! The write rows: loads, and single durable commits beside a bare sync of as many bytes.

use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::run::mix::awake::Spinner;

use super::account::{self, Floor};
use super::graph::{Graph, Node};
use super::notes::Notes;
use super::reads;
use super::subject::{Change, Config, Reader, Session, Store};

const NODES_PER_COMMIT: usize = 1_000;
const EDGES_PER_COMMIT: usize = 10_000;
/// What a small commit is compared with: a record of a few hundred bytes.
const FLOOR_BYTES: usize = 512;
const THREADS: usize = 8;

/// Loads by commits, with settling and closing inside the clock. False: time was up first, and the
/// database holds a part of the edges only.
pub(super) fn load<S: Store>(
    config: &Config,
    graph: &Graph,
    budget: Duration,
    notes: &mut Notes,
) -> Result<bool, Failure> {
    let started = Instant::now();
    let store = S::open(config)?;
    let nodes: Vec<Change<'_>> = graph.all_nodes().map(Change::Insert).collect();
    for batch in nodes.chunks(NODES_PER_COMMIT) {
        store.commit(batch)?;
    }
    store.close()?;
    let seconds = started.elapsed().as_secs_f64();
    notes.value("node_load", graph.nodes as f64 / seconds);
    let of_nodes = account::disk(&config.folder)?;
    let above = of_nodes.saturating_sub(graph.payload()) as f64;
    notes.value("node_bytes", above / graph.nodes as f64);

    let before = account::written();
    let started = Instant::now();
    let store = S::open(config)?;
    let mut loaded = 0;
    let mut batch = Vec::with_capacity(EDGES_PER_COMMIT);
    for edges in graph.edges.chunks(EDGES_PER_COMMIT) {
        if started.elapsed() > budget {
            break;
        }
        batch.clear();
        batch.extend(edges.iter().map(|edge| Change::Link(*edge)));
        store.commit(&batch)?;
        loaded += edges.len();
    }
    store.close()?;
    let seconds = started.elapsed().as_secs_f64();
    let bytes = account::disk(&config.folder)?;
    notes.value("edge_load", loaded as f64 / seconds);
    notes.value("edges_loaded", loaded as f64);
    notes.value(
        "amplification",
        (account::written() - before) as f64 / bytes as f64,
    );
    notes.value(
        "edge_bytes",
        bytes.saturating_sub(of_nodes) as f64 / loaded.max(1) as f64,
    );
    Ok(loaded == graph.edges.len())
}

/// Opening and the first get, with the kernel's cache warm and cold.
pub(super) fn reopen<S: Store>(
    config: &Config,
    graph: &Graph,
    notes: &mut Notes,
) -> Result<(), Failure> {
    for (key, cold) in [("reopen_warm", false), ("reopen_cold", true)] {
        let mut times = Vec::new();
        for id in graph.picks(7, 5) {
            if cold {
                for file in account::files(&config.folder)? {
                    crate::run::mix::forget(&file)?;
                }
            }
            let started = Instant::now();
            let store = S::open(config)?;
            let session = store.session()?;
            session.reader()?.node(id, |_, _, _| {})?;
            times.push(started.elapsed().as_nanos() as f64 / 1000.0);
            drop(session);
            store.close()?;
        }
        notes.value(key, crate::stats::median(&times).unwrap_or(0.0));
    }
    Ok(())
}

/// Single commits, each followed by a bare sync. Notes the time of one and how often the sync goes into it.
fn singles<'g, S: Store>(
    store: &S,
    floor: &mut Floor,
    key: &str,
    changes: impl Iterator<Item = Change<'g>>,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let (mut times, mut floors) = (Vec::new(), Vec::new());
    for change in changes {
        let started = Instant::now();
        store.commit(&[change])?;
        times.push(started.elapsed().as_nanos() as f64 / 1000.0);
        floors.push(floor.write(FLOOR_BYTES)? as f64 / 1000.0);
    }
    let time = crate::stats::median(&times).unwrap_or(0.0);
    let bare = crate::stats::median(&floors).unwrap_or(0.0);
    notes.value(key, time);
    notes.value(&format!("{key}_floor"), bare);
    notes.value(&format!("{key}_over_floor"), time / bare.max(0.001));
    Ok(())
}

/// Every row of small durable commits. `count`: commits of each kind.
pub(super) fn small<S: Store>(
    store: &S,
    config: &Config,
    graph: &Graph,
    count: usize,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let spinner = Spinner::start();
    let mut floor = Floor::new(config.folder.parent().unwrap_or(&config.folder))?;
    let fresh = (1..=count as u64).map(|more| Change::Insert(graph.node(graph.nodes + more)));
    singles(store, &mut floor, "insert_node", fresh, notes)?;
    let spare = &graph.spare;
    let links = spare[..count].iter().map(|edge| Change::Link(*edge));
    singles(store, &mut floor, "insert_edge", links, notes)?;
    let updates = graph.picks(count, 6).into_iter().map(|id| {
        Change::Update(Node {
            data: graph.node(graph.nodes + id % count as u64 + 1).data,
            ..graph.node(id)
        })
    });
    singles(store, &mut floor, "update", updates, notes)?;
    let unlinks = graph.edges[..count]
        .iter()
        .map(|edge| Change::Unlink(*edge));
    singles(store, &mut floor, "delete_edge", unlinks, notes)?;
    let mut at = count;
    mixed(store, graph, count, &mut at, notes)?;
    threads(store, graph, count, &mut at, notes)?;
    let mut doomed = graph.picks(count / 2, 8);
    doomed.sort_unstable();
    doomed.dedup();
    let deletes = doomed.into_iter().map(|id| Change::Delete(graph.node(id)));
    singles(store, &mut floor, "delete_node", deletes, notes)?;
    drop(spinner);
    let session = store.session()?;
    let mut reader = session.reader()?;
    let last = graph.nodes + count as u64;
    notes.digest("after_writes", reads::content(&mut reader, last)?);
    Ok(())
}

/// Of twenty operations nineteen are gets, each of a snapshot of its own.
fn mixed<S: Store>(
    store: &S,
    graph: &Graph,
    count: usize,
    at: &mut usize,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let session = store.session()?;
    let mut reader = session.reader()?;
    let picks = graph.picks(count * 20, 9);
    let started = Instant::now();
    let mut sum = 0u64;
    for (number, id) in picks.iter().enumerate() {
        if number % 20 == 0 {
            store.commit(&[Change::Link(graph.spare[*at])])?;
            *at += 1;
        } else {
            reader.fresh_node(*id, |kind, name, data| {
                sum = sum.wrapping_add(reads::hash(kind, name, data));
            })?;
        }
    }
    notes.value(
        "mixed",
        picks.len() as f64 / started.elapsed().as_secs_f64(),
    );
    notes.digest("mixed", sum);
    Ok(())
}

fn threads<S: Store>(
    store: &S,
    graph: &Graph,
    count: usize,
    at: &mut usize,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let mut rates = Vec::new();
    for threads in [1, THREADS] {
        let spare = &graph.spare[*at..*at + count * threads];
        *at += spare.len();
        let started = Instant::now();
        std::thread::scope(|scope| {
            let handles: Vec<_> = spare
                .chunks(count)
                .map(|edges| {
                    scope.spawn(move || {
                        edges
                            .iter()
                            .try_for_each(|edge| store.commit(&[Change::Link(*edge)]))
                    })
                })
                .collect();
            handles.into_iter().try_for_each(|handle| {
                handle
                    .join()
                    .map_err(|_| Failure::lab("a committing thread panicked"))?
            })
        })?;
        rates.push(spare.len() as f64 / started.elapsed().as_secs_f64());
    }
    notes.value("commits_one", rates[0]);
    notes.value("commits_eight", rates[1]);
    notes.value("threads8", rates[1] / rates[0]);
    Ok(())
}
