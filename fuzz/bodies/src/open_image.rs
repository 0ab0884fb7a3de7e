//! A database of arbitrary or damaged files: it answers right or says what is wrong.

use arbitrary::Unstructured;

use crate::image::{self, Image};

pub use crate::image::Outcome;

/// The input's first byte: 0 for two files as they follow, the first of them as long as the next two
/// bytes say; else which sample to damage.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let form = u.arbitrary::<u8>().unwrap_or_default();
    if let Some(sample) = usize::from(form).checked_sub(1) {
        let samples = image::samples();
        let sample = &samples[sample % samples.len()];
        let (damaged, _) = sample.damaged(&mut u);
        return image::run(damaged, Some(sample));
    }
    let len = usize::from(u.arbitrary::<u16>().unwrap_or_default());
    let bytes = u.take_rest();
    let (database, log) = bytes.split_at(len.min(bytes.len()));
    let image = Image {
        database: database.to_vec(),
        log: log.to_vec(),
    };
    image::run(image, None)
}
