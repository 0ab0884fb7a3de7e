//! Data that stands in pages of its own.

use std::collections::HashSet;

use vellum::PageRef;
use vellum::format::blob::Extent;
use vellum::format::node::BlobRef;

use crate::failure::Failure;

use super::scan::Scan;

/// The bytes of a blob, or the page that cannot be read.
pub(super) fn read(scan: &Scan<'_>, blob: BlobRef) -> Result<Result<Vec<u8>, u64>, Failure> {
    let mut out = Vec::new();
    let mut index = Some(blob.index);
    // A chain that comes back to a page is none, whatever its bytes add up to.
    let mut passed = HashSet::new();
    while let Some(at) = index {
        if !passed.insert(at) {
            break;
        }
        let read = scan.with(at, |page| {
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
            if !append(scan, at, blob.len, &mut out)? {
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

fn append(scan: &Scan<'_>, at: PageRef, len: u64, out: &mut Vec<u8>) -> Result<bool, Failure> {
    let read = scan.with(at, |page| {
        let data = page.blob_data()?;
        let left = usize::try_from(len)
            .unwrap_or(usize::MAX)
            .saturating_sub(out.len());
        out.extend_from_slice(data.get(..left.min(data.len()))?);
        Some(())
    })?;
    Ok(read.flatten().is_some())
}
