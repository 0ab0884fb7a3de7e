//! Counting what crosses the seam.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Directory, LockMode, OpenMode, Storage};

/// Calls and bytes that reached storage. Subtract two snapshots for what happened in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct IoCounts {
    /// Calls of `read_at`.
    pub reads: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Calls of `write_at`.
    pub writes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Calls of `set_len`.
    pub set_lens: u64,
    /// Calls of `sync` on files.
    pub syncs: u64,
    /// Calls of `sync` on directories.
    pub directory_syncs: u64,
}

impl std::ops::Sub for IoCounts {
    type Output = IoCounts;

    fn sub(self, earlier: IoCounts) -> IoCounts {
        IoCounts {
            reads: self.reads - earlier.reads,
            read_bytes: self.read_bytes - earlier.read_bytes,
            writes: self.writes - earlier.writes,
            written_bytes: self.written_bytes - earlier.written_bytes,
            set_lens: self.set_lens - earlier.set_lens,
            syncs: self.syncs - earlier.syncs,
            directory_syncs: self.directory_syncs - earlier.directory_syncs,
        }
    }
}

#[derive(Default)]
struct Cells {
    reads: AtomicU64,
    read_bytes: AtomicU64,
    writes: AtomicU64,
    written_bytes: AtomicU64,
    set_lens: AtomicU64,
    syncs: AtomicU64,
    directory_syncs: AtomicU64,
}

impl Cells {
    fn counts(&self) -> IoCounts {
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        IoCounts {
            reads: read(&self.reads),
            read_bytes: read(&self.read_bytes),
            writes: read(&self.writes),
            written_bytes: read(&self.written_bytes),
            set_lens: read(&self.set_lens),
            syncs: read(&self.syncs),
            directory_syncs: read(&self.directory_syncs),
        }
    }
}

fn add(cell: &AtomicU64, n: u64) {
    cell.fetch_add(n, Ordering::Relaxed);
}

/// A file whose calls are counted once they succeed.
pub struct Counted {
    inner: Arc<dyn Storage>,
    cells: Arc<Cells>,
}

impl Counted {
    /// Counts what happens to this file alone.
    pub fn new(inner: Arc<dyn Storage>) -> Counted {
        Counted {
            inner,
            cells: Arc::default(),
        }
    }

    /// Everything counted so far.
    pub fn counts(&self) -> IoCounts {
        self.cells.counts()
    }
}

impl Storage for Counted {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read_at(offset, out)?;
        add(&self.cells.reads, 1);
        add(&self.cells.read_bytes, out.len() as u64);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write_at(offset, data)?;
        add(&self.cells.writes, 1);
        add(&self.cells.written_bytes, data.len() as u64);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)?;
        add(&self.cells.set_lens, 1);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()?;
        add(&self.cells.syncs, 1);
        Ok(())
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.inner.lock(mode)
    }
}

/// A directory whose files are counted, all together.
///
/// ```
/// use std::sync::Arc;
/// use vellum::storage::{CountedDirectory, MemoryDirectory};
///
/// # fn main() -> vellum::Result<()> {
/// let directory = CountedDirectory::new(Arc::new(MemoryDirectory::new()));
/// let db = vellum::Database::builder().in_directory(Arc::new(directory.clone())).create("graph")?;
/// let before = directory.counts();
/// db.begin_read()?.node_count();
/// assert_eq!((directory.counts() - before).reads, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CountedDirectory {
    inner: Arc<dyn Directory>,
    cells: Arc<Cells>,
}

impl CountedDirectory {
    /// Counts what happens to the files of `inner`.
    pub fn new(inner: Arc<dyn Directory>) -> CountedDirectory {
        CountedDirectory {
            inner,
            cells: Arc::default(),
        }
    }

    /// Everything counted so far.
    pub fn counts(&self) -> IoCounts {
        self.cells.counts()
    }
}

impl Directory for CountedDirectory {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let inner = self.inner.open(name, mode)?;
        Ok(Arc::new(Counted {
            inner,
            cells: Arc::clone(&self.cells),
        }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.inner.exists(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()?;
        add(&self.cells.directory_syncs, 1);
        Ok(())
    }

    fn describe(&self, name: &str) -> String {
        self.inner.describe(name)
    }
}
