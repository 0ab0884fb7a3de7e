//! The `lab` binary.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: vellum_lab::Counting = vellum_lab::Counting;

fn main() -> ExitCode {
    vellum_lab::main()
}
