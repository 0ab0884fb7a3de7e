//! An engine whose crash states are examined: what it takes to put one under the enumerator.

use std::fmt;

use vellum::storage::sim::{Disk, Event};

use super::marks::Version;
use super::watched::Question;

/// An engine, and what a recorded session of it must show after each commit.
///
/// The engine keeps its bytes in a [`SimDirectory`](vellum::storage::sim::SimDirectory), by itself or
/// through an adapter from its own storage trait. The enumerator knows nothing else of it.
pub(crate) trait Subject: Sync {
    /// Recovers from a crash that left this disk, by the engine's own means, and holds the result
    /// against the rules.
    fn examine(&self, disk: &Disk) -> Examined;
}

/// How a state fared.
pub(crate) struct Examined {
    pub(crate) result: Result<Recovered, Violation>,
    /// What the session asked of the disk it began with; `None` if other states may fare otherwise
    /// even though they answer alike, so that each has to be opened.
    pub(crate) asked: Option<Vec<Question>>,
    /// Time that recovery alone took; 0 if it was not reached.
    pub(crate) recovery_ns: u64,
}

/// What recovery gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) version: Version,
    /// What a finished or unfinished copy of the database holds, if one has its name.
    pub(crate) copy: Option<Version>,
    /// Everything that the session did to the disk, recovery first, with marks for what it showed.
    pub(crate) events: Vec<Event>,
    pub(crate) signs: Signs,
}

/// What was to be seen of a crash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signs {
    /// There was no database yet.
    pub(crate) absent: bool,
    /// Log records that recovery replayed.
    pub(crate) replayed: u64,
    /// Bytes of an unfinished record that recovery left out.
    pub(crate) torn_tail: bool,
    /// A record was taken with one bit flipped back.
    pub(crate) repaired: bool,
    /// A header slot was damaged, and the other one served.
    pub(crate) torn_slot: bool,
}

/// Which rule a state broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// Every state opens.
    Opens,
    /// Nothing acknowledged is lost.
    Lost,
    /// Nothing is there that no commit had begun.
    Invented,
    /// Transactions are whole or absent.
    Whole,
    /// The engine's own check finds nothing.
    Check,
    /// Each page is reached once or free.
    Accounting,
    /// Opening again shows the same and writes nothing.
    Again,
    /// A new commit works and survives.
    Writable,
    /// Reading alone writes nothing and shows the same.
    ReadOnly,
    /// A finished copy is whole.
    Copy,
    /// Nothing panics.
    Panic,
}

impl Rule {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rule::Opens => "opens",
            Rule::Lost => "nothing lost",
            Rule::Invented => "nothing invented",
            Rule::Whole => "whole transactions",
            Rule::Check => "sound",
            Rule::Accounting => "pages accounted for",
            Rule::Again => "opens again",
            Rule::Writable => "takes a commit",
            Rule::ReadOnly => "reads alone",
            Rule::Copy => "whole copy",
            Rule::Panic => "no panic",
        }
    }
}

/// A rule that a state broke, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    pub(crate) what: String,
}

impl Violation {
    pub(crate) fn new(rule: Rule, what: impl Into<String>) -> Violation {
        Violation {
            rule,
            what: what.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule.name(), self.what)
    }
}
