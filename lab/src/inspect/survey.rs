//! One look at every page, and one walk along the references of the newest state: what each page
//! holds, whether it is whole, and who uses it.

use std::collections::HashMap;

use vellum::format::blob::{Extent, data_capacity};
use vellum::format::edges::EdgeBlock;
use vellum::format::freelist::Run;
use vellum::format::header::{Header, SLOT_OFFSETS};
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::{Page, PageKind};
use vellum::inspect::{FoundPage, Mending, PageFile};
use vellum::{KeySpace, PageRef};

use crate::failure::Failure;

use super::source::Source;

/// Every page of a file.
pub(crate) struct Survey {
    /// The first page behind the header; `pages` begin with it.
    pub(crate) first: u64,
    pub(crate) pages: Vec<Seen>,
    /// Pages of the header's region that are there, and what is wrong with the slots on them.
    pub(crate) header: Vec<Vec<String>>,
    /// The state whose references were followed.
    pub(crate) state: Option<Header>,
    /// Places where a reference leads nowhere.
    pub(crate) broken: Vec<String>,
    /// Pages that the freelist lists, as far as its chain can be read.
    pub(crate) runs: Vec<Run>,
}

/// One page.
pub(crate) struct Seen {
    pub(crate) number: u64,
    pub(crate) birth: u64,
    pub(crate) found: Found,
    pub(crate) owner: Owner,
    /// What a verified page says of itself.
    pub(crate) what: Option<What>,
    /// Bytes up to the last that is not zero, and the checksum.
    pub(crate) used: usize,
    /// Bytes of a page.
    pub(crate) size: usize,
    links: Vec<Link>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct What {
    pub(crate) kind: PageKind,
    pub(crate) space: Option<KeySpace>,
    pub(crate) level: u8,
    pub(crate) count: usize,
    /// Nodes, edges, names of a leaf.
    pub(crate) items: u64,
}

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Whole,
    Blank,
    Damaged(&'static str),
    /// Damaged, and what was wrong is known: the page that it was, and where.
    Mendable(Mending, u64),
}

/// Who refers to the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A page of a tree, below this page, or the root.
    Tree {
        space: KeySpace,
        above: Option<u64>,
    },
    /// Data of a node or an edge in this page.
    Blob {
        space: KeySpace,
        above: u64,
    },
    /// The freelist itself, after this page.
    Freelist {
        above: Option<u64>,
    },
    /// On the freelist.
    Free,
    /// Beyond the pages that the state counts.
    Beyond,
    Nobody,
}

/// A reference that a page holds.
#[derive(Clone, Copy)]
enum Link {
    Child(PageRef),
    Blob(PageRef),
    /// Pages with data, each with the birth after that of the one before.
    Data(Extent),
    Next(PageRef),
}

/// What is wrong with the header slots, by the pages on which they stand.
fn header(source: &Source, first: u64) -> Vec<Vec<String>> {
    let page_size = source.pages.page_size() as u64;
    let there = source.pages.len().div_ceil(page_size).min(first);
    let mut pages = vec![Vec::new(); usize::try_from(there).unwrap_or(usize::MAX)];
    let slots = source.pages.slots().iter().zip(SLOT_OFFSETS);
    for (number, (slot, offset)) in slots.enumerate() {
        let page = usize::try_from(offset / page_size).unwrap_or(usize::MAX);
        if let (Err(problem), Some(page)) = (slot, pages.get_mut(page)) {
            page.push(format!("slot {number}: {problem}"));
        }
    }
    pages
}

impl Survey {
    /// Looks at the whole file.
    pub(crate) fn of(source: &Source) -> Result<Survey, Failure> {
        let file = &source.pages;
        let first = file.first_page();
        let mut runs = HashMap::new();
        let mut pages = Vec::new();
        for number in first..file.page_count() {
            let found = file.page(number)?;
            pages.push(look(file, &found)?);
            if let Some(list) = found.page.as_ref().ok().and_then(Page::freelist) {
                runs.insert(number, list.runs().flatten().collect::<Vec<Run>>());
            }
        }
        let mut survey = Survey {
            first,
            pages,
            header: header(source, first),
            state: source.newest(),
            broken: Vec::new(),
            runs: Vec::new(),
        };
        if let Some(state) = survey.state.clone() {
            survey.walk(&state);
            survey.free(&state, &mut runs);
        }
        Ok(survey)
    }

    pub(crate) fn page(&self, number: u64) -> Option<&Seen> {
        self.pages
            .get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn page_mut(&mut self, number: u64) -> Option<&mut Seen> {
        self.pages
            .get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// The pages that a branch refers to, in key order.
    pub(crate) fn children(&self, number: u64) -> Vec<PageRef> {
        let links = self
            .page(number)
            .map(|page| page.links.as_slice())
            .unwrap_or_default();
        let child = |link: &Link| match link {
            Link::Child(at) => Some(*at),
            _ => None,
        };
        links.iter().filter_map(child).collect()
    }

    /// The leaves of a tree in key order, as far as its branches are whole.
    pub(crate) fn leaves_in_order(&self, space: KeySpace) -> Vec<u64> {
        let root = self
            .state
            .as_ref()
            .and_then(|state| state.roots.get(space.index())?.page);
        let mut leaves = Vec::new();
        let mut waiting: Vec<(PageRef, Option<u64>)> =
            root.map(|root| (root, None)).into_iter().collect();
        while let Some((at, above)) = waiting.pop() {
            // Only the reference that took the page counts, so none is followed twice.
            let Some(page) = self
                .page(at.page())
                .filter(|page| page.owner == Owner::Tree { space, above })
            else {
                continue;
            };
            match page.what {
                Some(what) if what.level == 0 => leaves.push(page.number),
                Some(_) if page.found == Found::Whole => {
                    waiting.extend(
                        self.children(page.number)
                            .into_iter()
                            .rev()
                            .map(|child| (child, Some(page.number))),
                    );
                }
                _ => {}
            }
        }
        leaves
    }

    /// Takes possession of a page for its owner. Gives its links if it is what the reference says.
    fn take(&mut self, at: PageRef, owner: Owner) -> Vec<Link> {
        let Some(page) = self.page_mut(at.page()) else {
            self.broken.push(format!(
                "{at:?}, {}: beyond the end of the file",
                owner.said()
            ));
            return Vec::new();
        };
        if page.owner != Owner::Nobody {
            let text = format!(
                "{at:?}, {}: it is already {}",
                owner.said(),
                page.owner.said()
            );
            self.broken.push(text);
            return Vec::new();
        }
        page.owner = owner;
        if page.found == Found::Whole && page.birth != at.birth() {
            page.found = Found::Damaged("page carries another birth than its reference");
        }
        if page.found == Found::Whole {
            page.links.clone()
        } else {
            Vec::new()
        }
    }

    fn walk(&mut self, state: &Header) {
        let mut waiting: Vec<(PageRef, Owner)> = Vec::new();
        for (space, root) in KeySpace::ALL.into_iter().zip(&state.roots) {
            waiting.extend(
                root.page
                    .map(|page| (page, Owner::Tree { space, above: None })),
            );
        }
        waiting.extend(
            state
                .freelist
                .map(|page| (page, Owner::Freelist { above: None })),
        );
        // Every page is taken once at most, and only then are its links followed.
        while let Some((at, owner)) = waiting.pop() {
            let above = at.page();
            for link in self.take(at, owner) {
                if let (Link::Data(extent), Owner::Blob { space, .. }) = (link, owner) {
                    self.take_data(extent, Owner::Blob { space, above });
                    continue;
                }
                let next = match (link, owner) {
                    (Link::Child(to), Owner::Tree { space, .. }) => (
                        to,
                        Owner::Tree {
                            space,
                            above: Some(above),
                        },
                    ),
                    (Link::Blob(to), Owner::Tree { space, .. }) => {
                        (to, Owner::Blob { space, above })
                    }
                    (Link::Next(to), Owner::Blob { space, .. }) => {
                        (to, Owner::Blob { space, above })
                    }
                    (Link::Next(to), Owner::Freelist { .. }) => {
                        (to, Owner::Freelist { above: Some(above) })
                    }
                    _ => continue,
                };
                waiting.push(next);
            }
        }
    }

    fn take_data(&mut self, extent: Extent, owner: Owner) {
        let end = self.first + self.pages.len() as u64;
        for at in (0..extent.pages).map_while(|j| extent.page_ref(j)) {
            self.take(at, owner);
            if at.page() >= end {
                // One complaint is enough for what lies beyond the end.
                return;
            }
        }
    }

    fn free(&mut self, state: &Header, runs: &mut HashMap<u64, Vec<Run>>) {
        let chain: Vec<u64> = self
            .pages
            .iter()
            .filter(|page| matches!(page.owner, Owner::Freelist { .. }))
            .map(|page| page.number)
            .collect();
        for number in chain {
            self.runs.extend(runs.remove(&number).unwrap_or_default());
        }
        self.runs.sort_unstable();
        let end = self.first + self.pages.len() as u64;
        let mut twice = Vec::new();
        for run in self.runs.clone() {
            for number in run.first.max(self.first)..run.end().min(end) {
                match self.page_mut(number) {
                    Some(page) if page.owner == Owner::Nobody => page.owner = Owner::Free,
                    Some(page) if page.owner != Owner::Free => twice.push(number),
                    _ => {}
                }
            }
        }
        for number in twice {
            self.broken
                .push(format!("page {number} is on the freelist and in use"));
        }
        for page in &mut self.pages {
            if page.number >= state.page_count && page.owner == Owner::Nobody {
                page.owner = Owner::Beyond;
            }
        }
    }
}

impl Owner {
    /// In words, as in "page 7 is …".
    pub(crate) fn said(self) -> String {
        match self {
            Owner::Tree { space, above: None } => format!("the root of {space}"),
            Owner::Tree {
                space,
                above: Some(above),
            } => format!("in the tree of {space}, below page {above}"),
            Owner::Blob { space, above } => format!("data of {space}, from page {above}"),
            Owner::Freelist { above: None } => "the first page of the freelist".to_owned(),
            Owner::Freelist { above: Some(above) } => {
                format!("a page of the freelist, after page {above}")
            }
            Owner::Free => "free".to_owned(),
            Owner::Beyond => "beyond the pages that the state counts".to_owned(),
            Owner::Nobody => "not reached".to_owned(),
        }
    }

    /// One word for a column.
    pub(crate) fn word(self) -> String {
        match self {
            Owner::Tree { space, .. } => space.name().to_owned(),
            Owner::Blob { space, .. } => format!("{space} data"),
            Owner::Freelist { .. } => "freelist".to_owned(),
            Owner::Free => "free".to_owned(),
            Owner::Beyond => "beyond".to_owned(),
            Owner::Nobody => "unreached".to_owned(),
        }
    }

    /// Whether the state uses the page.
    pub(crate) fn is_used(self) -> bool {
        matches!(
            self,
            Owner::Tree { .. } | Owner::Blob { .. } | Owner::Freelist { .. }
        )
    }
}

impl Found {
    /// In words.
    pub(crate) fn said(self) -> String {
        match self {
            Found::Whole => "whole".to_owned(),
            Found::Blank => "blank".to_owned(),
            Found::Damaged(rule) => format!("damaged: {rule}"),
            Found::Mendable(Mending::Moved, home) => {
                format!("damaged: this is page {home}, in the wrong place")
            }
            Found::Mendable(Mending::Bit(bit), _) => {
                format!("damaged: bit {} of byte {} is flipped", bit % 8, bit / 8)
            }
        }
    }

    pub(crate) fn is_damage(self) -> bool {
        matches!(self, Found::Damaged(_) | Found::Mendable(..))
    }
}

fn look(file: &PageFile, found: &FoundPage) -> Result<Seen, Failure> {
    let body = found
        .bytes
        .get(..found.bytes.len().saturating_sub(8))
        .unwrap_or_default();
    let used = body
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
        + 8;
    let state = match &found.page {
        Ok(_) => Found::Whole,
        Err(_) if found.bytes.iter().all(|byte| *byte == 0) => Found::Blank,
        Err(rule) => match file.mend(found.number)? {
            Some(mended) => Found::Mendable(mended.how, mended.page.at().page()),
            None => Found::Damaged(rule.0),
        },
    };
    let page = found.page.as_ref().ok();
    Ok(Seen {
        number: found.number,
        birth: found.birth,
        found: state,
        owner: Owner::Nobody,
        what: page.map(what),
        used,
        size: found.bytes.len(),
        links: page.map(links).unwrap_or_default(),
    })
}

fn what(page: &Page) -> What {
    let items = match (page.sorted(), page.space()) {
        (Some(view), Some(KeySpace::Out | KeySpace::In | KeySpace::Kinds)) if page.level() == 0 => {
            (0..view.len())
                .filter_map(|i| EdgeBlock::parse(page.bytes(), view.value_range(i)).ok())
                .map(|block| block.len() as u64)
                .sum()
        }
        (Some(view), _) => (0..view.len()).filter(|i| !view.is_absent(*i)).count() as u64,
        _ => page.count() as u64,
    };
    What {
        kind: page.kind(),
        space: page.space(),
        level: page.level(),
        count: page.count(),
        items,
    }
}

fn links(page: &Page) -> Vec<Link> {
    if let Some(view) = page.sorted() {
        if page.level() > 0 {
            return (0..view.len())
                .map(|i| Link::Child(view.child(i)))
                .collect();
        }
        return blobs(page).into_iter().map(Link::Blob).collect();
    }
    if let Some(index) = page.blob_index() {
        // No blob has more pages than its length asks for, whatever its extents say.
        let mut left = index
            .len()
            .div_ceil(data_capacity(page.bytes().len()).max(1) as u64);
        let mut links = Vec::new();
        for mut extent in index.extents() {
            extent.pages = u32::try_from(left).unwrap_or(u32::MAX).min(extent.pages);
            left -= u64::from(extent.pages);
            links.push(Link::Data(extent));
        }
        links.extend(index.next().map(Link::Next));
        return links;
    }
    page.freelist()
        .and_then(|list| list.next())
        .map(Link::Next)
        .into_iter()
        .collect()
}

/// The index pages that the cells of a leaf name.
fn blobs(page: &Page) -> Vec<PageRef> {
    let Some(view) = page.sorted() else {
        return Vec::new();
    };
    let index = |data: Data<'_>| match data {
        Data::Blob(blob) => Some(blob.index),
        Data::Inline(_) => None,
    };
    match page.space() {
        Some(KeySpace::Nodes) => (0..view.len())
            .filter_map(|i| index(NodeCell::decode(view.value(i)).ok()?.data))
            .collect(),
        Some(KeySpace::Out) => (0..view.len())
            .filter_map(|i| EdgeBlock::parse(page.bytes(), view.value_range(i)).ok())
            .filter(EdgeBlock::has_data)
            .filter_map(|block| block.data_iter().ok())
            .flat_map(|data| data.flatten().filter_map(index))
            .collect(),
        _ => Vec::new(),
    }
}
