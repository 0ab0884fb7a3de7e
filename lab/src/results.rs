//! What a run found, as plain data: measured once, stored, rendered as often as anyone likes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::scenario::plan::Changes;
use crate::scenario::registry::counts;
use crate::scenario::sources::Sources;
use crate::units::Unit;

/// Version of the layout of `results.json`.
pub(crate) const SCHEMA: u32 = 1;

/// A number that is written without a fraction where it has none.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Number(pub(crate) f64);

impl From<u64> for Number {
    fn from(number: u64) -> Number {
        Number(number as f64)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < 9e15 {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        f64::deserialize(deserializer).map(Number)
    }
}

/// One cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Cell {
    Number(Number),
    Text(String),
    /// Not measured, or without meaning here.
    Absent(()),
}

impl From<u64> for Cell {
    fn from(number: u64) -> Cell {
        Cell::Number(number.into())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Cell {
        Cell::Number(Number(number))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Cell {
        value.map_or(Cell::Absent(()), Into::into)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) unit: Unit,
}

/// A table of results. Plots are drawn from tables, and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    /// `phase.table`, unique in a run.
    pub(crate) name: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Rows that were left out of what is stored.
    #[serde(default)]
    pub(crate) rows_left_out: u64,
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PhaseStatus {
    /// Done, and its results are right.
    Right,
    /// Its results are wrong: everything measured in this run is void.
    Wrong,
    /// Not reached, because an earlier phase was wrong.
    Skipped,
    /// This machine does not permit it; the findings say why. Never counts as passed.
    Missing,
}

/// A measured value: the median of the repeats, and how far they lie apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measure {
    pub(crate) median: Number,
    /// Median absolute deviation. Absent for one repeat, which has no spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mad: Option<Number>,
    /// Ends of the 95 % bootstrap interval of the median. Absent for fewer than three repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) interval: Option<[Number; 2]>,
    /// One value for each repeat, in order.
    pub(crate) samples: Vec<Number>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Phase {
    pub(crate) name: String,
    /// What it does, in a few words.
    pub(crate) what: String,
    pub(crate) database: String,
    pub(crate) status: PhaseStatus,
    /// What was found to be wrong.
    pub(crate) findings: Vec<String>,
    /// By name, in base units; the registry knows each name's unit and meaning.
    pub(crate) metrics: BTreeMap<String, Measure>,
    pub(crate) tables: Vec<Table>,
    /// Digest of the results, equal for every way of getting them.
    pub(crate) digest: Option<String>,
    /// One sentence of answer, where the phase asks something.
    pub(crate) answer: Option<String>,
}

/// The count of a counter that did not move.
static ZERO: LazyLock<Measure> = LazyLock::new(|| Measure::once(Number(0.0)));

impl Phase {
    /// A metric by its name. Counters that did not move are not stored, and are zero where others are.
    pub(crate) fn measure(&self, metric: &str) -> Option<&Measure> {
        let stored = self.metrics.get(metric);
        let counter = metric.starts_with(counts::PREFIX) && self.counted();
        stored.or_else(|| counter.then(|| &*ZERO))
    }

    /// Whether a build that counts carried it out.
    pub(crate) fn counted(&self) -> bool {
        let conflicts = [counts::PREFIX, counts::CONFLICTS].concat();
        self.metrics.contains_key(&conflicts)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Pass,
    Warn,
    Fail,
    /// The measurements spread too far to tell.
    Inconclusive,
    /// Not judged: another machine, no baseline, or cells that this part of a run does not have.
    Skipped,
    /// Not measured, because the run's results were wrong.
    Void,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) metric: String,
    pub(crate) meaning: String,
    pub(crate) expect: String,
    pub(crate) unit: Unit,
    /// The value that decided: of the one cell, or of the worst.
    pub(crate) actual: Option<Number>,
    pub(crate) verdict: Verdict,
    /// How many cells, or rows of cells along an axis, were judged.
    pub(crate) judged: u64,
    /// What the verdict rests on: which cell was worst and how, or why nothing was judged.
    pub(crate) detail: String,
    /// Why it is checked.
    pub(crate) note: Option<String>,
    /// Name and line of the scenario's text.
    pub(crate) file: String,
    pub(crate) line: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlotForm {
    /// Numbers against numbers.
    #[default]
    Points,
    /// Numbers against numbers, joined in the order of x.
    Lines,
    /// A number for each name, from zero.
    Bars,
    /// A number for each name, on a scale that need not start at zero.
    Dots,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scale {
    #[default]
    Linear,
    Log,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) note: Option<String>,
    /// The table that is drawn; without it, metrics of the cells are drawn along an axis.
    pub(crate) table: Option<String>,
    /// A column, or the path of an axis.
    pub(crate) x: String,
    pub(crate) y: Vec<String>,
    /// Places that limit the cells drawn: an axis's number and a value's.
    pub(crate) only_where: Vec<(usize, usize)>,
    pub(crate) form: PlotForm,
    pub(crate) x_scale: Scale,
    pub(crate) y_scale: Scale,
}

/// A name and a value, both as shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Setting {
    pub(crate) fn new(name: impl Into<String>, value: impl Into<String>) -> Setting {
        Setting {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// A value on an axis of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Coordinate {
    pub(crate) text: String,
    /// Where it stands on a scale, if it is a number.
    pub(crate) number: Option<Number>,
}

/// An axis of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Axis {
    /// Path in the scenario.
    pub(crate) path: String,
    /// As short as is clear.
    pub(crate) name: String,
    pub(crate) values: Vec<Coordinate>,
}

/// Where a cell stands on one axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) axis: String,
    pub(crate) value: String,
}

/// One cell of the sweep: one whole experiment, repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SweepCell {
    /// Its number among all cells of the sweep.
    pub(crate) number: u64,
    pub(crate) at: Vec<Place>,
    /// The same as numbers of values.
    pub(crate) places: Vec<usize>,
    /// Repeats that were carried out.
    pub(crate) repeats: u64,
    /// The engine's settings as read back from it, not as asked for; of a phase that brings databases of
    /// its own, the values of its sections in effect.
    pub(crate) engine: Vec<Setting>,
    /// Facts about the graph: `nodes`, `edges`, `payload_bytes`, …
    pub(crate) dataset: BTreeMap<String, Number>,
    /// Tables of the graph's shape.
    pub(crate) tables: Vec<Table>,
    pub(crate) phases: Vec<Phase>,
}

impl SweepCell {
    pub(crate) fn right(&self) -> bool {
        self.phases
            .iter()
            .all(|phase| matches!(phase.status, PhaseStatus::Right | PhaseStatus::Missing))
    }

    /// `cache=64 pages, nodes=1000`; empty without a sweep.
    pub(crate) fn label(&self) -> String {
        let parts: Vec<String> = self
            .at
            .iter()
            .map(|place| format!("{}={}", place.axis, place.value))
            .collect();
        parts.join(", ")
    }

    /// The measure of `phase.metric`, `phase.operation.metric` or `phase.counts.counter`.
    pub(crate) fn measure(&self, path: &str) -> Option<&Measure> {
        let (owner, metric) = path.split_once('.')?;
        self.phases
            .iter()
            .find(|phase| phase.name == owner)?
            .measure(metric)
    }

    /// The value of `phase.metric` or `dataset.fact`.
    pub(crate) fn metric(&self, path: &str) -> Option<Number> {
        match path.strip_prefix("dataset.") {
            Some(fact) => self.dataset.get(fact).copied(),
            None => self.measure(path).map(|measure| measure.median),
        }
    }
}

/// How a run came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ended {
    Complete,
    /// It goes on, or was killed.
    Unfinished,
    /// One part of several.
    Shard {
        number: u32,
        of: u32,
    },
    Interrupted,
    OverBudget,
}

/// One run of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) schema: u32,
    /// The run directory's name.
    pub(crate) id: String,
    pub(crate) scenario: String,
    pub(crate) question: String,
    pub(crate) ended: Ended,
    pub(crate) axes: Vec<Axis>,
    pub(crate) cells: Vec<SweepCell>,
    /// What was not done because something is not there: cells without their store, counts without the
    /// build that counts. Each names what is missing.
    pub(crate) missing: Vec<String>,
    /// Tables that belong to the whole run: the phases side by side.
    pub(crate) tables: Vec<Table>,
    pub(crate) checks: Vec<Check>,
    pub(crate) plots: Vec<Plot>,
}

impl Run {
    /// Whether every phase that ran was right.
    pub(crate) fn right(&self) -> bool {
        self.cells.iter().all(SweepCell::right)
    }

    /// The phases that this machine does not permit.
    pub(crate) fn impossible(&self) -> impl Iterator<Item = &Phase> {
        let phases = self.cells.iter().flat_map(|cell| &cell.phases);
        phases.filter(|phase| phase.status == PhaseStatus::Missing)
    }

    /// Whether no check failed.
    pub(crate) fn met(&self) -> bool {
        self.checks
            .iter()
            .all(|check| !matches!(check.verdict, Verdict::Fail | Verdict::Void))
    }

    /// A table of the run or of its first cell.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        let first = self.cells.first();
        let of_cell = first.into_iter().flat_map(|cell| {
            cell.tables
                .iter()
                .chain(cell.phases.iter().flat_map(|phase| &phase.tables))
        });
        self.tables
            .iter()
            .chain(of_cell)
            .find(|table| table.name == name)
    }

    /// Whether the sweep has one cell only.
    pub(crate) fn single(&self) -> bool {
        self.axes.is_empty()
    }
}

/// The build that the counts of a run come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct CountedBy {
    pub(crate) program: String,
    pub(crate) lab_version: String,
    pub(crate) rustc: String,
    pub(crate) profile: String,
    pub(crate) features: Vec<String>,
    #[serde(default)]
    pub(crate) revision: String,
    /// How often each cell was carried out.
    pub(crate) repeats: u64,
    pub(crate) duration_ns: u64,
}

/// Where, when and with what a run was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) id: String,
    pub(crate) started_utc: String,
    pub(crate) duration_ns: u64,
    pub(crate) argv: Vec<String>,
    pub(crate) seed: u64,
    pub(crate) repeats: u64,
    pub(crate) tag: Option<String>,
    pub(crate) durability: String,
    /// What a reading of the clock costs, which is in every latency once.
    pub(crate) clock_ns: u64,
    /// How the processors were kept awake beside durable commits; absent where nobody did.
    pub(crate) idle_spinner: Option<String>,
    pub(crate) lab_version: String,
    pub(crate) revision: String,
    /// `None` where nobody can tell.
    pub(crate) dirty: Option<bool>,
    pub(crate) rustc: String,
    pub(crate) target: String,
    pub(crate) profile: String,
    /// Features that this binary was built with.
    pub(crate) features: Vec<String>,
    /// The build that counted, where one did beside this one, which measured the times.
    #[serde(default)]
    pub(crate) counted_by: Option<CountedBy>,
    pub(crate) cpu: String,
    pub(crate) cpus: u64,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) kernel: String,
    pub(crate) file_system: String,
    /// The scenario file, absolute: data files are relative to it.
    pub(crate) scenario_path: String,
    /// Every text that the scenario was read from, as it was.
    pub(crate) sources: Sources,
    pub(crate) changes: Changes,
    /// A copy that is kept under version control: without histograms, and without a path of the machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) published: bool,
}
