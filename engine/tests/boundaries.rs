//! Numbers around 16 and 32 bits, full files, failed opens, panics: places where storage engines have lost data.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use common::{Model, dump, id};
use vellum::format::freelist::{Run, encode};
use vellum::format::header::{Header, SLOT_LEN, SLOT_OFFSETS};
use vellum::format::page::seal;
use vellum::storage::{Directory, LockMode, MemoryDirectory, OpenMode, Storage};
use vellum::{Builder, CheckpointMode, Database, Error, PageRef, WriteTxn};

const NAME: &str = "graph";
const PAGE: u64 = 4096;

fn options(directory: impl Directory + 'static) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory))
        .checkpoint(CheckpointMode::Inline)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(64 << 10)
}

/// Files of which only the pages that were written take memory, however far apart they are.
#[derive(Clone, Default)]
struct Sparse {
    files: Arc<Mutex<BTreeMap<String, Arc<SparseFile>>>>,
    /// No file may become longer than this, if it is above zero.
    most: Arc<Mutex<u64>>,
}

#[derive(Default)]
struct SparseFile {
    pages: Mutex<BTreeMap<u64, Vec<u8>>>,
    len: Mutex<u64>,
    most: Arc<Mutex<u64>>,
}

impl Directory for Sparse {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let mut files = self.files.lock().unwrap();
        if mode == OpenMode::CreateNew {
            let file = SparseFile {
                most: Arc::clone(&self.most),
                ..SparseFile::default()
            };
            files.insert(name.to_owned(), Arc::new(file));
        }
        let file = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Handle(Arc::clone(file))))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        Ok(self.files.lock().unwrap().contains_key(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files.lock().unwrap();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.lock().unwrap().remove(name);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// An open file.
struct Handle(Arc<SparseFile>);

impl Storage for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(*self.0.len.lock().unwrap())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset + out.len() as u64 > self.len()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let pages = self.0.pages.lock().unwrap();
        for (index, byte) in out.iter_mut().enumerate() {
            let at = offset + index as u64;
            let page = pages.get(&(at / PAGE));
            *byte = page.map_or(0, |page| page[(at % PAGE) as usize]);
        }
        Ok(())
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset + data.len() as u64;
        let (mut len, most) = (self.0.len.lock().unwrap(), *self.0.most.lock().unwrap());
        if most > 0 && end > most.max(*len) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        *len = end.max(*len);
        let mut pages = self.0.pages.lock().unwrap();
        for (index, byte) in data.iter().enumerate() {
            let at = offset + index as u64;
            let page = pages
                .entry(at / PAGE)
                .or_insert_with(|| vec![0; PAGE as usize]);
            page[(at % PAGE) as usize] = *byte;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        *self.0.len.lock().unwrap() = len;
        self.0
            .pages
            .lock()
            .unwrap()
            .retain(|page, _| page * PAGE < len);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _: LockMode) -> io::Result<bool> {
        Ok(true)
    }
}

/// An empty database whose file ends at this page, with these pages free.
fn with_free(directory: &Sparse, page_count: u64, free: Run) {
    options(directory.clone())
        .create(NAME)
        .unwrap()
        .close()
        .unwrap();
    let file = directory.open(NAME, OpenMode::Write).unwrap();
    let at = PageRef::new(2, 1).unwrap();
    let mut slot = [0; SLOT_LEN];
    file.read_at(SLOT_OFFSETS[1], &mut slot).unwrap();
    let mut header = Header::decode(&slot).unwrap();
    header.page_count = page_count;
    header.free_pages = free.len;
    header.freelist = Some(at);
    header.birth_limit = 2;
    let mut page = encode(PAGE as usize, None, &mut [free].into_iter().peekable());
    seal(&mut page, at, &header.file_id);
    file.write_at(2 * PAGE, &page).unwrap();
    file.write_at(page_count * PAGE - 1, &[0]).unwrap();
    for sequence in [2u64, 3] {
        header.sequence = sequence;
        let offset = SLOT_OFFSETS[(sequence % 2) as usize];
        file.write_at(offset, &header.encode()).unwrap();
    }
}

fn fill(txn: &mut WriteTxn, model: &mut Model, nodes: u64) {
    let first = model.next;
    for number in 0..nodes {
        let name = format!("node {}", first + number);
        let data = vec![number as u8; if number == 7 { 20_000 } else { 300 }];
        txn.insert_node("kind", &name, &data).unwrap();
        model.insert_node("kind", &name, &data);
        let target = id(first + number / 2);
        txn.insert_edge(id(first + number), "to", target, b"x")
            .unwrap();
        model.insert_edge(first + number, "to", target.get(), b"x");
    }
}

fn write_and_read(directory: &Sparse, check: bool) {
    let mut model = Model::new(false);
    for _ in 0..3 {
        let db = options(directory.clone()).open(NAME).unwrap();
        let mut txn = db.begin_write().unwrap();
        fill(&mut txn, &mut model, 150);
        txn.commit().unwrap();
        db.checkpoint().unwrap();
        db.drop_caches();
        assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
        if check {
            assert_eq!(db.check().unwrap().findings, []);
        }
        // The log of a process that dies here is replayed over such pages, too.
        let mut txn = db.begin_write().unwrap();
        fill(&mut txn, &mut model, 5);
        txn.commit().unwrap();
        db.close().unwrap();
        let db = options(directory.clone()).open_read_only(NAME).unwrap();
        assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
    }
}

#[test]
fn more_free_pages_than_sixteen_bits_count() {
    for free in [65_534u64, 65_535, 65_536, 65_537, 200_000] {
        let directory = Sparse::default();
        with_free(
            &directory,
            3 + free,
            Run {
                first: 3,
                len: free,
            },
        );
        write_and_read(&directory, true);
    }
}

#[test]
fn pages_with_numbers_and_offsets_beyond_thirty_two_bits() {
    for boundary in [1u64 << 16, 1 << 20, 1 << 31, 1 << 32, 1 << 40] {
        let directory = Sparse::default();
        // Free pages on both sides of the boundary; those below them belong to nobody.
        let free = Run {
            first: boundary - 20,
            len: 40,
        };
        with_free(&directory, boundary + 20, free);
        write_and_read(&directory, false);
    }
}

/// Every page is free again after what filled the file is deleted, and the file need not grow.
#[test]
fn a_file_that_may_not_grow_is_emptied_and_filled_again() {
    let directory = Sparse::default();
    let db = options(directory.clone()).create(NAME).unwrap();
    *directory.most.lock().unwrap() = 1 << 20;
    for _ in 0..4 {
        let mut ids = Vec::new();
        let full = loop {
            let mut txn = db.begin_write().unwrap();
            let filled = (0..20).try_for_each(|_| {
                ids.push(txn.insert_node("kind", "name", &[7; 3_000])?);
                Ok(())
            });
            let filled = filled.and_then(|()| txn.commit().map(|_| ()));
            match filled.and_then(|()| db.checkpoint()) {
                Ok(()) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(full, Error::Full { .. }), "{full:?}");
        assert!(ids.len() > 100);
        // Space for the changes themselves; what they free is used afterwards.
        *directory.most.lock().unwrap() = 0;
        for some in ids.chunks(50) {
            let mut txn = db.begin_write().unwrap();
            for id in some {
                txn.delete_node(*id).unwrap();
            }
            txn.commit().unwrap();
            db.checkpoint().unwrap();
        }
        assert_eq!(db.stats().unwrap().nodes, 0);
        assert_eq!(db.check().unwrap().findings, []);
        *directory.most.lock().unwrap() = 1 << 20;
    }
    let stats = db.stats().unwrap();
    assert!(stats.file_bytes < 4 << 20, "{stats:?}");
}

#[test]
fn an_open_that_fails_leaves_no_lock() {
    let directory = MemoryDirectory::new();
    let db = options(directory.clone()).create(NAME).unwrap();
    let mut model = Model::new(false);
    let mut txn = db.begin_write().unwrap();
    fill(&mut txn, &mut model, 20);
    txn.commit().unwrap();
    let (database, log) = (
        directory.contents(NAME).unwrap(),
        directory.contents("graph-log").unwrap(),
    );
    let left = MemoryDirectory::new();
    left.put(NAME, database);
    for _ in 0..3 {
        let missing = options(left.clone()).open(NAME);
        assert!(matches!(missing, Err(Error::Corrupt(_))));
    }
    left.put("graph-log", log);
    let db = options(left.clone()).open(NAME).unwrap();
    assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
}

#[test]
fn of_many_that_open_an_unclean_database_one_recovers_it() {
    for _ in 0..20 {
        let directory = MemoryDirectory::new();
        let db = options(directory.clone()).create(NAME).unwrap();
        let mut model = Model::new(false);
        let mut txn = db.begin_write().unwrap();
        fill(&mut txn, &mut model, 20);
        txn.commit().unwrap();
        let left = MemoryDirectory::new();
        for name in [NAME, "graph-log"] {
            left.put(name, directory.contents(name).unwrap());
        }
        let barrier = std::sync::Barrier::new(4);
        let opened: Vec<Option<Database>> = std::thread::scope(|scope| {
            let openers: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        match options(left.clone()).open(NAME) {
                            Ok(db) => Some(db),
                            Err(Error::Locked { .. }) => None,
                            Err(error) => panic!("{error}"),
                        }
                    })
                })
                .collect();
            openers
                .into_iter()
                .map(|opener| opener.join().unwrap())
                .collect()
        });
        let winners: Vec<&Database> = opened.iter().flatten().collect();
        assert_eq!(winners.len(), 1);
        assert!(dump(&winners[0].begin_read().unwrap(), false, true).unwrap() == model);
    }
}

#[test]
fn a_panic_inside_a_transaction_changes_nothing() {
    let directory = MemoryDirectory::new();
    let db = options(directory.clone()).create(NAME).unwrap();
    let mut model = Model::new(false);
    let mut pages = 0;
    for round in 0..12 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut txn = db.begin_write().unwrap();
            // Every other time more than fits in memory, so that pages are written.
            let mut lost = model.clone();
            fill(&mut txn, &mut lost, if round % 2 == 0 { 10 } else { 250 });
            panic!("in the middle of a transaction");
        }));
        assert!(panicked.is_err());
        assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
        let mut txn = db.begin_write().unwrap();
        fill(&mut txn, &mut model, 2);
        txn.commit().unwrap();
        db.checkpoint().unwrap();
        assert_eq!(db.check().unwrap().findings, []);
        if round == 3 {
            pages = db.stats().unwrap().pages;
        }
    }
    let after = db.stats().unwrap().pages;
    assert!(after <= pages + 60, "{pages} pages grew to {after}");
    db.close().unwrap();
    let db = options(directory).open(NAME).unwrap();
    assert!(dump(&db.begin_read().unwrap(), false, true).unwrap() == model);
}
