//! A database's files as they are, with everything written kept in memory: what is tried out here never
//! reaches the disk.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use vellum::storage::{Directory, FileDirectory, LockMode, OpenMode, Storage};

/// Bytes that are kept together.
const BLOCK: usize = 4096;

/// A folder whose files are read from disk until they are written here.
pub(crate) struct Overlay {
    below: FileDirectory,
    /// Files by name; `None` for one that was removed here.
    files: Mutex<BTreeMap<String, Option<Arc<Layered>>>>,
}

/// One file: what is below, and the blocks that were written.
struct Layered {
    below: Option<Arc<dyn Storage>>,
    state: Mutex<State>,
}

struct State {
    len: u64,
    /// Bytes of the file below that still count: shortening hides the rest for good.
    below_len: u64,
    blocks: BTreeMap<u64, Box<[u8; BLOCK]>>,
}

impl Overlay {
    pub(crate) fn new(folder: &Path) -> Overlay {
        Overlay {
            below: FileDirectory::new(folder),
            files: Mutex::default(),
        }
    }

    /// The file, unless it is not there or was removed.
    fn find(&self, name: &str) -> io::Result<Option<Arc<Layered>>> {
        if let Some(known) = self.files.lock().get(name) {
            return Ok(known.clone());
        }
        if !self.below.exists(name)? {
            return Ok(None);
        }
        let below = self.below.open(name, OpenMode::Read)?;
        let len = below.len()?;
        let file = Layered::over(Some(below), len);
        self.files
            .lock()
            .insert(name.to_owned(), Some(Arc::clone(&file)));
        Ok(Some(file))
    }
}

impl Directory for Overlay {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let found = self.find(name)?;
        match (mode, found) {
            (OpenMode::CreateNew, Some(_)) => Err(io::ErrorKind::AlreadyExists.into()),
            (OpenMode::CreateNew, None) => {
                let file = Layered::over(None, 0);
                self.files
                    .lock()
                    .insert(name.to_owned(), Some(Arc::clone(&file)));
                Ok(file)
            }
            (_, Some(file)) => Ok(file),
            (_, None) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        Ok(self.find(name)?.is_some())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let file = self.find(from)?.ok_or(io::ErrorKind::NotFound)?;
        let mut files = self.files.lock();
        files.insert(to.to_owned(), Some(file));
        files.insert(from.to_owned(), None);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.find(name)?.ok_or(io::ErrorKind::NotFound)?;
        self.files.lock().insert(name.to_owned(), None);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Layered {
    fn over(below: Option<Arc<dyn Storage>>, len: u64) -> Arc<Layered> {
        let state = State {
            len,
            below_len: len,
            blocks: BTreeMap::new(),
        };
        Arc::new(Layered {
            below,
            state: Mutex::new(state),
        })
    }

    /// What stands in a block, as far as the file goes.
    fn block(&self, state: &State, number: u64) -> io::Result<Box<[u8; BLOCK]>> {
        if let Some(block) = state.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = Box::new([0; BLOCK]);
        let start = number * BLOCK as u64;
        let there = state.below_len.saturating_sub(start).min(BLOCK as u64) as usize;
        if let (Some(below), Some(bytes)) = (&self.below, block.get_mut(..there))
            && there > 0
        {
            below.read_at(start, bytes)?;
        }
        Ok(block)
    }
}

/// The parts of a range that lie in one block each: the block, where in it, and how many bytes.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let within = (at % BLOCK as u64) as usize;
        let take = (BLOCK - within).min(len - done);
        done += take;
        (take > 0).then_some((at / BLOCK as u64, within, take))
    })
}

impl Storage for Layered {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.lock();
        if offset.saturating_add(out.len() as u64) > state.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = out;
        for (number, within, take) in parts(offset, rest.len()) {
            let block = self.block(&state, number)?;
            let (part, left) = rest.split_at_mut(take);
            part.copy_from_slice(&block[within..within + take]);
            rest = left;
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state.lock();
        let mut rest = data;
        for (number, within, take) in parts(offset, data.len()) {
            let mut block = self.block(&state, number)?;
            let (part, left) = rest.split_at(take);
            block[within..within + take].copy_from_slice(part);
            state.blocks.insert(number, block);
            rest = left;
        }
        state.len = state.len.max(offset + data.len() as u64);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        // What is cut off reads as zeros when the file grows again.
        let (last, within) = (len / BLOCK as u64, (len % BLOCK as u64) as usize);
        if len < state.len && within > 0 {
            let mut block = self.block(&state, last)?;
            block[within..].fill(0);
            state.blocks.insert(last, block);
        }
        state
            .blocks
            .retain(|number, _| *number * (BLOCK as u64) < len);
        state.below_len = state.below_len.min(len);
        state.len = len;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    /// Nobody may write the file below while it is looked at.
    fn lock(&self, _: LockMode) -> io::Result<bool> {
        match &self.below {
            Some(below) => below.lock(LockMode::Shared),
            None => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_stay_here() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("file");
        std::fs::write(&path, [7u8; 10_000])?;
        let overlay = Overlay::new(folder.path());
        let file = overlay.open("file", OpenMode::Write)?;
        file.write_at(4000, &[1; 200])?;
        file.write_at(12_000, &[2; 10])?;
        let mut bytes = vec![0; 12_010];
        file.read_at(0, &mut bytes)?;
        assert_eq!(
            (bytes[3999], bytes[4000], bytes[4199], bytes[4200]),
            (7, 1, 1, 7)
        );
        assert_eq!((bytes[9999], bytes[10_000], bytes[12_009]), (7, 0, 2));
        file.set_len(4100)?;
        file.set_len(5000)?;
        let mut bytes = vec![9; 5000];
        file.read_at(0, &mut bytes)?;
        assert_eq!((bytes[4099], bytes[4100], bytes[4999]), (1, 0, 0));
        assert!(file.read_at(4999, &mut [0; 2]).is_err());
        overlay.rename("file", "other")?;
        assert!(!overlay.exists("file")? && overlay.exists("other")?);
        overlay.remove("other")?;
        assert!(!overlay.exists("other")?);
        overlay
            .open("new", OpenMode::CreateNew)?
            .write_at(0, b"x")?;
        assert_eq!(std::fs::read(&path)?, [7u8; 10_000]);
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }
}
