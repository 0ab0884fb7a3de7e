//! One operation with one fault: what it must come to, at once and after a power cut.

use std::collections::HashMap;
use std::sync::Arc;

use vellum::storage::Directory;
use vellum::storage::sim::{
    Call, Change, Disk, Event, Fault, FaultKind, FileNumber, SimDirectory, Strike,
};
use vellum::{Database, Error, ReadTxn};

use super::kinds::{is_error, is_space, is_untold};
use super::operation::Operation;
use super::power::{Survivors, cut};
use super::start::{COPY, NAME, Starts, builder, commit, grow};
use super::{CHECK_FINDS, OUT_OF_ORDER};
use crate::content::content;
use crate::ordering;

/// The mark of an acknowledged commit.
const PROMISE: u64 = 1;
/// Where the header slots end in every database.
const HEADER_BYTES: u64 = 8192;

/// What one operation does when nothing fails, and so what it must come to.
pub(super) struct Expected {
    /// Calls that it makes.
    pub(super) calls: Vec<Call>,
    /// Content before; `None` where no database is.
    before: Option<String>,
    after: String,
}

/// What an operation with a fault came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// The fault did not strike: an earlier one had changed the way.
    NotReached,
    /// It was done, and the handle goes on.
    Done,
    /// It failed, and the handle, if there is one, goes on.
    Failed,
    /// Nobody writes any more until the database is opened again.
    Poisoned,
}

/// A fault in an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planned {
    /// The number of the call, from the operation's first.
    pub(super) call: usize,
    pub(super) kind: FaultKind,
    pub(super) lasts: bool,
}

/// An operation, carried out.
struct Attempt {
    start: Disk,
    directory: SimDirectory,
    calls: Vec<Call>,
    db: Option<Database>,
    snapshot: Option<ReadTxn>,
    done: Result<(), Error>,
}

/// Everything that cells of one operation share.
pub(super) struct Bench<'a> {
    pub(super) starts: &'a Starts,
    pub(super) operation: Operation,
    pub(super) seed: u64,
}

/// What the rule about acknowledged commits says when it is broken.
pub(super) const LOST: &str = "an acknowledged commit is lost";
/// What the rules about errors say.
pub(super) const NOT_CLEAR: [&str; 3] = [
    "an error was swallowed",
    "a call that could go on was given up",
    "not the error for this",
];
/// What the rules about poisoned handles say.
pub(super) const WRONG_HANDLE: [&str; 2] =
    ["the handle goes on writing", "the handle takes no writes"];

/// A rule that was broken, in words.
pub(super) type Broken = String;

/// The file of a database that a strike hit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Database,
    Log,
    /// A copy, or a file that nothing durable depends on.
    Other,
}

impl Bench<'_> {
    fn attempt(&self, planned: Option<Planned>) -> Result<Attempt, Broken> {
        let failed = |error: Error| format!("preparing: {error}");
        let start = self.starts.disk(self.operation.start());
        let directory = SimDirectory::with(start.clone());
        let mut db = self.operation.prepare(&directory).map_err(failed)?;
        let snapshot = db.as_ref().map(Database::begin_read).transpose();
        let snapshot = snapshot.map_err(failed)?;
        let first = directory.calls().len();
        directory.plan(planned.map(|planned| Fault {
            call: first + planned.call,
            kind: planned.kind,
            lasts: planned.lasts,
        }));
        let done = self
            .operation
            .perform(self.starts.build, &directory, &mut db);
        directory.plan(None);
        let calls = directory.calls().split_off(first);
        Ok(Attempt {
            start,
            directory,
            calls,
            db,
            snapshot,
            done,
        })
    }

    /// Carries the operation out without a fault.
    pub(super) fn expected(&self) -> Result<Expected, Broken> {
        let attempt = self.attempt(None)?;
        attempt
            .done
            .map_err(|error| format!("without a fault: {error}"))?;
        let before = match (&attempt.snapshot, self.operation) {
            (Some(snapshot), _) => Some(answers(snapshot)?),
            (None, Operation::Create) => None,
            (None, _) => Some(content_of(&attempt.start)?),
        };
        self.locked_first(&attempt.calls)?;
        let after = match &attempt.db {
            Some(db) => answers(&db.begin_read().map_err(|e| e.to_string())?)?,
            None => content_of(&attempt.directory.disk())?,
        };
        Ok(Expected {
            calls: attempt.calls,
            before,
            after,
        })
    }

    /// Nobody reads a file that somebody else may be writing.
    fn locked_first(&self, calls: &[Call]) -> Result<(), Broken> {
        let first = |wanted: Call| calls.iter().position(|call| *call == wanted);
        match (first(Call::Lock), first(Call::Read)) {
            (lock, Some(read)) if self.operation.opens() && lock.is_none_or(|at| at > read) => {
                Err("the file is read before it is locked".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Carries the operation out with a fault and judges everything that follows.
    pub(super) fn judge(&self, expected: &Expected, planned: Planned) -> Result<Came, Broken> {
        let attempt = self.attempt(Some(planned))?;
        let strikes = attempt.directory.strikes();
        if strikes.is_empty() {
            return Ok(Came::NotReached);
        }
        let events = attempt.directory.events();
        let roles = roles(&attempt.start, &events);
        let changed = events.iter().any(|event| matches!(event, Event::Change(_)));
        if self.operation.reads_only() && changed {
            return Err("opening to read changed the disk".to_owned());
        }
        let is_final = strikes.iter().any(|strike| self.is_final(strike, &roles));
        let verdict = Verdict {
            operation: self.operation,
            expected,
            kind: planned.kind,
            acknowledged: attempt.done.is_ok(),
            is_final,
            log_was_struck: strikes
                .iter()
                .any(|strike| strike.file.and_then(|file| roles.get(&file)) == Some(&Role::Log)),
        };
        let order = self.in_order(&attempt, &events, planned.kind);
        let rest = self.consequences(attempt, &events, &strikes, &verdict);
        // Both are told, so that neither hides what the other finds.
        match (rest, order) {
            (came, Ok(())) => came,
            (Ok(_), Err(order)) => Err(order),
            (Err(rest), Err(order)) => Err(format!("{rest}; {order}")),
        }
    }

    /// The result, what a power cut leaves, and how the handle goes on.
    fn consequences(
        &self,
        attempt: Attempt,
        events: &[Event],
        strikes: &[Strike],
        verdict: &Verdict<'_>,
    ) -> Result<Came, Broken> {
        verdict.result(&attempt.done, strikes)?;
        for survivors in Survivors::EACH {
            let disk = cut(&attempt.start, events, survivors, self.seed);
            let relaxed = self.operation == Operation::RelaxedCommit && survivors != Survivors::All;
            verdict
                .reopened(&disk, relaxed)
                .map_err(|broken| format!("power cut, survivors {survivors:?}: {broken}"))?;
        }
        let came = match (verdict.is_final, &attempt.done) {
            (true, _) => Came::Poisoned,
            (false, Ok(())) => Came::Done,
            (false, Err(_)) => Came::Failed,
        };
        self.handle(attempt, verdict)?;
        Ok(came)
    }

    /// Nothing rests on what is not durable, and nothing follows a failed sync.
    fn in_order(&self, attempt: &Attempt, events: &[Event], kind: FaultKind) -> Result<(), Broken> {
        // What is written in pieces is no slot and no record to whoever watches calls.
        if is_untold(kind) || kind.goes_on() {
            return Ok(());
        }
        let mut events = events.to_vec();
        if attempt.done.is_ok() && self.operation.promises() {
            events.push(Event::Mark(PROMISE));
        }
        let broken = ordering::broken(NAME, &attempt.start, &events, |mark| mark == PROMISE);
        match broken.first() {
            None => Ok(()),
            Some(broken) => Err(format!("{OUT_OF_ORDER}{broken}")),
        }
    }

    /// Whether nobody knows what the disk holds after this.
    fn is_final(&self, strike: &Strike, roles: &HashMap<FileNumber, Role>) -> bool {
        if self.operation.opens() || !is_error(strike.kind) {
            return false;
        }
        let role = strike.file.and_then(|file| roles.get(&file)).copied();
        match strike.call {
            // Closing leaves no handle that could write.
            Call::SyncDirectory => !self.operation.copies() && self.operation != Operation::Close,
            Call::Sync => matches!(role, Some(Role::Database | Role::Log)),
            Call::Write => match role {
                Some(Role::Log) => !strike.grows && !strike.zeros,
                Some(Role::Database) => strike.offset < HEADER_BYTES,
                _ => false,
            },
            _ => false,
        }
    }

    /// The handle goes on as promised, and the disk as it is now opens.
    fn handle(&self, attempt: Attempt, verdict: &Verdict<'_>) -> Result<(), Broken> {
        let Attempt {
            directory,
            mut db,
            snapshot,
            done,
            ..
        } = attempt;
        if let Some(snapshot) = snapshot {
            verdict.snapshot(&snapshot)?;
        }
        if let Some(open) = &db {
            verdict.visible(open)?;
        }
        let usable = !verdict.is_final && !is_untold(verdict.kind);
        if usable && done.is_err() {
            self.again(&directory, &mut db)?;
        }
        if let Some(db) = db.take()
            && usable
        {
            sound(&db)?;
            db.close().map_err(|e| format!("closing afterwards: {e}"))?;
        }
        drop(db);
        let retried = Verdict {
            acknowledged: verdict.acknowledged || usable,
            ..*verdict
        };
        retried
            .reopened(&directory.disk(), false)
            .map_err(|broken| format!("opened again: {broken}"))
    }

    /// The same once more, with nothing in its way.
    fn again(&self, directory: &SimDirectory, db: &mut Option<Database>) -> Result<(), Broken> {
        let named = directory.exists(NAME).unwrap_or(false);
        let operation = match self.operation {
            // Its name may be there, only not durably; then it is opened.
            Operation::Create if named => Operation::Open,
            // What could not be closed is opened and closed.
            Operation::Close => Operation::Open,
            other => other,
        };
        let again = |e: Error| format!("{} again: {e}", operation.name());
        if self.operation.copies() {
            // A copy that failed may be under its name; whoever wants another removes it.
            let _ = directory.remove(COPY);
        }
        let build = self.starts.build;
        operation.perform(build, directory, db).map_err(again)?;
        directory.sync().map_err(|e| e.to_string())
    }
}

/// What must hold after an operation with a fault.
#[derive(Clone, Copy)]
struct Verdict<'a> {
    operation: Operation,
    expected: &'a Expected,
    kind: FaultKind,
    acknowledged: bool,
    is_final: bool,
    log_was_struck: bool,
}

impl Verdict<'_> {
    /// The result is the right one for the fault.
    fn result(&self, done: &Result<(), Error>, strikes: &[Strike]) -> Result<(), Broken> {
        if is_untold(self.kind) {
            return Ok(());
        }
        match done {
            Ok(()) if !is_error(self.kind) => Ok(()),
            Ok(()) if self.is_final => Ok(()),
            // What could not be removed is only in the way of nothing.
            Ok(()) if strikes.iter().all(|strike| strike.call == Call::Remove) => Ok(()),
            Ok(()) => Err(format!("{}: {:?}", NOT_CLEAR[0], strikes.first())),
            Err(error) if !is_error(self.kind) => Err(format!("{}: {error}", NOT_CLEAR[1])),
            Err(error) => {
                let clear = match error {
                    Error::Full { .. } => is_space(self.kind) && !self.is_final,
                    Error::Io { .. } => {
                        // The handle of a copy is poisoned, and nobody else's.
                        !is_space(self.kind) || self.is_final || self.operation.copies()
                    }
                    Error::Poisoned => self.is_final,
                    // A read that ends at once says that the file ends there.
                    Error::Corrupt(_) => self.kind == FaultKind::NoProgress,
                    Error::Usage(_) => {
                        self.kind == FaultKind::NoProgress && self.operation == Operation::Check
                    }
                    _ => false,
                };
                if clear {
                    Ok(())
                } else {
                    Err(format!("{}: {error:?}", NOT_CLEAR[2]))
                }
            }
        }
    }

    /// What a snapshot from before answers.
    fn snapshot(&self, snapshot: &ReadTxn) -> Result<(), Broken> {
        match content(snapshot) {
            Ok(found) if Some(&found) == self.expected.before.as_ref() => Ok(()),
            Ok(_) => Err("the snapshot changed".to_owned()),
            Err(error) => self.excused(&error, "the snapshot fails"),
        }
    }

    /// What the handle shows and whether it takes writes.
    fn visible(&self, db: &Database) -> Result<(), Broken> {
        let found = db.begin_read().and_then(|txn| content(&txn));
        let right = if self.acknowledged {
            Some(&self.expected.after)
        } else {
            self.expected.before.as_ref()
        };
        match found {
            Ok(found) if Some(&found) == right => {}
            Ok(_) => return Err("the handle shows another state".to_owned()),
            Err(error) => self.excused(&error, "the handle does not read")?,
        }
        if self.operation.reads_only() {
            return Ok(());
        }
        match (db.begin_write(), self.is_final) {
            (Ok(_), false) | (Err(Error::Poisoned), true) => Ok(()),
            (Ok(_), true) => Err(WRONG_HANDLE[0].to_owned()),
            (Err(error), _) => Err(format!("{}: {error}", WRONG_HANDLE[1])),
        }
    }

    /// Nothing is shown of what nobody knows.
    fn excused(&self, error: &Error, what: &str) -> Result<(), Broken> {
        match error {
            Error::Poisoned if self.is_final => Ok(()),
            Error::Corrupt(_) if is_untold(self.kind) => Ok(()),
            _ => Err(format!("{what}: {error}")),
        }
    }

    /// A disk opens, holds what it must, and takes a commit. `relaxed`: the commit may be lost.
    fn reopened(&self, disk: &Disk, relaxed: bool) -> Result<(), Broken> {
        let directory = SimDirectory::with(disk.clone());
        let found = reopen(&directory);
        let found = match found {
            // A header that was never written may leave nothing to know the file by.
            Err(Error::Corrupt(_) | Error::Version { .. }) if is_untold(self.kind) => return Ok(()),
            other => other.map_err(|e| format!("it does not open: {e}"))?,
        };
        self.is_allowed(found.as_deref(), relaxed)?;
        if is_untold(self.kind) {
            return Ok(());
        }
        self.copy(&directory)?;
        let added = add_commit(&directory).map_err(|e| format!("a new commit: {e}"))?;
        added.map_or(Ok(()), Err)
    }

    fn is_allowed(&self, found: Option<&str>, relaxed: bool) -> Result<(), Broken> {
        let (before, after) = (
            self.expected.before.as_deref(),
            self.expected.after.as_str(),
        );
        // A record that never reached the log, with nothing behind it, is a commit that never was.
        let lost_untold = is_untold(self.kind) && self.log_was_struck;
        let in_doubt = self.is_final || is_untold(self.kind) || self.operation.opens();
        if found == Some(after) {
            return if self.acknowledged || in_doubt || before == Some(after) {
                Ok(())
            } else {
                Err("it shows what failed".to_owned())
            };
        }
        if found == before && (!self.acknowledged || relaxed || lost_untold) {
            return Ok(());
        }
        if found == before {
            return Err(LOST.to_owned());
        }
        Err("it shows neither the state before nor the one after".to_owned())
    }

    /// A copy is whole or not there.
    fn copy(&self, directory: &SimDirectory) -> Result<(), Broken> {
        if !self.operation.copies() {
            return Ok(());
        }
        if !directory.exists(COPY).unwrap_or(false) {
            return if self.acknowledged {
                Err("the copy is gone".to_owned())
            } else {
                Ok(())
            };
        }
        let found = builder(Arc::new(directory.clone()))
            .open_read_only(COPY)
            .and_then(|db| content(&db.begin_read()?));
        match found {
            Ok(found) if found == self.expected.after => Ok(()),
            Ok(_) => Err("a copy that is not whole looks like one".to_owned()),
            Err(error) => Err(format!("the copy does not read: {error}")),
        }
    }
}

/// Which file of a database each number is.
fn roles(start: &Disk, events: &[Event]) -> HashMap<FileNumber, Role> {
    let role = |name: &str| match name {
        name if name.starts_with(COPY) || name.ends_with("-sort") => Role::Other,
        name if name.contains("-log") => Role::Log,
        _ => Role::Database,
    };
    let there = start
        .entries()
        .filter_map(|(name, _)| Some((start.number(name)?, role(name))));
    let created = events.iter().filter_map(|event| match event {
        Event::Change(Change::Create { file, name }) => Some((*file, role(name))),
        _ => None,
    });
    there.chain(created).collect()
}

fn answers(txn: &ReadTxn) -> Result<String, Broken> {
    content(txn).map_err(|error| format!("reading: {error}"))
}

fn content_of(disk: &Disk) -> Result<String, Broken> {
    let directory = SimDirectory::with(disk.clone());
    match reopen(&directory).map_err(|e| e.to_string())? {
        Some(found) => Ok(found),
        None => Err("there is no database".to_owned()),
    }
}

/// Opens and closes what is there, if anything is, and says what it holds.
fn reopen(directory: &SimDirectory) -> Result<Option<String>, Error> {
    if !directory.exists(NAME).unwrap_or(false) {
        return Ok(None);
    }
    let db = builder(Arc::new(directory.clone())).open_read_only(NAME)?;
    content(&db.begin_read()?).map(Some)
}

/// Adds a commit to what is there, or to a new database, and finds it again.
fn add_commit(directory: &SimDirectory) -> Result<Option<Broken>, Error> {
    let options = builder(Arc::new(directory.clone()));
    let db = options.open_or_create(NAME)?;
    if let Err(broken) = sound(&db) {
        return Ok(Some(broken));
    }
    commit(&db, |txn| grow(txn, 90))?;
    let added = content(&db.begin_read()?)?;
    db.close()?;
    let db = options.open_read_only(NAME)?;
    let found = content(&db.begin_read()?)?;
    Ok((found != added).then(|| "a new commit is gone".to_owned()))
}

fn sound(db: &Database) -> Result<(), Broken> {
    let report = db.check().map_err(|e| format!("checking: {e}"))?;
    match report.findings.first() {
        None => Ok(()),
        Some(finding) => Err(format!("{CHECK_FINDS}{finding}")),
    }
}
