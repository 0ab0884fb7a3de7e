//! The laboratory of Vellum. `docs/architecture.md` maps this crate; `lab --help` lists what it does.
//!
//! It is a library so that the fuzz targets reach the inspector, and adapters of other engines the crash
//! enumerator. The command line is its contract.

mod bench;
mod cli;
mod commands;
mod console;
mod content;
mod crash;
mod damage;
mod dataset;
mod digest;
mod failure;
mod faults;
mod forensic;
mod inspect;
mod machine;
mod meter;
mod nearest;
mod ordering;
#[cfg(vellum_plant)]
pub mod planted;
mod random;
mod real;
mod recover;
mod report;
mod results;
mod run;
mod rundir;
mod scenario;
mod share;
mod stats;
mod store;
mod units;
pub mod untrusted;

pub use self::crash::foreign;
pub use self::meter::Counting;

use std::process::ExitCode;

use clap::Parser;

use self::cli::Cli;
use self::console::Console;

pub use self::inspect::{Looked, look_at_everything};

/// The process: what was typed, carried out.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results and go to stdout; mistakes go to stderr. Nothing can be
            // done about an output that refuses either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let console = Console::new(&cli.global);
    match commands::dispatch(cli, &console) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(failure) => {
            let text = if failure.rendered {
                failure.message
            } else {
                format!("lab: {}", failure.message)
            };
            console.alarm(&text);
            ExitCode::from(failure.exit as u8)
        }
    }
}
