//! A process with several writers and readers, killed over and over.
//!
//! SIGKILL takes the process, not the machine: this shows recovery, and nothing about syncs.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::failure::{Context, Failure};
use crate::random::Random;

use super::ledger::{self, WRITERS, compare};
use super::victim::{Said, listen, start};
use super::{Bench, Stop, Tally};

/// Cycles after which a new database is begun, so that reading it all stays cheap.
const CYCLES_EACH: u64 = 250;
/// The longest life of a victim after it opened.
const LIFE_US: u32 = 6_000;

pub(super) fn run(bench: &Bench<'_>) -> Result<Tally, Stop> {
    let mut tally = Tally::default();
    let mut random = Random::new(bench.seed, 11);
    let path = bench.folder.join("killed.vellum");
    while tally.cycles < bench.cycles && tally.violations.is_empty() {
        fresh(&path)?;
        let mut told = vec![0; WRITERS as usize];
        for _ in 0..CYCLES_EACH.min(bench.cycles - tally.cycles) {
            cycle(&path, &mut told, &mut random, &mut tally)?;
            tally.cycles += 1;
            bench.console.progress("processes killed:", tally.cycles);
            if !tally.violations.is_empty() {
                return Ok(tally);
            }
        }
        settle(&path, &mut told, &mut tally)?;
    }
    Ok(tally)
}

/// A ledger without entries.
pub(super) fn fresh(path: &Path) -> Result<(), Stop> {
    for name in [path.to_owned(), path.with_extension("vellum-log")] {
        if name.exists() {
            std::fs::remove_file(&name).context(name.display())?;
        }
    }
    let db = ledger::builder().create(path)?;
    ledger::begin(&db)?;
    db.close()?;
    Ok(())
}

/// Opens the ledger here, and reads everything.
pub(super) fn settle(path: &Path, told: &mut [u64], tally: &mut Tally) -> Result<(), Stop> {
    let db = ledger::builder().open(path)?;
    tally.recovered += u64::from(db.recovery().is_some());
    match ledger::read_all(&db) {
        Ok(found) => {
            compare(tally, told, &found);
        }
        Err(what) => tally.violations.push(format!("{}: {what}", path.display())),
    }
    Ok(())
}

fn cycle(
    path: &Path,
    told: &mut [u64],
    random: &mut Random,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut child = start(&[], path, u64::MAX)?;
    let mut lines = listen(&mut child)?;
    // One in eight dies while it opens, the others some time after.
    let early = random.below(8) == 0;
    let life = Duration::from_micros(random.below(LIFE_US).into());
    let first = if early { None } else { lines.next() };
    thread::sleep(life);
    child.kill().context("killing a victim")?;
    child.wait().context("waiting for a victim")?;
    for said in first.into_iter().chain(lines) {
        match said {
            Said::Opened(found, recovered) => {
                tally.recovered += u64::from(recovered);
                compare(tally, told, &found);
            }
            Said::Acknowledged(writer) => {
                tally.acknowledged += 1;
                if let Some(told) = told.get_mut(writer) {
                    *told += 1;
                }
            }
            Said::Failed(what) | Said::Broken(what) => tally.violations.push(what),
        }
    }
    Ok(())
}
