//! Backup and compaction.

use std::io;
use std::path::Path;

use super::Builder;
use crate::error::{Error, Result};
use crate::options::{CheckpointMode, Options};
use crate::storage::{LockMode, OpenMode};
use crate::store::Files;
use crate::txn::ReadTxn;

/// Writes a snapshot into a new database. `keep_identity`: with the file id of the old one, so that
/// equal content gives equal bytes.
///
/// It gets its name when it is whole and durable, so that nobody takes a part for a backup.
pub(super) fn write_copy(
    builder: Builder,
    txn: &ReadTxn,
    options: &Options,
    keep_identity: bool,
    to: &Path,
) -> Result<()> {
    let mut builder = builder
        .page_size(options.page_size)
        .log_segment_bytes(options.log_segment_bytes)
        .name_index(options.name_index)
        .unique_edges(options.unique_edges)
        .checkpoint(CheckpointMode::Inline);
    if keep_identity {
        builder = builder.file_id(options.file_id);
    }
    let files = builder.files(to)?;
    files.expect_absent()?;
    let part = files.copying();
    remove_leftover(&files, &part)?;
    let written = write_part(&builder, txn, &to.with_file_name(&part));
    let named = written.and_then(|()| give_name(&files, &part));
    if named.is_err() {
        // What cannot be removed is removed by the next copy to this name.
        let _ = files.directory.remove(&part);
        let _ = files.directory.remove(&format!("{part}-log"));
    }
    named
}

fn write_part(builder: &Builder, txn: &ReadTxn, part: &Path) -> Result<()> {
    let target = builder.create(part)?;
    let copied = crate::bulk::copy(txn.view(), target.store());
    let poison = target.store().poison.is_set();
    copied
        .and_then(|_| target.close())
        .map_err(|error| match error {
            // The copy's handle is meant, which the caller never had.
            Error::Poisoned if poison => Error::Io {
                context: format!("writing {}", part.display()),
                source: io::Error::other("an earlier write to it failed"),
            },
            other => other,
        })
}

fn give_name(files: &Files, part: &str) -> Result<()> {
    files.expect_absent()?;
    let context = files.failed("naming", &files.name);
    files.directory.rename(part, &files.name).map_err(context)?;
    files.directory.sync().map_err(context)
}

/// Removes what an interrupted copy to the same name left, unless one is under way.
fn remove_leftover(files: &Files, part: &str) -> Result<()> {
    let context = files.failed("removing", part);
    for name in [format!("{part}-log"), part.to_owned()] {
        if !files.directory.exists(&name).map_err(context)? {
            continue;
        }
        let file = files.directory.open(&name, OpenMode::Write);
        let file = file.map_err(context)?;
        if !file.lock(LockMode::Exclusive).map_err(context)? {
            return Err(Error::Locked {
                path: files.describe(part),
            });
        }
        files.directory.remove(&name).map_err(context)?;
    }
    Ok(())
}
