//! `lab baseline`: runs that later ones are held against, by name, under `OUT/baselines/NAME/SCENARIO/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::run::checks::Baseline;
use crate::rundir;

/// The folder of all baselines.
pub(super) fn root(out: &Path) -> PathBuf {
    out.join("baselines")
}

/// A baseline's run of a scenario.
pub(super) fn load(out: &Path, name: &str, scenario: &str) -> Result<Baseline, Failure> {
    let folder = root(out).join(name).join(scenario);
    if !folder.is_dir() {
        // One name may hold runs of several scenarios.
        let how = match root(out).join(name).is_dir() {
            true => "accept",
            false => "save",
        };
        return Err(Failure::missing(format!(
            "there is no baseline `{name}` of {scenario} in {}; make one with `lab baseline {how} {name}`",
            root(out).display()
        )));
    }
    let (run, manifest) = rundir::read(&folder)?;
    Ok(Baseline {
        name: name.to_owned(),
        run,
        manifest,
    })
}

/// Keeps a run under a name.
pub(super) fn save(out: &Path, name: &str, from: &Path) -> Result<PathBuf, Failure> {
    let (run, manifest) = rundir::read(from)?;
    let folder = root(out).join(name).join(&run.scenario);
    fs::create_dir_all(&folder).context(folder.display())?;
    rundir::write(&folder, &run, &manifest)?;
    Ok(folder)
}

/// A name that is one folder and no other place.
pub(super) fn checked(name: &str) -> Result<&str, Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(fits) {
        return Err(Failure::usage(format!(
            "`{name}` is no name of a baseline: letters, digits, `-`, `_` and `.`"
        )));
    }
    Ok(name)
}

/// Names of all baselines.
pub(super) fn names(out: &Path) -> Result<Vec<String>, Failure> {
    folders(&root(out))
}

/// Scenarios that a baseline has a run of.
pub(super) fn scenarios(out: &Path, name: &str) -> Result<Vec<String>, Failure> {
    folders(&root(out).join(name))
}

fn folders(parent: &Path) -> Result<Vec<String>, Failure> {
    if !parent.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(parent).context(parent.display())? {
        let entry = entry.context(parent.display())?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
