//! The only modules that call the engine: create, load, ask, compare, kill. Everything else of the lab
//! works on plain data.

pub(crate) mod ask;
pub(crate) mod compare;
pub(crate) mod contents;
pub(crate) mod kill;
pub(crate) mod load;
pub(crate) mod op;
pub(crate) mod peers;
pub(crate) mod target;
mod traces;
mod watches;
pub(crate) mod writer;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vellum::forensics::Counts;
use vellum::storage::{CountedDirectory, FileDirectory, IoCounts};
use vellum::{Builder, CheckpointMode, Database, Direction, Durability, NodeId};

use crate::dataset::model::Way;
use crate::failure::{Context, Exit, Failure};
use crate::results::Setting;
use crate::scenario::plan::EnginePlan;
use crate::scenario::raw;
use crate::units;

use self::traces::Traces;
use self::watches::Watches;

/// A folder of databases, all made with one scenario's options and counted together.
pub(crate) struct Store {
    folder: PathBuf,
    plan: EnginePlan,
    directory: CountedDirectory,
    watches: Watches,
    traces: Traces,
}

impl From<vellum::Error> for Failure {
    fn from(error: vellum::Error) -> Failure {
        let exit = match &error {
            vellum::Error::Corrupt(_) => Exit::Wrong,
            vellum::Error::Usage(_)
            | vellum::Error::Limit { .. }
            | vellum::Error::Version { .. } => Exit::Usage,
            _ => Exit::Lab,
        };
        Failure::new(exit, error.to_string())
    }
}

impl Store {
    /// Makes the folder. With `traced` every database in it records a trace.
    pub(crate) fn new(folder: PathBuf, plan: &EnginePlan, traced: bool) -> Result<Store, Failure> {
        fs::create_dir_all(&folder).context(folder.display())?;
        let directory = CountedDirectory::new(Arc::new(FileDirectory::new(&folder)));
        Ok(Store {
            traces: Traces::new(&folder, traced),
            folder,
            plan: plan.clone(),
            directory,
            watches: Watches::default(),
        })
    }

    fn builder(&self, database: &str) -> Result<Builder, Failure> {
        let builder = builder(&self.plan).in_directory(Arc::new(self.directory.clone()));
        self.traces.begin(database, builder)
    }

    pub(crate) fn file_name(database: &str) -> String {
        format!("{database}.vellum")
    }

    /// The database's file.
    pub(crate) fn path(&self, database: &str) -> PathBuf {
        self.folder.join(Store::file_name(database))
    }

    /// A new database, whose options are what was asked for.
    pub(crate) fn create(&self, database: &str) -> Result<Database, Failure> {
        let builder = self.builder(database)?;
        self.watched(database, builder.create(Store::file_name(database))?)
    }

    /// An existing database, whose options are what was asked for.
    pub(crate) fn open(&self, database: &str) -> Result<Database, Failure> {
        let builder = self.builder(database)?;
        self.watched(database, builder.open(Store::file_name(database))?)
    }

    fn watched(&self, name: &str, database: Database) -> Result<Database, Failure> {
        self.took_effect(&database)?;
        self.watches.follow(name, &database)?;
        Ok(database)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn log_path(&self, database: &str) -> PathBuf {
        self.folder
            .join(format!("{}-log", Store::file_name(database)))
    }

    /// Size of the log; 0 if there is none.
    pub(crate) fn log_bytes(&self, database: &str) -> u64 {
        fs::metadata(self.log_path(database)).map_or(0, |metadata| metadata.len())
    }

    /// Copies a database's files as they are.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<(), Failure> {
        self.delete(to);
        let pairs = [
            (self.path(from), self.path(to)),
            (self.log_path(from), self.log_path(to)),
        ];
        for (from, to) in pairs {
            if from.exists() {
                fs::copy(&from, &to).context(from.display())?;
            }
        }
        Ok(())
    }

    /// Deletes a database's files. Those that are not there need no deleting.
    pub(crate) fn delete(&self, database: &str) {
        let _ = fs::remove_file(self.path(database));
        let _ = fs::remove_file(self.log_path(database));
    }

    /// Everything that the databases of this folder have read and written so far.
    pub(crate) fn counts(&self) -> IoCounts {
        self.directory.counts()
    }

    /// What the engine counted in the databases of this folder so far; zero in a build without counters.
    pub(crate) fn engine_counts(&self) -> Counts {
        self.watches.counts()
    }

    /// Contradictions about page owners since the last call; none in a build without the register.
    pub(crate) fn page_conflicts(&self) -> Vec<String> {
        self.watches.conflicts()
    }

    /// Ends the traces, once the databases are closed, and says whether all of them were written.
    pub(crate) fn end_traces(&self) -> Result<(), Failure> {
        self.watches.end_traces()
    }

    pub(crate) fn file_bytes(&self, database: &str) -> Result<u64, Failure> {
        let path = self.path(database);
        Ok(fs::metadata(&path).context(path.display())?.len())
    }

    /// An option that was asked for and is not in effect would make every number a lie.
    fn took_effect(&self, database: &Database) -> Result<(), Failure> {
        let options = database.options();
        let asked = [
            ("page_size", self.plan.page_size, options.page_size as u64),
            ("cache", self.plan.cache_bytes, options.cache_bytes as u64),
            (
                "write_buffer",
                self.plan.write_buffer_bytes,
                options.write_buffer_bytes as u64,
            ),
            (
                "log_segment",
                self.plan.log_segment_bytes,
                u64::from(options.log_segment_bytes),
            ),
            (
                "name_index",
                self.plan.name_index.map(u64::from),
                u64::from(options.name_index),
            ),
            (
                "unique_edges",
                self.plan.unique_edges.map(u64::from),
                u64::from(options.unique_edges),
            ),
        ];
        for (name, asked, effective) in asked {
            if let Some(asked) = asked.filter(|asked| *asked != effective) {
                return Err(Failure::lab(format!(
                    "engine.{name}: {asked} was asked for, {effective} is in effect"
                )));
            }
        }
        Ok(())
    }
}

/// The engine's options of a scenario.
fn builder(plan: &EnginePlan) -> Builder {
    let mut builder = Database::builder()
        .durability(durability(plan.durability, plan.group_delay))
        .file_id(plan.file_id);
    if let Some(mode) = plan.checkpoint {
        builder = builder.checkpoint(match mode {
            raw::Checkpoint::Background => CheckpointMode::Background,
            raw::Checkpoint::Inline => CheckpointMode::Inline,
        });
    }
    if let Some(bytes) = plan.page_size {
        builder = builder.page_size(bytes as usize);
    }
    if let Some(bytes) = plan.cache_bytes {
        builder = builder.cache_bytes(bytes as usize);
    }
    if let Some(bytes) = plan.write_buffer_bytes {
        builder = builder.write_buffer_bytes(bytes as usize);
    }
    if let Some(bytes) = plan.log_segment_bytes {
        builder = builder.log_segment_bytes(bytes as u32);
    }
    if let Some(on) = plan.name_index {
        builder = builder.name_index(on);
    }
    if let Some(on) = plan.unique_edges {
        builder = builder.unique_edges(on);
    }
    builder
}

/// How long a group commit waits where the scenario does not say.
const GROUP_DELAY: Duration = Duration::from_millis(1);

pub(crate) fn durability(durability: raw::Durability, delay: Option<Duration>) -> Durability {
    match durability {
        raw::Durability::Sync => Durability::Sync,
        raw::Durability::Group => Durability::Group {
            max_delay: delay.unwrap_or(GROUP_DELAY),
        },
        raw::Durability::None => Durability::None,
    }
}

/// The options in effect, as shown.
pub(crate) fn settings(database: &Database) -> Vec<Setting> {
    let options = database.options();
    let bytes = |bytes: usize| units::binary(bytes as u64);
    let yes = |on: bool| if on { "yes" } else { "no" };
    vec![
        Setting::new("page size", bytes(options.page_size)),
        Setting::new("page cache", bytes(options.cache_bytes)),
        Setting::new("write buffer", bytes(options.write_buffer_bytes)),
        Setting::new("log segment", bytes(options.log_segment_bytes as usize)),
        Setting::new("durability", format!("{:?}", options.durability)),
        Setting::new("checkpoints", format!("{:?}", options.checkpoint)),
        Setting::new("name index", yes(options.name_index)),
        Setting::new("unique edges", yes(options.unique_edges)),
    ]
}

/// The engine's name for a node.
pub(crate) fn node_id(id: u64) -> Result<NodeId, Failure> {
    NodeId::new(id).ok_or_else(|| Failure::lab(format!("{id} is no node id")))
}

pub(crate) fn direction(way: Way) -> Direction {
    match way {
        Way::Out => Direction::Out,
        Way::In => Direction::In,
    }
}

/// A database wherever the user keeps it, opened for reading only.
pub(crate) fn open_read_only(path: &Path) -> Result<Database, Failure> {
    if !path.is_file() {
        return Err(Failure::usage(format!("{}: no such file", path.display())));
    }
    Ok(Database::open_read_only(path)?)
}
