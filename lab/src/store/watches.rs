//! What the engine counted, over every database of a folder and every time that one was opened. All of it
//! is zero in the build that does not count.

use std::collections::BTreeMap;
use std::mem;

use parking_lot::Mutex;
use vellum::Database;
use vellum::forensics::{Counts, Watch};

use crate::failure::Failure;

/// The watches of a folder's databases.
#[derive(Default)]
pub(super) struct Watches(Mutex<State>);

#[derive(Default)]
struct State {
    /// Of databases that were opened again since: they were closed before, as nobody opens one twice.
    past: Counts,
    current: BTreeMap<String, Watched>,
    /// Contradictions about page owners that nobody has been told of.
    conflicts: Vec<String>,
}

struct Watched {
    watch: Watch,
    /// Contradictions that are known already.
    known: usize,
}

impl Watches {
    /// Follows a database from now on, in place of the handle that was open under the same name before.
    pub(super) fn follow(&self, name: &str, database: &Database) -> Result<(), Failure> {
        if !vellum::forensics::ENABLED {
            return Ok(());
        }
        let fresh = Watched {
            watch: database.watch(),
            known: 0,
        };
        let mut state = self.0.lock();
        if let Some(mut before) = state.current.insert(name.to_owned(), fresh) {
            state.past = state.past + before.watch.counters();
            state.conflicts.extend(before.conflicts(name));
            before.watch.end_trace()?;
        }
        Ok(())
    }

    /// Ends the traces of databases that are closed.
    pub(super) fn end_traces(&self) -> Result<(), Failure> {
        let state = self.0.lock();
        for watched in state.current.values() {
            watched.watch.end_trace()?;
        }
        Ok(())
    }

    /// Everything counted so far.
    pub(super) fn counts(&self) -> Counts {
        let state = self.0.lock();
        let current = state.current.values();
        current.fold(state.past, |sum, one| sum + one.watch.counters())
    }

    /// Contradictions about page owners since the last call.
    pub(super) fn conflicts(&self) -> Vec<String> {
        let mut state = self.0.lock();
        let mut found = mem::take(&mut state.conflicts);
        for (name, watched) in &mut state.current {
            found.extend(watched.conflicts(name));
        }
        found
    }
}

impl Watched {
    fn conflicts(&mut self, name: &str) -> Vec<String> {
        let ownership = self.watch.ownership();
        let all = ownership.conflicts.len();
        let fresh = ownership.conflicts.iter().skip(self.known);
        let found = fresh.map(|conflict| format!("{name}: {conflict}"));
        let found = found.collect();
        self.known = all;
        found
    }
}
