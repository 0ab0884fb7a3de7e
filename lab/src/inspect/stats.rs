//! `stats`: how full the pages are, what a node and an edge take, and where the rest of the file went.

use serde_json::{Value, json};
use vellum::KeySpace;
use vellum::format::page::PageKind;

use crate::failure::Failure;
use crate::units::{Unit, grouped};

use super::source::Source;
use super::survey::{Owner, Seen, Survey};
use super::{Look, View, pages};

/// What one key space takes.
#[derive(Clone, Copy, Default)]
struct Space {
    items: u64,
    leaves: u64,
    branches: u64,
    leaf_bytes: u64,
    branch_bytes: u64,
    /// Leaves that the next one in key order does not follow in the file.
    jumps: u64,
    blob_pages: u64,
    blob_bytes: u64,
    damaged: u64,
}

impl Space {
    fn pages(&self) -> u64 {
        self.leaves + self.branches + self.damaged
    }

    fn fill(&self, page_size: usize) -> f64 {
        share(self.leaf_bytes, self.leaves * page_size as u64)
    }

    fn fragmentation(&self) -> f64 {
        share(self.jumps, self.leaves.saturating_sub(1))
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// Pages outside the trees.
#[derive(Default)]
struct Rest {
    freelist: u64,
    free: u64,
    beyond: u64,
    unreached: u64,
    damaged: u64,
}

pub(super) fn view(source: &Source, look: Look) -> Result<View, Failure> {
    let survey = Survey::of(source)?;
    let page_size = source.pages.page_size();
    let (spaces, rest) = count(&survey);
    let mut text = pages::broken(&survey, look);
    if survey.state.is_none() {
        text += "no usable header slot: no page can be said to be in use\n";
    } else {
        text += &table(&spaces, page_size, look);
        text += &per_item(&spaces, page_size);
    }
    text += &remainder(source, &survey, &rest, &spaces, page_size);
    let json = json!({
        "page_size": page_size, "file_bytes": source.pages.len(),
        "spaces": KeySpace::ALL.into_iter().zip(&spaces).map(|(space, of)| space_json(space, of, page_size)).collect::<Vec<Value>>(),
        "pages": {
            "freelist": rest.freelist, "free": rest.free, "beyond": rest.beyond, "unreached": rest.unreached,
            "damaged": rest.damaged, "free_runs": survey.runs.len(),
            "longest_free_run": survey.runs.iter().map(|run| run.len).max().unwrap_or(0),
        },
        "bytes_per_node": bytes_per_node(&spaces, page_size), "bytes_per_edge": bytes_per_edge(&spaces, page_size),
    });
    Ok(View { text, json })
}

fn count(survey: &Survey) -> ([Space; 7], Rest) {
    let mut spaces = [Space::default(); 7];
    let mut rest = Rest::default();
    for page in &survey.pages {
        if page.found.is_damage() && page.owner != Owner::Free {
            rest.damaged += 1;
        }
        match page.owner {
            Owner::Tree { space, .. } | Owner::Blob { space, .. } => {
                if let Some(of) = spaces.get_mut(space.index()) {
                    add(of, page);
                }
            }
            Owner::Freelist { .. } => rest.freelist += 1,
            Owner::Free => rest.free += 1,
            Owner::Beyond => rest.beyond += 1,
            Owner::Nobody => rest.unreached += 1,
        }
    }
    for (space, of) in KeySpace::ALL.into_iter().zip(&mut spaces) {
        let leaves = survey.leaves_in_order(space);
        let pairs = leaves.iter().zip(leaves.iter().skip(1));
        of.jumps = pairs.filter(|(page, next)| *page + 1 != **next).count() as u64;
    }
    (spaces, rest)
}

fn add(of: &mut Space, page: &Seen) {
    let Some(what) = page.what else {
        of.damaged += 1;
        return;
    };
    let used = page.used as u64;
    match what.kind {
        PageKind::BlobIndex | PageKind::BlobData => {
            of.blob_pages += 1;
            of.blob_bytes += used;
        }
        _ if what.level > 0 => {
            of.branches += 1;
            of.branch_bytes += used;
        }
        _ => {
            of.leaves += 1;
            of.leaf_bytes += used;
            of.items += what.items;
        }
    }
}

fn table(spaces: &[Space; 7], page_size: usize, look: Look) -> String {
    let head = "tree             items    leaves  branches   full   jumps   blob pages   B/item";
    let mut out = format!("{}\n", look.paint.faint(head));
    for (space, of) in KeySpace::ALL.into_iter().zip(spaces) {
        let per_item = share(of.pages() * page_size as u64, of.items);
        out += &format!(
            "{:<10} {:>11} {:>9} {:>9} {:>5.1}% {:>6.1}% {:>12} {:>8.1}\n",
            space.name(),
            grouped(of.items),
            grouped(of.leaves),
            grouped(of.branches),
            100.0 * of.fill(page_size),
            100.0 * of.fragmentation(),
            grouped(of.blob_pages),
            per_item
        );
    }
    out
}

/// Everything that a node takes: its cell, its names and kinds entries, its data elsewhere.
fn bytes_per_node(spaces: &[Space; 7], page_size: usize) -> f64 {
    let [nodes, _, _, names, kinds, _, absent] = spaces;
    let pages = nodes.pages() + nodes.blob_pages + names.pages() + kinds.pages() + absent.pages();
    share(pages * page_size as u64, nodes.items)
}

/// Everything that an edge takes: both directions, and its data.
fn bytes_per_edge(spaces: &[Space; 7], page_size: usize) -> f64 {
    let [_, out, inn, ..] = spaces;
    share(
        (out.pages() + out.blob_pages + inn.pages()) * page_size as u64,
        out.items,
    )
}

fn per_item(spaces: &[Space; 7], page_size: usize) -> String {
    let mut out = String::from("\n");
    let [nodes, edges, ..] = spaces;
    if nodes.items > 0 {
        out += &format!(
            "{:.1} bytes per node with its index entries and data\n",
            bytes_per_node(spaces, page_size)
        );
    }
    if edges.items > 0 {
        out += &format!(
            "{:.1} bytes per edge in both directions with its data\n",
            bytes_per_edge(spaces, page_size)
        );
    }
    let (pages, bytes) = spaces.iter().fold((0, 0), |(pages, bytes), of| {
        (pages + of.blob_pages, bytes + of.blob_bytes)
    });
    if pages > 0 {
        out += &format!(
            "data outside the leaves: {} pages, {:.1}% full\n",
            grouped(pages),
            100.0 * share(bytes, pages * page_size as u64)
        );
    }
    out
}

fn remainder(
    source: &Source,
    survey: &Survey,
    rest: &Rest,
    spaces: &[Space; 7],
    page_size: usize,
) -> String {
    let used: u64 = spaces.iter().map(|of| of.pages() + of.blob_pages).sum();
    let longest = survey.runs.iter().map(|run| run.len).max().unwrap_or(0);
    let bytes = |pages: u64| Unit::Bytes.show((pages * page_size as u64) as f64);
    let mut out = format!(
        "\n{:<34} {:>9}  {:>9}\n",
        "pages of trees and their data",
        grouped(used),
        bytes(used)
    );
    for (what, pages) in [
        ("pages of the freelist", rest.freelist),
        ("free pages", rest.free),
        ("pages beyond what the state counts", rest.beyond),
        ("pages that nothing reaches", rest.unreached),
        ("damaged pages among all these", rest.damaged),
    ] {
        out += &format!("{what:<34} {:>9}  {:>9}\n", grouped(pages), bytes(pages));
    }
    if rest.free > 0 {
        out += &format!(
            "free space in {} runs, the longest of {} pages\n",
            grouped(survey.runs.len() as u64),
            grouped(longest)
        );
    }
    if let Some(log) = &source.log {
        out += &format!(
            "{:<34} {:>9}  {:>9}\n",
            "the log",
            "–",
            Unit::Bytes.show(log.len() as f64)
        );
    }
    out
}

fn space_json(space: KeySpace, of: &Space, page_size: usize) -> Value {
    json!({
        "space": space.name(), "items": of.items, "leaves": of.leaves, "branches": of.branches,
        "leaf_fill": of.fill(page_size), "branch_fill": share(of.branch_bytes, of.branches * page_size as u64),
        "fragmentation": of.fragmentation(), "blob_pages": of.blob_pages, "damaged": of.damaged,
        "bytes_per_item": share(of.pages() * page_size as u64, of.items),
    })
}
