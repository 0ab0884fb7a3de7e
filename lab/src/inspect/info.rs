//! `info`: the header slots, the trees, the counts.

use serde_json::{Value, json};
use vellum::KeySpace;
use vellum::format::header::{Header, SlotProblem};
use vellum::inspect::Identity;

use crate::units::{Unit, grouped};

use super::paint::{Ink, Paint};
use super::source::Source;
use super::{Look, View};

pub(super) fn view(source: &Source, look: Look) -> View {
    let (file, paint) = (&source.pages, look.paint);
    let mut text = format!(
        "{}: {} bytes, {} pages of {} bytes\n",
        paint.strong(&source.name),
        grouped(file.len()),
        grouped(file.page_count()),
        file.page_size()
    );
    let left = file.len() % file.page_size() as u64;
    if left > 0 {
        text += &paint.ink(
            Ink::Notice,
            &format!("the last page is cut short: {left} bytes are left of it\n"),
        );
    }
    let id: String = file
        .file_id()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    text += &format!("file id {id}{}\n\n", told(file.identity(), paint));
    let mut slots = Vec::new();
    let newest = file.newest().map(|header| header.sequence);
    for (number, slot) in file.slots().iter().enumerate() {
        let (line, value) = slot_line(slot, newest, paint);
        text += &format!("slot {number}: {line}\n");
        slots.push(value);
    }
    let log = source.log.as_ref().map(|log| log.len() as u64);
    text += &match log {
        Some(bytes) => format!(
            "log: {}, which may hold newer commits; see `wal`\n",
            Unit::Bytes.show(bytes as f64)
        ),
        None => "log: none\n".to_owned(),
    };
    let state = source.newest();
    if let Some(state) = &state {
        if Some(state.sequence) > newest {
            text += &format!("the log holds a newer header, state {}\n", state.sequence);
        }
        text += &counts(state, file.page_count(), log.is_some(), paint);
        text += &trees(state, paint);
    }
    let json = json!({
        "file_bytes": file.len(), "page_size": file.page_size(), "pages": file.page_count(), "file_id": id,
        "identity": file.identity(), "slots": slots, "log_bytes": log, "newest": state.as_ref().map(slot_json),
    });
    View { text, json }
}

fn told(identity: Identity, paint: Paint) -> String {
    match identity {
        Identity::Header => String::new(),
        Identity::Pages => paint.ink(
            Ink::Notice,
            " (as the pages' checksums tell; no header slot is whole)",
        ),
        Identity::Guessed => paint.ink(
            Ink::Bad,
            " (a guess, as is the page size: neither header nor pages tell)",
        ),
    }
}

fn slot_line(
    slot: &Result<Header, SlotProblem>,
    newest: Option<u64>,
    paint: Paint,
) -> (String, Value) {
    match slot {
        Ok(header) => {
            let mark = if Some(header.sequence) == newest {
                paint.ink(Ink::Good, " (newest)")
            } else {
                String::new()
            };
            (
                format!("state {}{mark}, commit {}", header.sequence, header.commit),
                slot_json(header),
            )
        }
        Err(problem) => {
            let problem = problem.to_string();
            (paint.ink(Ink::Bad, &problem), json!({ "problem": problem }))
        }
    }
}

fn counts(header: &Header, pages: u64, has_log: bool, paint: Paint) -> String {
    let mut out = format!(
        "\n{} nodes, {} edges, {} kinds, {} labels; next node {}\n{} pages counted, {} free; births below {}\n",
        grouped(header.node_count),
        grouped(header.edge_count),
        header.kind_count,
        header.label_count,
        header.next_node,
        grouped(header.page_count),
        grouped(header.free_pages),
        header.birth_limit,
    );
    if header.page_count > pages {
        let text = format!(
            "the file is short of {} pages\n",
            grouped(header.page_count - pages)
        );
        out += &paint.ink(Ink::Bad, &text);
    }
    out += &format!(
        "name index: {}; unique edges: {}\n",
        yes(header.name_index),
        yes(header.unique_edges)
    );
    out += &match header.log_generation {
        0 => "names no log: closed cleanly\n".to_owned(),
        generation => format!(
            "names its log from generation {generation}, position {}\n",
            header.log_position
        ),
    };
    if header.log_generation > 0 && !has_log {
        out += &paint.ink(Ink::Bad, "that log is missing: commits may be lost\n");
    }
    out
}

fn yes(on: bool) -> &'static str {
    if on { "yes" } else { "no" }
}

fn trees(header: &Header, paint: Paint) -> String {
    let head = "tree        height      entries      pages   root";
    let mut out = format!("\n{}\n", paint.faint(head));
    for (space, root) in KeySpace::ALL.into_iter().zip(&header.roots) {
        let page = root.page.map_or("–".to_owned(), |page| format!("{page:?}"));
        out += &format!(
            "{:<10} {:>7} {:>12} {:>10}   {page}\n",
            space.name(),
            root.height,
            grouped(root.entries),
            grouped(root.pages)
        );
    }
    out
}

fn slot_json(header: &Header) -> Value {
    let trees: Vec<Value> = KeySpace::ALL
        .into_iter()
        .zip(&header.roots)
        .map(|(space, root)| {
            json!({
                "space": space.name(), "root": root.page.map(|page| page.page()), "height": root.height,
                "entries": root.entries, "pages": root.pages,
            })
        })
        .collect();
    json!({
        "sequence": header.sequence, "commit": header.commit, "birth_limit": header.birth_limit,
        "page_count": header.page_count, "free_pages": header.free_pages, "next_node": header.next_node,
        "nodes": header.node_count, "edges": header.edge_count, "kinds": header.kind_count,
        "labels": header.label_count, "name_index": header.name_index, "unique_edges": header.unique_edges,
        "log_generation": header.log_generation, "log_position": header.log_position,
        "log_segment_bytes": header.log_segment_bytes, "trees": trees,
    })
}
