//! The `lab` binary once more, built with the engine's counters. `lab` starts it where counts are wanted,
//! so that its own times are those of an engine that does not count.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: vellum_lab::Counting = vellum_lab::Counting;

fn main() -> ExitCode {
    vellum_lab::main()
}
