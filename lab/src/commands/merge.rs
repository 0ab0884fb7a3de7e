//! `lab merge`: the parts of a sharded run, joined and judged as the whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::{Global, MergeArgs};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::machine;
use crate::results::{Ended, Manifest, Run, SweepCell};
use crate::run::{self, checks, joined};
use crate::rundir::{self, RunDir};
use crate::scenario;

use super::baselines;
use super::run::{show, show_documents};

/// One part as it was stored.
type Part = (Run, Manifest);

pub(super) fn run(args: &MergeArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let mut parts = Vec::new();
    for named in &args.parts {
        let folder = rundir::find(&global.out, named);
        match finished(&folder)? {
            Ok(part) => parts.push(part),
            Err(why) => console.log(format!("left out {}: {why}", folder.display())),
        }
    }
    let parts = chosen(parts, console)?;
    let Some((first, manifest)) = parts.first() else {
        return Err(Failure::usage("no finished part of a run is named"));
    };
    let cells = cells(&parts);
    let path = PathBuf::from(&manifest.scenario_path);
    let scenario = scenario::from_sources(
        &path,
        manifest.sources.clone(),
        &manifest.changes,
        console.color,
    )?;
    let expected = scenario.cells.len() - lacking(first, &scenario);
    // What came behind a wrong result was not run, and is not missed.
    if cells.len() != expected && cells.iter().all(SweepCell::right) {
        return Err(Failure::usage(format!(
            "the parts have {} of {expected} cells",
            cells.len()
        )));
    }
    let stamp = machine::now();
    let folder = RunDir::create(
        &global.out,
        &stamp.compact,
        &first.scenario,
        &manifest.revision,
    )?;
    let mut whole = Run {
        id: folder.id.clone(),
        ended: Ended::Complete,
        cells,
        missing: missing(&parts),
        checks: Vec::new(),
        ..first.clone()
    };
    let merged = Manifest {
        id: folder.id.clone(),
        duration_ns: parts.iter().map(|(_, part)| part.duration_ns).sum(),
        ..manifest.clone()
    };
    let baseline = match &args.baseline {
        Some(name) => Some(baselines::load(&global.out, name, &whole.scenario)?),
        None => None,
    };
    console.log(format!("{} parts of {}", parts.len(), whole.scenario));
    whole.checks = checks::judge(&scenario, &whole, baseline.as_ref(), &merged);
    let finished = run::finish(
        &scenario,
        whole,
        merged,
        &folder,
        None,
        &global.out,
        console,
    )?;
    let mut documents = Vec::new();
    show(&finished, console, &mut documents)?;
    show_documents(documents, console)?;
    Ok(finished.exit)
}

/// What any part lacked, each once.
fn missing(parts: &[(Run, Manifest)]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for said in parts.iter().flat_map(|(run, _)| &run.missing) {
        if !all.contains(said) {
            all.push(said.clone());
        }
    }
    all
}

/// Cells whose store no machine of the run had.
fn lacking(run: &Run, scenario: &scenario::plan::Scenario) -> usize {
    let missing = |store: &str| {
        run.missing
            .iter()
            .any(|said| said.starts_with(&format!("{store}:")))
    };
    scenario
        .cells
        .iter()
        .filter(|cell| missing(&cell.store))
        .count()
}

/// The cells of all parts. Of a search that was divided every part has a share.
fn cells(parts: &[Part]) -> Vec<SweepCell> {
    let mut by_number: BTreeMap<u64, Vec<SweepCell>> = BTreeMap::new();
    for cell in parts.iter().flat_map(|(run, _)| &run.cells) {
        by_number.entry(cell.number).or_default().push(cell.clone());
    }
    by_number
        .into_values()
        .filter_map(|shares| match shares.as_slice() {
            [one] => Some(one.clone()),
            several => joined::join(several),
        })
        .collect()
}

/// A part that came to its end, or why this is none: what a killed or interrupted process left.
fn finished(folder: &Path) -> Result<Result<Part, &'static str>, Failure> {
    if folder.is_dir() && !rundir::holds_run(folder) {
        return Ok(Err("it holds no results"));
    }
    let (run, manifest) = rundir::read(folder)?;
    match run.ended {
        Ended::Shard { .. } => Ok(Ok((run, manifest))),
        Ended::Complete => Err(Failure::usage(format!(
            "{} is no part of a sharded run",
            run.id
        ))),
        Ended::Unfinished => Ok(Err("it is unfinished")),
        Ended::Interrupted => Ok(Err("it was interrupted")),
        Ended::OverBudget => Ok(Err("its budget ended it")),
    }
}

/// One run of each part, once it is sure that they are the parts of one run and that none is missing.
/// Of a part that was carried out again the newest counts, unless one came to wrong results: no later
/// success takes that back.
fn chosen(parts: Vec<Part>, console: &Console) -> Result<Vec<Part>, Failure> {
    let mut by_number: BTreeMap<u32, Part> = BTreeMap::new();
    let mut all = None;
    for part in parts {
        let Ended::Shard { number, of } = part.0.ended else {
            continue;
        };
        let (known, first) = all.get_or_insert_with(|| (of, part.clone()));
        if *known != of || !same_run(&part.1, &first.1) {
            return Err(Failure::usage(format!(
                "{} and {} are parts of different runs",
                part.0.id, first.0.id
            )));
        }
        let worth = |(run, manifest): &Part| (!run.right(), manifest.started_utc.clone());
        let (kept, left) = match by_number.remove(&number) {
            Some(other) if worth(&other) > worth(&part) => (other, Some(part)),
            other => (part, other),
        };
        if let Some((run, _)) = left {
            console.log(format!("left out {}: part {number} was run again", run.id));
        }
        by_number.insert(number, kept);
    }
    let of = all.map_or(0, |(of, _)| of);
    let lacking: Vec<String> = (1..=of)
        .filter(|number| !by_number.contains_key(number))
        .map(|number| number.to_string())
        .collect();
    if !lacking.is_empty() {
        return Err(Failure::usage(format!(
            "of {of} parts these are missing: {}",
            lacking.join(", ")
        )));
    }
    Ok(by_number.into_values().collect())
}

fn same_run(a: &Manifest, b: &Manifest) -> bool {
    a.sources == b.sources && a.changes == b.changes && a.revision == b.revision
}
