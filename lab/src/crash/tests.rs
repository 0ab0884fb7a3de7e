#![allow(clippy::unwrap_used)]

use vellum::storage::sim::{Change, Event};

use super::states::Bounds;
use super::workload::{self, Session};
use super::{Outcome, enumerate};

const BOUNDS: Bounds = Bounds {
    exhaustive: 4,
    samples: 4,
    tears: 4,
};

fn outcome(session: &Session, events: &[Event]) -> Outcome {
    enumerate(events, &session.digests, BOUNDS, 1)
}

/// Every way into the file was gone, so that nothing passes by not having happened.
#[test]
fn the_small_workload_does_what_it_is_for() {
    let session = workload::run(1).unwrap();
    let saw = session.saw;
    assert!(saw.log_commits >= 30 && saw.root_commits >= 2, "{saw:?}");
    assert!(saw.savepoints >= 10 && saw.rollbacks >= 1, "{saw:?}");
    assert!(
        saw.checkpoints >= 3 && saw.trees_of_two_levels >= 3,
        "{saw:?}"
    );
    let halves = session.events.iter().filter_map(|event| match event {
        Event::Change(Change::Write { offset, data, .. }) if data.starts_with(b"VellumLG") => {
            Some(*offset)
        }
        _ => None,
    });
    let mut halves: Vec<u64> = halves.collect();
    assert!(halves.len() >= 3, "the log was recycled: {halves:?}");
    halves.sort_unstable();
    halves.dedup();
    assert_eq!(halves, [0, 64 << 10]);
}

#[test]
fn the_same_seed_gives_the_same_session() {
    let (first, again) = (workload::run(2).unwrap(), workload::run(2).unwrap());
    assert!(first.events == again.events);
    assert_eq!(first.digests, again.digests);
}

#[test]
fn no_crash_loses_what_was_acknowledged() {
    let session = workload::run(1).unwrap();
    let outcome = outcome(&session, &session.events);
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    assert!(
        outcome.distinct > 2_000 && outcome.second > 200,
        "{outcome:?}"
    );
    assert!(outcome.examined < outcome.distinct + outcome.second);
}

/// A session without some of its syncs is what an engine does that forgets them.
#[test]
fn a_missing_sync_is_found() {
    let session = workload::run(1).unwrap();
    let log = session.events.iter().find_map(|event| match event {
        Event::Change(Change::Create { file, name }) if &**name == "graph-log-new" => Some(*file),
        _ => None,
    });
    let log = log.unwrap();
    for forgotten in [Event::Sync(log), Event::Sync(0), Event::SyncDirectory] {
        let mut events = session.events.clone();
        events.retain(|event| *event != forgotten);
        let outcome = outcome(&session, &events);
        assert!(!outcome.violations.is_empty(), "{forgotten:?}");
    }
}
