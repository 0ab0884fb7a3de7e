//! Branches: separators and children, merged by the same code as leaves.

use super::space::LeafBuilder;
use crate::format::page::put_ref;
use crate::format::sorted::SortedBuilder;
use crate::ids::{KeySpace, PageRef};
use crate::pager::PageGuard;

/// Separators and children of a branch page, in order.
pub(super) fn children(page: &PageGuard) -> Vec<(Vec<u8>, PageRef)> {
    let Some(view) = page.sorted() else {
        return Vec::new();
    };
    let mut separator = Vec::new();
    (0..view.len())
        .map(|i| {
            view.key(i, &mut separator);
            (separator.clone(), view.child(i))
        })
        .collect()
}

/// Encodes branch pages.
pub(super) struct BranchBuilder {
    page: SortedBuilder,
    cell: Vec<u8>,
}

impl LeafBuilder<Vec<u8>, PageRef> for BranchBuilder {
    fn new(page_size: usize, space: KeySpace, level: u8) -> BranchBuilder {
        BranchBuilder {
            page: SortedBuilder::new(page_size, space, level),
            cell: Vec::new(),
        }
    }

    fn push(&mut self, separator: &Vec<u8>, child: &PageRef) -> bool {
        self.cell.clear();
        put_ref(&mut self.cell, Some(*child));
        self.page.push(separator, &self.cell)
    }

    fn is_empty(&self) -> bool {
        self.page.is_empty()
    }

    fn size(&self) -> usize {
        self.page.size()
    }

    fn finish(&mut self) -> Box<[u8]> {
        self.page.finish()
    }
}
