//! What was done for what was asked, as ratios of counters.

use super::counters::Counter;
use super::counts::Counts;

/// Ratios of work to what was asked for. `None` where nothing was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Amplification {
    /// Bytes written to storage (pages, log, header slots, scratch) for each byte given by writers.
    pub write: Option<f64>,
    /// Pages read from the file for each reading call.
    pub read_pages: Option<f64>,
    /// Bytes of pages read from the file for each reading call.
    pub read_bytes: Option<f64>,
    /// Pages looked at, cached or read, for each reading call.
    pub touched_pages: Option<f64>,
    /// Bytes that the database takes for each byte given by writers.
    pub space: Option<f64>,
    /// Syncs of files for each commit that wrote something.
    pub sync: Option<f64>,
    /// Commits for each sync of the log: the size of a group.
    pub group: Option<f64>,
}

/// What counts as one reading call.
const READING: [Counter; 9] = [
    Counter::NodeGets,
    Counter::NodeChecks,
    Counter::NeighborLists,
    Counter::EdgeLists,
    Counter::EdgeGets,
    Counter::DegreeCalls,
    Counter::Scans,
    Counter::Searches,
    Counter::PathSearches,
];

impl Amplification {
    pub(super) fn of(counts: &Counts, file_bytes: Option<u64>) -> Amplification {
        let given = counts.get(Counter::BytesGiven);
        let reading = counts.sum(&READING);
        let touched = counts.sum(&[
            Counter::CacheAccesses,
            Counter::TraversalHits,
            Counter::DirectReads,
        ]);
        Amplification {
            write: ratio(counts.bytes_written(), given),
            read_pages: ratio(counts.pages_read(), reading),
            read_bytes: ratio(counts.get(Counter::PageReadBytes), reading),
            touched_pages: ratio(touched, reading),
            space: file_bytes.and_then(|bytes| ratio(bytes, given)),
            sync: ratio(counts.syncs(), counts.commits()),
            group: ratio(counts.commits(), counts.get(Counter::LogSyncs)),
        }
    }
}

fn ratio(work: u64, asked: u64) -> Option<f64> {
    (asked > 0).then(|| work as f64 / asked as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_what_was_asked() {
        let mut counts = Counts::default();
        assert_eq!(counts.amplification(Some(1)), Amplification::default());
        for (counter, n) in [
            (Counter::BytesGiven, 100),
            (Counter::PageWrittenBytes, 300),
            (Counter::LogAppendBytes, 100),
            (Counter::NodeGets, 3),
            (Counter::Scans, 1),
            (Counter::PagesReadLeaf, 2),
            (Counter::PageReadBytes, 8192),
            (Counter::CacheAccesses, 10),
            (Counter::CommitsLogged, 4),
            (Counter::LogSyncs, 2),
            (Counter::SlotWrites, 6),
        ] {
            counts.add(counter, n);
        }
        let expected = Amplification {
            write: Some(4.0),
            read_pages: Some(0.5),
            read_bytes: Some(2048.0),
            touched_pages: Some(2.5),
            space: Some(5.0),
            sync: Some(2.0),
            group: Some(2.0),
        };
        assert_eq!(counts.amplification(Some(500)), expected);
    }
}
