//! Small changes to bytes that are otherwise valid.

use arbitrary::{Arbitrary, Unstructured};

/// The most changes one input makes.
const MOST: usize = 64;

/// One byte to change.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Edit {
    at: u32,
    flip: u8,
}

impl Edit {
    /// Applies the change, wherever in `bytes` it falls, and says where that is.
    pub(crate) fn apply(self, bytes: &mut [u8]) -> Option<usize> {
        let at = (self.at as usize).checked_rem(bytes.len())?;
        let byte = bytes.get_mut(at)?;
        *byte ^= self.flip;
        Some(at)
    }
}

/// The changes that the rest of the input asks for.
pub(crate) fn read(u: &mut Unstructured<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    while !u.is_empty() && edits.len() < MOST {
        edits.extend(u.arbitrary::<Edit>());
    }
    edits
}

/// The input that [`read`] takes for these changes.
pub(crate) fn write(edits: &[(u32, u8)], out: &mut Vec<u8>) {
    for (at, flip) in edits {
        out.extend_from_slice(&at.to_le_bytes());
        out.push(*flip);
    }
}
