//! The names space: every name with the id of a node that has it.

use std::sync::Arc;

use super::descent::Descent;
use super::space::{Items, LeafBuilder, Space};
use crate::error::{Error, Result};
use crate::format::FormatError;
use crate::format::bytes::{from_u48_be, u48_be};
use crate::format::header::Root;
use crate::format::names::{NamesBuilder, NamesPage, NamesPosition};
use crate::format::node::BlobRef;
use crate::ids::KeySpace;
use crate::pager::{PageGuard, PageWriter, Pages};

/// Bytes of a key after the name: a zero byte and the id.
const TAIL: usize = 7;

/// The name's bytes, a zero byte, and the node's id so that it sorts like a number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NameKey(Arc<[u8]>);

impl NameKey {
    pub(crate) fn new(name: &str, id: u64) -> NameKey {
        NameKey::from_parts(name.as_bytes(), id)
    }

    fn from_parts(name: &[u8], id: u64) -> NameKey {
        let mut key = Vec::with_capacity(name.len() + TAIL);
        key.extend_from_slice(name);
        key.push(0);
        key.extend_from_slice(&u48_be(id));
        NameKey(key.into())
    }

    /// A key from the bytes of one.
    pub(crate) fn from_bytes(bytes: &[u8]) -> NameKey {
        NameKey(bytes.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The name's bytes.
    pub(crate) fn name(&self) -> &[u8] {
        self.0
            .get(..self.0.len().saturating_sub(TAIL))
            .unwrap_or_default()
    }

    /// The node.
    pub(crate) fn id(&self) -> u64 {
        self.0.last_chunk().map_or(0, |id| from_u48_be(*id))
    }
}

/// The names space.
pub(crate) struct Names;

impl Space for Names {
    const SPACE: KeySpace = KeySpace::Names;
    type Key = NameKey;
    type Value = ();
    type Stored = ();
    type Builder = NamesBuilder;

    fn encode_key(key: &NameKey, out: &mut Vec<u8>) {
        out.extend_from_slice(&key.0);
    }

    fn items(leaf: &PageGuard) -> Items<NameKey, ()> {
        let view = leaf.names().ok_or(FormatError("not a names leaf"))?;
        let mut items = Vec::with_capacity(view.len());
        let mut entries = view.iter_from(0);
        while let Some((name, id)) = entries.next() {
            items.push((NameKey::from_parts(name, id), ()));
        }
        Ok(items)
    }

    fn stored(_: &()) {}

    fn store(_: &(), _: &mut PageWriter<'_>) -> Result<()> {
        Ok(())
    }

    fn blob(_: &()) -> Option<BlobRef> {
        None
    }
}

/// Names from some place on, rebuilt one at a time where they stand. Ends after an error.
pub(crate) struct NameCursor<'a, P> {
    descent: Descent<'a, P>,
    leaf: Option<PageGuard>,
    position: NamesPosition,
    page_size: usize,
}

impl<'a, P: Pages> NameCursor<'a, P> {
    /// From this name, or the first after it, on.
    pub(crate) fn from(pages: &'a P, root: Root, name: &str) -> Result<NameCursor<'a, P>> {
        let mut cursor = NameCursor {
            descent: Descent::new(pages, KeySpace::Names, root, 0),
            leaf: None,
            position: NamesPosition::default(),
            page_size: pages.page_size(),
        };
        cursor.descent.seek(NameKey::new(name, 0).as_bytes())?;
        cursor.leaf = cursor.descent.page()?;
        if let Some(view) = cursor.view()? {
            let first = view.search(name.as_bytes(), 0).unwrap_or_else(|at| at);
            cursor.position = view.position(first);
        }
        Ok(cursor)
    }

    /// The name that the last step came to.
    pub(crate) fn name(&self) -> &[u8] {
        self.position.name()
    }

    /// Goes to the next name and gives the node that has it.
    pub(crate) fn step(&mut self) -> Result<Option<u64>> {
        loop {
            let leaf = self.leaf.as_ref();
            let Some(view) = leaf.and_then(|leaf| leaf.names()) else {
                return Ok(None);
            };
            if let Some(id) = view.step(&mut self.position) {
                return Ok(Some(id));
            }
            self.leaf = None;
            if self.descent.advance()? {
                self.leaf = self.descent.page()?;
                self.position = NamesPosition::default();
                if let Some(view) = self.view()? {
                    self.position = view.position(0);
                }
            }
        }
    }

    fn view(&self) -> Result<Option<NamesPage<'_>>> {
        let Some(leaf) = &self.leaf else {
            return Ok(None);
        };
        let what = "not a names leaf";
        let broken = || Error::corrupt_page(leaf.at().page(), self.page_size, what);
        leaf.names().ok_or_else(broken).map(Some)
    }
}

impl LeafBuilder<NameKey, ()> for NamesBuilder {
    fn new(page_size: usize, _: KeySpace, _: u8) -> NamesBuilder {
        NamesBuilder::new(page_size)
    }

    fn push(&mut self, key: &NameKey, _: &()) -> bool {
        NamesBuilder::push(self, key.name(), key.id())
    }

    fn is_empty(&self) -> bool {
        NamesBuilder::is_empty(self)
    }

    fn size(&self) -> usize {
        NamesBuilder::size(self)
    }

    fn finish(&mut self) -> Box<[u8]> {
        NamesBuilder::finish(self)
    }
}
