//! States that a crash leaves of a session: at every event, with all unsynced changes lost, all kept, some
//! kept, and the newest torn.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use vellum::storage::Directory;
use vellum::storage::sim::{Change, Disk, Event, SimDirectory};

use super::session::{NAME, builder};
use crate::content::content;
use crate::random::Random;

struct State {
    disk: Disk,
    at: usize,
    acked: usize,
    begun: usize,
}

/// The first state that breaks a rule. `states`: what is answered after each commit.
pub(super) fn broken(events: &[Event], states: &[String]) -> Option<String> {
    let all = enumerate(events);
    let next = AtomicUsize::new(0);
    let found: Mutex<Option<String>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(state) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if found.lock().is_some() {
                        return;
                    }
                    let examined = catch_unwind(AssertUnwindSafe(|| examine(state, states)));
                    let examined = examined.unwrap_or_else(|_| Err("a panic".to_owned()));
                    if let Err(broken) = examined {
                        *found.lock() = Some(format!("after event {}: {broken}", state.at));
                    }
                }
            });
        }
    });
    found.into_inner()
}

fn enumerate(events: &[Event]) -> Vec<State> {
    let mut durable = Disk::default();
    let mut pending: Vec<Change> = Vec::new();
    let (mut acked, mut begun) = (0, 0);
    let mut random = Random::new(7, 8);
    let mut seen = HashSet::new();
    let mut states = Vec::new();
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Change(change) => pending.push(change.clone()),
            Event::Sync(file) => settle(&mut durable, &mut pending, Some(*file)),
            Event::SyncDirectory => settle(&mut durable, &mut pending, None),
            Event::SyncFailed(..) => {}
            Event::Mark(mark) if mark % 2 == 0 => begun = (mark / 2) as usize,
            Event::Mark(mark) => acked = (mark / 2) as usize,
        }
        let mut add = |disk: Disk| {
            if seen.insert((disk.digest(), acked, begun)) {
                states.push(State {
                    disk,
                    at,
                    acked,
                    begun,
                });
            }
        };
        add(kept(&durable, &pending, |_| false));
        add(kept(&durable, &pending, |_| true));
        for _ in 0..2 {
            let mask = u64::from(random.next_u32()) | u64::from(random.next_u32()) << 32;
            add(kept(&durable, &pending, |index| {
                mask >> (index % 64) & 1 == 1
            }));
        }
        if let (Event::Change(Change::Write { file, offset, data }), Some((_, older))) =
            (event, pending.split_last())
        {
            let step = if data.len() <= 512 { 8 } else { 512 };
            for cut in [step, data.len() / 2 / step * step] {
                let mut disk = kept(&durable, older, |_| true);
                disk.apply(&Change::Write {
                    file: *file,
                    offset: *offset,
                    data: data.get(..cut.min(data.len())).unwrap_or_default().into(),
                });
                add(disk);
            }
        }
    }
    states
}

fn kept(durable: &Disk, pending: &[Change], keep: impl Fn(usize) -> bool) -> Disk {
    let mut disk = durable.clone();
    for (index, change) in pending.iter().enumerate() {
        if keep(index) {
            disk.apply(change);
        }
    }
    disk
}

fn settle(durable: &mut Disk, pending: &mut Vec<Change>, file: Option<usize>) {
    pending.retain(|change| {
        let covered = change.file() == file;
        if covered {
            durable.apply(change);
        }
        !covered
    });
}

fn examine(state: &State, states: &[String]) -> Result<(), String> {
    let directory = SimDirectory::with(state.disk.clone());
    let options = builder(&directory);
    if !directory.exists(NAME).unwrap_or(false) {
        if state.acked > 0 {
            return Err("the database is gone".to_owned());
        }
        let created = options.create(NAME).and_then(vellum::Database::close);
        return created.map_err(|error| format!("creating again: {error}"));
    }
    let failed = |error: vellum::Error| format!("recovering: {error}");
    let db = options.open(NAME).map_err(failed)?;
    let found = content(&db.begin_read().map_err(failed)?).map_err(failed)?;
    let allowed = states.get(state.acked..=state.begun).unwrap_or_default();
    if !allowed.contains(&found) {
        return Err(if states.contains(&found) {
            "an acknowledged commit is lost".to_owned()
        } else {
            "the state is that after no commit".to_owned()
        });
    }
    if let Some(finding) = db.check().map_err(failed)?.findings.first() {
        return Err(format!("the check finds: {finding}"));
    }
    let mut txn = db.begin_write().map_err(failed)?;
    txn.insert_node("after", "the crash", b"").map_err(failed)?;
    txn.commit().map_err(failed)?;
    let added = content(&db.begin_read().map_err(failed)?).map_err(failed)?;
    // Killed at once, and recovered again.
    let again = SimDirectory::with(directory.disk());
    drop(db);
    let db = builder(&again).open_read_only(NAME).map_err(failed)?;
    let found = content(&db.begin_read().map_err(failed)?).map_err(failed)?;
    if found == added {
        Ok(())
    } else {
        Err("a commit after the recovery is lost".to_owned())
    }
}
