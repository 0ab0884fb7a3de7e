//! Looking up one item.

use super::descent::Descent;
use super::nodes::StoredNode;
use super::space::Space;
use crate::error::{Error, Result};
use crate::format::bytes::u48_be;
use crate::format::header::Root;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PageGuard, Pages};

/// The leaf that holds this key, or would.
#[inline]
fn leaf(pages: &impl Pages, root: Root, space: KeySpace, key: &[u8]) -> Result<Option<PageGuard>> {
    let Some(mut at) = root.page else { return Ok(None) };
    for level in (1..root.height).rev() {
        let branch = pages.page(at, space, level)?;
        let view = branch.sorted().ok_or_else(|| broken(pages, at))?;
        at = view.child(view.child_for(key));
    }
    pages.page(at, space, 0).map(Some)
}

#[cold]
fn broken(pages: &impl Pages, at: PageRef) -> Error {
    Error::corrupt_page(at.page(), pages.page_size(), "a page of a tree is not of its kind")
}

/// The node with this id.
pub(crate) fn find_node(pages: &impl Pages, root: Root, id: u64) -> Result<Option<StoredNode>> {
    let Some(leaf) = leaf(pages, root, KeySpace::Nodes, &u48_be(id))? else { return Ok(None) };
    let view = leaf.sorted().ok_or_else(|| broken(pages, leaf.at()))?;
    let Some(slot) = view.find_u48(id) else { return Ok(None) };
    let cell = view.value_range(slot);
    Ok(Some(StoredNode::Leaf { leaf, cell }))
}

/// The item with this key.
pub(crate) fn find_entry<S: Space>(pages: &impl Pages, root: Root, key: &S::Key) -> Result<Option<S::Stored>> {
    let mut encoded = Vec::new();
    S::encode_key(key, &mut encoded);
    let Some(leaf) = leaf(pages, root, S::SPACE, &encoded)? else { return Ok(None) };
    let items = S::items(&leaf)
        .map_err(|rule| Error::corrupt_page(leaf.at().page(), pages.page_size(), rule.0))?;
    let found = items.binary_search_by(|(found, _)| found.cmp(key)).ok();
    Ok(found.and_then(|index| items.into_iter().nth(index)).map(|(_, stored)| stored))
}

/// The last item whose key is not greater than this one.
pub(crate) fn find_floor<S: Space>(
    pages: &impl Pages,
    root: Root,
    key: &S::Key,
) -> Result<Option<(S::Key, S::Stored)>> {
    let mut encoded = Vec::new();
    S::encode_key(key, &mut encoded);
    let mut descent = Descent::new(pages, S::SPACE, root, 0);
    descent.seek(&encoded)?;
    // A separator may be less than every key of its leaf: the item then is the last one before.
    for _ in 0..2 {
        let Some(leaf) = descent.page()? else { return Ok(None) };
        let items = S::items(&leaf)
            .map_err(|rule| Error::corrupt_page(leaf.at().page(), pages.page_size(), rule.0))?;
        let after = items.partition_point(|(found, _)| found <= key);
        if let Some(index) = after.checked_sub(1) {
            return Ok(items.into_iter().nth(index));
        }
        if !descent.retreat()? {
            return Ok(None);
        }
    }
    Ok(None)
}

/// The pages from the root to the leaf of this key, with their levels.
pub(crate) fn path_to(pages: &impl Pages, root: Root, space: KeySpace, key: &[u8]) -> Result<Vec<(u64, u8)>> {
    let mut path = Vec::new();
    let Some(mut at) = root.page else { return Ok(path) };
    for level in (1..root.height).rev() {
        path.push((at.page(), level));
        let branch = pages.page(at, space, level)?;
        let view = branch.sorted().ok_or_else(|| broken(pages, at))?;
        at = view.child(view.child_for(key));
    }
    path.push((at.page(), 0));
    Ok(path)
}
