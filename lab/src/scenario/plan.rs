//! What will happen: a scenario whose every name, number and reference has been checked.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use crate::crash::CrashPlan;
use crate::dataset::Files;
use crate::dataset::model::Way;
use crate::results::Plot;
use crate::units::Unit;

use super::expect::Expect;
use super::raw::{Durability, Severity};
use super::registry::ActionKind;

/// A piece of the scenario with its place, for failures that only the data can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

/// Options for the engine; `None` leaves its default.
#[derive(Clone, Debug, Default)]
pub(crate) struct EnginePlan {
    pub(crate) page_size: Option<u64>,
    pub(crate) cache_bytes: Option<u64>,
    pub(crate) write_buffer_bytes: Option<u64>,
    pub(crate) log_segment_bytes: Option<u64>,
    pub(crate) durability: Durability,
    pub(crate) group_delay: Option<Duration>,
    pub(crate) name_index: Option<bool>,
    pub(crate) unique_edges: Option<bool>,
}

#[derive(Clone, Debug)]
pub(crate) enum LoadHow {
    /// Transactions of this many changes.
    Batch(u32),
    Bulk,
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
    /// Close and open the database before the first time.
    pub(crate) cold_handle: bool,
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

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Load(LoadHow),
    Ask(AskPlan),
    /// Compare with the source, run the engine's check, or both.
    Verify {
        source: bool,
        structure: bool,
    },
    Reopen {
        repeats: u32,
    },
    Kill(KillPlan),
    Crash(CrashPlan),
}

impl Action {
    pub(crate) fn kind(&self) -> ActionKind {
        match self {
            Action::Load(_) => ActionKind::Load,
            Action::Ask(AskPlan {
                question: Question::Reach { .. },
                ..
            }) => ActionKind::Reach,
            Action::Ask(_) => ActionKind::Ask,
            Action::Verify { .. } => ActionKind::Verify,
            Action::Reopen { .. } => ActionKind::Reopen,
            Action::Kill(_) => ActionKind::Kill,
            Action::Crash(_) => ActionKind::Crash,
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
            Action::Load(LoadHow::Bulk) => "bulk load".to_owned(),
            Action::Ask(ask) => ask.question.describe(),
            Action::Verify {
                source: true,
                structure: true,
            } => "compare with the source; check the structure".to_owned(),
            Action::Verify { source: true, .. } => "compare with the source".to_owned(),
            Action::Verify { .. } => "check the structure".to_owned(),
            Action::Reopen { repeats } => format!("close and open, {repeats} times"),
            Action::Kill(kill) => format!(
                "SIGKILL a writer inside its stream of commits, {} times",
                kill.rounds
            ),
            Action::Crash(crash) => crash.describe(),
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
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) struct CheckPlan {
    pub(crate) metric: String,
    pub(crate) meaning: String,
    pub(crate) unit: Unit,
    pub(crate) expect_text: String,
    pub(crate) expect: Expect,
    pub(crate) severity: Severity,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The file as the user named it, and its text: failures are drawn into it.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) name: String,
    pub(crate) question: String,
    pub(crate) seed: u64,
    pub(crate) engine: EnginePlan,
    /// The graph, where phases need one.
    pub(crate) dataset: Option<Files>,
    pub(crate) phases: Vec<PhasePlan>,
    pub(crate) checks: Vec<CheckPlan>,
    pub(crate) plots: Vec<Plot>,
}
