//! The seam between the engine and whatever keeps its bytes: two small traits.
//!
//! Everything above works on positions and bytes, so that files, memory, counted and simulated
//! storage are interchangeable. What differs between operating systems lives in `os.rs` alone.

mod complete;
mod counted;
mod file;
mod memory;
mod os;
mod poison;
#[cfg(feature = "sim")]
pub mod sim;

use std::io;
use std::sync::Arc;

pub use counted::{Counted, CountedDirectory, IoCounts};
pub use file::FileDirectory;
pub use memory::MemoryDirectory;
pub use poison::{Poison, Poisonable};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// An existing file, for reading.
    Read,
    /// An existing file, for reading and writing.
    Write,
    /// A file that must not exist yet, for reading and writing.
    CreateNew,
}

/// Whom a lock keeps out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Writers. Any number of holders.
    Shared,
    /// Everyone else.
    Exclusive,
}

/// An open file.
///
/// Calls are complete or fail: short and interrupted system calls are continued below this trait.
pub trait Storage: Send + Sync {
    /// Length in bytes.
    ///
    /// # Errors
    /// What the operating system says.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// As [`len`](Storage::len).
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file ends before; what the operating system says.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;

    /// Writes all of `data` at `offset`, extending the file if need be.
    ///
    /// # Errors
    /// What the operating system says; any part may have been written then.
    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()>;

    /// Sets the length, with zeros where it grows.
    ///
    /// # Errors
    /// What the operating system says.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// On return, everything written before survives a power cut, the length included.
    ///
    /// # Errors
    /// What the operating system says. It must not be tried again: the data may be gone.
    fn sync(&self) -> io::Result<()>;

    /// Locks the file until this handle is dropped, against other processes and against other
    /// handles in this one. `false` if someone else holds it.
    ///
    /// # Errors
    /// What the operating system says.
    fn lock(&self, mode: LockMode) -> io::Result<bool>;
}

/// A place where files have names.
pub trait Directory: Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`; what the operating system says.
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>>;

    /// Whether a file of that name is there.
    ///
    /// # Errors
    /// What the operating system says.
    fn exists(&self, name: &str) -> io::Result<bool>;

    /// Gives a file another name, replacing what had it.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// What the operating system says.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// On return, creations, renames and removals done before survive a power cut.
    ///
    /// # Errors
    /// What the operating system says.
    fn sync(&self) -> io::Result<()>;

    /// What messages call a file of that name: its path, where it has one.
    fn describe(&self, name: &str) -> String {
        name.to_owned()
    }
}
