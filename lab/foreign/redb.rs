//! redb under the enumerator, through its public storage trait. With version 4.1.0 durable commits are lost if
//! the recovery from a crash is cut off by another: the database does not open any more. 4.6.0 comes out clean.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::fmt;
use std::io;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};
use vellum::storage::Storage;
use vellum::storage::sim::SimDirectory;
use vellum_lab::foreign::{Engine, Reach, enumerate, open_or_create};

const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("commits");
const COMMITS: u64 = 4;

struct Backend {
    file: Arc<dyn Storage>,
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated")
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, data)
    }
}

fn open(directory: &SimDirectory) -> Result<Database, redb::Error> {
    let file = open_or_create(directory, "redb")?;
    let database = Database::builder()
        .set_cache_size(1 << 20)
        .create_with_backend(Backend { file })?;
    Ok(database)
}

/// Commit `n` writes `n` under every key up to `n`: a state is that of a commit, or of none.
fn commit(database: &Database, number: u64) -> Result<(), redb::Error> {
    let txn = database.begin_write()?;
    {
        let mut table = txn.open_table(TABLE)?;
        for key in 1..=number {
            table.insert(key, number)?;
        }
    }
    txn.commit()?;
    Ok(())
}

fn shown(database: &Database) -> Result<u64, redb::Error> {
    let txn = database.begin_read()?;
    let table = match txn.open_table(TABLE) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(0),
        other => other?,
    };
    let mut rows = Vec::new();
    for row in table.iter()? {
        let (key, value) = row?;
        rows.push((key.value(), value.value()));
    }
    let number = rows.len() as u64;
    let expected: Vec<(u64, u64)> = (1..=number).map(|key| (key, number)).collect();
    if rows == expected {
        Ok(number)
    } else {
        Err(redb::Error::Corrupted(format!("no commit gives {rows:?}")))
    }
}

struct Redb;

impl Engine for Redb {
    fn recover(&self, directory: &SimDirectory) -> Result<u64, String> {
        let database = open(directory).map_err(|error| error.to_string())?;
        shown(&database).map_err(|error| error.to_string())
    }
}

#[test]
fn the_double_crash_loss_is_found_in_4_1_and_gone_in_4_6() {
    let reach = Reach {
        exhaustive: 8,
        samples: 8,
        tears: 400,
        depth: 2,
        most_states: 150_000,
    };
    let started = std::time::Instant::now();
    let found = enumerate(&Redb, reach, |session| {
        let database = open(session.directory())?;
        session.begins_here();
        for number in 1..=COMMITS {
            session.begins(number);
            commit(&database, number)?;
            session.acknowledged(number);
        }
        drop(database);
        Ok::<(), redb::Error>(())
    })
    .unwrap();
    println!(
        "{} states, {} of them of a second crash, in {:?}; {} broke a rule",
        found.states,
        found.twice,
        started.elapsed(),
        found.broken.len()
    );
    for line in found.broken.iter().take(5) {
        println!("{line}");
    }
    assert!(found.twice > 100, "{found:?}");
    if env!("CARGO_PKG_NAME") == "foreign-redb-4-1" {
        let twice = found.broken.iter().filter(|line| {
            let way = line.split(": ").next().unwrap_or_default();
            way.matches(':').count() == 2
        });
        assert!(twice.count() > 0, "{found:#?}");
    } else {
        assert_eq!(found.broken, Vec::<String>::new());
    }
}
