//! What distinguishes one key space from another: keys, values, and how a leaf holds them.

use crate::error::Result;
use crate::format::FormatError;
use crate::format::node::BlobRef;
use crate::ids::KeySpace;
use crate::pager::{PageGuard, PageWriter};

/// What happens to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change<V> {
    /// It has this value from now on.
    Put(V),
    /// It is gone.
    Delete,
}

/// The items of a leaf, or the rule that it breaks.
pub(crate) type Items<K, S> = std::result::Result<Vec<(K, S)>, FormatError>;

/// A key space and its leaves.
pub(crate) trait Space: 'static {
    /// Which one it is.
    const SPACE: KeySpace;
    /// An item's key. Its order is that of its encoding.
    type Key: Ord + Clone;
    /// A value on its way into the tree.
    type Value: Clone;
    /// A value as a leaf, or memory, holds it.
    type Stored: Clone;
    /// Encodes leaves.
    type Builder: LeafBuilder<Self::Key, Self::Stored>;

    /// Appends the key's bytes, which sort as the keys do.
    fn encode_key(key: &Self::Key, out: &mut Vec<u8>);
    /// Whether the key comes before these bytes. `buffer`: memory to use for it.
    #[inline]
    fn is_below(key: &Self::Key, bound: &[u8], buffer: &mut Vec<u8>) -> bool {
        buffer.clear();
        Self::encode_key(key, buffer);
        buffer.as_slice() < bound
    }
    /// The items of a leaf, in order.
    fn items(leaf: &PageGuard) -> Items<Self::Key, Self::Stored>;
    /// A value as memory holds it.
    fn stored(value: &Self::Value) -> Self::Stored;
    /// A value as a leaf will hold it: what is too large for a cell is written to pages of its own.
    fn store(value: &Self::Value, writer: &mut PageWriter<'_>) -> Result<Self::Stored>;
    /// The pages beside the leaf that a value has.
    fn blob(stored: &Self::Stored) -> Option<BlobRef>;
}

/// Collects ascending items and encodes pages of them.
pub(crate) trait LeafBuilder<K, S> {
    /// A builder of one level's pages.
    fn new(page_size: usize, space: KeySpace, level: u8) -> Self;
    /// Adds an item, unless the page would not hold it: then nothing changes and the answer is no.
    fn push(&mut self, key: &K, stored: &S) -> bool;
    /// Whether nothing has been pushed since the last page.
    fn is_empty(&self) -> bool;
    /// Size of the page as it stands, in bytes.
    fn size(&self) -> usize;
    /// The page, without birth and checksum. The builder is empty afterwards.
    fn finish(&mut self) -> Box<[u8]>;
}
