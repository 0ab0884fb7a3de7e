//! What was salvaged, written into a new database by one bulk load.

use std::cell::RefCell;
use std::collections::BTreeMap;

use vellum::format::node::{BlobRef, Data};
use vellum::{BulkEdge, BulkNode, Database, EdgeKey, NodeId, PageRef};

use crate::failure::Failure;

use super::blob::{self, Pages};
use super::leaf::{self, Item};
use super::picture::Proof;
use super::salvage::{EdgeFrom, NodeFrom, Salvage};
use super::scan::Scan;
use super::terms;

/// What came of each item that is not simply as it was.
#[derive(Default)]
pub(crate) struct Written {
    pub(crate) nodes: u64,
    pub(crate) edges: u64,
    /// Nodes and edges without the data that they had, or may have had.
    pub(crate) nodes_without_data: Vec<u64>,
    pub(crate) edges_without_data: Vec<EdgeKey>,
    /// Nodes of which only the id is known, because an edge names it.
    pub(crate) bare_nodes: Vec<u64>,
    /// Nodes of which the kind or the name is not known.
    pub(crate) nodes_without_kind: Vec<u64>,
    pub(crate) nodes_without_name: Vec<u64>,
    /// Nodes and edges that may be older than the state.
    pub(crate) unproven_nodes: Vec<u64>,
    pub(crate) unproven_edges: Vec<EdgeKey>,
    /// Pages of data that could not be read.
    pub(crate) lost_blobs: Vec<u64>,
}

/// Data as it was found.
enum Stored {
    Bytes(Vec<u8>),
    Blob(BlobRef),
}

impl Stored {
    fn of(data: &Data<'_>) -> Stored {
        match data {
            Data::Inline(bytes) => Stored::Bytes(bytes.to_vec()),
            Data::Blob(blob) => Stored::Blob(*blob),
        }
    }
}

/// The items of the leaf read last: the next item mostly stands in the same.
struct Open<K, V> {
    at: Option<PageRef>,
    items: BTreeMap<K, V>,
}

struct Writer<'w, 's> {
    scan: &'w Scan<'s>,
    terms: &'w mut terms::Terms,
    written: Written,
    nodes: Open<u64, (u16, String, Stored)>,
    edges: Open<EdgeKey, Stored>,
}

/// Loads everything and checks the result.
pub(super) fn write(
    scan: &Scan<'_>,
    salvage: &mut Salvage,
    database: Database,
) -> Result<Written, Failure> {
    let mut terms = std::mem::take(&mut salvage.terms);
    let writer = RefCell::new(Writer {
        scan,
        terms: &mut terms,
        written: Written::default(),
        nodes: Open {
            at: None,
            items: BTreeMap::new(),
        },
        edges: Open {
            at: None,
            items: BTreeMap::new(),
        },
    });
    // A failure of reading passes through the engine, which knows only its own errors.
    let failed = RefCell::new(None);
    let pass = |failure: Failure| {
        let error = vellum::Error::Usage(failure.message.clone());
        failed.replace(Some(failure));
        error
    };
    let nodes = salvage
        .nodes
        .iter()
        .map(|(id, from)| writer.borrow_mut().node(*id, from).map_err(pass));
    let edges = salvage.edges.iter().map(|(key, from)| {
        let edge = writer.borrow_mut().edge(*key, from).map_err(pass)?;
        Ok((edge, key.ordinal))
    });
    let loaded = database.bulk_load_numbered(nodes, edges, |_| {});
    let report = match loaded {
        Ok(report) => report,
        Err(error) => return Err(failed.take().unwrap_or_else(|| error.into())),
    };
    let mut written = std::mem::take(&mut writer.borrow_mut().written);
    drop(writer);
    salvage.terms = terms;
    (written.nodes, written.edges) = (report.nodes, report.edges);
    finish(database, salvage)?;
    Ok(written)
}

/// Ids that were issued are not issued again, and what was written is sound.
fn finish(database: Database, salvage: &Salvage) -> Result<(), Failure> {
    let next = database.begin_read()?.next_id();
    let issued = salvage.counted.map_or(0, |counted| counted.next_node);
    if issued > next {
        let mut txn = database.begin_write()?;
        txn.reserve_ids(issued - next)?;
        txn.commit()?;
    }
    let found = database.check()?;
    if let Some(finding) = found.findings.first() {
        return Err(Failure::wrong(format!(
            "what was salvaged is not sound: {finding}"
        )));
    }
    database.close()?;
    Ok(())
}

fn node_id(id: u64) -> Result<NodeId, Failure> {
    crate::store::node_id(id)
}

impl Writer<'_, '_> {
    fn node(&mut self, id: u64, from: &NodeFrom) -> Result<BulkNode, Failure> {
        let (kind, name, data) = match from {
            NodeFrom::Leaf(leaf) => {
                self.open_node_leaf(leaf.at)?;
                let (kind, name, stored) = self.nodes.items.remove(&id).ok_or_else(|| {
                    Failure::lab(format!("node {id} is not in {:?} any more", leaf.at))
                })?;
                if leaf.proof == Proof::Unproven {
                    self.written.unproven_nodes.push(id);
                }
                let data = self.data(stored)?;
                if data.is_none() {
                    self.written.nodes_without_data.push(id);
                }
                (self.terms.name(false, kind), name, data.unwrap_or_default())
            }
            NodeFrom::Log { kind, name, data } => (
                self.terms.name(false, *kind),
                name.to_string(),
                data.to_vec(),
            ),
            NodeFrom::Edge { proven } => {
                self.note_indexed(id, false, false);
                if !proven {
                    self.written.unproven_nodes.push(id);
                }
                (self.terms.unknown_kind(), String::new(), Vec::new())
            }
            NodeFrom::Indexes { kind, name } => {
                self.note_indexed(id, kind.is_some(), name.is_some());
                let kind = match kind {
                    Some(kind) => self.terms.name(false, *kind),
                    None => self.terms.unknown_kind(),
                };
                (
                    kind,
                    name.as_deref().unwrap_or_default().to_owned(),
                    Vec::new(),
                )
            }
        };
        Ok(BulkNode {
            id: Some(node_id(id)?),
            kind,
            name,
            data,
        })
    }

    fn note_indexed(&mut self, id: u64, kind: bool, name: bool) {
        let written = &mut self.written;
        written.nodes_without_data.push(id);
        match (kind, name) {
            (false, false) => written.bare_nodes.push(id),
            (false, true) => written.nodes_without_kind.push(id),
            (true, false) => written.nodes_without_name.push(id),
            (true, true) => {}
        }
    }

    fn edge(&mut self, key: EdgeKey, from: &EdgeFrom) -> Result<BulkEdge, Failure> {
        let data = match from {
            EdgeFrom::Leaf(leaf) => {
                self.open_edge_leaf(leaf.at)?;
                let stored = self.edges.items.remove(&key).ok_or_else(|| {
                    Failure::lab(format!(
                        "an edge of {} is not in {:?} any more",
                        key.node, leaf.at
                    ))
                })?;
                if leaf.proof == Proof::Unproven {
                    self.written.unproven_edges.push(key);
                }
                self.data(stored)?
            }
            EdgeFrom::Log(data) => Some(data.to_vec()),
            EdgeFrom::OtherEnd => None,
        };
        if data.is_none() {
            self.written.edges_without_data.push(key);
        }
        let label = self.terms.name(true, key.label);
        Ok(BulkEdge {
            source: node_id(key.node)?,
            label,
            target: node_id(key.peer)?,
            data: data.unwrap_or_default(),
        })
    }

    fn data(&mut self, stored: Stored) -> Result<Option<Vec<u8>>, Failure> {
        match stored {
            Stored::Bytes(bytes) => Ok(Some(bytes)),
            Stored::Blob(at) => match blob::read(self.scan, at)? {
                Ok(bytes) => Ok(Some(bytes)),
                Err(page) => {
                    self.written.lost_blobs.push(page);
                    Ok(None)
                }
            },
        }
    }

    fn open_node_leaf(&mut self, at: PageRef) -> Result<(), Failure> {
        if self.nodes.at == Some(at) {
            return Ok(());
        }
        let mut items = BTreeMap::new();
        self.scan.with(at, |page| {
            leaf::each(page, |item| {
                if let Item::Node(id, cell) = item {
                    items.insert(
                        id,
                        (cell.kind, cell.name.to_owned(), Stored::of(&cell.data)),
                    );
                }
            })
        })?;
        self.nodes = Open {
            at: Some(at),
            items,
        };
        Ok(())
    }

    fn open_edge_leaf(&mut self, at: PageRef) -> Result<(), Failure> {
        if self.edges.at == Some(at) {
            return Ok(());
        }
        let mut items = BTreeMap::new();
        self.scan.with(at, |page| {
            leaf::each(page, |item| {
                if let Item::Edge(key, data) = item {
                    items.insert(key, Stored::of(&data));
                }
            })
        })?;
        self.edges = Open {
            at: Some(at),
            items,
        };
        Ok(())
    }
}
