//! What really happened in a session, so that an idle one cannot pass.

use std::collections::BTreeSet;

use vellum::Stats;
use vellum::format::page::PageKind;
use vellum::storage::sim::{Change, Event};

/// Bytes of a page. Header slots are smaller, and the log writes no whole page.
const PAGE: usize = 4096;

/// Counted where it happens, or read off the recorded events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saw {
    pub(crate) commits: u64,
    pub(crate) log_commits: u64,
    pub(crate) flip_commits: u64,
    pub(crate) group_commits: u64,
    /// Commits whose sync was another's.
    pub(crate) joined_syncs: u64,
    pub(crate) relaxed_commits: u64,
    pub(crate) rollbacks: u64,
    pub(crate) savepoints: u64,
    pub(crate) checkpoints: u64,
    pub(crate) creates: u64,
    pub(crate) opens: u64,
    pub(crate) closes: u64,
    pub(crate) read_only_opens: u64,
    pub(crate) bulk_loads: u64,
    pub(crate) compactions: u64,
    pub(crate) backups: u64,
    /// Edges of the node with the most.
    pub(crate) supernode_edges: u64,
    /// Trees that had more pages after a checkpoint than before.
    pub(crate) split_trees: BTreeSet<&'static str>,
    /// Trees that had fewer.
    pub(crate) merged_trees: BTreeSet<&'static str>,
    /// Pages written where a page had been written before.
    pub(crate) reused_pages: u64,
    /// Pages that hold parts of large data.
    pub(crate) blob_pages: u64,
    /// Segments of the log that were begun; from the third on, they reuse space.
    pub(crate) log_segments: u64,
}

macro_rules! numbers {
    ($($name:ident),* $(,)?) => {
        impl Saw {
            /// Every count, by the name of its metric.
            pub(crate) fn numbers(&self) -> Vec<(&'static str, u64)> {
                vec![$((concat!("saw.", stringify!($name)), self.$name)),*]
            }

            fn numbers_mut(&mut self) -> Vec<(&'static str, &mut u64)> {
                vec![$((stringify!($name), &mut self.$name)),*]
            }
        }
    };
}

numbers!(
    commits,
    log_commits,
    flip_commits,
    group_commits,
    joined_syncs,
    relaxed_commits,
    rollbacks,
    savepoints,
    checkpoints,
    creates,
    opens,
    closes,
    read_only_opens,
    bulk_loads,
    compactions,
    backups,
    supernode_edges,
    reused_pages,
    blob_pages,
    log_segments,
);

impl Saw {
    /// Which trees grew and which shrank between two checkpoints.
    pub(super) fn compare(&mut self, before: &Stats, after: &Stats) {
        for (before, after) in before.trees.iter().zip(&after.trees) {
            // The first page of a tree is no split.
            if after.pages > before.pages && before.pages > 0 {
                self.split_trees.insert(after.space.name());
            }
            if after.pages < before.pages {
                self.merged_trees.insert(after.space.name());
            }
        }
    }

    /// Of several sessions: sums, and what every one of them saw of trees.
    pub(crate) fn add(&mut self, other: &Saw) {
        let first = self.creates == 0;
        for ((_, sum), (_, more)) in self.numbers_mut().into_iter().zip(other.numbers()) {
            *sum += more;
        }
        if first {
            self.split_trees.clone_from(&other.split_trees);
            self.merged_trees.clone_from(&other.merged_trees);
        } else {
            self.split_trees
                .retain(|tree| other.split_trees.contains(tree));
            self.merged_trees
                .retain(|tree| other.merged_trees.contains(tree));
        }
    }
}

/// What the recorded events tell.
pub(super) fn of_events(saw: &mut Saw, events: &[Event]) {
    let main = events.iter().find_map(|event| match event {
        Event::Change(Change::Create { file, .. }) => Some(*file),
        _ => None,
    });
    let mut written = BTreeSet::new();
    for event in events {
        let Event::Change(Change::Write { file, offset, data }) = event else {
            continue;
        };
        if data.starts_with(b"VellumLG") {
            saw.log_segments += 1;
        }
        if Some(*file) != main {
            continue;
        }
        // Neighbouring pages are written together; header slots are smaller than a page.
        for (offset, page) in (*offset..).step_by(PAGE).zip(data.chunks_exact(PAGE)) {
            saw.reused_pages += u64::from(!written.insert(offset));
            let kind = page.first().copied().unwrap_or_default();
            let blob = kind == PageKind::BlobData as u8 || kind == PageKind::BlobIndex as u8;
            saw.blob_pages += u64::from(blob);
        }
    }
}
