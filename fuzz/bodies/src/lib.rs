//! What the fuzz targets do with their input.
//!
//! Each module is a target: `run` takes the bytes that the fuzzer made, panics if a promise is
//! broken, and says how far the bytes came, so that tests can prove what the corpus reaches.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a body reports a broken promise"
)]

pub mod adjacency_block;
mod cells;
mod contents;
mod edits;
pub mod header;
mod image;
pub mod inspect;
pub mod open_image;
pub mod open_image_resealed;
pub mod page_unpack;
mod reencode;
mod samples;
pub mod seeds;
pub mod wal;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, by the name of its module, its binary and its corpus.
pub const TARGETS: &[Target] = &[
    ("page_unpack", |data| _ = page_unpack::run(data)),
    ("header", |data| _ = header::run(data)),
    ("wal", |data| _ = wal::run(data)),
    ("adjacency_block", |data| _ = adjacency_block::run(data)),
    ("open_image", |data| _ = open_image::run(data)),
    ("inspect", |data| _ = inspect::run(data)),
    ("open_image_resealed", |data| {
        _ = open_image_resealed::run(data)
    }),
];
