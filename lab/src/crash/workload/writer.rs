//! Keeps a database and its model in step, and notes what begins and what is acknowledged.

use std::sync::Arc;

use vellum::storage::Directory;
use vellum::storage::sim::{Call, SimDirectory};
use vellum::{
    BulkEdge, BulkNode, CommitKind, Database, Durability, Error, NodeId, Stats, WriteTxn,
};

use super::super::marks::{Mark, Version, Way};
use super::super::model::Model;
use super::saw::{self, Saw};
use super::{COPY, NAME, Recording, builder};
use crate::random::Random;

pub(super) struct Writer {
    db: Option<Database>,
    pub(super) directory: SimDirectory,
    pub(super) model: Model,
    pub(super) models: Vec<Model>,
    pub(super) random: Random,
    pub(super) saw: Saw,
    /// Durability of the commits that follow.
    pub(super) durability: Durability,
    before: Option<Stats>,
}

impl Writer {
    pub(super) fn new(directory: SimDirectory, seed: u64) -> Writer {
        Writer {
            db: None,
            directory,
            model: Model::default(),
            models: vec![Model::default()],
            random: Random::new(seed, 3),
            saw: Saw::default(),
            durability: Durability::Sync,
            before: None,
        }
    }

    pub(super) fn mark(&self, mark: Mark) {
        self.directory.mark(mark.number());
    }

    pub(super) fn way(&self, way: Way) {
        self.mark(Mark::Way(way));
    }

    pub(super) fn db(&self) -> vellum::Result<&Database> {
        self.db
            .as_ref()
            .ok_or_else(|| Error::Usage("the workload has no open database".to_owned()))
    }

    pub(super) fn create(&mut self) -> vellum::Result<()> {
        self.way(Way::Create);
        self.db = Some(builder(Arc::new(self.directory.clone())).create(NAME)?);
        self.mark(Mark::Acked(Version::default()));
        self.saw.creates += 1;
        Ok(())
    }

    pub(super) fn open(&mut self) -> vellum::Result<()> {
        self.way(Way::Open);
        self.db = Some(builder(Arc::new(self.directory.clone())).open(NAME)?);
        self.saw.opens += 1;
        Ok(())
    }

    /// Opens in another directory handle, such as one that holds back its syncs.
    pub(super) fn open_in(&mut self, directory: Arc<dyn Directory>) -> vellum::Result<()> {
        self.way(Way::Open);
        self.db = Some(builder(directory).open(NAME)?);
        self.saw.opens += 1;
        Ok(())
    }

    pub(super) fn close(&mut self) -> vellum::Result<()> {
        self.way(Way::Close);
        if let Some(db) = self.db.take() {
            db.close()?;
        }
        // Closing makes everything durable, whatever the commits asked for.
        self.mark(Mark::Acked(self.version()));
        self.saw.closes += 1;
        Ok(())
    }

    /// Opens for reading alone, looks, and closes.
    pub(super) fn look(&mut self) -> vellum::Result<()> {
        self.way(Way::ReadOnly);
        let db = builder(Arc::new(self.directory.clone())).open_read_only(NAME)?;
        drop(db.begin_read()?);
        self.saw.read_only_opens += 1;
        Ok(())
    }

    fn version(&self) -> Version {
        Version::of(self.models.len() as u64 - 1, 0)
    }

    pub(super) fn commit(
        &mut self,
        change: impl FnOnce(&mut Writer, &mut WriteTxn, &mut Model) -> vellum::Result<()>,
    ) -> vellum::Result<()> {
        let relaxed = self.durability == Durability::None;
        self.way(if relaxed {
            Way::RelaxedCommit
        } else {
            Way::LogCommit
        });
        let mut model = self.model.clone();
        let mut txn = self.db()?.begin_write()?;
        txn.set_durability(self.durability);
        change(self, &mut txn, &mut model)?;
        self.commit_prepared(txn, model)
    }

    /// The same for a transaction that is expected to outgrow the write buffer.
    pub(super) fn large_commit(
        &mut self,
        change: impl FnOnce(&mut Writer, &mut WriteTxn, &mut Model) -> vellum::Result<()>,
    ) -> vellum::Result<()> {
        self.way(Way::FlipCommit);
        let mut model = self.model.clone();
        let mut txn = self.db()?.begin_write()?;
        change(self, &mut txn, &mut model)?;
        self.commit_prepared(txn, model)
    }

    fn commit_prepared(&mut self, txn: WriteTxn, model: Model) -> vellum::Result<()> {
        self.begin(model);
        let report = txn.commit()?;
        match report.how {
            CommitKind::Flip => self.saw.flip_commits += 1,
            _ if self.durability == Durability::None => self.saw.relaxed_commits += 1,
            _ => self.saw.log_commits += 1,
        }
        if self.durability != Durability::None || report.how == CommitKind::Flip {
            self.mark(Mark::Acked(self.version()));
        }
        Ok(())
    }

    /// From now on a crash may leave this commit.
    pub(super) fn begin(&mut self, model: Model) {
        self.model = model;
        self.models.push(self.model.clone());
        self.mark(Mark::Begun(self.version()));
        self.saw.commits += 1;
    }

    pub(super) fn rolled_back(
        &mut self,
        change: impl FnOnce(&mut Writer, &mut WriteTxn, &mut Model) -> vellum::Result<()>,
    ) -> vellum::Result<()> {
        let mut model = self.model.clone();
        let mut txn = self.db()?.begin_write()?;
        change(self, &mut txn, &mut model)?;
        drop(txn);
        self.saw.rollbacks += 1;
        Ok(())
    }

    pub(super) fn checkpoint(&mut self) -> vellum::Result<()> {
        self.way(Way::Checkpoint);
        self.db()?.checkpoint()?;
        // What is merged is durable, whatever the commits asked for.
        self.mark(Mark::Acked(self.version()));
        self.saw.checkpoints += 1;
        let stats = self.db()?.stats()?;
        if let Some(before) = self.before.take() {
            self.saw.compare(&before, &stats);
        }
        self.before = Some(stats);
        Ok(())
    }

    pub(super) fn bulk(&mut self, count: u64) -> vellum::Result<()> {
        self.way(Way::BulkLoad);
        let mut model = self.model.clone();
        let first = model.next_id();
        let mut nodes = Vec::new();
        let mut edges = Vec::new();
        for id in first..first + count {
            let name = self.text("bulk", 40);
            model.put_node(id, "loaded", &name, b"");
            nodes.push(BulkNode {
                kind: "loaded".into(),
                name,
                ..BulkNode::default()
            });
            if let (Some(source), Some(target)) = (NodeId::new(id), NodeId::new(first)) {
                model.add_edge(id, "loaded", first, b"");
                edges.push(BulkEdge {
                    source,
                    label: "loaded".into(),
                    target,
                    data: Vec::new(),
                });
            }
        }
        let db = self.db()?.clone();
        self.begin(model);
        db.bulk_load(nodes.into_iter().map(Ok), edges.into_iter().map(Ok), |_| {})?;
        self.mark(Mark::Acked(self.version()));
        self.saw.bulk_loads += 1;
        Ok(())
    }

    /// Copies the database beside itself, then takes the copy away again.
    pub(super) fn copy(&mut self, way: Way) -> vellum::Result<()> {
        self.way(way);
        let db = self.db()?.clone();
        if way == Way::Backup {
            db.backup(COPY)?;
            self.saw.backups += 1;
        } else {
            db.compact(COPY)?;
            self.saw.compactions += 1;
        }
        self.mark(Mark::Copied(self.version()));
        Ok(())
    }

    pub(super) fn remove_copy(&mut self) -> vellum::Result<()> {
        self.mark(Mark::Uncopied);
        let context = |source| Error::Io {
            context: format!("removing {COPY}"),
            source,
        };
        self.directory.remove(COPY).map_err(context)?;
        Directory::sync(&self.directory).map_err(context)
    }

    /// The end: everything recorded, and what was seen on the way.
    pub(super) fn finish(mut self) -> Recording {
        // With a fault it is still open, and refuses to write on.
        drop(self.db.take());
        let events = self.directory.events();
        saw::of_events(&mut self.saw, &events);
        let calls = self.directory.calls();
        let syncs = calls.iter().enumerate();
        Recording {
            events,
            models: self.models,
            saw: self.saw,
            syncs: syncs
                .filter(|(_, call)| **call == Call::Sync)
                .map(|(number, _)| number)
                .collect(),
        }
    }
}
