//! Closing: one file again, safe to copy.

use super::Store;
use super::commits::Log;
use super::trees::{Contents, Covered, Trees};
use crate::error::{Error, Result};
use crate::forensics::{Counter, count};

impl Store {
    /// Moves everything into the trees, makes both slots name no log, and removes the log.
    ///
    /// Called once, by the last handle. Whatever fails here, the log still holds everything that was
    /// acknowledged, and the next open recovers it.
    pub(crate) fn close(&self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        // The writer is waited for, so that a transaction that is committing gets its answer.
        let _writer = self.writer.acquire();
        let mut trees = self.trees.acquire();
        if trees.header().log_generation == 0 && self.tip().active.is_empty() {
            return Ok(());
        }
        self.poison.check()?;
        self.drain_in(&mut trees)?;
        self.trim(&mut trees)?;
        let position = self.log_end(&trees);
        // The same state in both slots: whichever is damaged later, the other says the same.
        for _ in 0..2 {
            trees.publish_log(Covered {
                generation: 0,
                position,
                chain: 0,
            })?;
        }
        self.commits().log = Log::Absent;
        self.remove_log()?;
        self.truncate(&trees)
    }

    /// Where the log ends that the header names.
    pub(super) fn log_end(&self, trees: &Trees) -> u64 {
        match &self.commits().log {
            Log::Open(log) => log.end(),
            Log::Recovered(end) => *end,
            Log::Absent => trees.header().log_position,
        }
    }

    /// Leaves free pages at the file's end out of the state, so that the file can be shortened.
    fn trim(&self, trees: &mut Trees) -> Result<()> {
        let state = self.tip();
        let roots = state.base.header.roots;
        let contents = Contents {
            roots,
            totals: state.totals,
            commit: state.commit,
        };
        drop(state);
        trees.trim(&contents)
    }

    fn truncate(&self, trees: &Trees) -> Result<()> {
        let header = trees.header();
        let wanted = header.page_count.saturating_mul(header.page_size as u64);
        let len = self
            .file
            .len()
            .map_err(|e| Error::io("reading the database's length", e))?;
        // A view into a transaction that was rolled back may still look at pages that no state counts.
        if len <= wanted || trees.has_private_views() {
            return Ok(());
        }
        let context = |e| Error::io("shortening the database", e);
        self.file.set_len(wanted).map_err(context)?;
        count!(self.tally, LengthChanges);
        self.file.sync().map_err(context)?;
        count!(self.tally, synced(Counter::LengthSyncs));
        Ok(())
    }

    fn remove_log(&self) -> Result<()> {
        let name = self.files.log();
        let directory = &self.files.directory;
        let context = self.files.failed("removing", &name);
        if directory.exists(&name).map_err(context)? {
            directory.remove(&name).map_err(context)?;
            directory.sync().map_err(context)?;
            count!(self.tally, synced(Counter::DirectorySyncs));
        }
        Ok(())
    }
}
