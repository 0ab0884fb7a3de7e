//! A snapshot, and what every read of it goes through.

use std::borrow::Borrow;
use std::ops::Bound;
use std::sync::Arc;

use super::dictionary::DictionaryCache;
use super::overlay::Overlay;
use super::totals::Totals;
use crate::btree::{
    Change, Cursor, Dictionary, Directories, In, Kinds, NameKey, Names, Nodes, Out, StoredData,
    StoredNode,
};
use crate::delta::{Changes, ChangesOf, Delta, Overlaid, Plain};
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::FormatError;
use crate::format::header::{Header, Root};
use crate::ids::{EdgeKey, KeySpace};
use crate::pager::{Pager, Pages};
use crate::sync::counted;

/// Keeps the pages that one state's trees reach from being reused, for as long as it is held. Holds the
/// state's sequence.
pub(crate) type Reach = counted::Arc<u64>;

/// Trees of one state.
pub(crate) struct Base {
    pub(crate) header: Header,
    pub(crate) reach: Reach,
    /// Ways to the leaves that need no branches; none where the trees do not fit in the cache.
    directories: Option<Directories>,
}

impl Base {
    pub(crate) fn new(header: Header, pager: &Pager) -> Base {
        let reach = Reach::new(header.sequence);
        Base::within(header, reach, pager)
    }

    /// The same trees, or such as reach the same pages and others that nobody gives back meanwhile.
    fn within(header: Header, reach: Reach, pager: &Pager) -> Base {
        let directories = Directories::new(pager, &header.roots);
        Base {
            header,
            reach,
            directories,
        }
    }

    /// The same trees, no page of which is held in memory.
    pub(crate) fn afresh(&self, pager: &Pager) -> Base {
        Base::within(self.header.clone(), Reach::clone(&self.reach), pager)
    }

    /// Trees of a change under way, for its own eyes.
    pub(crate) fn private(header: Header) -> Base {
        Base {
            reach: Reach::new(header.sequence),
            header,
            directories: None,
        }
    }

    /// The directories of the nodes and of both directions of edges.
    #[inline]
    pub(crate) fn directories(&self) -> Option<&Directories> {
        self.directories.as_ref()
    }

    pub(crate) fn root(&self, space: KeySpace) -> Root {
        *self.root_of(space)
    }

    pub(crate) fn root_of(&self, space: KeySpace) -> &Root {
        self.header.roots.get(space.index()).unwrap_or(&NO_ROOT)
    }
}

/// The root of no tree: every space has one of its own.
static NO_ROOT: Root = Root {
    page: None,
    height: 0,
    entries: 0,
    pages: 0,
};

/// A snapshot. Cloning it costs a few reference counts.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) pager: Arc<Pager>,
    pub(crate) base: Arc<Base>,
    /// Newer changes, the newest layer first; empty layers are left out.
    pub(crate) layers: Vec<Delta>,
    pub(crate) totals: Totals,
    pub(crate) dictionary: Arc<DictionaryCache>,
    /// Whether the database has an index of names.
    pub(crate) name_index: bool,
}

impl View {
    pub(crate) fn root(&self, space: KeySpace) -> Root {
        self.base.root(space)
    }

    /// The newest change of a key, if a layer has one.
    #[inline]
    pub(super) fn change<S: Plain, Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Change<S::Value>>
    where
        S::Key: Borrow<Q>,
    {
        let found = self.layers.iter().find_map(|layer| S::runs(layer).get(key));
        self.note_lookup(found.is_some());
        found
    }

    /// The newest change of a key in any space.
    #[inline]
    pub(super) fn change_in<S: Overlaid>(&self, key: &S::Key) -> Option<Change<S::Value>> {
        let found = self.layers.iter().find_map(|layer| S::change(layer, key));
        self.note_lookup(found.is_some());
        found
    }

    #[inline]
    fn note_lookup(&self, found: bool) {
        count!(self.pager.tally(), DeltaLookups, !self.layers.is_empty());
        count!(self.pager.tally(), DeltaHits, found);
        let _ = found;
    }

    /// Whether a newer change lies over a key space.
    #[inline]
    pub(super) fn is_changed<S: Overlaid>(&self) -> bool {
        self.layers.iter().any(|layer| S::len(layer) > 0)
    }

    /// The changes of all layers from a key on.
    pub(super) fn changes<S: Overlaid>(&self, from: Option<&S::Key>) -> ChangesOf<'_, S> {
        count!(self.pager.tally(), DeltaScans, !self.layers.is_empty());
        let mut changes = Changes::default();
        let from = from.map_or(Bound::Unbounded, Bound::Included);
        for layer in &self.layers {
            S::add(layer, from, &mut changes);
        }
        changes
    }

    /// The items of a key space from a key on.
    pub(crate) fn items<S: Overlaid>(&self, from: Option<S::Key>) -> Overlay<'_, S> {
        let changes = self.changes::<S>(from.as_ref());
        Overlay::new(
            Cursor::from(&*self.pager, self.root(S::SPACE), from),
            changes,
        )
    }

    pub(crate) fn all_nodes(&self) -> impl Iterator<Item = Result<(u64, StoredNode)>> + '_ {
        self.items::<Nodes>(None)
    }

    pub(crate) fn all_out(&self) -> impl Iterator<Item = Result<(EdgeKey, StoredData)>> + '_ {
        self.items::<Out>(None)
    }

    pub(crate) fn all_in(&self) -> impl Iterator<Item = Result<EdgeKey>> + '_ {
        self.items::<In>(None).map(|item| Ok(item?.0))
    }

    pub(crate) fn all_kinds(&self) -> impl Iterator<Item = Result<EdgeKey>> + '_ {
        self.items::<Kinds>(None).map(|item| Ok(item?.0))
    }

    pub(crate) fn all_names(&self) -> impl Iterator<Item = Result<NameKey>> + '_ {
        self.items::<Names>(None).map(|item| Ok(item?.0))
    }

    /// Every entry of the dictionary, by number and by name.
    pub(crate) fn all_terms(&self) -> Overlay<'_, Dictionary> {
        self.items::<Dictionary>(None)
    }

    /// A broken rule in a page.
    pub(crate) fn broken(&self, page: u64, rule: FormatError) -> Error {
        Error::corrupt_page(page, self.pager.page_size(), rule.0)
    }
}
