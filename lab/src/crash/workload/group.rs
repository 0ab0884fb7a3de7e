//! Several writers whose commits share syncs.

use std::thread;

use vellum::storage::sim::FileNumber;
use vellum::{CommitReport, Error};

use super::super::marks::{Mark, Version, Way};
use super::gate::Gate;
use super::writer::Writer;

const WRITERS: usize = 4;
const ROUNDS: usize = 6;

pub(super) fn run(writer: &mut Writer) -> vellum::Result<()> {
    writer.grow(2)?;
    writer.close()?;
    let gate = Gate::default();
    writer.open_in(gate.before(&writer.directory))?;
    // The log is there from now on, so that each commit of a round is one record.
    writer.grow(1)?;
    for number in 0..ROUNDS {
        round(writer, &gate)?;
        if number % 2 == 1 {
            writer.checkpoint()?;
        }
    }
    Ok(())
}

/// The first writer's sync is held back until the others have appended their records. It covers the
/// first record alone, and the next one all the others.
fn round(writer: &mut Writer, gate: &Gate) -> vellum::Result<()> {
    writer.way(Way::GroupCommit);
    gate.close();
    let reports = thread::scope(|scope| {
        // However this ends, no thread may be left waiting.
        let outcome = (|| {
            let mut commits = Vec::new();
            for number in 0..WRITERS {
                let txn = prepare(writer)?;
                let commit = scope.spawn(move || txn.commit());
                if number == 0 {
                    called(writer, gate.await_sync(|| commit.is_finished()));
                }
                commits.push((newest(writer), commit));
            }
            // The writer's lock is free once the last record is appended.
            drop(writer.db()?.begin_write()?);
            let mut reports: Vec<CommitReport> = Vec::new();
            for (version, commit) in commits {
                if reports.len() == 1 {
                    called(writer, gate.await_sync(|| commit.is_finished()));
                }
                if reports.len() < 2 {
                    gate.let_one_through();
                }
                let report = commit.join().map_err(|_| panicked())??;
                writer.mark(Mark::Acked(version));
                reports.push(report);
            }
            Ok(reports)
        })();
        gate.open();
        outcome
    })?;
    let joined = reports.iter().filter(|report| report.syncs == 0);
    writer.saw.joined_syncs += joined.count() as u64;
    writer.saw.group_commits += reports.len() as u64;
    Ok(())
}

/// Notes that a sync was called: what is written until it is let through, it does not cover.
fn called(writer: &Writer, file: Option<FileNumber>) {
    if let Some(file) = file {
        writer.mark(Mark::SyncCalled(file));
    }
}

fn panicked() -> Error {
    Error::Usage("a commit panicked".to_owned())
}

fn newest(writer: &Writer) -> Version {
    Version::of(writer.models.len() as u64 - 1, 0)
}

/// A transaction on top of the one before, which may not be durable yet.
fn prepare(writer: &mut Writer) -> vellum::Result<vellum::WriteTxn> {
    let mut model = writer.model.clone();
    let mut txn = writer.db()?.begin_write()?;
    writer.nodes(&mut txn, &mut model, 2, 100)?;
    writer.edges(&mut txn, &mut model, 2)?;
    writer.begin(model);
    Ok(txn)
}
