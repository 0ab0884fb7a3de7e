//! The commands: each turns what was typed into a plan, carries it out and says how it ended.

mod report;

use crate::cli::Cli;
use crate::cli::Command;
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// Carries out what was typed.
pub(crate) fn dispatch(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Report(args) => report::run(&args, &global, console),
        _ => Err(Failure::lab("not wired yet")),
    }
}
