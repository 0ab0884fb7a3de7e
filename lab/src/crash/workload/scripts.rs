//! What each workload does, in order.

use vellum::Durability;

use super::super::marks::Way;
use super::writer::Writer;
use super::{Workload, group};

pub(super) fn run(workload: Workload, writer: &mut Writer) -> vellum::Result<()> {
    writer.create()?;
    match workload {
        Workload::Small => small(writer)?,
        Workload::Create => create(writer)?,
        Workload::LogCommit => log_commit(writer)?,
        Workload::FlipCommit => flip_commit(writer)?,
        Workload::Checkpoint => checkpoint(writer)?,
        Workload::BulkLoad => bulk_load(writer)?,
        Workload::CompactAndBackup => copy(writer)?,
        Workload::GroupCommit => group::run(writer)?,
        Workload::RelaxedCommit => relaxed(writer)?,
        Workload::ReadOnlyOpen => read_only(writer)?,
        Workload::Savepoint => savepoint(writer)?,
    }
    writer.close()
}

/// Each tree grows beyond a page and shrinks again, and what follows stays small: every state is read
/// whole several times.
fn small(writer: &mut Writer) -> vellum::Result<()> {
    writer.grow(3)?;
    writer.checkpoint()?;
    writer.grow(5)?;
    writer.commit(|writer, txn, model| writer.hub(txn, model, 400))?;
    writer.checkpoint()?;
    writer.gaps(2, 180)?;
    writer.checkpoint()?;
    writer.fill(2, 180)?;
    writer.checkpoint()?;
    writer.sparse(4, 130)?;
    writer.checkpoint()?;
    for _ in 0..4 {
        writer.commit(|writer, txn, model| writer.delete_half(txn, model))?;
    }
    writer.checkpoint()?;
    for _ in 0..2 {
        writer.commit(|writer, txn, model| writer.delete_half(txn, model))?;
    }
    writer.shrink(3, 3)?;
    writer.rolled_back(|writer, txn, model| {
        writer.nodes(txn, model, 2, 3_000)?;
        writer.hub(txn, model, 50)
    })?;
    writer.checkpoint()?;
    writer.commit(|writer, txn, model| writer.nodes(txn, model, 1, 5_000))?;
    writer.large_commit(|writer, txn, model| writer.nodes(txn, model, 1, 70_000))?;
    writer.grow(3)?;
    writer.close()?;
    writer.open()?;
    writer.bulk(20)?;
    writer.grow(3)?;
    writer.checkpoint()?;
    writer.shrink(3, 3)?;
    writer.commit(|writer, txn, model| writer.delete_all(txn, model))?;
    writer.checkpoint()?;
    writer.grow(2)
}

/// Creating, closing at once, opening again, and the first commit of a file's life.
fn create(writer: &mut Writer) -> vellum::Result<()> {
    writer.close()?;
    writer.open()?;
    writer.close()?;
    writer.open()?;
    writer.grow(2)
}

fn log_commit(writer: &mut Writer) -> vellum::Result<()> {
    writer.grow(12)?;
    writer.shrink(4, 3)?;
    writer.commit(|writer, txn, model| writer.nodes(txn, model, 1, 5_000))?;
    writer.close()?;
    writer.open()?;
    writer.grow(4)
}

fn flip_commit(writer: &mut Writer) -> vellum::Result<()> {
    writer.grow(3)?;
    for bytes in [90_000, 40_000] {
        writer.large_commit(|writer, txn, model| {
            writer.nodes(txn, model, 2, bytes)?;
            writer.edges(txn, model, 20)
        })?;
        writer.grow(2)?;
    }
    writer.large_commit(|writer, txn, model| {
        writer.delete(txn, model)?;
        writer.nodes(txn, model, 1, 70_000)
    })?;
    writer.shrink(2, 3)
}

fn checkpoint(writer: &mut Writer) -> vellum::Result<()> {
    for _ in 0..6 {
        writer.grow(4)?;
        writer.checkpoint()?;
        writer.shrink(2, 4)?;
        writer.checkpoint()?;
    }
    Ok(())
}

fn bulk_load(writer: &mut Writer) -> vellum::Result<()> {
    writer.bulk(200)?;
    writer.grow(3)?;
    writer.bulk(60)?;
    writer.shrink(2, 5)
}

fn copy(writer: &mut Writer) -> vellum::Result<()> {
    writer.grow(6)?;
    writer.checkpoint()?;
    writer.grow(2)?;
    writer.copy(Way::Compact)?;
    writer.grow(2)?;
    writer.remove_copy()?;
    writer.copy(Way::Backup)?;
    writer.shrink(2, 4)
}

/// Commits that wait for nothing, between some that do.
fn relaxed(writer: &mut Writer) -> vellum::Result<()> {
    for _ in 0..4 {
        writer.durability = Durability::None;
        writer.grow(5)?;
        writer.shrink(1, 2)?;
        writer.durability = Durability::Sync;
        writer.grow(1)?;
    }
    writer.durability = Durability::None;
    writer.grow(3)?;
    writer.checkpoint()?;
    writer.grow(3)
}

/// Somebody who only reads opens the file whenever nobody writes, clean or not.
fn read_only(writer: &mut Writer) -> vellum::Result<()> {
    for _ in 0..3 {
        writer.grow(4)?;
        writer.close()?;
        writer.look()?;
        writer.open()?;
        writer.shrink(2, 2)?;
        writer.checkpoint()?;
    }
    Ok(())
}

fn savepoint(writer: &mut Writer) -> vellum::Result<()> {
    writer.grow(8)?;
    writer.large_commit(|writer, txn, model| {
        writer.nodes(txn, model, 1, 50_000)?;
        writer.savepoint(txn, model)?;
        // The transaction has spilled by now: what is taken back is in trees of its own.
        writer.nodes(txn, model, 1, 50_000)?;
        writer.savepoint(txn, model)
    })?;
    writer.rolled_back(|writer, txn, model| {
        writer.savepoint(txn, model)?;
        writer.nodes(txn, model, 1, 80_000)
    })?;
    writer.grow(4)?;
    writer.checkpoint()?;
    writer.shrink(2, 3)
}
