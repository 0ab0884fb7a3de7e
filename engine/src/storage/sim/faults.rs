//! What can go wrong in a call, and when.

use std::io;

/// A call that reaches the simulated operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// A file was opened or created.
    Open,
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
    /// The call is interrupted, having done nothing.
    Interrupted,
    /// A read or write does only this many bytes (at least one), and succeeds.
    Short(usize),
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
            FaultKind::Fails(_, Survives::None) => call != Call::Sync,
            FaultKind::Fails(..) | FaultKind::Lost | FaultKind::Misdirected(_) => {
                call == Call::Write
            }
            FaultKind::SyncFails(_) => matches!(call, Call::Sync | Call::SyncDirectory),
            // A sync that is interrupted has failed: the file layer must not repeat it.
            FaultKind::Interrupted => !matches!(call, Call::Sync | Call::SyncDirectory),
            FaultKind::Short(_) => matches!(call, Call::Read | Call::Write),
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
    /// Whether it happens to every later call that it fits, too.
    pub lasts: bool,
}

impl Fault {
    pub(super) fn strikes(&self, number: usize, call: Call) -> bool {
        let now = number == self.call || (self.lasts && number > self.call);
        now && self.kind.fits(call)
    }
}
