//! The sections `[crash]` and `[oracle]`: what is crashed, how far the enumeration goes, what must hold.
//! Together they make one phase, named `crash`.

use std::ops::Range;
use std::thread;

use serde::Deserialize;
use toml::Spanned;

use crate::cli::RealFault;
use crate::crash::{Bounds, CrashPlan, DEPTHS, Fill, Rules, Workload};
use crate::units::Unit;

use super::diagnose::Diagnostic;
use super::plan::Action;
use super::real;
use super::registry::{Metric, TableDef, metric};

/// The name of the phase, and the owner of its metrics and tables.
pub(crate) const PHASE: &str = "crash";

/// What makes the crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Via {
    #[default]
    Simulated,
    Sigkill,
    PowerExt4,
    PowerXfs,
}

impl Via {
    fn real(self) -> Option<RealFault> {
        match self {
            Via::Simulated => None,
            Via::Sigkill => Some(RealFault::Sigkill),
            Via::PowerExt4 => Some(RealFault::PowerExt4),
            Via::PowerXfs => Some(RealFault::PowerXfs),
        }
    }
}

/// `[crash]`. What is left out keeps its default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Crash {
    #[serde(default)]
    via: Via,
    cycles: Option<Spanned<u64>>,
    workload: Option<Spanned<Workload>>,
    sessions: Option<Spanned<u32>>,
    recordings: Option<Spanned<u32>>,
    depth: Option<Spanned<u32>>,
    exhaustive: Option<Spanned<u32>>,
    samples: Option<Spanned<u32>>,
    tears: Option<Spanned<u32>>,
    page_tears: Option<Spanned<u32>>,
    older_tears: Option<Spanned<u32>>,
    failing_syncs: Option<Spanned<u32>>,
    third_of: Option<Spanned<u32>>,
    most_states: Option<Spanned<u64>>,
    threads: Option<Spanned<u32>>,
}

/// `[oracle]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Oracle {
    /// Rules beyond those that always hold: every state opens, and shows a state between the newest
    /// acknowledged commit and the newest begun.
    rules: Spanned<Vec<Rule>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rule {
    /// The engine's check finds nothing, and every page is reached once or free.
    Check,
    /// A new commit works and survives.
    Commit,
    /// Opening again shows the same and writes nothing.
    Again,
    /// Opening for reading alone shows the same and writes nothing.
    ReadOnly,
}

const MOST_STATES: u64 = 1 << 40;

/// What the section does, or everything that is wrong with it.
pub(super) fn plan(
    section: &Spanned<Crash>,
    oracle: Option<&Spanned<Oracle>>,
    wrong: &mut Vec<Diagnostic>,
) -> Action {
    let crash = section.get_ref();
    if let Some(fault) = crash.via.real() {
        let oracle = ("oracle", oracle.map(Spanned::span));
        let fields: Vec<_> = crash.simulated().into_iter().chain([oracle]).collect();
        real::simulated_only(&fields, wrong);
        return Action::Real(real::plan(fault, crash.cycles.as_ref(), wrong));
    }
    real::real_only(crash.cycles.as_ref(), wrong);
    let Some(workload) = &crash.workload else {
        wrong.push(
            Diagnostic::new(section.span(), "missing field `workload`")
                .label("what is crashed is not said"),
        );
        return Action::Crash(simulated(crash, Workload::Small, None, wrong));
    };
    let oracle = oracle.map(Spanned::get_ref);
    Action::Crash(simulated(crash, *workload.get_ref(), oracle, wrong))
}

impl Crash {
    /// The fields that only the simulation has, each with its place if it is there.
    fn simulated(&self) -> [(&'static str, Option<Range<usize>>); 13] {
        let span = |field: &Option<Spanned<u32>>| field.as_ref().map(Spanned::span);
        [
            ("workload", self.workload.as_ref().map(Spanned::span)),
            ("sessions", span(&self.sessions)),
            ("recordings", span(&self.recordings)),
            ("depth", span(&self.depth)),
            ("exhaustive", span(&self.exhaustive)),
            ("samples", span(&self.samples)),
            ("tears", span(&self.tears)),
            ("page_tears", span(&self.page_tears)),
            ("older_tears", span(&self.older_tears)),
            ("failing_syncs", span(&self.failing_syncs)),
            ("third_of", span(&self.third_of)),
            ("most_states", self.most_states.as_ref().map(Spanned::span)),
            ("threads", span(&self.threads)),
        ]
    }
}

fn simulated(
    crash: &Crash,
    workload: Workload,
    oracle: Option<&Oracle>,
    wrong: &mut Vec<Diagnostic>,
) -> CrashPlan {
    let mut number = |name: &str, field: &Option<Spanned<u32>>, range: Range<u32>, usual: u32| {
        let Some(field) = field else { return usual };
        let value = *field.get_ref();
        if !range.contains(&value) {
            let message = format!("`{name}` must be from {} to {}", range.start, range.end - 1);
            wrong.push(Diagnostic::new(field.span(), message).label("out of range"));
        }
        value
    };
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let deepest = DEPTHS as u32 + 1;
    let sessions = number("sessions", &crash.sessions, 1..100_001, 1);
    let recordings = number("recordings", &crash.recordings, 1..1_000_001, 1);
    let depth = number("depth", &crash.depth, 1..deepest, 1) as usize;
    let bounds = Bounds {
        exhaustive: number("exhaustive", &crash.exhaustive, 0..17, 12) as usize,
        samples: number("samples", &crash.samples, 0..100_001, 32),
        tears: number("tears", &crash.tears, 0..100_001, 64) as usize,
        page_tears: number("page_tears", &crash.page_tears, 0..100_001, 256) as usize,
        older_tears: number("older_tears", &crash.older_tears, 0..100_001, 2) as usize,
        fills: &Fill::ALL,
    };
    let failing_syncs = number("failing_syncs", &crash.failing_syncs, 0..100_001, 0);
    let third_of = number("third_of", &crash.third_of, 1..1_000_001, 64);
    let threads = number("threads", &crash.threads, 1..1025, cores) as usize;
    let most = crash.most_states.as_ref();
    if let Some(most) = most.filter(|most| !(1..=MOST_STATES).contains(most.get_ref())) {
        let message = format!("`most_states` must be from 1 to {MOST_STATES}");
        wrong.push(Diagnostic::new(most.span(), message).label("out of range"));
    }
    CrashPlan {
        workload,
        sessions,
        recordings,
        depth,
        bounds,
        failing_syncs,
        third_of: third_of.into(),
        most: most.map_or(MOST_STATES, |most| *most.get_ref()),
        rules: oracle.map_or_else(Rules::default, rules),
        threads,
    }
}

fn rules(oracle: &Oracle) -> Rules {
    let has = |rule: Rule| oracle.rules.get_ref().contains(&rule);
    Rules {
        check: has(Rule::Check),
        commit: has(Rule::Commit),
        again: has(Rule::Again),
        read_only: has(Rule::ReadOnly),
    }
}

/// An oracle without anything that is crashed.
pub(super) fn lonely_oracle(oracle: &Spanned<Oracle>) -> Diagnostic {
    Diagnostic::new(
        oracle.span(),
        "an `[oracle]` judges what a `[crash]` leaves",
    )
    .label("there is no `[crash]` section")
}

macro_rules! counts {
    ($($name:literal: $meaning:literal),* $(,)?) => {
        &[
            metric("time_ns", Unit::Ns, "recording, enumerating, recovering and judging"),
            metric("cpu_ns", Unit::Ns, "processor time of all threads, where the system tells"),
            metric("distinct_per_second", Unit::PerSecond, "distinct states judged in a second"),
            metric(
                "core_distinct_per_second",
                Unit::PerSecond,
                "distinct states judged in a second of one processor",
            ),
            metric("recovery_ns", Unit::Ns, "median time to open after a crash, of the states opened"),
            metric("slow_recovery_ns", Unit::Ns, "time that 99 of 100 recoveries do not exceed"),
            metric("slowest_recovery_ns", Unit::Ns, "the longest recovery"),
            $(metric($name, Unit::Count, $meaning)),*
        ]
    };
}

/// Metrics of the phase.
pub(crate) const METRICS: &[Metric] = counts! {
    "sessions": "sessions recorded",
    "recordings": "how often each session was recorded",
    "different_recordings": "recordings that did something else than the first with the same seed",
    "events": "changes, syncs and marks in them",
    "points": "boundaries between two events where a crash was made",
    "states": "states made",
    "distinct": "states that no other was equal to, by what they hold and what they must show",
    "distinct_once": "of them, after one crash",
    "distinct_twice": "of them, after a crash of the session that recovered from one",
    "distinct_thrice": "of them, after three crashes",
    "opened": "distinct states that were really opened, recovered and judged",
    "shared": "distinct states that give the same answers to everything an opened one asked, so that their sessions are the same",
    "recoveries_crashed": "distinct recoveries whose own input and output was crashed",
    "violations": "states that broke a rule",
    "lost_commits": "states without a commit that was acknowledged",
    "partial_commits": "states that show what is after no commit",
    "findings": "states in which the check or the page accounts found something",
    "panics": "states that made the engine panic",
    "saw.commits": "commits begun",
    "saw.log_commits": "commits by one record of the log",
    "saw.flip_commits": "commits by new trees",
    "saw.group_commits": "commits of several writers at once",
    "saw.joined_syncs": "of them, commits that another's sync made durable",
    "saw.relaxed_commits": "commits that waited for no sync",
    "saw.rollbacks": "transactions dropped",
    "saw.savepoints": "savepoints rolled back to",
    "saw.checkpoints": "checkpoints",
    "saw.creates": "databases created",
    "saw.opens": "openings of a database that was there",
    "saw.closes": "closings",
    "saw.read_only_opens": "openings for reading alone",
    "saw.bulk_loads": "bulk loads",
    "saw.compactions": "compactions",
    "saw.backups": "backups",
    "saw.supernode_edges": "edges given to the node with the most",
    "saw.split_trees": "trees that had more pages after a checkpoint than before it, in every session",
    "saw.merged_trees": "trees that had fewer, in every session",
    "saw.reused_pages": "pages written where a page had been written before",
    "saw.blob_pages": "pages written for data too large for a leaf",
    "saw.log_segments": "log segments begun; every third and later one reuses space",
    "saw.failed_syncs": "sessions in which a sync failed",
    "saw.absent": "states without a database, which was created again",
    "saw.replayed": "log records replayed",
    "saw.torn_tail": "recoveries that left out an unfinished record",
    "saw.repaired": "recoveries that took a record with one bit flipped back",
    "saw.torn_slot": "recoveries with one header slot damaged",
    "saw.rolled_back": "recoveries to less than what had begun",
};

const COUNTS: [(&str, Unit); 4] = [
    ("points", Unit::Count),
    ("states", Unit::Count),
    ("distinct", Unit::Count),
    ("opened", Unit::Count),
];

pub(crate) const KINDS: TableDef = TableDef {
    name: "kinds",
    columns: &[("kind", Unit::Text), COUNTS[1], COUNTS[2], COUNTS[3]],
};
pub(crate) const WAYS: TableDef = TableDef {
    name: "ways",
    columns: &[
        ("way", Unit::Text),
        COUNTS[0],
        COUNTS[1],
        COUNTS[2],
        COUNTS[3],
    ],
};
pub(crate) const CRASHES: TableDef = TableDef {
    name: "crashes",
    columns: &[
        ("crashes", Unit::Count),
        COUNTS[0],
        COUNTS[1],
        COUNTS[2],
        COUNTS[3],
    ],
};
pub(crate) const RECOVERY: TableDef = TableDef {
    name: "recovery",
    columns: &[("up_to_ns", Unit::Ns), ("recoveries", Unit::Count)],
};

/// Tables of the phase.
pub(crate) const TABLES: &[TableDef] = &[KINDS, WAYS, CRASHES, RECOVERY];

#[cfg(test)]
mod tests;
