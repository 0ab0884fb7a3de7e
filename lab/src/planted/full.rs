//! A session on a disk that is full at one call: what failed is done again, and then every answer is as if
//! nothing had failed.

use std::io::ErrorKind;

use vellum::storage::sim::{Fault, FaultKind, SimDirectory, Survives};
use vellum::{Database, Error, Result};

use super::session::{NAME, builder, commit};
use crate::content::content;

const ROUNDS: u64 = 6;
const FULL: FaultKind = FaultKind::Fails(ErrorKind::StorageFull, Survives::None);

/// What the database answers before it is closed, and opened again.
type Answers = [String; 2];

/// Every call that may need space finds none, once.
///
/// # Errors
/// The first call after which something is answered otherwise, or is not done.
pub(super) fn goes_on() -> std::result::Result<(), String> {
    let quiet = SimDirectory::new();
    let right = rounds(&quiet, None).map_err(|error| format!("with space: {error}"))?;
    for (call, _) in (0..)
        .zip(quiet.calls())
        .filter(|(_, call)| FULL.fits(*call))
    {
        let fault = Fault {
            call,
            kind: FULL,
            lasts: false,
        };
        match rounds(&SimDirectory::new(), Some(fault)) {
            Ok(None) => {}
            Ok(found) if found == right => {}
            Ok(_) => return Err(format!("no space at call {call}: another answer")),
            Err(error) => return Err(format!("no space at call {call}: {error}")),
        }
    }
    Ok(())
}

/// Commits and checkpoints, each done again if it failed for want of space. Nothing is answered where that ended
/// the handle, or left no database.
fn rounds(directory: &SimDirectory, fault: Option<Fault>) -> Result<Option<Answers>> {
    directory.plan(fault);
    let Ok(db) = builder(directory).create(NAME) else {
        return Ok(None);
    };
    for round in 0..ROUNDS {
        if !done(|| commit(&db, round))? || round % 2 == 1 && !done(|| db.checkpoint())? {
            return Ok(None);
        }
    }
    let shown = all(&db)?;
    if !done(|| db.checkpoint())? {
        return Ok(None);
    }
    match db.close() {
        // Closing is not tried again; opening then finds what was committed in the log.
        Ok(()) | Err(Error::Full { .. } | Error::Io { .. } | Error::Poisoned) => {}
        Err(error) => return Err(error),
    }
    // Opening needs space too, and is refused without it; what is asked here is what is found.
    directory.plan(None);
    let db = builder(directory).open(NAME)?;
    Ok(Some([shown, all(&db)?]))
}

/// Whether a step is done, at the second try if the first found no space; otherwise nobody writes any more.
fn done(step: impl Fn() -> Result<()>) -> Result<bool> {
    let first = step();
    let last = match first {
        Err(Error::Full { .. }) => step(),
        other => other,
    };
    match last {
        Ok(()) => Ok(true),
        Err(Error::Io { .. } | Error::Poisoned) => Ok(false),
        Err(error) => Err(error),
    }
}

fn all(db: &Database) -> Result<String> {
    content(&db.begin_read()?)
}
