//! What can go wrong in a call, and when.

use std::io;

use super::disk::FileNumber;

/// A call that reaches the simulated operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// A file was opened or created.
    Open,
    /// A name was looked for.
    Exists,
    /// A file was locked.
    Lock,
    /// A length was asked for.
    Len,
    /// Bytes were read.
    Read,
    /// Bytes were written.
    Write,
    /// A length was set.
    SetLen,
    /// A file was synced.
    Sync,
    /// A file was renamed.
    Rename,
    /// A file was removed.
    Remove,
    /// The directory was synced.
    SyncDirectory,
}

/// How much of a failed write has reached the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survives {
    /// Nothing.
    None,
    /// The first half.
    Half,
    /// Everything.
    All,
}

/// What becomes of the unsynced writes of a file whose sync failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncFailure {
    /// They stay as they were: a later sync would still write them.
    Dirty,
    /// They can be read but count as written: no later sync covers them.
    Clean,
    /// They are gone: what is read from now on is what was synced before.
    Dropped,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The call fails with this error. A write may have done something all the same.
    Fails(io::ErrorKind, Survives),
    /// A sync fails.
    SyncFails(SyncFailure),
    /// A sync fails with this error: space is often found missing only then.
    SyncFailsWith(io::ErrorKind, SyncFailure),
    /// The call is interrupted, having done nothing.
    Interrupted,
    /// A read or write does only this many bytes (at least one), and succeeds.
    Short(usize),
    /// A read or write of two bytes or more does half of them, and succeeds.
    ShortHalf,
    /// A read or write of two bytes or more does all but the last, and succeeds.
    ShortLast,
    /// A read or write does no byte at all, and succeeds.
    NoProgress,
    /// A write succeeds and does nothing.
    Lost,
    /// A write succeeds and goes this many bytes further on.
    Misdirected(u64),
}

impl FaultKind {
    /// Whether the call can go wrong in this way.
    pub fn fits(self, call: Call) -> bool {
        match self {
            FaultKind::Fails(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _) => {
                matches!(call, Call::Write | Call::SetLen | Call::Open | Call::Rename)
            }
            FaultKind::Fails(_, Survives::None) => {
                !matches!(call, Call::Sync | Call::SyncDirectory)
            }
            FaultKind::Fails(..) | FaultKind::Lost | FaultKind::Misdirected(_) => {
                call == Call::Write
            }
            FaultKind::SyncFails(_) | FaultKind::SyncFailsWith(..) => {
                matches!(call, Call::Sync | Call::SyncDirectory)
            }
            // A sync that is interrupted has failed: the file layer must not repeat it.
            FaultKind::Interrupted => matches!(
                call,
                Call::Open
                    | Call::Len
                    | Call::Read
                    | Call::Write
                    | Call::SetLen
                    | Call::Rename
                    | Call::Remove
            ),
            FaultKind::Short(_)
            | FaultKind::ShortHalf
            | FaultKind::ShortLast
            | FaultKind::NoProgress => matches!(call, Call::Read | Call::Write),
        }
    }

    /// Whether whoever calls is to call again for what is left.
    pub fn goes_on(self) -> bool {
        matches!(
            self,
            FaultKind::Interrupted
                | FaultKind::Short(_)
                | FaultKind::ShortHalf
                | FaultKind::ShortLast
        )
    }

    /// How many of these bytes a call does that is to be called again for the rest.
    pub(super) fn part(self, len: usize) -> usize {
        match self {
            FaultKind::Short(most) => len.min(most.max(1)),
            FaultKind::ShortHalf => len.div_ceil(2),
            FaultKind::ShortLast => len.saturating_sub(1).max(1).min(len),
            FaultKind::NoProgress => 0,
            _ => len,
        }
    }
}

/// Something that will go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the call, from 0.
    pub call: usize,
    /// What happens to it.
    pub kind: FaultKind,
    /// Whether it happens to every later call that it fits, too. One after which the caller goes on
    /// happens to every other call then, so that all come to an end.
    pub lasts: bool,
}

impl Fault {
    pub(super) fn strikes(&self, number: usize, call: Call, before: Option<&Strike>) -> bool {
        let pause = self.kind.goes_on() && before.is_some_and(|last| last.number + 1 == number);
        let now = number == self.call || (self.lasts && number > self.call && !pause);
        now && self.kind.fits(call)
    }
}

/// A call that something went wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// The number of the call, from 0.
    pub number: usize,
    /// The call.
    pub call: Call,
    /// The file that was read, written or synced; `None` for names.
    pub file: Option<FileNumber>,
    /// Where it was to be read or written, in bytes from its start.
    pub offset: u64,
    /// Whether the call was to make the file longer.
    pub grows: bool,
    /// Whether nothing but zeros was to be written, as where space is taken ahead.
    pub zeros: bool,
    /// What went wrong.
    pub kind: FaultKind,
    /// How many events had happened before.
    pub at_event: usize,
}
