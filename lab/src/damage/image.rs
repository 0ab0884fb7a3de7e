//! The databases that are damaged: small, with every kind of page, and with a log that counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use vellum::inspect::PageFile;
use vellum::storage::OpenMode;
use vellum::storage::sim::{Change, Event, SimDirectory};
use vellum::storage::{Directory, MemoryDirectory};
use vellum::{Builder, CheckpointMode, Database, Error, NodeId, Result, WriteTxn};

use super::fields::Fields;
use super::forged;

use crate::content::content;
use crate::random::Random;

/// The database's name in its directory.
pub(super) const NAME: &str = "graph";
/// Its log's.
pub(super) const LOG: &str = "graph-log";

/// A database as a killed process leaves it.
pub(super) struct Image {
    pub(super) page_size: usize,
    pub(super) database: Vec<u8>,
    pub(super) log: Vec<u8>,
    /// Every earlier content of each page, oldest first.
    pub(super) older: BTreeMap<u64, Vec<Arc<[u8]>>>,
    /// Everything that it answers.
    pub(super) content: String,
    /// What it answers after each commit that the log holds, oldest first.
    pub(super) states: Vec<String>,
    pub(super) facts: Facts,
    /// Every length and count in both files.
    pub(super) fields: Fields,
}

/// What an image really holds, so that none passes for want of something to damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) lowest_tree: u8,
    pub(crate) page_kinds: usize,
    pub(crate) free_pages: u64,
    pub(crate) log_records: usize,
    pub(crate) pages: u64,
    pub(crate) database_bytes: u64,
    pub(crate) log_bytes: u64,
    pub(crate) fields: usize,
}

pub(super) fn builder(directory: Arc<dyn Directory>) -> Builder {
    Database::builder()
        .in_directory(directory)
        .file_id(*b"damaged on purpo")
        .checkpoint(CheckpointMode::Inline)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(1 << 20)
        .cache_bytes(1 << 20)
}

impl Image {
    /// A graph of this seed. The same seed gives the same bytes.
    pub(super) fn new(seed: u64, page_size: usize) -> Result<Image> {
        let directory = SimDirectory::new();
        let options = builder(Arc::new(directory.clone())).page_size(page_size);
        let db = options.create(NAME)?;
        let mut random = Random::new(seed, 6);
        let scale = page_size / 4096;
        for round in 0..4 {
            let mut txn = db.begin_write()?;
            fill(&mut txn, &mut random, round, 260 * scale)?;
            txn.commit()?;
            db.checkpoint()?;
        }
        let mut states = vec![content(&db.begin_read()?)?];
        for round in 4..8 {
            let mut txn = db.begin_write()?;
            fill(&mut txn, &mut random, round, 6)?;
            txn.commit()?;
            states.push(content(&db.begin_read()?)?);
        }
        let (disk, events) = (directory.disk(), directory.events());
        let lowest_tree = db.stats()?.trees.iter().map(|tree| tree.height).min();
        let log_records = states.len() - 1;
        drop(db);
        let bytes = |name| {
            disk.named(name)
                .map(|image| image.to_vec())
                .unwrap_or_default()
        };
        let database = bytes(NAME);
        let memory = MemoryDirectory::new();
        memory.put(NAME, database.clone());
        let file = PageFile::open_in(&memory, NAME)?;
        let mut kinds: Vec<u8> = file
            .pages(file.first_page()..file.page_count())
            .filter_map(|found| Some(found.ok()?.page.ok()?.kind() as u8))
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        let log = bytes(LOG);
        memory.put(LOG, log.clone());
        let mut facts = Facts {
            lowest_tree: lowest_tree.unwrap_or(0),
            page_kinds: kinds.len(),
            free_pages: file.newest().map_or(0, |header| header.free_pages),
            log_records,
            pages: (database.len() / page_size) as u64,
            database_bytes: database.len() as u64,
            log_bytes: log.len() as u64,
            fields: 0,
        };
        let mut image = Image {
            page_size,
            older: older(&events, &database, page_size),
            database,
            log,
            content: states.last().cloned().unwrap_or_default(),
            states,
            facts,
            fields: Fields::default(),
        };
        image.fields = Fields::of(&image, &file, &records(&memory, &file)?)?;
        facts.fields = image.fields.database.len() + image.fields.log.len();
        image.facts = facts;
        Ok(image)
    }

    /// Both files, in memory.
    pub(super) fn directory(&self) -> MemoryDirectory {
        let directory = MemoryDirectory::new();
        directory.put(NAME, self.database.clone());
        directory.put(LOG, self.log.clone());
        directory
    }

    pub(super) fn pages(&self) -> u64 {
        (self.database.len() / self.page_size) as u64
    }
}

/// Offset and length of each record of the log that recovery takes.
fn records(files: &MemoryDirectory, file: &PageFile) -> Result<Vec<(usize, usize)>> {
    let Some(header) = file.newest() else {
        return Ok(Vec::new());
    };
    let log = files.open(LOG, OpenMode::Read);
    let log = log.map_err(|error| Error::Usage(error.to_string()))?;
    let mut reader = forged::reader(&log, header)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next()? {
        records.push((record.offset as usize, record.bytes as usize));
    }
    Ok(records)
}

/// Nodes far apart, so that absent ids fill pages too; long kinds and labels; edges; a blob; deletions.
fn fill(txn: &mut WriteTxn, random: &mut Random, round: u64, nodes: usize) -> Result<()> {
    let mut ids: Vec<NodeId> = Vec::new();
    for number in 0..nodes {
        let gap = 2 + u64::from(random.below(1 << 28));
        let id = txn.reserve_ids(gap)?.end;
        let Some(id) = NodeId::new(id) else { continue };
        let kind = format!("{:0180}", random.below(30));
        let name = format!("name {round} {number} {}", random.next_u32());
        let data = vec![number as u8; if number == 5 { 9_000 } else { 40 }];
        txn.insert_node_with_id(id, &kind, &name, &data)?;
        ids.push(id);
    }
    let Some(first) = ids.first().copied() else {
        return Ok(());
    };
    for (number, id) in ids.iter().enumerate() {
        let label = format!("{:0180}", random.below(20));
        let other = ids.get(random.below(ids.len() as u32) as usize);
        txn.insert_edge(*id, &label, *other.unwrap_or(&first), &[number as u8; 20])?;
        txn.insert_edge(first, "spoke", *id, b"0123456789")?;
    }
    for id in ids.iter().skip(3).step_by(9) {
        txn.delete_node(*id)?;
    }
    Ok(())
}

/// What each page held before, from everything that was written.
fn older(events: &[Event], database: &[u8], page_size: usize) -> BTreeMap<u64, Vec<Arc<[u8]>>> {
    let mut older: BTreeMap<u64, Vec<Arc<[u8]>>> = BTreeMap::new();
    for event in events {
        let Event::Change(Change::Write {
            file: 0,
            offset,
            data,
        }) = event
        else {
            continue;
        };
        if *offset < 8192 || !offset.is_multiple_of(page_size as u64) {
            continue;
        }
        for (index, page) in data.chunks_exact(page_size).enumerate() {
            let number = offset / page_size as u64 + index as u64;
            older.entry(number).or_default().push(page.into());
        }
    }
    for (number, versions) in &mut older {
        let start = *number as usize * page_size;
        let now = database.get(start..start + page_size);
        versions.retain(|version| Some(&**version) != now);
    }
    older
}
