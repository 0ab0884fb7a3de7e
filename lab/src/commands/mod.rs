//! The commands: each turns what was typed into a plan, carries it out and says how it ended.

mod check;
mod crash;
mod import;
mod inspect;
mod report;
mod run;

use crate::cli::{Cli, Command};
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// Carries out what was typed.
pub(crate) fn dispatch(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Run(args) => run::run(&args, &global, console),
        Command::Import(args) => import::run(&args, console),
        Command::Check(args) => check::run(&args, console),
        Command::Writer(args) => crate::store::writer::run(&args),
        Command::Report(args) => report::run(&args, &global, console),
        Command::Crash(args) => crash::run(&args, console),
        Command::Inspect(args) => inspect::run(&args, global.verbose, console),
    }
}
