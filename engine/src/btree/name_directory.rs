//! Finding the leaf of a name without the branches, as [`directory`](super::directory) does for ids.

use std::cmp::Ordering;
use std::sync::OnceLock;

use super::descent::Descent;
use super::due::Due;
use crate::error::Result;
use crate::format::bytes::head_u64;
use crate::format::header::Root;
use crate::format::names::{NamesPage, Samples};
use crate::ids::{KeySpace, PageRef};
use crate::pager::{PagePin, Pager, Pages};

/// The leaves of the tree of names.
pub(crate) struct NameDirectory {
    root: Root,
    table: Due<NameTable>,
}

/// Every leaf in order, found by the first eight bytes in which the separators differ.
pub(crate) struct NameTable {
    /// What all separators but the first, which is empty, begin with.
    prefix: Box<[u8]>,
    /// For each leaf the eight bytes of its separator after the prefix, as a number that sorts like them.
    heads: Box<[u64]>,
    separators: Box<[Box<[u8]>]>,
    /// For each leaf how many bytes begin its separator and the next one alike, and so every key between.
    known: Box<[u16]>,
    refs: Box<[PageRef]>,
    held: Box<[OnceLock<HeldNames>]>,
}

/// A leaf of names that is held on to, and what makes searches in it short.
pub(crate) struct HeldNames {
    pin: PagePin,
    samples: Samples,
}

impl HeldNames {
    /// The entries.
    #[inline]
    pub(super) fn names(&self) -> Option<NamesPage<'_>> {
        self.pin.names()
    }

    #[inline]
    pub(super) fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The page's number.
    pub(super) fn page(&self) -> u64 {
        self.pin.page()
    }
}

impl NameDirectory {
    pub(super) fn new(root: Root) -> NameDirectory {
        NameDirectory {
            root,
            table: Due::new(root),
        }
    }

    /// The table, if there is one by now.
    #[inline]
    pub(crate) fn table(&self, pager: &Pager) -> Option<&NameTable> {
        // Who reads below a branch that cannot be read meets the damage on a descent.
        self.table
            .get(|| NameTable::read(pager, self.root).unwrap_or(None))
    }
}

impl NameTable {
    /// Reads the level above the leaves. `None` if there is none or it is not as it should be.
    fn read(pager: &Pager, root: Root) -> Result<Option<NameTable>> {
        let Some(top) = root.page else {
            return Ok(None);
        };
        let (mut separators, mut refs) = (Vec::<Box<[u8]>>::new(), Vec::new());
        if root.height == 1 {
            separators.push(Box::default());
            refs.push(top);
        } else {
            let mut separator = Vec::new();
            let mut descent = Descent::new(pager, KeySpace::Names, root, 1);
            descent.seek(&[])?;
            while let Some(branch) = descent.page()? {
                let Some(view) = branch.sorted() else {
                    return Ok(None);
                };
                for i in 0..view.len() {
                    view.key(i, &mut separator);
                    separators.push(separator.as_slice().into());
                    refs.push(view.child(i));
                }
                if !descent.advance()? {
                    break;
                }
            }
        }
        let ascend = separators.is_sorted_by(|a, b| a < b);
        if !ascend || separators.first().is_none_or(|first| !first.is_empty()) {
            return Ok(None);
        }
        let prefix = shared_by(separators.get(1..).unwrap_or_default());
        let after = |separator: &[u8]| head_u64(separator.get(prefix.len()..).unwrap_or_default());
        let next = separators
            .iter()
            .skip(1)
            .map(|next| &**next)
            .chain([&[][..]]);
        let known = separators.iter().zip(next).map(|(a, b)| {
            let same = a.iter().zip(b).take_while(|(a, b)| a == b);
            u16::try_from(same.count()).unwrap_or(u16::MAX)
        });
        Ok(Some(NameTable {
            known: known.collect(),
            heads: separators.iter().map(|each| after(each)).collect(),
            held: refs.iter().map(|_| OnceLock::new()).collect(),
            prefix,
            separators: separators.into(),
            refs: refs.into(),
        }))
    }

    /// The leaf that holds this key, or would: the last whose separator is not greater.
    #[inline]
    pub(crate) fn leaf_of(&self, key: &[u8]) -> usize {
        let common = self.prefix.len().min(key.len());
        let (start, rest) = key.split_at_checked(common).unwrap_or((key, &[]));
        match start.cmp(self.prefix.get(..common).unwrap_or_default()) {
            Ordering::Less => return 0,
            Ordering::Greater => return self.refs.len() - 1,
            // A key that ends within the prefix is less than all that begin with it.
            Ordering::Equal if common < self.prefix.len() => return 0,
            Ordering::Equal => {}
        }
        let head = head_u64(rest);
        // The first leaf's separator is less than every key.
        let others = self.heads.get(1..).unwrap_or_default();
        let leaf = others.partition_point(|other| *other < head);
        if others.get(leaf) == Some(&head) {
            return self.leaf_among(leaf, head, key);
        }
        leaf
    }

    /// Where eight bytes do not decide, all do. `before`: how many others have less.
    fn leaf_among(&self, before: usize, head: u64, key: &[u8]) -> usize {
        let from = before + 1;
        let heads = self.heads.get(from..).unwrap_or_default();
        let ties = heads.partition_point(|other| *other == head);
        let tied = self.separators.get(from..from + ties).unwrap_or_default();
        before + tied.partition_point(|separator| **separator <= *key)
    }

    /// A leaf that is held on to. `None` beyond the last one, or if there is no room for it.
    #[inline]
    pub(crate) fn leaf(&self, pager: &Pager, leaf: usize) -> Result<Option<&HeldNames>> {
        match self.held.get(leaf).and_then(OnceLock::get) {
            Some(held) => {
                pager.read_held(&held.pin);
                Ok(Some(held))
            }
            None => self.hold(pager, leaf),
        }
    }

    #[cold]
    fn hold(&self, pager: &Pager, leaf: usize) -> Result<Option<&HeldNames>> {
        let (Some(at), Some(place)) = (self.refs.get(leaf), self.held.get(leaf)) else {
            return Ok(None);
        };
        let page = pager.page(*at, KeySpace::Names, 0)?;
        let known = self.known.get(leaf).map_or(0, |known| usize::from(*known));
        let held = page.names().and_then(|names| {
            let pin = pager.pin(&page, Samples::bytes_of(names.len()))?;
            let samples = Samples::of(&names, known);
            Some(HeldNames { pin, samples })
        });
        Ok(held.map(|held| place.get_or_init(|| held)))
    }

    /// The separator of a leaf, if there is one.
    pub(crate) fn separator(&self, leaf: usize) -> Option<&[u8]> {
        self.separators.get(leaf).map(|separator| &**separator)
    }
}

/// What all of these ascending keys begin with.
fn shared_by(keys: &[Box<[u8]>]) -> Box<[u8]> {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return Box::default();
    };
    let same = first.iter().zip(last).take_while(|(a, b)| a == b);
    same.map(|(byte, _)| *byte).collect()
}
