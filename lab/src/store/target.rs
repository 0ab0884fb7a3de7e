//! A store under test, and the engine as one.

use std::ops::ControlFlow;
use std::time::Instant;

use vellum::{Database, NodeId, NodeUpdate, ReadTxn, TraversalCache, WriteTxn};

use crate::failure::Failure;

use super::op::{self, Committed, Done, Op, Walk};
use super::{Store, direction, node_id};

/// Carries out operations one after the other. Reads see the writes before them, committed or not.
pub(crate) trait Target: Send {
    fn run(&mut self, op: &Op, walk: &Walk) -> Result<Done, Failure>;

    /// Commits what is open, if anything is.
    fn commit(&mut self) -> Result<Committed, Failure>;

    fn rollback(&mut self) -> Result<(), Failure>;

    /// Accesses and hits of the cache that traversals take along.
    fn traversal_cache(&self) -> (u64, u64) {
        (0, 0)
    }

    /// Pages that only snapshots hold.
    fn pinned_pages(&self) -> u64 {
        0
    }
}

/// The engine.
pub(crate) struct Engine<'s> {
    store: &'s Store,
    name: String,
    database: Option<Database>,
    read: Option<ReadTxn>,
    write: Option<WriteTxn>,
    /// Whether the open transaction holds changes.
    changed: bool,
    cache: Option<TraversalCache>,
}

fn elapsed(since: Instant) -> u64 {
    since.elapsed().as_nanos() as u64
}

impl<'s> Engine<'s> {
    pub(crate) fn new(
        store: &'s Store,
        name: &str,
        database: Database,
        walk: &Walk,
    ) -> Result<Engine<'s>, Failure> {
        let cache = match walk.cache_pages {
            Some(pages) => Some(TraversalCache::builder().capacity(pages as usize).build()?),
            None => None,
        };
        Ok(Engine {
            store,
            name: name.to_owned(),
            database: Some(database),
            read: None,
            write: None,
            changed: false,
            cache,
        })
    }

    /// The database, given back.
    pub(crate) fn into_database(mut self) -> Result<Database, Failure> {
        self.read = None;
        self.write = None;
        self.database
            .take()
            .ok_or_else(|| Failure::lab("the database did not come back from reopening"))
    }

    pub(crate) fn database(&self) -> Result<&Database, Failure> {
        self.database
            .as_ref()
            .ok_or_else(|| Failure::lab("the database is closed"))
    }

    fn writing(&mut self) -> Result<&mut WriteTxn, Failure> {
        if self.write.is_none() {
            // A snapshot that nobody reads any more would only hold pages back.
            self.read = None;
            self.write = Some(self.database()?.begin_write()?);
        }
        self.changed = true;
        self.write
            .as_mut()
            .ok_or_else(|| Failure::lab("no transaction"))
    }

    /// A view of everything written so far; the same one until the next write.
    fn prepare_read(&mut self) -> Result<(), Failure> {
        if self.changed
            && let Some(write) = &self.write
        {
            self.read = Some(write.view()?);
            self.changed = false;
        }
        if self.read.is_none() {
            self.read = Some(self.database()?.begin_read()?);
        }
        Ok(())
    }

    fn write(&mut self, op: &Op) -> Result<Done, Failure> {
        let started = Instant::now();
        let txn = self.writing()?;
        let mut new = None;
        let hash = match op {
            Op::InsertNode { kind, name, data } => {
                let id = txn.insert_node(kind, name, data)?.get();
                new = Some(id);
                op::hash_number(id)
            }
            Op::InsertEdge {
                source,
                label,
                target,
                data,
            } => {
                let inserted = txn.insert_edge(node_id(*source)?, label, node_id(*target)?, data);
                op::hash_done(match inserted {
                    Ok(()) => true,
                    Err(vellum::Error::Usage(_)) => false,
                    Err(error) => return Err(error.into()),
                })
            }
            Op::UpdateNode {
                id,
                kind,
                name,
                data,
            } => {
                let mut update = NodeUpdate::new().data(data);
                if let Some(kind) = kind {
                    update = update.kind(kind);
                }
                if let Some(name) = name {
                    update = update.name(name);
                }
                op::hash_done(txn.update_node(node_id(*id)?, update)?)
            }
            Op::DeleteNode(id) => op::hash_done(txn.delete_node(node_id(*id)?)?),
            Op::DeleteEdge {
                source,
                label,
                target,
                ordinal,
            } => {
                let (source, target) = (node_id(*source)?, node_id(*target)?);
                op::hash_done(txn.delete_edge(source, label, target, *ordinal)?)
            }
            _ => op::hash_done(true),
        };
        Ok(Done {
            hash,
            rows: 1,
            ns: elapsed(started),
            id: new,
            ..Done::default()
        })
    }

    fn read(&mut self, op: &Op, walk: &Walk) -> Result<Done, Failure> {
        self.prepare_read()?;
        let Some(txn) = &self.read else {
            return Err(Failure::lab("no snapshot"));
        };
        match op {
            Op::GetNode(id) => get(txn, *id),
            Op::Neighbors(id) => {
                let id = node_id(*id)?;
                ids(|| {
                    txn.neighbors(id, direction(walk.way), walk.label.as_deref())
                        .collect()
                })
            }
            Op::Degree(id) => {
                let id = node_id(*id)?;
                let started = Instant::now();
                let degree = txn.degree(id, direction(walk.way), walk.label.as_deref())?;
                Ok(counted(op::hash_number(degree), 1, elapsed(started)))
            }
            Op::TwoHop(id) => {
                let id = node_id(*id)?;
                ids(|| txn.k_hop(id, 2, direction(walk.way), walk.label.as_deref()))
            }
            Op::KHop(id) if self.cache.is_none() => {
                let id = node_id(*id)?;
                ids(|| txn.k_hop(id, walk.depth(), direction(walk.way), walk.label.as_deref()))
            }
            Op::KHop(id) | Op::Bfs(id) => search(txn, *id, walk, self.cache.as_mut()),
            Op::Path(from, to) => path(txn, *from, *to, walk, self.cache.as_mut()),
            Op::ByKind(kind) => ids(|| txn.nodes_of_kind(kind).collect()),
            Op::ByName(name) => ids(|| txn.nodes_named(name).collect()),
            Op::ByPrefix(prefix) => {
                let started = Instant::now();
                let found: Vec<(String, NodeId)> = txn
                    .nodes_with_prefix(prefix)
                    .collect::<vellum::Result<_>>()?;
                let ns = elapsed(started);
                let hash = op::hash_names(found.iter().map(|(name, id)| (name.as_str(), id.get())));
                Ok(counted(hash, found.len() as u64, ns))
            }
            _ => scan(txn),
        }
    }

    fn snapshot(&mut self) -> Result<Done, Failure> {
        let database = self.database()?;
        let started = Instant::now();
        drop(database.begin_read()?);
        Ok(counted(op::hash_done(true), 1, elapsed(started)))
    }

    fn reopen(&mut self) -> Result<Done, Failure> {
        self.read = None;
        let started = Instant::now();
        if let Some(database) = self.database.take() {
            database.close()?;
        }
        self.database = Some(self.store.open(&self.name)?);
        Ok(counted(op::hash_done(true), 1, elapsed(started)))
    }

    fn check(&mut self) -> Result<Done, Failure> {
        let started = Instant::now();
        let report = self.database()?.check()?;
        let ns = elapsed(started);
        Ok(Done {
            hash: op::hash_done(true),
            rows: report.nodes,
            ns,
            findings: report.findings.iter().map(ToString::to_string).collect(),
            ..Done::default()
        })
    }
}

impl Target for Engine<'_> {
    fn run(&mut self, op: &Op, walk: &Walk) -> Result<Done, Failure> {
        match op {
            Op::InsertNode { .. }
            | Op::InsertEdge { .. }
            | Op::UpdateNode { .. }
            | Op::DeleteNode(_)
            | Op::DeleteEdge { .. }
            | Op::Empty => self.write(op),
            Op::Snapshot => self.snapshot(),
            Op::Reopen => self.reopen(),
            Op::Check => self.check(),
            _ => self.read(op, walk),
        }
    }

    fn commit(&mut self) -> Result<Committed, Failure> {
        let Some(write) = self.write.take() else {
            return Ok(Committed::default());
        };
        self.read = None;
        self.changed = false;
        let started = Instant::now();
        let report = write.commit()?;
        Ok(Committed {
            ns: elapsed(started),
            log_bytes: report.log_bytes,
        })
    }

    fn pinned_pages(&self) -> u64 {
        let stats = self
            .database
            .as_ref()
            .and_then(|database| database.stats().ok());
        stats.map_or(0, |stats| stats.pinned_pages)
    }

    fn rollback(&mut self) -> Result<(), Failure> {
        self.read = None;
        self.write = None;
        self.changed = false;
        Ok(())
    }

    fn traversal_cache(&self) -> (u64, u64) {
        self.cache.as_ref().map_or((0, 0), |cache| {
            (cache.hits() + cache.misses(), cache.hits())
        })
    }
}

fn counted(hash: u64, rows: u64, ns: u64) -> Done {
    Done {
        hash,
        rows,
        ns,
        ..Done::default()
    }
}

fn get(txn: &ReadTxn, id: u64) -> Result<Done, Failure> {
    let id = node_id(id)?;
    let started = Instant::now();
    let Some(node) = txn.node(id)? else {
        return Ok(counted(op::hash_absent(), 0, elapsed(started)));
    };
    let data = node.data()?;
    let ns = elapsed(started);
    Ok(counted(
        op::hash_node(node.kind(), node.name(), &data),
        1,
        ns,
    ))
}

/// Nodes in any order. Putting them into order is outside the clock.
fn ids(find: impl FnOnce() -> vellum::Result<Vec<NodeId>>) -> Result<Done, Failure> {
    let started = Instant::now();
    let found = find()?;
    let ns = elapsed(started);
    let mut ids: Vec<u64> = found.into_iter().map(NodeId::get).collect();
    Ok(counted(op::hash_ids(&mut ids), ids.len() as u64, ns))
}

fn search(
    txn: &ReadTxn,
    id: u64,
    walk: &Walk,
    cache: Option<&mut TraversalCache>,
) -> Result<Done, Failure> {
    let mut search = txn
        .bfs(node_id(id)?)
        .direction(direction(walk.way))
        .max_depth(walk.depth());
    if let Some(label) = &walk.label {
        search = search.label(label);
    }
    if let Some(cache) = cache {
        search = search.cache(cache);
    }
    let started = Instant::now();
    let mut found = Vec::new();
    search.run(|visit| -> ControlFlow<()> {
        if visit.depth > 0 {
            found.push(visit.node.get());
        }
        ControlFlow::Continue(())
    })?;
    let ns = elapsed(started);
    Ok(counted(op::hash_ids(&mut found), found.len() as u64, ns))
}

fn path(
    txn: &ReadTxn,
    from: u64,
    to: u64,
    walk: &Walk,
    cache: Option<&mut TraversalCache>,
) -> Result<Done, Failure> {
    let mut query = txn
        .shortest_path(node_id(from)?, node_id(to)?)
        .direction(direction(walk.way));
    if let Some(label) = &walk.label {
        query = query.label(label);
    }
    if let Some(cache) = cache {
        query = query.cache(cache);
    }
    let started = Instant::now();
    let found = query.run()?;
    let ns = elapsed(started);
    let edges = found.map(|path| path.nodes.len() as u64 - 1);
    Ok(counted(
        op::hash_path(edges),
        edges.map_or(0, |edges| edges + 1),
        ns,
    ))
}

fn scan(txn: &ReadTxn) -> Result<Done, Failure> {
    let started = Instant::now();
    let (mut nodes, mut bytes) = (0, 0);
    for node in txn.nodes() {
        bytes += node?.data()?.len() as u64;
        nodes += 1;
    }
    Ok(counted(
        op::hash_scan(nodes, bytes),
        nodes,
        elapsed(started),
    ))
}
