//! Who owns which page, and what contradicts that.
//!
//! Every page is in one of a few states, and every event is allowed in some of them only. States are kept
//! by runs of pages; who did what is remembered for the newest events, so that memory is bounded
//! whatever the length of the session.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;

use super::event::{Action, Event};
use super::states::States;

/// Events remembered.
const HISTORY: usize = 1 << 16;
/// Conflicts listed; the rest is counted.
const CONFLICTS: usize = 1000;

/// What is known of a page. Pages that were there when the database was opened, and that no freelist
/// named, are `Unknown`: in use, for all that the register can tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    Free,
    Taken,
    Written,
    Dropped,
}

/// An event that contradicts what was known of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Conflict {
    /// The page.
    pub page: u64,
    /// The rule that was broken.
    pub rule: &'static str,
    /// What broke it.
    pub event: Event,
    /// What happened to the page before, if it is still remembered.
    pub before: Option<Event>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {}: {} ({}", self.page, self.rule, self.event)?;
        match &self.before {
            Some(before) => write!(f, "; before it: {before})"),
            None => write!(f, "; nothing before it is remembered)"),
        }
    }
}

/// The register of page owners at one moment. See [`Database::ownership`](crate::Database::ownership).
///
/// Empty in a build without the feature `forensics`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Ownership {
    /// Contradictions, the first 1,000 of them. Each is a bug of the engine.
    pub conflicts: Vec<Conflict>,
    /// Contradictions that are not listed.
    pub conflicts_left_out: u64,
    /// The newest 65,536 events that changed a page's owner, oldest first.
    pub history: Vec<Event>,
    /// Pages known to be free.
    pub free: u64,
    /// Pages taken by a change under way and not written yet.
    pub taken: u64,
    /// Pages written since the database was opened, and in use.
    pub written: u64,
    /// Pages that no new state reaches, waiting for snapshots or for the end of the change.
    pub dropped: u64,
}

impl Ownership {
    /// What happened to a page, oldest first, as far as it is remembered.
    pub fn of_page(&self, page: u64) -> impl Iterator<Item = &Event> {
        self.history.iter().filter(move |event| covers(event, page))
    }
}

fn covers(event: &Event, page: u64) -> bool {
    pages(event).contains(&page)
}

fn pages(event: &Event) -> Range<u64> {
    event.page..event.page.saturating_add(event.pages)
}

/// Follows the events of one database.
#[derive(Default)]
pub(super) struct Register {
    states: States<State>,
    history: VecDeque<Event>,
    conflicts: Vec<Conflict>,
    conflicts_left_out: u64,
    events: u64,
}

impl Register {
    /// Gives the event its number, holds it against what is known, and remembers it.
    pub(super) fn note(&mut self, mut event: Event) -> Event {
        self.events += 1;
        event.number = self.events;
        if matches!(event.action, Action::Evict | Action::Append | Action::Sync) {
            return event;
        }
        for (part, before) in self.states.parts(pages(&event)) {
            match next(before, event.action) {
                Ok(state) if state == before => {}
                Ok(state) => self.states.set(part, state),
                Err((rule, state)) => {
                    self.conflicts(part.clone(), rule, event);
                    self.states.set(part, state);
                }
            }
        }
        if event.action != Action::Read {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            self.history.push_back(event);
        }
        event
    }

    /// Every page of these contradicts the event.
    fn conflicts(&mut self, pages: Range<u64>, rule: &'static str, event: Event) {
        let room = (CONFLICTS - self.conflicts.len()) as u64;
        let listed = pages.start..pages.end.min(pages.start.saturating_add(room));
        self.conflicts_left_out += pages.end - listed.end;
        for page in listed {
            let mut newest_first = self.history.iter().rev();
            let before = newest_first.find(|event| covers(event, page)).copied();
            self.conflicts.push(Conflict {
                page,
                rule,
                event,
                before,
            });
        }
    }

    pub(super) fn ownership(&self) -> Ownership {
        let count = |state| self.states.count(state);
        Ownership {
            conflicts: self.conflicts.clone(),
            conflicts_left_out: self.conflicts_left_out,
            history: self.history.iter().copied().collect(),
            free: count(State::Free),
            taken: count(State::Taken),
            written: count(State::Written),
            dropped: count(State::Dropped),
        }
    }
}

/// The state after an event, or the rule that it breaks and the state to go on with.
fn next(state: State, action: Action) -> Result<State, (&'static str, State)> {
    use State::{Dropped, Free, Taken, Unknown, Written};
    match (action, state) {
        (Action::Listed, Unknown | Free) => Ok(Free),
        (Action::Listed, _) => Err(("a page in use stands on the freelist", Free)),
        (Action::Grow, Unknown) => Ok(Taken),
        (Action::Grow, _) => Err(("the file was lengthened by a page that it has", Taken)),
        (Action::Reuse, Free) => Ok(Taken),
        (Action::Reuse, _) => Err((
            "a page that is not free was taken: it has two owners",
            Taken,
        )),
        (Action::Write, Taken) => Ok(Written),
        (Action::Write, Written) => Err(("a page was written twice", Written)),
        (Action::Write, _) => Err(("a page was written that nobody had taken", Written)),
        (Action::Read, Free) => Err(("a free page was read", Free)),
        (Action::Read, Taken) => Err(("a page was read before it was written", Taken)),
        (Action::Drop, Unknown | Written) => Ok(Dropped),
        (Action::Drop, Dropped) => Err(("a page was dropped twice", Dropped)),
        (Action::Drop, _) => Err(("a page was dropped that is not in use", state)),
        (Action::Restore, Dropped) => Ok(Written),
        (Action::Restore, _) => Err(("a page was restored that was not dropped", state)),
        (Action::Free, Dropped) => Ok(Free),
        (Action::Free, Free) => Err(("a free page was freed", Free)),
        (Action::Free, _) => Err(("a page in use was freed", Free)),
        (Action::Unwind, Taken | Written) => Ok(Free),
        (Action::Keep, Taken | Written) => Ok(Dropped),
        (Action::Keep, _) => Err(("a page was kept that the change had not taken", Dropped)),
        (Action::Unwind, Free) => Err(("a free page was given back", Free)),
        (Action::Unwind, _) => Err(("a page was given back that the change had not taken", Free)),
        (Action::Trim, Free) => Ok(Unknown),
        (Action::Trim, _) => Err(("a page in use was cut off at the end of the file", Unknown)),
        (Action::Read | Action::Evict | Action::Append | Action::Sync, state) => Ok(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: Action, page: u64, pages: u64) -> Event {
        Event {
            page,
            pages,
            ..Event::of(action)
        }
    }

    fn rules(events: &[(Action, u64)]) -> Vec<&'static str> {
        let mut register = Register::default();
        for (action, page) in events {
            register.note(event(*action, *page, 1));
        }
        let ownership = register.ownership();
        ownership.conflicts.iter().map(|c| c.rule).collect()
    }

    #[test]
    fn a_page_that_lives_by_the_rules_is_no_finding() {
        use Action::{Drop, Free, Grow, Listed, Read, Restore, Reuse, Trim, Unwind, Write};
        let life = [
            (Listed, 9),
            (Reuse, 9),
            (Write, 9),
            (Read, 9),
            (Drop, 9),
            (Restore, 9),
            (Drop, 9),
            (Read, 9),
            (Free, 9),
            (Reuse, 9),
            (Unwind, 9),
            (Trim, 9),
            (Grow, 9),
            (Write, 9),
            (Unwind, 9),
            (Read, 3),
            (Drop, 3),
            (Free, 3),
        ];
        assert_eq!(rules(&life), Vec::<&str>::new());
    }

    /// Every contradiction that the rules name can be found.
    #[test]
    fn every_contradiction_is_a_finding() {
        use Action::{Drop, Free, Grow, Listed, Read, Restore, Reuse, Trim, Unwind, Write};
        let broken: [&[(Action, u64)]; 18] = [
            &[(Grow, 1), (Listed, 1)],
            &[(Listed, 1), (Grow, 1)],
            &[(Reuse, 1)],
            &[(Grow, 1), (Write, 1), (Write, 1)],
            &[(Write, 1)],
            &[(Listed, 1), (Read, 1)],
            &[(Grow, 1), (Read, 1)],
            &[(Drop, 1), (Drop, 1)],
            &[(Listed, 1), (Drop, 1)],
            &[(Restore, 1)],
            &[(Listed, 1), (Free, 1)],
            &[(Free, 1)],
            &[(Listed, 1), (Unwind, 1)],
            &[(Unwind, 1)],
            &[(Trim, 1)],
            &[(Action::Keep, 1)],
            &[(Listed, 1), (Write, 1)],
            &[(Grow, 1), (Reuse, 1)],
        ];
        for events in broken {
            assert_eq!(rules(events).len(), 1, "{events:?}");
        }
    }

    #[test]
    fn a_conflict_names_both_sides() {
        let mut register = Register::default();
        register.note(event(Action::Grow, 4, 3));
        register.note(event(Action::Write, 5, 1));
        register.note(event(Action::Reuse, 5, 1));
        let ownership = register.ownership();
        assert_eq!(ownership.conflicts.len(), 1);
        let conflict = ownership.conflicts[0];
        assert_eq!((conflict.page, conflict.event.number), (5, 3));
        assert_eq!(
            conflict.before.map(|before| before.action),
            Some(Action::Write)
        );
        assert_eq!(ownership.of_page(5).count(), 3);
        assert_eq!((ownership.taken, ownership.written), (3, 0));
    }

    #[test]
    fn memory_is_bounded() {
        let mut register = Register::default();
        for _ in 0..HISTORY + CONFLICTS {
            register.note(event(Action::Free, 7, 1));
        }
        let ownership = register.ownership();
        assert_eq!(ownership.history.len(), HISTORY);
        assert_eq!(ownership.conflicts.len(), CONFLICTS);
        assert_eq!(ownership.conflicts_left_out, HISTORY as u64);
        // A damaged reference may name any page, and a freelist as many as it likes.
        register.note(event(Action::Drop, crate::ids::MAX_U48, 1));
        register.note(event(Action::Listed, 1 << 20, 1 << 47));
        register.note(event(Action::Grow, 1 << 20, 1 << 46));
        assert_eq!(register.states.runs(), 4);
        let ownership = register.ownership();
        assert_eq!(ownership.taken, 1 << 46);
        assert_eq!(ownership.conflicts_left_out, HISTORY as u64 + (1 << 46));
    }
}
