//! `lab check`: the engine's complete check, read-only, with every finding.

use crate::cli::{CheckArgs, Format};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::store::open_read_only;
use crate::units::grouped;

pub(crate) fn run(args: &CheckArgs, console: &Console) -> Result<Exit, Failure> {
    let path = args.database.display();
    let opened = open_read_only(&args.database);
    let database = match opened {
        Ok(database) => database,
        // A file too damaged to open is a finding, and the only one there can be.
        Err(failure) if failure.exit == Exit::Wrong => {
            report(console, &path.to_string(), &[failure.message], None)?;
            return Ok(Exit::Wrong);
        }
        Err(failure) => return Err(failure),
    };
    let found = database.check()?;
    let findings: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
    let counts = Counts {
        nodes: found.nodes,
        edges: found.edges,
        pages_reached: found.pages_reached,
        pages_free: found.pages_free,
    };
    report(console, &path.to_string(), &findings, Some(counts))?;
    Ok(if findings.is_empty() {
        Exit::Passed
    } else {
        Exit::Wrong
    })
}

/// What a check looked at.
#[derive(serde::Serialize)]
struct Counts {
    nodes: u64,
    edges: u64,
    pages_reached: u64,
    pages_free: u64,
}

fn report(
    console: &Console,
    path: &str,
    findings: &[String],
    counts: Option<Counts>,
) -> Result<(), Failure> {
    if matches!(console.format, Format::Json | Format::Ndjson) {
        let value =
            serde_json::json!({ "database": path, "findings": findings, "checked": counts });
        return console.result(&format!(
            "{}\n",
            serde_json::to_string(&value).context("JSON")?
        ));
    }
    let mut out = String::new();
    for finding in findings {
        out += &format!("{finding}\n");
    }
    let verdict = if findings.is_empty() {
        "sound".to_owned()
    } else {
        format!("{} findings", findings.len())
    };
    out += &match counts {
        Some(counts) => format!(
            "{path}: {verdict}; {} nodes, {} edges, {} pages in use, {} free\n",
            grouped(counts.nodes),
            grouped(counts.edges),
            grouped(counts.pages_reached),
            grouped(counts.pages_free)
        ),
        None => format!("{path}: cannot be opened\n"),
    };
    console.result(&out)
}
