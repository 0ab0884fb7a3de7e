//! The pager behind a traversal's own cache.

use std::cell::RefCell;
use std::sync::Arc;

use super::cache::TraversalCache;
use crate::error::Result;
use crate::forensics::{Tally, count};
use crate::format::node::BlobRef;
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PageGuard, Pager, Pages};

/// Pages from the traversal's cache, else from the pager.
pub(super) struct TraversalPages<'c> {
    pager: &'c Pager,
    // Pages are asked for through a shared reference; each call borrows for its own length only.
    cache: RefCell<&'c mut TraversalCache>,
}

impl<'c> TraversalPages<'c> {
    pub(super) fn new(pager: &'c Arc<Pager>, cache: &'c mut TraversalCache) -> TraversalPages<'c> {
        cache.serve(pager);
        TraversalPages {
            pager,
            cache: RefCell::new(cache),
        }
    }
}

impl Pages for TraversalPages<'_> {
    #[inline]
    fn page(&self, at: PageRef, space: KeySpace, level: u8) -> Result<PageGuard> {
        let mut cache = self.cache.borrow_mut();
        // A page that is not what its reference expects is left to the pager, which says so.
        let expected = |page: &PageGuard| page.space() == Some(space) && page.level() == level;
        count!(self.tally(), TraversalAccesses);
        if let Some(page) = cache.get(at).filter(expected) {
            count!(self.tally(), page_of_walk(&page));
            return Ok(page);
        }
        count!(self.tally(), TraversalMisses);
        let page = self.pager.page(at, space, level)?.into_private();
        cache.keep(page.clone());
        Ok(page)
    }

    fn blob(&self, at: BlobRef) -> Result<Vec<u8>> {
        self.pager.blob(at)
    }

    fn page_size(&self) -> usize {
        self.pager.page_size()
    }

    fn tally(&self) -> &Tally {
        self.pager.tally()
    }
}
