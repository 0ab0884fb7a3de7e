//! Storage that fails when it is told to, and remembers what was asked of it.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use vellum::storage::{Directory, LockMode, OpenMode, Storage};

/// The header slots stand before this offset.
const HEADER_BYTES: u64 = 8192;
/// Files are given space in blocks of so many bytes.
const BLOCK: u64 = 4096;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Reading, and whatever else changes nothing.
    Read,
    /// Writing, renaming and removing. So much of the data has been written when it fails.
    Write(Torn),
    /// Syncing files and directories.
    Sync,
    /// Growing a file, creating one, and writing a page anywhere.
    NoSpace,
}

/// How much a failing write leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Torn {
    Nothing,
    Half,
    All,
}

/// A call that was made to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The file; empty for the directory.
    pub file: String,
    pub place: Place,
}

/// What the failing call was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Read,
    /// Make a file longer, fill a hole in it, or change names.
    Grow,
    /// Write over bytes that are there, from this offset.
    Over(u64),
    Shrink,
    Sync,
}

impl Failed {
    /// Whether nobody can know what the disk holds after it.
    pub fn is_final(&self) -> bool {
        match self.place {
            Place::Sync => true,
            Place::Over(offset) => !is_page(&self.file, offset),
            Place::Read | Place::Grow | Place::Shrink => false,
        }
    }
}

#[derive(Default)]
struct Plan {
    fault: Option<Fault>,
    /// Matching calls that still succeed.
    left: u64,
    for_good: bool,
    matched: u64,
    failed: Vec<Failed>,
    sync_failed: bool,
    syncs_after_a_failed_one: u64,
}

/// A directory whose calls fail as planned. Clones share the plan.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Directory>,
    plan: Arc<Mutex<Plan>>,
}

impl Faulty {
    pub fn new(inner: Arc<dyn Directory>) -> Faulty {
        Faulty {
            inner,
            plan: Arc::default(),
        }
    }

    /// From now on, the call after `left` more of its sort fails; `for_good`: all that follow, too.
    pub fn plan(&self, fault: Fault, left: u64, for_good: bool) {
        *self.plan.lock().unwrap() = Plan {
            fault: Some(fault),
            left,
            for_good,
            ..Plan::default()
        };
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.plan.lock().unwrap().fault = None;
    }

    /// Calls so far that the planned fault is about.
    pub fn matched(&self) -> u64 {
        self.plan.lock().unwrap().matched
    }

    /// The calls that failed.
    pub fn failed(&self) -> Vec<Failed> {
        self.plan.lock().unwrap().failed.clone()
    }

    /// Says that the database was closed. Whoever opens it next may sync again.
    pub fn reopened(&self) {
        self.plan.lock().unwrap().sync_failed = false;
    }

    /// Syncs of any file after one has failed.
    pub fn syncs_after_a_failed_one(&self) -> u64 {
        self.plan.lock().unwrap().syncs_after_a_failed_one
    }

    /// The error that this call is to fail with, if it is.
    fn fault(&self, file: &str, place: Place) -> Option<(io::Error, Torn)> {
        let mut plan = self.plan.lock().unwrap();
        if place == Place::Sync && plan.sync_failed {
            plan.syncs_after_a_failed_one += 1;
        }
        let fault = plan.fault?;
        if !concerns(fault, file, place) {
            return None;
        }
        plan.matched += 1;
        if plan.left > 0 {
            plan.left -= 1;
            return None;
        }
        if !plan.for_good {
            plan.fault = None;
        }
        plan.sync_failed |= place == Place::Sync;
        let file = file.to_owned();
        plan.failed.push(Failed { file, place });
        Some(match fault {
            Fault::Write(torn) => (io::Error::other("injected write error"), torn),
            Fault::NoSpace => (io::ErrorKind::StorageFull.into(), Torn::Nothing),
            Fault::Read => (io::Error::other("injected read error"), Torn::Nothing),
            Fault::Sync => (io::Error::other("injected sync error"), Torn::Nothing),
        })
    }

    fn check(&self, file: &str, place: Place) -> io::Result<()> {
        self.fault(file, place)
            .map_or(Ok(()), |(error, _)| Err(error))
    }
}

/// A file keeps the name that it was opened by, so a new database still has its temporary one.
fn is_page(file: &str, offset: u64) -> bool {
    !file.contains("-log") && offset >= HEADER_BYTES
}

fn concerns(fault: Fault, file: &str, place: Place) -> bool {
    match (fault, place) {
        (Fault::Read, Place::Read) | (Fault::Sync, Place::Sync) => true,
        (Fault::Write(_), Place::Grow | Place::Over(_) | Place::Shrink) => true,
        (Fault::NoSpace, Place::Grow) => true,
        (Fault::NoSpace, Place::Over(offset)) => is_page(file, offset),
        _ => false,
    }
}

impl Directory for Faulty {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let place = match mode {
            OpenMode::CreateNew => Place::Grow,
            OpenMode::Read | OpenMode::Write => Place::Read,
        };
        self.check(name, place)?;
        let inner = self.inner.open(name, mode)?;
        let (name, faulty) = (name.to_owned(), self.clone());
        Ok(Arc::new(FaultyFile {
            inner,
            name,
            faulty,
            holes: Mutex::default(),
        }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.check(name, Place::Read)?;
        self.inner.exists(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.check(from, Place::Grow)?;
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.check(name, Place::Grow)?;
        self.inner.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        self.check("", Place::Sync)?;
        self.inner.sync()
    }
}

struct FaultyFile {
    inner: Arc<dyn Storage>,
    name: String,
    faulty: Faulty,
    /// Blocks that were skipped when the file grew, and have no space yet.
    holes: Mutex<BTreeSet<u64>>,
}

impl FaultyFile {
    /// Whether writing these bytes takes space.
    fn grows(&self, offset: u64, end: u64) -> io::Result<bool> {
        let blocks = offset / BLOCK..end.div_ceil(BLOCK);
        let fills = self.holes.lock().unwrap().range(blocks).next().is_some();
        Ok(fills || end > self.inner.len()?)
    }

    fn write_inner(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let (len, end) = (self.inner.len()?, offset + data.len() as u64);
        self.inner.write_at(offset, data)?;
        let mut holes = self.holes.lock().unwrap();
        holes.extend(len.div_ceil(BLOCK)..offset / BLOCK);
        holes.retain(|block| !(offset / BLOCK..end.div_ceil(BLOCK)).contains(block));
        Ok(())
    }
}

impl Storage for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.faulty.check(&self.name, Place::Read)?;
        self.inner.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.faulty.check(&self.name, Place::Read)?;
        self.inner.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let grows = self.grows(offset, offset + data.len() as u64)?;
        let place = if grows {
            Place::Grow
        } else {
            Place::Over(offset)
        };
        let Some((error, torn)) = self.faulty.fault(&self.name, place) else {
            return self.write_inner(offset, data);
        };
        let written = match torn {
            Torn::Nothing => 0,
            Torn::Half => data.len() / 2,
            Torn::All => data.len(),
        };
        self.inner.write_at(offset, &data[..written])?;
        if grows {
            let end = offset + data.len() as u64;
            let blocks = offset / BLOCK..end.div_ceil(BLOCK);
            self.holes.lock().unwrap().extend(blocks);
        }
        Err(error)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let grows = len > self.inner.len()?;
        let place = if grows { Place::Grow } else { Place::Shrink };
        match self.faulty.fault(&self.name, place) {
            None => self.inner.set_len(len),
            Some((error, _)) => Err(error),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.faulty.check(&self.name, Place::Sync)?;
        self.inner.sync()
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.faulty.check(&self.name, Place::Read)?;
        self.inner.lock(mode)
    }
}
