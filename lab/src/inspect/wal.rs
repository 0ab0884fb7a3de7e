//! `wal`: the log's segments and records, and where they end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::{Value, json};
use vellum::format::changes::{Op, OpReader};
use vellum::format::log::{
    Record, RecordKind, SEGMENT_HEADER_LEN, SegmentHeader, decode_record, repair_one_bit,
};

use crate::failure::{Context, Failure};
use crate::units::grouped;

use super::View;
use super::log_path;
use vellum::inspect::PageFile;

/// Segment capacity where no header slot tells it.
const GUESSED_SEGMENT_BYTES: u64 = 16 << 20;

pub(super) fn view(path: &Path, file: &PageFile) -> Result<View, Failure> {
    let path = log_path(path);
    let Ok(mut log) = File::open(&path) else {
        let text = format!(
            "{}: no log; the database was closed cleanly or never written\n",
            path.display()
        );
        return Ok(View {
            text,
            json: json!({ "segments": [] }),
        });
    };
    let len = log.metadata().context(path.display())?.len();
    let capacity = file.newest().map_or(GUESSED_SEGMENT_BYTES, |header| {
        u64::from(header.log_segment_bytes)
    });
    let mut text = format!(
        "{}: {} bytes, segments of {}\n",
        path.display(),
        grouped(len),
        grouped(capacity)
    );
    let mut segments = Vec::new();
    for half in 0..2u64 {
        let mut bytes = Vec::new();
        log.seek(SeekFrom::Start(half * capacity))
            .context(path.display())?;
        log.by_ref()
            .take(capacity)
            .read_to_end(&mut bytes)
            .context(path.display())?;
        let (said, value) = segment(file, half, &bytes);
        text += &said;
        segments.push(value);
    }
    Ok(View {
        text,
        json: json!({ "log_bytes": len, "segments": segments }),
    })
}

fn segment(file: &PageFile, half: u64, bytes: &[u8]) -> (String, Value) {
    let header = match SegmentHeader::decode(bytes) {
        Ok(header) => header,
        Err(rule) => {
            let rule = if bytes.is_empty() {
                "not there".to_owned()
            } else {
                rule.to_string()
            };
            return (
                format!("\nhalf {half}: {rule}\n"),
                json!({ "half": half, "problem": rule }),
            );
        }
    };
    let owner = if header.file_id == file.file_id() {
        ""
    } else {
        ", of ANOTHER file"
    };
    let mut text = format!(
        "\nhalf {half}: generation {}, from position {}{owner}\n",
        header.generation, header.base
    );
    let mut records = Vec::new();
    let mut at = SEGMENT_HEADER_LEN;
    let mut position = header.base;
    let mut chain = header.checksum();
    let end = loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let record = match decode_record(rest, &header, position) {
            Ok(record) if record.header.chain == chain => record,
            Ok(_) => break "a record of another chain".to_owned(),
            Err(rule) => break tail(rest, &header, position, &rule.to_string()),
        };
        let (line, value) = describe(&record);
        text += &line;
        records.push(value);
        at += record.len;
        position = record.end();
        chain = record.checksum;
    };
    text += &format!(
        "  {} records; end at position {position} (offset {}): {end}\n",
        records.len(),
        at as u64
    );
    let json = json!({ "half": half, "generation": header.generation, "base": header.base, "records": records, "end": position, "tail": end });
    (text, json)
}

/// Why the records end here.
fn tail(rest: &[u8], header: &SegmentHeader, position: u64, rule: &str) -> String {
    let used = rest
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    if used == 0 {
        return "nothing but zeros follows".to_owned();
    }
    let repaired = if repair_one_bit(rest, header, position).is_some() {
        "; one flipped bit explains it"
    } else {
        ""
    };
    format!(
        "{rule}; {} bytes follow that are not zero{repaired}",
        grouped(used as u64)
    )
}

fn describe(record: &Record<'_>) -> (String, Value) {
    let header = &record.header;
    let what = match header.kind {
        RecordKind::Commit => operations(record.payload),
        RecordKind::Root => "a whole header".to_owned(),
    };
    let kind = match header.kind {
        RecordKind::Commit => "commit",
        RecordKind::Root => "root",
    };
    let line = format!(
        "  {:>12}  {kind} {:>8}  {:>8} bytes  {what}\n",
        header.position, header.commit, record.len
    );
    let json = json!({
        "position": header.position, "kind": kind, "commit": header.commit, "bytes": record.len,
        "durable_to": header.durable_to, "what": what,
    });
    (line, json)
}

/// How many operations of each sort a commit holds.
fn operations(payload: &[u8]) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for op in OpReader::new(payload) {
        let name = match op {
            Ok(Op::DefineKind { .. }) => "define kind",
            Ok(Op::DefineLabel { .. }) => "define label",
            Ok(Op::PutNode { .. }) => "put node",
            Ok(Op::DeleteNode { .. }) => "delete node",
            Ok(Op::PutEdge { .. }) => "put edge",
            Ok(Op::DeleteEdge { .. }) => "delete edge",
            Ok(Op::PutName { .. }) => "put name",
            Ok(Op::DropName { .. }) => "drop name",
            Ok(Op::PutKind { .. }) => "put kind",
            Ok(Op::DropKind { .. }) => "drop kind",
            Ok(Op::PutAbsent { .. }) => "put absent",
            Ok(Op::DropAbsent { .. }) => "drop absent",
            Ok(Op::Totals { .. }) => continue,
            Err(rule) => return format!("unreadable: {rule}"),
        };
        *counts.entry(name).or_default() += 1;
    }
    let said: Vec<String> = counts
        .into_iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    said.join(", ")
}
