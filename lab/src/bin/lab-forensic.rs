//! The `lab` binary once more, built with the engine's counters. `lab` starts it where counts are wanted,
//! so that its own times are those of an engine that does not count.

use std::process::ExitCode;

fn main() -> ExitCode {
    vellum_lab::main()
}
