//! A directory that notes which bytes of which file are read.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use vellum::storage::{Directory, LockMode, MemoryDirectory, OpenMode, Storage};

/// A read: the file's name, where, and how many bytes.
pub(super) type Read = (Arc<str>, u64, usize);

/// Files in memory whose reads are noted. Clones share the notes.
#[derive(Clone)]
pub(super) struct Traced {
    files: MemoryDirectory,
    reads: Arc<Mutex<Vec<Read>>>,
}

impl Traced {
    pub(super) fn new(files: &MemoryDirectory) -> Traced {
        Traced {
            files: files.clone(),
            reads: Arc::default(),
        }
    }

    /// The reads since the last time this was asked.
    pub(super) fn take(&self) -> Vec<Read> {
        std::mem::take(&mut *self.reads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Directory for Traced {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(TracedFile {
            name: name.into(),
            file: self.files.open(name, mode)?,
            reads: Arc::clone(&self.reads),
        }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.files.exists(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.files.sync()
    }
}

struct TracedFile {
    name: Arc<str>,
    file: Arc<dyn Storage>,
    reads: Arc<Mutex<Vec<Read>>>,
}

impl Storage for TracedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let read = (Arc::clone(&self.name), offset, out.len());
        self.reads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(read);
        self.file.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.file.lock(mode)
    }
}
