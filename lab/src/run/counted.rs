//! The second run of a scenario that wants counts. Times come from this build, which does not count;
//! counts come from the one that does, with the same scenario and seed. They are joined by cell and phase,
//! and only if both came to the same results.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::forensic;
use crate::results::{CountedBy, Manifest, Phase, PhaseStatus, Run};
use crate::rundir::{self, RunDir};
use crate::scenario::counting::Counting;
use crate::scenario::plan::Scenario;
use crate::scenario::registry::counts;

use super::Orders;

/// What a run that lacks its counts says among what is missing, in front of the reason.
const LACKING: &str = "counts: ";

/// Why the counts of a run are missing, if they are.
pub(crate) fn lacking(run: &Run) -> Option<&str> {
    let mut said = run.missing.iter();
    said.find_map(|said| said.strip_prefix(LACKING))
}

/// Adds the counts that the scenario names. Without the program that counts, the run says so. What
/// stops the counting in order is returned.
pub(super) fn add(
    scenario: &Scenario,
    orders: &Orders<'_>,
    folder: &RunDir,
    run: &mut Run,
    manifest: &mut Manifest,
    console: &Console,
) -> Result<Option<Failure>, Failure> {
    let counting = Counting::of(scenario);
    let reached = run.cells.iter().flat_map(|cell| &cell.phases);
    let reached = reached
        .into_iter()
        .any(|phase| counting.phases.contains(&phase.name));
    if forensic::HERE || !counting.wanted() || !reached {
        return Ok(None);
    }
    let Some(program) = forensic::program() else {
        let missing = forensic::missing(&format!("counting {}", scenario.name));
        run.missing.push(format!("{LACKING}{missing}"));
        return Ok(None);
    };
    console.log(format!("{}: counting", scenario.name));
    let scratch = folder.path.join("counting");
    let outcome = carry_out(&program, scenario, orders, &counting, &scratch);
    let (counted, by) = match outcome {
        Ok(found) => found,
        Err(failure) if matches!(failure.exit, Exit::Interrupted | Exit::Budget) => {
            clear(&scratch)?;
            return Ok(Some(failure));
        }
        Err(failure) => return Err(failure),
    };
    if !by.features.iter().any(|feature| feature == "forensics") {
        return Err(Failure::lab(format!(
            "{} does not count: it was built without the feature `forensics`; build it with `make forensic`",
            program.display()
        )));
    }
    if by.sources != manifest.sources {
        return Err(Failure::lab(format!(
            "{} was changed while it ran; run it again",
            scenario.path.display()
        )));
    }
    if let Some(stale) = stale(&program, &by.revision, &manifest.revision) {
        run.missing.push(format!("{LACKING}{stale}"));
        clear(&scratch)?;
        return Ok(None);
    }
    join(run, &counted);
    manifest.counted_by = Some(CountedBy {
        program: program.display().to_string(),
        lab_version: by.lab_version,
        rustc: by.rustc,
        profile: by.profile,
        features: by.features,
        revision: by.revision,
        repeats: by.repeats,
        duration_ns: by.duration_ns,
    });
    clear(&scratch)?;
    Ok(None)
}

/// Why a program's counts say nothing of this one: they are of another revision.
fn stale(program: &Path, counted: &str, own: &str) -> Option<String> {
    (counted != own).then(|| {
        format!(
            "{} was built from revision {counted}, and this program from {own}; build it again with `make forensic`",
            program.display()
        )
    })
}

fn clear(scratch: &Path) -> Result<(), Failure> {
    fs::remove_dir_all(scratch).context(scratch.display())
}

/// What a finished lab says of its runs, as far as it is of use here.
#[derive(Deserialize)]
struct Said {
    runs: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// The run of the program that counts. Its thresholds do not matter, and wrong results are found by
/// joining.
fn carry_out(
    program: &Path,
    scenario: &Scenario,
    orders: &Orders<'_>,
    counting: &Counting,
    scratch: &Path,
) -> Result<(Run, Manifest), Failure> {
    let output = command(program, scenario, orders, counting, scratch)
        .output()
        .context(program.display())?;
    let failed = |exit: Exit| {
        let said = String::from_utf8_lossy(&output.stderr);
        Failure::new(
            exit,
            format!("{}: {}\n{}", program.display(), output.status, said.trim()),
        )
    };
    let stopped = [Exit::Budget, Exit::Interrupted];
    let code = output.status.code();
    if let Some(exit) = stopped.into_iter().find(|exit| code == Some(*exit as i32)) {
        return Err(failed(exit));
    }
    // A program that does not count lacks counts itself, and is refused by what it says it is.
    let done = [Exit::Passed, Exit::Threshold, Exit::Wrong, Exit::Missing];
    if !done.iter().any(|exit| code == Some(*exit as i32)) {
        return Err(failed(Exit::Lab));
    }
    let said: Said = serde_json::from_slice(&output.stdout).context(program.display())?;
    match said.runs.as_slice() {
        [one] => rundir::read(&rundir::find(scratch, Path::new(&one.id))),
        _ => Err(failed(Exit::Lab)),
    }
}

fn command(
    program: &Path,
    scenario: &Scenario,
    orders: &Orders<'_>,
    counting: &Counting,
    scratch: &Path,
) -> Command {
    let mut command = Command::new(program);
    // It is the last in the row, whatever it turns out to be.
    command.env(forensic::VARIABLE, "");
    command
        .args(["--quiet", "--no-progress", "--format", "json", "--out"])
        .arg(scratch)
        .arg("run")
        .arg(&scenario.path)
        .args(["--keep-db", "never"]);
    for set in &orders.changes.set {
        command.args(["--set", set]);
    }
    if orders.changes.quick {
        command.arg("--quick");
    }
    if let Some(seed) = orders.changes.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    // Counts repeat exactly, times do not.
    let repeats = if counting.timed { scenario.repeats } else { 1 };
    command.args(["--repeats", &repeats.to_string()]);
    // Nothing is counted behind the last phase that is named.
    let named = counting.phases.iter().cloned().collect();
    let only = if orders.only.is_empty() {
        named
    } else {
        orders.only.clone()
    };
    command.args(["--only", &only.join(",")]);
    if let Some((number, of)) = orders.shard {
        command.args(["--shard", &format!("{number}/{of}")]);
    }
    command.stdin(Stdio::null());
    command
}

/// Takes the counts over, cell by cell and phase by phase.
fn join(run: &mut Run, counted: &Run) {
    for cell in &mut run.cells {
        let Some(other) = counted
            .cells
            .iter()
            .find(|other| other.number == cell.number)
        else {
            continue;
        };
        for phase in &mut cell.phases {
            let same = other.phases.iter().find(|other| other.name == phase.name);
            if let Some(other) = same {
                join_phase(phase, other);
            }
        }
    }
}

fn join_phase(phase: &mut Phase, counted: &Phase) {
    let metrics = counted.metrics.iter();
    let counts = metrics.filter(|(name, _)| name.starts_with(counts::PREFIX));
    phase
        .metrics
        .extend(counts.map(|(name, measure)| (name.clone(), measure.clone())));
    let findings = counted.findings.iter();
    let mut wrong: Vec<String> = findings
        .map(|finding| format!("in the build that counts: {finding}"))
        .collect();
    if let (Some(own), Some(other)) = (&phase.digest, &counted.digest)
        && own != other
    {
        wrong.push(format!(
            "the build that counts came to other results: digest {other} in place of {own}"
        ));
    }
    if !wrong.is_empty() {
        phase.status = PhaseStatus::Wrong;
        phase.findings.extend(wrong);
    }
}

#[cfg(test)]
#[path = "counted/tests.rs"]
mod tests;
