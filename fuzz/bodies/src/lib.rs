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
mod changes;
mod contents;
mod edits;
pub mod header;
mod image;
pub mod import_text;
pub mod inspect;
mod model;
pub mod open_image;
pub mod open_image_resealed;
pub mod ops_crash;
pub mod ops_io_fault;
pub mod ops_model;
pub mod page_unpack;
mod power;
pub mod readers_snapshot;
mod reencode;
mod samples;
pub mod scenario_text;
pub mod seeds;
mod session;
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
    ("ops_model", |data| _ = ops_model::run(data)),
    ("ops_crash", |data| _ = ops_crash::run(data)),
    ("ops_io_fault", |data| _ = ops_io_fault::run(data)),
    ("scenario_text", |data| _ = scenario_text::run(data)),
    ("import_text", |data| _ = import_text::run(data)),
    ("readers_snapshot", |data| _ = readers_snapshot::run(data)),
];
