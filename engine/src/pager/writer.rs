//! Writing the new pages of a change.

use std::cell::Cell;
use std::rc::Rc;

use super::allocator::Allocator;
use super::stage::Step;
use super::{PageSink, Pager, Pages, Steps};
use crate::error::{Error, Result};
use crate::forensics::{Site, count};
use crate::format::blob::{Extent, data_capacity, encode_data, encode_index, index_capacity};
use crate::format::freelist;
use crate::format::node::BlobRef;
use crate::format::page::{PageKind, seal};
use crate::ids::{MAX_U48, PageRef};

/// Consecutive pages are gathered up to this many bytes before they are written.
const GATHER_BYTES: usize = 256 << 10;

/// Makes births durable before they are used.
pub(crate) trait BirthReserve {
    /// Reserves more births and returns the new limit.
    fn reserve(&mut self) -> Result<u64>;
}

/// The births that this owner of the file may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Births {
    next: u64,
    limit: u64,
}

impl Births {
    /// None yet: everything below the limit may have been used by an earlier owner.
    pub(crate) fn from(limit: u64) -> Births {
        Births { next: limit, limit }
    }

    /// The birth to be used next.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    pub(crate) fn extend_to(&mut self, limit: u64) {
        self.limit = self.limit.max(limit);
    }

    fn take(&mut self, reserve: &mut dyn BirthReserve) -> Result<u64> {
        if self.next >= self.limit {
            self.limit = reserve.reserve()?;
        }
        let birth = self.next;
        if birth > MAX_U48 || birth >= self.limit {
            return Err(Error::Limit {
                what: "pages ever written",
                max: MAX_U48,
                got: birth,
            });
        }
        self.next += 1;
        Ok(birth)
    }
}

/// Writes the pages of one change. What it has gathered is written by [`flush`](PageWriter::flush).
pub(crate) struct PageWriter<'a> {
    pager: &'a Pager,
    allocator: &'a mut Allocator,
    births: &'a mut Births,
    reserve: &'a mut dyn BirthReserve,
    gathered: Vec<u8>,
    gathered_from: u64,
    /// Pages given up so far, for whoever feeds a merge that holds the writer.
    dropped: Rc<Cell<u64>>,
    /// Who writes.
    site: Site,
}

impl<'a> PageWriter<'a> {
    pub(crate) fn new(
        pager: &'a Pager,
        allocator: &'a mut Allocator,
        births: &'a mut Births,
        reserve: &'a mut dyn BirthReserve,
        site: Site,
    ) -> PageWriter<'a> {
        allocator.begin_change(births.next());
        PageWriter {
            pager,
            allocator,
            births,
            reserve,
            gathered: Vec::new(),
            gathered_from: 0,
            dropped: Rc::default(),
            site,
        }
    }

    pub(crate) fn pager(&self) -> &'a Pager {
        self.pager
    }

    /// How many pages were given up so far: a count that goes on while the writer is lent to somebody.
    pub(crate) fn dropped(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.dropped)
    }

    /// Bytes of a page.
    pub(crate) fn page_size(&self) -> usize {
        self.pager.page_size()
    }

    /// Does what a merge elsewhere left to do, and returns the pages it wrote, in order.
    pub(crate) fn write_staged(&mut self, steps: Steps) -> Result<Vec<PageRef>> {
        let mut written = Vec::new();
        for step in steps.0 {
            match step {
                Step::Write(image) => written.push(self.write(image)?),
                Step::Drop(at) => self.drop_page(at),
            }
        }
        Ok(written)
    }

    fn write_to(&mut self, page: u64, mut image: Box<[u8]>) -> Result<PageRef> {
        let birth = self.births.take(self.reserve)?;
        let at = PageRef::new(page, birth).ok_or(Error::Limit {
            what: "pages of a file",
            max: MAX_U48,
            got: page,
        })?;
        seal(&mut image, at, self.pager.file_id());
        self.pager.unsynced(birth);
        self.gather(page, &image)?;
        count!(self.pager.tally(), page_written(at, &image, self.site));
        Ok(at)
    }

    fn gather(&mut self, page: u64, image: &[u8]) -> Result<()> {
        let pages = (self.gathered.len() / self.pager.page_size()) as u64;
        if page != self.gathered_from + pages || self.gathered.len() >= GATHER_BYTES {
            self.flush()?;
        }
        if self.gathered.is_empty() {
            self.gathered_from = page;
        }
        self.gathered.extend_from_slice(image);
        Ok(())
    }

    /// Hands everything written so far to the operating system.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let offset = self.gathered_from * self.pager.page_size() as u64;
        let written = self.pager.file().write_at(offset, &self.gathered);
        let bytes = self.gathered.len();
        self.gathered.clear();
        written
            .map_err(|e| Error::io(format!("writing pages from page {}", self.gathered_from), e))?;
        count!(self.pager.tally(), PageWrites);
        count!(self.pager.tally(), PageWrittenBytes, bytes);
        Ok(())
    }

    /// Writes data into pages of its own.
    pub(crate) fn write_blob(&mut self, data: &[u8]) -> Result<BlobRef> {
        let page_size = self.pager.page_size();
        let mut chunks = data.chunks(data_capacity(page_size)).peekable();
        let mut left = data.len().div_ceil(data_capacity(page_size)) as u64;
        let mut extents: Vec<Extent> = Vec::new();
        while left > 0 {
            let run = self.allocator.take_run(left, self.site);
            left -= run.len;
            for page in run.first..run.end() {
                let bytes = chunks.next().unwrap_or_default();
                let at = self.write_to(page, encode_data(page_size, bytes))?;
                // Births follow one another, unless an extent is cut by a reservation.
                match extents.last_mut() {
                    Some(last)
                        if last.page + u64::from(last.pages) == page
                            && last.birth + u64::from(last.pages) == at.birth() =>
                    {
                        last.pages += 1
                    }
                    _ => extents.push(Extent {
                        page,
                        pages: 1,
                        birth: at.birth(),
                    }),
                }
            }
        }
        self.write_index(data.len() as u64, &extents)
    }

    /// Index pages name the next one, so the last is written first.
    fn write_index(&mut self, total: u64, extents: &[Extent]) -> Result<BlobRef> {
        let page_size = self.pager.page_size();
        let mut next = None;
        for part in extents.chunks(index_capacity(page_size)).rev() {
            next = Some(self.write(encode_index(page_size, total, next, part))?);
        }
        let index = next.ok_or_else(|| Error::usage("a blob needs data"))?;
        Ok(BlobRef { index, len: total })
    }

    /// Says that the new state does not reach this blob.
    pub(crate) fn drop_blob(&mut self, blob: BlobRef) -> Result<()> {
        let pages = blob_pages(self.pager, blob)?;
        pages.into_iter().for_each(|at| self.drop_page(at));
        Ok(())
    }

    /// Writes the freelist of the new state, in place of the pages of the old one, and returns where
    /// it begins and how many pages it lists.
    pub(crate) fn write_freelist(&mut self, old: &[PageRef]) -> Result<(Vec<PageRef>, u64)> {
        old.iter()
            .for_each(|at| self.allocator.drop_page(*at, self.site));
        let page_size = self.pager.page_size();
        // Taking pages for the chain changes what is free, so the number needed is found by trying.
        let mut chain = Vec::new();
        let runs = loop {
            let runs = self.allocator.unreached();
            if pages_of(page_size, &runs).len() <= chain.len() {
                break runs;
            }
            chain.push(self.allocator.take(self.site));
        };
        let free_pages = runs.iter().map(|run| run.len).sum();
        let parts = pages_of(page_size, &runs);
        // A page taken in vain lists nothing; it stands last, where that is allowed.
        let parts = parts
            .into_iter()
            .chain(std::iter::repeat(&[][..]))
            .take(chain.len());
        let parts: Vec<&[freelist::Run]> = parts.collect();
        let mut next = None;
        let mut refs = Vec::new();
        for (page, part) in chain.into_iter().zip(parts).rev() {
            let image = freelist::encode(page_size, next, &mut part.iter().copied().peekable());
            let at = self.write_to(page, image)?;
            next = Some(at);
            refs.push(at);
        }
        refs.reverse();
        Ok((refs, free_pages))
    }
}

impl PageSink for PageWriter<'_> {
    /// Writes a page image to a page of its own.
    fn write(&mut self, image: Box<[u8]>) -> Result<PageRef> {
        let page = self.allocator.take(self.site);
        self.write_to(page, image)
    }

    fn drop_page(&mut self, at: PageRef) {
        self.dropped.set(self.dropped.get() + 1);
        self.allocator.drop_page(at, self.site);
    }
}

/// The runs, cut into what each page of a chain holds.
fn pages_of(page_size: usize, mut runs: &[freelist::Run]) -> Vec<&[freelist::Run]> {
    let mut pages = Vec::new();
    while !runs.is_empty() {
        let mut rest = runs.iter().copied().peekable();
        freelist::encode(page_size, None, &mut rest);
        let (part, left) = runs.split_at(runs.len() - rest.count());
        pages.push(part);
        runs = left;
    }
    pages
}

/// Every page of a blob.
pub(crate) fn blob_pages(pager: &Pager, blob: BlobRef) -> Result<Vec<PageRef>> {
    let mut pages = Vec::new();
    let mut index = Some(blob.index);
    let most = blob.len.div_ceil(data_capacity(pager.page_size()) as u64);
    let mut data_pages = 0;
    while let Some(at) = index {
        let page = pager.read_kind(at, PageKind::BlobIndex)?;
        let view = page
            .blob_index()
            .ok_or_else(|| pager.corrupt(at, "not a blob index"))?;
        pages.push(at);
        for extent in view.extents() {
            data_pages += u64::from(extent.pages);
            if data_pages > most {
                return Err(pager.corrupt(at, "a blob has more pages than bytes"));
            }
            pages.extend((0..extent.pages).filter_map(|j| extent.page_ref(j)));
        }
        index = view.next();
    }
    Ok(pages)
}
