//! The small workload: every way into the file, in as few pages as that takes.

use std::sync::Arc;

use vellum::storage::Directory;
use vellum::storage::sim::{Event, SimDirectory};
use vellum::{
    Builder, BulkEdge, BulkNode, CheckpointMode, CommitKind, Database, NodeId, NodeUpdate, WriteTxn,
};

use super::model::Model;
use super::states::{acked, begun};
use crate::random::Random;

/// The database's name in its directory.
pub(crate) const NAME: &str = "graph";

/// What a session did, and what must be read after each of its commits.
pub(crate) struct Session {
    pub(crate) events: Vec<Event>,
    /// The digest of everything readable after commit `n`, by `n`; the first is that of an empty graph.
    pub(crate) digests: Vec<String>,
    pub(crate) saw: Saw,
}

/// What really happened in a session, so that an idle one cannot pass.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Saw {
    pub(crate) log_commits: u64,
    pub(crate) root_commits: u64,
    pub(crate) rollbacks: u64,
    pub(crate) savepoints: u64,
    pub(crate) checkpoints: u64,
    pub(crate) trees_of_two_levels: u64,
}

/// Options under which the same operations give the same bytes.
pub(crate) fn builder(directory: Arc<dyn Directory>) -> Builder {
    Database::builder()
        .in_directory(directory)
        .file_id(*b"the small graph!")
        .checkpoint(CheckpointMode::Inline)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(64 << 10)
        .cache_bytes(1 << 20)
}

/// Runs the small workload and records it.
pub(crate) fn run(seed: u64) -> vellum::Result<Session> {
    let directory = SimDirectory::new();
    let db = builder(Arc::new(directory.clone())).create(NAME)?;
    let mut session = Writer {
        db,
        directory,
        model: Model::default(),
        digests: vec![Model::default().digest()],
        random: Random::new(seed, 3),
        saw: Saw::default(),
    };
    session.all()?;
    session.finish()
}

struct Writer {
    db: Database,
    directory: SimDirectory,
    model: Model,
    digests: Vec<String>,
    random: Random,
    saw: Saw,
}

impl Writer {
    fn all(&mut self) -> vellum::Result<()> {
        self.grow(6)?;
        self.commit(|writer, txn, model| writer.hub(txn, model, 400))?;
        self.checkpoint()?;
        self.grow(6)?;
        self.sparse(24, 12)?;
        self.rolled_back()?;
        self.commit(|writer, txn, model| writer.nodes(txn, model, 1, 5_000))?;
        self.checkpoint()?;
        self.commit(|writer, txn, model| writer.nodes(txn, model, 1, 90_000))?;
        self.shrink(6)?;
        self.bulk()?;
        self.grow(3)?;
        self.checkpoint()?;
        self.shrink(3)?;
        self.grow(2)
    }

    fn grow(&mut self, commits: usize) -> vellum::Result<()> {
        for _ in 0..commits {
            self.commit(|writer, txn, model| {
                writer.nodes(txn, model, 3, 150)?;
                writer.edges(txn, model, 6)?;
                writer.savepoint(txn, model)
            })?;
        }
        Ok(())
    }

    fn shrink(&mut self, commits: usize) -> vellum::Result<()> {
        for _ in 0..commits {
            self.commit(|writer, txn, model| {
                for _ in 0..4 {
                    writer.delete(txn, model)?;
                }
                writer.rename(txn, model)
            })?;
        }
        Ok(())
    }

    /// Nodes with ids far from each other, so that absent ids and kinds fill more than a page.
    fn sparse(&mut self, commits: usize, each: usize) -> vellum::Result<()> {
        for _ in 0..commits {
            self.commit(|writer, txn, model| {
                for _ in 0..each {
                    let last = model.ids().last().copied().unwrap_or(0);
                    let id = last + 2 + u64::from(writer.random.below(1 << 30));
                    let kind = format!("{:060}", writer.random.below(100));
                    let Some(node) = NodeId::new(id) else {
                        continue;
                    };
                    txn.insert_node_with_id(node, &kind, "", b"")?;
                    model.put_node(id, &kind, "", b"");
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn commit(
        &mut self,
        change: impl FnOnce(&mut Writer, &mut WriteTxn, &mut Model) -> vellum::Result<()>,
    ) -> vellum::Result<()> {
        let mut model = self.model.clone();
        let mut txn = self.db.begin_write()?;
        change(self, &mut txn, &mut model)?;
        let number = self.digests.len() as u64;
        self.directory.mark(begun(number));
        let report = txn.commit()?;
        self.directory.mark(acked(number));
        match report.how {
            CommitKind::Log => self.saw.log_commits += 1,
            _ => self.saw.root_commits += 1,
        }
        self.accept(model);
        Ok(())
    }

    fn accept(&mut self, model: Model) {
        self.model = model;
        self.digests.push(self.model.digest());
    }

    fn rolled_back(&mut self) -> vellum::Result<()> {
        let mut model = self.model.clone();
        let db = self.db.clone();
        let mut txn = db.begin_write()?;
        self.nodes(&mut txn, &mut model, 2, 3_000)?;
        self.hub(&mut txn, &mut model, 50)?;
        drop(txn);
        self.saw.rollbacks += 1;
        Ok(())
    }

    fn checkpoint(&mut self) -> vellum::Result<()> {
        self.saw.checkpoints += 1;
        self.db.checkpoint()
    }

    fn bulk(&mut self) -> vellum::Result<()> {
        let mut model = self.model.clone();
        let first = self.db.begin_read()?.next_id();
        let nodes: Vec<BulkNode> = (0..20)
            .map(|_| BulkNode {
                kind: "loaded".into(),
                name: self.long("bulk", 40),
                ..BulkNode::default()
            })
            .collect();
        let mut edges = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            model.put_node(first + index as u64, &node.kind, &node.name, &node.data);
            let ends = (NodeId::new(first + index as u64), NodeId::new(first));
            if let (Some(source), Some(target)) = ends {
                model.add_edge(source.get(), "loaded", target.get(), b"");
                edges.push(BulkEdge {
                    source,
                    label: "loaded".into(),
                    target,
                    data: Vec::new(),
                });
            }
        }
        let number = self.digests.len() as u64;
        self.directory.mark(begun(number));
        self.db
            .bulk_load(nodes.into_iter().map(Ok), edges.into_iter().map(Ok), |_| {})?;
        self.directory.mark(acked(number));
        self.saw.root_commits += 1;
        self.accept(model);
        Ok(())
    }

    fn nodes(
        &mut self,
        txn: &mut WriteTxn,
        model: &mut Model,
        count: usize,
        bytes: usize,
    ) -> vellum::Result<()> {
        for _ in 0..count {
            let kind = format!("kind{}", self.random.below(4));
            let name = self.long("name", 80);
            let data: Vec<u8> = (0..bytes).map(|_| self.random.next_u32() as u8).collect();
            let id = txn.insert_node(&kind, &name, &data)?;
            model.put_node(id.get(), &kind, &name, &data);
        }
        Ok(())
    }

    fn edges(&mut self, txn: &mut WriteTxn, model: &mut Model, count: usize) -> vellum::Result<()> {
        for _ in 0..count {
            let (Some(source), Some(target)) = (self.pick(model), self.pick(model)) else {
                continue;
            };
            let label = format!("label{}", self.random.below(3));
            let data = self.long("data", 30);
            txn.insert_edge(source, &label, target, data.as_bytes())?;
            model.add_edge(source.get(), &label, target.get(), data.as_bytes());
        }
        Ok(())
    }

    /// One node with so many edges that they fill more than a page in both directions.
    fn hub(&mut self, txn: &mut WriteTxn, model: &mut Model, edges: usize) -> vellum::Result<()> {
        let Some(hub) = model.ids().first().copied().and_then(NodeId::new) else {
            return Ok(());
        };
        for index in 0..edges {
            let Some(other) = self.pick(model) else {
                continue;
            };
            let (source, target) = if index % 2 == 0 {
                (hub, other)
            } else {
                (other, hub)
            };
            txn.insert_edge(source, "spoke", target, b"0123456789")?;
            model.add_edge(source.get(), "spoke", target.get(), b"0123456789");
        }
        Ok(())
    }

    /// Changes that are taken back before the commit, and one that is kept.
    fn savepoint(&mut self, txn: &mut WriteTxn, model: &mut Model) -> vellum::Result<()> {
        let savepoint = txn.savepoint()?;
        let mut undone = model.clone();
        self.nodes(txn, &mut undone, 2, 100)?;
        self.delete(txn, &mut undone)?;
        txn.rollback_to(&savepoint)?;
        self.saw.savepoints += 1;
        self.nodes(txn, model, 1, 20)
    }

    fn delete(&mut self, txn: &mut WriteTxn, model: &mut Model) -> vellum::Result<()> {
        let Some(node) = self.pick(model) else {
            return Ok(());
        };
        if let Some((label, target, ordinal)) = model.delete_first_edge(node.get())
            && let Some(target) = NodeId::new(target)
        {
            txn.delete_edge(node, &label, target, ordinal)?;
        }
        txn.delete_node(node)?;
        model.delete_node(node.get());
        Ok(())
    }

    fn rename(&mut self, txn: &mut WriteTxn, model: &mut Model) -> vellum::Result<()> {
        let Some(node) = self.pick(model) else {
            return Ok(());
        };
        let name = self.long("renamed", 20);
        txn.update_node(node, NodeUpdate::new().name(&name))?;
        model.rename(node.get(), &name);
        Ok(())
    }

    fn pick(&mut self, model: &Model) -> Option<NodeId> {
        let ids = model.ids();
        let place = self
            .random
            .below(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        ids.get(place as usize).copied().and_then(NodeId::new)
    }

    fn long(&mut self, word: &str, len: usize) -> String {
        let mut text = word.to_owned();
        while text.len() < len {
            text.push(char::from(b'a' + self.random.below(26) as u8));
        }
        text
    }

    fn finish(mut self) -> vellum::Result<Session> {
        let stats = self.db.stats()?;
        self.saw.trees_of_two_levels =
            stats.trees.iter().filter(|tree| tree.height >= 2).count() as u64;
        self.db.close()?;
        Ok(Session {
            events: self.directory.events(),
            digests: self.digests,
            saw: self.saw,
        })
    }
}
