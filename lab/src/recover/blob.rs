//! Data that stands in pages of its own.

use std::collections::HashSet;

use vellum::PageRef;
use vellum::format::blob::Extent;
use vellum::format::node::BlobRef;
use vellum::format::page::Page;
use vellum::inspect::PageFile;

use crate::failure::Failure;

/// Where pages are read from.
pub(crate) trait Pages {
    /// Hands a readable page over, if there is one with this reference.
    fn with<T>(&self, at: PageRef, read: impl FnOnce(&Page) -> T) -> Result<Option<T>, Failure>;
}

impl Pages for PageFile {
    fn with<T>(&self, at: PageRef, read: impl FnOnce(&Page) -> T) -> Result<Option<T>, Failure> {
        if at.page() >= self.page_count() {
            return Ok(None);
        }
        Ok(self.at(at)?.page.ok().map(|page| read(&page)))
    }
}

/// The bytes of a blob, or the page that cannot be read.
pub(crate) fn read(pages: &impl Pages, blob: BlobRef) -> Result<Result<Vec<u8>, u64>, Failure> {
    let mut out = Vec::new();
    let mut index = Some(blob.index);
    // A chain that comes back to a page is none, whatever its bytes add up to.
    let mut passed = HashSet::new();
    while let Some(at) = index {
        if !passed.insert(at) {
            break;
        }
        let read = pages.with(at, |page| {
            let view = page.blob_index().filter(|view| view.len() == blob.len)?;
            Some((view.extents().collect::<Vec<Extent>>(), view.next()))
        })?;
        let Some((extents, next)) = read.flatten() else {
            return Ok(Err(at.page()));
        };
        let before = out.len();
        for at in extents
            .iter()
            .flat_map(|extent| (0..extent.pages).map_while(|j| extent.page_ref(j)))
        {
            if !append(pages, at, blob.len, &mut out)? {
                return Ok(Err(at.page()));
            }
            if out.len() as u64 == blob.len {
                return Ok(Ok(out));
            }
        }
        // Each index page adds bytes, so the chain ends.
        if out.len() == before {
            return Ok(Err(at.page()));
        }
        index = next;
    }
    Ok(Err(blob.index.page()))
}

fn append(pages: &impl Pages, at: PageRef, len: u64, out: &mut Vec<u8>) -> Result<bool, Failure> {
    let read = pages.with(at, |page| {
        let data = page.blob_data()?;
        let left = usize::try_from(len)
            .unwrap_or(usize::MAX)
            .saturating_sub(out.len());
        out.extend_from_slice(data.get(..left.min(data.len()))?);
        Some(())
    })?;
    Ok(read.flatten().is_some())
}
