//! `lab report`: the reports of stored runs, rendered again.

use std::path::PathBuf;

use crate::cli::{Format, Global, ReportArgs};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::{report, rundir};

use super::publish;

pub(crate) fn run(args: &ReportArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    if args.published {
        let page = publish::render_all(&global.out)?;
        console.result(&format!("{}\n", page.display()))?;
        return Ok(Exit::Passed);
    }
    let folders: Vec<PathBuf> = if args.runs.is_empty() {
        vec![rundir::latest(&global.out)?]
    } else {
        args.runs
            .iter()
            .map(|run| rundir::find(&global.out, run))
            .collect()
    };
    let mut rows = Vec::new();
    for folder in folders {
        let (run, manifest) = rundir::read(&folder)?;
        let page = match args.publish {
            true => publish::publish(&global.out, &folder)?,
            false => report::write(&folder, &run, &manifest)?,
        };
        if let Some(scheme) = args.png {
            report::write_png(&folder, &run, scheme)?;
        }
        match console.format {
            Format::Human => console.result(&format!("{}\n", page.display()))?,
            Format::Md => console.result(&report::render(&run, &manifest).markdown)?,
            Format::Json | Format::Ndjson => {
                let page = page.display().to_string();
                rows.push(serde_json::json!({ "run": run.id, "report": page }));
            }
        }
    }
    if console.json() {
        console.rows("reports", &rows)?;
    }
    if args.publish {
        publish::render_all(&global.out)?;
    }
    Ok(Exit::Passed)
}
