//! Memory that keys and values refer to, so that budgets count all of it.

use std::sync::Arc;

use crate::btree::{Change, EdgeData, NameKey, NodeRecord};
use crate::ids::EdgeKey;

/// An allocation's share of the allocator's bookkeeping and rounding, in bytes.
const ALLOCATION: usize = 16;
/// The two counts before what an `Arc` holds, and the allocation itself, in bytes.
const SHARED: usize = 2 * size_of::<usize>() + ALLOCATION;

/// Something that may own memory outside itself.
pub(crate) trait Heap {
    /// Bytes of that memory.
    fn heap_bytes(&self) -> usize;
}

impl Heap for () {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Heap for u64 {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Heap for EdgeKey {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Heap for Box<[u8]> {
    fn heap_bytes(&self) -> usize {
        self.len() + ALLOCATION
    }
}

impl Heap for NameKey {
    fn heap_bytes(&self) -> usize {
        self.as_bytes().len() + SHARED
    }
}

impl Heap for EdgeData {
    fn heap_bytes(&self) -> usize {
        match self.bytes().len() {
            0 => 0,
            len => len + SHARED,
        }
    }
}

impl Heap for Arc<NodeRecord> {
    fn heap_bytes(&self) -> usize {
        SHARED + size_of::<NodeRecord>() + self.name.len() + self.data.len() + 2 * ALLOCATION
    }
}

impl<V: Heap> Heap for Change<V> {
    fn heap_bytes(&self) -> usize {
        match self {
            Change::Put(value) => value.heap_bytes(),
            Change::Delete => 0,
        }
    }
}

impl<K: Heap, V: Heap> Heap for (K, V) {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes() + self.1.heap_bytes()
    }
}
