//! What differs between operating systems.

use std::fs::File;
use std::io;
use std::path::Path;

use super::complete::RawFile;

#[cfg(unix)]
impl RawFile for File {
    fn read_some(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, out, offset)
    }

    fn write_some(&self, offset: u64, data: &[u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(self, data, offset)
    }
}

#[cfg(windows)]
impl RawFile for File {
    fn read_some(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self, out, offset)
    }

    fn write_some(&self, offset: u64, data: &[u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(self, data, offset)
    }
}

/// Makes names in a folder durable. Windows has no such call and needs none: its file systems log
/// their metadata.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    super::complete::uninterrupted(|| File::open(folder))?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
