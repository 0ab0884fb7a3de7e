//! redb: one table for each direction with keys of fixed width, batches in key order, one sync a commit.
//! `docs/peers.md` says why each setting is its best.

use std::fmt::Display;
use std::sync::Arc;

use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction,
};

use crate::failure::Failure;
use crate::results::Setting;

use super::batch;
use super::graph::{Edge, Graph, Node};
use super::subject::{Change, Config, Reader, Session, Store, Way};

type EdgeKey = (u64, u32, u64);

const NODES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("node");
const EDGES: [TableDefinition<'_, EdgeKey, ()>; 2] =
    [TableDefinition::new("out"), TableDefinition::new("in")];
const KINDS: TableDefinition<'_, (u8, u64), ()> = TableDefinition::new("kind");
const NAMES: TableDefinition<'_, (&str, u64), ()> = TableDefinition::new("name");

fn failed(error: impl Display) -> Failure {
    Failure::lab(format!("redb: {error}"))
}

pub(super) struct Redb {
    database: Arc<Database>,
    cache_bytes: u64,
    name_index: bool,
}

impl Redb {
    fn in_transaction(
        &self,
        work: impl FnOnce(&WriteTransaction) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let txn = self.database.begin_write().map_err(failed)?;
        work(&txn)?;
        txn.commit().map_err(failed)
    }

    fn insert<'n>(
        &self,
        txn: &WriteTransaction,
        nodes: impl Iterator<Item = Node<'n>> + Clone,
    ) -> Result<(), Failure> {
        let mut table = txn.open_table(NODES).map_err(failed)?;
        let mut value = Vec::new();
        let mut kinds = Vec::new();
        for node in nodes.clone() {
            batch::record(&node, &mut value);
            table.insert(node.id, value.as_slice()).map_err(failed)?;
            kinds.push((node.kind, node.id));
        }
        kinds.sort_unstable();
        let mut table = txn.open_table(KINDS).map_err(failed)?;
        for key in kinds {
            table.insert(key, ()).map_err(failed)?;
        }
        if self.name_index {
            let mut names: Vec<(&str, u64)> = nodes.map(|node| (node.name, node.id)).collect();
            names.sort_unstable();
            let mut table = txn.open_table(NAMES).map_err(failed)?;
            for key in names {
                table.insert(key, ()).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn delete(&self, txn: &WriteTransaction, node: &Node<'_>) -> Result<(), Failure> {
        let mut out = txn.open_table(EDGES[0]).map_err(failed)?;
        let mut into = txn.open_table(EDGES[1]).map_err(failed)?;
        for (here, there) in [(0, 1), (1, 0)] {
            let tables = [&mut out, &mut into];
            let mut gone = Vec::new();
            let removed = tables[here]
                .extract_from_if(span(node.id), |_, ()| true)
                .map_err(failed)?;
            for entry in removed {
                gone.push(entry.map_err(failed)?.0.value());
            }
            for (own, label, peer) in gone {
                tables[there].remove((peer, label, own)).map_err(failed)?;
            }
        }
        txn.open_table(NODES)
            .map_err(failed)?
            .remove(node.id)
            .map_err(failed)?;
        txn.open_table(KINDS)
            .map_err(failed)?
            .remove((node.kind, node.id))
            .map_err(failed)?;
        if self.name_index {
            let mut names = txn.open_table(NAMES).map_err(failed)?;
            names.remove((node.name, node.id)).map_err(failed)?;
        }
        Ok(())
    }
}

fn span(node: u64) -> std::ops::RangeInclusive<EdgeKey> {
    (node, 0, 0)..=(node, u32::MAX, u64::MAX)
}

fn keys(edge: &Edge) -> [EdgeKey; 2] {
    let (source, target) = (u64::from(edge.source), u64::from(edge.target));
    let label = u32::from(edge.label);
    [(source, label, target), (target, label, source)]
}

fn link(txn: &WriteTransaction, links: &[Vec<Edge>; 2]) -> Result<(), Failure> {
    for (way, edges) in links
        .iter()
        .enumerate()
        .filter(|(_, list)| !list.is_empty())
    {
        let mut table = txn.open_table(EDGES[way]).map_err(failed)?;
        for edge in edges {
            table.insert(keys(edge)[way], ()).map_err(failed)?;
        }
    }
    Ok(())
}

impl Store for Redb {
    type Session = Arc<Database>;

    fn open(config: &Config) -> Result<Redb, Failure> {
        let path = config.folder.join("main.redb");
        let old = path.exists();
        let database = Database::builder()
            .set_cache_size(config.cache_bytes as usize)
            .create(path)
            .map_err(failed)?;
        let store = Redb {
            database: Arc::new(database),
            cache_bytes: config.cache_bytes,
            name_index: config.name_index,
        };
        if old {
            return Ok(store);
        }
        store.in_transaction(|txn| {
            txn.open_table(NODES).map_err(failed)?;
            txn.open_table(EDGES[0]).map_err(failed)?;
            txn.open_table(EDGES[1]).map_err(failed)?;
            txn.open_table(KINDS).map_err(failed)?;
            txn.open_table(NAMES).map_err(failed)?;
            Ok(())
        })?;
        Ok(store)
    }

    fn session(&self) -> Result<Arc<Database>, Failure> {
        Ok(Arc::clone(&self.database))
    }

    fn commit(&self, changes: &[Change<'_>]) -> Result<(), Failure> {
        self.in_transaction(|txn| {
            let inserted = changes.iter().filter_map(|change| match change {
                Change::Insert(node) => Some(*node),
                _ => None,
            });
            if inserted.clone().next().is_some() {
                self.insert(txn, inserted)?;
            }
            for change in changes {
                match change {
                    Change::Update(node) => {
                        let mut value = Vec::new();
                        batch::record(node, &mut value);
                        let mut table = txn.open_table(NODES).map_err(failed)?;
                        table.insert(node.id, value.as_slice()).map_err(failed)?;
                    }
                    Change::Delete(node) => self.delete(txn, node)?,
                    Change::Unlink(edge) => {
                        for (way, key) in keys(edge).into_iter().enumerate() {
                            let mut table = txn.open_table(EDGES[way]).map_err(failed)?;
                            table.remove(key).map_err(failed)?;
                        }
                    }
                    Change::Insert(_) | Change::Link(_) => {}
                }
            }
            link(txn, &batch::links(changes))
        })
    }

    fn bulk(&self, graph: &Graph) -> Result<(), Failure> {
        let edges = [
            batch::by_source(&graph.edges),
            batch::by_target(&graph.edges),
        ];
        self.in_transaction(|txn| {
            self.insert(txn, graph.all_nodes())?;
            link(txn, &edges)
        })
    }

    fn close(self) -> Result<(), Failure> {
        match Arc::into_inner(self.database) {
            Some(database) => database.close().map_err(failed),
            None => Err(Failure::lab("redb: a session is left")),
        }
    }

    fn settings(&self) -> Result<Vec<Setting>, Failure> {
        Ok(vec![
            Setting::new("redb", "4.6"),
            Setting::new("cache", self.cache_bytes.to_string()),
            Setting::new(
                "cache in use",
                self.database.cache_stats().used_bytes().to_string(),
            ),
            Setting::new("durability", "immediate, one phase"),
        ])
    }
}

pub(super) struct Tables<'s> {
    database: &'s Database,
    nodes: ReadOnlyTable<u64, &'static [u8]>,
    edges: [ReadOnlyTable<EdgeKey, ()>; 2],
    kinds: ReadOnlyTable<(u8, u64), ()>,
    names: ReadOnlyTable<(&'static str, u64), ()>,
}

impl<'s> Tables<'s> {
    fn of(database: &'s Database, txn: &ReadTransaction) -> Result<Tables<'s>, Failure> {
        Ok(Tables {
            database,
            nodes: txn.open_table(NODES).map_err(failed)?,
            edges: [
                txn.open_table(EDGES[0]).map_err(failed)?,
                txn.open_table(EDGES[1]).map_err(failed)?,
            ],
            kinds: txn.open_table(KINDS).map_err(failed)?,
            names: txn.open_table(NAMES).map_err(failed)?,
        })
    }
}

impl Session for Arc<Database> {
    type Reader<'s> = Tables<'s>;

    fn reader(&self) -> Result<Tables<'_>, Failure> {
        Tables::of(self, &self.begin_read().map_err(failed)?)
    }
}

fn see_record(record: &[u8], see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
    let (kind, name, data) =
        batch::parts(record).ok_or_else(|| Failure::wrong("redb: no record of a node"))?;
    see(kind, name, data);
    Ok(true)
}

impl Reader for Tables<'_> {
    fn refresh(&mut self) -> Result<(), Failure> {
        *self = Tables::of(self.database, &self.database.begin_read().map_err(failed)?)?;
        Ok(())
    }

    fn node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        match self.nodes.get(id).map_err(failed)? {
            Some(record) => see_record(record.value(), see),
            None => Ok(false),
        }
    }

    /// Opens the one table that it needs.
    fn fresh_node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        let txn = self.database.begin_read().map_err(failed)?;
        let nodes = txn.open_table(NODES).map_err(failed)?;
        match nodes.get(id).map_err(failed)? {
            Some(record) => see_record(record.value(), see),
            None => Ok(false),
        }
    }

    fn neighbours(
        &mut self,
        id: u64,
        way: Way,
        mut see: impl FnMut(u8, u64),
    ) -> Result<(), Failure> {
        let table = &self.edges[usize::from(way == Way::In)];
        for entry in table.range(span(id)).map_err(failed)? {
            let (_, label, peer) = entry.map_err(failed)?.0.value();
            see(label as u8, peer);
        }
        Ok(())
    }

    fn of_kind(&mut self, kind: u8, mut see: impl FnMut(u64)) -> Result<(), Failure> {
        let range = (kind, 0)..=(kind, u64::MAX);
        for entry in self.kinds.range(range).map_err(failed)? {
            see(entry.map_err(failed)?.0.value().1);
        }
        Ok(())
    }

    fn named(&mut self, name: &str, mut see: impl FnMut(u64)) -> Result<(), Failure> {
        let range = (name, 0)..=(name, u64::MAX);
        for entry in self.names.range(range).map_err(failed)? {
            see(entry.map_err(failed)?.0.value().1);
        }
        Ok(())
    }

    fn prefixed(&mut self, prefix: &str, mut see: impl FnMut(u64)) -> Result<(), Failure> {
        let end = batch::behind(prefix).unwrap_or_else(|| char::MAX.to_string());
        let range = (prefix, 0)..(end.as_str(), 0);
        for entry in self.names.range(range).map_err(failed)? {
            see(entry.map_err(failed)?.0.value().1);
        }
        Ok(())
    }
}
