//! The laboratory of Vellum. `docs/architecture.md` maps this crate; `lab --help` lists what it does.

#![allow(dead_code)]

mod cli;
mod console;
mod dataset;
mod digest;
mod failure;
mod nearest;
mod random;
mod results;
mod scenario;
mod stats;
mod units;

fn main() {}
