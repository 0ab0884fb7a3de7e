use std::collections::BTreeSet;

use vellum::storage::sim::{Change, Disk, Event, SyncFailure};

use super::*;
use crate::crash::marks::{Mark, Promise, Version};

const ALL: Bounds = Bounds {
    exhaustive: 12,
    samples: 0,
    tears: 0,
    page_tears: 0,
    older_tears: 0,
    fills: &Fill::ALL,
};

fn write(offset: u64, byte: u8) -> Event {
    Event::Change(Change::Write {
        file: 0,
        offset,
        data: [byte].as_slice().into(),
    })
}

struct Seen {
    bytes: Vec<u8>,
    at: usize,
    promise: Promise,
}

fn states_from(mut walk: Walk, events: &[Event], bounds: Bounds) -> Vec<Seen> {
    let mut found = Vec::new();
    let mut random = Random::new(1, 1);
    for event in events {
        let fresh = walk.step(event);
        choices(&walk, fresh, bounds, &mut random, &mut |choice| {
            let disk = walk.disk(&choice, 1);
            found.push(Seen {
                bytes: disk
                    .named("f")
                    .map(|image| image.to_vec())
                    .unwrap_or_default(),
                at: walk.at,
                promise: walk.promise,
            });
            true
        });
    }
    found
}

fn states(events: &[Event], bounds: Bounds) -> Vec<Seen> {
    states_from(Walk::new(Disk::default()), events, bounds)
}

fn bytes(seen: &[Seen]) -> BTreeSet<Vec<u8>> {
    seen.iter().map(|state| state.bytes.clone()).collect()
}

fn set(of: &[&[u8]]) -> BTreeSet<Vec<u8>> {
    of.iter().map(|bytes| bytes.to_vec()).collect()
}

fn created() -> Vec<Event> {
    let create = Change::Create {
        file: 0,
        name: "f".into(),
    };
    vec![Event::Change(create), Event::SyncDirectory]
}

#[test]
fn unsynced_writes_survive_in_any_subset() {
    let mut events = created();
    events.extend([write(0, 1), write(1, 2), write(2, 3)]);
    let expected: [&[u8]; 8] = [
        &[],
        &[1],
        &[0, 2],
        &[1, 2],
        &[0, 0, 3],
        &[1, 0, 3],
        &[0, 2, 3],
        &[1, 2, 3],
    ];
    assert_eq!(bytes(&states(&events, ALL)), set(&expected));
}

/// With more changes than all subsets are made of, the stated ones are still there.
#[test]
fn beyond_the_bound_the_simple_subsets_are_made() {
    let mut events = created();
    events.extend((0..6u8).map(|i| write(u64::from(i), i + 1)));
    let few = Bounds {
        exhaustive: 2,
        ..ALL
    };
    let seen = bytes(&states(&events, few));
    let whole: Vec<u8> = (1..=6).collect();
    for cut in 0..=6 {
        assert!(seen.contains(&whole[..cut]), "a prefix of {cut}");
    }
    for lost in 0..5 {
        let mut one_lost = whole.clone();
        one_lost[lost] = 0;
        assert!(seen.contains(&one_lost), "without {lost}");
    }
    assert!(seen.len() < 1 << 6);
}

#[test]
fn what_is_synced_stays() {
    let mut events = created();
    events.extend([write(0, 1), Event::Sync(0), write(0, 2)]);
    let seen = states(&events, ALL);
    let mut after = seen.iter().filter(|state| state.at > 3);
    assert!(after.all(|state| !state.bytes.is_empty()));
    assert!(seen.iter().any(|state| state.bytes == [2]));
}

#[test]
fn a_sync_covers_what_was_written_before_it_was_called() {
    let mut events = created();
    events.extend([
        write(0, 1),
        Event::Mark(Mark::SyncCalled(0).number()),
        write(1, 2),
        Event::Sync(0),
    ]);
    let seen = states(&events, ALL);
    let last = seen.iter().filter(|state| state.at == 6);
    let last: BTreeSet<Vec<u8>> = last.map(|state| state.bytes.clone()).collect();
    assert_eq!(last, set(&[&[1], &[1, 2]]));
}

#[test]
fn names_need_their_own_sync() {
    let create = Change::Create {
        file: 0,
        name: "f".into(),
    };
    let events = [Event::Change(create), write(0, 1), Event::Sync(0)];
    let lost = states(&events, ALL)
        .into_iter()
        .filter(|state| state.at == 3 && state.bytes.is_empty());
    assert_eq!(lost.count(), 1);
}

#[test]
fn a_failed_sync_settles_nothing_and_may_drop_everything() {
    for (failure, kept) in [
        (SyncFailure::Dirty, true),
        (SyncFailure::Clean, true),
        (SyncFailure::Dropped, false),
    ] {
        let mut events = created();
        events.extend([write(0, 1), Event::SyncFailed(0, failure)]);
        let seen = states(&events, ALL);
        let after: Vec<_> = seen.iter().filter(|state| state.at == 4).collect();
        assert!(after.iter().any(|state| state.bytes.is_empty()));
        assert_eq!(after.iter().any(|state| state.bytes == [1]), kept);
    }
}

#[test]
fn what_a_failed_sync_forgot_no_later_sync_covers() {
    let mut events = created();
    events.extend([
        write(0, 1),
        Event::SyncFailed(0, SyncFailure::Clean),
        Event::Sync(0),
    ]);
    let lost = |events: &[Event]| {
        let seen = states(events, ALL);
        seen.iter()
            .any(|state| state.at == 5 && state.bytes.is_empty())
    };
    assert!(lost(&events));
    events[3] = Event::SyncFailed(0, SyncFailure::Dirty);
    assert!(!lost(&events));
}

#[test]
fn marks_say_what_was_promised() {
    let one = Version::of(1, 0);
    let mut events = created();
    events.extend([
        Event::Mark(Mark::Begun(one).number()),
        write(0, 1),
        Event::Sync(0),
        Event::Mark(Mark::Acked(one).number()),
    ]);
    let seen = states(&events, ALL);
    let at = |at: usize| {
        seen.iter()
            .find(|state| state.at == at && state.bytes == [1])
    };
    let acked = |at_event| at(at_event).map(|state| (state.promise.acked, state.promise.begun));
    assert_eq!(acked(4), Some((Version::default(), one)));
    assert_eq!(acked(6), Some((one, one)));
}

#[test]
fn a_torn_write_leaves_some_of_its_sectors() {
    let mut events = created();
    events.push(Event::Change(Change::Write {
        file: 0,
        offset: 0,
        data: vec![7; 3 * 512].into(),
    }));
    let all = Bounds {
        tears: usize::MAX,
        page_tears: usize::MAX,
        ..ALL
    };
    let torn = bytes(&states(&events, all));
    let first_only = [vec![7; 512], vec![0; 1024]].concat();
    assert!(torn.contains(&vec![7; 512]), "the rest was never there");
    assert!(torn.contains(&first_only), "the rest reads as zeros");
    let middle = torn.iter().any(|bytes| {
        bytes.len() == 1536 && bytes[512..1024] == [7; 512] && bytes[..512] == [0; 512]
    });
    assert!(middle);
}

/// What recovery did not see may be there after the next crash, until a sync rules it out.
#[test]
fn lost_writes_may_surface_after_the_next_crash() {
    let mut first = Walk::new(Disk::default());
    for event in created().iter().chain(&[write(0, 1)]) {
        first.step(event);
    }
    let choice = Choice::keeping(Bits::of(1, |_| false));
    let disk = first.disk(&choice, 1);
    let second = first.after_crash(&choice, disk);
    let seen = states_from(
        second.clone(),
        &[write(1, 2), Event::Sync(0), write(2, 3)],
        ALL,
    );
    let at = |at: usize| -> BTreeSet<Vec<u8>> {
        let here = seen.iter().filter(|state| state.at == at);
        here.map(|state| state.bytes.clone()).collect()
    };
    assert_eq!(at(1), set(&[&[0, 2], &[1], &[1, 2]]));
    assert_eq!(at(3), set(&[&[0, 2, 3]]));
}

/// A process that died leaves everything to be seen and nothing more durable than it was.
#[test]
fn what_a_dead_process_left_is_not_durable() {
    let mut first = Walk::new(Disk::default());
    for event in created().iter().chain(&[write(0, 1)]) {
        first.step(event);
    }
    let events = [write(1, 2), Event::Sync(0), write(2, 3)];
    let seen = states_from(first.after_death(), &events, ALL);
    assert!(
        seen.iter()
            .any(|state| state.at == 1 && state.bytes == [0, 2])
    );
    let mut after = seen.iter().filter(|state| state.at > 1);
    assert!(after.all(|state| state.bytes.starts_with(&[1, 2])));
}
