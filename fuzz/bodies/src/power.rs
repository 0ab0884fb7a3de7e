//! One state that a power cut can leave, chosen by the input's bytes.

use arbitrary::Arbitrary;
use vellum::storage::sim::{Change, Disk, Event, FileNumber, SyncFailure};

/// Sectors reach a medium whole; nothing says so of a header slot, which is smaller.
const SECTOR: usize = 512;
const SLOT_STEP: usize = 8;

/// When the power goes, and what of the unsynced changes is on the medium then.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// The event after which it goes, as a fraction of all.
    at: u16,
    /// Bit `i % 32`: whether the pending change `i` survives.
    keep: u32,
    /// Bit `i % 8`: whether sector `i` of the newest change reaches the medium.
    sectors: u8,
    /// What the other sectors hold: what was there, zeros, or garbage.
    fill: u8,
}

/// What a power cut left, and what must be found there.
pub(crate) struct Left {
    pub(crate) disk: Disk,
    /// The newest commit that was acknowledged as durable.
    pub(crate) acked: u64,
    /// The newest commit that had begun.
    pub(crate) begun: u64,
    /// Whether a change was torn.
    pub(crate) torn: bool,
    /// Changes that were lost.
    pub(crate) lost: usize,
}

struct Pending<'e> {
    change: &'e Change,
    /// A failed sync counts it as written, so no later sync covers it.
    forgotten: bool,
}

impl Cut {
    /// After everything, with nothing lost.
    pub(crate) const NONE: Cut = Cut {
        at: u16::MAX,
        keep: u32::MAX,
        sectors: u8::MAX,
        fill: 0,
    };

    /// What is left of a disk after some of the events. `promised`: the newest commits that had begun
    /// and that were acknowledged before the first of them.
    pub(crate) fn apply(self, from: &Disk, events: &[Event], mut promised: [u64; 2]) -> Left {
        let at = ((events.len() + 1) * usize::from(self.at)) >> 16;
        let mut durable = from.clone();
        let mut pending: Vec<Pending<'_>> = Vec::new();
        for event in events.iter().take(at) {
            match event {
                Event::Change(change) => pending.push(Pending {
                    change,
                    forgotten: false,
                }),
                Event::Sync(file) => settle(&mut pending, &mut durable, |f| f == Some(*file)),
                Event::SyncDirectory => settle(&mut pending, &mut durable, |f| f.is_none()),
                Event::SyncFailed(file, failure) => fail(&mut pending, *file, *failure),
                Event::Mark(mark) => promised[(mark % 2) as usize] = mark / 2,
            }
        }
        let [begun, acked] = promised;
        let mut left = Left {
            disk: durable,
            acked,
            begun: begun.max(acked),
            torn: false,
            lost: 0,
        };
        let newest = pending.len().wrapping_sub(1);
        for (index, pending) in pending.iter().enumerate() {
            if self.keep >> (index % 32) & 1 == 0 {
                left.lost += 1;
            } else if index == newest && self.sectors != 0xff {
                left.torn = self.tear(pending.change, &mut left.disk);
            } else {
                left.disk.apply(pending.change);
            }
        }
        left
    }

    /// Applies the sectors of a write that the bits choose; any other change whole.
    fn tear(self, change: &Change, disk: &mut Disk) -> bool {
        let Change::Write { file, offset, data } = change else {
            disk.apply(change);
            return false;
        };
        let step = if data.len() <= SECTOR {
            SLOT_STEP
        } else {
            SECTOR
        };
        for (index, part) in data.chunks(step).enumerate() {
            let bytes = match (self.sectors >> (index % 8) & 1, self.fill % 3) {
                (1, _) => part.to_vec(),
                (_, 0) => continue,
                (_, 1) => vec![0; part.len()],
                _ => part
                    .iter()
                    .map(|byte| byte.wrapping_mul(self.fill) ^ 0x5a)
                    .collect(),
            };
            disk.apply(&Change::Write {
                file: *file,
                offset: offset + (index * step) as u64,
                data: bytes.into(),
            });
        }
        true
    }
}

/// Makes the pending changes durable that a sync covers.
fn settle(
    pending: &mut Vec<Pending<'_>>,
    durable: &mut Disk,
    covers: impl Fn(Option<FileNumber>) -> bool,
) {
    pending.retain(|pending| {
        let settled = !pending.forgotten && covers(pending.change.file());
        if settled {
            durable.apply(pending.change);
        }
        !settled
    });
}

fn fail(pending: &mut Vec<Pending<'_>>, file: FileNumber, failure: SyncFailure) {
    let of_file = |pending: &Pending<'_>| pending.change.file() == Some(file);
    match failure {
        SyncFailure::Dirty => {}
        SyncFailure::Clean => {
            for pending in pending.iter_mut().filter(|pending| of_file(pending)) {
                pending.forgotten = true;
            }
        }
        SyncFailure::Dropped => pending.retain(|pending| !of_file(pending)),
    }
}
