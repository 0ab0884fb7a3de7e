//! `lab recover`: what a damaged database still holds, into a new one.

use std::path::Path;

use crate::cli::{Format, RecoverArgs};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::inspect::paint::Paint;
use crate::inspect::source::Source;
use crate::recover::Recovery;

pub(crate) fn run(args: &RecoverArgs, console: &Console) -> Result<Exit, Failure> {
    let source = Source::open(&args.database)?;
    if args.output.exists() {
        let text = format!(
            "{} exists already; give another name, nothing is overwritten",
            args.output.display()
        );
        return Err(Failure::usage(text));
    }
    let recovery = Recovery::of(&source)?;
    if recovery.is_empty() {
        let text = format!(
            "{}: nothing in it can be read as a page of a database, so nothing was written",
            source.name
        );
        return Err(Failure::wrong(text));
    }
    let database = recovery.builder().create(&args.output)?;
    let report = match recovery.write(database) {
        Ok(report) => report,
        Err(failure) => {
            remove(&args.output);
            return Err(failure);
        }
    };
    let to = args.output.display().to_string();
    let text = match console.format {
        Format::Human => report.text(
            &source.name,
            &to,
            Paint {
                on: console.colour_results(),
            },
        ),
        Format::Md => format!(
            "```text\n{}```\n",
            report.text(&source.name, &to, Paint { on: false })
        ),
        Format::Json => {
            serde_json::to_string_pretty(&report.json(&source.name, &to)).context("JSON")? + "\n"
        }
        Format::Ndjson => {
            serde_json::to_string(&report.json(&source.name, &to)).context("JSON")? + "\n"
        }
    };
    console.result(&text)?;
    Ok(if report.is_complete() {
        Exit::Passed
    } else {
        Exit::Wrong
    })
}

/// Takes back a database that this salvage created. That this may fail changes nothing.
fn remove(database: &Path) {
    let mut log = database.as_os_str().to_owned();
    log.push("-log");
    let _ = std::fs::remove_file(database);
    let _ = std::fs::remove_file(log);
}
