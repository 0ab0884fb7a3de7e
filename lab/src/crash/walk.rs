//! The events of one session, gone through in order: what is durable, what is pending, what is promised.

use vellum::storage::sim::{Change, Disk, Event, FileNumber, SyncFailure};

use super::choice::{Choice, Surfaced};
use super::marks::{Mark, Promise, Way};
use super::tear;

/// A change that no sync has covered.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) change: Change,
    /// Which event of the session it was.
    pub(crate) event: usize,
    /// A sync failed and yet counts it as written: no later one will cover it.
    forgotten: bool,
}

/// What a step adds to the states that a crash can leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fresh {
    Nothing,
    /// Those that hold the newest change, whole or torn.
    Newest,
    /// All: what is durable, or what is promised, is another than before.
    All,
}

/// A place between two events.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) durable: Disk,
    /// Not covered by a sync, in the order they were made.
    pub(crate) pending: Vec<Pending>,
    /// Lost by the crash before this session, as far as its recovery could see, and not ruled out by
    /// a sync since: they may be there after the next crash.
    pub(crate) lost: Vec<Pending>,
    pub(crate) promise: Promise,
    pub(crate) way: Way,
    /// Events before this place.
    pub(crate) at: usize,
    /// Changes of the file that were pending when a sync of it was called.
    called: Vec<(FileNumber, usize)>,
}

impl Walk {
    /// From a disk that is durable.
    pub(crate) fn new(durable: Disk) -> Walk {
        Walk {
            durable,
            pending: Vec::new(),
            lost: Vec::new(),
            promise: Promise::default(),
            way: Way::default(),
            at: 0,
            called: Vec::new(),
        }
    }

    /// The session that recovers from a crash here, which kept these changes.
    pub(crate) fn after_crash(&self, choice: &Choice, disk: Disk) -> Walk {
        let lost = |(index, _): &(usize, &Pending)| !choice.kept.contains(*index);
        Walk {
            lost: self
                .pending
                .iter()
                .enumerate()
                .filter(lost)
                .map(|(_, pending)| pending.clone())
                .collect(),
            promise: self.promise,
            way: Way::Recovery,
            ..Walk::new(disk)
        }
    }

    /// The session that goes on where this process died while the machine did not: it sees everything,
    /// and nothing of it is more durable than before.
    pub(crate) fn after_death(&self) -> Walk {
        Walk {
            way: Way::Recovery,
            at: 0,
            lost: Vec::new(),
            called: Vec::new(),
            ..self.clone()
        }
    }

    pub(crate) fn step(&mut self, event: &Event) -> Fresh {
        let number = self.at;
        self.at += 1;
        match event {
            Event::Change(change) => {
                self.pending.push(Pending {
                    change: change.clone(),
                    event: number,
                    forgotten: false,
                });
                Fresh::Newest
            }
            Event::Sync(file) => {
                self.settle_file(*file);
                Fresh::All
            }
            Event::SyncDirectory => {
                self.settle(usize::MAX, |change| change.file().is_none());
                self.lost.retain(|lost| lost.change.file().is_some());
                Fresh::All
            }
            Event::SyncFailed(file, failure) => {
                self.fail(*file, *failure);
                Fresh::All
            }
            Event::Mark(number) => self.note(*number),
        }
    }

    fn note(&mut self, number: u64) -> Fresh {
        match Mark::of(number) {
            Some(Mark::Way(way)) => self.way = way,
            Some(Mark::SyncCalled(file)) => self.called.push((file, self.pending.len())),
            Some(mark) if self.promise.note(mark) => return Fresh::All,
            _ => {}
        }
        Fresh::Nothing
    }

    fn settle_file(&mut self, file: FileNumber) {
        let call = self.called.iter().position(|(called, _)| *called == file);
        // Without a note of the call, the sync began when it ended: nothing came between.
        let covered = call.map_or(usize::MAX, |call| self.called.remove(call).1);
        self.settle(covered, |change| change.file() == Some(file));
        self.lost.retain(|lost| lost.change.file() != Some(file));
    }

    /// Makes durable what a sync covers of the first so many pending changes.
    fn settle(&mut self, first: usize, covered: impl Fn(&Change) -> bool) {
        let durable = &mut self.durable;
        let mut index = 0;
        let before = self.pending.len();
        self.pending.retain(|pending| {
            let settled = index < first && !pending.forgotten && covered(&pending.change);
            index += 1;
            if settled {
                durable.apply(&pending.change);
            }
            !settled
        });
        let settled = before - self.pending.len();
        for (_, mark) in &mut self.called {
            *mark = mark.saturating_sub(settled);
        }
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

    /// What a crash here leaves if it keeps this.
    pub(crate) fn disk(&self, choice: &Choice, seed: u64) -> Disk {
        let mut disk = self.durable.clone();
        for (index, lost) in self.lost.iter().enumerate() {
            let surfaces = match choice.surfaced {
                Surfaced::None => false,
                Surfaced::All => true,
                Surfaced::One(one) => one == index,
            };
            if surfaces {
                disk.apply(&lost.change);
            }
        }
        for (index, pending) in self.pending.iter().enumerate() {
            if !choice.kept.contains(index) {
                continue;
            }
            match &choice.tear {
                Some(torn) if torn.change == index => {
                    tear::apply(&mut disk, pending, torn, seed);
                }
                _ => disk.apply(&pending.change),
            }
        }
        disk
    }
}
