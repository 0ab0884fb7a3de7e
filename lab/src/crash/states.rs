//! Which states a power cut can leave: what was synced, and any part of the rest.
//!
//! The events of a session are gone through in order. At each boundary between two of them some changes
//! are pending: made, and not covered by a sync yet. A crash keeps any subset of them. With few
//! pending, all subsets are made; with many, all lost, all kept, every prefix, each one lost, each one
//! alone, and random subsets of a stated number. The newest change may also be torn.

use vellum::storage::sim::{Change, Disk, Event, FileNumber, SyncFailure};

use crate::random::Random;

/// How far the enumeration goes at one boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// All subsets are made of at most this many pending changes.
    pub(crate) exhaustive: usize,
    /// Random subsets where there are more.
    pub(crate) samples: u32,
    /// Ways in which the newest write is torn, chosen at random where there are more.
    pub(crate) tears: usize,
}

/// What a torn write leaves in the sectors that did not reach the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// What was there before.
    Old,
    Zeros,
    Garbage,
}

const SECTOR: usize = 512;
/// Header slots are torn at every eighth byte: nothing says that a medium keeps sectors whole.
const SLOT_STEP: usize = 8;
/// All masks of this many sectors are made, and cuts only of larger writes.
const MASKED_SECTORS: usize = 8;

/// What a crash left, and what the survivors must show.
pub(crate) struct State {
    pub(crate) disk: Disk,
    /// Events before the crash.
    pub(crate) at: usize,
    /// The newest commit that was acknowledged.
    pub(crate) acked: u64,
    /// The newest commit that had begun.
    pub(crate) begun: u64,
}

/// A change that no sync has covered.
struct Pending {
    change: Change,
    /// A sync failed and yet counts it as written: no later one will cover it.
    forgotten: bool,
}

/// A mark for a commit that begins.
pub(crate) fn begun(commit: u64) -> u64 {
    commit * 2
}

/// A mark for a commit that was acknowledged as durable.
pub(crate) fn acked(commit: u64) -> u64 {
    commit * 2 + 1
}

/// Goes through the events of one session.
pub(crate) struct Enumerator<'a, V> {
    bounds: Bounds,
    random: Random,
    durable: Disk,
    pending: Vec<Pending>,
    acked: u64,
    begun: u64,
    visit: &'a mut V,
}

impl<'a, V: FnMut(State) -> bool> Enumerator<'a, V> {
    /// From a disk that is durable. `visit` gets every state, and ends the enumeration with `false`.
    pub(crate) fn new(from: Disk, bounds: Bounds, seed: u64, visit: &'a mut V) -> Self {
        Enumerator {
            bounds,
            random: Random::new(seed, 2),
            durable: from,
            pending: Vec::new(),
            acked: 0,
            begun: 0,
            visit,
        }
    }

    /// What was acknowledged and had begun before the first event.
    pub(crate) fn promised(mut self, acked: u64, begun: u64) -> Self {
        (self.acked, self.begun) = (acked, begun);
        self
    }

    /// Visits the states at every boundary. Returns the boundaries seen.
    pub(crate) fn run(mut self, events: &[Event]) -> usize {
        for (at, event) in events.iter().enumerate() {
            let go_on = match event {
                Event::Change(change) => {
                    self.pending.push(Pending {
                        change: change.clone(),
                        forgotten: false,
                    });
                    self.states_with_newest(at + 1)
                }
                Event::Sync(file) => {
                    self.settle(|change| change.file() == Some(*file));
                    self.all_states(at + 1)
                }
                Event::SyncDirectory => {
                    self.settle(|change| change.file().is_none());
                    self.all_states(at + 1)
                }
                Event::SyncFailed(file, failure) => {
                    self.fail(*file, *failure);
                    self.all_states(at + 1)
                }
                Event::Mark(mark) => {
                    let place = if mark % 2 == 0 {
                        &mut self.begun
                    } else {
                        &mut self.acked
                    };
                    *place = mark / 2;
                    mark % 2 == 0 || self.all_states(at + 1)
                }
            };
            if !go_on {
                return at + 1;
            }
        }
        events.len()
    }

    /// Makes the pending changes durable that a sync covers.
    fn settle(&mut self, covered: impl Fn(&Change) -> bool) {
        let durable = &mut self.durable;
        self.pending.retain(|pending| {
            let settled = !pending.forgotten && covered(&pending.change);
            if settled {
                durable.apply(&pending.change);
            }
            !settled
        });
    }

    fn fail(&mut self, file: FileNumber, failure: SyncFailure) {
        let of_file = |pending: &Pending| pending.change.file() == Some(file);
        match failure {
            SyncFailure::Dirty => {}
            SyncFailure::Clean => {
                for pending in self.pending.iter_mut().filter(|pending| of_file(pending)) {
                    pending.forgotten = true;
                }
            }
            SyncFailure::Dropped => self.pending.retain(|pending| !of_file(pending)),
        }
    }

    /// States that every subset of the pending changes leaves.
    fn all_states(&mut self, at: usize) -> bool {
        self.subsets(at, false)
    }

    /// States that hold the newest change, whole or torn; the others were visited before it was made.
    fn states_with_newest(&mut self, at: usize) -> bool {
        self.subsets(at, true) && self.torn(at)
    }

    fn subsets(&mut self, at: usize, with_newest: bool) -> bool {
        let count = self.pending.len() - usize::from(with_newest);
        if count <= self.bounds.exhaustive {
            return (0..1u64 << count)
                .all(|mask| self.subset(at, with_newest, |i| mask >> i & 1 == 1));
        }
        let prefixes = (0..=count).all(|end| self.subset(at, with_newest, |i| i < end));
        let ones = prefixes
            && (0..count).all(|one| {
                self.subset(at, with_newest, |i| i == one)
                    && self.subset(at, with_newest, |i| i != one)
            });
        ones && (0..self.bounds.samples).all(|_| {
            let words: Vec<u32> = (0..count.div_ceil(32))
                .map(|_| self.random.next_u32())
                .collect();
            self.subset(at, with_newest, |i| words[i / 32] >> (i % 32) & 1 == 1)
        })
    }

    /// The state that keeps some of the pending changes, and the newest if asked for.
    fn subset(&mut self, at: usize, with_newest: bool, kept: impl Fn(usize) -> bool) -> bool {
        let older = self.pending.len() - usize::from(with_newest);
        let mut disk = self.durable.clone();
        for (index, pending) in self.pending.iter().enumerate() {
            if index >= older || kept(index) {
                disk.apply(&pending.change);
            }
        }
        self.emit(at, disk)
    }

    fn emit(&mut self, at: usize, disk: Disk) -> bool {
        (self.visit)(State {
            disk,
            at,
            acked: self.acked,
            begun: self.begun,
        })
    }

    /// Ways to tear a write, no more than asked for.
    fn chosen(&mut self, data: &[u8]) -> Vec<Torn> {
        let mut tears = tears(data, &mut self.random);
        while tears.len() > self.bounds.tears {
            let one = self.random.below(tears.len() as u32);
            tears.swap_remove(one as usize);
        }
        tears
    }

    /// The newest change torn, with everything before it kept and with everything before it lost.
    fn torn(&mut self, at: usize) -> bool {
        let Some((newest, older)) = self.pending.split_last() else {
            return true;
        };
        let Change::Write { file, offset, data } = newest.change.clone() else {
            return true;
        };
        let mut kept = self.durable.clone();
        for pending in older {
            kept.apply(&pending.change);
        }
        let tears = self.chosen(&data);
        for base in [self.durable.clone(), kept] {
            for pieces in &tears {
                let mut disk = base.clone();
                for (start, bytes) in pieces {
                    let offset = offset + *start as u64;
                    disk.apply(&Change::Write {
                        file,
                        offset,
                        data: bytes.as_slice().into(),
                    });
                }
                if !self.emit(at, disk) {
                    return false;
                }
            }
        }
        true
    }
}

/// Pieces of a write that reach the disk: where each starts, and its bytes.
type Torn = Vec<(usize, Vec<u8>)>;

/// The ways in which a write may be torn.
fn tears(data: &[u8], random: &mut Random) -> Vec<Torn> {
    let step = if data.len() <= SECTOR {
        SLOT_STEP
    } else {
        SECTOR
    };
    let parts = data.len().div_ceil(step);
    let mut masks: Vec<Vec<bool>> = Vec::new();
    if parts <= MASKED_SECTORS {
        masks.extend(
            (1..(1u32 << parts) - 1).map(|mask| (0..parts).map(|i| mask >> i & 1 == 1).collect()),
        );
    } else {
        masks.extend((1..parts).map(|end| (0..parts).map(|i| i < end).collect()));
        masks.extend((1..parts).map(|start| (0..parts).map(|i| i >= start).collect()));
    }
    let mut torn = Vec::new();
    for mask in &masks {
        for fill in [Fill::Old, Fill::Zeros, Fill::Garbage] {
            torn.push(pieces(data, step, mask, fill, random));
        }
    }
    torn
}

fn pieces(data: &[u8], step: usize, mask: &[bool], fill: Fill, random: &mut Random) -> Torn {
    let mut pieces = Vec::new();
    for (index, (part, kept)) in data.chunks(step).zip(mask).enumerate() {
        let bytes = match (kept, fill) {
            (true, _) => part.to_vec(),
            (false, Fill::Old) => continue,
            (false, Fill::Zeros) => vec![0; part.len()],
            (false, Fill::Garbage) => part.iter().map(|_| random.next_u32() as u8).collect(),
        };
        pieces.push((index * step, bytes));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ALL: Bounds = Bounds {
        exhaustive: 12,
        samples: 0,
        tears: 0,
    };

    fn write(offset: u64, byte: u8) -> Event {
        Event::Change(Change::Write {
            file: 0,
            offset,
            data: [byte].as_slice().into(),
        })
    }

    fn states(events: &[Event], bounds: Bounds) -> Vec<(Vec<u8>, usize, u64, u64)> {
        let mut found = Vec::new();
        let mut visit = |state: State| {
            let bytes = state
                .disk
                .named("f")
                .map(|image| image.to_vec())
                .unwrap_or_default();
            found.push((bytes, state.at, state.acked, state.begun));
            true
        };
        Enumerator::new(Disk::default(), bounds, 1, &mut visit).run(events);
        found
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
        let seen: BTreeSet<Vec<u8>> = states(&events, ALL)
            .into_iter()
            .map(|state| state.0)
            .collect();
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
        assert_eq!(seen, expected.into_iter().map(<[u8]>::to_vec).collect());
    }

    #[test]
    fn what_is_synced_stays() {
        let mut events = created();
        events.extend([write(0, 1), Event::Sync(0), write(0, 2)]);
        let seen = states(&events, ALL);
        assert!(
            seen.iter()
                .filter(|state| state.1 > 3)
                .all(|state| !state.0.is_empty())
        );
        assert!(seen.iter().any(|state| state.0 == [2]));
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
            .filter(|state| state.1 == 3 && state.0.is_empty());
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
            let after: Vec<_> = seen.iter().filter(|state| state.1 == 4).collect();
            assert!(after.iter().any(|state| state.0.is_empty()));
            assert_eq!(after.iter().any(|state| state.0 == [1]), kept);
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
        let seen = states(&events, ALL);
        assert!(seen.iter().any(|state| state.1 == 5 && state.0.is_empty()));
        events[3] = Event::SyncFailed(0, SyncFailure::Dirty);
        let seen = states(&events, ALL);
        assert!(!seen.iter().any(|state| state.1 == 5 && state.0.is_empty()));
    }

    #[test]
    fn marks_say_what_was_promised() {
        let mut events = created();
        events.extend([
            Event::Mark(begun(1)),
            write(0, 1),
            Event::Sync(0),
            Event::Mark(acked(1)),
        ]);
        let seen = states(&events, ALL);
        assert!(seen.contains(&(vec![1], 4, 0, 1)));
        assert!(seen.contains(&(vec![1], 6, 1, 1)));
    }

    #[test]
    fn a_torn_write_leaves_some_of_its_sectors() {
        let mut events = created();
        let data: Vec<u8> = vec![7; 3 * SECTOR];
        events.push(Event::Change(Change::Write {
            file: 0,
            offset: 0,
            data: data.as_slice().into(),
        }));
        let torn = states(
            &events,
            Bounds {
                tears: usize::MAX,
                ..ALL
            },
        );
        let first_only: Vec<u8> = [vec![7; SECTOR], vec![0; 2 * SECTOR]].concat();
        assert!(torn.iter().any(|state| state.0 == first_only));
        assert!(
            torn.iter()
                .any(|state| state.0.len() == 3 * SECTOR && state.0[..SECTOR] == [0; SECTOR])
        );
    }
}
