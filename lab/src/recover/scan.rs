//! Every page of a damaged file that can be read: what it holds and which keys it spans.

use std::collections::{BTreeMap, HashMap};

use vellum::format::bytes::u48_be;
use vellum::format::freelist::Run;
use vellum::format::page::{Page, PageKind};
use vellum::inspect::{Mended, Mending, PageFile};
use vellum::{EdgeKey, KeySpace, PageRef};

use crate::failure::Failure;
use crate::inspect::source::Source;
use crate::inspect::survey::Found;

use super::blob::Pages;
use super::leaf::{self, Item};

/// The readable pages of a file, those that could be mended among them.
pub(super) struct Scan<'s> {
    pub(super) file: &'s PageFile,
    /// By page number.
    pub(super) facts: BTreeMap<u64, Fact>,
    mended: HashMap<u64, Page>,
    /// What was wrong with the pages that could be mended.
    pub(super) mendings: Vec<String>,
    /// Pages that cannot be read, and why.
    pub(super) damaged: BTreeMap<u64, String>,
    /// Cells of whole pages that cannot be read.
    pub(super) unreadable_cells: u64,
}

/// What a page is for, without its contents.
pub(super) struct Fact {
    pub(super) at: PageRef,
    pub(super) kind: PageKind,
    pub(super) space: Option<KeySpace>,
    pub(super) level: u8,
    /// The least and the greatest key: of a branch its separators, of edges the whole edge.
    pub(super) first: Vec<u8>,
    pub(super) last: Vec<u8>,
    /// Separators and children of a branch.
    pub(super) children: Vec<(Vec<u8>, PageRef)>,
    /// Runs of a freelist page, and the page after it.
    pub(super) runs: Vec<Run>,
    pub(super) next: Option<PageRef>,
}

impl<'s> Scan<'s> {
    pub(super) fn of(source: &'s Source) -> Result<Scan<'s>, Failure> {
        let file = &source.pages;
        let mut scan = Scan {
            file,
            facts: BTreeMap::new(),
            mended: HashMap::new(),
            mendings: Vec::new(),
            damaged: BTreeMap::new(),
            unreadable_cells: 0,
        };
        let mut moved = Vec::new();
        for number in file.first_page()..file.page_count() {
            let found = file.page(number)?;
            let rule = match &found.page {
                Ok(page) => {
                    scan.add(page);
                    continue;
                }
                Err(rule) => *rule,
            };
            let blank = found.bytes.iter().all(|byte| *byte == 0);
            let mended = if blank { None } else { file.mend(number)? };
            match mended {
                Some(mended) if mended.how == Mending::Moved => {
                    scan.damaged.insert(
                        number,
                        Found::Mendable(mended.how, mended.page.at().page()).said(),
                    );
                    moved.push(mended);
                }
                Some(mended) => scan.mend(mended),
                None if blank => _ = scan.damaged.insert(number, "all zeros".to_owned()),
                None => _ = scan.damaged.insert(number, rule.0.to_owned()),
            }
        }
        // A page that stands elsewhere counts only where its own place holds nothing better; of two
        // copies the younger one does.
        moved.sort_by_key(|mended| std::cmp::Reverse(mended.page.at().birth()));
        for mended in moved {
            let home = mended.page.at().page();
            if !scan.facts.contains_key(&home) {
                scan.damaged.remove(&home);
                scan.mend(mended);
            }
        }
        Ok(scan)
    }

    fn mend(&mut self, mended: Mended) {
        let home = mended.page.at().page();
        let said = Found::Mendable(mended.how, home).said();
        self.mendings
            .push(format!("page {}: {said}", mended.found_at));
        self.add(&mended.page);
        self.mended.insert(home, mended.page);
    }

    fn add(&mut self, page: &Page) {
        let (fact, unreadable) = fact(page);
        self.unreadable_cells += unreadable as u64;
        self.facts.insert(page.at().page(), fact);
    }

    /// The greatest birth of a readable page.
    pub(super) fn newest_birth(&self) -> u64 {
        self.facts
            .values()
            .map(|fact| fact.at.birth())
            .max()
            .unwrap_or(0)
    }

    /// The leaves and branches of a key space.
    pub(super) fn pages_of(&self, space: KeySpace) -> impl Iterator<Item = &Fact> {
        self.facts
            .values()
            .filter(move |fact| fact.space == Some(space))
    }
}

impl Pages for Scan<'_> {
    fn with<T>(&self, at: PageRef, read: impl FnOnce(&Page) -> T) -> Result<Option<T>, Failure> {
        if self.facts.get(&at.page()).is_none_or(|fact| fact.at != at) {
            return Ok(None);
        }
        if let Some(page) = self.mended.get(&at.page()) {
            return Ok(Some(read(page)));
        }
        Ok(self.file.page(at.page())?.page.ok().map(|page| read(&page)))
    }
}

fn fact(page: &Page) -> (Fact, usize) {
    let mut fact = Fact {
        at: page.at(),
        kind: page.kind(),
        space: page.space(),
        level: page.level(),
        first: Vec::new(),
        last: Vec::new(),
        children: Vec::new(),
        runs: Vec::new(),
        next: None,
    };
    if let Some(list) = page.freelist() {
        fact.runs = list.runs().flatten().collect();
        fact.next = list.next();
    }
    let mut unreadable = 0;
    if page.level() == 0 {
        let mut keys: Option<(Vec<u8>, Vec<u8>)> = None;
        unreadable = leaf::each(page, |item| {
            let key = key_of(&item);
            match &mut keys {
                Some((_, last)) => *last = key,
                None => keys = Some((key.clone(), key)),
            }
        });
        (fact.first, fact.last) = keys.unwrap_or_default();
    } else if let Some(view) = page.sorted() {
        for i in 0..view.len() {
            let mut key = Vec::new();
            view.key(i, &mut key);
            fact.children.push((key, view.child(i)));
        }
        fact.first = fact
            .children
            .first()
            .map(|(key, _)| key.clone())
            .unwrap_or_default();
        fact.last = fact
            .children
            .last()
            .map(|(key, _)| key.clone())
            .unwrap_or_default();
    }
    (fact, unreadable)
}

/// The bytes by which a tree sorts an item, as separators are made of.
pub(super) fn key_of(item: &Item<'_>) -> Vec<u8> {
    match item {
        Item::Node(id, _) => u48_be(*id).to_vec(),
        Item::Absent { first, .. } => u48_be(*first).to_vec(),
        Item::Edge(key, _) => edge_key(key),
        Item::Name(id, name) => [*name, &[0], &u48_be(*id)].concat(),
        Item::Term { key, .. } => key.to_vec(),
    }
}

pub(super) fn edge_key(key: &EdgeKey) -> Vec<u8> {
    let mut out = u48_be(key.node).to_vec();
    out.extend_from_slice(&key.label.to_be_bytes());
    out.extend_from_slice(&u48_be(key.peer));
    out.extend_from_slice(&key.ordinal.to_be_bytes());
    out
}
