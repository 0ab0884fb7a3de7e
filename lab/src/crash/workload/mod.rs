//! Recorded sessions: every way into the file, in as few pages as that takes.

mod changes;
mod gate;
mod group;
mod saw;
mod scripts;
mod writer;

use std::sync::Arc;

use serde::Deserialize;
use vellum::storage::Directory;
use vellum::storage::sim::{Event, Fault, SimDirectory};
use vellum::{Builder, CheckpointMode, Database};

use self::writer::Writer;
use super::model::Model;

pub(crate) use self::saw::Saw;

/// The database's name in its directory.
pub(crate) const NAME: &str = "graph";
/// The name of what a backup or a compaction writes.
pub(crate) const COPY: &str = "copy";

/// Which session is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Workload {
    /// Every way into the file that one thread can go.
    Small,
    Create,
    LogCommit,
    FlipCommit,
    Checkpoint,
    BulkLoad,
    CompactAndBackup,
    GroupCommit,
    RelaxedCommit,
    ReadOnlyOpen,
    Savepoint,
}

impl Workload {
    pub(crate) const ALL: [Workload; 11] = [
        Workload::Small,
        Workload::Create,
        Workload::LogCommit,
        Workload::FlipCommit,
        Workload::Checkpoint,
        Workload::BulkLoad,
        Workload::CompactAndBackup,
        Workload::GroupCommit,
        Workload::RelaxedCommit,
        Workload::ReadOnlyOpen,
        Workload::Savepoint,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Workload::Small => "small",
            Workload::Create => "create",
            Workload::LogCommit => "log-commit",
            Workload::FlipCommit => "flip-commit",
            Workload::Checkpoint => "checkpoint",
            Workload::BulkLoad => "bulk-load",
            Workload::CompactAndBackup => "compact-and-backup",
            Workload::GroupCommit => "group-commit",
            Workload::RelaxedCommit => "relaxed-commit",
            Workload::ReadOnlyOpen => "read-only-open",
            Workload::Savepoint => "savepoint",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Workload> {
        Workload::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// What a session did, and what must be read after each of its commits.
pub(crate) struct Recording {
    pub(crate) events: Vec<Event>,
    /// The graph after commit `n`, by `n`; the first is empty. Commits that only began are among them.
    pub(crate) models: Vec<Model>,
    pub(crate) saw: Saw,
    /// Numbers of the calls that synced something.
    pub(crate) syncs: Vec<usize>,
}

/// Options under which the same operations give the same bytes.
pub(crate) fn builder(directory: Arc<dyn Directory>) -> Builder {
    Database::builder()
        .in_directory(directory)
        .file_id(*b"the small graph!")
        .checkpoint(CheckpointMode::Inline)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(64 << 10)
        .cache_bytes(1 << 20)
}

/// Runs a workload and records it. With a planned fault it ends where the engine gives up, which is no
/// failure; without one it must come to its end.
///
/// # Errors
/// What the engine says.
pub(crate) fn record(
    workload: Workload,
    seed: u64,
    fault: Option<Fault>,
) -> vellum::Result<Recording> {
    let directory = SimDirectory::new();
    directory.plan(fault);
    let mut writer = Writer::new(directory, seed);
    let ended = scripts::run(workload, &mut writer);
    match ended {
        Err(error) if fault.is_none() => Err(error),
        _ => Ok(writer.finish()),
    }
}
