//! What a power cut leaves of a recorded session.

use vellum::storage::sim::{Change, Disk, Event, SyncFailure};

use crate::random::Random;

/// What becomes of the changes that no sync has covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Survivors {
    /// All are lost.
    None,
    /// All are kept.
    All,
    /// Each is kept or lost by the toss of a coin.
    Some,
}

impl Survivors {
    pub(crate) const EACH: [Survivors; 3] = [Survivors::None, Survivors::All, Survivors::Some];
}

/// The disk after a power cut at the end of these events.
pub(crate) fn cut(start: &Disk, events: &[Event], survivors: Survivors, seed: u64) -> Disk {
    let mut disk = start.clone();
    // With each pending change, whether a failed sync counts it as written: no later one covers it.
    let mut pending: Vec<(&Change, bool)> = Vec::new();
    for event in events {
        match event {
            Event::Change(change) => pending.push((change, false)),
            Event::Sync(file) => settle(&mut disk, &mut pending, Some(*file)),
            Event::SyncDirectory => settle(&mut disk, &mut pending, None),
            Event::SyncFailed(file, failure) => match failure {
                SyncFailure::Dirty => {}
                SyncFailure::Clean => {
                    let of_file = pending.iter_mut();
                    of_file
                        .filter(|(change, _)| change.file() == Some(*file))
                        .for_each(|(_, forgotten)| *forgotten = true);
                }
                SyncFailure::Dropped => pending.retain(|(change, _)| change.file() != Some(*file)),
            },
            Event::Mark(_) => {}
        }
    }
    let mut random = Random::new(seed, 5);
    for (change, _) in pending {
        let kept = match survivors {
            Survivors::None => false,
            Survivors::All => true,
            Survivors::Some => random.below(2) == 1,
        };
        if kept {
            disk.apply(change);
        }
    }
    disk
}

fn settle(disk: &mut Disk, pending: &mut Vec<(&Change, bool)>, file: Option<usize>) {
    pending.retain(|(change, forgotten)| {
        let covered = change.file() == file && !forgotten;
        if covered {
            disk.apply(change);
        }
        !covered
    });
}
