//! `lab run`: every scenario is read and checked before the first one runs.

use crate::cli::{Format, Global, RunArgs};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::report;
use crate::run::{self, Finished};
use crate::scenario::{self, plan::Plan};

pub(crate) fn run(args: &RunArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let plans = args
        .scenarios
        .iter()
        .map(|path| scenario::load(path, console.color));
    let mut plans = plans.collect::<Result<Vec<Plan>, Failure>>()?;
    let mut exit = Exit::Passed;
    let mut documents = Vec::new();
    for plan in &mut plans {
        if let Some(seed) = args.seed {
            plan.seed = seed;
        }
        let finished = run::execute(plan, &global.out, args.keep_db, console)?;
        exit = exit.worse(finished.exit);
        match console.format {
            Format::Json => documents.push(document(&finished)?),
            _ => console.result(&text(&finished, console.format)?)?,
        }
    }
    if console.format == Format::Json {
        let all = serde_json::json!({ "runs": documents });
        console.result(&format!(
            "{}\n",
            serde_json::to_string_pretty(&all).context("JSON")?
        ))?;
    }
    Ok(exit)
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
