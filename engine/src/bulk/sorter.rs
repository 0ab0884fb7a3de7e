//! Sorting more records than fit in memory: sorted runs in a scratch file, then one merge.
//!
//! External merge sort as in Knuth, The Art of Computer Programming, volume 3, section 5.4.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::forensics::{Tally, count};
use crate::format::checksum::crc;
use crate::storage::{OpenMode, Storage};
use crate::store::Files;

/// Bytes written to the scratch file at a time.
const WRITE_BYTES: usize = 1 << 20;
/// What is checked as a whole, and the least that is read ahead for each run while merging.
const BLOCK_BYTES: usize = 4 << 10;

/// What can be sorted: ordered, and written and read back exactly.
pub(super) trait Record: Ord + Sized {
    /// Appends the record to a buffer.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes a record off the front of a buffer; `None` if it is not all there.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
    /// Memory that the record takes while it waits to be sorted, in bytes.
    fn memory(&self) -> usize;
}

/// A scratch file that several sorters use one after the other, and that is removed at the end.
pub(super) struct Scratch {
    files: Files,
    file: Option<Arc<dyn Storage>>,
    end: u64,
    tally: Tally,
}

impl Scratch {
    pub(super) fn new(files: &Files, tally: &Tally) -> Scratch {
        Scratch {
            files: files.clone(),
            file: None,
            end: 0,
            tally: tally.clone(),
        }
    }

    fn open(&mut self) -> Result<Arc<dyn Storage>> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let name = self.files.sort();
        let context = self.files.failed("creating", &name);
        self.files.remove_sorted_runs().map_err(context)?;
        let file = self
            .files
            .directory
            .open(&name, OpenMode::CreateNew)
            .map_err(context)?;
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // A leftover is harmless: the next load and the next open for writing remove it.
            let _ = self.files.remove_sorted_runs();
        }
    }
}

/// Takes records in any order and gives them back in theirs.
pub(super) struct Sorter<T> {
    budget_bytes: usize,
    held: Vec<T>,
    held_bytes: usize,
    runs: Vec<Extent>,
}

/// A sorted run in the scratch file.
struct Extent {
    start: u64,
    end: u64,
    /// Of each block, the last of which may be short. The file is read back within minutes, but by
    /// then it may not hold what was written.
    checksums: Vec<u64>,
}

impl<T: Record> Sorter<T> {
    /// A sorter that holds at most about this much in memory.
    pub(super) fn new(budget_bytes: usize) -> Sorter<T> {
        Sorter {
            budget_bytes,
            held: Vec::new(),
            held_bytes: 0,
            runs: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, record: T, scratch: &mut Scratch) -> Result<()> {
        self.held_bytes += record.memory();
        self.held.push(record);
        if self.held_bytes >= self.budget_bytes {
            self.spill(scratch)?;
        }
        Ok(())
    }

    fn spill(&mut self, scratch: &mut Scratch) -> Result<()> {
        let file = scratch.open()?;
        self.held.sort_unstable();
        let mut run = Extent {
            start: scratch.end,
            end: scratch.end,
            checksums: Vec::new(),
        };
        let mut buffer = Vec::with_capacity(WRITE_BYTES + 1024);
        for record in self.held.drain(..) {
            record.write(&mut buffer);
            if buffer.len() >= WRITE_BYTES {
                let whole = buffer.len() / BLOCK_BYTES * BLOCK_BYTES;
                let part = buffer.get(..whole).unwrap_or_default();
                run.append(&*file, part, &scratch.tally)?;
                buffer.drain(..whole);
            }
        }
        run.append(&*file, &buffer, &scratch.tally)?;
        scratch.end = run.end;
        self.runs.push(run);
        self.held_bytes = 0;
        Ok(())
    }

    /// All records in order. The scratch file must live as long as the result.
    pub(super) fn finish(mut self, scratch: &mut Scratch) -> Result<Sorted<T>> {
        if self.runs.is_empty() {
            self.held.sort_unstable();
            return Ok(Sorted::Memory(self.held.into_iter()));
        }
        self.spill(scratch)?;
        self.held = Vec::new();
        let file = scratch.open()?;
        let share = (self.budget_bytes / self.runs.len()).max(BLOCK_BYTES);
        let mut merge = Merge {
            heads: BinaryHeap::new(),
            runs: Vec::new(),
        };
        for (index, extent) in self.runs.into_iter().enumerate() {
            let mut run = RunReader {
                file: Arc::clone(&file),
                next: extent.start,
                end: extent.end,
                checksums: extent.checksums.into_iter(),
                buffer: Vec::new(),
                at: 0,
                share,
                tally: scratch.tally.clone(),
            };
            if let Some(record) = run.next_record()? {
                merge.heads.push(Reverse(Head { record, run: index }));
            }
            merge.runs.push(run);
        }
        Ok(Sorted::Merge(merge))
    }
}

impl Extent {
    /// Adds bytes that end a block, or the run.
    fn append(&mut self, file: &dyn Storage, bytes: &[u8], tally: &Tally) -> Result<()> {
        file.write_at(self.end, bytes)
            .map_err(|e| Error::io("writing sorted runs", e))?;
        count!(tally, ScratchWriteBytes, bytes.len());
        self.end += bytes.len() as u64;
        let blocks = bytes.chunks(BLOCK_BYTES);
        self.checksums.extend(blocks.map(|block| crc(&[block])));
        Ok(())
    }
}

/// Records in order.
pub(super) enum Sorted<T> {
    Memory(std::vec::IntoIter<T>),
    Merge(Merge<T>),
}

/// The merge of several runs.
pub(super) struct Merge<T> {
    heads: BinaryHeap<Reverse<Head<T>>>,
    runs: Vec<RunReader>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head<T> {
    record: T,
    // Equal records come out in the order of their runs, which is the order they came in.
    run: usize,
}

impl<T: Record> Iterator for Sorted<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        match self {
            Sorted::Memory(records) => records.next().map(Ok),
            Sorted::Merge(merge) => merge.next(),
        }
    }
}

impl<T: Record> Merge<T> {
    fn next(&mut self) -> Option<Result<T>> {
        let mut top = self.heads.peek_mut()?;
        let run = self.runs.get_mut(top.0.run)?;
        match run.next_record() {
            Ok(Some(record)) => Some(Ok(std::mem::replace(&mut top.0.record, record))),
            Ok(None) => Some(Ok(PeekMut::pop(top).0.record)),
            Err(error) => {
                drop(top);
                self.heads.clear();
                Some(Err(error))
            }
        }
    }
}

struct RunReader {
    file: Arc<dyn Storage>,
    next: u64,
    end: u64,
    /// Of the blocks that are still to be read.
    checksums: std::vec::IntoIter<u64>,
    buffer: Vec<u8>,
    at: usize,
    share: usize,
    tally: Tally,
}

impl RunReader {
    fn next_record<T: Record>(&mut self) -> Result<Option<T>> {
        loop {
            let mut rest = self.buffer.get(self.at..).unwrap_or_default();
            let before = rest.len();
            if let Some(record) = T::read(&mut rest) {
                self.at += before - rest.len();
                return Ok(Some(record));
            }
            if self.next == self.end {
                return if before == 0 {
                    Ok(None)
                } else {
                    Err(damaged(self.end))
                };
            }
            self.refill()?;
        }
    }

    /// Reads on, at least doubling what is there so that a record of any size fits in the end.
    fn refill(&mut self) -> Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        let wanted = self.share.max(self.buffer.len());
        let more = wanted.next_multiple_of(BLOCK_BYTES).min(left);
        let old = self.buffer.len();
        self.buffer.resize(old + more, 0);
        let fresh = self.buffer.get_mut(old..).unwrap_or_default();
        self.file
            .read_at(self.next, fresh)
            .map_err(|e| Error::io("reading sorted runs", e))?;
        count!(self.tally, ScratchReadBytes, more);
        self.next += more as u64;
        for block in fresh.chunks(BLOCK_BYTES) {
            if self.checksums.next() != Some(crc(&[block])) {
                return Err(damaged(self.next));
            }
        }
        Ok(())
    }
}

fn damaged(offset: u64) -> Error {
    Error::io(
        format!("reading sorted runs up to offset {offset}"),
        std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            "the scratch file does not hold what was written to it",
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::btree::NameKey;
    use crate::bulk::records::Name;
    use crate::storage::MemoryDirectory;

    fn name(number: u64) -> Name {
        let text = format!("{:0500}", number * 7 % 100);
        Name(NameKey::new(&text, number + 1))
    }

    #[test]
    fn a_scratch_file_that_lost_a_write_is_noticed() {
        let directory = MemoryDirectory::new();
        let files = Files {
            directory: Arc::new(directory.clone()),
            name: "sorted".to_owned(),
            given_directory: true,
        };
        for lost in [None, Some(0), Some(9_000), Some(50_500)] {
            let mut scratch = Scratch::new(&files, &Tally::default());
            let mut sorter = Sorter::new(20 << 10);
            for number in 0..100 {
                sorter.push(name(number), &mut scratch).unwrap();
            }
            let sorted = sorter.finish(&mut scratch).unwrap();
            if let Some(at) = lost {
                let file = scratch.open().unwrap();
                file.write_at(at, &[0; 100]).unwrap();
            }
            let read: Result<Vec<Name>> = sorted.collect();
            match lost {
                None => assert!(read.unwrap().is_sorted()),
                // What was read before the damage is in memory already.
                Some(0) => assert_eq!(read.unwrap().len(), 100),
                Some(_) => assert!(matches!(read, Err(Error::Io { .. }))),
            }
        }
    }
}
