//! Small databases as bytes, and what is done with each after the fuzzer changed it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arbitrary::Unstructured;
use vellum::format::header::{Header, SLOT_LEN, SLOT_OFFSETS, decode_slot, first_data_page};
use vellum::format::log::{RecordKind, SegmentHeader};
use vellum::format::page::seal;
use vellum::storage::{Directory, MemoryDirectory, OpenMode};
use vellum::wal::{LogReader, LogStart};
use vellum::{BulkNode, CheckpointMode, Database, NodeId, NodeUpdate, PageRef, Result};

use crate::contents::Contents;
use crate::{edits, header, samples};

const NAME: &str = "image";
const LOG: &str = "image-log";

/// How far an image came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// It opened.
    pub opened: bool,
    /// Everything in it read without an error.
    pub read: bool,
    /// The full check found nothing wrong.
    pub sound: bool,
    /// A log was recovered, with this many records.
    pub recovered: u64,
    /// A transaction was written to it, and it closed and opened again.
    pub written: bool,
}

/// The two files of a database.
pub(crate) struct Image {
    pub(crate) database: Vec<u8>,
    pub(crate) log: Vec<u8>,
}

/// A valid database, and what it holds after each commit that a damaged copy may go back to.
pub(crate) struct Sample {
    image: Image,
    states: BTreeMap<u64, Contents>,
    header: Header,
    segment: Option<SegmentHeader>,
    /// Offset, length and kind of each record that opening replays.
    records: Vec<(usize, usize, RecordKind)>,
}

/// The databases to start from: one as a killed process leaves it, and one closed, of unique edges
/// and without a name index.
pub(crate) fn samples() -> &'static [Sample; 2] {
    static SAMPLES: OnceLock<[Sample; 2]> = OnceLock::new();
    SAMPLES.get_or_init(|| [Sample::build(true).unwrap(), Sample::build(false).unwrap()])
}

impl Sample {
    fn build(killed: bool) -> Result<Sample> {
        let directory = MemoryDirectory::new();
        let db = builder(&directory)
            .file_id(samples::FILE_ID)
            .name_index(killed)
            .unique_edges(!killed)
            .create(NAME)?;
        let mut states = BTreeMap::new();
        for round in 0..6 {
            fill(&db, round)?;
            let txn = db.begin_read()?;
            states.insert(txn.commit_number(), Contents::read(&txn, killed)?);
            if round < 2 {
                db.checkpoint()?;
            }
        }
        let copy = |name| directory.contents(name).unwrap_or_default();
        if killed {
            let (database, log) = (copy(NAME), copy(LOG));
            return Ok(Sample::of(Image { database, log }, states));
        }
        db.close()?;
        let (database, log) = (copy(NAME), Vec::new());
        Ok(Sample::of(Image { database, log }, states))
    }

    fn of(image: Image, states: BTreeMap<u64, Contents>) -> Sample {
        let header = newest(&image.database);
        let half = header.log_generation % 2 * u64::from(header.log_segment_bytes);
        let segment = image.log.get(half as usize..).unwrap_or_default();
        let segment = SegmentHeader::decode(segment).ok();
        let records = match header.log_generation {
            0 => Vec::new(),
            _ => list_records(&image.log, &header),
        };
        Sample {
            image,
            states,
            header,
            segment,
            records,
        }
    }

    /// Offset in both files, one after the other, of the newest header slot, of page `page`, and of
    /// record `record` of the log, for seeds.
    pub(crate) fn places(&self, page: u64, record: usize) -> [u32; 3] {
        let slot = SLOT_OFFSETS[(self.header.sequence % 2) as usize];
        let page = page * self.header.page_size as u64;
        let record = self.records.get(record).map_or(0, |record| record.0);
        [
            slot as u32,
            page as u32,
            (self.image.database.len() + record) as u32,
        ]
    }

    /// Pages of the database.
    pub(crate) fn pages(&self) -> u64 {
        self.header.page_count
    }

    /// The image with the changes that the input asks for, and where they are.
    pub(crate) fn damaged(&self, u: &mut Unstructured<'_>) -> (Image, Vec<usize>) {
        let mut bytes = [&self.image.database[..], &self.image.log].concat();
        let touched = edits::read(u).into_iter();
        let touched = touched.filter_map(|edit| edit.apply(&mut bytes)).collect();
        let log = bytes.split_off(self.image.database.len());
        let database = bytes;
        (Image { database, log }, touched)
    }

    /// Repairs the checksums of every slot, page and record that was touched.
    pub(crate) fn reseal(&self, image: &mut Image, touched: &[usize]) {
        let size = self.header.page_size;
        for at in touched {
            if let Some(slot) = SLOT_OFFSETS
                .into_iter()
                .find(|slot| (*slot as usize..*slot as usize + SLOT_LEN).contains(at))
            {
                header::reseal(&mut image.database[slot as usize..][..SLOT_LEN]);
            }
            let number = (at / size) as u64;
            let page = image
                .database
                .get_mut(at / size * size..at / size * size + size);
            if let Some(page) = page.filter(|_| number >= first_data_page(size)) {
                let birth = page
                    .get(BIRTH_AT..BIRTH_AT + 6)
                    .map(u48)
                    .unwrap_or_default();
                if let Some(at) = PageRef::new(number, birth) {
                    seal(page, at, &self.header.file_id);
                }
            }
        }
        if touched.iter().any(|at| *at >= image.database.len()) {
            self.reseal_log(&mut image.log);
        }
    }

    fn reseal_log(&self, log: &mut [u8]) {
        let Some(segment) = &self.segment else { return };
        let mut chain = self.header.log_chain;
        for (offset, len, kind) in &self.records {
            let record = &mut log[*offset..*offset + *len];
            chain = samples::reseal_record(record, segment, *kind, chain);
        }
    }

    /// An image that was damaged and not repaired answers right or not at all.
    pub(crate) fn assert_right(&self, txn_commit: u64, contents: &Contents) {
        let state = self
            .states
            .get(&txn_commit)
            .expect("a commit that was made");
        assert!(contents == state, "damage changed an answer");
    }

    pub(crate) fn has_names(&self) -> bool {
        self.header.name_index
    }
}

/// Where a page's birth stands.
const BIRTH_AT: usize = 8;

fn u48(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn newest(database: &[u8]) -> Header {
    let slots = SLOT_OFFSETS.into_iter().enumerate();
    let headers = slots.filter_map(|(slot, at)| decode_slot(&database[at as usize..], slot).ok());
    headers
        .max_by_key(|header| header.sequence)
        .expect("a valid slot")
}

fn list_records(log: &[u8], header: &Header) -> Vec<(usize, usize, RecordKind)> {
    let directory = MemoryDirectory::new();
    directory.put(LOG, log.to_vec());
    let file = directory.open(LOG, OpenMode::Read).expect("just put");
    let start = LogStart {
        generation: header.log_generation,
        position: header.log_position,
        chain: header.log_chain,
    };
    let mut reader = LogReader::open(file, header.file_id, header.log_segment_bytes, start)
        .expect("a valid log");
    let mut records = Vec::new();
    while let Some(record) = reader.next().expect("a valid log") {
        records.push((record.offset as usize, record.bytes as usize, record.kind));
    }
    records
}

fn builder(directory: &MemoryDirectory) -> vellum::Builder {
    Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .log_segment_bytes(1 << 16)
        .write_buffer_bytes(0)
        .cache_bytes(1 << 20)
        .checkpoint(CheckpointMode::Inline)
}

/// A few of everything, blobs, parallel edges, deleted and reserved ids among them. One round is a
/// bulk load, which leaves a root record in the log.
fn fill(db: &Database, round: u64) -> Result<()> {
    if round == 3 {
        let node = |i: u64| BulkNode {
            kind: "bulk".to_owned(),
            name: format!("bulk-{i}"),
            ..BulkNode::default()
        };
        db.bulk_load((0..5).map(|i| Ok(node(i))), [], |_| ())?;
        return Ok(());
    }
    let mut txn = db.begin_write()?;
    let mut ids = Vec::new();
    for i in 0..20u64 {
        let data = vec![i as u8; if i == 5 { 9_000 } else { 40 }];
        let (kind, name) = (format!("kind-{}", i % 3), format!("name-{round}-{i}"));
        ids.push(txn.insert_node(&kind, &name, &data)?);
    }
    for i in 0..60 {
        let (from, to) = (ids[i * i % 7], ids[i * 7 % 20]);
        let label = if i % 4 == 0 { "calls" } else { "links" };
        txn.insert_edge(
            from,
            label,
            to,
            &vec![i as u8; if i == 9 { 5_000 } else { i % 3 }],
        )?;
    }
    txn.delete_node(ids[15])?;
    txn.reserve_ids(3)?;
    txn.commit()?;
    Ok(())
}

/// Opens the image, asks it everything, checks it, writes to it and opens it again. `sample`: what
/// it was before it was damaged, unless the damage was made to pass for sound.
pub(crate) fn run(image: Image, sample: Option<&Sample>) -> Outcome {
    let directory = MemoryDirectory::new();
    directory.put(NAME, image.database);
    if !image.log.is_empty() {
        directory.put(LOG, image.log);
    }
    let mut outcome = look(&directory, sample);
    let written = write(&directory);
    if sample.is_some() && outcome.sound {
        written.as_ref().expect("a sound database takes writes");
    }
    outcome.written = written.is_ok();
    let after = look(&directory, None);
    if sample.is_some() && outcome.sound {
        assert!(
            after.read && after.sound,
            "writing damaged a sound database"
        );
    }
    outcome
}

/// Opens the image for reading only.
fn look(directory: &MemoryDirectory, sample: Option<&Sample>) -> Outcome {
    let mut outcome = Outcome::default();
    let Ok(db) = builder(directory).open_read_only(NAME) else {
        return outcome;
    };
    outcome.opened = true;
    outcome.recovered = db.recovery().map_or(0, |report| report.records);
    let Ok(txn) = db.begin_read() else {
        return outcome;
    };
    let named = sample.map_or(db.options().name_index, Sample::has_names);
    if let Ok(contents) = Contents::read(&txn, named) {
        outcome.read = true;
        if let Some(sample) = sample {
            sample.assert_right(txn.commit_number(), &contents);
        }
        let first = contents.first().unwrap_or(NodeId::MIN);
        // Errors are answers: what matters is that these end.
        let _ = txn.locate(first);
        let _ = txn.k_hop(first, 2, vellum::Direction::Out, None);
    }
    let _ = db.stats();
    outcome.sound = db.check().is_ok_and(|report| report.is_sound());
    outcome
}

/// Writes one transaction, merges it and closes.
fn write(directory: &MemoryDirectory) -> Result<()> {
    let db = builder(directory).open(NAME)?;
    let mut txn = db.begin_write()?;
    let node = txn.insert_node("kind-0", "written", &[7; 600])?;
    let old = NodeId::MIN;
    if txn.contains_node(old)? {
        txn.insert_edge(node, "links", old, b"new")?;
        txn.insert_edge_returning(old, "links", node, b"")?;
        txn.update_node(old, NodeUpdate::new().name("renamed").kind("kind-1"))?;
    }
    if let Some(other) = NodeId::new(4) {
        txn.delete_node(other)?;
    }
    txn.commit()?;
    db.checkpoint()?;
    db.close()
}
