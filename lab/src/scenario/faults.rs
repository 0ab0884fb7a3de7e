//! The section `[faults]`: calls to a simulated disk that fail, or faults that the operating system makes. It
//! makes one phase, named `faults`.

use serde::Deserialize;
use toml::Spanned;

use crate::cli::RealFault;
use crate::faults::{Extent, Part};
use crate::units::Unit;

use super::bounds::{THREADS, cores, whole};
use super::diagnose::Diagnostic;
use super::plan::{Action, FaultPlan};
use super::real;
use super::registry::{Metric, TableDef, metric};

/// The name of the phase, and the owner of its metrics and tables.
pub(crate) const PHASE: &str = "faults";

/// What makes the faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Via {
    #[default]
    Simulated,
    FailedSync,
    FullDisk,
    DoubleOpen,
    Strace,
}

impl Via {
    fn real(self) -> Option<RealFault> {
        match self {
            Via::Simulated => None,
            Via::FailedSync => Some(RealFault::FailedSync),
            Via::FullDisk => Some(RealFault::FullDisk),
            Via::DoubleOpen => Some(RealFault::DoubleOpen),
            Via::Strace => Some(RealFault::Strace),
        }
    }
}

/// `[faults]`. What is left out keeps its default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Faults {
    #[serde(default)]
    via: Via,
    part: Option<Spanned<Part>>,
    stride: Option<Spanned<u64>>,
    threads: Option<Spanned<u64>>,
    cycles: Option<Spanned<u64>>,
}

/// The plan, or everything that is wrong with it.
pub(super) fn plan(faults: &Faults, seed: u64, wrong: &mut Vec<Diagnostic>) -> Action {
    if let Some(fault) = faults.via.real() {
        let fields = [
            ("part", faults.part.as_ref().map(Spanned::span)),
            ("stride", faults.stride.as_ref().map(Spanned::span)),
            ("threads", faults.threads.as_ref().map(Spanned::span)),
        ];
        real::simulated_only(&fields, wrong);
        return Action::Real(real::plan(fault, faults.cycles.as_ref(), wrong));
    }
    real::real_only(faults.cycles.as_ref(), wrong);
    let stride = whole("stride", faults.stride.as_ref(), 1..=1_000_000, 1, wrong);
    let threads = whole("threads", faults.threads.as_ref(), THREADS, cores(), wrong);
    Action::Faults(FaultPlan {
        extent: Extent {
            part: faults
                .part
                .as_ref()
                .map_or_else(Part::default, |part| *part.get_ref()),
            stride: stride as usize,
            seed,
            until_broken: false,
        },
        threads: threads as usize,
    })
}

/// Metrics of the phase, where the faults are simulated.
pub(crate) const METRICS: &[Metric] = &[
    metric(
        "time_ns",
        Unit::Ns,
        "carrying out, cutting the power and judging",
    ),
    metric(
        "cells_per_second",
        Unit::PerSecond,
        "cells judged in a second",
    ),
    metric(
        "cells",
        Unit::Count,
        "cells of the matrix: operation, call, fault, once or for good, what survives the power cut",
    ),
    metric(
        "operations",
        Unit::Count,
        "operations, from creating a database to closing it",
    ),
    metric(
        "calls",
        Unit::Count,
        "calls to the disk that they make when nothing fails",
    ),
    metric("kinds", Unit::Count, "ways of failing"),
    metric(
        "done",
        Unit::Count,
        "cells in which the operation was done all the same",
    ),
    metric(
        "failed",
        Unit::Count,
        "cells in which it failed with an error, and was done again",
    ),
    metric(
        "poisoned",
        Unit::Count,
        "cells after which the handle refused to write, as it must",
    ),
    metric("violations", Unit::Count, "faults that broke a rule"),
    metric(
        "lost_commits",
        Unit::Count,
        "faults that lost a commit that was acknowledged",
    ),
    metric(
        "unclear_errors",
        Unit::Count,
        "errors that were swallowed, or not the right ones",
    ),
    metric(
        "wrong_handles",
        Unit::Count,
        "handles that wrote on where they must not, or refused where they need not",
    ),
    metric("panics", Unit::Count, "faults that made the engine panic"),
    metric(
        "saw.creates_again",
        Unit::Count,
        "cells in which creating failed, and worked the second time",
    ),
    metric(
        "saw.reads",
        Unit::Count,
        "cells in which a read or a question for a length failed",
    ),
    metric("saw.writes", Unit::Count, "cells in which a write failed"),
    metric(
        "saw.lengths",
        Unit::Count,
        "cells in which setting a length failed",
    ),
    metric(
        "saw.syncs",
        Unit::Count,
        "cells in which a file's sync failed",
    ),
    metric(
        "saw.directory_syncs",
        Unit::Count,
        "cells in which the directory's sync failed",
    ),
    metric(
        "saw.opens",
        Unit::Count,
        "cells in which opening, looking for or locking a file failed",
    ),
    metric(
        "saw.names",
        Unit::Count,
        "cells in which a rename or a removal failed",
    ),
];

const COUNTS: [(&str, Unit); 5] = [
    ("cells", Unit::Count),
    ("done", Unit::Count),
    ("failed", Unit::Count),
    ("poisoned", Unit::Count),
    ("broken", Unit::Count),
];

pub(crate) const OPERATIONS: TableDef = TableDef {
    name: "operations",
    columns: &[
        ("operation", Unit::Text),
        ("calls", Unit::Count),
        COUNTS[0],
        COUNTS[1],
        COUNTS[2],
        COUNTS[3],
        COUNTS[4],
    ],
};
pub(crate) const KINDS: TableDef = TableDef {
    name: "kinds",
    columns: &[
        ("fault", Unit::Text),
        COUNTS[0],
        COUNTS[1],
        COUNTS[2],
        COUNTS[3],
        COUNTS[4],
    ],
};

/// Tables of the phase.
pub(crate) const TABLES: &[TableDef] = &[OPERATIONS, KINDS];
