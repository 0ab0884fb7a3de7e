//! A run's directory: `OUT/runs/<UTC>-<scenario>-<rev>/`, and `OUT/latest`, which leads to the newest
//! complete one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Context, Failure};
use crate::results::{Manifest, Run, SCHEMA};

const RESULTS: &str = "results.json";
const MANIFEST: &str = "manifest.json";
const LATEST: &str = "latest";

/// The directory of one run.
pub(crate) struct RunDir {
    pub(crate) path: PathBuf,
    pub(crate) id: String,
}

impl RunDir {
    /// Makes a new directory. Two runs within one second get different names.
    pub(crate) fn create(
        out: &Path,
        stamp: &str,
        scenario: &str,
        revision: &str,
    ) -> Result<RunDir, Failure> {
        let runs = out.join("runs");
        fs::create_dir_all(&runs).context(runs.display())?;
        for number in 1..1000 {
            let suffix = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            let id = format!("{stamp}-{scenario}-{revision}{suffix}");
            let path = runs.join(&id);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(RunDir { path, id }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Failure::lab(format!("{}: {error}", path.display()))),
            }
        }
        Err(Failure::lab(format!(
            "{}: a thousand runs of {scenario} within one second",
            runs.display()
        )))
    }

    /// Where this run's databases are while it goes on.
    pub(crate) fn databases(&self) -> PathBuf {
        self.path.join("db")
    }

    /// Stores what is known so far: an interrupted run keeps what it had.
    pub(crate) fn save(&self, run: &Run, manifest: &Manifest) -> Result<(), Failure> {
        write(&self.path, run, manifest)
    }
}

/// Stores a run in a folder.
pub(crate) fn write(folder: &Path, run: &Run, manifest: &Manifest) -> Result<(), Failure> {
    write_json(&folder.join(MANIFEST), manifest)?;
    write_json(&folder.join(RESULTS), run)
}

/// Reads a stored run.
pub(crate) fn read(folder: &Path) -> Result<(Run, Manifest), Failure> {
    let run: Run = read_json(&folder.join(RESULTS))?;
    if run.schema != SCHEMA {
        let message = format!(
            "{}: schema {}, and only {SCHEMA} is known",
            folder.join(RESULTS).display(),
            run.schema
        );
        return Err(Failure::usage(message));
    }
    Ok((run, read_json(&folder.join(MANIFEST))?))
}

/// Stores a run in a folder that is under version control, on as few bytes as can be.
pub(crate) fn write_compact(folder: &Path, run: &Run, manifest: &Manifest) -> Result<(), Failure> {
    let results = serde_json::to_string(run).context("JSON")?;
    let path = folder.join(RESULTS);
    fs::write(&path, results + "\n").context(path.display())?;
    write_json(&folder.join(MANIFEST), manifest)
}

/// Whether a folder holds a stored run.
pub(crate) fn holds_run(folder: &Path) -> bool {
    folder.join(RESULTS).is_file() && folder.join(MANIFEST).is_file()
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).context(path.display())?;
    text.push('\n');
    // Under another name first: a reader, or a kill, never meets half a file.
    let fresh = path.with_extension("json-new");
    fs::write(&fresh, text).context(fresh.display())?;
    fs::rename(&fresh, path).context(path.display())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Failure::missing(format!("{}: no such run", path.display())),
        _ => Failure::usage(format!("{}: {error}", path.display())),
    })?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// Lets `OUT/latest` lead to this run: a link where links can be had, else a file with the path.
pub(crate) fn point_latest(out: &Path, id: &str) -> Result<(), Failure> {
    let target = Path::new("runs").join(id);
    let fresh = out.join(format!("latest-{id}"));
    link(&target, &fresh).context(fresh.display())?;
    let latest = out.join(LATEST);
    fs::rename(&fresh, &latest).context(latest.display())
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

#[cfg(not(unix))]
fn link(target: &Path, at: &Path) -> std::io::Result<()> {
    fs::write(at, target.display().to_string())
}

/// The directory that `OUT/latest` leads to.
pub(crate) fn latest(out: &Path) -> Result<PathBuf, Failure> {
    let latest = out.join(LATEST);
    if latest.is_dir() {
        return Ok(latest);
    }
    match fs::read_to_string(&latest) {
        Ok(target) => Ok(out.join(target.trim())),
        Err(_) => Err(Failure::missing(format!(
            "{}: no run so far; make one with `lab run`",
            latest.display()
        ))),
    }
}

/// A run by its directory, or by its name below `OUT/runs`; `latest` is what `OUT/latest` leads to.
pub(crate) fn find(out: &Path, run: &Path) -> PathBuf {
    if run == Path::new(LATEST) && !run.is_dir() {
        return latest(out).unwrap_or_else(|_| out.join(LATEST));
    }
    let named = out.join("runs").join(run);
    if !run.is_dir() && named.is_dir() {
        named
    } else {
        run.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn names_do_not_collide_and_latest_moves() {
        let out = tempfile::tempdir().unwrap();
        let first = RunDir::create(out.path(), "T", "s", "r").unwrap();
        let second = RunDir::create(out.path(), "T", "s", "r").unwrap();
        assert_eq!(
            (first.id.as_str(), second.id.as_str()),
            ("T-s-r", "T-s-r-2")
        );
        assert_eq!(
            latest(out.path()).map_err(|failure| failure.exit),
            Err(crate::failure::Exit::Missing)
        );
        for run in [&first, &second] {
            point_latest(out.path(), &run.id).unwrap();
            let found = fs::canonicalize(latest(out.path()).unwrap()).unwrap();
            assert_eq!(found, fs::canonicalize(&run.path).unwrap());
        }
    }

    #[test]
    fn a_missing_or_foreign_run_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read(folder.path()).map(|_| ());
        assert_eq!(missing.unwrap_err().exit, crate::failure::Exit::Missing);
        fs::write(folder.path().join(RESULTS), "{}").unwrap();
        assert!(read(folder.path()).is_err());
    }
}
