//! Power cuts of a real file system: it is shut down under several writers, as if the power had gone,
//! mounted again, and what is found is compared with what was acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use vellum::Database;

use crate::failure::Context;
use crate::random::Random;

use super::ledger::{self, WRITERS, compare};
use super::mounts::{Image, shut_down};
use super::{Bench, Stop, Tally};

/// Cycles after which a new file system is made.
const CYCLES_EACH: u64 = 400;
/// The longest that writers write before the power goes.
const LIFE_US: u32 = 12_000;
const XFS_LEAST: u64 = 320 << 20;
const EXT4_BYTES: u64 = 64 << 20;

pub(super) fn run(bench: &Bench<'_>, kind: &'static str) -> Result<Tally, Stop> {
    let mut tally = Tally::default();
    let mut random = Random::new(bench.seed, 12);
    let bytes = if kind == "xfs" { XFS_LEAST } else { EXT4_BYTES };
    while tally.cycles < bench.cycles && tally.violations.is_empty() {
        let image = Image::make(&bench.folder, kind, bytes)?;
        image.mount()?;
        super::kill::fresh(&image.folder().join("cut.vellum"))?;
        let mut told = vec![0; WRITERS as usize];
        for _ in 0..CYCLES_EACH.min(bench.cycles - tally.cycles) {
            cycle(&image, &mut told, &mut random, &mut tally)?;
            tally.cycles += 1;
            bench.console.progress("power cuts:", tally.cycles);
            if !tally.violations.is_empty() {
                return Ok(tally);
            }
        }
        super::kill::settle(&image.folder().join("cut.vellum"), &mut told, &mut tally)?;
        image.unmount()?;
    }
    Ok(tally)
}

fn cycle(
    image: &Image,
    told: &mut [u64],
    random: &mut Random,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let db = ledger::builder().open(image.folder().join("cut.vellum"))?;
    tally.recovered += u64::from(db.recovery().is_some());
    let txn = db.begin_read()?;
    let found = ledger::read(&txn);
    drop(txn);
    match found {
        Ok(found) if compare(tally, told, &found) => {}
        Ok(_) => return Ok(()),
        Err(what) => {
            tally.violations.push(what);
            return Ok(());
        }
    }
    let life = Duration::from_micros(random.below(LIFE_US).into());
    let acknowledged: Vec<AtomicU64> = told.iter().map(|count| AtomicU64::new(*count)).collect();
    let refused = thread::scope(|scope| -> Result<u64, Stop> {
        let writers: Vec<_> = (0..)
            .zip(&acknowledged)
            .map(|(writer, count)| {
                let db = &db;
                scope.spawn(move || write(db, writer, count))
            })
            .collect();
        thread::sleep(life);
        shut_down(image.folder())?;
        Ok(writers
            .into_iter()
            .filter_map(|writer| writer.join().ok())
            .count() as u64)
    })?;
    tally.refused += refused;
    for (told, count) in told.iter_mut().zip(&acknowledged) {
        let count = count.load(Ordering::Relaxed);
        tally.acknowledged += count - *told;
        *told = count;
    }
    drop(db);
    image.unmount()?;
    image.mount()?;
    Ok(())
}

/// Writes until a commit fails. A commit that returned is counted before anything else happens.
fn write(db: &Database, writer: u64, count: &AtomicU64) {
    loop {
        let number = count.load(Ordering::Relaxed) + 1;
        if ledger::write(db, writer, number).is_err() {
            return;
        }
        count.store(number, Ordering::Relaxed);
    }
}

/// The name of what a file system's tools are missing, if any.
pub(super) fn tool(name: &str) -> Result<(), Stop> {
    std::process::Command::new(name)
        .arg("-V")
        .output()
        .map(|_| ())
        .map_err(|error| super::skip(format!("{name} cannot be run: {error}")))
}

/// Runs a tool to its end.
pub(super) fn call(program: &str, arguments: &[&str]) -> Result<String, Stop> {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .context(program)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(super::skip(format!(
            "{program} {}: {said}",
            arguments.join(" ")
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
