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
        return Err(Failure::missing(format!(
            "there is no baseline `{name}` of {scenario} in {}; make one with `lab baseline save {name}`",
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
