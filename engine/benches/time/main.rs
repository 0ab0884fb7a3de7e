//! Time of the calls that embedders make most, and of what they are made of, warm. Run by `make bench`.
#![allow(missing_docs, clippy::unwrap_used)]

mod format;
#[path = "../graph/mod.rs"]
mod graph;
mod reads;
mod writes;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    reads::nodes,
    reads::neighbours,
    reads::indexes,
    reads::walks,
    reads::caches,
    writes::changes,
    writes::commits,
    format::pages,
    format::numbers
);
criterion_main!(benches);
