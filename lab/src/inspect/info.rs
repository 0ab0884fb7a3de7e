//! `info`: the header slots, the trees, the counts.

use serde_json::{Value, json};
use std::path::Path;
use vellum::KeySpace;
use vellum::format::header::Header;

use crate::units::{Unit, grouped};

use super::View;
use super::log_path;
use vellum::inspect::PageFile;

pub(super) fn view(path: &Path, file: &PageFile) -> View {
    let mut text = format!(
        "{}: {} bytes, {} pages of {} bytes\n",
        path.display(),
        grouped(file.len()),
        grouped(file.page_count()),
        file.page_size()
    );
    let id: String = file
        .file_id()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    text += &format!("file id {id}\n\n");
    let mut slots = Vec::new();
    let newest = file.newest().map(|header| header.sequence);
    for (number, slot) in file.slots().iter().enumerate() {
        match slot {
            Ok(header) => {
                let mark = if Some(header.sequence) == newest {
                    " (newest)"
                } else {
                    ""
                };
                text += &format!(
                    "slot {number}: state {}{mark}, commit {}\n",
                    header.sequence, header.commit
                );
                slots.push(slot_json(header));
            }
            Err(problem) => {
                text += &format!("slot {number}: {problem}\n");
                slots.push(json!({ "problem": problem.to_string() }));
            }
        }
    }
    let log = std::fs::metadata(log_path(path)).map(|log| log.len()).ok();
    match log {
        Some(bytes) => {
            text += &format!(
                "log: {}, which may hold newer commits\n",
                Unit::Bytes.show(bytes as f64)
            )
        }
        None => text += "log: none\n",
    }
    if let Some(header) = file.newest() {
        text += &state(header);
    }
    let json = json!({ "file_bytes": file.len(), "page_size": file.page_size(), "file_id": id, "slots": slots, "log_bytes": log });
    View { text, json }
}

fn state(header: &Header) -> String {
    let mut out = format!(
        "\n{} nodes, {} edges, {} kinds, {} labels; next node {}\n{} pages, {} free; births below {}\n",
        grouped(header.node_count),
        grouped(header.edge_count),
        header.kind_count,
        header.label_count,
        header.next_node,
        grouped(header.page_count),
        grouped(header.free_pages),
        header.birth_limit,
    );
    out += &format!(
        "name index: {}; unique edges: {}\n",
        header.name_index, header.unique_edges
    );
    match header.log_generation {
        0 => out += "names no log: closed cleanly\n",
        generation => {
            out += &format!(
                "names its log from generation {generation}, position {}\n",
                header.log_position
            )
        }
    }
    out += "\ntree        height      entries      pages   root\n";
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
