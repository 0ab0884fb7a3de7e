//! `lab bench`: the engine beside other stores and beside the limits, every row of one table. Each store, repeat and
//! stage is a process of its own, so that memory and caches are apart; stores take turns within a repeat.
//! `docs/peers.md` says what is measured and how each store is set up.

mod account;
#[cfg_attr(
    not(feature = "peers"),
    allow(dead_code, reason = "each store uses a part of it")
)]
mod batch;
mod calls;
mod csr;
#[cfg(feature = "fjall")]
mod fjall;
mod graph;
mod growth;
#[cfg(feature = "lmdb")]
mod lmdb;
mod memory;
mod notes;
mod plot;
mod reads;
#[cfg(feature = "redb")]
mod redb;
mod report;
mod rows;
mod short;
#[cfg(feature = "sqlite")]
mod sqlite;
mod stages;
mod subject;
#[cfg(test)]
mod tests;
mod vellum;
mod writes;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::cli::Global;
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::machine;
use crate::results::Manifest;

use calls::Calls;
use notes::Notes;
use stages::{STAGES, Stage};

/// Nodes and edges of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Size {
    /// 10,000 nodes and 50,000 edges.
    PeersS,
    /// 100,000 nodes and 1,000,000 edges.
    PeersM,
    /// 1,000,000 nodes and 10,000,000 edges.
    PeersL,
}

impl Size {
    const ALL: [Size; 3] = [Size::PeersS, Size::PeersM, Size::PeersL];

    fn name(self) -> &'static str {
        match self {
            Size::PeersS => "peers-s",
            Size::PeersM => "peers-m",
            Size::PeersL => "peers-l",
        }
    }

    fn numbers(self) -> (u64, u64) {
        match self {
            Size::PeersS => (10_000, 50_000),
            Size::PeersM => (100_000, 1_000_000),
            Size::PeersL => (1_000_000, 10_000_000),
        }
    }

    /// A cache that holds the whole file of every store.
    fn cache_bytes(self) -> u64 {
        match self {
            Size::PeersS => 64 << 20,
            Size::PeersM => 512 << 20,
            Size::PeersL => 3 << 30,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What to measure. Without: only the reports are written again.
    #[arg(value_enum)]
    size: Option<Size>,
    /// Measure everything so often.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    repeats: u32,
    /// Only these stores.
    #[arg(long, value_name = "STORE", value_delimiter = ',')]
    stores: Vec<String>,
    /// Only these stages; the rows of others are left out.
    #[arg(long, value_enum, value_name = "STAGE", value_delimiter = ',')]
    stages: Vec<Stage>,
    /// Seconds after which a load of edges by commits ends, and its rate is that of the part so far.
    #[arg(long, default_value_t = 300)]
    load_seconds: u64,
    /// Add single calls to the report: the folder that criterion left their times in, and the list of instructions.
    #[arg(long, num_args = 2, value_names = ["CRITERION", "INSTRUCTIONS"])]
    calls: Option<Vec<PathBuf>>,
}

/// What a stage's process is told.
#[derive(Debug, Args)]
pub(crate) struct StageArgs {
    #[arg(long, value_enum)]
    size: Size,
    #[arg(long)]
    store: String,
    #[arg(long, value_enum)]
    stage: Stage,
    #[arg(long)]
    folder: PathBuf,
    #[arg(long)]
    load_seconds: u64,
}

/// The results of one size, as stored.
#[derive(Serialize, Deserialize)]
struct Results {
    size: Size,
    repeats: u32,
    manifest: Manifest,
    notes: Vec<Notes>,
    /// Stores whose sums differ from the others'.
    wrong: Vec<String>,
}

/// `lab bench`.
pub(crate) fn run(args: &BenchArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let out = global.out.join("peers");
    let mut exit = Exit::Passed;
    if let Some(size) = args.size {
        let stores = chosen(&args.stores, console)?;
        fs::create_dir_all(&out).context(out.display())?;
        let results = measure(size, args, &stores, global, console)?;
        for wrong in &results.wrong {
            console.alarm(wrong);
            exit = Exit::Wrong;
        }
        store(&out.join(format!("{}.json", size.name())), &results)?;
    }
    if let Some([criterion, list]) = args.calls.as_deref() {
        fs::create_dir_all(&out).context(out.display())?;
        store(
            &out.join("calls.json"),
            &Calls::collect(criterion, list, &global.out)?,
        )?;
    }
    let mut all = Vec::new();
    for size in Size::ALL {
        all.extend(stored::<Results>(
            &out.join(format!("{}.json", size.name())),
        )?);
    }
    let calls = stored::<Calls>(&out.join("calls.json"))?;
    if all.is_empty() && calls.is_none() {
        return Err(Failure::usage(format!(
            "no results in {}; measure some with `lab bench peers-m`",
            out.display()
        )));
    }
    let report = report::write(&all, calls.as_ref(), &out)?;
    console.result(&format!("{}\n", report.display()))?;
    Ok(exit)
}

fn store(path: &Path, results: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(results).context("results")?;
    fs::write(path, text + "\n").context(path.display())
}

/// What a file holds, if it is there.
fn stored<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).context(path.display())?;
    serde_json::from_str(&text)
        .context(path.display())
        .map(Some)
}

/// The stores that this binary has, of those wanted. Those it has not are named.
fn chosen(wanted: &[String], console: &Console) -> Result<Vec<&'static str>, Failure> {
    let known: Vec<&'static str> = stages::STORES.iter().map(|(name, _)| *name).collect();
    if let Some(strange) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::usage(format!(
            "there is no store `{strange}`; there are {}",
            known.join(", ")
        )));
    }
    let mut stores = Vec::new();
    for (name, built_in) in stages::STORES {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        if *built_in {
            stores.push(*name);
        } else {
            console.alarm(&format!(
                "skipped: {name}; build the lab with `--features {name}`"
            ));
        }
    }
    Ok(stores)
}

fn measure(
    size: Size,
    args: &BenchArgs,
    stores: &[&'static str],
    global: &Global,
    console: &Console,
) -> Result<Results, Failure> {
    let work = global
        .out
        .join("runs")
        .join(format!("bench-{}", std::process::id()));
    let mut notes = Vec::new();
    for repeat in 0..args.repeats {
        let mut of_stores: Vec<Notes> = stores
            .iter()
            .map(|store| Notes {
                store: (*store).to_owned(),
                repeat,
                ..Notes::default()
            })
            .collect();
        for (stage, _) in STAGES {
            for turn in 0..stores.len() {
                // Another store begins each repeat, so that none is always first.
                let place = (turn + repeat as usize) % stores.len();
                let wanted = args.stages.is_empty() || args.stages.contains(stage);
                if !wanted || !stage.takes(stores[place], size) {
                    continue;
                }
                console.log(format!("repeat {repeat}: {stage:?} of {}", stores[place]));
                let found = process(size, *stage, stores[place], &work, args)?;
                of_stores[place].join(found);
            }
        }
        notes.append(&mut of_stores);
    }
    fs::remove_dir_all(&work).context(work.display())?;
    let mut manifest = machine::describe(&global.out);
    manifest.idle_spinner = Some(crate::run::mix::awake::SPINNER.to_owned());
    Ok(Results {
        size,
        repeats: args.repeats,
        manifest,
        wrong: differences(&notes),
        notes,
    })
}

/// Every sum that is not the same as that of the first store with one.
fn differences(notes: &[Notes]) -> Vec<String> {
    let mut wrong = Vec::new();
    for note in notes {
        for (key, digest) in &note.digests {
            let first = notes.iter().find_map(|note| note.digests.get(key));
            if first != Some(digest) {
                wrong.push(format!(
                    "{}, repeat {}: the sum of `{key}` is not the first store's",
                    note.store, note.repeat
                ));
            }
        }
    }
    wrong
}

/// One stage in a process of its own.
fn process(
    size: Size,
    stage: Stage,
    store: &str,
    work: &Path,
    args: &BenchArgs,
) -> Result<Notes, Failure> {
    let folder = work.join(store);
    if folder.exists() {
        fs::remove_dir_all(&folder).context(folder.display())?;
    }
    fs::create_dir_all(&folder).context(folder.display())?;
    let program = std::env::current_exe().context("finding this program")?;
    let output = Command::new(program)
        .arg("__stage")
        .args(["--size", size.name(), "--store", store])
        .args(["--stage", stage.name()])
        .args(["--load-seconds", &args.load_seconds.to_string()])
        .arg("--folder")
        .arg(&folder)
        .stderr(Stdio::inherit())
        .output()
        .context("starting a stage")?;
    fs::remove_dir_all(&folder).context(folder.display())?;
    if !output.status.success() {
        return Err(Failure::lab(format!(
            "{store}: the stage `{}` ended with {}",
            stage.name(),
            output.status
        )));
    }
    serde_json::from_slice(&output.stdout).context(format!("{store}: what a stage said"))
}

/// The process of a stage.
pub(crate) fn stage(args: &StageArgs, console: &Console) -> Result<Exit, Failure> {
    let notes = stages::carry_out(args)?;
    let text = serde_json::to_string(&notes).context("notes")?;
    console.result(&text)?;
    Ok(Exit::Passed)
}
