//! `lab ab`: a git revision and the working tree, built both, run in turn, compared pair by pair.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::cli::{AbArgs, Format, Global};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::results::Run;
use crate::run::limits;
use crate::rundir;
use crate::scenario;
use crate::scenario::plan::Changes;
use crate::scenario::registry::{self, Better};
use crate::stats::{interval, median};
use crate::units::Unit;

/// The crate's folder when it was built.
const SOURCE: &str = env!("CARGO_MANIFEST_DIR");

/// One metric over all pairs.
struct Pair {
    cell: String,
    metric: String,
    a: f64,
    b: f64,
    ratio: f64,
    interval: Option<[f64; 2]>,
}

pub(super) fn run(args: &AbArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let changes = Changes {
        set: args.set.clone(),
        quick: args.quick,
        ..Changes::default()
    };
    // Building takes minutes; a mistake in the scenario is said before.
    scenario::load(&args.scenario, &changes, console.color)?;
    limits::watch_interrupts()?;
    let top = Path::new(SOURCE).parent().unwrap_or(Path::new(SOURCE));
    let revision = resolve(top, &args.base)?;
    let folder = std::path::absolute(global.out.join("ab").join(&revision)).context("ab")?;
    let old = build_revision(top, &revision, &folder, console)?;
    let new = std::env::current_exe().context("this program")?;
    let mut runs: Vec<(Run, Run)> = Vec::new();
    for pair in 1..=args.pairs {
        // Each side comes first in half of the pairs, so that warmth favours none.
        let mut found = [None, None];
        let order = if pair % 2 == 1 { [0, 1] } else { [1, 0] };
        for side in order {
            let (program, name) = [(&old, "a"), (&new, "b")][side];
            console.step(
                (pair as usize - 1) * 2 + side,
                args.pairs as usize * 2,
                name,
            );
            let out = folder.join("runs").join(format!("{name}-{pair}"));
            let measured = measure(program, args, &out);
            limits::check_interrupt()?;
            found[side] = Some(measured?);
        }
        if let [Some(a), Some(b)] = found {
            runs.push((a, b));
        }
    }
    let pairs = pairs(&runs);
    let share = f64::from(args.threshold) / 100.0;
    let worse = pairs.iter().any(|pair| is_worse(pair, share));
    console.result(&show(&pairs, &revision, share, console.format)?)?;
    Ok(if worse { Exit::Threshold } else { Exit::Passed })
}

fn resolve(top: &Path, base: &str) -> Result<String, Failure> {
    let output = Command::new("git")
        .arg("-C")
        .arg(top)
        .args(["rev-parse", "--verify", "--short=10", "--end-of-options"])
        .arg(format!("{base}^{{commit}}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::missing(format!("git: {error}")))?;
    if !output.status.success() {
        return Err(Failure::usage(format!(
            "`{base}` is no revision of {}",
            top.display()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The lab of that revision, built in a work tree of its own.
fn build_revision(
    top: &Path,
    revision: &str,
    folder: &Path,
    console: &Console,
) -> Result<PathBuf, Failure> {
    let program = folder
        .join("target/release")
        .join(format!("lab{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(folder).context(folder.display())?;
    let tree = WorkTree::add(top, folder.join("tree"), revision)?;
    console.log(format!("building {revision}"));
    succeed(
        Command::new("cargo")
            .current_dir(&tree.path)
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .args([
                "build",
                "--locked",
                "--quiet",
                "--release",
                "-p",
                "lab",
                "--bin",
                "lab",
            ]),
        "cargo build",
    )?;
    Ok(program)
}

/// A work tree of a revision, gone when it has served, however that ends. What was built from it stays.
struct WorkTree<'a> {
    top: &'a Path,
    path: PathBuf,
}

impl<'a> WorkTree<'a> {
    fn add(top: &'a Path, path: PathBuf, revision: &str) -> Result<WorkTree<'a>, Failure> {
        let tree = WorkTree { top, path };
        // What a killed process left would be in the way.
        tree.remove();
        succeed(
            tree.git(&["add", "--quiet", "--detach", "--force"])
                .arg(&tree.path)
                .arg(revision),
            "git worktree add",
        )?;
        Ok(tree)
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(self.top)
            .arg("worktree")
            .args(arguments);
        command
    }

    /// There may be nothing to remove, and then that is no failure.
    fn remove(&self) {
        let mut remove = self.git(&["remove", "--force", "--force"]);
        for command in [remove.arg(&self.path), &mut self.git(&["prune"])] {
            let _ = command.stdin(Stdio::null()).output();
        }
    }
}

impl Drop for WorkTree<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

fn succeed(command: &mut Command, what: &str) -> Result<(), Failure> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| Failure::missing(format!("{what}: {error}")))?;
    limits::check_interrupt()?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::lab(format!("{what} failed: {status}")))
    }
}

/// One run of the scenario. Missed thresholds do not matter here, nor counts that nobody counted; wrong
/// results do.
fn measure(program: &Path, args: &AbArgs, out: &Path) -> Result<Run, Failure> {
    // What an earlier comparison left would be taken for this one's.
    if out.exists() {
        fs::remove_dir_all(out).context(out.display())?;
    }
    let mut command = Command::new(program);
    command
        .args(["--quiet", "--format", "json", "--out"])
        .arg(out)
        .arg("run")
        .arg(&args.scenario)
        .args(["--repeats", "1"]);
    for set in &args.set {
        command.args(["--set", set]);
    }
    if args.quick {
        command.arg("--quick");
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .context(program.display())?;
    match output.status.code() {
        Some(0 | 3 | 5) if rundir::latest(out).is_ok() => {
            Ok(rundir::read(&rundir::latest(out)?)?.0)
        }
        Some(4) => Err(Failure::wrong(format!(
            "{}: wrong results; see {}",
            program.display(),
            out.display()
        ))),
        _ => Err(Failure::lab(format!(
            "{} failed: {}\n{}",
            program.display(),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))),
    }
}

fn pairs(runs: &[(Run, Run)]) -> Vec<Pair> {
    let Some((first, _)) = runs.first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for cell in &first.cells {
        for phase in &cell.phases {
            for name in phase.metrics.keys() {
                let path = format!("{}.{name}", phase.name);
                let value = |run: &Run| {
                    let same = run.cells.iter().find(|other| other.at == cell.at)?;
                    same.metric(&path).map(|number| number.0)
                };
                let both: Vec<(f64, f64)> = runs
                    .iter()
                    .filter_map(|(a, b)| Some((value(a)?, value(b)?)))
                    .filter(|(a, _)| *a != 0.0)
                    .collect();
                let ratios: Vec<f64> = both.iter().map(|(a, b)| b / a).collect();
                let side = |of: fn(&(f64, f64)) -> f64| {
                    median(&both.iter().map(of).collect::<Vec<f64>>()).unwrap_or(0.0)
                };
                if let Some(ratio) = median(&ratios) {
                    found.push(Pair {
                        cell: cell.label(),
                        metric: path,
                        a: side(|pair| pair.0),
                        b: side(|pair| pair.1),
                        ratio,
                        interval: interval(&ratios),
                    });
                }
            }
        }
    }
    found
}

fn name_of(pair: &Pair) -> &str {
    pair.metric.split_once('.').map_or("", |(_, name)| name)
}

/// Worse by more than allowed: a count at all, a time with its whole interval, of which fewer than three pairs
/// have none.
fn is_worse(pair: &Pair, share: f64) -> bool {
    let name = name_of(pair);
    if registry::by_clock(name) && pair.interval.is_none() {
        return false;
    }
    let share = if registry::by_clock(name) { share } else { 0.0 };
    let [low, high] = pair.interval.unwrap_or([pair.ratio; 2]);
    match registry::better(name) {
        Better::Lower => low > 1.0 + share,
        Better::Higher => high < 1.0 - share,
        Better::Neither => false,
    }
}

fn show(pairs: &[Pair], revision: &str, share: f64, format: Format) -> Result<String, Failure> {
    if matches!(format, Format::Json | Format::Ndjson) {
        let rows: Vec<_> = pairs
            .iter()
            .map(|pair| json!({ "cell": pair.cell, "metric": pair.metric, "a": pair.a, "b": pair.b, "ratio": pair.ratio, "interval": pair.interval, "worse": is_worse(pair, share) }))
            .collect();
        return Ok(
            serde_json::to_string(&json!({ "base": revision, "rows": rows })).context("JSON")?
                + "\n",
        );
    }
    let mut out = format!("A: {revision}\nB: the working tree\n\n");
    for pair in pairs.iter().filter(|pair| pair.ratio != 1.0) {
        let unit = registry::by_name(name_of(pair)).map_or(Unit::Count, |metric| metric.unit);
        let spread = pair.interval.map_or(String::new(), |[low, high]| {
            format!(" [{low:.3} … {high:.3}]")
        });
        let mark = if is_worse(pair, share) { "worse" } else { "" };
        out += &format!(
            "  {mark:<5} {:<36} {:>12} → {:>12}  ×{:.3}{spread}  {}\n",
            pair.metric,
            unit.show(pair.a),
            unit.show(pair.b),
            pair.ratio,
            pair.cell
        );
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn git(top: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(top)
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn only_what_a_store_does_can_be_worse_and_times_only_by_their_interval() {
        let pair = |metric: &str, interval| Pair {
            cell: String::new(),
            metric: metric.to_owned(),
            a: 1.0,
            b: 2.0,
            ratio: 2.0,
            interval,
        };
        let whole = Some([1.9, 2.1]);
        assert!(is_worse(&pair("load.syncs", None), 0.05));
        assert!(is_worse(&pair("load.time_ns", whole), 0.05));
        assert!(!is_worse(&pair("load.time_ns", None), 0.05));
        assert!(!is_worse(&pair("load.time_ns", Some([0.9, 3.0])), 0.05));
        assert!(!is_worse(&pair("load.raw_write_ns", whole), 0.05));
        assert!(!is_worse(&pair("write.floor_ns", whole), 0.05));
    }

    /// Nor does one stay that a killed process left.
    #[test]
    fn no_work_tree_stays() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().join("source");
        fs::create_dir(&top).unwrap();
        git(&top, &["init", "--quiet"]);
        git(&top, &["commit", "--quiet", "--allow-empty", "-m", "first"]);
        let path = folder.path().join("tree");
        std::mem::forget(WorkTree::add(&top, path.clone(), "HEAD").unwrap());
        let again = WorkTree::add(&top, path.clone(), "HEAD").unwrap();
        assert!(path.join(".git").exists());
        drop(again);
        assert!(!path.exists());
        assert_eq!(git(&top, &["worktree", "list"]).lines().count(), 1);
    }
}
