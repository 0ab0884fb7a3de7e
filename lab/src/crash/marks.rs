//! What a recorded session says about itself, as numbers among its events.

use vellum::storage::sim::FileNumber;

/// A commit, and how many more were added by sessions that recovered from a crash. Later is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Version(u64);

impl Version {
    const ADDED: u64 = 8;

    pub(crate) fn of(commit: u64, added: u64) -> Version {
        Version(commit * Version::ADDED + added.min(Version::ADDED - 1))
    }

    pub(crate) fn commit(self) -> u64 {
        self.0 / Version::ADDED
    }

    /// Commits added by the sessions after a crash.
    pub(crate) fn added(self) -> u64 {
        self.0 % Version::ADDED
    }

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// With one commit more, added after a crash.
    pub(crate) fn next(self) -> Version {
        Version::of(self.commit(), self.added() + 1)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.added() {
            0 => write!(f, "commit {}", self.commit()),
            added => write!(f, "commit {} and {added} after the crash", self.commit()),
        }
    }
}

/// Through what a file is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    #[default]
    Create,
    LogCommit,
    GroupCommit,
    RelaxedCommit,
    FlipCommit,
    Checkpoint,
    BulkLoad,
    Compact,
    Backup,
    Close,
    Open,
    ReadOnly,
    /// Whatever the session after a crash does: recovery, a commit, closing.
    Recovery,
}

impl Way {
    pub(crate) const ALL: [Way; 13] = [
        Way::Create,
        Way::LogCommit,
        Way::GroupCommit,
        Way::RelaxedCommit,
        Way::FlipCommit,
        Way::Checkpoint,
        Way::BulkLoad,
        Way::Compact,
        Way::Backup,
        Way::Close,
        Way::Open,
        Way::ReadOnly,
        Way::Recovery,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Create => "create",
            Way::LogCommit => "log commit",
            Way::GroupCommit => "group commit",
            Way::RelaxedCommit => "commit without sync",
            Way::FlipCommit => "flip commit",
            Way::Checkpoint => "checkpoint",
            Way::BulkLoad => "bulk load",
            Way::Compact => "compact",
            Way::Backup => "backup",
            Way::Close => "close",
            Way::Open => "open",
            Way::ReadOnly => "read-only open",
            Way::Recovery => "after a crash",
        }
    }
}

/// What a session says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A commit begins.
    Begun(Version),
    /// A commit was acknowledged as durable.
    Acked(Version),
    /// A recovery showed this: it must neither go back nor go on by itself.
    Shown(Version),
    /// What follows is done by this way into the file.
    Way(Way),
    /// A sync of the file was called: what is written from now on is not covered by it.
    SyncCalled(FileNumber),
    /// The copy of the database is promised to hold this.
    Copied(Version),
    /// Nothing is promised of the copy any more.
    Uncopied,
}

const KINDS: u64 = 8;

impl Mark {
    pub(crate) fn number(self) -> u64 {
        let (kind, value) = match self {
            Mark::Begun(version) => (0, version.0),
            Mark::Acked(version) => (1, version.0),
            Mark::Shown(version) => (2, version.0),
            Mark::Way(way) => (3, way as u64),
            Mark::SyncCalled(file) => (4, file as u64),
            Mark::Copied(version) => (5, version.0),
            Mark::Uncopied => (6, 0),
        };
        value * KINDS + kind
    }

    /// What a number says; `None` for one that no mark has.
    pub(crate) fn of(number: u64) -> Option<Mark> {
        let value = number / KINDS;
        Some(match number % KINDS {
            0 => Mark::Begun(Version(value)),
            1 => Mark::Acked(Version(value)),
            2 => Mark::Shown(Version(value)),
            3 => Mark::Way(*Way::ALL.get(usize::try_from(value).ok()?)?),
            4 => Mark::SyncCalled(usize::try_from(value).ok()?),
            5 => Mark::Copied(Version(value)),
            6 => Mark::Uncopied,
            _ => return None,
        })
    }
}

/// What the survivors of a crash must show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Promise {
    /// The newest commit that was acknowledged.
    pub(crate) acked: Version,
    /// The newest commit that had begun.
    pub(crate) begun: Version,
    /// What the copy of the database must hold, if it was finished.
    pub(crate) copied: Option<Version>,
}

impl Promise {
    /// Takes note of a mark. Returns whether more is promised than before.
    pub(crate) fn note(&mut self, mark: Mark) -> bool {
        match mark {
            Mark::Begun(version) => self.begun = version,
            Mark::Acked(version) => {
                self.acked = self.acked.max(version);
                self.begun = self.begun.max(version);
                return true;
            }
            Mark::Shown(version) => {
                (self.acked, self.begun) = (version, version);
                return true;
            }
            Mark::Copied(version) => {
                self.copied = Some(version);
                return true;
            }
            Mark::Uncopied => self.copied = None,
            Mark::Way(_) | Mark::SyncCalled(_) => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn marks_survive_being_numbers() {
        let marks = [
            Mark::Begun(Version::of(7, 0)),
            Mark::Acked(Version::of(7, 2)),
            Mark::Shown(Version::of(0, 0)),
            Mark::SyncCalled(3),
            Mark::Copied(Version::of(1, 0)),
            Mark::Uncopied,
        ];
        for mark in marks.into_iter().chain(Way::ALL.map(Mark::Way)) {
            assert_eq!(Mark::of(mark.number()).unwrap(), mark);
        }
        assert_eq!(Mark::of(7), None);
        assert_eq!(Mark::of(3 + KINDS * 99), None);
    }

    #[test]
    fn versions_ascend_with_commits() {
        assert!(Version::of(1, 7) < Version::of(2, 0));
        assert_eq!(Version::of(4, 0).next(), Version::of(4, 1));
    }
}
