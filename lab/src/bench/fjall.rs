//! fjall: a keyspace for each direction and index, a batch for each commit, its journal synced at each.
//! `docs/peers.md` says why each setting is its best.

use std::time::Duration;

use fjall::config::HashRatioPolicy;
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable, Snapshot,
};

use crate::failure::Failure;
use crate::results::Setting;

use super::batch;
use super::graph::{Edge, Graph, Node};
use super::subject::{Change, Config, Reader, Session, Store, Way};

impl From<fjall::Error> for Failure {
    fn from(error: fjall::Error) -> Failure {
        Failure::lab(format!("fjall: {error}"))
    }
}

#[derive(Clone)]
pub(super) struct Fjall {
    database: Database,
    nodes: Keyspace,
    edges: [Keyspace; 2],
    kinds: Keyspace,
    names: Keyspace,
    name_index: bool,
}

impl Fjall {
    fn keyspaces(&self) -> [&Keyspace; 5] {
        [
            &self.nodes,
            &self.edges[0],
            &self.edges[1],
            &self.kinds,
            &self.names,
        ]
    }

    fn insert(&self, batch: &mut OwnedWriteBatch, node: &Node<'_>) {
        let mut value = Vec::new();
        batch::record(node, &mut value);
        batch.insert(&self.nodes, node.id.to_be_bytes(), value);
        batch.insert(&self.kinds, kind_key(node), []);
        if self.name_index {
            batch.insert(&self.names, name_key(node), []);
        }
    }

    fn delete(&self, batch: &mut OwnedWriteBatch, node: &Node<'_>) -> Result<(), Failure> {
        let snapshot = self.database.snapshot();
        for (here, there) in [(0, 1), (1, 0)] {
            for entry in snapshot.prefix(&self.edges[here], node.id.to_be_bytes()) {
                let key = entry.key()?;
                let (label, peer) = parts(&key)?;
                batch.remove(&self.edges[there], edge_key(peer, label, node.id));
                batch.remove(&self.edges[here], key);
            }
        }
        batch.remove(&self.nodes, node.id.to_be_bytes());
        batch.remove(&self.kinds, kind_key(node));
        if self.name_index {
            batch.remove(&self.names, name_key(node));
        }
        Ok(())
    }

    /// Every memory table on disk, and no compaction under way or due.
    fn settle(&self) -> Result<(), Failure> {
        for keyspace in self.keyspaces() {
            keyspace.rotate_memtable_and_wait()?;
        }
        let idle = || self.database.outstanding_flushes() + self.database.active_compactions() == 0;
        let mut quiet = 0;
        while quiet < 5 {
            std::thread::sleep(Duration::from_millis(2));
            quiet = if idle() { quiet + 1 } else { 0 };
        }
        Ok(())
    }
}

fn edge_key(node: u64, label: u8, peer: u64) -> [u8; 17] {
    let mut key = [0; 17];
    key[..8].copy_from_slice(&node.to_be_bytes());
    key[8] = label;
    key[9..].copy_from_slice(&peer.to_be_bytes());
    key
}

fn keys(edge: &Edge) -> [[u8; 17]; 2] {
    let (source, target) = (u64::from(edge.source), u64::from(edge.target));
    [
        edge_key(source, edge.label, target),
        edge_key(target, edge.label, source),
    ]
}

/// Label and peer.
fn parts(key: &[u8]) -> Result<(u8, u64), Failure> {
    match (key.get(8), last_id(key)) {
        (Some(label), Some(peer)) if key.len() == 17 => Ok((*label, peer)),
        _ => Err(Failure::wrong("fjall: no key of an edge")),
    }
}

fn last_id(key: &[u8]) -> Option<u64> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

fn kind_key(node: &Node<'_>) -> [u8; 9] {
    let mut key = [node.kind; 9];
    key[1..].copy_from_slice(&node.id.to_be_bytes());
    key
}

/// A zero byte ends the name, so that one name does not begin another's keys.
fn name_key(node: &Node<'_>) -> Vec<u8> {
    let mut key = node.name.as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&node.id.to_be_bytes());
    key
}

impl Store for Fjall {
    type Session = Fjall;

    fn open(config: &Config) -> Result<Fjall, Failure> {
        let database = Database::builder(config.folder.join("main.fjall"))
            .cache_size(config.cache_bytes)
            .open()?;
        let points = || {
            KeyspaceCreateOptions::default()
                .data_block_hash_ratio_policy(HashRatioPolicy::all(0.75))
                .expect_point_read_hits(true)
        };
        let ranges = || KeyspaceCreateOptions::default().expect_point_read_hits(true);
        Ok(Fjall {
            nodes: database.keyspace("node", points)?,
            edges: [
                database.keyspace("out", ranges)?,
                database.keyspace("in", ranges)?,
            ],
            kinds: database.keyspace("kind", ranges)?,
            names: database.keyspace("name", ranges)?,
            name_index: config.name_index,
            database,
        })
    }

    fn session(&self) -> Result<Fjall, Failure> {
        Ok(self.clone())
    }

    fn commit(&self, changes: &[Change<'_>]) -> Result<(), Failure> {
        let mut batch = self
            .database
            .batch()
            .durability(Some(PersistMode::SyncData));
        for change in changes {
            match change {
                Change::Insert(node) => self.insert(&mut batch, node),
                Change::Update(node) => {
                    let mut value = Vec::new();
                    batch::record(node, &mut value);
                    batch.insert(&self.nodes, node.id.to_be_bytes(), value);
                }
                Change::Delete(node) => self.delete(&mut batch, node)?,
                Change::Link(_) => {}
                Change::Unlink(edge) => {
                    for (way, key) in keys(edge).into_iter().enumerate() {
                        batch.remove(&self.edges[way], key);
                    }
                }
            }
        }
        for (way, edges) in batch::links(changes).iter().enumerate() {
            for edge in edges {
                batch.insert(&self.edges[way], keys(edge)[way], []);
            }
        }
        Ok(batch.commit()?)
    }

    fn bulk(&self, graph: &Graph) -> Result<(), Failure> {
        let mut into = self.nodes.start_ingestion()?;
        let mut value = Vec::new();
        for node in graph.all_nodes() {
            batch::record(&node, &mut value);
            into.write(node.id.to_be_bytes(), value.as_slice())?;
        }
        into.finish()?;
        let mut kinds: Vec<[u8; 9]> = graph.all_nodes().map(|node| kind_key(&node)).collect();
        kinds.sort_unstable();
        ingest(&self.kinds, kinds)?;
        if self.name_index {
            let mut names: Vec<Vec<u8>> = graph.all_nodes().map(|node| name_key(&node)).collect();
            names.sort_unstable();
            ingest(&self.names, names)?;
        }
        let edges = [
            batch::by_source(&graph.edges),
            batch::by_target(&graph.edges),
        ];
        for (way, edges) in edges.iter().enumerate() {
            ingest(&self.edges[way], edges.iter().map(|edge| keys(edge)[way]))?;
        }
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }

    fn close(self) -> Result<(), Failure> {
        self.settle()?;
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }

    fn settings(&self) -> Result<Vec<Setting>, Failure> {
        Ok(vec![
            Setting::new("fjall", "3.1"),
            Setting::new("cache", self.database.cache_capacity().to_string()),
            Setting::new("cache in use", self.database.cache_size().to_string()),
            Setting::new("journals", self.database.journal_count().to_string()),
            Setting::new("durability", "the journal's data synced at each commit"),
        ])
    }
}

fn ingest<K: AsRef<[u8]>>(
    keyspace: &Keyspace,
    keys: impl IntoIterator<Item = K>,
) -> Result<(), Failure> {
    let mut into = keyspace.start_ingestion()?;
    for key in keys {
        into.write(key.as_ref(), [])?;
    }
    Ok(into.finish()?)
}

pub(super) struct Held<'s> {
    store: &'s Fjall,
    snapshot: Snapshot,
}

impl Session for Fjall {
    type Reader<'s> = Held<'s>;

    fn reader(&self) -> Result<Held<'_>, Failure> {
        Ok(Held {
            store: self,
            snapshot: self.database.snapshot(),
        })
    }
}

impl Held<'_> {
    fn ids(
        &self,
        keyspace: &Keyspace,
        prefix: &[u8],
        mut see: impl FnMut(u64),
    ) -> Result<(), Failure> {
        for entry in self.snapshot.prefix(keyspace, prefix) {
            let key = entry.key()?;
            see(last_id(&key).ok_or_else(|| Failure::wrong("fjall: no key of an index"))?);
        }
        Ok(())
    }
}

impl Reader for Held<'_> {
    fn refresh(&mut self) -> Result<(), Failure> {
        self.snapshot = self.store.database.snapshot();
        Ok(())
    }

    fn node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        let Some(record) = self.snapshot.get(&self.store.nodes, id.to_be_bytes())? else {
            return Ok(false);
        };
        let (kind, name, data) =
            batch::parts(&record).ok_or_else(|| Failure::wrong("fjall: no record of a node"))?;
        see(kind, name, data);
        Ok(true)
    }

    fn neighbours(
        &mut self,
        id: u64,
        way: Way,
        mut see: impl FnMut(u8, u64),
    ) -> Result<(), Failure> {
        let keyspace = &self.store.edges[usize::from(way == Way::In)];
        for entry in self.snapshot.prefix(keyspace, id.to_be_bytes()) {
            let (label, peer) = parts(&entry.key()?)?;
            see(label, peer);
        }
        Ok(())
    }

    fn of_kind(&mut self, kind: u8, see: impl FnMut(u64)) -> Result<(), Failure> {
        self.ids(&self.store.kinds, &[kind], see)
    }

    fn named(&mut self, name: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        let mut prefix = name.as_bytes().to_vec();
        prefix.push(0);
        self.ids(&self.store.names, &prefix, see)
    }

    fn prefixed(&mut self, prefix: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        self.ids(&self.store.names, prefix.as_bytes(), see)
    }
}
