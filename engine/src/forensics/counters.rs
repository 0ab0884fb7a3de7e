//! The registry: every counter, with name, unit, meaning and group.

use crate::format::page::PageKind;

/// What a counter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Group {
    /// What the caller asked for.
    Calls,
    /// Pages read from the database file and written to it.
    Pages,
    /// Whether a page was in memory when it was wanted.
    Cache,
    /// Ways down a tree and along its leaves.
    Trees,
    /// Rewriting leaves and branches.
    Merge,
    /// Turning bytes into nodes and edges.
    Decode,
    /// Committed changes that are not in the trees yet.
    Delta,
    /// The log.
    Log,
    /// Header slots, lengths and names of files.
    Files,
    /// Scratch space of a bulk load.
    Scratch,
    /// Pages taken and given back.
    Space,
    /// Moving what is logged into the trees.
    Checkpoint,
    /// What opening replayed.
    Recovery,
    /// Waiting for another thread.
    Waits,
}

impl Group {
    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Calls => "calls",
            Group::Pages => "pages",
            Group::Cache => "cache",
            Group::Trees => "trees",
            Group::Merge => "merge",
            Group::Decode => "decode",
            Group::Delta => "delta",
            Group::Log => "log",
            Group::Files => "files",
            Group::Scratch => "scratch",
            Group::Space => "space",
            Group::Checkpoint => "checkpoint",
            Group::Recovery => "recovery",
            Group::Waits => "waits",
        }
    }
}

macro_rules! counters {
    ($($group:ident { $($counter:ident $name:literal $unit:literal $meaning:literal)* })*) => {
        /// Something that is counted. One event each, counted where it happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Counter {
            $($(#[doc = $meaning] $counter,)*)*
        }

        impl Counter {
            /// Every counter, group by group.
            pub const ALL: &'static [Counter] = &[$($(Counter::$counter,)*)*];

            /// The name used in reports and scenarios, unique.
            pub const fn name(self) -> &'static str {
                match self { $($(Counter::$counter => $name,)*)* }
            }

            /// What it counts: `calls`, `pages`, `bytes`, …
            pub const fn unit(self) -> &'static str {
                match self { $($(Counter::$counter => $unit,)*)* }
            }

            /// What one of it means, in a sentence's half.
            pub const fn meaning(self) -> &'static str {
                match self { $($(Counter::$counter => $meaning,)*)* }
            }

            /// What it is about.
            pub const fn group(self) -> Group {
                match self { $($(Counter::$counter => Group::$group,)*)* }
            }
        }
    };
}

counters! {
    Calls {
        ReadTransactions "read_transactions" "calls" "snapshots begun by `begin_read`"
        WriteTransactions "write_transactions" "calls" "write transactions begun"
        NodeGets "node_gets" "calls" "nodes asked for by id, found or not"
        NodeChecks "node_checks" "calls" "questions whether a node exists, by a reader"
        NeighborLists "neighbor_lists" "calls" "lists of neighbours begun"
        EdgeLists "edge_lists" "calls" "lists of edges begun"
        EdgeGets "edge_gets" "calls" "single edges asked for, found or not"
        DegreeCalls "degree_calls" "calls" "degrees asked for"
        Scans "scans" "calls" "walks over nodes, or nodes of a kind, name or prefix, begun"
        Searches "searches" "calls" "breadth-first searches and k-hop questions run"
        PathSearches "path_searches" "calls" "shortest paths asked for"
        NodesInserted "nodes_inserted" "nodes" "nodes inserted into transactions and bulk loads"
        NodesUpdated "nodes_updated" "nodes" "nodes changed in transactions"
        NodesDeleted "nodes_deleted" "nodes" "nodes deleted in transactions"
        EdgesInserted "edges_inserted" "edges" "edges inserted into transactions and bulk loads"
        EdgesUpdated "edges_updated" "edges" "edges whose data was replaced in transactions"
        EdgesDeleted "edges_deleted" "edges" "edges deleted in transactions, one by one or with a node"
        BytesGiven "bytes_given" "bytes" "names and data given by writers, and 8 bytes for each node and 14 for each edge (id and kind; two ids and label)"
        CommitsLogged "commits_logged" "commits" "commits made by one record in the log"
        CommitsFlipped "commits_flipped" "commits" "commits made by new tree pages and a record that names them"
        CommitsEmpty "commits_empty" "commits" "commits with nothing to do"
        SavepointRollbacks "savepoint_rollbacks" "calls" "returns to a savepoint"
        BulkLoads "bulk_loads" "calls" "bulk loads begun"
    }
    Pages {
        PagesReadLeaf "pages_read_leaf" "pages" "leaves read from the file"
        PagesReadBranch "pages_read_branch" "pages" "branches directly above leaves read from the file"
        PagesReadUpper "pages_read_upper" "pages" "branches at level 2 and above read from the file"
        PagesReadBlobIndex "pages_read_blob_index" "pages" "index pages of large data read from the file"
        PagesReadBlobData "pages_read_blob_data" "pages" "pages of large data read from the file"
        PagesReadFreelist "pages_read_freelist" "pages" "freelist pages read from the file"
        PageReadBytes "page_read_bytes" "bytes" "bytes of all those pages"
        PagesWrittenLeaf "pages_written_leaf" "pages" "leaves written"
        PagesWrittenBranch "pages_written_branch" "pages" "branches directly above leaves written"
        PagesWrittenUpper "pages_written_upper" "pages" "branches at level 2 and above written"
        PagesWrittenBlobIndex "pages_written_blob_index" "pages" "index pages of large data written"
        PagesWrittenBlobData "pages_written_blob_data" "pages" "pages of large data written"
        PagesWrittenFreelist "pages_written_freelist" "pages" "freelist pages written"
        PageWrites "page_writes" "calls" "writes to the file, of one page or of several in a row"
        PageWrittenBytes "page_written_bytes" "bytes" "bytes of pages handed to the operating system"
        PageSyncs "page_syncs" "syncs" "syncs of the database that made pages durable"
    }
    Cache {
        CacheAccesses "cache_accesses" "pages" "tree pages wanted through the page cache"
        CacheHits "cache_hits" "pages" "of those, found in it"
        CacheMisses "cache_misses" "pages" "of those, read from the file"
        CacheEvictions "cache_evictions" "pages" "pages that had to make room for others"
        PassingAccesses "passing_accesses" "pages" "tree pages wanted by merges and checks, which leave the cache alone"
        PassingHits "passing_hits" "pages" "of those, found in the cache"
        PassingMisses "passing_misses" "pages" "of those, read from the file"
        DirectReads "direct_reads" "pages" "pages always read from the file: large data, freelist, roots after a merge"
        TraversalAccesses "traversal_accesses" "pages" "tree pages wanted by a walk through its own cache"
        TraversalHits "traversal_hits" "pages" "of those, found in it"
        TraversalMisses "traversal_misses" "pages" "of those, wanted through the page cache"
    }
    Trees {
        Descents "descents" "descents" "ways from a root down to the level wanted"
        DescentPages "descent_pages" "pages" "branches passed on those ways"
        LeafSteps "leaf_steps" "steps" "steps from a page to its neighbour on the same level"
    }
    Merge {
        Merges "merges" "merges" "batches merged into a tree"
        MergeRuns "merge_runs" "runs" "runs of neighbouring pages rewritten, on all levels"
        MergeChanges "merge_changes" "items" "items added, replaced or removed in those trees"
        LeavesReplaced "leaves_replaced" "pages" "leaves that a merge rewrote"
        BranchesReplaced "branches_replaced" "pages" "branches that a merge rewrote"
        ItemsCarried "items_carried" "items" "items of replaced leaves that moved unchanged, or were replaced"
    }
    Decode {
        NodesDecoded "nodes_decoded" "cells" "node cells decoded for readers"
        BlocksDecoded "blocks_decoded" "cells" "blocks of edges decoded for readers"
        EdgesDecoded "edges_decoded" "edges" "edges decoded from those blocks"
        LeavesDecoded "leaves_decoded" "pages" "whole leaves decoded, by walks over a key space and by merges"
        BytesCopied "bytes_copied" "bytes" "data copied out of pages: large data, records about to change, data of edges found from their targets"
    }
    Delta {
        DeltaLookups "delta_lookups" "lookups" "keys looked up among changes that are not in the trees yet"
        DeltaHits "delta_hits" "lookups" "of those, found there"
        DeltaScans "delta_scans" "scans" "walks begun over those changes"
    }
    Log {
        LogAppends "log_appends" "records" "records appended"
        LogAppendBytes "log_append_bytes" "bytes" "bytes of those records"
        LogAheadBytes "log_ahead_bytes" "bytes" "zeros written ahead of the records"
        LogSegments "log_segments" "segments" "segments begun"
        LogSegmentBytes "log_segment_bytes" "bytes" "bytes written to begin them"
        LogSyncs "log_syncs" "syncs" "syncs of the log"
        LogSyncsJoined "log_syncs_joined" "commits" "commits that became durable by a sync another one issued"
        LogReadBytes "log_read_bytes" "bytes" "bytes of the log read by recovery"
    }
    Files {
        SlotReads "slot_reads" "slots" "header slots read"
        SlotReadBytes "slot_read_bytes" "bytes" "bytes of those slots"
        SlotWrites "slot_writes" "slots" "header slots written, each with a sync of the database"
        SlotWriteBytes "slot_write_bytes" "bytes" "bytes of those slots"
        SlotSyncs "slot_syncs" "syncs" "syncs of slots that an earlier process may have left unsynced"
        LengthChanges "length_changes" "calls" "times the length of the database file was set"
        LengthSyncs "length_syncs" "syncs" "syncs that made a length durable"
        DirectorySyncs "directory_syncs" "syncs" "syncs that made the names of files durable"
    }
    Scratch {
        ScratchWriteBytes "scratch_write_bytes" "bytes" "bytes of sorted runs written by a bulk load"
        ScratchReadBytes "scratch_read_bytes" "bytes" "bytes of sorted runs read back"
    }
    Space {
        PagesAllocated "pages_allocated" "pages" "pages taken for a change"
        PagesGrown "pages_grown" "pages" "of those, taken by lengthening the file"
        PagesReused "pages_reused" "pages" "of those, free before"
        PagesDropped "pages_dropped" "pages" "pages that a new state does not reach any more"
        PagesRestored "pages_restored" "pages" "of those, in use again because the change did not come about"
        PagesFreed "pages_freed" "pages" "dropped and kept pages that nobody reaches any more"
        PagesUnwound "pages_unwound" "pages" "allocated pages given back because the change did not come about"
        PagesKept "pages_kept" "pages" "allocated pages of a change that did not come about, kept because a view of it is held"
        PagesTrimmed "pages_trimmed" "pages" "free pages left out at the end of the file"
    }
    Checkpoint {
        Checkpoints "checkpoints" "checkpoints" "checkpoints begun"
        CheckpointSlices "checkpoint_slices" "slices" "slices merged and published"
        CheckpointPages "checkpoint_pages" "pages" "pages allocated by those slices, freelist included"
        Spills "spills" "spills" "times a transaction outgrew the write buffer and wrote pages ahead of its commit"
    }
    Recovery {
        RecoveryRecords "recovery_records" "records" "log records replayed by opening"
        RecoveryBytes "recovery_bytes" "bytes" "bytes of those records"
    }
    Waits {
        WriterWaits "writer_waits" "waits" "times a writer waited for the one before"
        TreesWaits "trees_waits" "waits" "times somebody waited for a change of the trees to end"
    }
}

/// A page's place among the kinds that are counted apart.
#[derive(Clone, Copy)]
enum Class {
    Leaf,
    Branch,
    Upper,
    BlobIndex,
    BlobData,
    Freelist,
}

impl Class {
    fn of(kind: PageKind, level: u8) -> Class {
        match (kind, level) {
            (PageKind::Sorted | PageKind::NamesLeaf, 0) => Class::Leaf,
            (PageKind::Sorted | PageKind::NamesLeaf, 1) => Class::Branch,
            (PageKind::Sorted | PageKind::NamesLeaf, _) => Class::Upper,
            (PageKind::BlobIndex, _) => Class::BlobIndex,
            (PageKind::BlobData, _) => Class::BlobData,
            (PageKind::Freelist, _) => Class::Freelist,
        }
    }
}

impl Counter {
    /// What counts reads of such pages.
    pub const READS: [Counter; 6] = [
        Counter::PagesReadLeaf,
        Counter::PagesReadBranch,
        Counter::PagesReadUpper,
        Counter::PagesReadBlobIndex,
        Counter::PagesReadBlobData,
        Counter::PagesReadFreelist,
    ];

    /// What counts writes of such pages.
    pub const WRITES: [Counter; 6] = [
        Counter::PagesWrittenLeaf,
        Counter::PagesWrittenBranch,
        Counter::PagesWrittenUpper,
        Counter::PagesWrittenBlobIndex,
        Counter::PagesWrittenBlobData,
        Counter::PagesWrittenFreelist,
    ];

    pub(super) fn read_of(kind: PageKind, level: u8) -> Counter {
        match Class::of(kind, level) {
            Class::Leaf => Counter::PagesReadLeaf,
            Class::Branch => Counter::PagesReadBranch,
            Class::Upper => Counter::PagesReadUpper,
            Class::BlobIndex => Counter::PagesReadBlobIndex,
            Class::BlobData => Counter::PagesReadBlobData,
            Class::Freelist => Counter::PagesReadFreelist,
        }
    }

    pub(super) fn write_of(kind: PageKind, level: u8) -> Counter {
        match Class::of(kind, level) {
            Class::Leaf => Counter::PagesWrittenLeaf,
            Class::Branch => Counter::PagesWrittenBranch,
            Class::Upper => Counter::PagesWrittenUpper,
            Class::BlobIndex => Counter::PagesWrittenBlobIndex,
            Class::BlobData => Counter::PagesWrittenBlobData,
            Class::Freelist => Counter::PagesWrittenFreelist,
        }
    }

    /// The counter with this name.
    pub fn by_name(name: &str) -> Option<Counter> {
        Counter::ALL
            .iter()
            .copied()
            .find(|counter| counter.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<&str> = Counter::ALL.iter().map(|counter| counter.name()).collect();
        assert_eq!(names.len(), Counter::ALL.len());
        for (place, counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(*counter as usize, place);
            assert_eq!(Counter::by_name(counter.name()), Some(*counter));
            assert!(!counter.unit().is_empty() && !counter.meaning().is_empty());
        }
    }

    #[test]
    fn bytes_are_called_so() {
        for counter in Counter::ALL {
            let bytes = counter.name().starts_with("bytes_") || counter.name().ends_with("_bytes");
            assert_eq!(bytes, counter.unit() == "bytes", "{}", counter.name());
        }
    }
}
