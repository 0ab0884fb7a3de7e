//! Power cuts of a real file system: it is shut down under several writers, as if the power had gone,
//! mounted again, and what is found is compared with what was acknowledged.
//!
//! What counts was acknowledged before the call that shuts down began. Where power goes nobody hears of a sync
//! that ends afterwards, but this call lets syncs under way succeed whose journal it cuts off: ext4 of Linux 6.18 loses
//! the end of a file that a plain program appends to and syncs in every tenth cut.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use vellum::Database;

use crate::failure::Context;
use crate::random::Random;

use super::ledger::{self, WRITERS, compare_within};
use super::mounts::{Image, shut_down};
use super::{Bench, Stop, Tally};

/// Cycles after which a new file system is made.
const CYCLES_EACH: u64 = 400;
/// At most so many acknowledgements are waited for before the power goes.
const WAITED: u32 = 12;
/// The longest that writers go on afterwards.
const LIFE_US: u32 = 1_500;
/// How often acknowledgements are looked at.
const POLL: Duration = Duration::from_micros(50);
const XFS_LEAST: u64 = 320 << 20;
const EXT4_BYTES: u64 = 64 << 20;

pub(super) fn run(bench: &Bench<'_>, kind: &'static str, tally: &mut Tally) -> Result<(), Stop> {
    let mut random = Random::new(bench.seed, 12);
    let bytes = if kind == "xfs" { XFS_LEAST } else { EXT4_BYTES };
    while bench.goes_on(tally) {
        let image = Image::make(&bench.folder, kind, bytes)?;
        image.mount()?;
        super::kill::fresh(&image.folder().join("cut.vellum"))?;
        let mut told = vec![0; WRITERS as usize];
        let mut returned = told.clone();
        for _ in 0..CYCLES_EACH {
            cycle(&image, &mut told, &mut returned, &mut random, tally)?;
            if !bench.counted(tally) {
                break;
            }
        }
        if tally.violations.is_empty() {
            let database = image.folder().join("cut.vellum");
            super::kill::settle_within(&database, &mut told, &returned, tally)?;
        }
        image.unmount()?;
    }
    Ok(())
}

fn cycle(
    image: &Image,
    told: &mut [u64],
    returned: &mut Vec<u64>,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<(), Stop> {
    let db = ledger::builder().open(image.folder().join("cut.vellum"))?;
    tally.recovered += u64::from(db.recovery().is_some());
    let txn = db.begin_read()?;
    let found = ledger::read(&txn);
    drop(txn);
    match found {
        Ok(found) if compare_within(tally, told, returned, &found) => {}
        Ok(_) => return Ok(()),
        Err(what) => {
            tally.violations.push(what);
            return Ok(());
        }
    }
    // One in eight goes down before anybody is sure to have written.
    let early = random.below(8) == 0;
    let waited = if early { 0 } else { 1 + random.below(WAITED) };
    let life = Duration::from_micros(random.below(LIFE_US).into());
    let before: u64 = told.iter().sum();
    let acknowledged: Vec<AtomicU64> = told.iter().map(|count| AtomicU64::new(*count)).collect();
    let counts = || -> Vec<u64> {
        let counts = acknowledged.iter();
        counts.map(|count| count.load(Ordering::SeqCst)).collect()
    };
    let (in_time, refused) = thread::scope(|scope| -> Result<(Vec<u64>, u64), Stop> {
        let writers: Vec<_> = (0..)
            .zip(&acknowledged)
            .map(|(writer, count)| {
                let db = &db;
                scope.spawn(move || write(db, writer, count))
            })
            .collect();
        while counts().iter().sum::<u64>() < before + u64::from(waited)
            && !writers.iter().all(thread::ScopedJoinHandle::is_finished)
        {
            thread::sleep(POLL);
        }
        thread::sleep(life);
        let in_time = counts();
        shut_down(image.folder())?;
        let ended = writers.into_iter().filter_map(|writer| writer.join().ok());
        Ok((in_time, ended.count() as u64))
    })?;
    tally.refused += refused;
    let before = tally.acknowledged;
    *returned = counts();
    for (told, count) in told.iter_mut().zip(in_time) {
        tally.acknowledged += count - *told;
        *told = count;
    }
    tally.amid += u64::from(tally.acknowledged > before);
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
        count.store(number, Ordering::SeqCst);
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
