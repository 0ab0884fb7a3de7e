//! Changes of edges one after the other. Most edges have no data, and then none is stored.

use super::packed::Packed;
use crate::btree::{Change, EdgeData};
use crate::delta::heap::Heap;
use crate::digits::DigitSorter;
use crate::ids::EdgeKey;

/// Changes of edges, in any order.
#[derive(Clone, Default)]
pub(crate) struct EdgeList {
    pub(super) keys: Vec<Packed>,
    /// For each key its data; empty while no edge has any.
    pub(super) data: Vec<EdgeData>,
}

/// Memory of one key and of one entry of data, in bytes.
const KEY: usize = size_of::<Packed>();
const DATA: usize = size_of::<EdgeData>();

impl EdgeList {
    pub(super) fn with_capacity(len: usize) -> EdgeList {
        EdgeList {
            keys: Vec::with_capacity(len),
            data: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let data: usize = self.data.iter().map(Heap::heap_bytes).sum();
        self.keys.len() * KEY + self.data.len() * DATA + data
    }

    pub(crate) fn push(&mut self, key: &EdgeKey, change: Change<EdgeData>) {
        match change {
            Change::Put(data) => self.push_packed(Packed::new(key, false), data),
            Change::Delete => self.push_packed(Packed::new(key, true), EdgeData::default()),
        }
    }

    #[inline]
    pub(super) fn push_packed(&mut self, key: Packed, data: EdgeData) {
        if !self.data.is_empty() || !data.bytes().is_empty() {
            self.data.resize(self.keys.len(), EdgeData::default());
            self.data.push(data);
        }
        self.keys.push(key);
    }

    /// Appends changes `range` of another list.
    pub(super) fn extend_from(&mut self, other: &EdgeList, range: std::ops::Range<usize>) {
        if !self.data.is_empty() || !other.data.is_empty() {
            self.data.resize(self.keys.len(), EdgeData::default());
            match other.data.get(range.clone()) {
                Some(data) => self.data.extend_from_slice(data),
                None => self
                    .data
                    .resize(self.keys.len() + range.len(), EdgeData::default()),
            }
        }
        self.keys
            .extend_from_slice(other.keys.get(range).unwrap_or_default());
    }

    pub(crate) fn append(&mut self, mut other: EdgeList) {
        if self.is_empty() {
            *self = other;
            return;
        }
        if !self.data.is_empty() || !other.data.is_empty() {
            self.data.resize(self.keys.len(), EdgeData::default());
            other.data.resize(other.keys.len(), EdgeData::default());
            self.data.append(&mut other.data);
        }
        self.keys.append(&mut other.keys);
    }

    #[inline]
    pub(super) fn data(&self, at: usize) -> EdgeData {
        self.data.get(at).cloned().unwrap_or_default()
    }

    /// The change at a place.
    #[inline]
    pub(super) fn change(&self, at: usize) -> Option<(EdgeKey, Change<EdgeData>)> {
        let packed = self.keys.get(at)?;
        let change = match packed.is_deletion() {
            true => Change::Delete,
            false => Change::Put(self.data(at)),
        };
        Some((packed.key(), change))
    }

    /// Puts the changes in the order of their keys, those of one key in the order they came.
    pub(crate) fn sort(&mut self) {
        if self.keys.is_sorted_by_key(|key| key.order()) {
            return;
        }
        if self.data.is_empty() {
            sort(&mut self.keys, |key| *key);
            return;
        }
        let keys = std::mem::take(&mut self.keys).into_iter();
        let mut both: Vec<_> = keys.zip(std::mem::take(&mut self.data)).collect();
        both.sort_by_key(|(key, _)| key.order());
        (self.keys, self.data) = both.into_iter().unzip();
    }

    /// Of each key's changes in a sorted list, keeps the last.
    pub(super) fn keep_last(mut self) -> EdgeList {
        if self.keys.is_sorted_by(|a, b| a.order() < b.order()) {
            return self;
        }
        let mut kept = EdgeList::with_capacity(self.len());
        for (at, key) in self.keys.iter().enumerate() {
            let next = self.keys.get(at + 1);
            if next.is_none_or(|next| next.order() != key.order()) {
                let data = self.data.get_mut(at).map(std::mem::take);
                kept.push_packed(*key, data.unwrap_or_default());
            }
        }
        kept
    }

    /// Gives the edges of each (source, label, target) in a sorted list their ordinals, in the order they
    /// stand; `first` says the first of them.
    pub(crate) fn number<E>(
        &mut self,
        mut first: impl FnMut(EdgeKey) -> Result<u32, E>,
        after: impl Fn(u32) -> Result<u32, E>,
    ) -> Result<(), E> {
        let mut numbered: Vec<Packed> = Vec::with_capacity(self.keys.len());
        let mut last: Option<EdgeKey> = None;
        for packed in &self.keys {
            let key = packed.key();
            let ordinal = match last {
                Some(last) if (EdgeKey { ordinal: 0, ..last }) == key => after(last.ordinal)?,
                _ => first(key)?,
            };
            let key = EdgeKey { ordinal, ..key };
            numbered.push(Packed::new(&key, packed.is_deletion()));
            last = Some(key);
        }
        self.keys = numbered;
        Ok(())
    }
}

/// Puts items in the order of their keys, those of one key in the order they came.
pub(super) fn sort<T: Copy>(items: &mut Vec<T>, key: impl Fn(&T) -> Packed) {
    let mut sorter = DigitSorter::default();
    // The lower part of the key first, as sorting keeps the order of what is the same.
    sorter.sort(items, |item| key(item).order().1.into());
    sorter.sort(items, |item| key(item).order().0);
}
