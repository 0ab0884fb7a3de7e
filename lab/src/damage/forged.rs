//! Damage behind checksums that were made to fit, which nothing contradicts: is it, byte for byte, what the engine
//! writes for other contents? Then it *is* a database of those contents, and nobody can tell the two apart.

use std::sync::Arc;

use vellum::format::FileId;
use vellum::format::changes::{Op, OpReader, OpWriter};
use vellum::format::header::Header;
use vellum::format::limits::max_inline;
use vellum::format::log::{
    RecordHeader, RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, decode_record, encode_record,
};
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::{Page, seal};
use vellum::format::sorted::SortedBuilder;
use vellum::storage::{Directory, MemoryDirectory, OpenMode, Storage};
use vellum::wal::{LogReader, LogStart, Record};
use vellum::{KeySpace, PageRef, Result};

/// Whether two versions of a page are leaves of nodes that differ in the data of a single node, and the new one is what
/// the engine writes for that data. A node's data stands in its cell and nowhere else, not even its length.
pub(super) fn is_other_data(before: &[u8], after: &[u8], number: u64, file_id: &FileId) -> bool {
    differing(before, after, number, file_id).is_some_and(|nodes| nodes == 1)
}

/// How many nodes have other data; `None` if anything else differs, or the engine would write the page otherwise.
fn differing(before: &[u8], after: &[u8], number: u64, file_id: &FileId) -> Option<usize> {
    let before = leaf_of_nodes(before, number, file_id)?;
    let after = leaf_of_nodes(after, number, file_id)?;
    let (old, new) = (before.sorted()?, after.sorted()?);
    if old.len() != new.len() {
        return None;
    }
    let size = after.bytes().len();
    let mut builder = SortedBuilder::new(size, KeySpace::Nodes, 0);
    let (mut key, mut old_key) = (Vec::new(), Vec::new());
    let mut nodes = 0;
    for cell in 0..new.len() {
        if old.is_absent(cell) != new.is_absent(cell) {
            return None;
        }
        if new.is_absent(cell) {
            continue;
        }
        old.key(cell, &mut old_key);
        new.key(cell, &mut key);
        let was = NodeCell::decode(old.value(cell)).ok()?;
        let node = NodeCell::decode(new.value(cell)).ok()?;
        if key != old_key || node.kind != was.kind || node.name != was.name {
            return None;
        }
        if node.data != was.data {
            nodes += 1;
            match node.data {
                Data::Inline(data) if data.len() <= max_inline(size) => {}
                _ => return None,
            }
        }
        let mut encoded = Vec::new();
        node.encode(&mut encoded);
        if !builder.push(&key, &encoded) {
            return None;
        }
    }
    let mut again = builder.finish();
    seal(&mut again, after.at(), file_id);
    (*again == *after.bytes()).then_some(nodes)
}

fn leaf_of_nodes(bytes: &[u8], number: u64, file_id: &FileId) -> Option<Page> {
    let birth = bytes.get(8..14)?.iter().rev();
    let birth = birth.fold(0, |birth, byte| birth << 8 | u64::from(*byte));
    let page = Page::verify(bytes.into(), PageRef::new(number, birth)?, file_id).ok()?;
    (page.space() == Some(KeySpace::Nodes) && page.level() == 0).then_some(page)
}

/// The records of a log from where the header says that replay starts.
///
/// # Errors
/// If it is not the log that the header names.
pub(super) fn reader(log: &Arc<dyn Storage>, header: &Header) -> Result<LogReader> {
    let start = LogStart {
        generation: header.log_generation,
        position: header.log_position,
        chain: header.log_chain,
    };
    LogReader::open(
        Arc::clone(log),
        header.file_id,
        header.log_segment_bytes,
        start,
    )
}

fn in_memory(log: &[u8], header: &Header) -> Option<LogReader> {
    let files = MemoryDirectory::new();
    files.put("log", log.to_vec());
    let file = files.open("log", OpenMode::Read).ok()?;
    reader(&file, header).ok()
}

/// Whether a record that stands whole behind the log's end says that the log was durable beyond it. `written`: where
/// records stood before the damage.
pub(super) fn ends_too_early(log: &[u8], header: &Header, written: &[(usize, usize)]) -> bool {
    let Some(mut reader) = in_memory(log, header) else {
        return true;
    };
    while let Ok(Some(_)) = reader.next() {}
    let end = reader.tail().end;
    written.iter().any(|(offset, _)| {
        let found = whole(log, header.log_segment_bytes as usize, *offset);
        found.is_some_and(|found| found.position >= end && found.durable_to > end)
    })
}

/// The record that stands there, if one does.
fn whole(log: &[u8], segment_bytes: usize, offset: usize) -> Option<RecordHeader> {
    let begin = offset - offset % segment_bytes;
    let segment = SegmentHeader::decode(log.get(begin..)?).ok()?;
    let within = (offset - begin).checked_sub(SEGMENT_HEADER_LEN)?;
    let position = segment.base.checked_add(within as u64)?;
    let found = decode_record(log.get(offset..)?, &segment, position).ok()?;
    Some(found.header)
}

/// Whether each record that recovery takes from the log is what the engine writes for the operations in it.
pub(super) fn is_other_commits(log: &[u8], header: &Header) -> bool {
    let Some(mut reader) = in_memory(log, header) else {
        return false;
    };
    let mut records = 0;
    while let Ok(Some(record)) = reader.next() {
        if rewritten(log, header.log_segment_bytes as usize, &record).is_none() {
            return false;
        }
        records += 1;
    }
    records > 0 && !reader.tail().repaired
}

/// `None` if the engine would write the record otherwise.
fn rewritten(log: &[u8], segment_bytes: usize, record: &Record) -> Option<()> {
    let offset = record.offset as usize;
    let begin = offset - offset % segment_bytes;
    let segment = SegmentHeader::decode(log.get(begin..)?).ok()?;
    let bytes = log.get(offset..offset + record.bytes as usize)?;
    let found = decode_record(bytes, &segment, record.end - record.bytes).ok()?;
    let mut again = Vec::new();
    encode_record(&mut again, &segment, &found.header, found.payload);
    let payload = match record.kind {
        RecordKind::Commit => operations(found.payload)?,
        RecordKind::Root => Header::decode(found.payload).ok()?.encode().to_vec(),
    };
    (again == bytes && payload == found.payload).then_some(())
}

/// The operations of a payload, written again.
fn operations(payload: &[u8]) -> Option<Vec<u8>> {
    let operations: Vec<Op<'_>> = OpReader::new(payload)
        .collect::<std::result::Result<_, _>>()
        .ok()?;
    let mut again = Vec::new();
    let mut writer = OpWriter::new();
    for operation in &operations {
        writer.put(&mut again, operation);
    }
    Some(again)
}
