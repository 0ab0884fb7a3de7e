//! The freelist of the newest state, as far as it can be read.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use vellum::PageRef;
use vellum::format::header::Header;
use vellum::format::page::PageKind;

use super::picture::{is_tree, newest_birth};
use super::scan::Scan;

/// Which pages are free, and of which that is known.
pub(super) struct Free {
    /// Runs: first page, and the page after the last.
    runs: BTreeMap<u64, u64>,
    /// Pages of which the freelist says nothing, because a part of it is lost.
    unknown: Vec<Range<u64>>,
    /// The pages of the chain.
    pub(super) chain: Vec<PageRef>,
    /// Pages of the chain that cannot be read.
    pub(super) lost: Vec<PageRef>,
}

impl Free {
    /// The freelist of a state; without a header that of the youngest chain, if nothing is younger.
    pub(super) fn of(scan: &Scan<'_>, header: Option<&Header>) -> Free {
        let mut free = Free {
            runs: BTreeMap::new(),
            unknown: Vec::new(),
            chain: Vec::new(),
            lost: Vec::new(),
        };
        let start = match header {
            Some(header) => header.freelist,
            None => match youngest(scan) {
                Some(start) => Some(start),
                None => {
                    free.unknown.push(0..u64::MAX);
                    return free;
                }
            },
        };
        free.follow(scan, start);
        free
    }

    /// Runs ascend over the whole chain. Its pages are written last to first, each with the birth
    /// after that of the one before, so a page after one that is lost can be told by its birth.
    fn follow(&mut self, scan: &Scan<'_>, start: Option<PageRef>) {
        let by_birth: HashMap<u64, PageRef> = scan
            .facts
            .values()
            .filter(|fact| fact.kind == PageKind::Freelist)
            .map(|fact| (fact.at.birth(), fact.at))
            .collect();
        let mut next = start;
        let mut known_to = 0;
        let mut gap = false;
        // Births fall along the chain, so it ends; a chain that names a younger page is no chain.
        let mut births = u64::MAX;
        while let Some(at) = next {
            if at.birth() >= births {
                gap = true;
                break;
            }
            births = at.birth();
            self.chain.push(at);
            let fact = scan
                .facts
                .get(&at.page())
                .filter(|fact| fact.at == at && fact.kind == PageKind::Freelist);
            let Some(fact) = fact else {
                self.lost.push(at);
                gap = true;
                next = at
                    .birth()
                    .checked_sub(1)
                    .and_then(|birth| by_birth.get(&birth))
                    .copied();
                continue;
            };
            if let (true, Some(first)) = (gap, fact.runs.first()) {
                self.unknown.push(known_to..first.first);
                gap = false;
            }
            for run in &fact.runs {
                self.runs.insert(run.first, run.end());
                known_to = run.end();
            }
            next = fact.next;
        }
        if gap {
            self.unknown.push(known_to..u64::MAX);
        }
    }

    /// Whether the page is on the freelist.
    pub(super) fn lists(&self, page: u64) -> bool {
        self.runs
            .range(..=page)
            .next_back()
            .is_some_and(|(_, end)| page < *end)
    }

    /// Whether the freelist would list the page if it were free.
    pub(super) fn knows(&self, page: u64) -> bool {
        !self.unknown.iter().any(|range| range.contains(&page))
    }
}

/// The first page of the youngest chain, unless a page of a tree is younger: then a change followed
/// it, or a younger chain is lost.
fn youngest(scan: &Scan<'_>) -> Option<PageRef> {
    let of = |wanted: fn(PageKind) -> bool| {
        scan.facts
            .values()
            .filter(move |fact| wanted(fact.kind))
            .map(|fact| fact.at)
            .max_by_key(|at| at.birth())
    };
    let chain = of(|kind| kind == PageKind::Freelist)?;
    let tree = of(is_tree);
    tree.is_none_or(|tree| tree.birth() < chain.birth())
        .then_some(chain)
}

/// Whether a whole freelist is younger than everything that this state refers to. A freelist is the
/// last that a state writes before its slot, so a newer state was written completely.
pub(super) fn is_younger(scan: &Scan<'_>, header: &Header) -> bool {
    let newest = newest_birth(header);
    let whole = || Free::of(scan, None).unknown.is_empty();
    youngest(scan).is_some_and(|chain| Some(chain.birth()) > newest) && whole()
}
