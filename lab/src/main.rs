//! The `lab` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    vellum_lab::main()
}
