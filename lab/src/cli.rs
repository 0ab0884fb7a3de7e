//! Exactly what was typed. Nothing here touches a file; the commands turn it into validated plans.

mod experiment;

use std::path::PathBuf;

use crate::report::raster::Scheme;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::experiment::{
    AbArgs, BaselineCommand, CompareArgs, CompletionsArgs, ExportArgs, ExportAs, KeepDb, ListArgs,
    MergeArgs, PlanArgs, RunArgs, SchemaArgs, SchemaOf,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  everything asked for was done and every check passed
  1  the lab itself failed
  2  bad usage, scenario or data file
  3  a threshold of the scenario was not met
  4  a result was wrong, or damage was found
  5  something the run needs is missing (named)
  6  the budget was used up; what was measured is kept
130  interrupted; what was measured is kept

stdout carries only the result; logs and progress go to stderr.";

/// The laboratory of Vellum: runs scenarios, proves their results, measures, reports, inspects.
#[derive(Debug, Parser)]
#[command(name = "lab", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// How results are written to stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// Where reports go.
    #[arg(long, global = true, value_name = "DIR", default_value = "reports")]
    pub(crate) out: PathBuf,
    /// Colour on terminals; NO_COLOR is respected.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// No logs on stderr, only errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More detail on stderr.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// No progress display. There is none anyway where stderr is no terminal.
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    Human,
    /// One JSON document.
    Json,
    /// One JSON document a line.
    Ndjson,
    /// Markdown.
    Md,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios; their checks decide the exit code. The last line is the report's path.
    Run(RunArgs),
    /// Read scenarios, expand their sweeps and estimate time and disk. Nothing runs.
    Plan(PlanArgs),
    /// Compare two runs, or a baseline and a run, cell by cell.
    Compare(CompareArgs),
    /// Build a git revision, run it and this program in turn on one scenario, and compare the pairs.
    Ab(AbArgs),
    /// Runs that later ones are held against.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Join the parts of a sharded run and judge the whole.
    Merge(MergeArgs),
    /// The scenarios of a folder, with their questions.
    List(ListArgs),
    /// What scenarios can check and what the engine counts, with unit and meaning.
    Metrics(crate::commands::metrics::MetricsArgs),
    /// Measure the engine beside other stores and the limits: every row of one table, as a report.
    Bench(crate::bench::BenchArgs),
    /// Other stores that scenarios can compare with.
    Peers,
    /// What measurements on this machine are worth, and what would make them better.
    Doctor,
    /// JSON Schema of scenario files or of results; the reference of scenarios as Markdown.
    Schema(SchemaArgs),
    /// A completion script for a shell.
    Completions(CompletionsArgs),
    /// Write a database as JSON lines, TSV or CSV into a new folder.
    Export(ExportArgs),
    /// Import a graph from JSON lines, TSV or CSV, plain or gzipped, into a new database.
    Import(ImportArgs),
    /// Check a database completely, read-only, and report every finding.
    Check(CheckArgs),
    /// Do one thing to a database and tell what it took, page by page.
    Explain(crate::commands::explain::ExplainArgs),
    /// Salvage every readable node and edge of a damaged database into a new one, and list what is lost.
    Recover(RecoverArgs),
    /// Copy a database with one bit of a page flipped, to see what damage does.
    Corrupt(CorruptArgs),
    /// Look inside a database file without opening it as one. Works on damaged files too.
    Inspect(InspectArgs),
    /// Render the reports of stored runs again. Without RUN: the latest.
    Report(ReportArgs),
    /// Let real faults happen: kills, power cuts of a file system, failing and full disks, racing openers.
    Real(RealArgs),
    /// Look at one crash state of a recorded session again.
    Crash(CrashArgs),
    /// Let one call to the simulated disk fail again.
    Faults(AgainArgs),
    /// Damage the files of a database again, in one place.
    Damage(DamageArgs),
    /// The writer that the kill phase starts and kills.
    #[command(name = "__writer", hide = true)]
    Writer(WriterArgs),
    /// The process that real faults hit.
    #[command(name = "__victim", hide = true)]
    Victim(VictimArgs),
    /// The process of one stage of `bench`.
    #[command(name = "__stage", hide = true)]
    Stage(crate::bench::StageArgs),
    /// A process that races others for a database.
    #[command(name = "__opener", hide = true)]
    Opener(OpenerArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files named *.jsonl (nodes), *.tsv or *.csv (nodes with the columns id, kind, name, data; edges with src, dst,
    /// type, data), each also with .gz; or a folder with files named nodes and edges.
    #[arg(required = true, value_name = "SRC")]
    pub(crate) sources: Vec<PathBuf>,
    /// The database to create. It must not exist.
    #[arg(short = 'o', long = "output", value_name = "DB")]
    pub(crate) output: PathBuf,
    /// Page size in bytes: a power of two from 4096 to 65536.
    #[arg(long, value_name = "BYTES", default_value_t = 4096)]
    pub(crate) page_size: usize,
    /// Give the nodes the ids 1, 2, 3, … in the order of the files. Without it, ids that are numbers are kept and
    /// must ascend.
    #[arg(long)]
    pub(crate) renumber: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The database file.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    /// The damaged database file. It is only read, as is the log beside it.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
    /// The database to create. It must not exist.
    #[arg(short = 'o', long = "output", value_name = "NEW")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CorruptArgs {
    /// The database file. It is only read.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
    /// The damaged copy to create. It must not exist.
    #[arg(short = 'o', long = "output", value_name = "NEW")]
    pub(crate) output: PathBuf,
    /// The page to damage, as `lab inspect DB pages` numbers them; 0 is the header's.
    #[arg(long, value_name = "N")]
    pub(crate) page: u64,
    /// The bit to flip: bit `K mod 8` of byte `K / 8` of the page.
    #[arg(long, value_name = "K")]
    pub(crate) bit: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The database file.
    #[arg(value_name = "DB")]
    pub(crate) database: PathBuf,
    /// Structure and lengths only, no contents: for reports to others.
    #[arg(long, global = true)]
    pub(crate) redact: bool,
    #[command(subcommand)]
    pub(crate) what: Inspect,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Inspect {
    /// Header slots, roots, counts.
    Info,
    /// Fill, fragmentation, bytes per node and edge, data outside the leaves, free space.
    Stats,
    /// One line for each page.
    Pages,
    /// One page in full: fields with offsets, entries, bytes.
    Page {
        /// Page number.
        number: u64,
    },
    /// The path of pages from the root to a node, and what is stored there.
    Node {
        /// Node id.
        id: u64,
    },
    /// The trees, page by page.
    Tree(TreeArgs),
    /// The file as a picture.
    Map(MapArgs),
    /// The log's segments and records, and where they end.
    Wal,
    /// How the newest state comes to a page.
    Why {
        /// Page number.
        number: u64,
    },
    /// What differs between two files, by pages and by contents.
    Diff {
        /// The other database file.
        other: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// Only this key space: nodes, out, in, names, kinds, dictionary or absent.
    #[arg(value_name = "SPACE")]
    pub(crate) space: Option<String>,
    /// Write a graph for Graphviz.
    #[arg(long)]
    pub(crate) dot: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MapArgs {
    /// What the colours tell.
    #[arg(long, value_enum, default_value_t = MapBy::Space)]
    pub(crate) by: MapBy,
    /// Tell what a trace says of each page: who took and freed it, how often. `lab run --trace` records
    /// traces, and so does any program by `Builder::trace`.
    #[arg(long, value_name = "FILE", conflicts_with = "by")]
    pub(crate) trace: Option<PathBuf>,
    /// Also write the picture to this file, which must not exist.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Fields in a row on the terminal.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(8..=512))]
    pub(crate) columns: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MapBy {
    /// Branch, leaf, blob, freelist.
    Kind,
    /// How full pages are.
    Fill,
    /// How long ago pages were written.
    Birth,
    /// The key space that pages belong to.
    Space,
    /// Who uses pages in the newest state.
    Owner,
    /// Which pages are whole.
    Damage,
}

impl MapBy {
    /// The word for it in titles.
    pub(crate) fn name(self) -> &'static str {
        match self {
            MapBy::Kind => "kind",
            MapBy::Fill => "fill",
            MapBy::Birth => "age",
            MapBy::Space => "key space",
            MapBy::Owner => "owner",
            MapBy::Damage => "damage",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct CrashArgs {
    #[command(subcommand)]
    pub(crate) what: Crash,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Crash {
    /// Make exactly one crash state again, recover it and judge it. Exit code 4 if it breaks a rule.
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The state, as a failed run printed it.
    pub(crate) id: String,
    /// Also print what the session did, what was pending and what was kept.
    #[arg(long)]
    pub(crate) trace: bool,
    /// Write the files of the state into this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AgainArgs {
    #[command(subcommand)]
    pub(crate) what: Again,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Again {
    /// Judge exactly one cell of the fault matrix. Exit code 4 if it breaks a rule.
    Replay {
        /// The cell, as a failed run printed it.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DamageArgs {
    #[command(subcommand)]
    pub(crate) what: Damage,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Damage {
    /// Do and judge exactly one damage. Exit code 4 if it breaks a rule.
    Replay {
        /// The damage, as a failed run printed it.
        id: String,
        /// Write the damaged files into this folder.
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Directories of runs, or their names under DIR/runs.
    #[arg(value_name = "RUN")]
    pub(crate) runs: Vec<PathBuf>,
    /// Put these runs in the place of what DIR has published of their scenarios, and write the index.
    #[arg(long)]
    pub(crate) publish: bool,
    /// Render every published report again, and the index.
    #[arg(long, conflicts_with_all = ["runs", "publish"])]
    pub(crate) published: bool,
    /// Also draw the plots as PNG, in the colours for a light or a dark page. Needs the feature `png`.
    #[arg(long, value_enum, value_name = "SCHEME", num_args = 0..=1, default_missing_value = "light",
          require_equals = true, conflicts_with_all = ["publish", "published"])]
    pub(crate) png: Option<Scheme>,
}

#[derive(Debug, Args)]
pub(crate) struct WriterArgs {
    #[arg(long)]
    pub(crate) database: PathBuf,
    /// Number of the first transaction to write.
    #[arg(long)]
    pub(crate) first: u64,
    /// How many to write if nobody kills it.
    #[arg(long)]
    pub(crate) count: u64,
    #[arg(long)]
    pub(crate) nodes: u32,
    #[arg(long)]
    pub(crate) edges: u32,
    #[arg(long)]
    pub(crate) data_bytes: u32,
    /// Nodes that are there already and that edges may lead to.
    #[arg(long, value_delimiter = ',')]
    pub(crate) anchors: Vec<u64>,
    /// Durability as in a scenario: sync, group or none.
    #[arg(long)]
    pub(crate) durability: String,
}

#[derive(Debug, Args)]
pub(crate) struct RealArgs {
    /// Which faults. Without any: all. What is not permitted here is skipped by name, and the exit code is 5.
    #[arg(value_enum, value_name = "FAULT")]
    pub(crate) faults: Vec<RealFault>,
    /// How often each fault happens, at most.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) cycles: u64,
    /// Seed of the moments at which they happen.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where the files are put meanwhile. Without it: in memory where the system has such a folder, as only
    /// `power` and `failed-sync` test syncs, and they bring their own file systems.
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RealFault {
    /// A process with several writers and readers is killed.
    Sigkill,
    /// An ext4 file system loses power.
    PowerExt4,
    /// An XFS file system loses power.
    PowerXfs,
    /// A sync fails, as the storage under the file system ran out.
    FailedSync,
    /// A small file system fills up.
    FullDisk,
    /// Two to eight openers race.
    DoubleOpen,
    /// System calls fail by injection.
    Strace,
}

impl RealFault {
    pub(crate) const ALL: [RealFault; 7] = [
        RealFault::Sigkill,
        RealFault::PowerExt4,
        RealFault::PowerXfs,
        RealFault::FailedSync,
        RealFault::FullDisk,
        RealFault::DoubleOpen,
        RealFault::Strace,
    ];

    /// As it is typed.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

#[derive(Debug, Args)]
pub(crate) struct VictimArgs {
    #[arg(long)]
    pub(crate) database: PathBuf,
    /// How many commits each writer makes if nobody kills it.
    #[arg(long)]
    pub(crate) count: u64,
}

#[derive(Debug, Args)]
pub(crate) struct OpenerArgs {
    #[arg(long)]
    pub(crate) database: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn globals_stand_anywhere() {
        let cli = Cli::try_parse_from(["lab", "run", "a.toml", "--format", "json", "-q"]);
        assert!(cli.is_ok_and(|cli| cli.global.format == Format::Json && cli.global.quiet));
    }

    #[test]
    fn run_needs_a_scenario() {
        assert!(Cli::try_parse_from(["lab", "run"]).is_err_and(|error| error.exit_code() == 2));
    }
}
