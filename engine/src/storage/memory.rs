//! Files in memory, for tests and for graphs that need no disk.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError};

use super::{Directory, LockMode, OpenMode, Storage};
use crate::sync::{Mutex, MutexGuard, RwLock};

/// A directory in memory. Clones share it.
///
/// ```
/// use std::sync::Arc;
/// use vellum::{Database, storage::MemoryDirectory};
///
/// # fn main() -> vellum::Result<()> {
/// let directory = MemoryDirectory::new();
/// let db = Database::builder()
///     .in_directory(Arc::new(directory.clone()))
///     .create("graph")?;
/// db.close()?;
/// assert!(directory.contents("graph").is_some_and(|bytes| bytes.starts_with(b"VellumDB")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryDirectory {
    files: Arc<Mutex<BTreeMap<String, Arc<MemoryFile>>>>,
}

#[derive(Default)]
struct MemoryFile {
    bytes: RwLock<Vec<u8>>,
    locks: Mutex<Locks>,
}

#[derive(Default)]
struct Locks {
    shared: usize,
    exclusive: bool,
}

impl MemoryDirectory {
    /// An empty directory.
    pub fn new() -> MemoryDirectory {
        MemoryDirectory::default()
    }

    /// The bytes of a file, if it is there.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let file = Arc::clone(self.files().get(name)?);
        Some(
            file.bytes
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
    }

    /// Puts a file there, replacing what had its name.
    pub fn put(&self, name: &str, contents: Vec<u8>) {
        let file = MemoryFile {
            bytes: RwLock::new(contents),
            ..MemoryFile::default()
        };
        self.files().insert(name.to_owned(), Arc::new(file));
    }

    // The map is whole after every statement that changes it.
    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Arc<MemoryFile>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for MemoryDirectory {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let mut files = self.files();
        let file = match (mode, files.get(name)) {
            (OpenMode::CreateNew, Some(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (OpenMode::CreateNew, None) => {
                let file = Arc::new(MemoryFile::default());
                files.insert(name.to_owned(), Arc::clone(&file));
                file
            }
            (_, Some(file)) => Arc::clone(file),
            (_, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        let held = Mutex::new(None);
        Ok(Arc::new(MemoryStorage {
            file,
            writable: mode != OpenMode::Read,
            held,
        }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        Ok(self.files().contains_key(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files()
            .remove(name)
            .map(|_| ())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

struct MemoryStorage {
    file: Arc<MemoryFile>,
    writable: bool,
    held: Mutex<Option<LockMode>>,
}

impl MemoryStorage {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<u8>) -> io::Result<T>) -> io::Result<T> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        change(
            &mut self
                .file
                .bytes
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

fn in_memory(offset: u64, len: usize) -> io::Result<(usize, usize)> {
    let start = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let end = start.checked_add(len).ok_or(io::ErrorKind::FileTooLarge)?;
    Ok((start, end))
}

impl Storage for MemoryStorage {
    fn len(&self) -> io::Result<u64> {
        Ok(self
            .file
            .bytes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let (start, end) = in_memory(offset, out.len())?;
        let bytes = self
            .file
            .bytes
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let found = bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(found);
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let (start, end) = in_memory(offset, data.len())?;
        self.change(|bytes| {
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            let place = bytes
                .get_mut(start..end)
                .ok_or(io::ErrorKind::FileTooLarge)?;
            place.copy_from_slice(data);
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let (len, _) = in_memory(len, 0)?;
        self.change(|bytes| {
            bytes.resize(len, 0);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        let mut locks = self
            .file
            .locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let free = match mode {
            LockMode::Shared => !locks.exclusive,
            LockMode::Exclusive => !locks.exclusive && locks.shared == 0,
        };
        if free {
            match mode {
                LockMode::Shared => locks.shared += 1,
                LockMode::Exclusive => locks.exclusive = true,
            }
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(mode);
        }
        Ok(free)
    }
}

impl Drop for MemoryStorage {
    fn drop(&mut self) {
        let mut locks = self
            .file
            .locks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match self
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            Some(LockMode::Shared) => locks.shared -= 1,
            Some(LockMode::Exclusive) => locks.exclusive = false,
            None => {}
        }
    }
}
