//! Files made to mislead: every field of headers, pages and the log set to values that cannot be right, with
//! the checksum repaired. Whatever they say, the engine answers or refuses, and takes no memory for it
//! that the file does not justify.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::sync::Arc;

use vellum::format::checksum::crc;
use vellum::format::header::{self, SLOT_LEN, SLOT_OFFSETS};
use vellum::format::log::{self, SEGMENT_HEADER_LEN};
use vellum::format::page;
use vellum::inspect::PageFile;
use vellum::storage::MemoryDirectory;
use vellum::{Database, Direction, NodeId, PageRef, ReadTxn};

const NAME: &str = "graph";
const LOG: &str = "graph-log";
/// Items read of each sort: a file may well claim to hold 2^48.
const MOST: usize = 2_000;
/// What a process may take beyond what it had, in KiB; the whole image has a quarter of a megabyte.
const MEMORY_KIB: u64 = 64 << 10;

struct Image {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Image {
    fn new() -> Image {
        let directory = MemoryDirectory::new();
        let db = Database::builder()
            .in_directory(Arc::new(directory.clone()))
            .log_segment_bytes(1 << 16)
            .create(NAME)
            .unwrap();
        for round in 0..2u8 {
            let mut txn = db.begin_write().unwrap();
            let big = txn.insert_node("big", "big", &[round; 20_000]).unwrap();
            for number in 0..150 {
                let name = format!("{round} {number}");
                let node = txn.insert_node("small", &name, b"{}").unwrap();
                txn.insert_edge(big, "to", node, b"data").unwrap();
            }
            txn.delete_node(NodeId::new(7 + u64::from(round)).unwrap())
                .unwrap();
            txn.commit().unwrap();
            if round == 0 {
                db.checkpoint().unwrap();
            }
        }
        Image {
            database: directory.contents(NAME).unwrap(),
            log: directory.contents(LOG).unwrap(),
        }
    }

    /// Goes through everything that can be asked. Only its end is of interest.
    fn use_all(&self) {
        let directory = MemoryDirectory::new();
        directory.put(NAME, self.database.clone());
        directory.put(LOG, self.log.clone());
        let options = Database::builder().in_directory(Arc::new(directory));
        let Ok(db) = options.open(NAME) else { return };
        read(&db.begin_read().unwrap());
        let _ = db.check();
        let _ = db.stats();
        if let Ok(mut txn) = db.begin_write() {
            let _ = txn.insert_node("new", "new", b"");
            let _ = txn.delete_node(NodeId::MIN);
            let _ = txn.commit();
        }
        let _ = db.close();
    }
}

fn read(txn: &ReadTxn) {
    let mut ids = Vec::new();
    for node in txn.nodes().take(MOST).map_while(Result::ok) {
        ids.push(node.id());
        let _ = node.data();
    }
    ids.push(NodeId::MIN);
    for id in ids {
        for direction in [Direction::Out, Direction::In] {
            for edge in txn
                .edges(id, direction, None)
                .take(MOST)
                .map_while(Result::ok)
            {
                let _ = edge.data();
            }
            let _ = txn.degree(id, direction, Some("to"));
        }
    }
    txn.nodes_with_prefix("").take(MOST).for_each(drop);
    for kind in txn.kinds().unwrap_or_default() {
        txn.nodes_of_kind(&kind).take(MOST).for_each(drop);
    }
    let _ = txn.labels();
}

/// Values that a field of this size cannot have, or hardly.
fn values(stored: &[u8]) -> Vec<Vec<u8>> {
    let size = stored.len().min(8);
    let mut word = [0; 8];
    word[..size].copy_from_slice(&stored[..size]);
    let now = u64::from_le_bytes(word);
    let max = u64::MAX >> (64 - 8 * size);
    [
        0,
        1,
        now.wrapping_sub(1),
        now.wrapping_add(1),
        max / 2,
        max - 1,
        max,
    ]
    .into_iter()
    .map(|value| {
        let mut bytes = stored.to_vec();
        bytes[..size].copy_from_slice(&value.to_le_bytes()[..size]);
        bytes
    })
    .collect()
}

fn reseal_slot(slot: &mut [u8]) {
    let sum = crc(&[&slot[..SLOT_LEN - 8]]);
    slot[SLOT_LEN - 8..].copy_from_slice(&sum.to_le_bytes());
}

fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[track_caller]
fn within_memory(before: Option<u64>) {
    // Where the system does not tell, the sweep itself still shows that nothing panics or hangs.
    if let (Some(before), Some(after)) = (before, peak_kib()) {
        assert!(after - before < MEMORY_KIB, "{} KiB", after - before);
    }
}

#[test]
fn header_fields() {
    let image = Image::new();
    image.use_all();
    let before = peak_kib();
    let mut tried = 0;
    for (_, field, size) in header::FIELDS
        .iter()
        .filter(|(name, ..)| *name != "checksum")
    {
        for slot in SLOT_OFFSETS {
            let start = usize::try_from(slot).unwrap();
            // Roots and other long fields are taken apart, eight bytes at a time.
            for at in (*field..field + size).step_by(8) {
                let end = (at + 8).min(field + size);
                for value in values(&image.database[start + at..start + end]) {
                    let mut database = image.database.clone();
                    database[start + at..start + end].copy_from_slice(&value);
                    reseal_slot(&mut database[start..start + SLOT_LEN]);
                    let log = image.log.clone();
                    Image { database, log }.use_all();
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 900, "{tried}");
    within_memory(before);
}

#[test]
fn page_fields() {
    let image = Image::new();
    let directory = MemoryDirectory::new();
    directory.put(NAME, image.database.clone());
    let file = PageFile::open_in(&directory, NAME).unwrap();
    let before = peak_kib();
    let mut tried = 0;
    for found in file.pages(file.first_page()..file.page_count()) {
        let found = found.unwrap();
        let Ok(sound) = &found.page else { continue };
        let at = PageRef::new(found.number, found.birth).unwrap();
        let fields = page::FIELDS
            .iter()
            .map(|(_, offset, size)| (*offset, *size));
        let words = (page::HEADER_LEN..96).step_by(2).map(|offset| (offset, 2));
        for (offset, size) in fields.chain(words) {
            for value in values(&sound.bytes()[offset..offset + size]) {
                let mut bytes = found.bytes.clone();
                bytes[offset..offset + size].copy_from_slice(&value);
                page::seal(&mut bytes, at, &file.file_id());
                let mut database = image.database.clone();
                let start = usize::try_from(file.offset(found.number)).unwrap();
                database[start..start + bytes.len()].copy_from_slice(&bytes);
                let log = image.log.clone();
                if tried % 5 == 0 {
                    Image { database, log }.use_all();
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 3_000, "{tried}");
    within_memory(before);
}

#[test]
fn log_fields() {
    let image = Image::new();
    let segment = image.log.windows(8).position(|bytes| bytes == log::MAGIC);
    let segment = segment.unwrap();
    let record = segment + SEGMENT_HEADER_LEN;
    let before = peak_kib();
    let mut tried = 0;
    for (name, offset, size) in log::SEGMENT_FIELDS {
        for value in values(&image.log[segment + offset..segment + offset + size]) {
            let mut log = image.log.clone();
            log[segment + offset..segment + offset + size].copy_from_slice(&value);
            if *name != "checksum" {
                let sum = crc(&[&log[segment..record - 8]]);
                log[record - 8..record].copy_from_slice(&sum.to_le_bytes());
            }
            let database = image.database.clone();
            Image { database, log }.use_all();
            tried += 1;
        }
    }
    let salt = &image.log[segment + 40..segment + 48];
    let generation = &image.log[segment + 32..segment + 40];
    let word = |at: usize| u32::from_le_bytes(image.log[at..at + 4].try_into().unwrap());
    let end = record + word(record) as usize;
    let words = (40..end - record - 8).step_by(4).map(|offset| (offset, 4));
    let fields = log::RECORD_FIELDS
        .iter()
        .map(|(_, offset, size)| (*offset, *size));
    for (offset, size) in fields.chain(words.take(200)) {
        for value in values(&image.log[record + offset..record + offset + size]) {
            let mut log = image.log.clone();
            log[record + offset..record + offset + size].copy_from_slice(&value);
            let sum = crc(&[salt, generation, &log[record..end - 8]]);
            log[end - 8..end].copy_from_slice(&sum.to_le_bytes());
            let database = image.database.clone();
            Image { database, log }.use_all();
            tried += 1;
        }
    }
    assert!(tried > 1_000, "{tried}");
    within_memory(before);
}

/// A run of absent ids that is a little longer or shorter than the ids that no node has changes which nodes
/// there are. No page contradicts itself, so the check holds the runs against the nodes.
#[test]
fn absent_runs_that_do_not_fit_the_nodes_are_found() {
    let directory = MemoryDirectory::new();
    let options = Database::builder().in_directory(Arc::new(directory.clone()));
    let db = options.create(NAME).unwrap();
    let mut txn = db.begin_write().unwrap();
    for number in 0..40 {
        let id = txn.reserve_ids(300).unwrap().end;
        let id = NodeId::new(id).unwrap();
        txn.insert_node_with_id(id, "kind", &format!("{number}"), b"")
            .unwrap();
    }
    txn.commit().unwrap();
    db.close().unwrap();
    let sound = directory.contents(NAME).unwrap();
    let file = PageFile::open_in(&directory, NAME).unwrap();
    let root = file.newest().unwrap().roots[6].page.unwrap();
    let leaf = file.at(root).unwrap().page.unwrap();
    let view = leaf.sorted().unwrap();
    let mut tried = 0;
    for cell in (0..view.len()).filter(|cell| !view.is_absent(*cell)) {
        // One id more, one less; reserved or not makes no difference to what exists.
        for step in [2, 254] {
            let mut bytes = leaf.bytes().to_vec();
            let value = view.value_range(cell);
            let low = bytes[value.start] & 0x7f;
            if !(2..0x7e).contains(&low) {
                continue;
            }
            bytes[value.start] = bytes[value.start].wrapping_add(step);
            page::seal(&mut bytes, root, &file.file_id());
            let mut database = sound.clone();
            let start = usize::try_from(file.offset(root.page())).unwrap();
            database[start..start + bytes.len()].copy_from_slice(&bytes);
            let damaged = MemoryDirectory::new();
            damaged.put(NAME, database);
            let options = Database::builder().in_directory(Arc::new(damaged));
            let db = options.open_read_only(NAME).unwrap();
            let found = db.check().unwrap().findings;
            assert!(!found.is_empty(), "cell {cell}, step {step}");
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

/// A number that leads to a name which does not lead back contradicts nothing on any page, so the check holds both halves
/// of the dictionary against each other.
#[test]
fn a_dictionary_whose_halves_differ_is_found() {
    let image = Image::new();
    let directory = MemoryDirectory::new();
    directory.put(NAME, image.database.clone());
    let file = PageFile::open_in(&directory, NAME).unwrap();
    let root = file.newest().unwrap().roots[5].page.unwrap();
    let leaf = file.at(root).unwrap().page.unwrap();
    let view = leaf.sorted().unwrap();
    let mut tried = 0;
    for cell in (0..view.len()).filter(|cell| !view.is_absent(*cell)) {
        let mut bytes = leaf.bytes().to_vec();
        // The last byte of a name, or of a number.
        bytes[view.value_range(cell).end - 1] ^= 1;
        page::seal(&mut bytes, root, &file.file_id());
        let mut database = image.database.clone();
        let start = usize::try_from(file.offset(root.page())).unwrap();
        database[start..start + bytes.len()].copy_from_slice(&bytes);
        let damaged = MemoryDirectory::new();
        damaged.put(NAME, database);
        damaged.put(LOG, image.log.clone());
        let options = Database::builder().in_directory(Arc::new(damaged));
        let report = options.open_read_only(NAME).unwrap().check().unwrap();
        assert!(!report.is_sound(), "cell {cell}");
        tried += 1;
    }
    assert!(tried >= 4, "{tried}");
}

/// A position that is another record's, or none's, must not make the rest of the log pass for an unfinished write.
#[test]
fn a_log_position_where_no_record_ends_is_refused() {
    let image = Image::new();
    let directory = MemoryDirectory::new();
    directory.put(NAME, image.database.clone());
    let file = PageFile::open_in(&directory, NAME).unwrap();
    let newest = file.newest().unwrap();
    let slot = usize::try_from(SLOT_OFFSETS[(newest.sequence % 2) as usize]).unwrap();
    for step in [8, 16, 80, 4096] {
        let mut header = newest.clone();
        header.log_position += step;
        let mut database = image.database.clone();
        database[slot..slot + SLOT_LEN].copy_from_slice(&header.encode());
        let damaged = MemoryDirectory::new();
        damaged.put(NAME, database);
        damaged.put(LOG, image.log.clone());
        let options = Database::builder().in_directory(Arc::new(damaged));
        let Err(error) = options.open_read_only(NAME) else {
            panic!("{step} bytes further on, the log seems to end");
        };
        assert!(error.to_string().contains("no record ends"), "{error}");
    }
}
