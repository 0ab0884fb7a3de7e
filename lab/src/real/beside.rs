//! What somebody else sees of a database that is open: a clear refusal, or from a copy of its files a correct
//! view that leaves the copy as it is.

use std::fs;
use std::path::{Path, PathBuf};

use vellum::{Database, Error};

use crate::failure::Context;

use super::ledger::{self, compare};
use super::{Stop, Tally};

/// Writes a commit, so that there is a live log, and looks from beside.
pub(super) fn look(
    db: &Database,
    path: &Path,
    told: &mut [u64],
    tally: &mut Tally,
) -> Result<(), Stop> {
    ledger::write(db, 0, told[0] + 1)?;
    told[0] += 1;
    tally.acknowledged += 1;
    let opened = ledger::builder().open_read_only(path).map(|_| ());
    match opened {
        Err(Error::Locked { .. }) => tally.refused += 1,
        other => tally.violations.push(format!(
            "beside a writer, opening to read gave {:?}",
            other.map_err(|error| error.to_string())
        )),
    }
    copied(path, told, tally)?;
    without_log(path, tally)
}

/// A copy of both files shows every commit, and stays as it is.
fn copied(path: &Path, told: &[u64], tally: &mut Tally) -> Result<(), Stop> {
    let copy = path.with_file_name("copied.vellum");
    let (from, to) = (
        [path.to_owned(), log_of(path)],
        [copy.clone(), log_of(&copy)],
    );
    for (from, to) in from.iter().zip(&to) {
        fs::copy(from, to).context(from.display())?;
    }
    let bytes = |path: &PathBuf| fs::read(path).context(path.display());
    let before = (bytes(&to[0])?, bytes(&to[1])?);
    let seen = ledger::builder().open_read_only(&copy);
    let seen = seen.map_err(|error| error.to_string()).and_then(|db| {
        tally.recovered += u64::from(db.recovery().is_some());
        ledger::read_all(&db)
    });
    match seen {
        Ok(found) => {
            compare(tally, &mut told.to_vec(), &found);
            if found != told {
                let what = format!("a copy with its log shows {found:?}, not {told:?}");
                tally.violations.push(what);
            }
        }
        Err(what) => tally
            .violations
            .push(format!("a copy with its log: {what}")),
    }
    if before != (bytes(&to[0])?, bytes(&to[1])?) {
        tally
            .violations
            .push("reading a copy changed it".to_owned());
    }
    Ok(())
}

/// A copy without the log that it names is refused.
fn without_log(path: &Path, tally: &mut Tally) -> Result<(), Stop> {
    let alone = path.with_file_name("alone.vellum");
    fs::copy(path, &alone).context(path.display())?;
    match ledger::builder().open(&alone).map(|_| ()) {
        Err(Error::Corrupt(_)) => tally.refused += 1,
        other => tally.violations.push(format!(
            "a copy without its log gave {:?}",
            other.map_err(|error| error.to_string())
        )),
    }
    Ok(())
}

fn log_of(path: &Path) -> PathBuf {
    path.with_extension("vellum-log")
}
