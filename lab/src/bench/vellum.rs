//! The engine itself, with its default options: only the cache differs, and edges are declared unique.

use std::ops::ControlFlow;

use vellum::{BulkEdge, BulkNode, Database, Direction, NodeId, NodeUpdate, ReadTxn};

use crate::failure::{Context, Failure};
use crate::results::Setting;

use super::graph::{Edge, Graph, KIND_NAMES};
use super::subject::{Change, Config, Reader, Session, Store, Way};

pub(super) struct Vellum(Database);

fn id(number: u64) -> Result<NodeId, Failure> {
    NodeId::new(number).ok_or_else(|| Failure::lab(format!("{number} is no id of a node")))
}

/// Kinds and labels are single letters, numbered from `a`.
fn letter(text: &str) -> u8 {
    text.as_bytes().first().map_or(0, |byte| byte - b'a')
}

impl Vellum {
    /// Pages read from the file because the cache had none.
    pub(super) fn misses(&self) -> u64 {
        self.0.cache_stats().misses
    }
}

impl Store for Vellum {
    type Session = Database;

    fn open(config: &Config) -> Result<Vellum, Failure> {
        let database = Database::builder()
            .cache_bytes(config.cache_bytes as usize)
            .name_index(config.name_index)
            .unique_edges(true)
            .open_or_create(config.folder.join("main.vellum"))?;
        Ok(Vellum(database))
    }

    fn session(&self) -> Result<Database, Failure> {
        Ok(self.0.clone())
    }

    fn commit(&self, changes: &[Change<'_>]) -> Result<(), Failure> {
        let mut txn = self.0.begin_write()?;
        for change in changes {
            match change {
                Change::Insert(node) => {
                    txn.insert_node(KIND_NAMES[usize::from(node.kind)], node.name, node.data)?;
                }
                Change::Update(node) => {
                    txn.update_node(id(node.id)?, NodeUpdate::new().data(node.data))?;
                }
                Change::Delete(node) => {
                    txn.delete_node(id(node.id)?)?;
                }
                Change::Link(edge) => {
                    let (source, label, target) = ends(edge)?;
                    txn.insert_edge(source, label, target, b"")?;
                }
                Change::Unlink(edge) => {
                    let (source, label, target) = ends(edge)?;
                    txn.delete_edge(source, label, target, 0)?;
                }
            }
        }
        txn.commit()?;
        Ok(())
    }

    fn bulk(&self, graph: &Graph) -> Result<(), Failure> {
        let nodes = graph.all_nodes().map(|node| {
            Ok(BulkNode {
                id: None,
                kind: KIND_NAMES[usize::from(node.kind)].to_owned(),
                name: node.name.to_owned(),
                data: node.data.to_owned(),
            })
        });
        let edges = graph.edges.iter().filter_map(|edge| {
            let (source, label, target) = ends(edge).ok()?;
            Some(Ok(BulkEdge {
                source,
                label: label.to_owned(),
                target,
                data: Vec::new(),
            }))
        });
        self.0.bulk_load(nodes, edges, |_| {})?;
        Ok(())
    }

    fn close(self) -> Result<(), Failure> {
        Ok(self.0.close()?)
    }

    fn settings(&self) -> Result<Vec<Setting>, Failure> {
        let options = self.0.options();
        Ok(vec![Setting::new("options", format!("{options:?}"))])
    }
}

fn ends(edge: &Edge) -> Result<(NodeId, &'static str, NodeId), Failure> {
    Ok((
        id(u64::from(edge.source))?,
        KIND_NAMES[usize::from(edge.label)],
        id(u64::from(edge.target))?,
    ))
}

pub(super) struct Snapshot<'s> {
    database: &'s Database,
    txn: ReadTxn,
    /// For each label of the database, the graph's number. A label's place among them never changes.
    letters: Vec<u8>,
}

/// Of a label that is newer than the list of letters.
#[cold]
fn letter_of(txn: &ReadTxn, place: usize) -> Result<u8, Failure> {
    Ok(txn.labels()?.get(place).map_or(0, |label| letter(label)))
}

impl Session for Database {
    type Reader<'s> = Snapshot<'s>;

    fn reader(&self) -> Result<Snapshot<'_>, Failure> {
        let txn = self.begin_read()?;
        let letters = txn.labels()?.iter().map(|label| letter(label)).collect();
        Ok(Snapshot {
            database: self,
            txn,
            letters,
        })
    }
}

impl Reader for Snapshot<'_> {
    fn refresh(&mut self) -> Result<(), Failure> {
        self.txn = self.database.begin_read()?;
        Ok(())
    }

    fn node(&mut self, number: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        let Some(node) = self.txn.node(id(number)?)? else {
            return Ok(false);
        };
        see(
            letter(node.kind()),
            node.name().as_bytes(),
            node.data()?.as_ref(),
        );
        Ok(true)
    }

    fn neighbours(
        &mut self,
        number: u64,
        way: Way,
        mut see: impl FnMut(u8, u64),
    ) -> Result<(), Failure> {
        let direction = match way {
            Way::Out => Direction::Out,
            Way::In => Direction::In,
        };
        let Snapshot { txn, letters, .. } = self;
        let failed = txn.visit_neighbors(id(number)?, direction, None, |found| {
            let place = usize::from(found.label.0);
            let known = letters.get(place).copied();
            match known.map_or_else(|| letter_of(txn, place), Ok) {
                Ok(letter) => {
                    see(letter, found.node.get());
                    ControlFlow::Continue(())
                }
                Err(failure) => ControlFlow::Break(failure),
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn of_kind(&mut self, kind: u8, mut see: impl FnMut(u64)) -> Result<(), Failure> {
        for node in self.txn.nodes_of_kind(KIND_NAMES[usize::from(kind)]) {
            see(node?.get());
        }
        Ok(())
    }

    fn named(&mut self, name: &str, mut see: impl FnMut(u64)) -> Result<(), Failure> {
        for node in self.txn.nodes_named(name) {
            see(node?.get());
        }
        Ok(())
    }

    fn prefixed(&mut self, prefix: &str, mut see: impl FnMut(u64)) -> Result<(), Failure> {
        self.txn.visit_names(prefix, |_, node| -> ControlFlow<()> {
            see(node.get());
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    fn reach(&mut self, start: u64, hops: u32, _: u64) -> Result<(u64, u64), Failure> {
        let (mut count, mut sum) = (0, 0);
        self.txn
            .bfs(id(start)?)
            .max_depth(hops)
            .run(|visit| -> ControlFlow<()> {
                count += 1;
                sum += visit.node.get();
                ControlFlow::Continue(())
            })
            .context("breadth-first search")?;
        Ok((count, sum))
    }
}
