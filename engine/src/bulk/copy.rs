//! A bulk build of an empty database from a snapshot: the whole of backup and compaction.

use std::sync::Arc;

use crate::btree::{
    Absent, Change, Dictionary, EdgeData, In, Kinds, Names, NodeRecord, Nodes, Out, StoredData,
    StoredNode, merge,
};
use crate::delta::Overlaid;
use crate::error::Result;
use crate::format::header::Root;
use crate::format::node::Data;
use crate::graph::View;
use crate::pager::Pages;
use crate::store::{Store, Trees};

/// Streams every key space of a snapshot into the empty trees of another database. The pages come
/// out full and in key order, so that they depend on the content alone.
pub(crate) fn copy(view: &View, target: &Arc<Store>) -> Result<()> {
    let writer = target.begin_bulk()?;
    let mut trees = target.trees.acquire();
    let roots = copy_spaces(view, &mut trees)?;
    target
        .commit_flip(writer, trees, roots, view.totals)
        .map(|_| ())
}

fn copy_spaces(view: &View, trees: &mut Trees) -> Result<[Root; 7]> {
    let mut roots = [Root::default(); 7];
    copy_space::<Dictionary>(view, trees, &mut roots, Ok)?;
    copy_space::<Nodes>(view, trees, &mut roots, |node| node_value(view, &node))?;
    copy_space::<Names>(view, trees, &mut roots, |()| Ok(()))?;
    copy_space::<Kinds>(view, trees, &mut roots, |()| Ok(()))?;
    copy_space::<Absent>(view, trees, &mut roots, Ok)?;
    copy_space::<Out>(view, trees, &mut roots, |data| edge_value(view, &data))?;
    copy_space::<In>(view, trees, &mut roots, |()| Ok(()))?;
    Ok(roots)
}

fn copy_space<S: Overlaid>(
    view: &View,
    trees: &mut Trees,
    roots: &mut [Root; 7],
    value: impl Fn(S::Stored) -> Result<S::Value>,
) -> Result<()> {
    let items = view.items::<S>(None).map(|item| {
        let (key, stored) = item?;
        Ok((key, Change::Put(value(stored)?)))
    });
    let root = &mut roots[S::SPACE.index()];
    *root = merge::<S>(*root, items, &mut trees.writer()?)?.0;
    Ok(())
}

fn node_value(view: &View, stored: &StoredNode) -> Result<Arc<NodeRecord>> {
    let page = stored.page().unwrap_or_default();
    let cell = stored.cell().map_err(|rule| view.broken(page, rule))?;
    let data = match cell.data {
        Data::Inline(bytes) => bytes.into(),
        Data::Blob(blob) => view.pager.blob(blob)?.into(),
    };
    Ok(Arc::new(NodeRecord {
        kind: cell.kind,
        name: cell.name.into(),
        data,
    }))
}

fn edge_value(view: &View, stored: &StoredData) -> Result<EdgeData> {
    match stored.inline() {
        Ok(bytes) => Ok(EdgeData::new(bytes)),
        Err(blob) => Ok(EdgeData::new(&view.pager.blob(blob)?)),
    }
}
