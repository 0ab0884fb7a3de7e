//! `lab crash replay`: one crash state again.

use crate::cli::{Crash, CrashArgs, Format, ReplayArgs};
use crate::console::Console;
use crate::crash::{Replayed, replay, write_files};
use crate::failure::{Context, Exit, Failure};

pub(crate) fn run(args: &CrashArgs, console: &Console) -> Result<Exit, Failure> {
    let Crash::Replay(args) = &args.what;
    let replayed = replay(&args.id)?;
    if let Some(folder) = &args.keep {
        write_files(&replayed.disk, folder)?;
        console.log(format!("the files are in {}", folder.display()));
    }
    let text = match console.format {
        Format::Json | Format::Ndjson => json(args, &replayed)?,
        Format::Human | Format::Md => human(args, &replayed),
    };
    console.result(&text)?;
    Ok(match replayed.broken {
        None => Exit::Passed,
        Some(_) => Exit::Wrong,
    })
}

fn human(args: &ReplayArgs, replayed: &Replayed) -> String {
    let mut text = String::new();
    if args.trace {
        for line in &replayed.trace {
            text.push_str(line);
            text.push('\n');
        }
    }
    let verdict = replayed.broken.as_ref().unwrap_or(&replayed.shows);
    text + verdict + "\n"
}

fn json(args: &ReplayArgs, replayed: &Replayed) -> Result<String, Failure> {
    let trace = args.trace.then_some(&replayed.trace);
    let value = serde_json::json!({
        "id": args.id,
        "shows": replayed.shows,
        "broken": replayed.broken,
        "trace": trace,
    });
    Ok(serde_json::to_string(&value).context("JSON")? + "\n")
}
