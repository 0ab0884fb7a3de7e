//! Pages through a traversal's own cache.

use std::cell::RefCell;

use super::cache::TraversalCache;
use crate::error::Result;
use crate::format::node::BlobRef;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PageGuard, Pager, Pages};

/// The pager behind a traversal cache.
pub(super) struct CachedPages<'a> {
    pager: &'a Pager,
    cache: RefCell<&'a mut TraversalCache>,
}

impl<'a> CachedPages<'a> {
    pub(super) fn new(pager: &'a Pager, cache: &'a mut TraversalCache) -> CachedPages<'a> {
        CachedPages { pager, cache: RefCell::new(cache) }
    }
}

impl Pages for CachedPages<'_> {
    fn page(&self, at: PageRef, space: KeySpace, level: u8) -> Result<PageGuard> {
        let mut cache = self.cache.borrow_mut();
        if let Some(page) = cache.get(at) {
            self.pager.expect(&page, space, level)?;
            return Ok(page);
        }
        let page = self.pager.page(at, space, level)?;
        cache.insert(page.clone());
        Ok(page)
    }

    fn blob(&self, at: BlobRef) -> Result<Vec<u8>> {
        self.pager.blob(at)
    }

    fn page_size(&self) -> usize {
        self.pager.page_size()
    }
}
