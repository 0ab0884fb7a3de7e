//! `lab run`: every scenario is read and checked before the first one runs.

use crate::cli::{Format, Global, KeepDb, RunArgs};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::forensic;
use crate::nearest::nearest;
use crate::report;
use crate::run::{self, Finished, Orders, limits};
use crate::rundir;
use crate::scenario::{self, plan::Scenario};

use super::{baselines, publish};

pub(crate) fn run(args: &RunArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    if args.trace && !forensic::HERE {
        return forensic::hand_over("`lab run --trace`");
    }
    if args.png.is_some() {
        report::raster::available()?;
    }
    let changes = args.changes.changes();
    let scenarios = args
        .scenarios
        .iter()
        .map(|path| scenario::load(path, &changes, console.color))
        .collect::<Result<Vec<Scenario>, Failure>>()?;
    for scenario in &scenarios {
        known_phases(scenario, &args.only)?;
    }
    limits::watch_interrupts()?;
    let mut exit = Exit::Passed;
    let mut documents = Vec::new();
    for scenario in &scenarios {
        let baseline = match &args.baseline {
            Some(name) => Some(baselines::load(&global.out, name, &scenario.name)?),
            None => None,
        };
        let orders = Orders {
            out: &global.out,
            keep: if args.trace {
                KeepDb::Always
            } else {
                args.keep_db
            },
            trace: args.trace,
            changes: &changes,
            tag: args.tag.clone(),
            only: args.only.clone(),
            shard: args.shard,
            baseline,
        };
        let finished = run::execute(scenario, &orders, console)?;
        exit = exit.worse(finished.exit);
        if args.publish && finished.exit == Exit::Passed {
            publish::publish(&global.out, &rundir::latest(&global.out)?)?;
            publish::render_all(&global.out)?;
        }
        if let (Some(scheme), Some(folder)) = (args.png, finished.report.parent()) {
            report::write_png(folder, &finished.run, scheme)?;
        }
        show(&finished, console, &mut documents)?;
        if finished.exit == Exit::Interrupted {
            break;
        }
    }
    show_documents(documents, console)?;
    Ok(exit)
}

/// Phases named on the command line must be in every scenario.
fn known_phases(scenario: &Scenario, only: &[String]) -> Result<(), Failure> {
    let cell = scenario.cells.first();
    let names: Vec<&str> = cell
        .into_iter()
        .flat_map(|cell| &cell.phases)
        .map(|phase| phase.name.as_str())
        .collect();
    for wanted in only {
        if !names.contains(&wanted.as_str()) {
            let near = nearest(wanted, names.iter().copied()).map_or(String::new(), |near| {
                format!("; the nearest name is `{near}`")
            });
            return Err(Failure::usage(format!(
                "{} has no phase `{wanted}`{near}",
                scenario.path.display()
            )));
        }
    }
    Ok(())
}

/// Writes a finished run to stdout, or keeps its document for the end.
pub(super) fn show(
    finished: &Finished,
    console: &Console,
    documents: &mut Vec<serde_json::Value>,
) -> Result<(), Failure> {
    if console.format == Format::Json {
        documents.push(document(finished)?);
        return Ok(());
    }
    console.result(&text(finished, console.format)?)
}

pub(super) fn show_documents(
    documents: Vec<serde_json::Value>,
    console: &Console,
) -> Result<(), Failure> {
    if console.format != Format::Json {
        return Ok(());
    }
    let all = serde_json::json!({ "runs": documents });
    console.result(&format!(
        "{}\n",
        serde_json::to_string_pretty(&all).context("JSON")?
    ))
}

/// A finished run with the path of its report.
fn document(finished: &Finished) -> Result<serde_json::Value, Failure> {
    let mut value = serde_json::to_value(&finished.run).context("JSON")?;
    if let Some(object) = value.as_object_mut() {
        object.insert(
            "report".to_owned(),
            finished.report.display().to_string().into(),
        );
        object.insert("exit_code".to_owned(), (finished.exit as u8).into());
    }
    Ok(value)
}

fn text(finished: &Finished, format: Format) -> Result<String, Failure> {
    let path = finished.report.display();
    Ok(match format {
        Format::Ndjson => {
            let last =
                serde_json::json!({ "report": path.to_string(), "exit_code": finished.exit as u8 });
            format!("{}{last}\n", report::ndjson(&finished.run).context("JSON")?)
        }
        Format::Md => format!(
            "{}\n{path}\n",
            report::render(&finished.run, &finished.manifest).markdown
        ),
        Format::Human | Format::Json => format!("{}{path}\n", report::summary(&finished.run)),
    })
}
