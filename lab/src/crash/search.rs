//! Goes through the states of a session, on all cores: makes each, leaves out what was met before,
//! examines the rest, and crashes the recoveries again.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use vellum::storage::sim::{Disk, Event};
use xxhash_rust::xxh3::Xxh3;

use super::choice::Choice;
use super::enumerate::{Bounds, choices};
use super::marks::{Promise, Version};
use super::path::{Crash, Path};
use super::subject::{Examined, Recovered, Rule, Subject, Violation};
use super::tally::{Count, Kind, Tally};
use super::walk::{Fresh, Walk};
use super::watched::Sessions;
use crate::random::Random;
use crate::share::Share;

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) bounds: Bounds,
    /// Crashes on top of each other.
    pub(crate) depth: usize,
    /// Of so many distinct recoveries from a second crash, one is crashed a third time.
    pub(crate) third_of: u64,
    /// A search ends at this many distinct states.
    pub(crate) most: u64,
    /// Of the states after the first crash only these are gone through.
    pub(crate) share: Share,
}

/// Events of a session that one thread goes through at a time. Few enough to keep every thread busy,
/// and enough that the states in it share their sessions.
const UNIT: usize = 24;
/// A search that has found so much wrong ends.
const MOST_FAILURES: usize = 20;
const SHARDS: usize = 64;
/// By how much the samples are fewer after each crash.
const THINNER: u32 = 4;

/// A state that broke a rule.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) path: Path,
    pub(crate) violation: Violation,
}

/// A recorded session under examination.
pub(crate) struct Subjected<'a> {
    pub(crate) subject: &'a dyn Subject,
    pub(crate) events: &'a [Event],
    /// Only boundaries behind this event are gone through.
    pub(crate) from: usize,
    /// Which session it is: the beginning of every path.
    pub(crate) source: String,
    /// Of everything random in it.
    pub(crate) seed: u64,
}

/// The states met so far. Shared by all sessions of a run.
pub(crate) struct Search {
    limits: Limits,
    seen: Vec<Mutex<Numbers>>,
    /// Distinct recoveries, by what they did to the disk.
    recoveries: Mutex<Numbers>,
    distinct: AtomicUsize,
    failures: Mutex<Vec<Failure>>,
    tally: Mutex<Tally>,
    ended: AtomicBool,
}

/// Numbers that are as good as random already.
type Numbers = HashSet<u64, BuildHasherDefault<Same>>;

#[derive(Default)]
pub(super) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Search {
    pub(crate) fn new(limits: Limits) -> Search {
        Search {
            limits,
            seen: (0..SHARDS).map(|_| Mutex::default()).collect(),
            recoveries: Mutex::default(),
            distinct: AtomicUsize::new(0),
            failures: Mutex::default(),
            tally: Mutex::default(),
            ended: AtomicBool::new(false),
        }
    }

    /// Goes through a session on this many threads.
    pub(crate) fn run(&self, session: &Subjected<'_>, threads: usize) {
        let mut units: Vec<(Walk, Range<usize>)> = Vec::new();
        let mut walk = Walk::new(Disk::default());
        for (at, event) in session.events.iter().enumerate() {
            if at >= session.from && (at - session.from).is_multiple_of(UNIT) {
                let end = (at + UNIT).min(session.events.len());
                units.push((walk.clone(), at..end));
            }
            walk.step(event);
        }
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..threads.clamp(1, units.len().max(1)) {
                scope.spawn(|| {
                    while let Some((walk, range)) = units.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        self.unit(session, walk.clone(), range.clone());
                    }
                });
            }
        });
    }

    fn unit(&self, session: &Subjected<'_>, walk: Walk, range: Range<usize>) {
        let mut worker = Worker {
            search: self,
            session,
            sessions: Sessions::default(),
            tally: Tally::default(),
        };
        worker.explore(walk, &session.events[range], &Path::new(&session.source));
        lock(&self.tally).add(&worker.tally);
    }

    /// Ends the search where it is. What it has counted by then stays.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    pub(crate) fn distinct(&self) -> usize {
        self.distinct.load(Ordering::Relaxed)
    }

    /// What was counted, and what was found to be wrong.
    pub(crate) fn finish(self) -> (Tally, Vec<Failure>) {
        let tally = self.tally.into_inner();
        let failures = self.failures.into_inner();
        (
            tally.unwrap_or_else(PoisonError::into_inner),
            failures.unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Whether this state was not met before.
    fn is_new(&self, number: u64) -> bool {
        let shard = &self.seen[(number >> 58) as usize % SHARDS];
        let new = lock(shard).insert(number);
        if new {
            let met = self.distinct.fetch_add(1, Ordering::Relaxed) as u64 + 1;
            if met >= self.limits.most {
                self.ended.store(true, Ordering::Relaxed);
            }
        }
        new
    }

    fn fail(&self, failure: Failure) {
        let mut failures = lock(&self.failures);
        failures.push(failure);
        if failures.len() >= MOST_FAILURES {
            self.ended.store(true, Ordering::Relaxed);
        }
    }
}

/// How an opened state ended; the states that no session can tell from it end alike.
#[derive(Clone)]
struct Ended {
    /// What it recovered to, unless it broke a rule.
    recovered: Option<Arc<Recovered>>,
}

/// One thread's share.
struct Worker<'a> {
    search: &'a Search,
    session: &'a Subjected<'a>,
    sessions: Sessions<Ended>,
    tally: Tally,
}

impl Worker<'_> {
    /// The states at every boundary behind these events. `path` leads to the place before them.
    fn explore(&mut self, mut walk: Walk, events: &[Event], path: &Path) {
        let depth = path.crashes();
        let limits = self.search.limits;
        let bounds = match depth {
            0 => limits.bounds,
            _ => limits.bounds.reduced(THINNER.pow(depth as u32)),
        };
        for event in events {
            let fresh = walk.step(event);
            if fresh != Fresh::Nothing {
                self.tally.point(depth, walk.way);
            }
            let mut random = Random::new(self.session.seed ^ path.number(), walk.at as u64);
            let here = &walk;
            let mut visit = |choice: Choice| {
                self.state(here, choice, path);
                !self.search.ended()
            };
            if !choices(here, fresh, bounds, &mut random, &mut visit) {
                return;
            }
        }
    }

    fn state(&mut self, walk: &Walk, choice: Choice, path: &Path) {
        let depth = path.crashes();
        let disk = walk.disk(&choice, self.session.seed);
        let number = number(&disk, &walk.promise);
        if depth == 0 && !self.search.limits.share.has(number) {
            return;
        }
        let kind = Kind::of(walk, &choice);
        let mut count = Count {
            states: 1,
            ..Count::default()
        };
        if self.search.is_new(number) {
            count.distinct = 1;
            let crash = Crash {
                at: walk.at,
                choice,
                dies: false,
            };
            let known = self.sessions.find(&disk).cloned();
            let ended = known.unwrap_or_else(|| {
                count.opened = 1;
                self.open(&disk, &crash, path)
            });
            self.judge(walk, &crash, path, &ended);
            self.crash_again(walk, disk, crash, path, kind, &ended);
        }
        self.tally.count(depth, kind, walk.way, count);
    }

    fn open(&mut self, disk: &Disk, crash: &Crash, path: &Path) -> Ended {
        let examined = examine(self.session.subject, disk);
        if examined.recovery_ns > 0 {
            self.tally.times.note(examined.recovery_ns);
        }
        let recovered = match examined.result {
            Ok(recovered) => {
                self.tally.signs(recovered.signs);
                Some(Arc::new(recovered))
            }
            Err(violation) => {
                self.fail(crash, path, violation);
                None
            }
        };
        let ended = Ended { recovered };
        if let Some(asked) = examined.asked {
            self.sessions.add(disk, asked, ended.clone());
        }
        ended
    }

    /// Holds what was recovered against what was promised.
    fn judge(&mut self, walk: &Walk, crash: &Crash, path: &Path, ended: &Ended) {
        let Some(recovered) = &ended.recovered else {
            return;
        };
        if recovered.version < walk.promise.begun {
            self.tally.seen.rolled_back += 1;
        }
        if let Err(violation) = kept(recovered, &walk.promise) {
            self.fail(crash, path, violation);
        }
    }

    fn fail(&self, crash: &Crash, path: &Path, violation: Violation) {
        self.search.fail(Failure {
            path: path.then(crash.clone()),
            violation,
        });
    }

    /// Crashes each distinct recovery at each of its own boundaries.
    fn crash_again(
        &mut self,
        walk: &Walk,
        disk: Disk,
        crash: Crash,
        path: &Path,
        kind: Kind,
        ended: &Ended,
    ) {
        let limits = self.search.limits;
        let depth = path.crashes() + 1;
        let Some(recovered) = &ended.recovered else {
            return;
        };
        if depth >= limits.depth {
            return;
        }
        let trace = trace(recovered, depth);
        if depth >= 2 && !trace.is_multiple_of(limits.third_of.max(1)) {
            return;
        }
        if lock(&self.search.recoveries).insert(trace) {
            self.tally.recoveries_crashed += 1;
            let after = walk.after_crash(&crash.choice, disk);
            self.explore(after, &recovered.events, &path.then(crash.clone()));
        }
        let unsynced = kind == Kind::AllKept && !walk.pending.is_empty();
        if unsynced && lock(&self.search.recoveries).insert(trace.rotate_left(1)) {
            let death = Crash {
                dies: true,
                ..crash
            };
            self.explore(walk.after_death(), &recovered.events, &path.then(death));
        }
    }
}

/// Examines a state; a panic is a rule broken like any other.
pub(crate) fn examine(subject: &dyn Subject, disk: &Disk) -> Examined {
    catch_unwind(AssertUnwindSafe(|| subject.examine(disk))).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Examined {
            result: Err(Violation::new(Rule::Panic, text.unwrap_or_default())),
            asked: None,
            recovery_ns: 0,
        }
    })
}

/// Whether a recovery kept what was promised.
pub(crate) fn kept(recovered: &Recovered, promise: &Promise) -> Result<(), Violation> {
    let shown = recovered.version;
    if shown < promise.acked {
        let what = format!("it shows {shown}; {} was acknowledged", promise.acked);
        return Err(Violation::new(Rule::Lost, what));
    }
    if shown > promise.begun {
        let what = format!("it shows {shown}; only {} had begun", promise.begun);
        return Err(Violation::new(Rule::Invented, what));
    }
    let wrong = match (promise.copied, recovered.copy) {
        (Some(_), None) => Some("the finished copy is gone".to_owned()),
        (Some(whole), Some(found)) if whole != found => {
            Some(format!("the finished copy shows {found}, not {whole}"))
        }
        (None, Some(found)) if found > promise.begun => {
            Some(format!("an unfinished copy shows {found}"))
        }
        _ => None,
    };
    wrong.map_or(Ok(()), |what| Err(Violation::new(Rule::Copy, what)))
}

/// A state by what it holds and what it must show. Two states share a number only by chance: with
/// twenty million of them, once in a hundred thousand runs.
fn number(disk: &Disk, promise: &Promise) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&disk.digest().to_le_bytes());
    for version in [Some(promise.acked), Some(promise.begun), promise.copied] {
        let number = version.map_or(u64::MAX, Version::number);
        hash.update(&number.to_le_bytes());
    }
    hash.digest()
}

/// A recovery by what it showed and everything that it did to the disk.
fn trace(recovered: &Recovered, depth: usize) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&(depth as u64).to_le_bytes());
    hash.update(&recovered.version.number().to_le_bytes());
    for event in &recovered.events {
        hash.update(&super::trace::digest(event).to_le_bytes());
    }
    hash.digest()
}
