//! SQLite: both directions as tables without row ids, statements prepared once, a write-ahead log synced
//! at every commit. `docs/peers.md` says why each setting is its best.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Statement, StatementStatus, params};

use crate::failure::Failure;
use crate::results::Setting;

use super::batch;
use super::graph::Graph;
use super::subject::{Change, Config, Reader, Session, Store, Way};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS node (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS node_kind ON node (kind);
CREATE TABLE IF NOT EXISTS edge_out (source INTEGER NOT NULL, label INTEGER NOT NULL, target INTEGER NOT NULL,
  PRIMARY KEY (source, label, target)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS edge_in (target INTEGER NOT NULL, label INTEGER NOT NULL, source INTEGER NOT NULL,
  PRIMARY KEY (target, label, source)) WITHOUT ROWID;
";
const INSERT: &str = "INSERT INTO node (id, kind, name, data) VALUES (?1, ?2, ?3, ?4)";
const LINK: [&str; 2] = [
    "INSERT INTO edge_out (source, label, target) VALUES (?1, ?2, ?3)",
    "INSERT INTO edge_in (target, label, source) VALUES (?1, ?2, ?3)",
];

/// Pages in the log before it is checkpointed: the size of a log segment of the engine.
const CHECKPOINT_PAGES: u32 = 4096;

pub(super) struct Sqlite {
    path: PathBuf,
    cache_bytes: u64,
    writer: Mutex<Connection>,
}

fn connect(path: &PathBuf, cache_bytes: u64) -> Result<Connection, Failure> {
    let connection = Connection::open(path)?;
    // A negative cache size counts kibibytes.
    connection.execute_batch(&format!(
        "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
         PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}; PRAGMA cache_size = -{};",
        (cache_bytes / 1024).max(1)
    ))?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

impl Sqlite {
    fn in_transaction(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        work(&writer)?;
        writer.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Store for Sqlite {
    type Session = Connection;

    fn open(config: &Config) -> Result<Sqlite, Failure> {
        let path = config.folder.join("main.sqlite");
        let writer = connect(&path, config.cache_bytes)?;
        writer.execute_batch(SCHEMA)?;
        if config.name_index {
            writer.execute_batch("CREATE INDEX IF NOT EXISTS node_name ON node (name)")?;
        }
        Ok(Sqlite {
            path,
            cache_bytes: config.cache_bytes,
            writer: Mutex::new(writer),
        })
    }

    fn session(&self) -> Result<Connection, Failure> {
        connect(&self.path, self.cache_bytes)
    }

    fn commit(&self, changes: &[Change<'_>]) -> Result<(), Failure> {
        let links = batch::links(changes);
        self.in_transaction(|writer| {
            for change in changes {
                apply(writer, change)?;
            }
            insert_edges(writer, &links)
        })
    }

    fn bulk(&self, graph: &Graph) -> Result<(), Failure> {
        let edges = [
            batch::by_source(&graph.edges),
            batch::by_target(&graph.edges),
        ];
        self.in_transaction(|writer| {
            for node in graph.all_nodes() {
                apply(writer, &Change::Insert(node))?;
            }
            insert_edges(writer, &edges)
        })
    }

    fn close(self) -> Result<(), Failure> {
        let writer = self
            .writer
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        writer.flush_prepared_statement_cache();
        // The last connection merges the log and removes it.
        writer.close().map_err(|(_, error)| Failure::from(error))
    }

    fn settings(&self) -> Result<Vec<Setting>, Failure> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut settings = vec![Setting::new("SQLite", rusqlite::version())];
        for pragma in [
            "page_size",
            "cache_size",
            "journal_mode",
            "synchronous",
            "wal_autocheckpoint",
        ] {
            let value: rusqlite::types::Value =
                writer.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
            let text = match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            };
            settings.push(Setting::new(pragma, text));
        }
        Ok(settings)
    }
}

/// All but the insertion of edges, which come sorted.
fn apply(writer: &Connection, change: &Change<'_>) -> Result<(), Failure> {
    match change {
        Change::Insert(node) => {
            let values = params![node.id as i64, node.kind, node.name, node.data];
            writer.prepare_cached(INSERT)?.execute(values)?;
        }
        Change::Update(node) => {
            writer
                .prepare_cached("UPDATE node SET data = ?2 WHERE id = ?1")?
                .execute(params![node.id as i64, node.data])?;
        }
        Change::Delete(node) => {
            for sql in [
                "DELETE FROM edge_in WHERE (target, label, source) IN (SELECT target, label, source FROM edge_out WHERE source = ?1)",
                "DELETE FROM edge_out WHERE (source, label, target) IN (SELECT source, label, target FROM edge_in WHERE target = ?1)",
                "DELETE FROM edge_out WHERE source = ?1",
                "DELETE FROM edge_in WHERE target = ?1",
                "DELETE FROM node WHERE id = ?1",
            ] {
                writer.prepare_cached(sql)?.execute([node.id as i64])?;
            }
        }
        Change::Link(_) => {}
        Change::Unlink(edge) => {
            writer
                .prepare_cached(
                    "DELETE FROM edge_out WHERE source = ?1 AND label = ?2 AND target = ?3",
                )?
                .execute(params![edge.source, edge.label, edge.target])?;
            writer
                .prepare_cached(
                    "DELETE FROM edge_in WHERE target = ?1 AND label = ?2 AND source = ?3",
                )?
                .execute(params![edge.target, edge.label, edge.source])?;
        }
    }
    Ok(())
}

fn insert_edges(
    writer: &Connection,
    [out, into]: &[Vec<super::graph::Edge>; 2],
) -> Result<(), Failure> {
    let mut insert = writer.prepare_cached(LINK[0])?;
    for edge in out {
        insert.execute(params![edge.source, edge.label, edge.target])?;
    }
    let mut insert = writer.prepare_cached(LINK[1])?;
    for edge in into {
        insert.execute(params![edge.target, edge.label, edge.source])?;
    }
    Ok(())
}

pub(super) struct Statements<'s> {
    connection: &'s Connection,
    begin: Statement<'s>,
    commit: Statement<'s>,
    node: Statement<'s>,
    edges: [Statement<'s>; 2],
    kind: Statement<'s>,
    name: Statement<'s>,
    prefix: Statement<'s>,
}

impl Session for Connection {
    type Reader<'s> = Statements<'s>;

    fn reader(&self) -> Result<Statements<'_>, Failure> {
        let mut reader = Statements {
            connection: self,
            begin: self.prepare("BEGIN")?,
            commit: self.prepare("COMMIT")?,
            node: self.prepare("SELECT kind, name, data FROM node WHERE id = ?1")?,
            edges: [
                self.prepare("SELECT label, target FROM edge_out WHERE source = ?1")?,
                self.prepare("SELECT label, source FROM edge_in WHERE target = ?1")?,
            ],
            kind: self.prepare("SELECT id FROM node WHERE kind = ?1")?,
            name: self.prepare("SELECT id FROM node WHERE name = ?1")?,
            prefix: self.prepare("SELECT id FROM node WHERE name >= ?1 AND name < ?2")?,
        };
        reader.refresh()?;
        Ok(reader)
    }
}

impl Statements<'_> {
    fn release(&mut self) -> Result<(), Failure> {
        if !self.connection.is_autocommit() {
            self.commit.execute([])?;
        }
        Ok(())
    }
}

fn ids(
    statement: &mut Statement<'_>,
    params: impl rusqlite::Params,
    mut see: impl FnMut(u64),
) -> Result<(), Failure> {
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        see(row.get::<_, i64>(0)? as u64);
    }
    Ok(())
}

impl Reader for Statements<'_> {
    fn refresh(&mut self) -> Result<(), Failure> {
        self.release()?;
        self.begin.execute([])?;
        Ok(())
    }

    fn node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        let mut rows = self.node.query([id as i64])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let bytes = |column| -> Result<&[u8], Failure> {
            row.get_ref(column)?
                .as_bytes()
                .map_err(|error| Failure::lab(format!("SQLite: {error}")))
        };
        see(row.get(0)?, bytes(1)?, bytes(2)?);
        Ok(true)
    }

    /// A statement outside a transaction is a snapshot of its own, and cheaper than one inside.
    fn fresh_node(&mut self, id: u64, see: impl FnOnce(u8, &[u8], &[u8])) -> Result<bool, Failure> {
        self.release()?;
        self.node(id, see)
    }

    fn neighbours(
        &mut self,
        id: u64,
        way: Way,
        mut see: impl FnMut(u8, u64),
    ) -> Result<(), Failure> {
        let mut rows = self.edges[usize::from(way == Way::In)].query([id as i64])?;
        while let Some(row) = rows.next()? {
            see(row.get(0)?, row.get::<_, i64>(1)? as u64);
        }
        Ok(())
    }

    fn of_kind(&mut self, kind: u8, see: impl FnMut(u64)) -> Result<(), Failure> {
        ids(&mut self.kind, [kind], see)
    }

    fn named(&mut self, name: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        ids(&mut self.name, [name], see)
    }

    fn prefixed(&mut self, prefix: &str, see: impl FnMut(u64)) -> Result<(), Failure> {
        let end = batch::behind(prefix).unwrap_or_else(|| char::MAX.to_string());
        ids(&mut self.prefix, [prefix, &end], see)
    }

    fn check(&self) -> Option<String> {
        let again = self.node.get_status(StatementStatus::RePrepare)
            + self.edges[0].get_status(StatementStatus::RePrepare);
        Some(format!("statements prepared again: {again}"))
    }
}
