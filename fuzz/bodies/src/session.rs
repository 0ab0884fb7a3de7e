//! Operations on a database and on a model alike, chosen by the input's bytes.

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use vellum::storage::sim::SimDirectory;
use vellum::storage::{Directory, MemoryDirectory};
use vellum::{
    CheckpointMode, CommitKind, Database, Durability, ReadTxn, Result, Savepoint, WriteTxn,
};

use crate::changes::{change, loaded};
use crate::model::Model;

/// The database's name in its directory.
pub(crate) const NAME: &str = "session";
/// The most operations of one input.
const MOST: usize = 400;
/// The most snapshots held at a time.
const SNAPSHOTS: usize = 8;

/// What happened, so that tests can prove what the corpus reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saw {
    /// Commits by a record of their operations.
    pub log_commits: u64,
    /// Commits by new tree pages, bulk loads among them.
    pub root_commits: u64,
    /// Transactions dropped.
    pub dropped: u64,
    /// Savepoints gone back to.
    pub rolled_back: u64,
    /// Checkpoints asked for.
    pub checkpoints: u64,
    /// The database was closed, dropped or killed, and opened again.
    pub reopened: u64,
    /// Full comparisons with the model.
    pub compared: u64,
    /// Backups compared with the model.
    pub backups: u64,
}

/// The options of a session.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Setup {
    flags: u8,
    cache: u8,
}

impl Setup {
    pub(crate) fn builder(self, directory: Arc<dyn Directory>) -> vellum::Builder {
        Database::builder()
            .in_directory(directory)
            .file_id(*b"a fuzzed session")
            .page_size(4096 << (self.flags >> 2 & 1))
            .log_segment_bytes(64 << 10)
            .write_buffer_bytes(0)
            .cache_bytes(usize::from(self.cache) << 12)
            .name_index(self.flags & 1 == 0)
            .unique_edges(self.flags & 2 != 0)
            .checkpoint(CheckpointMode::Inline)
    }

    pub(crate) fn model(self) -> Model {
        Model::new(self.flags & 2 != 0, self.flags & 1 == 0)
    }
}

/// One operation: what, and three choices that each reads as it needs.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) what: u8,
    pub(crate) a: u8,
    pub(crate) b: u8,
    pub(crate) c: u8,
}

impl Step {
    /// Whether it closes or kills the database.
    pub(crate) fn ends(self) -> bool {
        matches!(self.what % 32, 25 | 26)
    }
}

/// The operations that the rest of the input asks for.
pub(crate) fn steps(u: &mut Unstructured<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    while u.len() >= 4 && steps.len() < MOST {
        steps.extend(u.arbitrary::<Step>());
    }
    steps
}

/// Where a session's files are.
pub(crate) enum Files {
    Memory(MemoryDirectory),
    Simulated(SimDirectory),
}

impl Files {
    pub(crate) fn directory(&self) -> Arc<dyn Directory> {
        match self {
            Files::Memory(directory) => Arc::new(directory.clone()),
            Files::Simulated(directory) => Arc::new(directory.clone()),
        }
    }

    /// Notes in a simulated directory that a commit begins, or was acknowledged as durable.
    fn mark(&self, mark: u64) {
        if let Files::Simulated(directory) = self {
            directory.mark(mark);
        }
    }

    /// The files as a process that is killed now leaves them, under the open database.
    fn kill(&mut self) {
        if let Files::Memory(directory) = self {
            let copy = MemoryDirectory::new();
            for name in [NAME.to_owned(), format!("{NAME}-log")] {
                if let Some(bytes) = directory.contents(&name) {
                    copy.put(&name, bytes);
                }
            }
            *directory = copy;
        }
    }
}

/// A mark for a commit that begins.
pub(crate) fn begun(commit: u64) -> u64 {
    commit * 2
}

/// A mark for a commit that is acknowledged as durable.
pub(crate) fn acked(commit: u64) -> u64 {
    commit * 2 + 1
}

/// A transaction under way, and what the graph becomes by it.
struct Open {
    txn: WriteTxn,
    model: Model,
    savepoints: Vec<(Savepoint, Model)>,
}

/// A database, its model, and everything that is open.
pub(crate) struct Session {
    pub(crate) files: Files,
    setup: Setup,
    db: Option<Database>,
    open: Option<Open>,
    snapshots: Vec<(ReadTxn, Model)>,
    /// The graph after each commit, by its number.
    pub(crate) states: Vec<Model>,
    /// What the graph has become if a commit that failed is there all the same.
    pub(crate) uncertain: Option<Model>,
    pub(crate) saw: Saw,
}

impl Session {
    /// A session that has no database yet.
    pub(crate) fn new(files: Files, setup: Setup) -> Session {
        Session {
            files,
            setup,
            db: None,
            open: None,
            snapshots: Vec::new(),
            states: vec![setup.model()],
            uncertain: None,
            saw: Saw::default(),
        }
    }

    pub(crate) fn create(&mut self) -> Result<()> {
        let builder = self.setup.builder(self.files.directory());
        self.db = Some(builder.open_or_create(NAME)?);
        Ok(())
    }

    /// The graph as committed.
    pub(crate) fn committed(&self) -> &Model {
        self.states.last().expect("an empty graph at least")
    }

    fn db(&self) -> &Database {
        self.db.as_ref().expect("an open database")
    }

    /// A snapshot of what is committed.
    pub(crate) fn snapshot(&self) -> Result<ReadTxn> {
        self.db().begin_read()
    }

    /// Whether no database is open.
    pub(crate) fn is_shut(&self) -> bool {
        self.db.is_none()
    }

    /// The full check finds nothing.
    pub(crate) fn assert_sound(&self) {
        let report = self.db().check().unwrap();
        assert!(report.is_sound(), "the check finds {:?}", report.findings);
    }

    /// Ends everything, the database too.
    pub(crate) fn shut(&mut self) {
        self.open = None;
        self.snapshots.clear();
        self.db = None;
    }

    /// Carries out one operation. After an error no transaction is open.
    pub(crate) fn step(&mut self, step: Step) -> Result<()> {
        let result = self.dispatch(step);
        if result.is_err() {
            self.open = None;
        }
        result
    }

    fn dispatch(&mut self, step: Step) -> Result<()> {
        match step.what % 32 {
            0..=15 => self.change(step),
            16 => self.save(),
            17 => self.roll_back(step.a),
            18..=22 => self.commit(step.a),
            23 => {
                self.saw.dropped += u64::from(self.open.take().is_some());
                Ok(())
            }
            24 => self.checkpoint(),
            25 | 26 => self.reopen(step.a),
            27 => self.hold(),
            28 => {
                self.snapshots.truncate(usize::from(step.a) % SNAPSHOTS);
                Ok(())
            }
            29 => self.look(),
            30 => self.bulk(step),
            _ => self.backup(step.a),
        }
    }

    fn begin(&mut self) -> Result<&mut Open> {
        if self.open.is_none() {
            let txn = self.db().begin_write()?;
            self.open = Some(Open {
                txn,
                model: self.committed().clone(),
                savepoints: Vec::new(),
            });
        }
        Ok(self.open.as_mut().expect("just opened"))
    }

    fn change(&mut self, step: Step) -> Result<()> {
        let open = self.begin()?;
        change(&mut open.txn, &mut open.model, step)
    }

    fn save(&mut self) -> Result<()> {
        let open = self.begin()?;
        let saved = (open.txn.savepoint()?, open.model.clone());
        open.savepoints.push(saved);
        Ok(())
    }

    fn roll_back(&mut self, choice: u8) -> Result<()> {
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if let Some(at) = usize::from(choice).checked_rem(open.savepoints.len()) {
            open.savepoints.truncate(at + 1);
            let (savepoint, model) = &open.savepoints[at];
            open.txn.rollback_to(savepoint)?;
            open.model.clone_from(model);
            self.saw.rolled_back += 1;
        }
        Ok(())
    }

    fn commit(&mut self, choice: u8) -> Result<()> {
        let Some(Open { mut txn, model, .. }) = self.open.take() else {
            return Ok(());
        };
        let durable = !choice.is_multiple_of(4);
        if !durable {
            txn.set_durability(Durability::None);
        }
        let number = self.states.len() as u64;
        self.files.mark(begun(number));
        let report = match txn.commit() {
            Ok(report) => report,
            Err(vellum::Error::Full { context }) => return Err(vellum::Error::Full { context }),
            Err(error) => {
                self.uncertain = Some(model);
                return Err(error);
            }
        };
        match report.how {
            CommitKind::Empty => return Ok(()),
            CommitKind::Log => self.saw.log_commits += 1,
            _ => self.saw.root_commits += 1,
        }
        self.accept(report.commit, model, durable);
        Ok(())
    }

    fn accept(&mut self, commit: u64, model: Model, durable: bool) {
        assert_eq!(
            commit,
            self.states.len() as u64,
            "commits are numbered without gaps"
        );
        if durable {
            self.files.mark(acked(commit));
        }
        self.states.push(model);
    }

    fn checkpoint(&mut self) -> Result<()> {
        // It waits for a transaction that outgrew the write buffer, which this thread would have to end.
        if self
            .open
            .as_ref()
            .is_some_and(|open| open.txn.pending().pages > 0)
        {
            return Ok(());
        }
        self.db().checkpoint()?;
        self.saw.checkpoints += 1;
        Ok(())
    }

    /// Closes, drops or kills the database, and opens it again.
    fn reopen(&mut self, how: u8) -> Result<()> {
        self.open = None;
        self.snapshots.clear();
        let killed = how.is_multiple_of(4);
        if killed {
            self.files.kill();
        }
        let closed = match self.db.take() {
            Some(db) if how % 4 == 1 => db.close(),
            db => {
                drop(db);
                Ok(())
            }
        };
        let opened = self.setup.builder(self.files.directory()).open(NAME);
        self.db = Some(opened?);
        self.saw.reopened += 1;
        closed?;
        self.look()
    }

    fn hold(&mut self) -> Result<()> {
        if self.snapshots.len() < SNAPSHOTS {
            let snapshot = (self.db().begin_read()?, self.committed().clone());
            self.snapshots.push(snapshot);
        }
        Ok(())
    }

    /// Compares everything that can be seen with the models: what is committed, each snapshot, and
    /// what the transaction under way has done so far.
    pub(crate) fn look(&mut self) -> Result<()> {
        let txn = self.db().begin_read()?;
        let mut all = vec![(&txn, self.committed())];
        all.extend(self.snapshots.iter().map(|(txn, model)| (txn, model)));
        let view = match &self.open {
            Some(open) => Some((open.txn.view()?, &open.model)),
            None => None,
        };
        all.extend(view.as_ref().map(|(txn, model)| (txn, *model)));
        let compared = all.len() as u64;
        for (txn, model) in all {
            let shown = model.is_shown(txn)?;
            assert!(shown, "the database shows another graph than the model");
        }
        self.saw.compared += compared;
        Ok(())
    }

    fn bulk(&mut self, step: Step) -> Result<()> {
        self.open = None;
        let mut model = self.committed().clone();
        let (nodes, edges) = loaded(&mut model, step);
        let number = self.states.len() as u64;
        self.files.mark(begun(number));
        let loaded =
            self.db()
                .bulk_load(nodes.into_iter().map(Ok), edges.into_iter().map(Ok), |_| ());
        match loaded {
            Ok(_) => {}
            Err(vellum::Error::Full { context }) => return Err(vellum::Error::Full { context }),
            Err(error) => {
                self.uncertain = Some(model);
                return Err(error);
            }
        }
        self.saw.root_commits += 1;
        self.accept(number, model, true);
        Ok(())
    }

    /// Copies the database, and compares the copy.
    fn backup(&mut self, how: u8) -> Result<()> {
        let name = "copy";
        let directory = self.files.directory();
        if directory.exists(name).unwrap_or(true) {
            return Ok(());
        }
        let db = self.db();
        if how.is_multiple_of(2) {
            db.backup(name)?;
        } else {
            db.compact(name)?;
        }
        let copy = self.setup.builder(directory).open_read_only(name)?;
        let shown = self.committed().is_shown(&copy.begin_read()?)?;
        assert!(shown, "the copy shows another graph than the model");
        drop(copy);
        self.saw.backups += 1;
        if let Files::Memory(directory) = &self.files {
            directory.remove(name).expect("the copy is there");
        }
        Ok(())
    }
}
