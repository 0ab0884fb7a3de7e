//! The freelist chain of a state.

use super::Pager;
use crate::error::Result;
use crate::format::freelist::Run;
use crate::format::header::{Header, first_data_page};
use crate::format::page::PageKind;
use crate::ids::PageRef;

/// A freelist as the file holds it.
#[derive(Default)]
pub(crate) struct Freelist {
    /// The chain's own pages.
    pub(crate) pages: Vec<PageRef>,
    /// What it lists, ascending.
    pub(crate) runs: Vec<Run>,
}

/// Reads the freelist that a header names.
pub(crate) fn read_freelist(pager: &Pager, header: &Header) -> Result<Freelist> {
    let mut list = Freelist::default();
    let mut next = header.freelist;
    let mut end = first_data_page(header.page_size).saturating_sub(1);
    let mut free_pages = 0u64;
    while let Some(at) = next {
        let page = pager.read_kind(at, PageKind::Freelist)?;
        let view = page
            .freelist()
            .ok_or_else(|| pager.corrupt(at, "not a freelist page"))?;
        let listed = list.runs.len();
        for run in view.runs() {
            let run = run.map_err(|rule| pager.corrupt(at, rule.0))?;
            if run.first <= end || run.end() > header.page_count {
                return Err(pager.corrupt(at, "free runs out of order or beyond the file"));
            }
            end = run.end();
            free_pages += run.len;
            list.runs.push(run);
        }
        list.pages.push(at);
        next = view.next();
        // Each page but the last lists something, and runs ascend: the chain ends.
        if next.is_some() && list.runs.len() == listed {
            return Err(pager.corrupt(at, "a freelist page lists nothing and is not the last"));
        }
    }
    if free_pages != header.free_pages {
        return Err(crate::error::Error::corrupt_at(
            0,
            "the freelist is not as long as the header says",
        ));
    }
    Ok(list)
}

#[cfg(test)]
mod tests;
