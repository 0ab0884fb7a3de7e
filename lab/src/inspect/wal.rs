//! `wal`: the log's segments and records, where they end, and whether that is a tear or damage.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vellum::format::changes::{Op, OpReader};
use vellum::format::header::Header;
use vellum::format::log::{RecordKind, SEGMENT_HEADER_LEN, SegmentHeader};

use crate::units::{counted, grouped};

use super::log::{Chain, Found, Half, Log, Stop, whole_records};
use super::paint::{Ink, Paint};
use super::source::Source;
use super::{Look, View};

/// Records listed of each segment; the JSON form has them all, and so has --verbose.
const LISTED: usize = 40;

pub(super) fn view(source: &Source, look: Look) -> View {
    let Some(log) = source.log() else {
        let text = format!("{}-log: no log; {}\n", source.name, absence(source));
        return View {
            text,
            json: json!({ "segments": [] }),
        };
    };
    let mut text = format!(
        "{}: {} bytes, segments of {}\n",
        look.paint.strong(&format!("{}-log", source.name)),
        grouped(log.halves.iter().map(|half| half.bytes.len() as u64).sum()),
        grouped(log.capacity)
    );
    text += &needed(source, &log, look.paint);
    let mut segments = Vec::new();
    for (number, half) in log.halves.iter().enumerate() {
        let (said, value) = segment(source, &log, number, half, look);
        text += &said;
        segments.push(value);
    }
    View {
        text,
        json: json!({ "log_bytes": source.log.as_ref().map(Vec::len), "segments": segments }),
    }
}

/// What the header says of a log that is not there.
fn absence(source: &Source) -> &'static str {
    match source.pages.newest() {
        Some(slot) if slot.log_generation == 0 => {
            "the database was closed cleanly or never written"
        }
        Some(_) => "the header names one, so it is missing: find it before you open the database",
        None => "no usable header slot says whether there should be one",
    }
}

/// What the newest header asks of the log, and whether the log can give it.
fn needed(source: &Source, log: &Log<'_>, paint: Paint) -> String {
    let Some(slot) = source.pages.newest() else {
        return paint.ink(
            Ink::Notice,
            "no usable header slot says which records count\n",
        );
    };
    if slot.log_generation == 0 {
        return "the header names no log: nothing here counts\n".to_owned();
    }
    let read = log.read_from(slot.log_generation, slot.log_position, slot.log_chain);
    let mut out = format!(
        "recovery reads generation {} from position {}: ",
        slot.log_generation, slot.log_position
    );
    out += &match &read.stop {
        Stop::Absent(why) => paint.ink(Ink::Bad, why),
        _ => format!("{} records", grouped(read.records.len() as u64)),
    };
    out + "\n"
}

fn segment(
    source: &Source,
    log: &Log<'_>,
    number: usize,
    half: &Half<'_>,
    look: Look,
) -> (String, Value) {
    let paint = look.paint;
    let header = match half.header {
        Ok(header) => header,
        Err(rule) => {
            let rule = if half.bytes.is_empty() {
                "not there".to_owned()
            } else {
                rule.to_string()
            };
            let text = format!("\nhalf {number}: {rule}\n");
            return (text, json!({ "half": number, "problem": rule }));
        }
    };
    let ours = source.pages.has_identity(&header.file_id);
    let chain = log.segment_records(half, &header);
    let (said, tail) = end(&chain, &header, paint);
    let behind = match chain.stop {
        Stop::Damaged(_) => whole_records(half, &header, chain.position),
        _ => Vec::new(),
    };
    let mut text = title(number, half, &header, ours, paint);
    text += &records(&chain.records, look);
    text += &said;
    if !behind.is_empty() {
        text += &format!(
            "  {} behind it:\n",
            counted(behind.len() as u64, "whole record", "whole records")
        );
        text += &records(&behind, look);
    }
    let json = json!({
        "half": number, "generation": header.generation, "base": header.base, "flipped_bit": half.repaired,
        "previous_chain": header.previous_chain, "ours": ours,
        "records": chain.records.iter().map(record_json).collect::<Vec<Value>>(), "end": tail,
        "behind": behind.iter().map(record_json).collect::<Vec<Value>>(),
    });
    (text, json)
}

/// Which segment stands here, whose it is, and what was mended in its header.
fn title(
    number: usize,
    half: &Half<'_>,
    header: &SegmentHeader,
    ours: bool,
    paint: Paint,
) -> String {
    let owner = if ours {
        String::new()
    } else {
        paint.ink(Ink::Bad, ", of another file")
    };
    let title = format!("half {number}: generation {}", header.generation);
    let mut text = format!(
        "\n{}, from position {}{owner}\n",
        paint.strong(&title),
        header.base
    );
    if let Some(bit) = half.repaired {
        let said = format!(
            "  bit {} of byte {} of the segment's header is flipped",
            bit % 8,
            bit / 8
        );
        text += &format!("{}\n", paint.ink(Ink::Notice, &said));
    }
    text
}

/// A table of records; of many the first and the last.
fn records(records: &[Found<'_>], look: Look) -> String {
    if records.is_empty() {
        return String::new();
    }
    let head = "      position   in file  record    commit     bytes   durable to  operations";
    let mut text = format!("{}\n", look.paint.faint(head));
    let listed = look.listed(records.len(), LISTED);
    let skipped = records.len() - listed;
    for record in records.iter().take(listed / 2) {
        text += &line(record, look.paint);
    }
    if skipped > 0 {
        text += &format!(
            "  … {} more; --verbose lists them\n",
            grouped(skipped as u64)
        );
    }
    for record in records.iter().skip(listed / 2 + skipped) {
        text += &line(record, look.paint);
    }
    text
}

fn end(chain: &Chain<'_>, header: &SegmentHeader, paint: Paint) -> (String, Value) {
    let at = format!(
        "{} records; they end at position {}, offset {} in the file",
        grouped(chain.records.len() as u64),
        chain.position,
        chain.offset
    );
    let (kind, said) = match &chain.stop {
        Stop::Clean if chain.rule == "record length is wrong" => {
            ("clean", "nothing was begun after them".to_owned())
        }
        Stop::Clean => (
            "clean",
            format!("nothing of this segment follows ({})", chain.rule),
        ),
        Stop::Torn(bytes) => (
            "torn",
            format!("a torn tail of {} bytes: {}", grouped(*bytes), chain.rule),
        ),
        Stop::Damaged(why) => ("damaged", format!("damaged: {}; {why}", chain.rule)),
        Stop::Absent(why) => ("absent", why.clone()),
    };
    let ink = match kind {
        "clean" => Ink::Good,
        "torn" => Ink::Notice,
        _ => Ink::Bad,
    };
    let first_bad = (kind != "clean").then_some(chain.offset);
    let empty = chain.offset == SEGMENT_HEADER_LEN as u64 && chain.records.is_empty();
    debug_assert!(
        !empty || chain.position == header.base,
        "an empty segment ends where it begins"
    );
    let json = json!({
        "position": chain.position, "offset": chain.offset, "kind": kind, "rule": chain.rule,
        "first_bad_byte": first_bad, "why": said,
    });
    let bad = first_bad.map_or(String::new(), |at| format!("; the first bad byte is {at}"));
    (format!("  {at}: {}{bad}\n", paint.ink(ink, &said)), json)
}

fn line(record: &Found<'_>, paint: Paint) -> String {
    let header = &record.header;
    let repaired = record.repaired.map_or(String::new(), |bit| {
        paint.ink(
            Ink::Notice,
            &format!("  bit {} of byte {} is flipped", bit % 8, bit / 8),
        )
    });
    format!(
        "  {:>12} {:>9}  {:<6} {:>9} {:>9} {:>12}  {}{repaired}\n",
        header.position,
        record.offset,
        kind(record),
        header.commit,
        record.len,
        header.durable_to,
        what(record)
    )
}

fn record_json(record: &Found<'_>) -> Value {
    json!({
        "position": record.header.position, "offset": record.offset, "kind": kind(record),
        "commit": record.header.commit, "bytes": record.len, "durable_to": record.header.durable_to,
        "what": what(record), "flipped_bit": record.repaired,
    })
}

fn kind(record: &Found<'_>) -> &'static str {
    match record.header.kind {
        RecordKind::Commit => "commit",
        RecordKind::Root => "root",
    }
}

fn what(record: &Found<'_>) -> String {
    let Some(root) = record.root() else {
        return operations(&record.payload);
    };
    match Header::decode(root) {
        Ok(header) => format!(
            "state {}: {} nodes, {} edges",
            header.sequence,
            grouped(header.node_count),
            grouped(header.edge_count)
        ),
        Err(problem) => problem.to_string(),
    }
}

/// How many operations of each sort a commit holds.
fn operations(payload: &[u8]) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for op in OpReader::new(payload) {
        let name = match op {
            Ok(Op::Totals { .. }) => continue,
            Ok(op) => name(&op),
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

fn name(op: &Op<'_>) -> &'static str {
    match op {
        Op::DefineKind { .. } => "define kind",
        Op::DefineLabel { .. } => "define label",
        Op::PutNode { .. } => "put node",
        Op::DeleteNode { .. } => "delete node",
        Op::PutEdge { .. } => "put edge",
        Op::DeleteEdge { .. } => "delete edge",
        Op::PutName { .. } => "put name",
        Op::DropName { .. } => "drop name",
        Op::PutKind { .. } => "put kind",
        Op::DropKind { .. } => "drop kind",
        Op::PutAbsent { .. } => "put absent",
        Op::DropAbsent { .. } => "drop absent",
        Op::Totals { .. } => "totals",
    }
}
