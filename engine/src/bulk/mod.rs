//! Bulk loading: sort, then build the trees bottom-up, as one transaction in bounded memory.

mod copy;
mod edges;
mod nodes;
mod records;
mod sorter;

use std::sync::Arc;

use crate::delta::{Batch, Delta};
use crate::error::Result;
use crate::forensics::count;
use crate::format::header::Root;
use crate::graph::{Totals, View};
use crate::ids::NodeId;
use crate::store::{CommitReport, Held, Store, Trees};

pub(crate) use copy::copy;
use sorter::Scratch;

/// Items between two calls of the progress function.
const PROGRESS_STEP: u64 = 10_000;

/// A node to load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkNode {
    /// Its id, greater than that of the node before; `None` takes the next one.
    pub id: Option<NodeId>,
    /// Its kind: 1 to 255 bytes.
    pub kind: String,
    /// Its name: at most 1,024 bytes.
    pub name: String,
    /// Its data: at most 64 MiB.
    pub data: Vec<u8>,
}

/// An edge to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkEdge {
    /// The node it leaves.
    pub source: NodeId,
    /// Its label: 1 to 255 bytes.
    pub label: String,
    /// The node it enters.
    pub target: NodeId,
    /// Its data: at most 64 MiB.
    pub data: Vec<u8>,
}

/// What a bulk load is doing, told every 10,000 items and at the end of each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BulkProgress {
    /// Nodes taken from the iterator and written.
    Nodes(u64),
    /// Edges taken from the iterator and sorted.
    Edges(u64),
    /// Edges written in the order of their sources.
    Out(u64),
    /// Edges written in the order of their targets.
    In(u64),
}

/// What a bulk load did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BulkReport {
    /// Nodes loaded.
    pub nodes: u64,
    /// Edges loaded.
    pub edges: u64,
    /// Its commit.
    pub commit: CommitReport,
}

/// A load under way: private trees, and what they will amount to.
struct Load<'a, P> {
    store: &'a Store,
    trees: Held<Trees>,
    roots: [Root; 7],
    totals: Totals,
    /// The state before the load, with all of it in the trees.
    view: View,
    /// Kinds and labels defined on the way.
    dictionary: Batch,
    /// Runs of ids that the load skipped: first and length, ascending.
    gaps: Vec<(u64, u64)>,
    scratch: Scratch,
    progress: P,
}

pub(crate) fn load<P: FnMut(BulkProgress)>(
    store: &Arc<Store>,
    nodes: impl IntoIterator<Item = Result<BulkNode>>,
    edges: impl IntoIterator<Item = Result<(BulkEdge, Option<u32>)>>,
    progress: P,
) -> Result<BulkReport> {
    let writer = store.begin_bulk()?;
    count!(store.tally, BulkLoads);
    let mut trees = store.trees.acquire();
    store.drain_in(&mut trees)?;
    let state = store.tip();
    let mut load = Load {
        store,
        roots: trees.header().roots,
        trees,
        totals: state.totals,
        view: store.view(&state),
        dictionary: Batch::default(),
        gaps: Vec::new(),
        scratch: Scratch::new(&store.files, &store.tally),
        progress,
    };
    let (nodes, edges) = load.run(nodes, edges)?;
    let Load {
        trees,
        roots,
        totals,
        view,
        ..
    } = load;
    // The view pins the old trees, whose pages the commit gives back.
    drop(view);
    let commit = store.commit_flip(writer, trees, roots, totals)?;
    Ok(BulkReport {
        nodes,
        edges,
        commit,
    })
}

impl<P: FnMut(BulkProgress)> Load<'_, P> {
    fn run(
        &mut self,
        nodes: impl IntoIterator<Item = Result<BulkNode>>,
        edges: impl IntoIterator<Item = Result<(BulkEdge, Option<u32>)>>,
    ) -> Result<(u64, u64)> {
        let nodes = self.load_nodes(nodes.into_iter())?;
        let edges = self.load_edges(edges.into_iter())?;
        let mut dictionary = Delta::default();
        dictionary.apply(std::mem::take(&mut self.dictionary));
        crate::store::merge_all(&dictionary, &mut self.roots, &mut self.trees.writer()?)?;
        Ok((nodes, edges))
    }

    /// Sorters that work at the same time share the write buffer's budget.
    fn sort_budget(&self, sorters: usize) -> usize {
        self.store.options.write_buffer_bytes / sorters
    }
}
