//! Files of the operating system.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::complete::{read_all, uninterrupted, write_all};
use super::os::sync_folder;
use super::{Directory, LockMode, OpenMode, Storage};

/// A folder.
#[derive(Clone, Debug)]
pub struct FileDirectory {
    folder: PathBuf,
}

impl FileDirectory {
    /// The folder with this path. It must exist when files are opened in it.
    pub fn new(folder: impl AsRef<Path>) -> FileDirectory {
        FileDirectory {
            folder: folder.as_ref().to_owned(),
        }
    }
}

impl Directory for FileDirectory {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let mut options = OpenOptions::new();
        options.read(true);
        match mode {
            OpenMode::Read => {}
            OpenMode::Write => {
                options.write(true);
            }
            OpenMode::CreateNew => {
                options.write(true).create_new(true);
            }
        }
        let file = uninterrupted(|| options.open(self.folder.join(name)))?;
        Ok(Arc::new(FileStorage { file }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.folder.join(name).try_exists()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        uninterrupted(|| std::fs::rename(self.folder.join(from), self.folder.join(to)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        uninterrupted(|| std::fs::remove_file(self.folder.join(name)))
    }

    fn sync(&self) -> io::Result<()> {
        sync_folder(&self.folder)
    }

    fn describe(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

struct FileStorage {
    file: File,
}

impl Storage for FileStorage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_all(&self.file, offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        write_all(&self.file, offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        uninterrupted(|| self.file.set_len(len))
    }

    fn sync(&self) -> io::Result<()> {
        // Never repeated, not even when interrupted: a second call may report success for data that
        // the first one dropped.
        self.file.sync_data()
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        // The lock belongs to this open file, so a second handle in this process is kept out too.
        let locked = match mode {
            LockMode::Shared => self.file.try_lock_shared(),
            LockMode::Exclusive => self.file.try_lock(),
        };
        match locked {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        // Closing alone would leave the lock to any process that was being started just now and has
        // inherited the file. If this fails, closing it everywhere still frees it.
        let _ = self.file.unlock();
    }
}
