//! What a run found, as plain data: measured once, stored, rendered as often as anyone likes.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    pub(crate) metrics: BTreeMap<String, Number>,
    pub(crate) tables: Vec<Table>,
    /// Digest of the results, equal for every way of getting them.
    pub(crate) digest: Option<String>,
    /// One sentence of answer, where the phase asks something.
    pub(crate) answer: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Pass,
    Warn,
    Fail,
    /// Not measured, because the run's results were wrong.
    Void,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) metric: String,
    pub(crate) meaning: String,
    pub(crate) expect: String,
    pub(crate) unit: Unit,
    pub(crate) actual: Option<Number>,
    pub(crate) verdict: Verdict,
    /// Line of the scenario file.
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
    pub(crate) table: String,
    pub(crate) x: String,
    pub(crate) y: Vec<String>,
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

/// One run of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) schema: u32,
    /// The run directory's name.
    pub(crate) id: String,
    pub(crate) scenario: String,
    pub(crate) question: String,
    /// The engine's settings as read back from it, not as asked for.
    pub(crate) engine: Vec<Setting>,
    /// Facts about the graph: `nodes`, `edges`, `payload_bytes`, …
    pub(crate) dataset: BTreeMap<String, Number>,
    /// Tables that belong to the whole run: the graph's shape, the phases side by side.
    pub(crate) tables: Vec<Table>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) checks: Vec<Check>,
    pub(crate) plots: Vec<Plot>,
}

impl Run {
    /// Whether every phase that ran was right.
    pub(crate) fn right(&self) -> bool {
        self.phases
            .iter()
            .all(|phase| phase.status == PhaseStatus::Right)
    }

    /// Whether no check failed.
    pub(crate) fn met(&self) -> bool {
        self.checks
            .iter()
            .all(|check| !matches!(check.verdict, Verdict::Fail | Verdict::Void))
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables
            .iter()
            .chain(self.phases.iter().flat_map(|phase| &phase.tables))
            .find(|table| table.name == name)
    }

    /// The value of `phase.metric` or `dataset.fact`.
    pub(crate) fn metric(&self, path: &str) -> Option<Number> {
        let (owner, metric) = path.split_once('.')?;
        if owner == "dataset" {
            return self.dataset.get(metric).copied();
        }
        self.phases
            .iter()
            .find(|phase| phase.name == owner)?
            .metrics
            .get(metric)
            .copied()
    }
}

/// Where, when and with what a run was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) id: String,
    pub(crate) started_utc: String,
    pub(crate) duration_ns: u64,
    pub(crate) argv: Vec<String>,
    pub(crate) seed: u64,
    pub(crate) durability: String,
    pub(crate) lab_version: String,
    pub(crate) revision: String,
    /// `None` where nobody can tell.
    pub(crate) dirty: Option<bool>,
    pub(crate) rustc: String,
    pub(crate) target: String,
    pub(crate) profile: String,
    pub(crate) cpu: String,
    pub(crate) cpus: u64,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) kernel: String,
    pub(crate) file_system: String,
    /// The scenario file as it was.
    pub(crate) scenario_text: String,
}
