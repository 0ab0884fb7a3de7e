//! The crash enumerator, with bounds that end within seconds.

use crate::crash::{Bounds, Course, CrashPlan, Fill, Rules, Workload, run};
use crate::share::Share;

/// Ways into the file, in the order in which they are crashed.
pub(super) const WORKLOADS: [Workload; 10] = [
    Workload::LogCommit,
    Workload::Create,
    Workload::Checkpoint,
    Workload::ReadOnlyOpen,
    Workload::FlipCommit,
    Workload::CompactAndBackup,
    Workload::RelaxedCommit,
    Workload::Savepoint,
    Workload::BulkLoad,
    Workload::Small,
];

/// What crashing a workload came to.
pub(super) enum Found {
    Nothing,
    /// The workload did not come to its end, or not to what its model says, without a crash.
    NoRecording(String),
    /// A state that breaks a rule.
    State(String),
}

pub(super) fn broken(workload: Workload) -> Found {
    let plan = CrashPlan {
        workload,
        sessions: 1,
        recordings: 1,
        depth: 2,
        bounds: Bounds {
            exhaustive: 4,
            samples: 4,
            page_tears: 4,
            tears: 8,
            older_tears: 1,
            fills: &[Fill::Old, Fill::Garbage],
        },
        failing_syncs: 7,
        third_of: 1 << 20,
        most: 3_000,
        rules: Rules {
            read_only: true,
            ..Rules::default()
        },
        threads: std::thread::available_parallelism().map_or(1, usize::from),
    };
    let course = Course {
        progress: &|_| {},
        stop: &|| false,
        share: Share::WHOLE,
    };
    match run(&plan, 1, &course) {
        Err(failure) => Found::NoRecording(failure.message),
        Ok(outcome) => outcome.broken.first().map_or(Found::Nothing, |broken| {
            Found::State(format!("{}: {}", broken.path, broken.violation))
        }),
    }
}
