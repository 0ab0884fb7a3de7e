//! What transactions of a workload do, to the database and to the model alike.

use vellum::{NodeId, NodeUpdate, WriteTxn};

use super::super::model::Model;
use super::writer::Writer;
use crate::random::Random;

impl Writer {
    /// Commits that each add a few nodes and edges, with changes that a savepoint takes back.
    pub(super) fn grow(&mut self, commits: usize) -> vellum::Result<()> {
        for _ in 0..commits {
            self.commit(|writer, txn, model| {
                writer.nodes(txn, model, 3, 150)?;
                writer.edges(txn, model, 6)?;
                writer.savepoint(txn, model)
            })?;
        }
        Ok(())
    }

    /// Commits that each delete some nodes with their edges, and rename one.
    pub(super) fn shrink(&mut self, commits: usize, each: usize) -> vellum::Result<()> {
        for _ in 0..commits {
            self.commit(|writer, txn, model| {
                for _ in 0..each {
                    writer.delete(txn, model)?;
                }
                writer.rename(txn, model)
            })?;
        }
        Ok(())
    }

    /// Nodes with ids far from each other, so that kinds fill more than a page.
    pub(super) fn sparse(&mut self, commits: usize, each: usize) -> vellum::Result<()> {
        self.minimal(commits, each, |model, random| {
            model.next_id() + 1 + (u64::from(random.below(1 << 30)) << 8)
        })
    }

    /// Nodes that leave out every other id, so that absent ids fill more than a page.
    pub(super) fn gaps(&mut self, commits: usize, each: usize) -> vellum::Result<()> {
        self.minimal(commits, each, |model, _| model.next_id() + 1)
    }

    /// Nodes with the ids that were left out.
    pub(super) fn fill(&mut self, commits: usize, each: usize) -> vellum::Result<()> {
        let ids = self.model.ids();
        let pairs = ids.windows(2).filter(|pair| pair[0] + 2 == pair[1]);
        let mut left_out: Vec<u64> = pairs.map(|pair| pair[0] + 1).collect();
        self.minimal(commits, each, move |model, _| {
            left_out.pop().unwrap_or_else(|| model.next_id())
        })
    }

    /// Nodes with little more than an id and a long kind, each with an edge from the first.
    fn minimal(
        &mut self,
        commits: usize,
        each: usize,
        mut id: impl FnMut(&Model, &mut Random) -> u64,
    ) -> vellum::Result<()> {
        for _ in 0..commits {
            self.commit(|writer, txn, model| {
                for _ in 0..each {
                    let id = id(model, &mut writer.random);
                    let kind = format!("{:0250}", writer.random.below(24));
                    let first = model.ids().first().copied().and_then(NodeId::new);
                    let (Some(node), Some(first)) = (NodeId::new(id), first) else {
                        continue;
                    };
                    txn.insert_node_with_id(node, &kind, "", b"")?;
                    model.put_node(id, &kind, "", b"");
                    txn.insert_edge(first, "far", node, b"")?;
                    model.add_edge(first.get(), "far", id, b"");
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    pub(super) fn nodes(
        &mut self,
        txn: &mut WriteTxn,
        model: &mut Model,
        count: usize,
        bytes: usize,
    ) -> vellum::Result<()> {
        for _ in 0..count {
            let kind = format!("kind{}", self.random.below(4));
            let name = self.text("name", 160);
            let data: Vec<u8> = (0..bytes).map(|_| self.random.next_u32() as u8).collect();
            let id = txn.insert_node(&kind, &name, &data)?;
            model.put_node(id.get(), &kind, &name, &data);
        }
        Ok(())
    }

    pub(super) fn edges(
        &mut self,
        txn: &mut WriteTxn,
        model: &mut Model,
        count: usize,
    ) -> vellum::Result<()> {
        for _ in 0..count {
            let (Some(source), Some(target)) = (self.pick(model), self.pick(model)) else {
                continue;
            };
            let label = format!("label{}", self.random.below(3));
            let data = self.text("data", 30);
            txn.insert_edge(source, &label, target, data.as_bytes())?;
            model.add_edge(source.get(), &label, target.get(), data.as_bytes());
        }
        Ok(())
    }

    /// One node with so many edges that they fill more than a page in both directions.
    pub(super) fn hub(
        &mut self,
        txn: &mut WriteTxn,
        model: &mut Model,
        edges: usize,
    ) -> vellum::Result<()> {
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
        self.saw.supernode_edges = self.saw.supernode_edges.max(edges as u64);
        Ok(())
    }

    /// Changes that are taken back before the commit, and one that is kept.
    pub(super) fn savepoint(
        &mut self,
        txn: &mut WriteTxn,
        model: &mut Model,
    ) -> vellum::Result<()> {
        let savepoint = txn.savepoint()?;
        let mut undone = model.clone();
        self.nodes(txn, &mut undone, 2, 100)?;
        self.delete(txn, &mut undone)?;
        txn.rollback_to(&savepoint)?;
        self.saw.savepoints += 1;
        self.nodes(txn, model, 1, 20)
    }

    pub(super) fn delete(&mut self, txn: &mut WriteTxn, model: &mut Model) -> vellum::Result<()> {
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

    /// The half with the larger ids, and the node with the most edges first of all.
    pub(super) fn delete_half(
        &mut self,
        txn: &mut WriteTxn,
        model: &mut Model,
    ) -> vellum::Result<()> {
        let ids = model.ids();
        let kept = ids.len() / 2;
        for id in ids.iter().take(1).chain(ids.iter().skip(kept.max(1))) {
            if let Some(node) = NodeId::new(*id) {
                txn.delete_node(node)?;
                model.delete_node(*id);
            }
        }
        Ok(())
    }

    /// Empties every tree but the dictionary and the absent ids.
    pub(super) fn delete_all(
        &mut self,
        txn: &mut WriteTxn,
        model: &mut Model,
    ) -> vellum::Result<()> {
        for id in model.ids() {
            if let Some(node) = NodeId::new(id) {
                txn.delete_node(node)?;
                model.delete_node(id);
            }
        }
        Ok(())
    }

    fn rename(&mut self, txn: &mut WriteTxn, model: &mut Model) -> vellum::Result<()> {
        let Some(node) = self.pick(model) else {
            return Ok(());
        };
        let name = self.text("renamed", 20);
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

    pub(super) fn text(&mut self, word: &str, len: usize) -> String {
        let mut text = word.to_owned();
        while text.len() < len {
            text.push(char::from(b'a' + self.random.below(26) as u8));
        }
        text
    }
}
