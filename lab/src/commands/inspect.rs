//! `lab inspect`: a look into the file.

use serde_json::Value;

use crate::cli::{Format, InspectArgs};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::inspect::paint::Paint;
use crate::inspect::source::Source;
use crate::inspect::{self, Look};

pub(crate) fn run(args: &InspectArgs, verbose: bool, console: &Console) -> Result<Exit, Failure> {
    let look = Look {
        paint: Paint {
            on: console.colour_results(),
        },
        verbose,
        redact: args.redact,
    };
    let view = inspect::inspect(&Source::open(&args.database)?, &args.what, look)?;
    let text = match (console.format, view.json) {
        (Format::Human, _) => view.text,
        (Format::Md, _) => format!("```text\n{}```\n", view.text),
        (Format::Ndjson, Value::Array(rows)) => {
            let lines = rows
                .iter()
                .map(|row| Ok(serde_json::to_string(row)? + "\n"))
                .collect::<Result<Vec<String>, serde_json::Error>>();
            lines.context("JSON")?.concat()
        }
        (Format::Ndjson, value) => serde_json::to_string(&value).context("JSON")? + "\n",
        (Format::Json, value) => serde_json::to_string_pretty(&value).context("JSON")? + "\n",
    };
    console.result(&text)?;
    Ok(Exit::Passed)
}
