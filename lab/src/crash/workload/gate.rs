//! A directory whose syncs can be held back, so that commits of several threads meet in the same order
//! every time.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vellum::storage::sim::{FileNumber, SimDirectory};
use vellum::storage::{Directory, LockMode, OpenMode, Storage};

/// Syncs wait here while it is closed, each until it is let through. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Gate {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    /// Whose sync waits.
    waiting: Option<FileNumber>,
    let_through: u64,
}

impl Gate {
    /// The directory behind this gate.
    pub(super) fn before(&self, directory: &SimDirectory) -> Arc<dyn Directory> {
        Arc::new(Gated {
            directory: directory.clone(),
            gate: self.clone(),
        })
    }

    pub(super) fn close(&self) {
        self.state().closed = true;
    }

    /// Lets everything through from now on.
    pub(super) fn open(&self) {
        self.state().closed = false;
        self.shared.changed.notify_all();
    }

    /// Lets one sync through.
    pub(super) fn let_one_through(&self) {
        self.state().let_through += 1;
        self.shared.changed.notify_all();
    }

    /// Waits until a sync waits here, and says of which file; `None` once `given_up` says that none
    /// will come.
    pub(super) fn await_sync(&self, given_up: impl Fn() -> bool) -> Option<FileNumber> {
        let mut state = self.state();
        while state.waiting.is_none() && !given_up() {
            let pause = Duration::from_millis(1);
            let waited = self.shared.changed.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting
    }

    fn pass(&self, file: FileNumber) {
        let mut state = self.state();
        if !state.closed {
            return;
        }
        state.waiting = Some(file);
        self.shared.changed.notify_all();
        while state.closed && state.let_through == 0 {
            let waited = self.shared.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting = None;
        state.let_through = state.let_through.saturating_sub(1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

struct Gated {
    directory: SimDirectory,
    gate: Gate,
}

impl Directory for Gated {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let inner = self.directory.open(name, mode)?;
        let number = self.directory.disk().number(name);
        Ok(Arc::new(GatedFile {
            inner,
            number: number.ok_or(io::ErrorKind::NotFound)?,
            gate: self.gate.clone(),
        }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.directory.exists(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.directory.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.directory.remove(name)
    }

    fn sync(&self) -> io::Result<()> {
        Directory::sync(&self.directory)
    }
}

struct GatedFile {
    inner: Arc<dyn Storage>,
    number: FileNumber,
    gate: Gate,
}

impl Storage for GatedFile {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write_at(offset, data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.gate.pass(self.number);
        self.inner.sync()
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.inner.lock(mode)
    }
}
