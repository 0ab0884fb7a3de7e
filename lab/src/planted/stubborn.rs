//! A session that goes on after a sync failed, as a program does that looks at no error: no commit may be
//! acknowledged, and nothing may reach the disk, behind the failure.

use vellum::storage::sim::{Call, Disk, Fault, FaultKind, SimDirectory, SyncFailure};

use super::session::{NAME, builder, commit};
use crate::ordering;

/// The mark of an acknowledged commit.
const PROMISE: u64 = 1;

/// Every sync fails once, in every way.
///
/// # Errors
/// The first rule about the order of writes that is broken.
pub(super) fn in_order() -> Result<(), String> {
    let calls = {
        let directory = SimDirectory::new();
        go_on(&directory, None).map_err(|error| format!("creating: {error}"))?;
        directory.calls()
    };
    let syncs = calls
        .iter()
        .enumerate()
        .filter(|(_, call)| **call == Call::Sync);
    for (call, _) in syncs {
        for failure in [SyncFailure::Dirty, SyncFailure::Clean, SyncFailure::Dropped] {
            let directory = SimDirectory::new();
            let fault = Fault {
                call,
                kind: FaultKind::SyncFails(failure),
                lasts: false,
            };
            // A creation that fails has no handle that could go on.
            if go_on(&directory, Some(fault)).is_err() {
                continue;
            }
            let events = directory.events();
            let broken = ordering::broken(NAME, &Disk::default(), &events, |mark| mark == PROMISE);
            if let Some(broken) = broken.first() {
                return Err(format!("call {call}, {failure:?}: {broken}"));
            }
        }
    }
    Ok(())
}

fn go_on(directory: &SimDirectory, fault: Option<Fault>) -> vellum::Result<()> {
    directory.plan(fault);
    let db = builder(directory).create(NAME)?;
    for round in 0..4 {
        if commit(&db, round).is_ok() {
            directory.mark(PROMISE);
        }
        if round % 2 == 1 {
            let _ = db.checkpoint();
        }
    }
    // Dropped rather than closed: a handle that is poisoned leaves the files alone.
    drop(db);
    Ok(())
}
