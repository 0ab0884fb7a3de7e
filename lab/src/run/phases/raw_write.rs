//! What no way of loading can pass: the same bytes, written one after the other and made durable.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use crate::failure::{Context, Failure};

/// Bytes given to the system at once.
const CHUNK: usize = 1 << 20;

/// Time of a bare sequential write of so many bytes into a new file, and of its sync.
pub(super) fn time_ns(folder: &Path, bytes: u64) -> Result<u64, Failure> {
    let path = folder.join("raw-write");
    let measured = write(&path, bytes);
    // A file that is not there needs no removing.
    let _ = fs::remove_file(&path);
    measured.context(path.display())
}

fn write(path: &Path, bytes: u64) -> io::Result<u64> {
    let data = vec![0x5a; CHUNK];
    let started = Instant::now();
    let mut file = File::create(path)?;
    let mut left = bytes;
    while left > 0 {
        let here = left.min(CHUNK as u64);
        file.write_all(&data[..here as usize])?;
        left -= here;
    }
    file.sync_data()?;
    Ok(started.elapsed().as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn as_many_bytes_are_written_and_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("here");
        for bytes in [0, 1, CHUNK as u64, CHUNK as u64 + 3] {
            assert!(write(&path, bytes).unwrap() > 0);
            assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
        }
        fs::remove_file(&path).unwrap();
        assert!(time_ns(folder.path(), 5000).unwrap() > 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
