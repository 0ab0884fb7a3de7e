//! The read rows. What is read is summed up, and the sums of all stores must be equal.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use xxhash_rust::xxh3::xxh3_64;

use crate::failure::Failure;

use super::graph::{Graph, KINDS};
use super::notes::Notes;
use super::subject::{Change, Reader, Session, Store, Way};

/// Rounds of each row in one process; the median counts.
const ROUNDS: usize = 3;
/// Starts of the walks of three steps.
const WALKS: usize = 20;

/// All bytes of a node.
pub(super) fn hash(kind: u8, name: &[u8], data: &[u8]) -> u64 {
    xxh3_64(name)
        .wrapping_add(xxh3_64(data).rotate_left(1))
        .wrapping_add(u64::from(kind))
}

/// Ids and labels of a list, in any order.
fn edge(label: u8, peer: u64) -> u64 {
    peer << 8 | u64::from(label)
}

/// Runs a row in rounds, and notes its time for each item and the sum that it came to.
pub(super) fn row(
    notes: &mut Notes,
    key: &str,
    items: usize,
    mut work: impl FnMut() -> Result<u64, Failure>,
) -> Result<f64, Failure> {
    let mut times = Vec::new();
    let mut sum = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        sum = black_box(work()?);
        times.push(started.elapsed().as_nanos() as f64 / items.max(1) as f64);
    }
    let median = crate::stats::median(&times).unwrap_or(0.0);
    notes.digest(key, sum);
    notes.value(key, median);
    Ok(median)
}

/// Reads everything once, both to warm every cache and for a digest of the content.
pub(super) fn content<R: Reader>(reader: &mut R, last: u64) -> Result<u64, Failure> {
    let mut sum = 0u64;
    for id in 1..=last {
        reader.node(id, |kind, name, data| {
            sum = sum.wrapping_add(hash(kind, name, data));
        })?;
        for way in [Way::Out, Way::In] {
            let mut list = 0u64;
            reader.neighbours(id, way, |label, peer| {
                list = list.wrapping_add(edge(label, peer));
            })?;
            sum = sum.wrapping_add(list.wrapping_mul(id));
        }
    }
    Ok(sum)
}

pub(super) fn gets<R: Reader>(reader: &mut R, picks: &[u64]) -> Result<u64, Failure> {
    let mut sum = 0u64;
    for id in picks {
        reader.node(*id, |kind, name, data| {
            sum = sum.wrapping_add(hash(kind, name, data));
        })?;
    }
    Ok(sum)
}

pub(super) fn lists<R: Reader>(reader: &mut R, picks: &[u64], way: Way) -> Result<u64, Failure> {
    let mut sum = 0u64;
    for id in picks {
        reader.neighbours(*id, way, |label, peer| {
            sum = sum.wrapping_add(edge(label, peer));
        })?;
    }
    Ok(sum)
}

/// Every row of one reading thread that needs no index of names.
pub(super) fn alone<S: Session>(
    session: &S,
    graph: &Graph,
    reads: usize,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let mut reader = session.reader()?;
    let picks = graph.picks(reads, 3);
    notes.digest("content", content(&mut reader, graph.nodes)?);
    row(notes, "get", reads, || gets(&mut reader, &picks))?;
    row(notes, "out", reads, || lists(&mut reader, &picks, Way::Out))?;
    row(notes, "in", reads, || lists(&mut reader, &picks, Way::In))?;
    row(notes, "miss", reads, || {
        let mut found = 0;
        for id in &picks {
            found += u64::from(reader.node(id + 2 * graph.nodes, |_, _, _| {})?);
        }
        Ok(found)
    })?;
    row(notes, "own_snapshot", reads, || {
        let mut sum = 0u64;
        for id in &picks {
            reader.fresh_node(*id, |kind, name, data| {
                sum = sum.wrapping_add(hash(kind, name, data));
            })?;
        }
        Ok(sum)
    })?;
    reader.refresh()?;
    row(notes, "hops3", WALKS, || {
        let mut sum = 0u64;
        for id in &picks[..WALKS] {
            sum = sum.wrapping_add(reader.reach(*id, 3, graph.nodes)?.1);
        }
        Ok(sum)
    })?;
    let hub = graph.hub();
    row(notes, "traversal", graph.edges.len(), || {
        Ok(reader.reach(hub, u32::MAX, graph.nodes)?.1)
    })?;
    row(notes, "kind", graph.nodes as usize, || {
        let mut sum = 0u64;
        for kind in 0..KINDS {
            reader.of_kind(kind, |id| {
                sum = sum.wrapping_add(id ^ u64::from(kind) << 32);
            })?;
        }
        Ok(sum)
    })?;
    if let Some(said) = reader.check() {
        notes.said("after reading", said);
    }
    Ok(())
}

/// Two readers against one, and one beside a writer that commits edges durably.
pub(super) fn together<S: Store>(
    store: &S,
    graph: &Graph,
    reads: usize,
    notes: &mut Notes,
) -> Result<(), Failure> {
    let picks = graph.picks(reads, 4);
    let run = |threads: usize, before: &(dyn Fn() -> Result<(), Failure> + Sync)| {
        let barrier = Barrier::new(threads);
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| -> Result<f64, Failure> {
                        let session = store.session()?;
                        let mut reader = session.reader()?;
                        gets(&mut reader, &picks)?;
                        barrier.wait();
                        before()?;
                        let started = Instant::now();
                        black_box(gets(&mut reader, &picks)?);
                        Ok(picks.len() as f64 / started.elapsed().as_secs_f64())
                    })
                })
                .collect();
            let mut rate = 0.0;
            for handle in handles {
                rate += handle
                    .join()
                    .map_err(|_| Failure::lab("a reading thread panicked"))??;
            }
            Ok::<f64, Failure>(rate)
        })
    };
    let nothing = || Ok(());
    let (mut two, mut beside) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let one = run(1, &nothing)?;
        two.push(run(2, &nothing)? / one);
        let stop = AtomicBool::new(false);
        let rate = std::thread::scope(|scope| {
            let writer = scope.spawn(|| -> Result<(), Failure> {
                // Out and in again, so that nothing is left of it.
                for edge in graph.spare.iter().rev().skip(round * 1000) {
                    store.commit(&[Change::Link(*edge)])?;
                    store.commit(&[Change::Unlink(*edge)])?;
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
                Ok(())
            });
            let rate = run(1, &nothing);
            stop.store(true, Ordering::Relaxed);
            writer
                .join()
                .map_err(|_| Failure::lab("the writing thread panicked"))??;
            rate
        })?;
        beside.push(one / rate);
    }
    notes.value("two_readers", crate::stats::median(&two).unwrap_or(0.0));
    notes.value(
        "beside_writer",
        crate::stats::median(&beside).unwrap_or(0.0),
    );
    Ok(())
}
