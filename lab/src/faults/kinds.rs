//! How calls fail.

use std::io::ErrorKind;

use vellum::storage::sim::{FaultKind, Survives, SyncFailure};

/// A way to fail, with its name.
pub(crate) type Kind = (&'static str, FaultKind);

/// The errno behind it has no stable kind of its own in the standard library.
const EIO: ErrorKind = ErrorKind::Other;
const ENOSPC: ErrorKind = ErrorKind::StorageFull;
const EDQUOT: ErrorKind = ErrorKind::QuotaExceeded;
const EINTR: ErrorKind = ErrorKind::Interrupted;

/// Failures that the caller is told of, and calls that do only a part.
pub(crate) const TOLD: [Kind; 22] = [
    ("EIO", FaultKind::Fails(EIO, Survives::None)),
    ("EIO, half written", FaultKind::Fails(EIO, Survives::Half)),
    ("EIO, all written", FaultKind::Fails(EIO, Survives::All)),
    ("ENOSPC", FaultKind::Fails(ENOSPC, Survives::None)),
    (
        "ENOSPC, half written",
        FaultKind::Fails(ENOSPC, Survives::Half),
    ),
    ("EDQUOT", FaultKind::Fails(EDQUOT, Survives::None)),
    (
        "EDQUOT, half written",
        FaultKind::Fails(EDQUOT, Survives::Half),
    ),
    ("EINTR", FaultKind::Interrupted),
    ("short, 1 byte", FaultKind::Short(1)),
    ("short, half", FaultKind::ShortHalf),
    ("short, all but one byte", FaultKind::ShortLast),
    ("zero bytes", FaultKind::NoProgress),
    (
        "sync EIO, data kept",
        FaultKind::SyncFailsWith(EIO, SyncFailure::Dirty),
    ),
    (
        "sync EIO, data marked clean",
        FaultKind::SyncFailsWith(EIO, SyncFailure::Clean),
    ),
    (
        "sync EIO, data dropped",
        FaultKind::SyncFailsWith(EIO, SyncFailure::Dropped),
    ),
    (
        "sync ENOSPC, data kept",
        FaultKind::SyncFailsWith(ENOSPC, SyncFailure::Dirty),
    ),
    (
        "sync ENOSPC, data marked clean",
        FaultKind::SyncFailsWith(ENOSPC, SyncFailure::Clean),
    ),
    (
        "sync ENOSPC, data dropped",
        FaultKind::SyncFailsWith(ENOSPC, SyncFailure::Dropped),
    ),
    (
        "sync EDQUOT, data kept",
        FaultKind::SyncFailsWith(EDQUOT, SyncFailure::Dirty),
    ),
    (
        "sync EDQUOT, data dropped",
        FaultKind::SyncFailsWith(EDQUOT, SyncFailure::Dropped),
    ),
    (
        "sync EINTR, data kept",
        FaultKind::SyncFailsWith(EINTR, SyncFailure::Dirty),
    ),
    (
        "sync EINTR, data dropped",
        FaultKind::SyncFailsWith(EINTR, SyncFailure::Dropped),
    ),
];

/// Writes that are reported as done and are not, or not there.
pub(crate) const UNTOLD: [Kind; 3] = [
    ("lost write", FaultKind::Lost),
    ("write misdirected by a sector", FaultKind::Misdirected(512)),
    ("write misdirected by a page", FaultKind::Misdirected(4096)),
];

/// Whether a sync is what fails.
pub(crate) fn fails_a_sync(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::SyncFails(_) | FaultKind::SyncFailsWith(..))
}

pub(crate) fn is_space(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Fails(ENOSPC | EDQUOT, _) | FaultKind::SyncFailsWith(ENOSPC | EDQUOT, _)
    )
}

/// Whether the caller learns that the call did not do what was asked, now or never.
pub(crate) fn is_error(kind: FaultKind) -> bool {
    !kind.goes_on() && !is_untold(kind)
}

pub(crate) fn is_untold(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Lost | FaultKind::Misdirected(_))
}
