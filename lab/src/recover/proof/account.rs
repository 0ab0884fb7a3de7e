//! What a database holds, on which pages each item stands, and what a report says of an item.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vellum::format::changes::{Op, OpReader};
use vellum::format::edges::EdgeBlock;
use vellum::format::node::{BlobRef, Data, NodeCell};
use vellum::inspect::PageFile;
use vellum::storage::MemoryDirectory;
use vellum::{Database, Direction, EdgeKey, KeySpace, PageRef};

use crate::inspect::source::Source;

use super::super::Report;
use super::original::{NAME, Original};

const PAGE: usize = 4096;

/// A node as a reader of the database sees it: kind, name, data.
pub(super) type TrueNode = (String, String, Vec<u8>);
/// Source, label, target, ordinal.
pub(super) type EdgeName = (u64, String, u64, u32);

/// Everything in a database, as the engine reads it.
#[derive(Default)]
pub(super) struct Truth {
    pub(super) nodes: BTreeMap<u64, TrueNode>,
    pub(super) edges: BTreeMap<EdgeName, Vec<u8>>,
    pub(super) labels: Vec<String>,
    pub(super) kinds: Vec<String>,
}

pub(super) fn truth_of(directory: &MemoryDirectory, name: &str) -> Truth {
    let database = Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .open_read_only(name)
        .unwrap();
    let txn = database.begin_read().unwrap();
    let mut truth = Truth {
        labels: txn.labels().unwrap(),
        kinds: txn.kinds().unwrap(),
        ..Truth::default()
    };
    for node in txn.nodes() {
        let node = node.unwrap();
        for edge in txn.edges(node.id(), Direction::Out, None) {
            let edge = edge.unwrap();
            let key = (
                edge.source().get(),
                edge.label().to_owned(),
                edge.target().get(),
                edge.ordinal(),
            );
            truth.edges.insert(key, edge.data().unwrap().into_owned());
        }
        let data = node.data().unwrap().into_owned();
        truth.nodes.insert(
            node.id().get(),
            (node.kind().to_owned(), node.name().to_owned(), data),
        );
    }
    truth
}

/// Numbers from here on stand for records of the log, as smaller ones do for pages.
const RECORDS: u64 = 1 << 48;

/// An original, and the pages and records that each of its items needs.
pub(super) struct Account {
    pub(super) truth: Truth,
    pub(super) nodes: BTreeMap<u64, Vec<u64>>,
    pub(super) edges: BTreeMap<EdgeName, Vec<u64>>,
    records: Vec<Record>,
}

/// A record of the log: where it stands, and what it changes.
struct Record {
    bytes: std::ops::Range<usize>,
    nodes: BTreeSet<u64>,
    edges: BTreeSet<EdgeName>,
}

/// Items that lost records of the log may have changed.
#[derive(Default)]
pub(super) struct Doubt {
    pub(super) nodes: BTreeSet<u64>,
    pub(super) edges: BTreeSet<EdgeName>,
    /// Whether a record behind a lost one is whole.
    pub(super) a_gap: bool,
}

impl Account {
    pub(super) fn of(original: &Original) -> Account {
        let directory = MemoryDirectory::new();
        directory.put(NAME, original.bytes.clone());
        if let Some(log) = &original.log {
            directory.put(&format!("{NAME}-log"), log.clone());
        }
        let mut account = Account {
            truth: truth_of(&directory, NAME),
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
            records: Vec::new(),
        };
        let source = Source::open_in(&directory, NAME).unwrap();
        account.read_trees(&source.pages);
        account.read_log(&source);
        // The account is right if it names exactly the items that the engine reads.
        assert!(account.nodes.keys().eq(account.truth.nodes.keys()));
        assert!(account.edges.keys().eq(account.truth.edges.keys()));
        assert!(
            original
                .logged
                .iter()
                .filter_map(|id| account.nodes.get(id))
                .flatten()
                .all(|place| *place >= RECORDS)
        );
        account
    }

    /// Every leaf below the roots of the newest slot, by its cells.
    fn read_trees(&mut self, file: &PageFile) {
        let header = file.newest().unwrap();
        for space in [KeySpace::Nodes, KeySpace::Out] {
            let mut waiting: Vec<PageRef> = header.roots[space.index()].page.into_iter().collect();
            while let Some(at) = waiting.pop() {
                let page = file.at(at).unwrap().page.unwrap();
                let view = page.sorted().unwrap();
                for i in (0..view.len()).filter(|i| !view.is_absent(*i)) {
                    if page.level() > 0 {
                        waiting.push(view.child(i));
                    } else if space == KeySpace::Nodes {
                        let cell = NodeCell::decode(view.value(i)).unwrap();
                        self.nodes
                            .insert(view.key_u48(i), pages_of(file, at, &cell.data));
                    } else {
                        let block = EdgeBlock::parse(page.bytes(), view.value_range(i)).unwrap();
                        self.read_block(file, at, view.key_u48(i), &block);
                    }
                }
            }
        }
    }

    fn read_block(&mut self, file: &PageFile, at: PageRef, source: u64, block: &EdgeBlock<'_>) {
        for (j, data) in block.data_iter().unwrap().enumerate() {
            let edge = block.get(j).unwrap();
            let key = EdgeKey {
                node: source,
                label: edge.label,
                peer: edge.peer,
                ordinal: edge.ordinal,
            };
            let name = self.truth.name(&key);
            self.edges.insert(name, pages_of(file, at, &data.unwrap()));
        }
    }

    /// Where in the log the records stand that count.
    pub(super) fn records(&self) -> std::ops::Range<usize> {
        let (first, last) = (self.records.first().unwrap(), self.records.last().unwrap());
        first.bytes.start..last.bytes.end
    }

    /// The records that differ, as places, and what they may have changed.
    pub(super) fn changed_records(&self, before: &[u8], after: &[u8]) -> (BTreeSet<u64>, Doubt) {
        let mut places = BTreeSet::new();
        let mut doubt = Doubt::default();
        // A segment header that is more than a flipped bit off takes its records along.
        let header = before[..128].iter().zip(&after[..128]);
        let flips: u32 = header.map(|(a, b)| (a ^ b).count_ones()).sum();
        for (record, place) in self.records.iter().zip(RECORDS..) {
            if flips < 2 && before[record.bytes.clone()] == after[record.bytes.clone()] {
                doubt.a_gap |= !places.is_empty();
                continue;
            }
            places.insert(place);
            doubt.nodes.extend(&record.nodes);
            doubt.edges.extend(record.edges.iter().cloned());
        }
        (places, doubt)
    }

    /// What the log says needs its record and no page.
    fn read_log(&mut self, source: &Source) {
        let Some(log) = source.log() else { return };
        let slot = source.pages.newest().unwrap();
        let chain = log.read_from(slot.log_generation, slot.log_position, slot.log_chain);
        for (record, place) in chain.records.iter().zip(RECORDS..) {
            let start = record.offset as usize;
            let mut changed = Record {
                bytes: start..start + record.len as usize,
                nodes: BTreeSet::new(),
                edges: BTreeSet::new(),
            };
            for op in OpReader::new(&record.payload) {
                self.apply(op.unwrap(), place, &mut changed);
            }
            self.records.push(changed);
        }
    }

    fn apply(&mut self, op: Op<'_>, place: u64, changed: &mut Record) {
        match op {
            Op::PutNode { id, .. } => {
                self.nodes.insert(id, vec![place]);
                changed.nodes.insert(id);
            }
            Op::DeleteNode { id } => {
                self.nodes.remove(&id);
                changed.nodes.insert(id);
            }
            Op::PutEdge { key, .. } => {
                let name = self.truth.name(&key);
                self.edges.insert(name.clone(), vec![place]);
                changed.edges.insert(name);
            }
            Op::DeleteEdge { key } => {
                let name = self.truth.name(&key);
                self.edges.remove(&name);
                changed.edges.insert(name);
            }
            _ => {}
        }
    }

    /// The data of an edge by the name that the salvage gave it.
    pub(super) fn edge(&self, found: &EdgeName, said: &Said) -> Option<&Vec<u8>> {
        let label = said.true_label(&found.1, &self.truth)?;
        self.truth.edges.get(&(found.0, label, found.2, found.3))
    }
}

impl Truth {
    fn name(&self, key: &EdgeKey) -> EdgeName {
        (
            key.node,
            self.labels[usize::from(key.label)].clone(),
            key.peer,
            key.ordinal,
        )
    }
}

/// The leaf, and every page of the data if it stands elsewhere.
fn pages_of(file: &PageFile, leaf: PageRef, data: &Data<'_>) -> Vec<u64> {
    let mut pages = vec![leaf.page()];
    let Data::Blob(BlobRef { index, .. }) = data else {
        return pages;
    };
    let mut next = Some(*index);
    while let Some(at) = next {
        pages.push(at.page());
        let page = file.at(at).unwrap().page.unwrap();
        let view = page.blob_index().unwrap();
        pages.extend(
            view.extents()
                .flat_map(|extent| extent.page..extent.page + u64::from(extent.pages)),
        );
        next = view.next();
    }
    pages
}

/// Pages whose bytes are not the same, or not there.
pub(super) fn changed_pages(before: &[u8], after: &[u8]) -> BTreeSet<u64> {
    let pages = before.chunks(PAGE).zip(0u64..);
    let same = |number: u64| after.get(number as usize * PAGE..(number as usize + 1) * PAGE);
    pages
        .filter(|(page, number)| same(*number) != Some(page))
        .map(|(_, number)| number)
        .collect()
}

/// What a report says of single items.
pub(super) struct Said {
    lost_terms: BTreeSet<String>,
    bare: BTreeSet<u64>,
    kind_lost: BTreeSet<u64>,
    name_lost: BTreeSet<u64>,
    data_lost: BTreeSet<u64>,
    edge_data_lost: BTreeSet<EdgeName>,
    pub(super) unproven_nodes: BTreeSet<u64>,
    unproven_edges: BTreeSet<EdgeName>,
    labels: Vec<String>,
}

impl Said {
    pub(super) fn of(report: &Report, truth: &Truth) -> Said {
        let written = &report.written;
        let ids = |ids: &[u64]| ids.iter().copied().collect();
        let names = |keys: &[EdgeKey]| keys.iter().map(|key| truth.name(key)).collect();
        Said {
            lost_terms: report.lost_names.iter().cloned().collect(),
            bare: ids(&written.bare_nodes),
            kind_lost: ids(&written.nodes_without_kind),
            name_lost: ids(&written.nodes_without_name),
            data_lost: ids(&written.nodes_without_data),
            edge_data_lost: names(&written.edges_without_data),
            unproven_nodes: ids(&written.unproven_nodes),
            unproven_edges: names(&written.unproven_edges),
            labels: truth.labels.clone(),
        }
    }

    /// The label that a name in the new file stands for; none if it stands for nothing reported.
    fn true_label(&self, found: &str, truth: &Truth) -> Option<String> {
        let Some(number) = found
            .strip_prefix("lost ")
            .filter(|term| self.lost_terms.contains(*term))
        else {
            return Some(found.to_owned());
        };
        let number: usize = number.strip_prefix("label ")?.parse().ok()?;
        truth.labels.get(number).cloned()
    }

    /// The name in the new file of an edge of the original.
    pub(super) fn name_of(&self, key: &EdgeName) -> EdgeName {
        let number = self
            .labels
            .iter()
            .position(|label| *label == key.1)
            .unwrap();
        let lost = format!("label {number}");
        let label = if self.lost_terms.contains(&lost) {
            format!("lost {lost}")
        } else {
            key.1.clone()
        };
        (key.0, label, key.2, key.3)
    }

    pub(super) fn in_truth(&self, found: &EdgeName, truth: &Truth) -> EdgeName {
        let label = self.true_label(&found.1, truth).unwrap_or_default();
        (found.0, label, found.2, found.3)
    }

    pub(super) fn is_unproven(&self, found: &EdgeName, truth: &Truth) -> bool {
        self.unproven_edges.contains(&self.in_truth(found, truth))
    }

    pub(super) fn edge_data_lost(&self, found: &EdgeName, truth: &Truth) -> bool {
        self.edge_data_lost.contains(&self.in_truth(found, truth))
    }

    fn same_kind(&self, found: &str, true_kind: &str, truth: &Truth) -> bool {
        let number = truth
            .kinds
            .iter()
            .position(|kind| kind == true_kind)
            .unwrap();
        let lost = format!("kind {number}");
        found == true_kind || self.lost_terms.contains(&lost) && found == format!("lost {lost}")
    }

    pub(super) fn node_is_whole(&self, found: &TrueNode, node: &TrueNode, truth: &Truth) -> bool {
        self.same_kind(&found.0, &node.0, truth) && found.1 == node.1 && found.2 == node.2
    }

    /// What differs without being reported.
    pub(super) fn node_differs(
        &self,
        id: u64,
        found: &TrueNode,
        node: &TrueNode,
        truth: &Truth,
    ) -> Option<&'static str> {
        let bare = self.bare.contains(&id);
        let kind = self.same_kind(&found.0, &node.0, truth)
            || (bare || self.kind_lost.contains(&id)) && found.0 == "lost node";
        let name =
            found.1 == node.1 || (bare || self.name_lost.contains(&id)) && found.1.is_empty();
        let data = found.2 == node.2 || self.data_lost.contains(&id) && found.2.is_empty();
        match (kind, name, data) {
            (false, ..) => Some("another kind"),
            (_, false, _) => Some("another name"),
            (_, _, false) => Some("other data"),
            _ => None,
        }
    }
}
