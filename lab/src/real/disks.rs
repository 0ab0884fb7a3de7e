//! Disks that fail or fill up: a file system on an image whose storage runs out, and a small one.

use std::fs;
use std::path::Path;

use vellum::{Database, Error};

use crate::failure::Context;

use super::kill::{fresh, settle};
use super::ledger::{self, WRITERS};
use super::mounts::{Image, Tmpfs};
use super::{Bench, Stop, Tally};

/// Commits that a disk of the sizes below cannot take.
const TOO_MANY: u64 = 1_000_000;

/// A file system believes that it has room, and the storage under it runs out: a sync fails.
pub(super) fn failed_sync(bench: &Bench<'_>, tally: &mut Tally) -> Result<(), Stop> {
    for cycle in 0.. {
        let small = Tmpfs::mount(&bench.folder, (6 << 20) + ((cycle % 20) << 17))?;
        let image = Image::make(small.folder(), "ext4", 64 << 20)?;
        image.mount()?;
        let path = image.folder().join("failing.vellum");
        fresh(&path)?;
        let db = ledger::builder().open(&path)?;
        let mut told = vec![0; WRITERS as usize];
        let error = write_until_refused(&db, &mut told, tally)?;
        // What failed was a sync or a write that the engine cannot know the extent of.
        match (&error, ledger::write(&db, 0, told[0] + 2)) {
            (Error::Io { .. } | Error::Poisoned, Err(Error::Poisoned)) => {}
            (_, second) => tally.violations.push(format!(
                "after `{error}` the next commit gave {:?}; the handle is not poisoned",
                second.map_err(|error| error.to_string())
            )),
        }
        tally.refused += 2;
        drop(db);
        image.unmount()?;
        small.resize(96 << 20)?;
        image.mount()?;
        settle(&path, &mut told, tally)?;
        image.unmount()?;
        if !bench.counted(tally) {
            break;
        }
    }
    Ok(())
}

/// A small file system fills up, gets room again, and fills up again.
pub(super) fn full(bench: &Bench<'_>, tally: &mut Tally) -> Result<(), Stop> {
    for cycle in 0.. {
        let small = Tmpfs::mount(&bench.folder, (2 << 20) + ((cycle % 256) << 12))?;
        fill_twice(small.folder(), tally)?;
        if !bench.counted(tally) {
            break;
        }
    }
    Ok(())
}

fn fill_twice(folder: &Path, tally: &mut Tally) -> Result<(), Stop> {
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; 512 << 10]).context(ballast.display())?;
    let path = folder.join("full.vellum");
    fresh(&path)?;
    let mut told = vec![0; WRITERS as usize];
    let db = ledger::builder().open(&path)?;
    let error = write_until_refused(&db, &mut told, tally)?;
    tally.refused += 1;
    if !matches!(error, Error::Full { .. } | Error::Poisoned) {
        tally.violations.push(format!("a full disk gave `{error}`"));
        return Ok(());
    }
    fs::remove_file(&ballast).context(ballast.display())?;
    let full = matches!(error, Error::Full { .. });
    if full && let Err(error) = ledger::write(&db, 0, told[0] + 1) {
        tally
            .violations
            .push(format!("there is room again, and a commit gave `{error}`"));
        return Ok(());
    }
    told[0] += u64::from(full);
    tally.acknowledged += u64::from(full);
    drop(db);
    settle(&path, &mut told, tally)
}

/// Commits one after the other until one fails.
fn write_until_refused(db: &Database, told: &mut [u64], tally: &mut Tally) -> Result<Error, Stop> {
    for round in 0..TOO_MANY {
        let writer = round % WRITERS;
        let count = &mut told[writer as usize];
        match ledger::write(db, writer, *count + 1) {
            Ok(()) => {
                *count += 1;
                tally.acknowledged += 1;
            }
            Err(error) => return Ok(error),
        }
    }
    Err(crate::failure::Failure::lab("the disk took everything; it should have failed").into())
}
