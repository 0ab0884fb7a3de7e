//! The fields of the sections about crashes, faults and damage.

use super::Takes::{Choice, Texts, Whole};
use super::{Field, field};

pub(super) const CRASH: &[Field] = &[
    field(
        "workload",
        Choice(&[
            "small",
            "create",
            "log-commit",
            "flip-commit",
            "checkpoint",
            "bulk-load",
            "compact-and-backup",
            "group-commit",
            "relaxed-commit",
            "read-only-open",
            "savepoint",
        ]),
        "needed where `via` is `simulated`",
        "what the session does that is crashed",
    ),
    field(
        "via",
        Choice(&["simulated", "sigkill", "power-ext4", "power-xfs"]),
        "simulated",
        "what makes the crashes: an enumeration on a simulated disk; or, at random moments, the death of a process (which tests no sync) or of a real file system's power. What the machine does not permit is skipped by name, exit code 5",
    ),
    field(
        "cycles",
        Whole,
        "1000",
        "how often, where `via` is not `simulated`; every other field is for `simulated`",
    ),
    field(
        "sessions",
        Whole,
        "1",
        "sessions recorded, each with the next seed",
    ),
    field(
        "recordings",
        Whole,
        "1",
        "how often each is recorded, to compare the events",
    ),
    field(
        "depth",
        Whole,
        "1",
        "crashes on top of each other, at most 3",
    ),
    field(
        "exhaustive",
        Whole,
        "12",
        "pending changes of which all subsets are made, at most 16",
    ),
    field(
        "samples",
        Whole,
        "32",
        "random subsets, and pairs, beyond that",
    ),
    field(
        "tears",
        Whole,
        "64",
        "ways in which the newest write is torn, if it is a log record or a header slot",
    ),
    field(
        "page_tears",
        Whole,
        "256",
        "the same if it is one of whole pages",
    ),
    field(
        "older_tears",
        Whole,
        "2",
        "ways in which each older pending write is torn",
    ),
    field(
        "failing_syncs",
        Whole,
        "0",
        "of so many syncs one is made to fail, in three ways; 0 for none",
    ),
    field(
        "third_of",
        Whole,
        "64",
        "of so many recoveries from a second crash one is crashed again",
    ),
    field(
        "most_states",
        Whole,
        "2^40",
        "distinct states after which the run ends",
    ),
    field(
        "threads",
        Whole,
        "one a core",
        "threads that recover and judge",
    ),
];

pub(super) const FAULTS: &[Field] = &[
    field(
        "via",
        Choice(&[
            "simulated",
            "failed-sync",
            "full-disk",
            "double-open",
            "strace",
        ]),
        "simulated",
        "what makes the faults: a simulated disk that goes through all of them; or a real file system whose storage runs out, one that fills up, openers that race, system calls that fail by injection. What the machine does not permit is skipped by name, exit code 5",
    ),
    field(
        "part",
        Choice(&["every-call", "syncs", "untold"]),
        "every-call",
        "which faults: every call in every way that the caller is told of; syncs alone; writes that are lost or go elsewhere though reported as done",
    ),
    field("stride", Whole, "1", "one of so many calls is made to fail"),
    field(
        "threads",
        Whole,
        "one a core",
        "threads that carry out and judge",
    ),
    field(
        "cycles",
        Whole,
        "1000",
        "how often, where `via` is not `simulated`; every other field is for `simulated`",
    ),
];

pub(super) const DAMAGE: &[Field] = &[
    field(
        "ways",
        Texts,
        "all",
        "what is done to the files: `bits`, `log-bits`, `swapped-pages`, `older-pages`, `zeroed-pages`, `swapped-sectors`, `swapped-bytes`, `swapped-words`, `zeroed-sectors`, `truncated`, `truncated-log`, `garbage-tails`, `resealed-fields`, `resealed-log`",
    ),
    field(
        "page_sizes",
        Texts,
        "4 KiB, 4 KiB, 8 KiB",
        "sizes of pages, one database for each, with seeds one after the other",
    ),
    field(
        "stride",
        Whole,
        "1",
        "one of so many places of the first database is damaged, but some 200 at least",
    ),
    field(
        "stride_of_others",
        Whole,
        "`stride`",
        "the same for the other databases",
    ),
    field(
        "threads",
        Whole,
        "one a core",
        "threads that damage and judge",
    ),
];

pub(super) const ORACLE: &[Field] = &[field(
    "rules",
    Texts,
    "check, commit, again",
    "what must hold of each state besides that it opens and shows a commit between the newest acknowledged and the newest begun: `check`, `commit`, `again`, `read-only`",
)];
