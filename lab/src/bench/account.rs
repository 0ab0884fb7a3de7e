//! What a process can tell of itself: bytes it had written, its memory, its files. And the floor of every
//! commit, a bare overwriting sync.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::failure::{Context, Failure};

/// Bytes that this process caused to be written to storage, by the kernel's count; 0 where it has none.
pub(super) fn written() -> u64 {
    field("/proc/self/io", "write_bytes:").unwrap_or(0)
}

/// Memory of this process now, in bytes; 0 where the kernel does not say.
pub(super) fn resident() -> u64 {
    field("/proc/self/status", "VmRSS:").unwrap_or(0) << 10
}

/// The most memory since the start or the last `forget_peak`.
pub(super) fn peak() -> u64 {
    field("/proc/self/status", "VmHWM:").unwrap_or(0) << 10
}

pub(super) fn forget_peak() {
    // Where the kernel refuses, the peak is that of the whole process: more, never less.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn field(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Every file below a folder.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context(folder.display())? {
        let path = entry.context(folder.display())?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// Bytes that the files below a folder take on the disk. A map of memory leaves holes, which are not counted.
pub(super) fn disk(folder: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for path in files(folder)? {
        bytes += taken(&fs::metadata(&path).context(path.display())?);
    }
    Ok(bytes)
}

#[cfg(unix)]
fn taken(data: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(data) * 512
}

#[cfg(not(unix))]
fn taken(data: &fs::Metadata) -> u64 {
    data.len()
}

/// A file written ahead, whose bytes are overwritten and synced one after the other.
pub(super) struct Floor {
    file: File,
    at: u64,
}

const FLOOR_BYTES: usize = 16 << 20;

impl Floor {
    pub(super) fn new(folder: &Path) -> Result<Floor, Failure> {
        let path = folder.join("floor");
        let mut file = File::create(&path).context(path.display())?;
        file.write_all(&vec![0; FLOOR_BYTES])
            .context(path.display())?;
        file.sync_all().context(path.display())?;
        Ok(Floor { file, at: 0 })
    }

    /// Nanoseconds of overwriting so many bytes durably.
    pub(super) fn write(&mut self, bytes: usize) -> Result<u64, Failure> {
        if self.at as usize + bytes > FLOOR_BYTES {
            self.at = 0;
        }
        let block = vec![0x5a; bytes];
        let started = Instant::now();
        self.file
            .seek(SeekFrom::Start(self.at))
            .context("the floor")?;
        self.file.write_all(&block).context("the floor")?;
        self.file.sync_data().context("the floor")?;
        self.at += bytes as u64;
        Ok(started.elapsed().as_nanos() as u64)
    }
}
