//! The names space: every name with the id of a node that has it.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::descent::Descent;
use super::name_directory::{HeldNames, NameDirectory, NameTable};
use super::space::{Items, LeafBuilder, Space};
use crate::error::{Error, Result};
use crate::format::FormatError;
use crate::format::bytes::{from_u48_be, u48_be};
use crate::format::header::Root;
use crate::format::names::{NamesBuilder, NamesPage, NamesPosition};
use crate::format::node::BlobRef;
use crate::ids::KeySpace;
use crate::pager::{PageGuard, PageWriter, Pager, Pages};

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

/// Names up to this length are looked for without memory of their own.
const SHORT: usize = 120;

/// The only node with this name, or that there is none, where a leaf that the directory holds tells. `None`: a cursor does.
pub(crate) fn only_named(
    pager: &Pager,
    directory: &NameDirectory,
    name: &str,
) -> Result<Option<Option<u64>>> {
    let (mut buffer, name) = ([0; SHORT + TAIL], name.as_bytes());
    let Some(start) = buffer.get_mut(..name.len()).filter(|_| name.len() <= SHORT) else {
        return Ok(None);
    };
    start.copy_from_slice(name);
    let key = buffer.get(..name.len() + TAIL).unwrap_or_default();
    let Some(table) = directory.table(pager) else {
        return Ok(None);
    };
    let leaf = table.leaf_of(key);
    let held = table.leaf(pager, leaf)?;
    Ok(held.and_then(|held| held.names()?.only(name, key, held.samples())))
}

/// Names from some place on, rebuilt one at a time where they stand. Ends after an error.
pub(crate) struct NameCursor<'a> {
    pager: &'a Pager,
    root: &'a Root,
    leaf: Leaf<'a>,
    position: NamesPosition,
}

/// Where a cursor stands.
enum Leaf<'a> {
    /// In a leaf of this number that the directory holds.
    Held(&'a NameTable, usize, &'a HeldNames),
    /// Where a descent led to.
    Found(Box<(Descent<'a, Pager>, PageGuard)>),
    /// Beyond the last name.
    End,
}

impl<'a> NameCursor<'a> {
    /// From this name, or the first after it, on. `directory`: that of the tree, if there is one.
    pub(crate) fn from(
        pager: &'a Pager,
        root: &'a Root,
        directory: Option<&'a NameDirectory>,
        name: &str,
    ) -> Result<NameCursor<'a>> {
        let mut key = Vec::with_capacity(name.len() + TAIL);
        key.extend_from_slice(name.as_bytes());
        key.extend_from_slice(&[0; TAIL]);
        let mut cursor = NameCursor {
            pager,
            root,
            leaf: Leaf::End,
            position: NamesPosition::default(),
        };
        let mut samples = None;
        if let Some(table) = directory.and_then(|directory| directory.table(pager)) {
            let number = table.leaf_of(&key);
            if let Some(held) = table.leaf(pager, number)? {
                cursor.leaf = Leaf::Held(table, number, held);
                samples = Some(held.samples());
            }
        }
        if matches!(cursor.leaf, Leaf::End) {
            cursor.descend(&key)?;
        }
        if let Some(view) = cursor.view()? {
            cursor.position = view.seek(key, samples);
        }
        Ok(cursor)
    }

    /// The name that the last step came to.
    #[inline]
    pub(crate) fn name(&self) -> &[u8] {
        self.position.name()
    }

    /// Goes to the next name and gives the node that has it.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<Option<u64>> {
        loop {
            let view = match &self.leaf {
                Leaf::Held(.., held) => held.names(),
                Leaf::Found(found) => found.1.names(),
                Leaf::End => return Ok(None),
            };
            if let Some(id) = view.and_then(|view| view.step(&mut self.position)) {
                return Ok(Some(id));
            }
            self.advance()?;
        }
    }

    /// Tells every name from here on, how many bytes of it are known to begin the name told before, too, and the node that
    /// has it, until told to stop; returns what `see` broke with.
    pub(crate) fn visit<B>(
        &mut self,
        mut see: impl FnMut(&[u8], usize, u64) -> ControlFlow<B>,
    ) -> Result<Option<B>> {
        let mut first = true;
        loop {
            let view = match &self.leaf {
                Leaf::Held(.., held) => held.names(),
                Leaf::Found(found) => found.1.names(),
                Leaf::End => return Ok(None),
            };
            if let Some(view) = view {
                while let Some(id) = view.step(&mut self.position) {
                    // What comes before the first name was not told.
                    let shared = if std::mem::take(&mut first) {
                        0
                    } else {
                        self.position.shared()
                    };
                    if let ControlFlow::Break(value) = see(self.position.name(), shared, id) {
                        return Ok(Some(value));
                    }
                }
            }
            self.advance()?;
        }
    }

    /// Goes to the beginning of the next leaf.
    #[cold]
    fn advance(&mut self) -> Result<()> {
        match std::mem::replace(&mut self.leaf, Leaf::End) {
            Leaf::Held(table, number, _) => match table.leaf(self.pager, number + 1)? {
                Some(held) => self.leaf = Leaf::Held(table, number + 1, held),
                None => {
                    if let Some(separator) = table.separator(number + 1) {
                        self.descend(separator)?;
                    }
                }
            },
            Leaf::Found(mut found) => {
                if found.0.advance()?
                    && let Some(page) = found.0.page()?
                {
                    found.1 = page;
                    self.leaf = Leaf::Found(found);
                }
            }
            Leaf::End => {}
        }
        if let Some(view) = self.view()? {
            self.position = view.position(0);
        }
        Ok(())
    }

    fn descend(&mut self, key: &[u8]) -> Result<()> {
        let mut descent = Descent::new(self.pager, KeySpace::Names, *self.root, 0);
        descent.seek(key)?;
        if let Some(page) = descent.page()? {
            self.leaf = Leaf::Found(Box::new((descent, page)));
        }
        Ok(())
    }

    fn view(&self) -> Result<Option<NamesPage<'_>>> {
        let (names, at) = match &self.leaf {
            Leaf::Held(.., held) => (held.names(), held.page()),
            Leaf::Found(found) => (found.1.names(), found.1.at().page()),
            Leaf::End => return Ok(None),
        };
        let broken = || Error::corrupt_page(at, self.pager.page_size(), "not a names leaf");
        names.ok_or_else(broken).map(Some)
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
