//! The nodes space: id to kind, name and data.

use std::ops::Range;
use std::sync::Arc;

use super::space::{Items, LeafBuilder, Space};
use crate::error::Result;
use crate::format::FormatError;
use crate::format::bytes::u48_be;
use crate::format::limits::max_inline;
use crate::format::node::{BlobRef, Data, NodeCell};
use crate::format::sorted::SortedBuilder;
use crate::ids::KeySpace;
use crate::pager::{PageGuard, PageWriter};

/// A node on its way into the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeRecord {
    pub(crate) kind: u16,
    pub(crate) name: Box<str>,
    pub(crate) data: Box<[u8]>,
}

/// A node where it is: in a leaf, or in memory.
#[derive(Clone)]
pub(crate) enum StoredNode {
    Leaf {
        leaf: PageGuard,
        cell: Range<usize>,
    },
    Memory {
        record: Arc<NodeRecord>,
        blob: Option<BlobRef>,
    },
}

impl StoredNode {
    /// The node's cell, or one that says the same.
    pub(crate) fn cell(&self) -> std::result::Result<NodeCell<'_>, FormatError> {
        match self {
            StoredNode::Leaf { leaf, cell } => {
                NodeCell::decode(leaf.bytes().get(cell.clone()).unwrap_or_default())
            }
            StoredNode::Memory { record, blob } => {
                let data = match blob {
                    Some(blob) => Data::Blob(*blob),
                    None => Data::Inline(&record.data),
                };
                Ok(NodeCell {
                    kind: record.kind,
                    name: &record.name,
                    data,
                })
            }
        }
    }

    /// The page that it stands in.
    pub(crate) fn page(&self) -> Option<u64> {
        match self {
            StoredNode::Leaf { leaf, .. } => Some(leaf.at().page()),
            StoredNode::Memory { .. } => None,
        }
    }
}

/// The nodes space.
pub(crate) struct Nodes;

impl Space for Nodes {
    const SPACE: KeySpace = KeySpace::Nodes;
    type Key = u64;
    type Value = Arc<NodeRecord>;
    type Stored = StoredNode;
    type Builder = NodeLeaf;

    fn encode_key(key: &u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&u48_be(*key));
    }

    fn items(leaf: &PageGuard) -> Items<u64, StoredNode> {
        let view = leaf.sorted().ok_or(FormatError("not a sorted page"))?;
        let present = (0..view.len()).filter(|i| !view.is_absent(*i));
        let node = |i| {
            let stored = StoredNode::Leaf {
                leaf: leaf.clone(),
                cell: view.value_range(i),
            };
            (view.key_u48(i), stored)
        };
        Ok(present.map(node).collect())
    }

    fn stored(value: &Arc<NodeRecord>) -> StoredNode {
        StoredNode::Memory {
            record: Arc::clone(value),
            blob: None,
        }
    }

    fn store(value: &Arc<NodeRecord>, writer: &mut PageWriter<'_>) -> Result<StoredNode> {
        let large = value.data.len() > max_inline(writer.page_size());
        let blob = if large {
            Some(writer.write_blob(&value.data)?)
        } else {
            None
        };
        Ok(StoredNode::Memory {
            record: Arc::clone(value),
            blob,
        })
    }

    fn blob(stored: &StoredNode) -> Option<BlobRef> {
        match stored.cell().ok()?.data {
            Data::Blob(blob) => Some(blob),
            Data::Inline(_) => None,
        }
    }
}

/// Encodes leaves of nodes.
pub(crate) struct NodeLeaf {
    page: SortedBuilder,
    cell: Vec<u8>,
}

impl LeafBuilder<u64, StoredNode> for NodeLeaf {
    fn new(page_size: usize, space: KeySpace, level: u8) -> NodeLeaf {
        NodeLeaf {
            page: SortedBuilder::new(page_size, space, level),
            cell: Vec::new(),
        }
    }

    fn push(&mut self, id: &u64, stored: &StoredNode) -> bool {
        self.cell.clear();
        match stored {
            // A cell is the same in every leaf, so it moves as it is.
            StoredNode::Leaf { leaf, cell } => {
                let bytes = leaf.bytes().get(cell.clone()).unwrap_or_default();
                self.cell.extend_from_slice(bytes);
            }
            StoredNode::Memory { .. } => {
                if let Ok(cell) = stored.cell() {
                    cell.encode(&mut self.cell);
                }
            }
        }
        self.page.push(&u48_be(*id), &self.cell)
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
