//! What must hold of every state that a crash leaves.

use std::fmt;
use std::sync::Arc;

use vellum::storage::Directory;
use vellum::storage::sim::{Disk, Event, SimDirectory};
use vellum::{Database, Error};

use super::model::digest_of;
use super::states::acked;
use super::watched::{Question, Watched};
use super::workload::{NAME, builder};

/// What opening a state gave.
pub(crate) struct Recovered {
    /// The commit that it recovered to; 0 where there was no database yet.
    pub(crate) commit: u64,
    /// What recovery did to the disk, before anything new was written.
    pub(crate) events: Vec<Event>,
}

/// A session on a state: how it ended, and what it asked of the disk.
pub(crate) struct Session {
    pub(crate) result: Result<Recovered, Violation>,
    pub(crate) asked: Vec<Question>,
}

/// A rule that a state broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation(pub(crate) String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn broke(rule: impl Into<String>) -> Violation {
    Violation(rule.into())
}

fn failed(doing: &str) -> impl FnOnce(Error) -> Violation {
    let doing = doing.to_owned();
    move |error| Violation(format!("{doing}: {error}"))
}

/// Opens a state by the real recovery, compares everything readable with the model, checks the
/// structure, opens it again, and adds a commit that must survive.
pub(crate) fn examine(disk: &Disk, digests: &[String]) -> Session {
    let directory = SimDirectory::with(disk.clone());
    let watched = Watched::new(Arc::new(directory.clone()));
    let result = recover(&directory, &watched, digests).and_then(|commit| {
        let events = directory.events();
        add_commit(&directory, &watched, commit)?;
        Ok(Recovered { commit, events })
    });
    Session {
        result,
        asked: watched.asked(),
    }
}

/// Recovers, and says to which commit.
fn recover(
    directory: &SimDirectory,
    watched: &Watched,
    digests: &[String],
) -> Result<u64, Violation> {
    let options = builder(Arc::new(watched.clone()));
    if !watched.exists(NAME).unwrap_or(false) {
        // Nothing was created yet, as far as the disk knows: creating must work.
        let db = options.create(NAME).map_err(failed("creating again"))?;
        db.close().map_err(failed("closing a new database"))?;
        return Ok(0);
    }
    let db = options.open(NAME).map_err(failed("opening"))?;
    let commit = compare(&db, digests)?;
    // What was shown once must be shown for ever.
    directory.mark(acked(commit));
    let report = db.check().map_err(failed("checking"))?;
    if let Some(finding) = report.findings.first() {
        return Err(broke(format!("the check finds {finding:?}")));
    }
    drop(db);
    let before = directory.changes();
    let db = options
        .open_read_only(NAME)
        .map_err(failed("opening again"))?;
    let again = compare(&db, digests)?;
    if again != commit {
        return Err(broke(format!(
            "opened again it shows commit {again}, not {commit}"
        )));
    }
    drop(db);
    if directory.changes() != before {
        return Err(broke("opening again to read changed the disk"));
    }
    Ok(commit)
}

/// The commit that a database shows, once everything readable is as it was after it.
fn compare(db: &Database, digests: &[String]) -> Result<u64, Violation> {
    let txn = db.begin_read().map_err(failed("reading"))?;
    let found = digest_of(&txn).map_err(failed("reading"))?;
    match digests.iter().rposition(|digest| *digest == found) {
        Some(commit) => Ok(commit as u64),
        None => Err(broke(format!(
            "it shows no state after any commit (it says commit {})",
            txn.commit_number()
        ))),
    }
}

/// A commit after recovery survives a crash that follows at once.
fn add_commit(directory: &SimDirectory, watched: &Watched, commit: u64) -> Result<(), Violation> {
    let db = builder(Arc::new(watched.clone()))
        .open(NAME)
        .map_err(failed("opening to write"))?;
    let mut txn = db.begin_write().map_err(failed("writing after recovery"))?;
    let node = txn
        .insert_node("after", "the crash", b"")
        .map_err(failed("writing after recovery"))?;
    txn.commit().map_err(failed("committing after recovery"))?;
    let copy = SimDirectory::with(directory.disk());
    let copy = watched.continued(Arc::new(copy));
    drop(db);
    let db = builder(Arc::new(copy))
        .open(NAME)
        .map_err(failed("opening after a new commit"))?;
    let txn = db.begin_read().map_err(failed("reading"))?;
    let found = txn.node(node).map_err(failed("reading the new commit"))?;
    if found.is_none_or(|node| node.name() != "the crash") {
        return Err(broke(format!(
            "a commit added after recovering to {commit} is gone"
        )));
    }
    Ok(())
}
