//! The commands: each turns what was typed into a plan, carries it out and says how it ended.

mod inspect;
mod report;

use crate::cli::{Cli, Command};
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// Carries out what was typed.
pub(crate) fn dispatch(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Report(args) => report::run(&args, &global, console),
        Command::Inspect(args) => inspect::run(&args, global.verbose, console),
        _ => Err(Failure::lab("not wired yet")),
    }
}
