//! Crash injection: a recorded session, every state that a power cut could have left within stated bounds,
//! real recovery on each, and comparison with the model.

mod model;
mod oracle;
mod states;
mod tests;
mod watched;
mod workload;

use std::collections::HashSet;

use vellum::storage::sim::{Disk, Event};

use self::oracle::examine;
use self::states::{Bounds, Enumerator, State};
use self::watched::Sessions;

/// Of how many examined sessions one has its own recovery crashed, too.
const SECOND_CRASH_EVERY: u64 = 300;

/// What an enumeration found.
#[derive(Debug, Default)]
struct Outcome {
    states: u64,
    distinct: u64,
    /// States that were opened; the others repeat one of these.
    examined: u64,
    /// Distinct states of a crash during the recovery from another.
    second: u64,
    violations: Vec<String>,
}

/// Enumerates the crash states of a session that began with an empty disk.
fn enumerate(events: &[Event], digests: &[String], bounds: Bounds, seed: u64) -> Outcome {
    let mut search = Search {
        digests,
        bounds,
        seed,
        seen: HashSet::new(),
        sessions: Sessions::default(),
        outcome: Outcome::default(),
    };
    let mut visit = |state: State| search.visit(&state, true);
    Enumerator::new(Disk::default(), bounds, seed, &mut visit).run(events);
    search.outcome
}

struct Search<'a> {
    digests: &'a [String],
    bounds: Bounds,
    seed: u64,
    seen: HashSet<(u64, u64, u64)>,
    /// The commit that each session recovered to, if it broke no rule.
    sessions: Sessions<Option<u64>>,
    outcome: Outcome,
}

impl Search<'_> {
    /// Whether to go on.
    fn visit(&mut self, state: &State, first_crash: bool) -> bool {
        self.outcome.states += 1;
        if !self
            .seen
            .insert((state.disk.digest(), state.acked, state.begun))
        {
            return true;
        }
        if first_crash {
            self.outcome.distinct += 1;
        } else {
            self.outcome.second += 1;
        }
        let known = self.sessions.find(&state.disk).copied();
        let recovered = known.unwrap_or_else(|| self.examine(state, first_crash));
        if let Some(commit) = recovered
            && !(state.acked..=state.begun).contains(&commit)
        {
            self.violation(
                state,
                &format!(
                    "it shows commit {commit}; {} was acknowledged and {} had begun",
                    state.acked, state.begun
                ),
            );
        }
        self.outcome.violations.len() < 100
    }

    fn examine(&mut self, state: &State, first_crash: bool) -> Option<u64> {
        self.outcome.examined += 1;
        let session = examine(&state.disk, self.digests);
        let recovered = match session.result {
            Ok(recovered) => {
                if first_crash && self.outcome.examined.is_multiple_of(SECOND_CRASH_EVERY) {
                    self.crash_again(state, &recovered.events);
                }
                Some(recovered.commit)
            }
            Err(violation) => {
                self.violation(state, &violation.to_string());
                None
            }
        };
        self.sessions.add(&state.disk, session.asked, recovered);
        recovered
    }

    /// Crashes the recovery from a crash.
    fn crash_again(&mut self, first: &State, events: &[Event]) {
        let (bounds, seed) = (self.bounds, self.seed);
        let mut visit = |state: State| self.visit(&state, false);
        Enumerator::new(first.disk.clone(), bounds, seed, &mut visit)
            .promised(first.acked, first.begun)
            .run(events);
    }

    fn violation(&mut self, state: &State, what: &str) {
        self.outcome
            .violations
            .push(format!("after event {}: {what}", state.at));
    }
}
