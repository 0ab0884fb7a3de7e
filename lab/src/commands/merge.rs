//! `lab merge`: the parts of a sharded run, joined and judged as the whole.

use std::path::PathBuf;

use crate::cli::{Global, MergeArgs};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::machine;
use crate::results::{Ended, Manifest, Run, SweepCell};
use crate::run::{self, checks};
use crate::rundir::{self, RunDir};
use crate::scenario;

use super::baselines;
use super::run::{show, show_documents};

pub(super) fn run(args: &MergeArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let parts = args
        .parts
        .iter()
        .map(|part| rundir::read(&rundir::find(&global.out, part)))
        .collect::<Result<Vec<(Run, Manifest)>, Failure>>()?;
    let Some((first, manifest)) = parts.first() else {
        return Err(Failure::usage("no part of a run is named"));
    };
    let (of, mut cells) = gather(&parts)?;
    cells.sort_by_key(|cell| cell.number);
    let path = PathBuf::from(&manifest.scenario_path);
    let scenario = scenario::from_sources(
        &path,
        manifest.sources.clone(),
        &manifest.changes,
        console.color,
    )?;
    let expected = scenario.cells.len() - lacking(first, &scenario);
    if cells.len() != expected {
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
    console.log(format!("{of} parts of {}", whole.scenario));
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

/// The cells of all parts, once it is sure that they are the parts of one run, each once.
fn gather(parts: &[(Run, Manifest)]) -> Result<(u32, Vec<SweepCell>), Failure> {
    let mut cells = Vec::new();
    let mut seen = Vec::new();
    let mut all = None;
    for (run, manifest) in parts {
        let Ended::Shard { number, of } = run.ended else {
            return Err(Failure::usage(format!(
                "{} is no part of a sharded run",
                run.id
            )));
        };
        let first = &parts[0].1;
        let same = manifest.sources == first.sources
            && manifest.changes == first.changes
            && manifest.revision == first.revision
            && *all.get_or_insert(of) == of;
        if !same {
            return Err(Failure::usage(format!(
                "{} and {} are parts of different runs",
                run.id, parts[0].0.id
            )));
        }
        if seen.contains(&number) {
            return Err(Failure::usage(format!(
                "part {number} of {of} is there twice"
            )));
        }
        seen.push(number);
        cells.extend(run.cells.iter().cloned());
    }
    Ok((all.unwrap_or(1), cells))
}
