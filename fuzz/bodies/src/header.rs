//! Header slots: what decodes encodes to the same bytes.

use arbitrary::Unstructured;
use vellum::format::checksum::crc;
use vellum::format::header::{Header, SLOT_LEN, SlotProblem, decode_slot};

use crate::{edits, samples};

/// What the slot was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It cannot be used.
    Refused(SlotProblem),
    /// A state.
    State(Box<Header>),
}

/// Offset of a slot's checksum.
const CHECKSUM_AT: usize = SLOT_LEN - 8;

/// The input's first byte: 0 for a slot as it follows, 1 for a valid one with changes, 2 for one
/// whose checksum is right after them.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let form = u.arbitrary::<u8>().unwrap_or_default();
    if form.is_multiple_of(3) {
        return decode(u.take_rest());
    }
    let valid = samples::header(form / 3).encode();
    let mut slot = valid;
    for edit in edits::read(&mut u) {
        edit.apply(&mut slot);
    }
    if form % 3 == 2 {
        reseal(&mut slot);
    }
    let outcome = decode(&slot);
    let accepted = matches!(outcome, Outcome::State(_));
    assert!(
        !accepted || slot == valid || form % 3 == 2,
        "a damaged slot passes"
    );
    outcome
}

/// Repairs the checksum of a slot.
pub(crate) fn reseal(slot: &mut [u8]) {
    let (body, checksum) = slot.split_at_mut(CHECKSUM_AT);
    let sum = crc(&[body]).to_le_bytes();
    checksum[..sum.len()].copy_from_slice(&sum);
}

fn decode(bytes: &[u8]) -> Outcome {
    let header = match Header::decode(bytes) {
        Ok(header) => header,
        Err(problem) => return Outcome::Refused(problem),
    };
    assert_eq!(bytes.get(..SLOT_LEN), Some(&header.encode()[..]));
    let home = (header.sequence % 2) as usize;
    assert_eq!(decode_slot(bytes, home).as_ref(), Ok(&header));
    assert!(decode_slot(bytes, 1 - home).is_err());
    Outcome::State(Box::new(header))
}
