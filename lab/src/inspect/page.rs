//! `page N`: one page in full, with the place of every field.

use serde_json::{Value, json};
use vellum::KeySpace;
use vellum::format::Reader;
use vellum::format::edges::EdgeBlock;
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::{FIELDS, Page, PageKind};
use vellum::format::sorted::SortedPage;
use vellum::inspect::FoundPage;

use crate::failure::Failure;

use super::paint::{Ink, Paint};
use super::source::Source;
use super::survey::Found;
use super::{Look, View, hex};

/// Entries written out; the JSON form has them all, and so has --verbose.
const LISTED: usize = 64;

pub(super) fn view(source: &Source, number: u64, look: Look) -> Result<View, Failure> {
    let file = &source.pages;
    let found = file.page(number)?;
    let start = file.offset(number);
    let mut text = format!(
        "{} at offset {start} (0x{start:x}), {} bytes\n",
        look.paint.strong(&format!("page {number}")),
        file.page_size()
    );
    // A page that can be mended is shown as it was; the bytes below are those that are there.
    let mended = if found.page.is_err() {
        file.mend(number)?
    } else {
        None
    };
    let problem = found.page.as_ref().err().map(|rule| match &mended {
        Some(mended) => Found::Mendable(mended.how, mended.page.at().page()).said(),
        None => format!("not a valid page: {rule}"),
    });
    let page = found
        .page
        .as_ref()
        .ok()
        .or_else(|| mended.as_ref().map(|mended| &mended.page));
    text += &verdict(page, problem.as_deref(), look.paint);
    text += &fields(&found, look.paint);
    let entries = page.map(|page| entries(page, look)).unwrap_or_default();
    if !entries.is_empty() {
        text += &format!("\n{}\n", look.paint.strong("entries"));
    }
    let listed = look.listed(entries.len(), LISTED);
    for (place, entry) in entries.iter().take(listed).enumerate() {
        text += &format!("{place:>6}  {entry}\n");
    }
    if entries.len() > listed {
        text += &format!(
            "        … and {} more; --verbose lists them\n",
            entries.len() - listed
        );
    }
    text += &format!("\n{}", hex::dump(&found.bytes, page, start, look));
    let json = json!({
        "page": number, "offset": start, "birth": found.birth, "problem": problem,
        "kind": page.map(|page| page.kind().name()), "space": page.and_then(Page::space).map(KeySpace::name),
        "level": page.map(Page::level), "fields": field_values(&found), "parts": part_values(&found, page),
        "entries": entries,
    });
    Ok(View { text, json })
}

fn verdict(page: Option<&Page>, problem: Option<&str>, paint: Paint) -> String {
    let mut out = String::new();
    if let Some(page) = page {
        let place = match (page.space(), page.level()) {
            (Some(space), 0) => format!(", leaf of {space}"),
            (Some(space), level) => format!(", branch at level {level} of {space}"),
            (None, _) => String::new(),
        };
        let mode = page.sorted().map_or(String::new(), |view| {
            format!(", {} mode", view.mode().name())
        });
        out += &format!("{}{place}{mode}", page.kind().name());
    }
    match problem {
        None => out += &format!(": {}\n\n", paint.ink(Ink::Good, "whole")),
        Some(problem) if page.is_some() => {
            out += &format!(": {}\n\n", paint.ink(Ink::Bad, problem))
        }
        Some(problem) => out += &format!("{}\n\n", paint.ink(Ink::Bad, problem)),
    }
    out
}

fn part_values(found: &FoundPage, page: Option<&Page>) -> Value {
    let parts = hex::parts_of(page, found.bytes.len()).into_iter();
    parts.map(|part| json!({ "what": hex::part_name(part.kind), "offset": part.range.start, "size": part.range.len() })).collect()
}

/// The header's fields and the checksum as they stand: name, offset, size, value.
fn raw_fields(found: &FoundPage) -> Vec<(&'static str, usize, usize, u64)> {
    let end = found.bytes.len().saturating_sub(8);
    let all = FIELDS.iter().copied().chain([("checksum", end, 8)]);
    let value = |offset: usize, size: usize| {
        let bytes = found.bytes.get(offset..offset + size).unwrap_or_default();
        bytes
            .iter()
            .rev()
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    all.map(|(name, offset, size)| (name, offset, size, value(offset, size)))
        .collect()
}

fn fields(found: &FoundPage, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.faint("offset  size  field       value"));
    for (name, offset, size, value) in raw_fields(found) {
        let meaning = meaning(name, value).map_or(String::new(), |word| format!(", {word}"));
        out += &format!("{offset:>6} {size:>5}  {name:<10}  {value} (0x{value:x}{meaning})\n");
    }
    out
}

fn meaning(field: &str, value: u64) -> Option<&'static str> {
    let number = u8::try_from(value).ok()?;
    match field {
        "kind" => PageKind::from_number(number).map(PageKind::name),
        "space" => KeySpace::from_number(number).map(KeySpace::name),
        _ => None,
    }
}

fn field_values(found: &FoundPage) -> Value {
    let fields = raw_fields(found).into_iter();
    fields.map(|(name, offset, size, value)| json!({ "name": name, "offset": offset, "size": size, "value": value })).collect()
}

/// What stands on the page, one line each.
fn entries(page: &Page, look: Look) -> Vec<String> {
    if let Some(sorted) = page.sorted() {
        return (0..sorted.len())
            .map(|i| sorted_entry(page, &sorted, i, look))
            .collect();
    }
    if let Some(names) = page.names() {
        let mut name = Vec::new();
        return (0..names.len())
            .map(|i| {
                let id = names.entry(i, &mut name);
                format!("{} → node {id}", look.bytes(&name, 80))
            })
            .collect();
    }
    if let Some(index) = page.blob_index() {
        let head = format!("{} bytes in all; next {:?}", index.len(), index.next());
        let extents = index.extents().map(|extent| format!("{extent:?}"));
        return std::iter::once(head).chain(extents).collect();
    }
    if let Some(list) = page.freelist() {
        return list
            .runs()
            .map(|run| run.map_or_else(|rule| rule.to_string(), |run| format!("{run:?}")))
            .collect();
    }
    page.blob_data()
        .map(|data| vec![look.bytes(data, 120)])
        .unwrap_or_default()
}

fn sorted_entry(page: &Page, sorted: &SortedPage<'_>, i: usize, look: Look) -> String {
    if sorted.is_absent(i) {
        return "–".to_owned();
    }
    let mut key = Vec::new();
    sorted.key(i, &mut key);
    let key = key_text(page.space(), &key, look);
    if page.level() > 0 {
        return format!("{key} → {:?}", sorted.child(i));
    }
    let range = sorted.value_range(i);
    let place = format!("at {}, {} bytes", range.start, range.len());
    format!("{key}: {} ({place})", value_text(page, sorted, i, look))
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// Keys of most trees begin with a node id; a separator may go on with label, peer and ordinal.
pub(super) fn key_text(space: Option<KeySpace>, key: &[u8], look: Look) -> String {
    match (space, key) {
        (_, []) => "(lowest)".to_owned(),
        (Some(KeySpace::Dictionary), [tag @ (0 | 1), high, low]) => {
            format!("{} {}", term(*tag), u16::from_be_bytes([*high, *low]))
        }
        (Some(KeySpace::Dictionary), [tag @ (2 | 3), name @ ..]) => {
            format!("{} {}", term(*tag), look.bytes(name, 60))
        }
        // An entry of the index ends in a zero and a node's id; a separator is as short as it can be.
        (Some(KeySpace::Names | KeySpace::Dictionary) | None, _) => look.bytes(key, 60),
        (Some(_), _) => match key.split_at_checked(6) {
            Some((id, [])) => number(id).to_string(),
            Some((id, rest)) => format!("{} then 0x{}", number(id), hex_of(rest)),
            None => format!("0x{}", hex_of(key)),
        },
    }
}

fn term(tag: u8) -> &'static str {
    if tag.is_multiple_of(2) {
        "kind"
    } else {
        "label"
    }
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value_text(page: &Page, sorted: &SortedPage<'_>, i: usize, look: Look) -> String {
    match page.space() {
        Some(KeySpace::Nodes) => match NodeCell::decode(sorted.value(i)) {
            Ok(cell) => format!(
                "kind {}, name {}, data {}",
                cell.kind,
                look.bytes(cell.name.as_bytes(), 80),
                data_text(&cell.data, look)
            ),
            Err(rule) => rule.to_string(),
        },
        Some(KeySpace::Out | KeySpace::In | KeySpace::Kinds) => {
            match EdgeBlock::parse(page.bytes(), sorted.value_range(i)) {
                Ok(block) => block_text(&block, page.space()),
                Err(rule) => rule.to_string(),
            }
        }
        Some(KeySpace::Absent) => match Reader::new(sorted.value(i)).varint() {
            Ok(value) => format!(
                "{} ids, {}",
                value / 2,
                if value % 2 == 1 {
                    "reserved"
                } else {
                    "deleted"
                }
            ),
            Err(rule) => rule.to_string(),
        },
        Some(KeySpace::Dictionary) if matches!(key_tag(sorted, i), Some(2 | 3)) => {
            match *sorted.value(i) {
                [high, low] => format!("number {}", u16::from_be_bytes([high, low])),
                _ => "no number".to_owned(),
            }
        }
        _ => look.bytes(sorted.value(i), 60),
    }
}

fn key_tag(sorted: &SortedPage<'_>, i: usize) -> Option<u8> {
    let mut key = Vec::new();
    sorted.key(i, &mut key);
    key.first().copied()
}

pub(super) fn data_text(data: &Data<'_>, look: Look) -> String {
    match data {
        Data::Inline(bytes) => look.bytes(bytes, 100),
        Data::Blob(blob) => format!("{} bytes from {:?}", blob.len, blob.index),
    }
}

/// How many edges, how they are packed, and between which ends.
pub(super) fn block_text(block: &EdgeBlock<'_>, space: Option<KeySpace>) -> String {
    let of_kind = space == Some(KeySpace::Kinds);
    let mut out = format!(
        "{} {}",
        block.len(),
        if of_kind { "nodes" } else { "edges" }
    );
    for (on, what) in [
        (block.has_data(), "data"),
        (block.has_ordinals(), "ordinals"),
        (block.is_delta(), "delta packing"),
    ] {
        if on {
            out += &format!(", {what}");
        }
    }
    if let (Ok(first), Ok(last)) = (block.first(), block.last()) {
        out += &match of_kind {
            true => format!(", from {} to {}", first.peer, last.peer),
            false => format!(
                ", from label {} peer {} to label {} peer {}",
                first.label, first.peer, last.label, last.peer
            ),
        };
    }
    out
}
