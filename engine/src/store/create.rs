//! Creating a database and creating a log: each under a temporary name first, so that an
//! interrupted creation leaves nothing that is neither there nor absent.

use std::sync::Arc;

use super::files::Files;
use super::slots;
use super::trees::{Covered, Trees};
use super::Store;
use crate::error::{Error, Result};
use crate::format::checksum::crc;
use crate::format::header::{Header, SLOT_LEN, SLOT_OFFSETS, header_region};
use crate::options::Options;
use crate::storage::{LockMode, OpenMode, Storage};
use crate::wal::{LogIdentity, LogWriter};

use super::commits::Log;

/// Creates an empty database and returns its file, locked.
pub(crate) fn create(files: &Files, options: &Options) -> Result<Arc<dyn Storage>> {
    let temporary = files.new();
    let file = open_temporary(files, &temporary)?;
    if exists(files, &files.name)? {
        return Err(Error::usage(format!("{} already exists; open it instead", files.name)));
    }
    let region = header_region(options.page_size);
    let context = || format!("creating {}", files.name);
    file.set_len(0).map_err(|e| Error::io(context(), e))?;
    file.set_len(region as u64).map_err(|e| Error::io(context(), e))?;
    let mut header = Header::empty(options.page_size, options.file_id);
    header.name_index = options.name_index;
    header.unique_edges = options.unique_edges;
    header.log_segment_bytes = options.log_segment_bytes;
    for sequence in [0, 1] {
        header.sequence = sequence;
        slots::publish(&*file, &header)?;
    }
    files.directory.rename(&temporary, &files.name).map_err(|e| Error::io(context(), e))?;
    files.directory.sync().map_err(|e| Error::io(context(), e))?;
    debug_assert_eq!(SLOT_OFFSETS.len() * SLOT_LEN, 1024);
    Ok(file)
}

/// The temporary file, new or left behind by an interrupted creation, locked either way.
fn open_temporary(files: &Files, temporary: &str) -> Result<Arc<dyn Storage>> {
    let context = |e| Error::io(format!("creating {temporary}"), e);
    let mode = if exists(files, temporary)? { OpenMode::Write } else { OpenMode::CreateNew };
    let file = files.directory.open(temporary, mode).map_err(context)?;
    if !file.lock(LockMode::Exclusive).map_err(context)? {
        return Err(Error::Locked { path: temporary.to_owned() });
    }
    Ok(file)
}

fn exists(files: &Files, name: &str) -> Result<bool> {
    files.directory.exists(name).map_err(|e| Error::io(format!("looking for {name}"), e))
}

impl Store {
    /// Creates the log of this handle and makes the header name it, before anything is logged.
    pub(super) fn create_log(&self, trees: &mut Trees) -> Result<Arc<LogWriter>> {
        let birth_limit = trees.birth_limit();
        let generation = 1u64;
        let salt = crc(&[
            &self.options.file_id,
            &generation.to_le_bytes(),
            &birth_limit.to_le_bytes(),
        ]);
        let identity = LogIdentity {
            file_id: self.options.file_id,
            generation,
            salt,
            base: trees.header.log_position,
        };
        let name = self.files.log();
        let log = LogWriter::create(&*self.files.directory, &name, identity, self.options.log_segment_bytes)?;
        trees.publish_log(Covered { generation, position: log.end(), chain: log.chain() })?;
        let log = Arc::new(log);
        self.commits().log = Log::Open(Arc::clone(&log));
        Ok(log)
    }
}
