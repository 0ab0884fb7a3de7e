//! What a recovery tells about itself.

/// How far a recovery has come. See [`Builder::on_recovery`](crate::Builder::on_recovery).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RecoveryProgress {
    /// Log records replayed so far.
    pub records: u64,
    /// Log bytes replayed so far.
    pub bytes: u64,
}

/// What opening a database found in its log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RecoveryReport {
    /// Log records replayed.
    pub records: u64,
    /// Commits that they brought back.
    pub commits: u64,
    /// Log bytes replayed.
    pub bytes: u64,
    /// Bytes of a record at the log's end that was never completely written. Its commit was never
    /// acknowledged as durable.
    pub dropped_bytes: u64,
    /// Whether a record had one flipped bit, which was taken as it must have been.
    pub repaired: bool,
}
