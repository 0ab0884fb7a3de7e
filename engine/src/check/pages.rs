//! Page accounting: every page is reached exactly once or is on the freelist, never both.

use super::{CheckReport, LISTED_PER_RULE};
use crate::btree::{Absent, Dictionary, Finding, In, Kinds, Names, Nodes, Out, Space, check_tree};
use crate::error::Result;
use crate::format::header::{Header, Root, first_data_page};
use crate::pager::{Pager, read_freelist};

/// One bit a page.
struct PageSet {
    bits: Vec<u64>,
    count: u64,
}

impl PageSet {
    fn new(pages: u64) -> PageSet {
        let words = usize::try_from(pages.div_ceil(64)).unwrap_or(usize::MAX);
        PageSet {
            bits: vec![0; words],
            count: 0,
        }
    }

    fn contains(&self, page: u64) -> bool {
        let word = usize::try_from(page / 64)
            .ok()
            .and_then(|word| self.bits.get(word));
        word.is_some_and(|word| word >> (page % 64) & 1 == 1)
    }

    /// `false` if it was there, or is out of range.
    fn insert(&mut self, page: u64) -> bool {
        let word = usize::try_from(page / 64)
            .ok()
            .and_then(|word| self.bits.get_mut(word));
        let Some(word) = word else { return false };
        let fresh = *word >> (page % 64) & 1 == 0;
        *word |= 1 << (page % 64);
        self.count += u64::from(fresh);
        fresh
    }
}

struct Accounts<'a> {
    pager: &'a Pager,
    header: &'a Header,
    reached: PageSet,
    findings: Vec<Finding>,
}

/// Checks all trees and the freelist. Returns whether the trees can be read.
pub(super) fn check(pager: &Pager, header: &Header, report: &mut CheckReport) -> Result<bool> {
    let mut accounts = Accounts {
        pager,
        header,
        reached: PageSet::new(header.page_count),
        findings: Vec::new(),
    };
    accounts.tree::<Nodes>()?;
    accounts.tree::<Out>()?;
    accounts.tree::<In>()?;
    accounts.tree::<Names>()?;
    accounts.tree::<Kinds>()?;
    accounts.tree::<Dictionary>()?;
    accounts.tree::<Absent>()?;
    let intact = accounts.findings.is_empty();
    let free = accounts.freelist()?;
    if intact {
        accounts.compare(&free);
    }
    report.pages_reached = accounts.reached.count;
    report.pages_free = free.count;
    report.findings.append(&mut accounts.findings);
    Ok(intact)
}

impl Accounts<'_> {
    fn tree<S: Space>(&mut self) -> Result<()> {
        let root: Root = self.header.roots[S::SPACE.index()];
        let (reached, page_count) = (&mut self.reached, self.header.page_count);
        let mut twice = Vec::new();
        check_tree::<S>(
            self.pager,
            root,
            |page| {
                let fresh = page < page_count && reached.insert(page);
                if !fresh {
                    twice.push(page);
                }
                fresh
            },
            &mut self.findings,
        )?;
        for page in twice.into_iter().take(LISTED_PER_RULE) {
            let what = format!(
                "reached twice, or beyond the end, in the tree of {}",
                S::SPACE
            );
            self.findings.push(Finding::new(Some(page), what));
        }
        Ok(())
    }

    fn freelist(&mut self) -> Result<PageSet> {
        let mut free = PageSet::new(self.header.page_count);
        let first = first_data_page(self.header.page_size);
        let chain = match read_freelist(self.pager, self.header) {
            Ok(chain) => chain,
            Err(error) => {
                super::finding(error, &mut self.findings)?;
                return Ok(free);
            }
        };
        for at in chain.pages {
            if !self.reached.insert(at.page()) {
                self.findings.push(Finding::new(
                    Some(at.page()),
                    "a freelist page is in use elsewhere",
                ));
            }
        }
        for run in chain.runs {
            for page in run.first
                ..run
                    .first
                    .saturating_add(run.len)
                    .min(self.header.page_count)
            {
                if page < first || !free.insert(page) {
                    self.findings.push(Finding::new(
                        Some(page),
                        "on the freelist twice, or a header page",
                    ));
                }
            }
        }
        if free.count != self.header.free_pages {
            let what = format!(
                "the freelist holds {} pages, the header says {}",
                free.count, self.header.free_pages
            );
            self.findings.push(Finding::new(None, what));
        }
        Ok(free)
    }

    fn compare(&mut self, free: &PageSet) {
        let mut leaked = 0u64;
        for page in first_data_page(self.header.page_size)..self.header.page_count {
            let (reached, free) = (self.reached.contains(page), free.contains(page));
            if reached && free {
                self.findings
                    .push(Finding::new(Some(page), "both in use and on the freelist"));
            }
            if !reached && !free {
                leaked += 1;
                if leaked <= LISTED_PER_RULE as u64 {
                    self.findings.push(Finding::new(
                        Some(page),
                        "neither in use nor on the freelist",
                    ));
                }
            }
        }
        if leaked > LISTED_PER_RULE as u64 {
            let what = format!("{leaked} pages are neither in use nor on the freelist");
            self.findings.push(Finding::new(None, what));
        }
    }
}
