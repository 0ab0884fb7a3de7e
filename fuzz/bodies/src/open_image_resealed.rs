//! A database whose damage passes every checksum: any answer or error, but it ends and never panics.

use arbitrary::Unstructured;

use crate::image;

pub use crate::image::Outcome;

/// The input's first byte says which sample to damage.
pub fn run(data: &[u8]) -> Outcome {
    let mut u = Unstructured::new(data);
    let form = u.arbitrary::<u8>().unwrap_or_default();
    let samples = image::samples();
    let sample = &samples[usize::from(form) % samples.len()];
    let (mut damaged, touched) = sample.damaged(&mut u);
    sample.reseal(&mut damaged, &touched);
    image::run(damaged, None)
}
