//! The cheapest question that reads a page: whoever asks it must notice damage there.

use std::collections::BTreeMap;
use std::sync::Arc;

use vellum::storage::MemoryDirectory;
use vellum::{Database, Direction, Error, NodeId, ReadTxn, Result};

use super::image::{Image, NAME, builder};
use super::traced::Traced;
use crate::digest::Digest;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    Node(NodeId),
    Edges(NodeId, Direction),
    Name(String),
    Kind(String),
    There(NodeId),
    /// Kinds and labels, by a handle of its own: a handle asks for them only once.
    Terms,
    /// The engine's own check, which alone reads the freelist.
    Check,
}

impl Probe {
    /// The answer, as a digest. Whatever the check finds is an error here.
    pub(super) fn ask(&self, db: &Database, files: &MemoryDirectory) -> Result<String> {
        let txn = db.begin_read()?;
        let mut digest = Digest::new();
        match self {
            Probe::Node(id) => {
                if let Some(node) = txn.node(*id)? {
                    digest.text(node.kind());
                    digest.text(node.name());
                    digest.bytes(&node.data()?);
                }
            }
            Probe::Edges(id, direction) => {
                for edge in txn.edges(*id, *direction, None) {
                    let edge = edge?;
                    digest.number(edge.source().get());
                    digest.number(edge.target().get());
                    digest.text(edge.label());
                    digest.bytes(&edge.data()?);
                }
            }
            Probe::Name(name) => {
                for id in txn.nodes_named(name) {
                    digest.number(id?.get());
                }
            }
            Probe::Kind(kind) => {
                for id in txn.nodes_of_kind(kind) {
                    digest.number(id?.get());
                }
            }
            Probe::There(id) => digest.number(u64::from(txn.contains_node(*id)?)),
            Probe::Terms => {
                let db = builder(Arc::new(files.clone())).open_read_only(NAME)?;
                let txn = db.begin_read()?;
                for term in txn.kinds()?.iter().chain(&txn.labels()?) {
                    digest.text(term);
                }
            }
            Probe::Check => {
                if let Some(finding) = db.check()?.findings.first() {
                    return Err(Error::Usage(finding.to_string()));
                }
            }
        }
        Ok(digest.to_string())
    }
}

/// For each page that anything reads: the question that reads least beside it, and the answer.
pub(super) type Probes = BTreeMap<u64, (Probe, String)>;

/// Asks everything of a sound image, cold each time, and notes which pages that reads.
pub(super) fn probes(image: &Image) -> Result<Probes> {
    let files = image.directory();
    let traced = Traced::new(&files);
    let db = builder(Arc::new(traced.clone())).open_read_only(NAME)?;
    let mut best: BTreeMap<u64, (usize, Probe, String)> = BTreeMap::new();
    for probe in questions(&db.begin_read()?)? {
        db.drop_caches();
        traced.take();
        let answer = match &probe {
            Probe::Terms => {
                let again = builder(Arc::new(traced.clone())).open_read_only(NAME)?;
                again.begin_read()?.kinds()?;
                drop(again);
                probe.ask(&db, &files)?
            }
            probe => probe.ask(&db, &files)?,
        };
        let reads: Vec<_> = traced
            .take()
            .into_iter()
            .filter(|(name, offset, len)| {
                &**name == NAME && *offset >= 8192 && *len == image.page_size
            })
            .collect();
        for (_, offset, _) in &reads {
            let page = offset / image.page_size as u64;
            let known = best.get(&page).map_or(usize::MAX, |(cost, ..)| *cost);
            if reads.len() < known {
                best.insert(page, (reads.len(), probe.clone(), answer.clone()));
            }
        }
    }
    let cheapest = best.into_iter();
    Ok(cheapest
        .map(|(page, (_, probe, answer))| (page, (probe, answer)))
        .collect())
}

/// Questions that together read every page that anything can read.
fn questions(txn: &ReadTxn) -> Result<Vec<Probe>> {
    let mut all = vec![Probe::Terms, Probe::Check];
    for kind in txn.kinds()? {
        all.push(Probe::Kind(kind));
    }
    for node in txn.nodes() {
        let node = node?;
        let id = node.id();
        all.push(Probe::Node(id));
        all.push(Probe::Edges(id, Direction::Out));
        all.push(Probe::Edges(id, Direction::In));
        all.push(Probe::Name(node.name().to_owned()));
        // The id before was reserved and never used.
        all.extend(NodeId::new(id.get() - 1).map(Probe::There));
    }
    Ok(all)
}
