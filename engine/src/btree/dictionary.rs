//! The small spaces of plain keys and values: the dictionary, and the runs of absent ids.

use super::space::{Items, LeafBuilder, Space};
use crate::error::Result;
use crate::format::bytes::u48_be;
use crate::format::node::BlobRef;
use crate::format::sorted::SortedBuilder;
use crate::format::{FormatError, Reader, varint};
use crate::ids::KeySpace;
use crate::pager::{PageGuard, PageWriter};

/// The dictionary: kinds and labels, by number and by name.
pub(crate) struct Dictionary;

impl Space for Dictionary {
    const SPACE: KeySpace = KeySpace::Dictionary;
    type Key = Box<[u8]>;
    type Value = Box<[u8]>;
    type Stored = Box<[u8]>;
    type Builder = PairLeaf;

    fn encode_key(key: &Box<[u8]>, out: &mut Vec<u8>) {
        out.extend_from_slice(key);
    }

    fn items(leaf: &PageGuard) -> Items<Box<[u8]>, Box<[u8]>> {
        let view = leaf.sorted().ok_or(FormatError("not a sorted page"))?;
        let mut key = Vec::new();
        let present = (0..view.len()).filter(|i| !view.is_absent(*i));
        let pairs = present.map(|i| {
            view.key(i, &mut key);
            (key.as_slice().into(), view.value(i).into())
        });
        Ok(pairs.collect())
    }

    fn stored(value: &Box<[u8]>) -> Box<[u8]> {
        value.clone()
    }

    fn store(value: &Box<[u8]>, _: &mut PageWriter<'_>) -> Result<Box<[u8]>> {
        Ok(value.clone())
    }

    fn blob(_: &Box<[u8]>) -> Option<BlobRef> {
        None
    }
}

/// The value of a run of absent ids, which is all that its cell holds.
pub(super) fn run_value(cell: &[u8]) -> std::result::Result<u64, FormatError> {
    let mut r = Reader::new(cell);
    let value = r.varint()?;
    r.end()?;
    Ok(value)
}

/// Runs of ids that name no node: first id to length.
pub(crate) struct Absent;

impl Space for Absent {
    const SPACE: KeySpace = KeySpace::Absent;
    type Key = u64;
    type Value = u64;
    type Stored = u64;
    type Builder = PairLeaf;

    fn encode_key(key: &u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&u48_be(*key));
    }

    fn items(leaf: &PageGuard) -> Items<u64, u64> {
        let view = leaf.sorted().ok_or(FormatError("not a sorted page"))?;
        let present = (0..view.len()).filter(|i| !view.is_absent(*i));
        present
            .map(|i| Ok((view.key_u48(i), run_value(view.value(i))?)))
            .collect()
    }

    fn stored(value: &u64) -> u64 {
        *value
    }

    fn store(value: &u64, _: &mut PageWriter<'_>) -> Result<u64> {
        Ok(*value)
    }

    fn blob(_: &u64) -> Option<BlobRef> {
        None
    }
}

/// Encodes leaves of plain pairs.
pub(crate) struct PairLeaf {
    page: SortedBuilder,
    cell: Vec<u8>,
}

impl LeafBuilder<Box<[u8]>, Box<[u8]>> for PairLeaf {
    fn new(page_size: usize, space: KeySpace, level: u8) -> PairLeaf {
        PairLeaf {
            page: SortedBuilder::new(page_size, space, level),
            cell: Vec::new(),
        }
    }

    fn push(&mut self, key: &Box<[u8]>, value: &Box<[u8]>) -> bool {
        self.page.push(key, value)
    }

    fn is_empty(&self) -> bool {
        self.page.is_empty()
    }

    fn size(&self) -> usize {
        self.page.size()
    }

    fn finish(&mut self) -> Box<[u8]> {
        self.page.finish()
    }
}

impl LeafBuilder<u64, u64> for PairLeaf {
    fn new(page_size: usize, space: KeySpace, level: u8) -> PairLeaf {
        PairLeaf {
            page: SortedBuilder::new(page_size, space, level),
            cell: Vec::new(),
        }
    }

    fn push(&mut self, first: &u64, len: &u64) -> bool {
        self.cell.clear();
        varint::put(&mut self.cell, *len);
        self.page.push(&u48_be(*first), &self.cell)
    }

    fn is_empty(&self) -> bool {
        self.page.is_empty()
    }

    fn size(&self) -> usize {
        self.page.size()
    }

    fn finish(&mut self) -> Box<[u8]> {
        self.page.finish()
    }
}
