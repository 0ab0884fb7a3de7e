//! Options before a database is created or opened.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Database;
use crate::error::{Error, Result};
use crate::forensics::{self, Sink, Tally};
use crate::options::{CheckpointMode, Durability, OnRecovery, Options};
use crate::recovery::RecoveryProgress;
use crate::storage::{Directory, FileDirectory};
use crate::store::{Files, Store};

/// Chooses options, then creates or opens a database.
///
/// Page size, name index, unique edges and segment size are fixed when a database is created;
/// opening takes them from the file. [`Database::options`] tells what is in effect.
///
/// ```
/// # fn main() -> vellum::Result<()> {
/// # let dir = tempfile::tempdir().expect("a temporary folder");
/// let db = vellum::Database::builder()
///     .page_size(8192)
///     .cache_bytes(16 << 20)
///     .create(dir.path().join("graph.vellum"))?;
/// assert_eq!(db.options().page_size, 8192);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Builder {
    options: Options,
    file_id: Option<[u8; 16]>,
    watch: OnRecovery,
    directory: Option<Arc<dyn Directory>>,
    trace: Sink,
}

impl Builder {
    /// Bytes of a page, at creation: 4096 (default), 8192, 16384, 32768 or 65536.
    #[must_use]
    pub fn page_size(mut self, bytes: usize) -> Builder {
        self.options.page_size = bytes;
        self
    }

    /// Memory for the page cache, in bytes. Default 64 MiB; at least four pages.
    #[must_use]
    pub fn cache_bytes(mut self, bytes: usize) -> Builder {
        self.options.cache_bytes = bytes;
        self
    }

    /// How durable commits are unless they say otherwise. Default [`Durability::Sync`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Builder {
        self.options.durability = durability;
        self
    }

    /// Durability that shares a sync with others that commit within `max_delay` (at most 1 s).
    #[must_use]
    pub fn group_commit(self, max_delay: Duration) -> Builder {
        self.durability(Durability::Group { max_delay })
    }

    /// Memory for changes that are committed but not yet merged into the trees, and for those of one
    /// transaction, in bytes. Default 64 MiB. A checkpoint begins when half of it is in use.
    #[must_use]
    pub fn write_buffer_bytes(mut self, bytes: usize) -> Builder {
        self.options.write_buffer_bytes = bytes;
        self
    }

    /// Capacity of one of the two log segments, in bytes, at creation. Default 16 MiB. A full segment
    /// begins a checkpoint, so this bounds what recovery replays.
    #[must_use]
    pub fn log_segment_bytes(mut self, bytes: u32) -> Builder {
        self.options.log_segment_bytes = bytes;
        self
    }

    /// Where checkpoints run: beside the writers (default), or inside the commit that needs one.
    #[must_use]
    pub fn checkpoint(mut self, mode: CheckpointMode) -> Builder {
        self.options.checkpoint = mode;
        self
    }

    /// Whether nodes can be found by name, at creation. Default yes.
    #[must_use]
    pub fn name_index(mut self, on: bool) -> Builder {
        self.options.name_index = on;
        self
    }

    /// Declares, at creation, that (source, label, target) identifies an edge: inserting one again
    /// replaces its data instead of adding a parallel edge. Default no.
    #[must_use]
    pub fn unique_edges(mut self, on: bool) -> Builder {
        self.options.unique_edges = on;
        self
    }

    /// The identity written into a new database. Default random; set it for reproducible files.
    #[must_use]
    pub fn file_id(mut self, id: [u8; 16]) -> Builder {
        self.file_id = Some(id);
        self
    }

    /// A function that is called after each log record replayed by an open.
    #[must_use]
    pub fn on_recovery(
        mut self,
        watch: impl Fn(RecoveryProgress) + Send + Sync + 'static,
    ) -> Builder {
        self.watch = OnRecovery::new(watch);
        self
    }

    /// Storage in place of the file system. Paths then name files in it.
    #[must_use]
    pub fn in_directory(mut self, directory: Arc<dyn Directory>) -> Builder {
        self.directory = Some(directory);
        self
    }

    /// Writes a line of JSON for every event of the database's pages and log: see `docs/forensics.md`.
    /// [`Database::end_trace`] flushes it and tells of errors. The sink is written to under a lock of
    /// the database, so it should buffer, and must not use the database.
    ///
    /// Creating or opening then fails with [`Error::Usage`] in a build without the feature `forensics`.
    #[must_use]
    pub fn trace(mut self, sink: impl Write + Send + 'static) -> Builder {
        self.trace = Sink::new(Box::new(sink));
        self
    }

    /// Creates a database.
    ///
    /// # Errors
    /// [`Error::Usage`] if the path exists, if a log lies beside it whose database is gone, or if an option is out of
    /// range, [`Error::Io`], [`Error::Full`], [`Error::Locked`] if another process is creating the same.
    pub fn create(&self, path: impl AsRef<Path>) -> Result<Database> {
        let files = self.files(path.as_ref())?;
        let mut options = self.options.clone();
        options.read_only = false;
        options.file_id = self.file_id.unwrap_or_else(random_file_id);
        options.validate()?;
        let tally = self.tally()?;
        let file = Store::create(&files, &options, &tally)?;
        Ok(Database::new(Store::assemble(
            files,
            file,
            options,
            &self.watch,
            tally,
        )?))
    }

    /// Opens an existing database for reading and writing, recovering it if it was not closed.
    ///
    /// # Errors
    /// [`Error::Io`] if it is not there, [`Error::Locked`], [`Error::Version`], [`Error::Corrupt`].
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Database> {
        self.open_as(path.as_ref(), false)
    }

    /// Opens an existing database for reading. Any number of processes may do so at once. What a log
    /// holds is replayed in memory; nothing is written.
    ///
    /// # Errors
    /// As [`open`](Builder::open).
    pub fn open_read_only(&self, path: impl AsRef<Path>) -> Result<Database> {
        self.open_as(path.as_ref(), true)
    }

    /// Opens a database, or creates it if it is not there.
    ///
    /// # Errors
    /// As [`open`](Builder::open) and [`create`](Builder::create).
    pub fn open_or_create(&self, path: impl AsRef<Path>) -> Result<Database> {
        let files = self.files(path.as_ref())?;
        if files.exists(&files.name)? {
            self.open(path)
        } else {
            self.create(path)
        }
    }

    /// A builder that uses the file system if the store does, else the same directory.
    pub(super) fn beside(store: &Store) -> Builder {
        let files = &store.files;
        let directory = files.given_directory.then(|| Arc::clone(&files.directory));
        Builder {
            directory,
            ..Builder::default()
        }
    }

    fn open_as(&self, path: &Path, read_only: bool) -> Result<Database> {
        let files = self.files(path)?;
        let mut options = self.options.clone();
        options.read_only = read_only;
        options.validate()?;
        let tally = self.tally()?;
        Ok(Database::new(Store::open(
            files,
            options,
            &self.watch,
            tally,
        )?))
    }

    /// Where the database will count.
    fn tally(&self) -> Result<Tally> {
        if self.trace.is_set() && !forensics::ENABLED {
            return Err(Error::usage(
                "this build keeps no trace; build with the feature `forensics`",
            ));
        }
        Ok(Tally::traced(self.trace.clone()))
    }

    pub(super) fn files(&self, path: &Path) -> Result<Files> {
        let name = path.file_name().and_then(|name| name.to_str());
        let Some(name) = name else {
            return Err(Error::usage(format!(
                "{} does not name a file in UTF-8",
                path.display()
            )));
        };
        let directory = match &self.directory {
            Some(directory) => Arc::clone(directory),
            None => {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                Arc::new(FileDirectory::new(folder.unwrap_or(Path::new("."))))
            }
        };
        Ok(Files {
            directory,
            name: name.to_owned(),
            given_directory: self.directory.is_some(),
        })
    }
}

/// 128 bits from the operating system, by way of the standard library's hash seeds. They need to
/// be unlikely to repeat, not secret.
fn random_file_id() -> [u8; 16] {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut id = [0u8; 16];
    for half in id.chunks_mut(8) {
        half.copy_from_slice(&RandomState::new().build_hasher().finish().to_le_bytes());
    }
    id
}
