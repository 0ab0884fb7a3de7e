//! Directories that tell what the engine did to each of its files.
#![allow(unreachable_pub, dead_code, missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use vellum::storage::{
    CountedDirectory, Directory, IoCounts, LockMode, MemoryDirectory, OpenMode, Storage,
};

/// The files of the database `graph` as they are now: of an open database, what a killed process leaves.
pub fn copy_of(files: &MemoryDirectory) -> MemoryDirectory {
    let copy = MemoryDirectory::new();
    for name in ["graph", "graph-log"] {
        if let Some(bytes) = files.contents(name) {
            copy.put(name, bytes);
        }
    }
    copy
}

/// Files in memory, the log counted apart from everything else.
#[derive(Clone)]
pub struct CountedDisk {
    pub files: MemoryDirectory,
    database: CountedDirectory,
    log: CountedDirectory,
}

/// What reached the database file, and what reached the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub database: IoCounts,
    pub log: IoCounts,
}

impl std::ops::Sub for Counts {
    type Output = Counts;

    fn sub(self, earlier: Counts) -> Counts {
        Counts {
            database: self.database - earlier.database,
            log: self.log - earlier.log,
        }
    }
}

impl CountedDisk {
    pub fn over(files: &MemoryDirectory) -> CountedDisk {
        CountedDisk {
            files: files.clone(),
            database: CountedDirectory::new(Arc::new(files.clone())),
            log: CountedDirectory::new(Arc::new(files.clone())),
        }
    }

    pub fn new() -> CountedDisk {
        CountedDisk::over(&MemoryDirectory::new())
    }

    pub fn directory(&self) -> Arc<dyn Directory> {
        Arc::new(self.clone())
    }

    pub fn counts(&self) -> Counts {
        Counts {
            database: self.database.counts(),
            log: self.log.counts(),
        }
    }

    /// Bytes of a file; 0 if it is not there.
    pub fn len(&self, name: &str) -> u64 {
        self.files
            .contents(name)
            .map_or(0, |bytes| bytes.len() as u64)
    }

    fn of(&self, name: &str) -> &CountedDirectory {
        if name.contains("-log") {
            &self.log
        } else {
            &self.database
        }
    }
}

impl Directory for CountedDisk {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        self.of(name).open(name, mode)
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.of(name).exists(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.of(from).rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.of(name).remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.database.sync()
    }
}

/// Files in memory of which only what was synced survives. Names survive at once: creating and
/// removing files is not what this is for.
#[derive(Clone, Default)]
pub struct SyncedDisk {
    files: Arc<Mutex<BTreeMap<String, Arc<SyncedFile>>>>,
    history: Arc<Mutex<Vec<(String, MemoryDirectory)>>>,
}

struct SyncedFile {
    live: Arc<dyn Storage>,
    synced: Mutex<Vec<u8>>,
}

struct SyncedHandle {
    disk: SyncedDisk,
    file: Arc<SyncedFile>,
}

impl SyncedDisk {
    pub fn directory(&self) -> Arc<dyn Directory> {
        Arc::new(self.clone())
    }

    /// What a power cut now would leave.
    pub fn survivors(&self) -> MemoryDirectory {
        let survivors = MemoryDirectory::new();
        for (name, file) in &*self.files() {
            survivors.put(name, file.synced.lock().unwrap().clone());
        }
        survivors
    }

    /// Puts a file there that reads as `live`, of which only `synced` would survive.
    pub fn seem(&self, name: &str, live: &[u8], synced: &[u8]) {
        let memory = MemoryDirectory::new();
        memory.put(name, live.to_vec());
        let file = SyncedFile {
            live: memory.open(name, OpenMode::Write).unwrap(),
            synced: Mutex::new(synced.to_vec()),
        };
        self.files().insert(name.to_owned(), Arc::new(file));
    }

    /// What a power cut after each sync so far would have left, with the name of the synced file; an
    /// empty name for the directory.
    pub fn history(&self) -> Vec<(String, MemoryDirectory)> {
        self.history.lock().unwrap().clone()
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Arc<SyncedFile>>> {
        self.files.lock().unwrap()
    }

    fn name_of(&self, file: &Arc<SyncedFile>) -> Option<String> {
        let files = self.files();
        let mut named = files.iter().filter(|(_, other)| Arc::ptr_eq(other, file));
        named.next().map(|(name, _)| name.clone())
    }
}

impl Directory for SyncedDisk {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let mut files = self.files();
        if mode == OpenMode::CreateNew {
            let live = MemoryDirectory::new().open(name, mode)?;
            let synced = Mutex::default();
            files.insert(name.to_owned(), Arc::new(SyncedFile { live, synced }));
        }
        let file = Arc::clone(files.get(name).ok_or(io::ErrorKind::NotFound)?);
        let disk = self.clone();
        Ok(Arc::new(SyncedHandle { disk, file }))
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
        let removed = self.files().remove(name);
        removed
            .map(|_| ())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        let survivors = self.survivors();
        self.history
            .lock()
            .unwrap()
            .push((String::new(), survivors));
        Ok(())
    }
}

impl Storage for SyncedHandle {
    fn len(&self) -> io::Result<u64> {
        self.file.live.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.live.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.live.write_at(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.live.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        let len = usize::try_from(self.file.live.len()?).unwrap();
        let mut bytes = vec![0; len];
        self.file.live.read_at(0, &mut bytes)?;
        *self.file.synced.lock().unwrap() = bytes;
        let name = self.disk.name_of(&self.file).unwrap_or_default();
        let survivors = self.disk.survivors();
        self.disk.history.lock().unwrap().push((name, survivors));
        Ok(())
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.file.live.lock(mode)
    }
}
