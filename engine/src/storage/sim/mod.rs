//! Storage that remembers everything done to it, and that fails as it is told to.
//!
//! A [`SimDirectory`] behaves like a file system whose calls are recorded as [`Event`]s. From them every
//! state can be made that a power cut could have left: what was synced, and any part of the rest.
//! One [`Fault`] at a time can be planned for any call.

mod disk;
mod faults;
mod image;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use disk::{Change, Disk, FileNumber};
pub use faults::{Call, Fault, FaultKind, Strike, Survives, SyncFailure};
pub use image::Image;

use super::complete::{RawFile, read_all, uninterrupted, write_all};
use super::{Directory, LockMode, OpenMode, Storage};

/// Something that happened, in the order it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The disk changed, but not durably yet.
    Change(Change),
    /// A file's bytes and length became durable.
    Sync(FileNumber),
    /// The names became durable.
    SyncDirectory,
    /// A sync of a file failed, and its unsynced writes fared like this.
    SyncFailed(FileNumber, SyncFailure),
    /// The user of the storage said something about itself. See [`SimDirectory::mark`].
    Mark(u64),
}

/// A simulated directory. Clones share it.
///
/// ```
/// use std::sync::Arc;
/// use vellum::Database;
/// use vellum::storage::sim::{Event, SimDirectory};
///
/// # fn main() -> vellum::Result<()> {
/// let directory = SimDirectory::new();
/// let db = Database::builder()
///     .in_directory(Arc::new(directory.clone()))
///     .create("graph")?;
/// drop(db);
/// assert!(directory.events().contains(&Event::SyncDirectory));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct SimDirectory {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    disk: Disk,
    /// What each file held when it was last synced.
    durable: Vec<Image>,
    locks: Vec<Locks>,
    events: Vec<Event>,
    calls: Vec<Call>,
    fault: Option<Fault>,
    strikes: Vec<Strike>,
    writes: u64,
}

/// Bytes that a call is about.
#[derive(Clone, Copy)]
struct Range {
    offset: u64,
    len: u64,
    zeros: bool,
}

/// Of a call that is about no bytes.
const NOWHERE: Range = Range {
    offset: 0,
    len: 0,
    zeros: false,
};

impl Range {
    fn of(offset: u64, bytes: &[u8]) -> Range {
        Range {
            offset,
            len: bytes.len() as u64,
            zeros: false,
        }
    }
}

#[derive(Clone, Default)]
struct Locks {
    shared: usize,
    exclusive: bool,
}

impl SimDirectory {
    /// An empty directory.
    pub fn new() -> SimDirectory {
        SimDirectory::default()
    }

    /// A directory that holds this already, durably.
    pub fn with(disk: Disk) -> SimDirectory {
        let durable = (0..disk.files())
            .filter_map(|file| disk.file(file).cloned())
            .collect();
        let state = State {
            disk,
            durable,
            ..State::default()
        };
        SimDirectory {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// What a reader sees now.
    pub fn disk(&self) -> Disk {
        self.state().disk.clone()
    }

    /// Everything that has happened.
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// Every call made so far, the failed ones included.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Changes of the disk made so far.
    pub fn changes(&self) -> u64 {
        self.state().writes
    }

    /// Notes something among the events, such as a commit that began or was acknowledged.
    pub fn mark(&self, mark: u64) {
        self.state().events.push(Event::Mark(mark));
    }

    /// Plans a fault, in the place of one planned before. `None`: nothing goes wrong any more.
    pub fn plan(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// How often a planned fault has struck.
    pub fn struck(&self) -> u64 {
        self.state().strikes.len() as u64
    }

    /// Every call that a planned fault has struck, in order.
    pub fn strikes(&self) -> Vec<Strike> {
        self.state().strikes.clone()
    }

    // Every method leaves the state whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a call, and says what goes wrong with it.
    fn call(&mut self, call: Call, file: Option<FileNumber>, range: Range) -> Option<FaultKind> {
        let number = self.calls.len();
        self.calls.push(call);
        let last = self.strikes.last();
        let fault = self
            .fault
            .filter(|fault| fault.strikes(number, call, last))?;
        let len = file.and_then(|file| self.disk.file(file)).map(Image::len);
        let end = range.offset.saturating_add(range.len);
        self.strikes.push(Strike {
            number,
            call,
            file,
            offset: range.offset,
            grows: call != Call::Read && len.is_some_and(|len| end > len),
            zeros: range.zeros,
            kind: fault.kind,
            at_event: self.events.len(),
        });
        Some(fault.kind)
    }

    /// A call that either does everything or fails.
    fn whole_call(&mut self, call: Call, file: Option<FileNumber>, range: Range) -> io::Result<()> {
        match self.call(call, file, range) {
            Some(FaultKind::Fails(error, _) | FaultKind::SyncFailsWith(error, _)) => {
                Err(error.into())
            }
            Some(FaultKind::SyncFails(_)) => Err(io::Error::other("the sync failed")),
            Some(FaultKind::Interrupted) => Err(io::ErrorKind::Interrupted.into()),
            _ => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        self.disk.apply(&change);
        self.writes += 1;
        self.events.push(Event::Change(change));
    }

    fn sync(&mut self, file: FileNumber) -> io::Result<()> {
        let (failure, error) = match self.call(Call::Sync, Some(file), NOWHERE) {
            Some(FaultKind::SyncFails(failure)) => (failure, io::Error::other("the sync failed")),
            Some(FaultKind::SyncFailsWith(error, failure)) => (failure, error.into()),
            _ => {
                if let (Some(durable), Some(image)) =
                    (self.durable.get_mut(file), self.disk.file(file))
                {
                    *durable = image.clone();
                }
                self.events.push(Event::Sync(file));
                return Ok(());
            }
        };
        self.events.push(Event::SyncFailed(file, failure));
        if failure == SyncFailure::Dropped
            && let Some(image) = self.durable.get(file)
        {
            self.disk.replace(file, image.clone());
        }
        Err(error)
    }

    fn write(&mut self, file: FileNumber, offset: u64, data: &[u8]) -> io::Result<usize> {
        let mut range = Range::of(offset, data);
        // Asked only where something may go wrong: it costs a look at every byte.
        range.zeros = self.fault.is_some() && data.iter().all(|byte| *byte == 0);
        let (offset, done, result) = match self.call(Call::Write, Some(file), range) {
            Some(FaultKind::Lost) => (offset, 0, Ok(data.len())),
            Some(FaultKind::Misdirected(by)) => {
                (offset.saturating_add(by), data.len(), Ok(data.len()))
            }
            Some(FaultKind::Interrupted) => (offset, 0, Err(io::ErrorKind::Interrupted)),
            Some(FaultKind::Fails(error, survives)) => {
                let done = match survives {
                    Survives::None => 0,
                    Survives::Half => data.len() / 2,
                    Survives::All => data.len(),
                };
                (offset, done, Err(error))
            }
            fault => {
                let done = fault.map_or(data.len(), |fault| fault.part(data.len()));
                (offset, done, Ok(done))
            }
        };
        if done > 0 {
            let data = Arc::from(&data[..done]);
            self.change(Change::Write { file, offset, data });
        }
        result.map_err(io::Error::from)
    }

    fn read(&mut self, file: FileNumber, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let most = match self.call(Call::Read, Some(file), Range::of(offset, out)) {
            Some(FaultKind::Fails(error, _)) => return Err(error.into()),
            Some(FaultKind::Interrupted) => return Err(io::ErrorKind::Interrupted.into()),
            fault => fault.map_or(out.len(), |fault| fault.part(out.len())),
        };
        let image = self.disk.file(file).ok_or(io::ErrorKind::NotFound)?;
        let left = usize::try_from(image.len().saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = out.len().min(left).min(most);
        image.read(offset, &mut out[..len])?;
        Ok(len)
    }

    fn open(&mut self, name: &str, mode: OpenMode) -> io::Result<FileNumber> {
        self.whole_call(Call::Open, None, NOWHERE)?;
        let file = match (mode, self.disk.number(name)) {
            (OpenMode::CreateNew, Some(_)) => return Err(io::ErrorKind::AlreadyExists.into()),
            (OpenMode::CreateNew, None) => {
                let (file, name) = (self.disk.files(), Arc::from(name));
                self.change(Change::Create { file, name });
                file
            }
            (_, Some(file)) => file,
            (_, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        let files = self.disk.files();
        self.durable.resize(files, Image::default());
        self.locks.resize(files, Locks::default());
        Ok(file)
    }
}

impl Directory for SimDirectory {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let file = uninterrupted(|| self.state().open(name, mode))?;
        Ok(Arc::new(SimFile {
            directory: self.clone(),
            file,
            writable: mode != OpenMode::Read,
            held: Mutex::default(),
        }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        let mut state = self.state();
        state.whole_call(Call::Exists, None, NOWHERE)?;
        Ok(state.disk.number(name).is_some())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        uninterrupted(|| {
            let mut state = self.state();
            state.whole_call(Call::Rename, None, NOWHERE)?;
            state.disk.number(from).ok_or(io::ErrorKind::NotFound)?;
            let (from, to) = (Arc::from(from), Arc::from(to));
            state.change(Change::Rename { from, to });
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        uninterrupted(|| {
            let mut state = self.state();
            state.whole_call(Call::Remove, None, NOWHERE)?;
            state.disk.number(name).ok_or(io::ErrorKind::NotFound)?;
            let name = Arc::from(name);
            state.change(Change::Remove { name });
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.whole_call(Call::SyncDirectory, None, NOWHERE)?;
        state.events.push(Event::SyncDirectory);
        Ok(())
    }
}

struct SimFile {
    directory: SimDirectory,
    file: FileNumber,
    writable: bool,
    held: Mutex<Option<LockMode>>,
}

impl SimFile {
    fn refuse_read_only(&self) -> io::Result<()> {
        if self.writable {
            Ok(())
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
}

impl RawFile for SimFile {
    fn read_some(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.directory.state().read(self.file, offset, out)
    }

    fn write_some(&self, offset: u64, data: &[u8]) -> io::Result<usize> {
        self.directory.state().write(self.file, offset, data)
    }
}

impl Storage for SimFile {
    fn len(&self) -> io::Result<u64> {
        uninterrupted(|| {
            let mut state = self.directory.state();
            state.whole_call(Call::Len, Some(self.file), NOWHERE)?;
            Ok(state.disk.file(self.file).map_or(0, Image::len))
        })
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        read_all(self, offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.refuse_read_only()?;
        write_all(self, offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.refuse_read_only()?;
        let file = self.file;
        uninterrupted(|| {
            let mut state = self.directory.state();
            state.whole_call(
                Call::SetLen,
                Some(file),
                Range {
                    offset: len,
                    ..NOWHERE
                },
            )?;
            state.change(Change::SetLen { file, len });
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.directory.state().sync(self.file)
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        let mut state = self.directory.state();
        state.whole_call(Call::Lock, Some(self.file), NOWHERE)?;
        let Some(locks) = state.locks.get_mut(self.file) else {
            return Ok(false);
        };
        let free = !locks.exclusive && (mode == LockMode::Shared || locks.shared == 0);
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

impl Drop for SimFile {
    fn drop(&mut self) {
        let held = self.held.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.directory.state();
        if let Some(locks) = state.locks.get_mut(self.file) {
            match held.take() {
                Some(LockMode::Shared) => locks.shared -= 1,
                Some(LockMode::Exclusive) => locks.exclusive = false,
                None => {}
            }
        }
    }
}
