//! What will happen: a scenario whose every name, number and reference has been checked.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::crash::CrashPlan;
use crate::damage;
use crate::dataset::Files;
use crate::dataset::generate::Generator;
use crate::dataset::model::Way;
use crate::faults;
use crate::real::RealPlan;
use crate::results::{Axis, Place, Plot};
use crate::units::Unit;

use super::expect::Expect;
use super::operations::Operation;
use super::raw::{Checkpoint, Cold, Durability, EdgeOrder, Keys, OnlyIf, Severity};
use super::registry::ActionKind;
use super::sources::Sources;
use super::sweep::Order;

/// A piece of the scenario with its place, for failures that only the data can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// Options for the engine; `None` leaves its default.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnginePlan {
    /// From the scenario's seed, so that the same operations give the same bytes.
    pub(crate) file_id: [u8; 16],
    pub(crate) page_size: Option<u64>,
    pub(crate) cache_bytes: Option<u64>,
    pub(crate) write_buffer_bytes: Option<u64>,
    pub(crate) log_segment_bytes: Option<u64>,
    pub(crate) durability: Durability,
    pub(crate) group_delay: Option<Duration>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) name_index: Option<bool>,
    pub(crate) unique_edges: Option<bool>,
}

#[derive(Clone, Debug)]
pub(crate) enum LoadHow {
    /// Transactions of this many changes.
    Batch(u32),
    /// One bulk load, its edges in this order.
    Bulk(EdgeOrder),
}

/// A question, with everything it needs.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    Neighbors {
        from: Named,
        follow: Follow,
    },
    Reach {
        from: Named,
        hops: u32,
        follow: Follow,
    },
    Path {
        from: Named,
        to: Named,
        follow: Follow,
    },
    ByKind(Named),
    ByName(Named),
    ByPrefix(Named),
}

/// Which edges are followed, and which way.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    pub(crate) way: Way,
    pub(crate) label: Option<Named>,
}

impl Follow {
    pub(crate) fn label(&self) -> Option<&str> {
        self.label.as_ref().map(|label| label.text.as_str())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct AskPlan {
    pub(crate) question: Question,
    pub(crate) repeats: u32,
    /// What is made cold before the first time.
    pub(crate) cold: Option<Cold>,
}

/// When a mix ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// After so many operations of all clients together.
    Operations(u64),
    /// After so much measured time.
    Time(Duration),
}

/// Operations by weight, and how they are carried out.
#[derive(Clone, Debug)]
pub(crate) struct MixPlan {
    pub(crate) weights: Vec<(Operation, u32)>,
    /// Writes that one more client carries out meanwhile, on nodes of its own.
    pub(crate) beside: Vec<(Operation, u32)>,
    pub(crate) stop: Stop,
    pub(crate) keys: Keys,
    /// Nodes in a block, for the key choices that know blocks.
    pub(crate) block: u32,
    pub(crate) clients: u32,
    /// Operations in one transaction.
    pub(crate) batch: u32,
    /// Operations started per second by all clients together; without it, each client waits only for
    /// itself.
    pub(crate) rate: Option<f64>,
    pub(crate) depth: u32,
    pub(crate) way: Way,
    pub(crate) label: Option<String>,
    /// Pages of the cache that traversals take along.
    pub(crate) traversal_cache: Option<u32>,
    /// A snapshot taken before and read again after.
    pub(crate) hold_snapshot: bool,
    /// Each such transaction is dropped instead of committed.
    pub(crate) rollback_every: Option<u32>,
    pub(crate) cold: Option<Cold>,
    /// Number of the random stream: two phases with one number choose the same operations.
    pub(crate) stream: u32,
}

impl MixPlan {
    pub(crate) fn writes(&self) -> bool {
        self.weights
            .iter()
            .chain(&self.beside)
            .any(|(operation, _)| operation.writes())
    }

    fn describe(&self) -> String {
        let all: u32 = self.weights.iter().map(|(_, weight)| weight).sum();
        let parts: Vec<String> = self
            .weights
            .iter()
            .map(|(operation, weight)| match self.weights.len() {
                1 => operation.name().to_owned(),
                _ => format!(
                    "{} {:.0} %",
                    operation.name(),
                    f64::from(*weight) * 100.0 / f64::from(all.max(1))
                ),
            })
            .collect();
        let mut said = parts.join(", ");
        if self.clients > 1 {
            said += &format!("; {} clients", self.clients);
        }
        if !self.beside.is_empty() {
            said += "; one writer beside";
        }
        if self.writes() && self.batch > 1 {
            said += &format!(
                "; {} to a commit",
                crate::units::grouped(u64::from(self.batch))
            );
        }
        if let Some(rate) = self.rate {
            said += &format!("; {} started", Unit::PerSecond.show(rate));
        }
        said
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KillPlan {
    pub(crate) rounds: u32,
    /// At least this many acknowledged commits before the kill, and less than twice as many.
    pub(crate) after: u32,
    /// Size of each transaction.
    pub(crate) shape: Shape,
}

/// What one transaction of the killed writer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) nodes: u32,
    pub(crate) edges: u32,
    /// Bytes of data on each node.
    pub(crate) data_bytes: u32,
}

/// Calls to a simulated disk that fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FaultPlan {
    pub(crate) extent: faults::Extent,
    pub(crate) threads: usize,
}

/// Damage to files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DamagePlan {
    pub(crate) extent: damage::Extent,
    pub(crate) threads: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Load(LoadHow),
    Mix(MixPlan),
    Ask(AskPlan),
    /// Compare with the source, run the engine's check, or both.
    Verify {
        source: bool,
        structure: bool,
    },
    /// Close, and digest the file's bytes.
    Bytes,
    Reopen {
        repeats: u32,
        /// From copies of the open files, in place of closing first.
        log: bool,
    },
    Kill(KillPlan),
    Crash(CrashPlan),
    Faults(FaultPlan),
    Damage(DamagePlan),
    /// A fault that the operating system makes.
    Real(RealPlan),
}

impl Action {
    /// Whether it is a search that can be divided among processes. A crash on top of another belongs to the
    /// recovery of a state, which several states share: only searches of single crashes fall apart.
    pub(crate) fn divides(&self) -> bool {
        match self {
            Action::Crash(crash) => crash.depth == 1,
            Action::Faults(_) | Action::Damage(_) => true,
            _ => false,
        }
    }

    pub(crate) fn kind(&self) -> ActionKind {
        match self {
            Action::Load(_) => ActionKind::Load,
            Action::Mix(_) => ActionKind::Mix,
            Action::Bytes => ActionKind::Bytes,
            Action::Ask(AskPlan {
                question: Question::Reach { .. },
                ..
            }) => ActionKind::Reach,
            Action::Ask(_) => ActionKind::Ask,
            Action::Verify { .. } => ActionKind::Verify,
            Action::Reopen { .. } => ActionKind::Reopen,
            Action::Kill(_) => ActionKind::Kill,
            Action::Crash(_) => ActionKind::Crash,
            Action::Faults(_) => ActionKind::Faults,
            Action::Damage(_) => ActionKind::Damage,
            Action::Real(_) => ActionKind::Real,
        }
    }

    /// What it does, in a few words for people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Action::Load(LoadHow::Batch(batch)) => {
                format!(
                    "load by transactions of {}",
                    crate::units::grouped(u64::from(*batch))
                )
            }
            Action::Load(LoadHow::Bulk(EdgeOrder::Source)) => "bulk load".to_owned(),
            Action::Load(LoadHow::Bulk(order)) => {
                format!("bulk load, its edges {}", order.name())
            }
            Action::Mix(mix) => mix.describe(),
            Action::Bytes => {
                "close; digest the file's bytes and those of a compacted copy".to_owned()
            }
            Action::Ask(ask) => ask.question.describe(),
            Action::Verify {
                source: true,
                structure: true,
            } => "compare with the source; check the structure".to_owned(),
            Action::Verify { source: true, .. } => "compare with the source".to_owned(),
            Action::Verify { .. } => "check the structure".to_owned(),
            Action::Reopen {
                repeats,
                log: false,
            } => format!("close and open, {repeats} times"),
            Action::Reopen { repeats, .. } => {
                format!("copy the open files and recover the copy, {repeats} times")
            }
            Action::Kill(kill) => format!(
                "SIGKILL a writer inside its stream of commits, {} times",
                kill.rounds
            ),
            Action::Crash(crash) => crash.describe(),
            Action::Faults(faults) => faults.extent.part.what().to_owned(),
            Action::Damage(damage) => {
                let ways: Vec<&str> = damage.extent.ways.iter().map(|way| way.name()).collect();
                format!("damage the files: {}", ways.join(", "))
            }
            Action::Real(real) => real.describe(),
        }
    }
}

impl Question {
    fn describe(&self) -> String {
        let along = |follow: &Follow| {
            let way = match follow.way {
                Way::Out => "outgoing",
                Way::In => "incoming",
            };
            follow.label().map_or_else(
                || format!("{way} edges"),
                |label| format!("{way} `{label}` edges"),
            )
        };
        match self {
            Question::Neighbors { from, follow } => {
                format!("neighbours of {} along {}", from.text, along(follow))
            }
            Question::Reach { from, hops, follow } => {
                format!(
                    "reach of {} in 1 to {hops} hops along {}",
                    from.text,
                    along(follow)
                )
            }
            Question::Path { from, to, follow } => {
                format!(
                    "shortest chain from {} to {} along {}",
                    from.text,
                    to.text,
                    along(follow)
                )
            }
            Question::ByKind(kind) => format!("all nodes of kind {}", kind.text),
            Question::ByName(name) => format!("nodes named {}", name.text),
            Question::ByPrefix(prefix) => format!("names that start with {}", prefix.text),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct PhasePlan {
    pub(crate) name: String,
    pub(crate) database: String,
    /// Whether its metrics are kept. Its results are checked either way.
    pub(crate) measure: bool,
    pub(crate) action: Action,
}

/// Limits some cells: places on axes, by the axis's number and the value's.
pub(crate) type Where = Vec<(usize, usize)>;

#[derive(Clone, Debug)]
pub(crate) struct CheckPlan {
    pub(crate) metric: String,
    pub(crate) meaning: String,
    pub(crate) unit: Unit,
    pub(crate) expect_text: String,
    pub(crate) expect: Expect,
    pub(crate) severity: Severity,
    pub(crate) only_if: Option<OnlyIf>,
    pub(crate) only_where: Where,
    pub(crate) note: Option<String>,
    pub(crate) span: Range<usize>,
}

/// Where the graph comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DatasetPlan {
    Files(Files),
    Generated(Generator),
    /// A crash records its own.
    Nothing,
}

/// What stops a run that takes too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budget {
    pub(crate) time: Option<Duration>,
    pub(crate) disk_bytes: Option<u64>,
}

/// One cell of the sweep: a whole experiment. A scenario without a sweep has one.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) engine: EnginePlan,
    pub(crate) dataset: DatasetPlan,
    /// The store under test: the engine, or a peer.
    pub(crate) store: String,
    pub(crate) phases: Vec<PhasePlan>,
    /// Places on the axes, as results name them.
    pub(crate) at: Vec<Place>,
    /// The same, by number.
    pub(crate) places: Vec<usize>,
}

impl Plan {
    /// Whether all that it does can be divided among processes.
    pub(crate) fn divides(&self) -> bool {
        self.phases.iter().all(|phase| phase.action.divides())
    }
}

/// A whole scenario, checked.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// The file as the user named it.
    pub(crate) path: PathBuf,
    pub(crate) sources: Sources,
    pub(crate) name: String,
    pub(crate) question: String,
    pub(crate) seed: u64,
    /// In its small size, which checks of the full one say nothing of.
    pub(crate) quick: bool,
    pub(crate) repeats: u32,
    pub(crate) order: Order,
    pub(crate) budget: Budget,
    pub(crate) axes: Vec<Axis>,
    pub(crate) cells: Vec<Plan>,
    pub(crate) checks: Vec<CheckPlan>,
    pub(crate) plots: Vec<Plot>,
}

/// What was asked for on the command line that changes a scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changes {
    /// `path=value`, applied in order.
    pub(crate) set: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) repeats: Option<u32>,
}
