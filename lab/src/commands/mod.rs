//! The commands: each turns what was typed into a plan, carries it out and says how it ended.

mod ab;
mod baseline;
mod baselines;
mod check;
mod compare;
mod corrupt;
mod crash;
mod damage;
pub(crate) mod explain;
mod export;
mod faults;
mod import;
mod inspect;
mod merge;
pub(crate) mod metrics;
mod plan;
mod publish;
mod recover;
mod report;
mod run;
mod tell;

use crate::cli::{Cli, Command};
use crate::console::Console;
use crate::failure::{Exit, Failure};

/// Carries out what was typed.
pub(crate) fn dispatch(cli: Cli, console: &Console) -> Result<Exit, Failure> {
    let global = cli.global;
    match cli.command {
        Command::Run(args) => run::run(&args, &global, console),
        Command::Plan(args) => plan::run(&args, &global, console),
        Command::Compare(args) => compare::run(&args, &global, console),
        Command::Ab(args) => ab::run(&args, &global, console),
        Command::Baseline(command) => baseline::run(&command, &global, console),
        Command::Merge(args) => merge::run(&args, &global, console),
        Command::List(args) => tell::list(&args, console),
        Command::Metrics(args) => metrics::run(&args, console),
        Command::Peers => tell::peers(console),
        Command::Doctor => tell::doctor(&global.out, console),
        Command::Schema(args) => tell::schema(&args, console),
        Command::Completions(args) => tell::completions(&args, console),
        Command::Export(args) => export::run(&args, console),
        Command::Import(args) => import::run(&args, console),
        Command::Check(args) => check::run(&args, console),
        Command::Explain(args) => explain::run(&args, console),
        Command::Recover(args) => recover::run(&args, console),
        Command::Corrupt(args) => corrupt::run(&args, console),
        Command::Writer(args) => crate::store::writer::run(&args),
        Command::Real(args) => crate::real::run(&args, console),
        Command::Victim(args) => crate::real::victim(&args),
        Command::Opener(args) => crate::real::opener(&args),
        Command::Report(args) => report::run(&args, &global, console),
        Command::Crash(args) => crash::run(&args, console),
        Command::Faults(args) => faults::run(&args, console),
        Command::Damage(args) => damage::run(&args, console),
        Command::Inspect(args) => inspect::run(&args, global.verbose, console),
    }
}
