//! A process with several writers and readers, killed over and over.
//!
//! SIGKILL takes the process, not the machine: this shows recovery, and nothing about syncs.

use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::failure::{Context, Failure};
use crate::random::Random;

use super::ledger::{self, WRITERS, compare, compare_within};
use super::victim::{Said, listen, start};
use super::{Bench, Stop, Tally};

/// Cycles after which a new database is begun, so that reading it all stays cheap.
const CYCLES_EACH: u64 = 100;
/// The longest life of a victim after the acknowledgement that was waited for.
const LIFE_US: u32 = 500;
/// At most so many acknowledgements are waited for.
const WAITED: u32 = 12;

pub(super) fn run(bench: &Bench<'_>, tally: &mut Tally) -> Result<(), Stop> {
    let mut random = Random::new(bench.seed, 11);
    let path = bench.folder.join("killed.vellum");
    while bench.goes_on(tally) {
        fresh(&path)?;
        let mut told = vec![0; WRITERS as usize];
        for _ in 0..CYCLES_EACH {
            cycle(&path, &mut told, &mut random, tally)?;
            if !bench.counted(tally) {
                break;
            }
        }
        if tally.violations.is_empty() {
            settle(&path, &mut told, tally)?;
        }
    }
    Ok(())
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
    let returned = told.to_vec();
    settle_within(path, told, &returned, tally)
}

/// The same, where more commits had returned than were acknowledged in time.
pub(super) fn settle_within(
    path: &Path,
    told: &mut [u64],
    returned: &[u64],
    tally: &mut Tally,
) -> Result<(), Stop> {
    let db = ledger::builder().open(path)?;
    tally.recovered += u64::from(db.recovery().is_some());
    match ledger::read_all(&db) {
        Ok(found) => {
            compare_within(tally, told, returned, &found);
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
    // One in eight dies while it opens, the others amid their commits.
    let early = random.below(8) == 0;
    let waited = if early { 0 } else { 1 + random.below(WAITED) };
    let life = Duration::from_micros(random.below(LIFE_US).into());
    let opened = if early { None } else { lines.next() };
    let mut heard: Vec<Said> = opened.into_iter().collect();
    heard.extend(lines.by_ref().take(waited as usize));
    thread::sleep(life);
    child.kill().context("killing a victim")?;
    child.wait().context("waiting for a victim")?;
    let before = tally.acknowledged;
    for said in heard.into_iter().chain(lines) {
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
    tally.amid += u64::from(tally.acknowledged > before);
    Ok(())
}
