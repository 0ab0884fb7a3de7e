//! Looking up one item.

use std::ops::Range;

use super::descent::Descent;
use super::dictionary::run_value;
use super::names::NameKey;
use super::nodes::StoredNode;
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::bytes::u48_be;
use crate::format::header::Root;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PageGuard, Pages};

/// The leaf that holds this key, or would.
#[inline]
pub(super) fn leaf(
    pages: &impl Pages,
    root: Root,
    space: KeySpace,
    key: &[u8],
) -> Result<Option<PageGuard>> {
    let Some(mut at) = root.page else {
        return Ok(None);
    };
    count!(pages.tally(), Descents);
    count!(pages.tally(), DescentPages, root.height.saturating_sub(1));
    for level in (1..root.height).rev() {
        let branch = pages.page(at, space, level)?;
        let view = branch.sorted().ok_or_else(|| broken(pages, at))?;
        at = view.child(view.child_for(key));
    }
    pages.page(at, space, 0).map(Some)
}

#[cold]
fn broken(pages: &impl Pages, at: PageRef) -> Error {
    Error::corrupt_page(
        at.page(),
        pages.page_size(),
        "a page of a tree is not of its kind",
    )
}

/// The node with this id.
pub(crate) fn find_node(pages: &impl Pages, root: Root, id: u64) -> Result<Option<StoredNode>> {
    let Some(leaf) = leaf(pages, root, KeySpace::Nodes, &u48_be(id))? else {
        return Ok(None);
    };
    let view = leaf.sorted().ok_or_else(|| broken(pages, leaf.at()))?;
    let Some(slot) = view.find_u48(id) else {
        return Ok(None);
    };
    let cell = view.value_range(slot);
    Ok(Some(StoredNode::Leaf { leaf, cell }))
}

/// The cell with this key, on leaves that are sorted pages.
pub(crate) fn find_cell(
    pages: &impl Pages,
    root: Root,
    space: KeySpace,
    key: &[u8],
) -> Result<Option<(PageGuard, Range<usize>)>> {
    let Some(leaf) = leaf(pages, root, space, key)? else {
        return Ok(None);
    };
    let view = leaf.sorted().ok_or_else(|| broken(pages, leaf.at()))?;
    let Ok(slot) = view.search(key) else {
        return Ok(None);
    };
    let cell = view.value_range(slot);
    Ok(Some((leaf, cell)))
}

/// Whether the name index has this entry.
pub(crate) fn find_name(pages: &impl Pages, root: Root, key: &NameKey) -> Result<bool> {
    let Some(leaf) = leaf(pages, root, KeySpace::Names, key.as_bytes())? else {
        return Ok(false);
    };
    let view = leaf.names().ok_or_else(|| broken(pages, leaf.at()))?;
    Ok(view.holds(key.as_bytes()))
}

/// The run of absent ids that begins at this id or, if none does, the last that begins before: its
/// first id and its value.
pub(crate) fn find_absent(pages: &impl Pages, root: Root, id: u64) -> Result<Option<(u64, u64)>> {
    // Every insertion of an edge asks, and in most databases no id is absent.
    if root.page.is_none() {
        return Ok(None);
    }
    let key = u48_be(id);
    let mut descent = Descent::new(pages, KeySpace::Absent, root, 0);
    descent.seek(&key)?;
    // A separator may be less than every key of its leaf: the item then is the last one before.
    for _ in 0..2 {
        let Some(leaf) = descent.page()? else {
            return Ok(None);
        };
        let view = leaf.sorted().ok_or_else(|| broken(pages, leaf.at()))?;
        let end = view.search(&key).map_or_else(|end| end, |slot| slot + 1);
        if let Some(slot) = (0..end).rev().find(|slot| !view.is_absent(*slot)) {
            let value = run_value(view.value(slot))
                .map_err(|rule| Error::corrupt_page(leaf.at().page(), pages.page_size(), rule.0))?;
            return Ok(Some((view.key_u48(slot), value)));
        }
        if !descent.retreat()? {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The pages from the root to the leaf of this key, with their levels.
pub(crate) fn path_to(
    pages: &impl Pages,
    root: Root,
    space: KeySpace,
    key: &[u8],
) -> Result<Vec<(u64, u8)>> {
    let mut path = Vec::new();
    let Some(mut at) = root.page else {
        return Ok(path);
    };
    for level in (1..root.height).rev() {
        path.push((at.page(), level));
        let branch = pages.page(at, space, level)?;
        let view = branch.sorted().ok_or_else(|| broken(pages, at))?;
        at = view.child(view.child_for(key));
    }
    path.push((at.page(), 0));
    Ok(path)
}
