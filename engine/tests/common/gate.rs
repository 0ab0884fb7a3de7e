//! Storage that can be made to wait in the middle of a checkpoint.

use std::io;
use std::sync::{Arc, Condvar, Mutex};

use vellum::storage::{Directory, LockMode, MemoryDirectory, OpenMode, Storage};

/// Syncs of one of the two files wait until they are let through.
#[derive(Clone)]
pub struct Gate {
    inner: MemoryDirectory,
    of_log: bool,
    state: Arc<(Mutex<GateState>, Condvar)>,
}

#[derive(Default)]
struct GateState {
    closed: bool,
    waiting: bool,
}

struct Gated {
    inner: Arc<dyn Storage>,
    gate: Gate,
    log: bool,
}

impl Gate {
    /// Before the database file.
    pub fn new(inner: MemoryDirectory) -> Gate {
        Gate {
            inner,
            of_log: false,
            state: Arc::default(),
        }
    }

    /// Before the log.
    pub fn of_log(inner: MemoryDirectory) -> Gate {
        Gate {
            of_log: true,
            ..Gate::new(inner)
        }
    }

    /// Closes the gate until the result is dropped.
    pub fn close(&self) -> Closed<'_> {
        self.set(true);
        Closed(self)
    }

    fn set(&self, closed: bool) {
        self.state.0.lock().unwrap().closed = closed;
        self.state.1.notify_all();
    }

    fn pass(&self) {
        let mut state = self.state.0.lock().unwrap();
        while state.closed {
            state.waiting = true;
            self.state.1.notify_all();
            state = self.state.1.wait(state).unwrap();
        }
        state.waiting = false;
    }

    /// Returns once somebody stands before the gate.
    pub fn wait_until_somebody_waits(&self) {
        let mut state = self.state.0.lock().unwrap();
        while !state.waiting {
            state = self.state.1.wait(state).unwrap();
        }
    }
}

/// A gate that is closed as long as this lives.
pub struct Closed<'a>(&'a Gate);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Directory for Gate {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        Ok(Arc::new(Gated {
            inner: self.inner.open(name, mode)?,
            gate: self.clone(),
            log: name.contains("-log"),
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
        self.inner.sync()
    }
}

impl Storage for Gated {
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
        if self.log == self.gate.of_log {
            self.gate.pass();
        }
        self.inner.sync()
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.inner.lock(mode)
    }
}
