//! Files in memory that hold only what was written, so that they may be as long as the format allows.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use vellum::storage::{Directory, LockMode, OpenMode, Storage};

const BLOCK: usize = 4096;

/// A directory of sparse files that nobody locks. Clones share it; `copy` does not.
#[derive(Clone, Default)]
pub struct Sparse(Arc<Mutex<BTreeMap<String, Arc<SparseFile>>>>);

#[derive(Default)]
struct SparseFile(Mutex<Blocks>);

#[derive(Clone, Default)]
struct Blocks {
    len: u64,
    blocks: BTreeMap<u64, Box<[u8]>>,
}

impl Sparse {
    /// The files as a process that is killed now leaves them.
    pub fn copy(&self) -> Sparse {
        let files = self.0.lock().unwrap();
        let copied = files.iter().map(|(name, file)| {
            let blocks = file.0.lock().unwrap().clone();
            (name.clone(), Arc::new(SparseFile(Mutex::new(blocks))))
        });
        Sparse(Arc::new(Mutex::new(copied.collect())))
    }

    /// Bytes that a file really holds.
    pub fn held(&self, name: &str) -> usize {
        let files = self.0.lock().unwrap();
        files[name].0.lock().unwrap().blocks.len() * BLOCK
    }
}

impl Directory for Sparse {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let mut files = self.0.lock().unwrap();
        let there = files.contains_key(name);
        if there == (mode == OpenMode::CreateNew) {
            return Err(match there {
                true => io::ErrorKind::AlreadyExists.into(),
                false => io::ErrorKind::NotFound.into(),
            });
        }
        Ok(Arc::clone(files.entry(name.to_owned()).or_default()) as Arc<dyn Storage>)
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        Ok(self.0.lock().unwrap().contains_key(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.0.lock().unwrap();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let removed = self.0.lock().unwrap().remove(name);
        removed.map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls `each` with every block that these bytes touch: its number, where in it they begin, and which of
/// them it holds.
fn pieces(offset: u64, len: usize, mut each: impl FnMut(u64, usize, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < len {
        let at = offset + done as u64;
        let within = (at % BLOCK as u64) as usize;
        let piece = (BLOCK - within).min(len - done);
        each(at / BLOCK as u64, within, done..done + piece);
        done += piece;
    }
}

impl Storage for SparseFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().len)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let file = self.0.lock().unwrap();
        if offset + out.len() as u64 > file.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        pieces(offset, out.len(), |block, within, range| {
            let out = &mut out[range];
            match file.blocks.get(&block) {
                Some(bytes) => out.copy_from_slice(&bytes[within..within + out.len()]),
                None => out.fill(0),
            }
        });
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut file = self.0.lock().unwrap();
        pieces(offset, data.len(), |block, within, range| {
            let data = &data[range];
            let bytes = file
                .blocks
                .entry(block)
                .or_insert_with(|| vec![0; BLOCK].into());
            bytes[within..within + data.len()].copy_from_slice(data);
        });
        file.len = file.len.max(offset + data.len() as u64);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut file = self.0.lock().unwrap();
        assert!(len >= file.len || len.is_multiple_of(BLOCK as u64));
        file.blocks.split_off(&len.div_ceil(BLOCK as u64));
        file.len = len;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _: LockMode) -> io::Result<bool> {
        Ok(true)
    }
}
