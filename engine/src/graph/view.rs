//! A snapshot, and what every read of it goes through.

use std::borrow::Borrow;
use std::sync::Arc;

use super::dictionary::DictionaryCache;
use super::overlay::Overlay;
use super::totals::Totals;
use crate::btree::{Change, Cursor, In, Kinds, NameKey, Names, Nodes, Out, StoredData, StoredNode};
use crate::delta::{Changes, Delta, Overlaid};
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::FormatError;
use crate::format::header::{Header, Root};
use crate::ids::{EdgeKey, KeySpace};
use crate::pager::{Pager, Pages};

/// Trees of one state. While it is held, their pages are not reused.
pub(crate) struct Base {
    pub(crate) header: Header,
}

impl Base {
    pub(crate) fn new(header: Header) -> Base {
        Base { header }
    }

    pub(crate) fn root(&self, space: KeySpace) -> Root {
        self.header
            .roots
            .get(space.index())
            .copied()
            .unwrap_or_default()
    }
}

/// A snapshot. Cloning it costs a few reference counts.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) pager: Arc<Pager>,
    pub(crate) base: Arc<Base>,
    /// Newer changes, the newest layer first; empty layers are left out.
    pub(crate) layers: Vec<Delta>,
    pub(crate) totals: Totals,
    pub(crate) dictionary: Arc<DictionaryCache>,
}

impl View {
    pub(crate) fn root(&self, space: KeySpace) -> Root {
        self.base.root(space)
    }

    /// The newest change of a key, if a layer has one.
    #[inline]
    pub(super) fn change<S: Overlaid, Q: Ord + ?Sized>(&self, key: &Q) -> Option<&Change<S::Value>>
    where
        S::Key: Borrow<Q>,
    {
        let found = self.layers.iter().find_map(|layer| S::runs(layer).get(key));
        count!(self.pager.tally(), DeltaLookups, !self.layers.is_empty());
        count!(self.pager.tally(), DeltaHits, found.is_some());
        found
    }

    /// The changes of all layers from a key on.
    pub(super) fn changes<S: Overlaid>(
        &self,
        from: Option<&S::Key>,
    ) -> Changes<'_, S::Key, S::Value> {
        count!(self.pager.tally(), DeltaScans, !self.layers.is_empty());
        let mut changes = Changes::default();
        for layer in &self.layers {
            S::runs(layer).add_from(from, &mut changes);
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

    /// A broken rule in a page.
    pub(crate) fn broken(&self, page: u64, rule: FormatError) -> Error {
        Error::corrupt_page(page, self.pager.page_size(), rule.0)
    }
}
