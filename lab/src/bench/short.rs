//! What profiles say of rows that fall short: shown beside a row only where it does.

/// Where the time goes, for a row's key.
pub(super) fn why(key: &str) -> Option<&'static str> {
    WHY.iter()
        .find(|(keys, _)| keys.contains(&key))
        .map(|(_, text)| *text)
}

/// Keys of rows, and what is said of them.
pub(super) const WHY: &[(&[&str], &str)] = &[
    (
        &["get"],
        "Of a get's samples (perf), 59 % of those in the lookup stand at one load, the first byte of the node's cell, and most others at the one \
         before it, the place of the cell in its page: a line of memory that the arrays do not have, as they keep where nodes end in a table \
         of their own that stays in the nearest caches. About 400 instructions a get, and no branch is searched.",
    ),
    (
        &["own_snapshot"],
        "110 instructions for a snapshot that is begun and dropped, four of them atomic: the state is looked up, and its view counted.",
    ),
    (
        &["out", "in"],
        "930 instructions for ten edges, half of them to find the block; the profile is flat otherwise: 14 % in finding the leaf, 9 % waiting for the \
         place of the cell, the rest in reading numbers of 20 bits and handing them over. The arrays read 32 bits that stand ready.",
    ),
    (
        &["hops3", "traversal"],
        "After one array of bits and no guess whether a node is new, a quarter of the samples is in telling the numbers of long lists, which \
         are packed by differences, and a seventh in those of short ones; finding blocks and sorting levels take 5 % each. The arrays store \
         every edge in 32 bits and need neither.",
    ),
    (
        &["named", "prefix"],
        "A sample of each leaf's keys is bisected (seven steps in a kilobyte), then up to eight entries are read. What is left of a prefix is \
         ten names that are put together from what they share with the one before, at 50 ns each.",
    ),
    (
        &["node_load"],
        "Of 95 ms for 100,000 nodes a third waits for a hundred syncs of 140 KB each, which every store pays. The rest is the processor's: 12 % \
         for three pieces of memory a node, 10 % for writing the log, 8 % for ordering and encoding, 20 % for the last merge and its syncs.",
    ),
    (
        &["edge_load"],
        "Committing takes 0.18 s for a million edges and closing 0.2 s: the merge runs on one thread, and is not done when the last commit is.",
    ),
    (
        &["bulk"],
        "A third of the samples is in merging sorted edges into leaves of both directions, a sixth in sorting them twice, an eighth in the iterators \
         that make a `String` for each label and name, 5 % in faults of fresh memory. Nodes, creation and close are counted.",
    ),
    (
        &["delete_node"],
        "A single sync takes as long as the goal allows for all: the log is written and synced in 105 µs, and finding and changing some twenty edges in \
         both directions takes 20 µs.",
    ),
    (
        &["threads8"],
        "Eight threads on two processors: a commit takes 20 µs of a processor, the sync in between included, so that the processors are busy.",
    ),
    (
        &["beside_writer"],
        "Two processors share their third cache: other stores' readers slow down as much. A reader's snapshot shares no line of memory that a writer \
         changes.",
    ),
];
