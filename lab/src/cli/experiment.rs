//! What was typed for the commands that run and compare experiments.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::report::raster::Scheme;
use crate::scenario::plan::Changes;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Scenario files.
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) changes: ChangeArgs,
    /// Measure these phases only. Those before them run too, unmeasured, as these need what those leave.
    #[arg(long, value_name = "PHASE", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// A word that the run is remembered by.
    #[arg(long)]
    pub(crate) tag: Option<String>,
    /// The baseline that checks refer to; see `lab baseline`.
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,
    /// Carry out only part I of N: of the cells, and of searches through crashes, faults and damage that can be divided.
    /// `lab merge` joins the parts.
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<(u32, u32)>,
    /// Put each complete run whose checks held in the place of what DIR has published of its scenario.
    #[arg(long)]
    pub(crate) publish: bool,
    /// Also draw the plots as PNG, in the colours for a light or a dark page. Needs the feature `png`.
    #[arg(long, value_enum, value_name = "SCHEME", num_args = 0..=1, default_missing_value = "light", require_equals = true)]
    pub(crate) png: Option<Scheme>,
    /// Record every event of the pages and the log of each database of the engine, in a file beside it, and keep both.
    /// `lab inspect DB map --trace FILE` shows it. Counting then is in the times.
    #[arg(long, conflicts_with = "keep_db")]
    pub(crate) trace: bool,
    /// Whether the run's databases stay in its directory.
    #[arg(long, value_enum, default_value_t = KeepDb::Failed)]
    pub(crate) keep_db: KeepDb,
}

/// Options that change a scenario.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ChangeArgs {
    /// Put a value at a path, such as `engine.cache=\"1 MiB\"` or `phase.load.batch=100`. An axis
    /// keeps only this value, or those of this list.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Use this seed in place of the scenario's.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Repeat every cell so often.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeats: Option<u32>,
    /// One repeat, and the smaller sizes that the scenario has for it.
    #[arg(long)]
    pub(crate) quick: bool,
}

impl ChangeArgs {
    pub(crate) fn changes(&self) -> Changes {
        Changes {
            set: self.set.clone(),
            quick: self.quick,
            seed: self.seed,
            repeats: self.repeats,
        }
    }
}

/// `2/5` as the second of five.
fn shard(text: &str) -> Result<(u32, u32), String> {
    let parts = text
        .split_once('/')
        .and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((number, of)) if (1..=of).contains(&number) => Ok((number, of)),
        _ => Err("a part is I/N, such as 2/5, with I from 1 to N".to_owned()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeepDb {
    Always,
    /// Only where a result was wrong.
    Failed,
    Never,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Scenario files.
    #[arg(required = true, value_name = "SCENARIO")]
    pub(crate) scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) changes: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// A run's directory or name, `latest`, or a baseline's name.
    #[arg(value_name = "A")]
    pub(crate) a: String,
    /// The same; what is reported is how B differs from A.
    #[arg(value_name = "B")]
    pub(crate) b: String,
    /// How far a clock may be off, in percent. Counts are compared exactly.
    #[arg(long, value_name = "PERCENT", default_value_t = 10)]
    pub(crate) threshold: u32,
    /// Also what did not change.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AbArgs {
    /// The git revision to compare with.
    #[arg(value_name = "BASE")]
    pub(crate) base: String,
    /// The scenario to run.
    #[arg(value_name = "SCENARIO")]
    pub(crate) scenario: PathBuf,
    /// How many pairs of runs.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) pairs: u32,
    /// How far a clock may be off, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    pub(crate) threshold: u32,
    /// As for `run`.
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// As for `run`.
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Keep a run under a new name. Without RUN: the latest.
    Save { name: String, run: Option<PathBuf> },
    /// Every baseline with its scenarios.
    List,
    /// Put a run in the place of what a baseline has of its scenario. Without RUN: the latest.
    Accept { name: String, run: Option<PathBuf> },
    /// Remove a baseline.
    Rm { name: String },
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Directories of the parts, or their names under DIR/runs.
    #[arg(required = true, value_name = "RUN")]
    pub(crate) parts: Vec<PathBuf>,
    /// The baseline that checks refer to.
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Where to look.
    #[arg(value_name = "DIR", default_value = "scenarios")]
    pub(crate) folder: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// JSON Schema of scenario files.
    Scenario,
    /// JSON Schema of results.json.
    Result,
    /// The reference of scenario files, as Markdown.
    Reference,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The database file.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
    /// The folder to create, with a file of nodes and one of edges.
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// How the files are written.
    #[arg(long = "as", value_enum, value_name = "FORMAT", default_value_t = ExportAs::Jsonl)]
    pub(crate) form: ExportAs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportAs {
    /// nodes.jsonl and edges.tsv. The data of nodes must be JSON; that of edges must have no tab and no line break.
    Jsonl,
    /// nodes.tsv and edges.tsv: no quotes, so no field may have a tab or a line break.
    Tsv,
    /// nodes.csv and edges.csv, quoted where needed: any text.
    Csv,
}
