//! Reports that are kept under version control: `OUT/<scenario>/`, with an index beside them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::report;
use crate::report::index::{self, Entry};
use crate::results::{CountedBy, Ended, Manifest};
use crate::rundir;

/// The crate's folder when it was built: paths of scenarios are told relative to the one above it.
const SOURCE: &str = env!("CARGO_MANIFEST_DIR");

/// Puts a stored run in the place of what is published of its scenario, and returns its page.
pub(super) fn publish(out: &Path, stored: &Path) -> Result<PathBuf, Failure> {
    let (mut run, manifest) = rundir::read(stored)?;
    if run.ended != Ended::Complete || !run.right() || !run.met() {
        return Err(Failure::usage(format!(
            "{}: only a complete run whose results were right and whose checks held is published",
            stored.display()
        )));
    }
    // Reports draw the tables of the first cell; those of the others are the bulk of what is stored.
    for cell in run.cells.iter_mut().skip(1) {
        cell.tables.clear();
        cell.phases
            .iter_mut()
            .for_each(|phase| phase.tables.clear());
    }
    let folder = out.join(&run.scenario);
    let manifest = Manifest {
        scenario_path: relative(Path::new(&manifest.scenario_path)),
        argv: manifest.argv.iter().map(|word| placeless(word)).collect(),
        counted_by: manifest.counted_by.map(|by| CountedBy {
            program: placeless(&by.program),
            ..by
        }),
        published: true,
        ..manifest
    };
    if rundir::holds_run(&folder) {
        // Plots of an older run may have other names.
        fs::remove_dir_all(&folder).context(folder.display())?;
    }
    fs::create_dir_all(&folder).context(folder.display())?;
    rundir::write_compact(&folder, &run, &manifest)?;
    report::write(&folder, &run, &manifest)
}

/// Renders every published report again, and the index.
pub(super) fn render_all(out: &Path) -> Result<PathBuf, Failure> {
    let mut entries = Vec::new();
    let mut folders: Vec<PathBuf> = fs::read_dir(out)
        .map_err(|error| Failure::missing(format!("{}: {error}", out.display())))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| rundir::holds_run(path) && !path.is_symlink())
        .collect();
    folders.sort();
    for path in folders {
        let (run, manifest) = rundir::read(&path)?;
        report::write(&path, &run, &manifest)?;
        entries.push(Entry {
            folder: run.scenario.clone(),
            run,
            manifest,
        });
    }
    let readme = out.join("README.md");
    let before = fs::read_to_string(&readme).unwrap_or_default();
    fs::write(&readme, index::readme(&before, &entries)).context(readme.display())?;
    let page = out.join("index.html");
    fs::write(&page, index::page(&entries)).context(page.display())?;
    Ok(page)
}

/// A word of a command line, without the place of what it names.
fn placeless(word: &str) -> String {
    match Path::new(word).is_absolute() {
        true => relative(Path::new(word)),
        false => word.to_owned(),
    }
}

/// The path below the source tree, or the file's name alone: where a tree stands is nobody's business.
fn relative(path: &Path) -> String {
    let top = Path::new(SOURCE).parent().unwrap_or(Path::new(SOURCE));
    let below = path.strip_prefix(top).ok();
    below
        .map(|below| below.display().to_string())
        .or_else(|| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_default()
}
