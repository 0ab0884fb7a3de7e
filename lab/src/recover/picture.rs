//! Which of the readable pages make up the newest state.
//!
//! Pages are copied on write, so beside the pages of the state a file holds older ones that it has
//! replaced and not overwritten yet. They must not come back. What decides, in this order:
//!
//! 1. *References.* A page that a page of the state refers to by number and birth is of the state.
//!    Where a branch is damaged, what lay below it is looked for among the pages of its key space
//!    that are older than its own birth, within the range of keys that it led to.
//! 2. *The freelist.* It lists every page that the state does not reach. What it does not list, where
//!    it can be read, is in use.
//! 3. *Births.* Without either, the younger of two pages that overlap has replaced the older one, and a
//!    page that a younger branch over its range does not refer to had been replaced by then. What is
//!    left is taken as *unproven*: it may be older than the state, and is reported as such.
//!
//! If the slot of a newer state may be lost, leaves younger than the slot that is left fill its holes,
//! unproven as well.

use std::collections::{BTreeMap, HashSet};

use vellum::format::header::Header;
use vellum::format::page::PageKind;
use vellum::{KeySpace, PageRef};

use super::free::Free;
use super::scan::{Fact, Scan};

/// Levels that a tree may have; one more stands above every page.
const ABOVE_ALL: u8 = 26;

/// Why a leaf is taken for a part of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    Unproven,
    /// The freelist does not list it.
    InUse,
    /// References lead to it.
    Reached,
}

/// A leaf of the state.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    pub(super) at: PageRef,
    pub(super) proof: Proof,
}

/// A range of keys of which something is lost: a page that cannot be read.
#[derive(Clone, Debug)]
pub(super) struct Hole {
    pub(super) level: u8,
    pub(super) from: Vec<u8>,
    /// The key after the range; none at the end of the tree.
    pub(super) to: Option<Vec<u8>>,
    /// The page that was there, if a reference tells.
    pub(super) page: Option<PageRef>,
}

impl Hole {
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        key >= self.from.as_slice() && self.to.as_deref().is_none_or(|to| key < to)
    }
}

/// One tree of the state.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) leaves: Vec<Leaf>,
    pub(super) holes: Vec<Hole>,
}

impl Tree {
    /// Whether nothing is missing and everything is of the state.
    pub(super) fn is_certain(&self) -> bool {
        self.holes.is_empty() && !self.leaves.iter().any(|leaf| leaf.proof == Proof::Unproven)
    }

    pub(super) fn lost(&self, key: &[u8]) -> bool {
        self.holes.iter().any(|hole| hole.holds(key))
    }
}

/// The newest state, as far as it can be made out.
pub(super) struct Picture {
    pub(super) trees: [Tree; 7],
    pub(super) free: Free,
    /// A page of the state was overwritten by a younger one: a newer state existed.
    pub(super) overtaken: bool,
}

impl Picture {
    /// `newer`: a header that was newer than this one may be lost.
    pub(super) fn of(scan: &Scan<'_>, header: Option<&Header>, newer: bool) -> Picture {
        let free = Free::of(scan, header);
        let mut overtaken = false;
        let trees = KeySpace::ALL.map(|space| {
            let mut builder = Builder {
                scan,
                free: &free,
                space,
                pages: header.map_or(u64::MAX, |header| header.page_count),
                births: header.map_or(u64::MAX, |header| header.birth_limit),
                reached: HashSet::new(),
                tree: Tree::default(),
                younger_than: header.filter(|_| newer).and_then(newest_birth),
                proof: Proof::Reached,
                overtaken: &mut overtaken,
            };
            match header.map(|header| header.roots.get(space.index()).copied().unwrap_or_default())
            {
                Some(root) => {
                    if let Some(at) = root.page {
                        builder.visit(at, root.height.saturating_sub(1), Vec::new(), None);
                    }
                }
                None => builder.lost(Hole {
                    level: ABOVE_ALL,
                    from: Vec::new(),
                    to: None,
                    page: None,
                }),
            }
            builder.tree
        });
        Picture {
            trees,
            free,
            overtaken,
        }
    }

    pub(super) fn tree(&self, space: KeySpace) -> &Tree {
        // There is a tree for each space.
        let [nodes, out, inn, names, kinds, dictionary, absent] = &self.trees;
        match space {
            KeySpace::Nodes => nodes,
            KeySpace::Out => out,
            KeySpace::In => inn,
            KeySpace::Names => names,
            KeySpace::Kinds => kinds,
            KeySpace::Dictionary => dictionary,
            KeySpace::Absent => absent,
        }
    }
}

struct Builder<'b, 's> {
    scan: &'b Scan<'s>,
    free: &'b Free,
    space: KeySpace,
    pages: u64,
    births: u64,
    reached: HashSet<u64>,
    tree: Tree,
    /// Pages with greater births are of a newer state, if its header may be lost.
    younger_than: Option<u64>,
    /// What is taken now is taken for this reason.
    proof: Proof,
    overtaken: &'b mut bool,
}

impl Builder<'_, '_> {
    /// The page that a reference names, and everything below it. Levels fall at each step.
    fn visit(&mut self, at: PageRef, level: u8, from: Vec<u8>, to: Option<Vec<u8>>) {
        let fact = self.scan.facts.get(&at.page());
        let is_it =
            |fact: &&Fact| fact.at == at && fact.space == Some(self.space) && fact.level == level;
        let Some(fact) = fact.filter(is_it) else {
            let younger =
                |fact: &Fact| fact.at.birth() > at.birth() && self.proof == Proof::Reached;
            *self.overtaken |= fact.is_some_and(younger);
            self.lost(Hole {
                level,
                from,
                to,
                page: Some(at),
            });
            return;
        };
        // A page that two references name is one of them only; the file was made to mislead.
        if !self.reached.insert(at.page()) {
            return;
        }
        if level == 0 {
            self.tree.leaves.push(Leaf {
                at,
                proof: self.proof,
            });
            return;
        }
        for (i, (separator, child)) in fact.children.iter().enumerate() {
            let from = if i == 0 {
                from.clone()
            } else {
                separator.clone()
            };
            let to = fact
                .children
                .get(i + 1)
                .map(|(next, _)| next.clone())
                .or_else(|| to.clone());
            self.visit(*child, level - 1, from, to);
        }
    }

    /// Notes a hole and looks for what lay below it.
    fn lost(&mut self, hole: Hole) {
        self.tree.holes.push(hole.clone());
        self.take_younger(&hole);
        if hole.level == 0 {
            return;
        }
        let before = self.proof;
        let births = hole.page.map_or(self.births, |page| page.birth());
        let mut candidates: Vec<&Fact> = self
            .scan
            .pages_of(self.space)
            .filter(|fact| {
                let number = fact.at.page();
                let inside =
                    fact.first >= hole.from && hole.to.as_ref().is_none_or(|to| fact.last < *to);
                fact.level < hole.level
                    && fact.at.birth() < births
                    && number < self.pages
                    && inside
                    && !self.free.lists(number)
            })
            .collect();
        let mut claims = Claims::default();
        candidates.sort_by_key(|fact| (std::cmp::Reverse(fact.level), fact.at.page()));
        for fact in candidates
            .iter()
            .filter(|fact| self.free.knows(fact.at.page()))
        {
            let to = upper(fact, &candidates, &hole);
            self.take(fact, Proof::InUse.min(before), to, &mut claims);
        }
        candidates.sort_by_key(|fact| std::cmp::Reverse(fact.at.birth()));
        for fact in candidates
            .iter()
            .filter(|fact| !self.free.knows(fact.at.page()))
        {
            if !claims.overlap(fact) && !self.replaced(fact, births) {
                let to = upper(fact, &candidates, &hole);
                self.take(fact, Proof::Unproven, to, &mut claims);
            }
        }
        self.proof = before;
    }

    /// Leaves of a state that came after this one tell as much of the range as its own did, and the log
    /// is replayed over either. What they hold beyond the range gives way to what is proven.
    fn take_younger(&mut self, hole: &Hole) {
        let Some(birth) = self.younger_than else {
            return;
        };
        let over = |fact: &&Fact| {
            let before_end = hole.to.as_ref().is_none_or(|to| fact.first < *to);
            fact.level == 0 && fact.at.birth() > birth && before_end && fact.last >= hole.from
        };
        let mut leaves: Vec<&Fact> = self.scan.pages_of(self.space).filter(over).collect();
        leaves.sort_by_key(|fact| std::cmp::Reverse(fact.at.birth()));
        let mut claims = Claims::default();
        for fact in leaves {
            if !claims.overlap(fact) && self.reached.insert(fact.at.page()) {
                claims.add(&fact.first, &fact.last);
                self.tree.leaves.push(Leaf {
                    at: fact.at,
                    proof: Proof::Unproven,
                });
            }
        }
    }

    /// Takes a page, everything below it, and the ranges of keys that it decides.
    fn take(&mut self, fact: &Fact, proof: Proof, to: Option<Vec<u8>>, claims: &mut Claims) {
        if self.reached.contains(&fact.at.page()) {
            return;
        }
        self.proof = proof;
        let (leaves, holes) = (self.tree.leaves.len(), self.tree.holes.len());
        self.visit(fact.at, fact.level, fact.first.clone(), to.clone());
        claims.add(&fact.first, &fact.last);
        for leaf in self.tree.leaves.get(leaves..).unwrap_or_default() {
            if let Some(below) = self.scan.facts.get(&leaf.at.page()) {
                claims.add(&below.first, &below.last);
            }
        }
        // What this page leads to and is lost is not to be had from its predecessors. Where the range of its last
        // child ends, only its neighbour could tell, which may be lost too: that child had its first key for certain.
        for hole in self.tree.holes.get(holes..).unwrap_or_default() {
            let last = match hole.to == to {
                true => hole.from.clone(),
                false => before(hole.to.as_deref()),
            };
            claims.add(&hole.from, &last);
        }
    }

    /// Whether a branch younger than the page leads past it: the page had been replaced by then.
    fn replaced(&self, fact: &Fact, births: u64) -> bool {
        self.scan.pages_of(self.space).any(|branch| {
            let younger = branch.level == fact.level + 1
                && (fact.at.birth()..births).contains(&branch.at.birth());
            let over = branch.first <= fact.first && fact.last < branch.last;
            younger && over && !branch.children.iter().any(|(_, child)| *child == fact.at)
        })
    }
}

/// Where the range of a page that nothing leads to ends: where the next one of its level begins.
fn upper(fact: &Fact, candidates: &[&Fact], hole: &Hole) -> Option<Vec<u8>> {
    let beside = candidates
        .iter()
        .filter(|other| other.level == fact.level && other.first > fact.first);
    beside
        .map(|other| &other.first)
        .chain(&hole.to)
        .min()
        .cloned()
}

/// A key less than this one, and greater than any that a file holds below it.
fn before(key: Option<&[u8]>) -> Vec<u8> {
    const LONGEST: usize = 1100;
    let Some((last, rest)) = key.and_then(<[u8]>::split_last) else {
        return vec![0xff; LONGEST];
    };
    let mut out = rest.to_vec();
    if *last > 0 {
        out.push(last - 1);
        out.resize(LONGEST, 0xff);
    }
    out
}

/// Ranges of keys, both ends included, that pages have taken. They never overlap.
#[derive(Default)]
struct Claims(BTreeMap<Vec<u8>, Vec<u8>>);

impl Claims {
    fn overlap(&self, fact: &Fact) -> bool {
        let before = self.0.range(..=fact.last.clone()).next_back();
        before.is_some_and(|(_, last)| *last >= fact.first)
    }

    fn add(&mut self, first: &[u8], last: &[u8]) {
        let (mut from, mut to) = (first.to_vec(), last.to_vec());
        // Joins what it overlaps, so that looking at one neighbour is enough.
        while let Some((start, end)) = self
            .0
            .range(..=to.clone())
            .next_back()
            .map(|(start, end)| (start.clone(), end.clone()))
        {
            if end < from {
                break;
            }
            self.0.remove(&start);
            from = from.min(start);
            to = to.max(end);
        }
        self.0.insert(from, to);
    }
}

/// The greatest birth that a header refers to. The freelist is written last, and the roots before it.
pub(super) fn newest_birth(header: &Header) -> Option<u64> {
    let roots = header.roots.iter().filter_map(|root| root.page);
    roots.chain(header.freelist).map(PageRef::birth).max()
}

/// Whether a page is one of the kinds that trees are made of.
pub(super) fn is_tree(kind: PageKind) -> bool {
    matches!(kind, PageKind::Sorted | PageKind::NamesLeaf)
}
