//! The bugs: the name by which the engine knows each, and what it does.

/// Name and meaning. Every name stands in the engine as `planted!("…")`.
pub const BUGS: &[(&str, &str)] = &[
    (
        "log-sync-skipped",
        "a commit is acknowledged without a sync",
    ),
    (
        "log-sync-error-ignored",
        "a commit is acknowledged although its sync failed",
    ),
    (
        "log-named-before-synced",
        "the log gets its name before its first bytes are durable",
    ),
    (
        "log-name-not-synced",
        "the directory is not synced after the log was created",
    ),
    (
        "segment-header-not-synced",
        "a log segment is begun without a sync of its header",
    ),
    (
        "records-overwritten",
        "some records are written over by the next",
    ),
    (
        "failed-sync-retried",
        "a failed sync is tried again, and its success believed",
    ),
    (
        "failed-sync-not-final",
        "writing goes on after a failed sync",
    ),
    (
        "short-write-ignored",
        "a write that did only a part counts as whole",
    ),
    (
        "short-read-ignored",
        "a read that did only a part counts as whole",
    ),
    ("interrupt-is-an-error", "a write that is interrupted fails"),
    (
        "slot-not-written",
        "a checkpoint's header slot is never written",
    ),
    ("slot-not-synced", "header slots are written without a sync"),
    (
        "older-slot-chosen",
        "the older of two valid header slots is opened",
    ),
    (
        "slot-checksum-unchecked",
        "a header slot's checksum is not looked at",
    ),
    (
        "slot-over-the-newest",
        "a header slot is written over the newest state",
    ),
    (
        "recorded-state-not-settled",
        "the slot of a state in a root record is never written",
    ),
    (
        "pages-not-synced",
        "a state is published before its pages are synced",
    ),
    ("node-count-stale", "the header keeps an old count of nodes"),
    (
        "freelist-forgotten",
        "free pages are forgotten when a database is opened",
    ),
    (
        "closed-with-changes-left",
        "closing does not merge what is only in the log",
    ),
    (
        "log-removed-before-slots",
        "closing removes the log while the header still names it",
    ),
    (
        "shortened-too-far",
        "closing cuts off a page that is in use",
    ),
    (
        "last-record-not-replayed",
        "recovery stops before some records",
    ),
    (
        "half-a-batch-replayed",
        "recovery counts some commits and does not apply them",
    ),
    (
        "root-record-ignored",
        "recovery does not take the state of a root record",
    ),
    (
        "read-only-without-log",
        "opening for reading ignores the log",
    ),
    (
        "read-only-writes",
        "opening for reading changes the file's length",
    ),
    (
        "recovered-not-sealed",
        "what was recovered is not merged before a new log is begun",
    ),
    (
        "root-record-not-synced",
        "a slot is written before its root record is durable",
    ),
    (
        "commit-number-repeated",
        "a commit gets the number of the one before",
    ),
    (
        "frozen-changes-dropped",
        "what a checkpoint is merging is not shown",
    ),
    (
        "checkpoint-error-swallowed",
        "a failed checkpoint counts as done",
    ),
    ("names-not-merged", "a checkpoint leaves out the names"),
    (
        "create-not-restartable",
        "an interrupted creation is in the way of the next",
    ),
    (
        "database-name-not-synced",
        "the directory is not synced after a database was created",
    ),
    (
        "slot-names-log-before-it-exists",
        "the header names a log that is not there yet",
    ),
    ("lock-not-taken", "an open database is not locked"),
    (
        "page-checksum-unchecked",
        "a page's checksum and birth are not looked at",
    ),
    (
        "page-identity-unchecked",
        "a page's checksum does not cover its place and birth",
    ),
    (
        "record-checksum-unchecked",
        "a log record's checksum is not looked at",
    ),
    (
        "dropped-pages-reused-at-once",
        "pages of the durable state are written over",
    ),
    ("pages-dropped-twice", "dropped pages are listed twice"),
    (
        "dropped-pages-leaked",
        "some dropped pages are never free again",
    ),
    (
        "snapshot-pages-reused",
        "pages are written over while a snapshot reads them",
    ),
    (
        "pages-leaked-on-abort",
        "pages of a change that failed are never free again",
    ),
    (
        "cache-ignores-births",
        "the cache gives the page that had the number before",
    ),
    (
        "renamed-node-under-both-names",
        "a renamed node keeps its old name in the index",
    ),
    (
        "kind-not-indexed",
        "new nodes are missing from the index of kinds",
    ),
    (
        "deleted-node-keeps-its-name",
        "a deleted node stays in the index of names",
    ),
    (
        "deleted-node-keeps-an-edge",
        "deleting a node leaves one of its edges",
    ),
    (
        "edge-in-one-direction",
        "an edge is missing from its target's side",
    ),
    ("edge-not-counted", "inserted edges are not counted"),
    (
        "ordinals-start-over",
        "a parallel edge replaces an earlier one",
    ),
    (
        "kinds-not-logged",
        "a record does not carry the kinds that it introduces",
    ),
    (
        "savepoint-keeps-changes",
        "rolling back to a savepoint keeps the changes",
    ),
    ("merge-loses-an-item", "merging into a page loses an item"),
];

/// Bugs that only show when threads meet; `engine/tests/schedules.rs` looks for them.
pub const RACES: &[(&str, &str)] = &[(
    "checkpoint-misses-commits",
    "a commit between freezing the changes and starting the next log segment is in neither",
)];
