//! `lab baseline`: save, list, accept, remove.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::{BaselineCommand, Global};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::nearest::nearest;
use crate::rundir;

use super::baselines;

pub(super) fn run(
    command: &BaselineCommand,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let out = &global.out;
    match command {
        BaselineCommand::Save { name, run } => {
            if baselines::root(out)
                .join(baselines::checked(name)?)
                .is_dir()
            {
                return Err(Failure::usage(format!(
                    "there is a baseline `{name}` already; `lab baseline accept {name}` replaces what is in it"
                )));
            }
            save(name, run.as_ref(), global, console)
        }
        BaselineCommand::Accept { name, run } => {
            let all = baselines::names(out)?;
            if !all.contains(name) {
                return Err(none(name, &all));
            }
            save(name, run.as_ref(), global, console)
        }
        BaselineCommand::List => {
            list(out, console)?;
            Ok(Exit::Passed)
        }
        BaselineCommand::Rm { name } => {
            let folder = baselines::root(out).join(baselines::checked(name)?);
            if !folder.is_dir() {
                return Err(none(name, &baselines::names(out)?));
            }
            fs::remove_dir_all(&folder).context(folder.display())?;
            Ok(Exit::Passed)
        }
    }
}

/// A name that no baseline has.
fn none(name: &str, all: &[String]) -> Failure {
    let near = nearest(name, all.iter().map(String::as_str));
    let near = near.map_or(String::new(), |near| {
        format!("; the nearest name is `{near}`")
    });
    Failure::missing(format!("there is no baseline `{name}`{near}"))
}

fn list(out: &Path, console: &Console) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for name in baselines::names(out)? {
        for scenario in baselines::scenarios(out, &name)? {
            let made = baselines::load(out, &name, &scenario)?.manifest;
            let (when, revision) = (&made.started_utc, &made.revision);
            if console.json() {
                rows.push(serde_json::json!({
                    "baseline": name, "scenario": scenario, "run": made.id, "revision": revision,
                    "started_utc": when,
                }));
            } else {
                console.result(&format!(
                    "{name}  {scenario}  {when}  revision {revision}\n"
                ))?;
            }
        }
    }
    match console.json() {
        true => console.rows("baselines", &rows),
        false => Ok(()),
    }
}

fn save(
    name: &str,
    run: Option<&PathBuf>,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let from = match run {
        Some(run) => rundir::find(&global.out, run),
        None => rundir::latest(&global.out)?,
    };
    let folder = baselines::save(&global.out, baselines::checked(name)?, &from)?;
    console.result(&format!("{}\n", folder.display()))?;
    Ok(Exit::Passed)
}
