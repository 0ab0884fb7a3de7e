//! SQLite as its users would set it up for a graph: write-ahead log, both directions of edges indexed,
//! statements prepared once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, Statement, params};

use crate::dataset::model::{Model, Way};
use crate::failure::{Context, Exit, Failure};
use crate::results::Setting;
use crate::scenario::plan::EnginePlan;
use crate::scenario::raw::Durability;
use crate::store::contents::Contents;
use crate::store::op::{self, Committed, Done, Op, Walk};
use crate::store::target::Target;
use crate::units;

use super::PeerStore;

/// Cache where the scenario does not say: the engine's default.
const CACHE_BYTES: u64 = 64 << 20;

/// Prepared statements that are kept.
const STATEMENTS: usize = 64;

const SCHEMA: &str = "
CREATE TABLE node (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX node_name ON node (name);
CREATE INDEX node_kind ON node (kind);
CREATE TABLE edge (source INTEGER NOT NULL, label TEXT NOT NULL, target INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  data BLOB NOT NULL, PRIMARY KEY (source, label, target, ordinal)) WITHOUT ROWID;
CREATE INDEX edge_target ON edge (target, label, source, ordinal);
";

/// One database of one connection.
pub(super) struct Sqlite {
    path: PathBuf,
    connection: Connection,
    page_size: u64,
    cache_bytes: u64,
    durability: Durability,
    open: bool,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::new(Exit::Lab, format!("SQLite: {error}"))
    }
}

fn elapsed(since: Instant) -> u64 {
    since.elapsed().as_nanos() as u64
}

impl Sqlite {
    pub(super) fn create(folder: &Path, plan: &EnginePlan) -> Result<Sqlite, Failure> {
        let path = folder.join("main.sqlite");
        let page_size = plan.page_size.unwrap_or(4096);
        let cache_bytes = plan.cache_bytes.unwrap_or(CACHE_BYTES);
        let connection = connect(&path, page_size, cache_bytes, plan.durability)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Sqlite {
            path,
            connection,
            page_size,
            cache_bytes,
            durability: plan.durability,
            open: false,
        })
    }

    fn begin(&mut self) -> Result<(), Failure> {
        if !self.open {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.open = true;
        }
        Ok(())
    }

    fn statement(&self, sql: &str) -> Result<rusqlite::CachedStatement<'_>, Failure> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    fn write(&mut self, op: &Op) -> Result<(u64, Option<u64>), Failure> {
        self.begin()?;
        Ok(match op {
            Op::InsertNode { kind, name, data } => {
                self.statement("INSERT INTO node (kind, name, data) VALUES (?1, ?2, ?3)")?
                    .execute(params![kind, name, data])?;
                let id = self.connection.last_insert_rowid() as u64;
                (op::hash_number(id), Some(id))
            }
            Op::InsertEdge {
                source,
                label,
                target,
                data,
            } => (
                op::hash_done(self.insert_edge(*source, label, *target, data)?),
                None,
            ),
            Op::UpdateNode {
                id,
                kind,
                name,
                data,
            } => {
                let sql = "UPDATE node SET kind = coalesce(?2, kind), name = coalesce(?3, name), data = ?4 WHERE id = ?1";
                let changed = self
                    .statement(sql)?
                    .execute(params![*id as i64, kind, name, data])?;
                (op::hash_done(changed > 0), None)
            }
            Op::DeleteNode(id) => {
                let id = *id as i64;
                self.statement("DELETE FROM edge WHERE source = ?1")?
                    .execute([id])?;
                self.statement("DELETE FROM edge WHERE target = ?1")?
                    .execute([id])?;
                let gone = self
                    .statement("DELETE FROM node WHERE id = ?1")?
                    .execute([id])?;
                (op::hash_done(gone > 0), None)
            }
            Op::DeleteEdge {
                source,
                label,
                target,
                ordinal,
            } => {
                let sql = "DELETE FROM edge WHERE source = ?1 AND label = ?2 AND target = ?3 AND ordinal = ?4";
                let gone = self.statement(sql)?.execute(params![
                    *source as i64,
                    label,
                    *target as i64,
                    ordinal
                ])?;
                (op::hash_done(gone > 0), None)
            }
            _ => (op::hash_done(true), None),
        })
    }

    fn insert_edge(
        &self,
        source: u64,
        label: &str,
        target: u64,
        data: &[u8],
    ) -> Result<bool, Failure> {
        let sql = "INSERT INTO edge (source, label, target, ordinal, data)
          SELECT ?1, ?2, ?3, coalesce((SELECT max(ordinal) + 1 FROM edge WHERE source = ?1 AND label = ?2 AND target = ?3), 0), ?4
          WHERE EXISTS (SELECT 1 FROM node WHERE id = ?1) AND EXISTS (SELECT 1 FROM node WHERE id = ?3)";
        let inserted =
            self.statement(sql)?
                .execute(params![source as i64, label, target as i64, data])?;
        Ok(inserted > 0)
    }

    fn read(&self, op: &Op, walk: &Walk) -> Result<Done, Failure> {
        match op {
            Op::GetNode(id) => self.get(*id),
            Op::Neighbors(id) => self.ids(&one_step(walk, "peer"), params![*id as i64, walk.label]),
            Op::Degree(id) => {
                let mut statement = self.statement(&one_step(walk, "count(*)"))?;
                let started = Instant::now();
                let degree: i64 =
                    statement.query_row(params![*id as i64, walk.label], |row| row.get(0))?;
                Ok(done(op::hash_number(degree as u64), 1, started))
            }
            Op::TwoHop(id) => self.within(*id, 2, walk),
            Op::KHop(id) | Op::Bfs(id) => self.within(*id, walk.depth(), walk),
            Op::Path(from, to) => self.path(*from, *to, walk),
            Op::ByKind(kind) => self.ids("SELECT id FROM node WHERE kind = ?1", params![kind]),
            Op::ByName(name) => self.ids("SELECT id FROM node WHERE name = ?1", params![name]),
            Op::ByPrefix(prefix) => self.prefix(prefix),
            _ => {
                let mut statement = self.statement("SELECT data FROM node ORDER BY id")?;
                let started = Instant::now();
                let mut rows = statement.query([])?;
                let (mut nodes, mut bytes) = (0, 0);
                while let Some(row) = rows.next()? {
                    bytes += row.get_ref(0)?.as_blob().map_or(0, <[u8]>::len) as u64;
                    nodes += 1;
                }
                Ok(done(op::hash_scan(nodes, bytes), nodes, started))
            }
        }
    }

    fn get(&self, id: u64) -> Result<Done, Failure> {
        let mut statement = self.statement("SELECT kind, name, data FROM node WHERE id = ?1")?;
        let started = Instant::now();
        let found: Option<(String, String, Vec<u8>)> = statement
            .query_row([id as i64], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        Ok(match found {
            Some((kind, name, data)) => {
                let ns = elapsed(started);
                Done {
                    hash: op::hash_node(&kind, &name, &data),
                    rows: 1,
                    ns,
                    ..Done::default()
                }
            }
            None => done(op::hash_absent(), 0, started),
        })
    }

    fn ids(&self, sql: &str, params: impl rusqlite::Params) -> Result<Done, Failure> {
        let mut statement = self.statement(sql)?;
        let started = Instant::now();
        let mut ids = numbers(&mut statement, params)?;
        let ns = elapsed(started);
        Ok(Done {
            hash: op::hash_ids(&mut ids),
            rows: ids.len() as u64,
            ns,
            ..Done::default()
        })
    }

    /// A breadth-first search from outside: a recursive query walks paths, and there are far more of them.
    fn within(&self, start: u64, depth: u32, walk: &Walk) -> Result<Done, Failure> {
        let started = Instant::now();
        let (mut found, _) = self.search(start, depth, None, walk)?;
        let ns = elapsed(started);
        Ok(Done {
            hash: op::hash_ids(&mut found),
            rows: found.len() as u64,
            ns,
            ..Done::default()
        })
    }

    fn path(&self, from: u64, to: u64, walk: &Walk) -> Result<Done, Failure> {
        let started = Instant::now();
        let there = |id: u64| -> Result<bool, Failure> {
            let mut statement = self.statement("SELECT 1 FROM node WHERE id = ?1")?;
            Ok(statement.exists([id as i64])?)
        };
        let steps = match there(from)? && there(to)? {
            true => self.search(from, u32::MAX, Some(to), walk)?.1,
            false => None,
        };
        Ok(done(
            op::hash_path(steps),
            steps.map_or(0, |steps| steps + 1),
            started,
        ))
    }

    /// Nodes within so many steps, and at how many the wanted one was found.
    fn search(
        &self,
        start: u64,
        depth: u32,
        wanted: Option<u64>,
        walk: &Walk,
    ) -> Result<(Vec<u64>, Option<u64>), Failure> {
        let mut statement = self.statement(&one_step(walk, "peer"))?;
        let mut seen = std::collections::HashSet::from([start]);
        let (mut found, mut frontier) = (Vec::new(), vec![start]);
        let mut steps = 0;
        if wanted == Some(start) {
            return Ok((found, Some(0)));
        }
        while steps < u64::from(depth) && !frontier.is_empty() {
            steps += 1;
            let mut next = Vec::new();
            for node in frontier {
                for peer in numbers(&mut statement, params![node as i64, walk.label])? {
                    if seen.insert(peer) {
                        next.push(peer);
                    }
                }
            }
            if wanted.is_some_and(|wanted| next.contains(&wanted)) {
                return Ok((found, Some(steps)));
            }
            found.extend_from_slice(&next);
            frontier = next;
        }
        Ok((found, None))
    }

    /// By a range, which the index serves; `LIKE` would ignore case.
    fn prefix(&self, prefix: &str) -> Result<Done, Failure> {
        let sql = "SELECT name, id FROM node WHERE name >= ?1 AND substr(name, 1, length(?1)) = ?1 AND name < ?1 || char(1114111) ORDER BY name, id";
        let mut statement = self.statement(sql)?;
        let started = Instant::now();
        let rows = statement.query_map([prefix], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
        let found: Vec<(String, i64)> = rows.collect::<Result<_, _>>()?;
        let ns = elapsed(started);
        Ok(Done {
            hash: op::hash_names(found.iter().map(|(name, id)| (name.as_str(), *id as u64))),
            rows: found.len() as u64,
            ns,
            ..Done::default()
        })
    }

    fn reconnect(&mut self) -> Result<(), Failure> {
        let fresh = Connection::open_in_memory()?;
        let old = std::mem::replace(&mut self.connection, fresh);
        old.close().map_err(|(_, error)| error)?;
        self.connection = connect(
            &self.path,
            self.page_size,
            self.cache_bytes,
            self.durability,
        )?;
        Ok(())
    }
}

fn connect(
    path: &Path,
    page_size: u64,
    cache_bytes: u64,
    durability: Durability,
) -> Result<Connection, Failure> {
    let connection = Connection::open(path)?;
    let synchronous = match durability {
        Durability::Sync | Durability::Group => "FULL",
        Durability::None => "OFF",
    };
    // A negative cache size counts kibibytes.
    connection.execute_batch(&format!(
        "PRAGMA page_size = {page_size}; PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA cache_size = -{};",
        (cache_bytes / 1024).max(1)
    ))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// One step along a node's edges.
fn one_step(walk: &Walk, what: &str) -> String {
    let (here, there) = match walk.way {
        Way::Out => ("source", "target"),
        Way::In => ("target", "source"),
    };
    let what = what.replace("peer", there);
    format!("SELECT {what} FROM edge WHERE {here} = ?1 AND (?2 IS NULL OR label = ?2)")
}

fn numbers(
    statement: &mut Statement<'_>,
    params: impl rusqlite::Params,
) -> Result<Vec<u64>, Failure> {
    let rows = statement.query_map(params, |row| row.get::<_, i64>(0))?;
    let ids: Vec<i64> = rows.collect::<Result<_, _>>()?;
    Ok(ids.into_iter().map(|id| id as u64).collect())
}

fn done(hash: u64, rows: u64, started: Instant) -> Done {
    Done {
        hash,
        rows,
        ns: elapsed(started),
        ..Done::default()
    }
}

impl Target for Sqlite {
    fn run(&mut self, op: &Op, walk: &Walk) -> Result<Done, Failure> {
        let started = Instant::now();
        match op {
            Op::InsertNode { .. }
            | Op::InsertEdge { .. }
            | Op::UpdateNode { .. }
            | Op::DeleteNode(_)
            | Op::DeleteEdge { .. }
            | Op::Empty => {
                let (hash, id) = self.write(op)?;
                Ok(Done {
                    id,
                    ..done(hash, 1, started)
                })
            }
            Op::Snapshot => {
                self.connection
                    .execute_batch("BEGIN; SELECT 1 FROM node LIMIT 1; COMMIT")?;
                Ok(done(op::hash_done(true), 1, started))
            }
            Op::Reopen => {
                self.reconnect()?;
                Ok(done(op::hash_done(true), 1, started))
            }
            Op::Check => {
                let said: String =
                    self.connection
                        .query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
                let findings = if said == "ok" { Vec::new() } else { vec![said] };
                Ok(Done {
                    findings,
                    ..done(op::hash_done(true), 1, started)
                })
            }
            _ => self.read(op, walk),
        }
    }

    fn commit(&mut self) -> Result<Committed, Failure> {
        if !self.open {
            return Ok(Committed::default());
        }
        self.open = false;
        let started = Instant::now();
        self.connection.execute_batch("COMMIT")?;
        Ok(Committed {
            ns: elapsed(started),
            log_bytes: 0,
        })
    }

    fn rollback(&mut self) -> Result<(), Failure> {
        self.open = false;
        Ok(self.connection.execute_batch("ROLLBACK")?)
    }
}

impl PeerStore for Sqlite {
    fn load(&mut self, model: &Model, batch: Option<usize>) -> Result<u64, Failure> {
        let edges = model.edges_as_they_came();
        let size = batch.unwrap_or(usize::MAX);
        let mut commits = 0;
        for nodes in model.nodes().chunks(size) {
            self.begin()?;
            let mut insert =
                self.statement("INSERT INTO node (id, kind, name, data) VALUES (?1, ?2, ?3, ?4)")?;
            for node in nodes {
                insert.execute(params![node.id as i64, node.kind, node.name, node.data])?;
            }
            drop(insert);
            commits += u64::from(self.commit()?.ns > 0);
        }
        for edges in edges.chunks(size) {
            self.begin()?;
            for edge in edges {
                self.insert_edge(edge.source, model.label(edge), edge.target, &edge.data)?;
            }
            commits += u64::from(self.commit()?.ns > 0);
        }
        Ok(commits)
    }

    fn contents(&self) -> Result<String, Failure> {
        let mut contents = Contents::new();
        let mut nodes = self.statement("SELECT id, kind, name, data FROM node ORDER BY id")?;
        let mut rows = nodes.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name): (String, String) = (row.get(1)?, row.get(2)?);
            contents.node(
                row.get::<_, i64>(0)? as u64,
                &kind,
                &name,
                &row.get::<_, Vec<u8>>(3)?,
            );
        }
        let sql =
            "SELECT source, label, target, data FROM edge ORDER BY source, label, target, ordinal";
        let mut edges = self.statement(sql)?;
        let mut rows = edges.query([])?;
        while let Some(row) = rows.next()? {
            let (source, target): (i64, i64) = (row.get(0)?, row.get(2)?);
            let (label, data): (String, Vec<u8>) = (row.get(1)?, row.get(3)?);
            contents.edge(source as u64, &label, target as u64, &data);
        }
        Ok(contents.digest())
    }

    fn file_bytes(&self) -> Result<u64, Failure> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut bytes = 0;
        for entry in fs::read_dir(folder).context(folder.display())? {
            bytes += entry
                .and_then(|entry| entry.metadata())
                .context(folder.display())?
                .len();
        }
        Ok(bytes)
    }

    fn settings(&self) -> Vec<Setting> {
        let ask = |pragma: &str| {
            let value: Result<rusqlite::types::Value, _> =
                self.connection
                    .query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0));
            match value {
                Ok(rusqlite::types::Value::Integer(number)) => number.to_string(),
                Ok(rusqlite::types::Value::Text(text)) => text,
                _ => "unknown".to_owned(),
            }
        };
        vec![
            Setting::new("store", format!("SQLite {}", rusqlite::version())),
            Setting::new(
                "page size",
                units::binary(ask("page_size").parse().unwrap_or(0)),
            ),
            Setting::new("page cache", format!("cache_size = {}", ask("cache_size"))),
            Setting::new("journal", ask("journal_mode")),
            Setting::new(
                "durability",
                format!("synchronous = {}", ask("synchronous")),
            ),
        ]
    }

    fn forget(&mut self) -> Result<(), Failure> {
        self.reconnect()
    }
}
