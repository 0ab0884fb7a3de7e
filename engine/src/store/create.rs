//! Creating a database and creating a log: each under a temporary name first, so that an
//! interrupted creation leaves nothing that is neither there nor absent.

use std::io::ErrorKind;
use std::sync::Arc;

use super::Store;
use super::files::Files;
use super::slots::write_slot;
use super::trees::{Covered, Trees};
use crate::error::{Error, Result};
use crate::forensics::{Counter, Tally, count};
use crate::format::checksum::crc;
use crate::format::header::{Header, first_data_page, header_region};
use crate::options::Options;
use crate::plant::planted;
use crate::storage::{LockMode, OpenMode, Storage};
use crate::wal::{FIRST_GENERATION, LogIdentity, LogWriter};

use super::commits::Log;

/// Creates an empty database and returns its file, locked.
fn create(files: &Files, options: &Options, tally: &Tally) -> Result<Arc<dyn Storage>> {
    let temporary = files.unfinished();
    files.expect_absent()?;
    let file = open_temporary(files, &temporary)?;
    files.expect_absent().inspect_err(|_| {
        // Somebody else was faster. If this fails, the next creation uses the file.
        let _ = files.directory.remove(&temporary);
    })?;
    let region = header_region(options.page_size);
    let context = files.failed("creating", &files.name);
    for len in [0, region as u64] {
        file.set_len(len).map_err(context)?;
        count!(tally, LengthChanges);
    }
    // Both slots hold the empty state, so that a torn one always leaves the other.
    for sequence in [0, 1] {
        write_slot(&*file, &empty(options, sequence), tally)?;
    }
    files
        .directory
        .rename(&temporary, &files.name)
        .map_err(context)?;
    if !planted!("database-name-not-synced") {
        files.directory.sync().map_err(context)?;
    }
    count!(tally, synced(Counter::DirectorySyncs));
    Ok(file)
}

/// The state of an empty database.
fn empty(options: &Options, sequence: u64) -> Header {
    Header {
        page_size: options.page_size,
        name_index: options.name_index,
        unique_edges: options.unique_edges,
        log_segment_bytes: options.log_segment_bytes,
        file_id: options.file_id,
        sequence,
        birth_limit: 1,
        page_count: first_data_page(options.page_size),
        next_node: 1,
        node_count: 0,
        edge_count: 0,
        commit: 0,
        log_generation: 0,
        log_position: 0,
        log_chain: 0,
        kind_count: 0,
        label_count: 0,
        freelist: None,
        free_pages: 0,
        roots: Default::default(),
    }
}

/// The temporary file, new or left behind by an interrupted creation, locked either way.
fn open_temporary(files: &Files, temporary: &str) -> Result<Arc<dyn Storage>> {
    let context = files.failed("creating", temporary);
    let locked = || Error::Locked {
        path: files.describe(&files.name),
    };
    let mode = if files.exists(temporary)? && !planted!("create-not-restartable") {
        OpenMode::Write
    } else {
        OpenMode::CreateNew
    };
    let opened = files.directory.open(temporary, mode);
    let file = opened.map_err(|e| match (mode, e.kind()) {
        // Another creation began or ended in between.
        (OpenMode::CreateNew, ErrorKind::AlreadyExists)
        | (OpenMode::Write, ErrorKind::NotFound) => locked(),
        _ => context(e),
    })?;
    if file.lock(LockMode::Exclusive).map_err(context)? {
        Ok(file)
    } else {
        Err(locked())
    }
}

impl Store {
    /// Creates an empty database and returns its file, locked.
    pub(crate) fn create(
        files: &Files,
        options: &Options,
        tally: &Tally,
    ) -> Result<Arc<dyn Storage>> {
        create(files, options, tally)
    }

    /// Makes the header name no log, once everything of the one that recovery read is in the trees.
    pub(super) fn forget_log(&self, trees: &mut Trees) -> Result<()> {
        if trees.header().log_generation == 0 {
            return Ok(());
        }
        let position = self.log_end(trees);
        trees.publish_log(Covered {
            generation: 0,
            position,
            chain: 0,
        })?;
        self.commits().log = Log::Absent;
        Ok(())
    }

    /// Creates the log of this handle and makes the header name it, before anything is logged.
    pub(super) fn create_log(&self, trees: &mut Trees) -> Result<Arc<LogWriter>> {
        // The new log takes the place of one that an older state may name.
        trees.settle()?;
        let birth_limit = trees.next_birth_limit();
        let generation = FIRST_GENERATION;
        let salt = crc(&[
            &self.options.file_id,
            &generation.to_le_bytes(),
            &birth_limit.to_le_bytes(),
        ]);
        let identity = LogIdentity {
            file_id: self.options.file_id,
            generation,
            salt,
            base: trees.header().log_position,
        };
        let name = self.files.log();
        if planted!("slot-names-log-before-it-exists") {
            trees.publish_log(Covered {
                generation,
                position: identity.base,
                chain: 0,
            })?;
        }
        let log = LogWriter::create(
            &*self.files.directory,
            &name,
            identity,
            self.options.log_segment_bytes,
            &self.poison,
            &self.tally,
        )?;
        // In both slots: were the one that names the log damaged later, the other would say that there
        // is none, and what the log holds would be forgotten in silence.
        for _ in 0..2 {
            trees.publish_log(Covered {
                generation,
                position: log.end(),
                chain: log.chain(),
            })?;
        }
        let log = Arc::new(log);
        self.commits().log = Log::Open(Arc::clone(&log));
        Ok(log)
    }
}
