//! Every schedule of committers that share syncs.

use loom::model::Builder;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use super::GroupSync;
use crate::error::{Error, Result};
use crate::storage::Poison;

struct Log {
    group: GroupSync,
    poison: Poison,
    appended: AtomicU64,
    /// What the disk has.
    synced: AtomicU64,
}

impl Log {
    fn new() -> Arc<Log> {
        Arc::new(Log {
            group: GroupSync::new(0),
            poison: Poison::default(),
            appended: AtomicU64::new(0),
            synced: AtomicU64::new(0),
        })
    }

    fn commit(&self, fails: bool) -> Result<u64> {
        let end = self.appended.fetch_add(1, Ordering::AcqRel) + 1;
        self.group.wait_for(end, &self.poison, || {
            let target = self.appended.load(Ordering::Acquire);
            if fails {
                return Err(Error::usage("the disk is gone"));
            }
            self.synced.fetch_max(target, Ordering::AcqRel);
            Ok(target)
        })?;
        Ok(end)
    }
}

fn explore(check: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    // More switches than this between three threads take hours and have shown nothing else.
    builder.preemption_bound = Some(3);
    builder.check(check);
}

#[test]
fn whoever_returns_is_durable_and_nobody_waits_for_ever() {
    explore(|| {
        let log = Log::new();
        let committers: Vec<_> = (0..2)
            .map(|_| {
                let log = Arc::clone(&log);
                thread::spawn(move || durable(&log))
            })
            .collect();
        durable(&log);
        for committer in committers {
            committer.join().unwrap();
        }
        assert_eq!(log.group.durable_to(), 3);
    });
}

fn durable(log: &Log) {
    let end = log.commit(false).unwrap();
    assert!(log.synced.load(Ordering::Acquire) >= end);
}

#[test]
fn a_failed_sync_fails_everyone_who_waits() {
    explore(|| {
        let log = Log::new();
        let other = {
            let log = Arc::clone(&log);
            thread::spawn(move || assert!(log.commit(true).is_err()))
        };
        assert!(log.commit(true).is_err());
        other.join().unwrap();
        assert!(log.poison.is_set());
        assert_eq!(log.group.durable_to(), 0);
    });
}
