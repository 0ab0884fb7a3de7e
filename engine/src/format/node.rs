//! The cell of a node, and data that stands in a cell or elsewhere.

use super::limits::{MAX_DATA_LEN, MAX_NAME_LEN};
use super::page::{REF_LEN, put_ref};
use super::{FormatError, Reader, Result, ensure, varint};
use crate::ids::PageRef;

/// Where a blob begins, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRef {
    /// Its first index page.
    pub index: PageRef,
    /// Its length in bytes, at least 1.
    pub len: u64,
}

impl BlobRef {
    /// Reads a reference.
    pub fn read(r: &mut Reader<'_>) -> Result<BlobRef> {
        let index = r
            .page_ref()?
            .ok_or(FormatError("a blob refers to no page"))?;
        let len = r.varint_to(MAX_DATA_LEN, "blob longer than data may be")?;
        ensure(len > 0, "a blob is empty")?;
        Ok(BlobRef { index, len })
    }

    /// Appends the reference.
    pub fn put(&self, out: &mut Vec<u8>) {
        put_ref(out, Some(self.index));
        varint::put(out, self.len);
    }

    /// Bytes that [`BlobRef::put`] appends.
    pub fn encoded_len(&self) -> usize {
        REF_LEN + varint::len(self.len)
    }
}

/// The data of a node or an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// The bytes themselves.
    Inline(&'a [u8]),
    /// Too long for a cell.
    Blob(BlobRef),
}

impl<'a> Data<'a> {
    /// No data.
    pub const EMPTY: Data<'static> = Data::Inline(&[]);

    /// Whether there is no data.
    pub fn is_empty(&self) -> bool {
        matches!(self, Data::Inline([]))
    }

    /// Length of the data in bytes, wherever it stands.
    pub fn len(&self) -> u64 {
        match self {
            Data::Inline(bytes) => bytes.len() as u64,
            Data::Blob(blob) => blob.len,
        }
    }

    /// Bytes that the data takes in a cell.
    pub fn stored_len(&self) -> usize {
        match self {
            Data::Inline(bytes) => bytes.len(),
            Data::Blob(blob) => blob.encoded_len(),
        }
    }

    /// Whether the data is a blob.
    pub fn is_blob(&self) -> bool {
        matches!(self, Data::Blob(_))
    }

    /// Appends what stands in the cell.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Data::Inline(bytes) => out.extend_from_slice(bytes),
            Data::Blob(blob) => blob.put(out),
        }
    }

    /// Reads all of `stored`.
    #[inline]
    pub(crate) fn read(stored: &'a [u8], is_blob: bool) -> Result<Data<'a>> {
        if !is_blob {
            return Ok(Data::Inline(stored));
        }
        let mut r = Reader::new(stored);
        let blob = BlobRef::read(&mut r)?;
        r.end()?;
        Ok(Data::Blob(blob))
    }
}

/// What the nodes space holds for one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeCell<'a> {
    /// Its kind.
    pub kind: u16,
    /// Its name, at most 1,024 bytes.
    pub name: &'a str,
    /// Its data.
    pub data: Data<'a>,
}

impl<'a> NodeCell<'a> {
    /// Reads a whole cell.
    #[inline]
    pub fn decode(cell: &'a [u8]) -> Result<NodeCell<'a>> {
        let mut r = Reader::new(cell);
        let tag = r.varint_to(2 * u64::from(u16::MAX) + 1, "node kind out of range")?;
        let name_len = r.varint_to(MAX_NAME_LEN as u64, "node name too long")?;
        let name = str::from_utf8(r.bytes(name_len as usize)?)
            .map_err(|_| FormatError("node name is not UTF-8"))?;
        let data = Data::read(r.rest(), tag & 1 == 1)?;
        Ok(NodeCell {
            kind: (tag >> 1) as u16,
            name,
            data,
        })
    }

    /// Appends the cell.
    pub fn encode(&self, out: &mut Vec<u8>) {
        varint::put(out, self.tag());
        varint::put(out, self.name.len() as u64);
        out.extend_from_slice(self.name.as_bytes());
        self.data.put(out);
    }

    /// Bytes that [`NodeCell::encode`] appends.
    pub fn encoded_len(&self) -> usize {
        let name = varint::len(self.name.len() as u64) + self.name.len();
        varint::len(self.tag()) + name + self.data.stored_len()
    }

    fn tag(&self) -> u64 {
        2 * u64::from(self.kind) + u64::from(self.data.is_blob())
    }
}

#[cfg(test)]
mod tests;
