//! The data of a block's edges.

use crate::format::limits::MAX_DATA_LEN;
use crate::format::node::Data;
use crate::format::{FormatError, Reader, Result, ensure};

/// Iterates over the data of a block's edges. Ends after an error.
#[derive(Clone, Debug)]
pub struct EdgeDataIter<'p> {
    lengths: Reader<'p>,
    bytes: Reader<'p>,
    has_data: bool,
    left: usize,
}

impl<'p> EdgeDataIter<'p> {
    /// `section` is `count` lengths and then the bytes they add up to; none if no edge has data.
    pub(super) fn new(section: Option<&'p [u8]>, count: usize) -> Result<EdgeDataIter<'p>> {
        let lengths = Reader::new(section.unwrap_or_default());
        let mut bytes = lengths;
        if section.is_some() {
            let mut total = 0u64;
            for _ in 0..count {
                total += length(&mut bytes)?.0;
            }
            let mut rest = bytes;
            ensure(
                rest.rest().len() as u64 == total,
                "edge data does not fill its cell",
            )?;
        }
        Ok(EdgeDataIter {
            lengths,
            bytes,
            has_data: section.is_some(),
            left: count,
        })
    }

    fn read(&mut self) -> Result<Data<'p>> {
        if !self.has_data {
            return Ok(Data::EMPTY);
        }
        let (len, is_blob) = length(&mut self.lengths)?;
        let len = usize::try_from(len).map_err(|_| FormatError("edge data too long"))?;
        Data::read(self.bytes.bytes(len)?, is_blob)
    }
}

fn length(r: &mut Reader<'_>) -> Result<(u64, bool)> {
    let tag = r.varint_to(2 * MAX_DATA_LEN + 1, "edge data too long")?;
    Ok((tag >> 1, tag & 1 == 1))
}

impl<'p> Iterator for EdgeDataIter<'p> {
    type Item = Result<Data<'p>>;

    fn next(&mut self) -> Option<Result<Data<'p>>> {
        self.left = self.left.checked_sub(1)?;
        let data = self.read();
        if data.is_err() {
            self.left = 0;
        }
        Some(data)
    }
}
