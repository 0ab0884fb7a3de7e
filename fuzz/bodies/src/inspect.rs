//! The inspector and the salvage on arbitrary or damaged files: whatever the bytes, nothing panics.

use arbitrary::Unstructured;
use vellum_lab::{Looked, look_at_everything};

use crate::image;

/// From this first byte on, the checksums of the damaged sample are repaired.
pub(crate) const RESEALED: u8 = 128;

/// The input is that of `open_image`, with the first byte from 128 on for samples whose checksums are
/// repaired after the damage.
pub fn run(data: &[u8]) -> Looked {
    let mut u = Unstructured::new(data);
    let form = u.arbitrary::<u8>().unwrap_or_default();
    let (database, log) = match usize::from(form % RESEALED).checked_sub(1) {
        Some(sample) => {
            let samples = image::samples();
            let sample = &samples[sample % samples.len()];
            let (mut damaged, touched) = sample.damaged(&mut u);
            if form >= RESEALED {
                sample.reseal(&mut damaged, &touched);
            }
            (damaged.database, damaged.log)
        }
        None => {
            let len = usize::from(u.arbitrary::<u16>().unwrap_or_default());
            let bytes = u.take_rest();
            let (database, log) = bytes.split_at(len.min(bytes.len()));
            (database.to_vec(), log.to_vec())
        }
    };
    let looked = look_at_everything(&database, &log);
    // Only a view of a node that can have no such id, or of a page that is not there, is refused.
    assert!(looked.shown >= 2 * 12, "views were refused: {looked:?}");
    looked
}
