//! The tip that the next writer builds on, the states that wait for the log to become durable,
//! and the log itself: everything that the commit path touches under one short lock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::state::State;
use super::trees::Covered;
use crate::error::Result;
use crate::graph::{Base, Totals};
use crate::pager::Pager;
use crate::sync::swap::ArcSwap;
use crate::wal::LogWriter;

/// Where the log of this handle stands.
pub(crate) enum Log {
    /// None exists: nothing was written since the database was opened clean.
    Absent,
    /// Recovery read one, which ends at this position. It is never appended to.
    Recovered(u64),
    /// This handle's own.
    Open(Arc<LogWriter>),
}

/// The newest state and those on their way to the readers.
pub(crate) struct Commits {
    /// What the next writer builds on.
    pub(crate) tip: Arc<State>,
    /// Committed states that readers may not see yet, oldest first.
    waiting: VecDeque<Arc<State>>,
    pub(crate) log: Log,
}

impl Commits {
    pub(crate) fn new(tip: Arc<State>, log: Log) -> Commits {
        Commits {
            tip,
            waiting: VecDeque::new(),
            log,
        }
    }

    /// The open log.
    pub(crate) fn open_log(&self) -> Option<&Arc<LogWriter>> {
        match &self.log {
            Log::Open(log) => Some(log),
            Log::Absent | Log::Recovered(_) => None,
        }
    }

    /// Adds a commit whose record has been appended.
    pub(crate) fn push(&mut self, state: State) {
        let state = Arc::new(state);
        self.tip = Arc::clone(&state);
        self.waiting.push_back(state);
    }

    /// Shows readers every state that is durable by now, in log order.
    pub(crate) fn publish(&mut self, durable_to: u64, published: &ArcSwap<State>) {
        let mut newest = None;
        while self
            .waiting
            .front()
            .is_some_and(|state| state.visible_at <= durable_to)
        {
            newest = self.waiting.pop_front();
        }
        if let Some(state) = newest {
            published.store(state);
        }
    }

    /// Shows readers everything: the whole log is durable.
    pub(crate) fn publish_all(&mut self, published: &ArcSwap<State>) {
        self.publish(u64::MAX, published);
    }

    /// Replaces the newest state by another form of the same. Nothing may be waiting.
    pub(crate) fn replace_tip(&mut self, state: State, published: &ArcSwap<State>) {
        self.tip = Arc::new(state);
        published.store(Arc::clone(&self.tip));
    }

    /// Puts newly merged trees under every state. `merged`: what the checkpoint that is now complete
    /// believed to count; the trees know better where edges were inserted blindly.
    pub(crate) fn rebase(
        &mut self,
        base: &Arc<Base>,
        merged: Option<Totals>,
        published: &ArcSwap<State>,
    ) {
        published.store(Arc::new(published.load().over(base, merged)));
        for state in &mut self.waiting {
            *state = Arc::new(state.over(base, merged));
        }
        self.tip = match self.waiting.back() {
            Some(newest) => Arc::clone(newest),
            None => published.load_full(),
        };
    }

    /// Lets go of the pages that the directories of every state hold in memory.
    pub(crate) fn forget_pages(&mut self, pager: &Pager, published: &ArcSwap<State>) {
        let afresh = |state: &State| {
            let base = Arc::new(state.base.afresh(pager));
            Arc::new(State {
                base,
                ..state.clone()
            })
        };
        published.store(afresh(&published.load()));
        for state in &mut self.waiting {
            *state = afresh(state);
        }
        self.tip = match self.waiting.back() {
            Some(newest) => Arc::clone(newest),
            None => published.load_full(),
        };
    }

    /// Switches to the next log segment and says what a checkpoint of everything before covers.
    pub(crate) fn start_segment(&mut self) -> Result<Covered> {
        match &self.log {
            Log::Absent => Ok(Covered::default()),
            Log::Recovered(end) => Ok(Covered {
                position: *end,
                ..Covered::default()
            }),
            Log::Open(log) => {
                log.start_segment()?;
                Ok(Covered {
                    generation: log.generation(),
                    position: log.end(),
                    chain: log.chain(),
                })
            }
        }
    }

    /// Gives the log space before a durable checkpoint back.
    pub(crate) fn recycle(&mut self, covered: Covered) {
        match &self.log {
            Log::Open(log) => log.recycle(covered.position),
            // The header names no log now; what recovery read is only a file to remove.
            Log::Recovered(_) => self.log = Log::Absent,
            Log::Absent => {}
        }
    }
}
