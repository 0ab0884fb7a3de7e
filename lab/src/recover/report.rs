//! What was saved, what was lost, and why.

use serde::Serialize;
use serde_json::{Value, json};
use vellum::format::header::Header;
use vellum::{EdgeKey, KeySpace};

use crate::inspect::paint::{Ink, Paint};
use crate::units::{counted, grouped};

use super::picture::{Hole, Picture, Proof};
use super::salvage::Salvage;
use super::scan::Scan;
use super::state::State;
use super::write::Written;

/// Lines of a list for people; JSON has them all.
const LISTED: usize = 12;

/// Something that was lost: where it stood, and what it was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Loss {
    pub(crate) page: Option<u64>,
    pub(crate) what: String,
}

/// The outcome of a salvage.
pub(crate) struct Report {
    pub(crate) basis: String,
    pub(crate) written: Written,
    /// What the newest state counts.
    pub(crate) counted: Option<(u64, u64)>,
    pub(crate) replayed: u64,
    pub(crate) log_problem: Option<String>,
    /// How the log ends, where it does not end with a whole record.
    pub(crate) log_end: Option<String>,
    pub(crate) mended: Vec<String>,
    /// Damaged pages that the state uses, or may use.
    pub(crate) damaged: Vec<Loss>,
    pub(crate) lost: Vec<Loss>,
    /// What was taken without a proof that it is of the newest state.
    pub(crate) doubtful: Vec<String>,
    pub(crate) lost_names: Vec<String>,
    pub(crate) older_names: Vec<String>,
    pub(crate) ends_gone: Vec<EdgeKey>,
    pub(crate) unreadable_cells: u64,
}

impl Report {
    pub(super) fn new(
        scan: &Scan<'_>,
        state: &State<'_>,
        picture: &Picture,
        salvage: &Salvage,
        written: Written,
    ) -> Report {
        let term =
            |(label, id): &(bool, u16)| format!("{} {id}", if *label { "label" } else { "kind" });
        Report {
            basis: state.basis.clone(),
            counted: salvage
                .counted
                .map(|counted| (counted.nodes, counted.edges)),
            replayed: salvage.replayed,
            log_problem: salvage.log_problem.clone(),
            log_end: state.log_end.clone(),
            mended: [scan.mendings.clone(), state.mended.clone()].concat(),
            damaged: damaged(scan, picture, state.header.as_ref()),
            lost: lost(scan, picture),
            doubtful: doubtful(picture),
            lost_names: salvage.terms.lost.iter().map(term).collect(),
            older_names: salvage.terms.unproven.iter().map(term).collect(),
            ends_gone: salvage.ends_gone.clone(),
            unreadable_cells: scan.unreadable_cells,
            written,
        }
    }

    /// Whether everything that the state held is in the new file, and nothing is in doubt.
    pub(crate) fn is_complete(&self) -> bool {
        let written = &self.written;
        let all = self
            .counted
            .is_some_and(|(nodes, edges)| nodes == written.nodes && edges == written.edges);
        all && self.log_problem.is_none()
            && self.lost.is_empty()
            && self.doubtful.is_empty()
            && self.lost_names.is_empty()
            && self.older_names.is_empty()
            && written.nodes_without_data.is_empty()
            && written.edges_without_data.is_empty()
            && written.unproven_nodes.is_empty()
            && written.unproven_edges.is_empty()
    }

    pub(crate) fn text(&self, from: &str, to: &str, paint: Paint) -> String {
        let written = &self.written;
        let mut out = format!("{from} → {}\n{}\n\n", paint.strong(to), self.basis);
        let (nodes, edges) = self.counted.unzip();
        let [bare_nodes, bare_edges] = [
            written.nodes_without_data.len(),
            written.edges_without_data.len(),
        ];
        for (what, saved, counted, in_part) in [
            ("nodes", written.nodes, nodes, bare_nodes),
            ("edges", written.edges, edges, bare_edges),
        ] {
            out += &format!(
                "{:>12} {what} saved{}{}\n",
                grouped(saved),
                self.missing(saved, counted, paint),
                partly(in_part as u64, paint)
            );
        }
        if self.replayed > 0 {
            out += &format!(
                "{:>12} commits of the log replayed\n",
                grouped(self.replayed)
            );
        }
        let mut list = |title: &str, rows: Vec<String>| out += &section(title, &rows, paint);
        list("the log", self.log_problem.iter().cloned().collect());
        list("the end of the log", self.log_end.iter().cloned().collect());
        list("damaged, and mended", self.mended.clone());
        list(
            "damaged pages that are or may be in use",
            losses(&self.damaged),
        );
        list("lost", losses(&self.lost));
        list(
            "taken on the strength of their births alone",
            self.doubtful.clone(),
        );
        list(
            "cells of whole pages that cannot be read",
            (self.unreadable_cells > 0)
                .then(|| grouped(self.unreadable_cells))
                .into_iter()
                .collect(),
        );
        list(
            "nodes of which only the id is known, because an edge names it",
            ids(&written.bare_nodes),
        );
        list("nodes whose kind is lost", ids(&written.nodes_without_kind));
        list("nodes whose name is lost", ids(&written.nodes_without_name));
        list("nodes whose data is lost", ids(&written.nodes_without_data));
        list(
            "edges whose data is lost, if they had any",
            edge_rows(&written.edges_without_data),
        );
        list(
            "nodes that may be older than the newest state",
            ids(&written.unproven_nodes),
        );
        list(
            "edges that may be older than the newest state",
            edge_rows(&written.unproven_edges),
        );
        list(
            "edges left out, because a node that they join was deleted",
            edge_rows(&self.ends_gone),
        );
        list(
            "names of kinds and labels that are lost",
            self.lost_names.clone(),
        );
        list(
            "names of kinds and labels from an older page",
            self.older_names.clone(),
        );
        if self.is_complete() {
            out += &format!("\n{}\n", paint.ink(Ink::Good, "nothing was lost"));
        }
        out
    }

    /// How many there were, as far as anything tells.
    fn missing(&self, saved: u64, counted: Option<u64>, paint: Paint) -> String {
        let counted = match counted {
            None => return ", and nothing tells how many there were".to_owned(),
            Some(counted) if counted == saved && self.log_problem.is_none() => {
                return " of as many".to_owned();
            }
            Some(counted) if counted == saved => {
                let text = "what lost commits of the log added is not among them";
                return format!(", {}", paint.ink(Ink::Bad, text));
            }
            Some(counted) => counted,
        };
        let lost = match counted.checked_sub(saved) {
            Some(lost) => format!("{} of them lost", grouped(lost)),
            None => "more than that, so some of them were deleted".to_owned(),
        };
        format!(" of {}: {}", grouped(counted), paint.ink(Ink::Bad, &lost))
    }

    pub(crate) fn json(&self, from: &str, to: &str) -> Value {
        let written = &self.written;
        let keys = |edges: &[EdgeKey]| -> Vec<Value> {
            edges.iter().map(|key| json!({ "source": key.node, "label": key.label, "target": key.peer, "ordinal": key.ordinal })).collect()
        };
        json!({
            "database": from, "output": to, "basis": self.basis, "complete": self.is_complete(),
            "nodes": {
                "saved": written.nodes, "counted": self.counted.map(|(nodes, _)| nodes), "bare": written.bare_nodes,
                "kind_lost": written.nodes_without_kind, "name_lost": written.nodes_without_name,
                "data_lost": written.nodes_without_data, "unproven": written.unproven_nodes,
            },
            "edges": {
                "saved": written.edges, "counted": self.counted.map(|(_, edges)| edges),
                "data_lost": keys(&written.edges_without_data), "unproven": keys(&written.unproven_edges),
                "ends_gone": keys(&self.ends_gone),
            },
            "log": { "commits_replayed": self.replayed, "problem": self.log_problem, "end": self.log_end },
            "pages": { "mended": self.mended, "damaged": self.damaged, "unreadable_cells": self.unreadable_cells },
            "lost": self.lost, "doubtful": self.doubtful, "names_lost": self.lost_names, "names_from_older_pages": self.older_names,
        })
    }
}

fn partly(items: u64, paint: Paint) -> String {
    match items {
        0 => String::new(),
        items => paint.ink(Ink::Notice, &format!(", {} without data", grouped(items))),
    }
}

fn section(title: &str, rows: &[String], paint: Paint) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "\n{} ({})\n",
        paint.ink(Ink::Notice, title),
        grouped(rows.len() as u64)
    );
    for row in rows.iter().take(LISTED) {
        out += &format!("  {row}\n");
    }
    if rows.len() > LISTED {
        out += &format!(
            "  … and {} more; --format json lists them\n",
            grouped((rows.len() - LISTED) as u64)
        );
    }
    out
}

fn losses(losses: &[Loss]) -> Vec<String> {
    let row = |loss: &Loss| match loss.page {
        Some(page) => format!("page {page}: {}", loss.what),
        None => loss.what.clone(),
    };
    losses.iter().map(row).collect()
}

/// Ids as runs: they ascend.
fn ids(ids: &[u64]) -> Vec<String> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *id => *last = *id,
            _ => runs.push((*id, *id)),
        }
    }
    let run = |(first, last): (u64, u64)| match last - first {
        0 => first.to_string(),
        more => format!("{first} to {last}, {} of them", grouped(more + 1)),
    };
    runs.into_iter().map(run).collect()
}

fn edge_rows(edges: &[EdgeKey]) -> Vec<String> {
    let row = |key: &EdgeKey| {
        format!(
            "{} –label {}→ {}, ordinal {}",
            key.node, key.label, key.peer, key.ordinal
        )
    };
    edges.iter().map(row).collect()
}

fn damaged(scan: &Scan<'_>, picture: &Picture, header: Option<&Header>) -> Vec<Loss> {
    let counted = header.map_or(u64::MAX, |header| header.page_count);
    // What nobody can tell to be in use, and holds nothing, is not damage.
    let counts = |page: u64, what: &str| {
        page < counted
            && !picture.free.lists(page)
            && (what != "all zeros" || picture.free.knows(page))
    };
    let pages = scan
        .damaged
        .iter()
        .filter(|(page, what)| counts(**page, what));
    pages
        .map(|(page, what)| Loss {
            page: Some(*page),
            what: what.clone(),
        })
        .collect()
}

/// The ranges of keys that cannot be read.
fn lost(scan: &Scan<'_>, picture: &Picture) -> Vec<Loss> {
    let mut out = Vec::new();
    for space in KeySpace::ALL {
        let tree = picture.tree(space);
        for hole in &tree.holes {
            // Without a reference nothing says that anything is missing.
            let Some(page) = hole.page else { continue };
            let why = match scan.damaged.get(&page.page()) {
                _ if page.page() >= scan.file.page_count() => "beyond the end of the file",
                Some(why) => why,
                None => "not the page that the reference names",
            };
            let what = format!(
                "{} of {space}{}: {why}",
                part(hole.level),
                range(space, hole)
            );
            out.push(Loss {
                page: Some(page.page()),
                what,
            });
        }
    }
    out.extend(picture.free.lost.iter().map(|at| Loss {
        page: Some(at.page()),
        what: "a page of the freelist".to_owned(),
    }));
    out
}

/// Leaves that no reference and no freelist proves to be of the state.
fn doubtful(picture: &Picture) -> Vec<String> {
    let row = |space: KeySpace| {
        let leaves = picture.tree(space).leaves.iter();
        let unproven = leaves.filter(|leaf| leaf.proof == Proof::Unproven).count() as u64;
        let leaves = counted(unproven, "leaf", "leaves");
        (unproven > 0).then(|| format!("{leaves} of {space}"))
    };
    KeySpace::ALL.into_iter().filter_map(row).collect()
}

fn part(level: u8) -> String {
    match level {
        0 => "a leaf".to_owned(),
        level => format!("a branch at level {level}, whose leaves were looked for by their keys,"),
    }
}

/// The range of a hole, where keys begin with an id.
fn range(space: KeySpace, hole: &Hole) -> String {
    if matches!(space, KeySpace::Names | KeySpace::Dictionary) {
        return String::new();
    }
    let id = |key: &[u8]| {
        key.iter()
            .take(6)
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let from = id(&hole.from);
    match &hole.to {
        Some(to) => format!(" from id {from} to {}", id(to)),
        None => format!(" from id {from}"),
    }
}
