//! Backup and compaction.

use std::path::Path;

use super::Builder;
use crate::error::Result;
use crate::options::{CheckpointMode, Options};
use crate::txn::ReadTxn;

/// Writes a snapshot into a new database. `keep_identity`: with the file id of the old one, so that
/// equal content gives equal bytes.
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
    let target = builder.create(to)?;
    crate::bulk::copy(txn.view(), target.store())?;
    target.close()
}
