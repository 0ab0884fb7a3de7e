//! The two ways to commit: a record of outcomes for what is small, new trees for what is large.

use std::sync::Arc;

use super::Store;
use super::exclusive::Held;
use super::state::State;
use super::trees::{Contents, Covered, Trees};
use crate::delta::Delta;
use crate::error::{Error, Result};
use crate::forensics::count;
use crate::format::header::{Root, SLOT_LEN};
use crate::format::log::{RECORD_OVERHEAD, RecordKind};
use crate::graph::Totals;
use crate::ids::KeySpace;
use crate::options::{CheckpointMode, Durability};
use crate::plant::planted;
use crate::wal::LogWriter;

/// Committed changes that no checkpoint begins for early, in bytes of memory: each has a few syncs to
/// pay for.
const EARLY_BYTES: usize = 4 << 20;

/// How a commit was made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum CommitKind {
    /// There was nothing to commit, and nothing was written.
    Empty,
    /// One record of its operations in the log.
    Log,
    /// New tree pages in the database, and a record in the log that names them.
    Flip,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CommitReport {
    /// The commit's number; commits are numbered without gaps for the life of the database.
    pub commit: u64,
    /// Which way it was made durable.
    pub how: CommitKind,
    /// Database pages written by it.
    pub pages: u64,
    /// Bytes it appended to the log.
    pub log_bytes: u64,
    /// Syncs issued by this call. 0 if it joined another's, and with [`Durability::None`].
    pub syncs: u64,
}

/// A transaction's outcome, ready for the log.
pub(crate) struct CommitInput {
    pub(crate) delta: Delta,
    pub(crate) payload: Vec<u8>,
    pub(crate) totals: Totals,
    pub(crate) durability: Durability,
}

impl Store {
    /// Appends a commit's record, lets the next writer in, and waits for the durability asked for.
    pub(crate) fn commit_log(&self, writer: Held<()>, input: CommitInput) -> Result<CommitReport> {
        let log = self.room_for(&input)?;
        let (commit, appended) = {
            let mut commits = self.commits();
            let tip = Arc::clone(&commits.tip);
            let commit = tip.commit + u64::from(!planted!("commit-number-repeated"));
            let appended = log.append(RecordKind::Commit, commit, &input.payload)?;
            let mut state = State {
                commit,
                totals: input.totals,
                ..(*tip).clone()
            };
            state.active.absorb(&input.delta);
            if input.durability != Durability::None {
                state.visible_at = appended.end;
            }
            commits.push(state);
            (commit, appended)
        };
        drop(writer);
        let syncs = match input.durability {
            Durability::Sync => log.sync_to(appended.end)?,
            Durability::Group { max_delay } => log.group_sync_to(appended.end, max_delay)?,
            Durability::None => 0,
        };
        if syncs == 0 && input.durability != Durability::None {
            count!(self.tally, LogSyncsJoined);
        }
        count!(self.tally, CommitsLogged);
        self.commits().publish(log.durable_to(), &self.published);
        Ok(CommitReport {
            commit,
            how: CommitKind::Log,
            pages: 0,
            log_bytes: appended.bytes,
            syncs,
        })
    }

    /// Whether a payload of this length can be one record.
    pub(crate) fn fits_log(&self, payload: usize) -> bool {
        payload + RECORD_OVERHEAD <= LogWriter::max_record(self.options.log_segment_bytes)
    }

    /// The log, with room for the commit in it and in the write buffer.
    fn room_for(&self, input: &CommitInput) -> Result<Arc<LogWriter>> {
        let log = self.ensure_log()?;
        let limit = self.options.write_buffer_bytes / 2;
        loop {
            let buffered = self.tip().active.bytes();
            let room = buffered == 0 || buffered + input.delta.bytes() <= limit;
            if room && log.fits(input.payload.len()) {
                self.begin_early(buffered)?;
                return Ok(log);
            }
            // The space is taken by a checkpoint under way, or free for one to begin.
            self.finish_checkpoint()?;
            self.begin_checkpoint()?;
            match self.options.checkpoint {
                CheckpointMode::Inline => self.finish_checkpoint()?,
                CheckpointMode::Background => self.wake_checkpointer(),
            }
        }
    }

    /// Begins a checkpoint in the background before there is need for one, where merging writes no more
    /// than it merges: there is less to do at the end, and while the trees are small there always is a
    /// core for it.
    fn begin_early(&self, buffered: usize) -> Result<()> {
        let tip = self.tip();
        let changed = KeySpace::ALL
            .into_iter()
            .filter(|space| tip.active.changes_space(*space));
        let pages: u64 = changed.map(|space| tip.base.root_of(space).pages).sum();
        let trees = pages * self.options.page_size as u64;
        let worth = buffered >= EARLY_BYTES && buffered as u64 >= trees;
        let background = self.options.checkpoint == CheckpointMode::Background;
        if background && worth && tip.frozen.is_empty() {
            self.begin_checkpoint()?;
            self.wake_checkpointer();
        }
        Ok(())
    }

    /// The open log, created if this is the first write since the database was opened. Called by
    /// the holder of `writer` only.
    pub(crate) fn ensure_log(&self) -> Result<Arc<LogWriter>> {
        if let Some(log) = self.commits().open_log() {
            return Ok(Arc::clone(log));
        }
        let mut trees = self.trees.acquire();
        // What recovery brought back is sealed by a checkpoint before anything is logged anew.
        if !planted!("recovered-not-sealed") {
            self.drain_in(&mut trees)?;
        }
        self.forget_log(&mut trees)?;
        self.create_log(&mut trees)
    }

    /// Commits trees that a change under way has built: the pages first, then the record that makes
    /// them the state, then the header slot.
    pub(crate) fn commit_flip(
        &self,
        writer: Held<()>,
        mut trees: Held<Trees>,
        roots: [Root; 7],
        totals: Totals,
    ) -> Result<CommitReport> {
        let pages = trees.written();
        let commit = self.tip().commit + 1;
        let syncs = self.flip(&mut trees, roots, totals, commit)?;
        drop(trees);
        drop(writer);
        count!(self.tally, CommitsFlipped);
        let log_bytes = (SLOT_LEN + RECORD_OVERHEAD) as u64;
        Ok(CommitReport {
            commit,
            how: CommitKind::Flip,
            pages,
            log_bytes,
            syncs,
        })
    }

    fn flip(
        &self,
        trees: &mut Trees,
        roots: [Root; 7],
        totals: Totals,
        commit: u64,
    ) -> Result<u64> {
        let log = self.open_log()?;
        if !log.fits(SLOT_LEN) {
            log.start_segment()?;
        }
        let end = log.end() + (SLOT_LEN + RECORD_OVERHEAD) as u64;
        let covered = Covered {
            generation: log.generation(),
            position: end,
            chain: 0,
        };
        let contents = Contents {
            roots,
            totals,
            commit,
        };
        let (mut header, freelist) = trees.seal(&contents, covered)?;
        let appended = log.append(RecordKind::Root, commit, &header.encode())?;
        let syncs = if planted!("root-record-not-synced") {
            0
        } else {
            log.sync_to(appended.end)?
        };
        // The commit is durable. Whatever happens to the slot, recovery finds the record.
        header.log_chain = appended.checksum;
        let (base, written) = trees.publish_recorded((header, freelist));
        let mut commits = self.commits();
        let mut state = State {
            base,
            commit,
            visible_at: appended.end,
            ..(*commits.tip).clone()
        };
        state.totals = Totals {
            edges: state.base.root(KeySpace::Out).entries,
            ..totals
        };
        commits.publish_all(&self.published);
        commits.replace_tip(state, &self.published);
        if written.is_ok() {
            commits.recycle(covered);
        }
        // The pages' sync, the record's and the slot's.
        Ok(syncs + 2)
    }

    fn open_log(&self) -> Result<Arc<LogWriter>> {
        match self.commits().open_log() {
            Some(log) => Ok(Arc::clone(log)),
            None => Err(Error::usage(
                "the database was closed while a transaction was committing",
            )),
        }
    }
}
