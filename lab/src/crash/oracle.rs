//! What must hold of every state that a crash leaves of a Vellum database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use vellum::format::header::{SLOT_LEN, SLOT_OFFSETS, decode_slot};
use vellum::storage::Directory;
use vellum::storage::sim::{Disk, SimDirectory};
use vellum::{Database, Error, NodeId};

use super::marks::{Mark, Version};
use super::model::Model;
use super::subject::{Examined, Recovered, Rule, Signs, Subject, Violation};
use super::watched::Watched;
use super::workload::{COPY, NAME, builder};
use crate::content;

/// Commits that the sessions after a crash may add: one each.
const MOST_ADDED: u64 = 4;

/// A recorded session of Vellum: what must be readable after each of its commits.
pub(crate) struct Vellum {
    /// The digest of everything readable, with the version that it is of.
    known: HashMap<u128, Version>,
    rules: Rules,
}

/// Rules that cost a session of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The engine's own check and page accounting, after recovery and after closing.
    pub(crate) check: bool,
    /// A new commit works and survives a crash that follows at once.
    pub(crate) commit: bool,
    /// Opening again shows the same and writes nothing.
    pub(crate) again: bool,
    /// Opening for reading alone shows what recovery shows, and writes nothing.
    pub(crate) read_only: bool,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules {
            check: true,
            commit: true,
            again: true,
            read_only: false,
        }
    }
}

impl Rules {
    /// One letter for each that is in force.
    pub(crate) fn letters(self) -> String {
        let all = [
            (self.check, 'c'),
            (self.commit, 'w'),
            (self.again, 'a'),
            (self.read_only, 'o'),
        ];
        let on = all.into_iter().filter(|(on, _)| *on);
        on.map(|(_, letter)| letter).collect()
    }

    pub(crate) fn of_letters(letters: &str) -> Option<Rules> {
        let rules = Rules {
            check: letters.contains('c'),
            commit: letters.contains('w'),
            again: letters.contains('a'),
            read_only: letters.contains('o'),
        };
        (rules.letters() == letters).then_some(rules)
    }
}

impl Vellum {
    /// `models`: the graph after each commit, the empty one first.
    pub(crate) fn new(models: &[Model], rules: Rules) -> Vellum {
        let mut known = HashMap::new();
        for (commit, model) in models.iter().enumerate() {
            let mut model = model.clone();
            for added in 0..=MOST_ADDED {
                known.insert(model.digest(), Version::of(commit as u64, added));
                add(&mut model);
            }
        }
        Vellum { known, rules }
    }

    /// The version that a database shows, if everything readable is as it was after it.
    fn version(&self, db: &Database) -> Result<Version, Violation> {
        let txn = db.begin_read().map_err(failed(Rule::Opens, "reading"))?;
        let found = content::rows(&txn).map_err(failed(Rule::Opens, "reading"))?;
        self.known.get(&found).copied().ok_or_else(|| {
            let what = format!(
                "it shows no state after any commit (it says commit {})",
                txn.commit_number()
            );
            Violation::new(Rule::Whole, what)
        })
    }

    fn check(&self, db: &Database) -> Result<(), Violation> {
        if !self.rules.check {
            return Ok(());
        }
        let report = db.check().map_err(failed(Rule::Check, "checking"))?;
        if let Some(finding) = report.findings.first() {
            return Err(Violation::new(
                Rule::Check,
                format!("the check finds {finding:?}"),
            ));
        }
        let stats = db.stats().map_err(failed(Rule::Accounting, "counting"))?;
        let headers = header_pages(stats.page_size);
        if report.pages_reached + report.pages_free + headers != stats.pages {
            let what = format!(
                "{} pages are reached, {} free and {headers} hold the header, of {}",
                report.pages_reached, report.pages_free, stats.pages
            );
            return Err(Violation::new(Rule::Accounting, what));
        }
        Ok(())
    }
}

/// Pages that hold the two header slots.
fn header_pages(page_size: u64) -> u64 {
    SLOT_OFFSETS[1] / page_size + 1
}

/// What every session after a crash adds to the graph.
const ADDED: (&str, &str) = ("after", "the crash");

fn add(model: &mut Model) {
    model.put_node(model.next_id(), ADDED.0, ADDED.1, b"");
}

fn failed(rule: Rule, doing: &str) -> impl FnOnce(Error) -> Violation {
    let doing = doing.to_owned();
    move |error| Violation::new(rule, format!("{doing}: {error}"))
}

impl Subject for Vellum {
    fn examine(&self, disk: &Disk) -> Examined {
        let directory = SimDirectory::with(disk.clone());
        let mut session = Session {
            vellum: self,
            watched: Watched::new(Arc::new(directory.clone())),
            directory,
            recovery_ns: 0,
            signs: Signs::default(),
        };
        let result = session.all();
        Examined {
            result,
            asked: Some(session.watched.asked()),
            recovery_ns: session.recovery_ns,
        }
    }
}

/// One session on a state.
struct Session<'a> {
    vellum: &'a Vellum,
    directory: SimDirectory,
    watched: Watched,
    recovery_ns: u64,
    signs: Signs,
}

impl Session<'_> {
    fn all(&mut self) -> Result<Recovered, Violation> {
        let rules = self.vellum.rules;
        let db = self.open_or_create()?;
        let version = self.vellum.version(&db)?;
        // What was shown once must be shown for ever.
        self.mark(Mark::Shown(version));
        self.vellum.check(&db)?;
        let copy = self.copy()?;
        // Both ways on from here are gone by some of the states: to write at once, and to close first.
        let close_first = version.commit() % 2 == 1;
        let db = if close_first {
            self.close(db)?;
            self.open("opening after recovery and closing")?
        } else {
            db
        };
        let last = if rules.commit {
            self.commit(&db, version)?
        } else {
            version
        };
        self.close(db)?;
        if rules.again {
            self.again(last)?;
        }
        Ok(Recovered {
            version,
            copy,
            events: self.directory.events(),
            signs: self.signs,
        })
    }

    fn mark(&self, mark: Mark) {
        self.directory.mark(mark.number());
    }

    fn options(&self) -> vellum::Builder {
        builder(Arc::new(self.watched.clone()))
    }

    /// Opens by the real recovery. Where there is no database as far as the disk knows, creating one
    /// must work.
    fn open_or_create(&mut self) -> Result<Database, Violation> {
        let there = self.watched.exists(NAME).unwrap_or(false);
        if !there {
            self.signs.absent = true;
            return self
                .options()
                .create(NAME)
                .map_err(failed(Rule::Opens, "creating again"));
        }
        let alone = if self.vellum.rules.read_only {
            Some(self.read_only()?)
        } else {
            None
        };
        let started = Instant::now();
        let db = self.open("opening")?;
        self.recovery_ns = started.elapsed().as_nanos() as u64;
        if let Some(report) = db.recovery() {
            self.signs.replayed = report.records;
            self.signs.torn_tail = report.dropped_bytes > 0;
            self.signs.repaired = report.repaired;
        }
        self.signs.torn_slot = self.torn_slot();
        let version = self.vellum.version(&db)?;
        if alone.is_some_and(|alone| alone != version) {
            return Err(Violation::new(
                Rule::ReadOnly,
                "reading alone shows another state than recovering",
            ));
        }
        Ok(db)
    }

    fn open(&self, doing: &str) -> Result<Database, Violation> {
        self.options()
            .open(NAME)
            .map_err(failed(Rule::Opens, doing))
    }

    fn read_only(&self) -> Result<Version, Violation> {
        let before = self.directory.changes();
        let opened = self.options().open_read_only(NAME);
        let db = opened.map_err(failed(Rule::ReadOnly, "opening to read"))?;
        let version = self.vellum.version(&db)?;
        drop(db);
        if self.directory.changes() != before {
            return Err(Violation::new(
                Rule::ReadOnly,
                "opening to read changed the disk",
            ));
        }
        Ok(version)
    }

    /// Whether one of the two header slots is damaged.
    fn torn_slot(&self) -> bool {
        let disk = self.directory.disk();
        let Some(image) = disk.named(NAME) else {
            return false;
        };
        SLOT_OFFSETS.into_iter().enumerate().any(|(slot, offset)| {
            let mut bytes = [0; SLOT_LEN];
            image.read(offset, &mut bytes).is_err() || decode_slot(&bytes, slot).is_err()
        })
    }

    fn close(&self, db: Database) -> Result<(), Violation> {
        db.close().map_err(failed(Rule::Writable, "closing"))
    }

    /// A commit that survives a crash which follows at once.
    fn commit(&self, db: &Database, version: Version) -> Result<Version, Violation> {
        let rule = Rule::Writable;
        let mut txn = db.begin_write().map_err(failed(rule, "writing"))?;
        let node = txn
            .insert_node(ADDED.0, ADDED.1, b"")
            .map_err(failed(rule, "writing after recovery"))?;
        self.mark(Mark::Begun(version.next()));
        txn.commit().map_err(failed(rule, "committing"))?;
        self.mark(Mark::Acked(version.next()));
        self.survives(node)?;
        Ok(version.next())
    }

    fn survives(&self, node: NodeId) -> Result<(), Violation> {
        let rule = Rule::Writable;
        let copy = SimDirectory::with(self.directory.disk());
        let copy = self.watched.continued(Arc::new(copy));
        let opened = builder(Arc::new(copy)).open_read_only(NAME);
        let db = opened.map_err(failed(rule, "opening after a new commit"))?;
        let txn = db.begin_read().map_err(failed(rule, "reading"))?;
        let found = txn.node(node).map_err(failed(rule, "reading"))?;
        if found.is_none_or(|node| node.name() != ADDED.1) {
            return Err(Violation::new(
                rule,
                "a commit added after recovery is gone",
            ));
        }
        Ok(())
    }

    /// A session that only looks writes nothing, and sees what the one before left.
    fn again(&self, expected: Version) -> Result<(), Violation> {
        let before = self.directory.changes();
        let db = self.open("opening again")?;
        let found = self.vellum.version(&db)?;
        if found != expected {
            let what = format!("opened again it shows {found}, not {expected}");
            return Err(Violation::new(Rule::Again, what));
        }
        self.vellum.check(&db)?;
        self.close(db)?;
        if self.directory.changes() != before {
            return Err(Violation::new(
                Rule::Again,
                "opening again and closing changed the disk",
            ));
        }
        Ok(())
    }

    /// What stands under the name of the copy must be a database with the state of some commit.
    fn copy(&self) -> Result<Option<Version>, Violation> {
        if !self.watched.exists(COPY).unwrap_or(false) {
            return Ok(None);
        }
        let opened = self.options().open_read_only(COPY);
        let db = opened.map_err(failed(Rule::Copy, "opening the copy"))?;
        let found = self.vellum.version(&db).map_err(|violation| {
            Violation::new(Rule::Copy, format!("the copy: {}", violation.what))
        })?;
        self.vellum.check(&db)?;
        Ok(Some(found))
    }
}
