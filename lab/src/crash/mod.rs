//! Crash injection: a recorded session, every state that a power cut could have left within stated bounds,
//! real recovery on each, and comparison with the model.

mod choice;
mod enumerate;
pub mod foreign;
mod marks;
mod model;
mod oracle;
mod path;
mod replay;
mod report;
mod search;
mod subject;
mod tally;
mod tear;
#[cfg(test)]
mod tests;
mod trace;
mod walk;
mod watched;
mod workload;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vellum::storage::sim::{Disk, Event, Fault, FaultKind, SyncFailure};

use self::oracle::Vellum;
use self::path::{Path, Source};
use self::replay::reach;
use self::search::{Failure as Broken, Limits, Search, Subjected};
use self::tally::Tally;
use self::workload::{Recording, Saw, record};
use crate::failure::{Context, Failure};
use crate::machine;
use crate::share::Share;

pub(crate) use self::choice::Fill;
pub(crate) use self::enumerate::Bounds;
pub(crate) use self::oracle::Rules;
pub(crate) use self::report::{answer, failures, metrics, tables, write_files};
pub(crate) use self::tally::DEPTHS;
pub(crate) use self::workload::Workload;

/// What is to be crashed, and how far the enumeration goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CrashPlan {
    pub(crate) workload: Workload,
    /// Sessions, each with a seed of its own.
    pub(crate) sessions: u32,
    /// How often each is recorded, to see whether it does the same every time.
    pub(crate) recordings: u32,
    /// Crashes on top of each other.
    pub(crate) depth: usize,
    pub(crate) bounds: Bounds,
    /// Of so many syncs, one is made to fail, in three ways; 0 for none.
    pub(crate) failing_syncs: u32,
    /// Of so many distinct recoveries from a second crash, one is crashed a third time.
    pub(crate) third_of: u64,
    /// The run ends at this many distinct states.
    pub(crate) most: u64,
    pub(crate) rules: Rules,
    pub(crate) threads: usize,
}

impl CrashPlan {
    /// What it does, in a few words for people.
    pub(crate) fn describe(&self) -> String {
        let crashes = match self.depth {
            1 => "once",
            2 => "twice",
            _ => "three times",
        };
        format!("crash the workload {} {crashes}", self.workload.name())
    }
}

/// Time between two looks at whether a search is to stop.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What goes on beside a run.
pub(crate) struct Course<'a> {
    /// Is told of the states met so far.
    pub(crate) progress: &'a dyn Fn(u64),
    /// Whether to end early.
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
    /// The part that is carried out.
    pub(crate) share: Share,
}

/// What a run of the enumerator found.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) broken: Vec<Broken>,
    pub(crate) saw: Saw,
    pub(crate) time_ns: u64,
    /// Processor time of all threads, where the system tells.
    pub(crate) cpu_ns: Option<u64>,
    pub(crate) threads: usize,
    /// Events of the sessions, and a digest of them all.
    pub(crate) events: u64,
    pub(crate) trace: u64,
    /// Recordings that did something else than the first with the same seed.
    pub(crate) different: u64,
}

/// Records the sessions and goes through their crash states.
///
/// # Errors
/// If a workload does not come to its end without a crash.
pub(crate) fn run(plan: &CrashPlan, seed: u64, course: &Course<'_>) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let busy_before = machine::busy_ns();
    let search = Search::new(Limits {
        bounds: plan.bounds,
        depth: plan.depth,
        third_of: plan.third_of,
        most: course.share.of_limit(plan.most),
        share: course.share,
    });
    let done = AtomicBool::new(false);
    let sessions = thread::scope(|scope| {
        // The states of one session may take minutes, and none of them knows of interrupts and budgets.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                if (course.stop)() {
                    search.end();
                }
                thread::sleep(BETWEEN_LOOKS);
            }
        });
        let _done = Done(&done);
        go_through(plan, seed, &search, course)
    })?;
    let (mut tally, broken) = search.finish();
    tally.seen.failed_syncs = sessions.failed_syncs;
    Ok(Outcome {
        tally,
        broken,
        saw: sessions.saw,
        time_ns: started.elapsed().as_nanos() as u64,
        cpu_ns: busy_before.and_then(|before| Some(machine::busy_ns()?.saturating_sub(before))),
        threads: plan.threads,
        events: sessions.events,
        trace: sessions.trace,
        different: sessions.different,
    })
}

/// Says so when it is dropped, in a panic as well.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What was counted beside the search.
#[derive(Default)]
struct Recorded {
    saw: Saw,
    events: u64,
    trace: u64,
    failed_syncs: u64,
    different: u64,
}

/// Records each session and goes through its states, until the search has ended.
fn go_through(
    plan: &CrashPlan,
    seed: u64,
    search: &Search,
    course: &Course<'_>,
) -> Result<Recorded, Failure> {
    let mut all = Recorded::default();
    for number in 0..u64::from(plan.sessions) {
        if search.ended() {
            break;
        }
        let source = Source {
            workload: plan.workload,
            seed: seed.wrapping_add(number),
            rules: plan.rules,
            failing: None,
        };
        let recording = record_source(&source)?;
        let subject = Vellum::new(&recording.models, plan.rules);
        search.run(
            &subjected(&source, &subject, &recording.events, 0),
            plan.threads,
        );
        all.failed_syncs += fail_syncs(plan, &source, &subject, &recording, search)?;
        (course.progress)(search.distinct() as u64);
        all.events += recording.events.len() as u64;
        let digest = self::trace::digest_of(&recording.events);
        all.trace = all.trace.rotate_left(1) ^ digest;
        if course.share.is_first() {
            all.different += record_again(plan, &source, digest)?;
        }
        all.saw.add(&recording.saw);
    }
    Ok(all)
}

fn record_source(source: &Source) -> Result<Recording, Failure> {
    let fault = source.failing.map(|(call, failure)| Fault {
        call,
        kind: FaultKind::SyncFails(failure),
        lasts: false,
    });
    record(source.workload, source.seed, fault).context(format!(
        "the workload {} with seed {}",
        source.workload.name(),
        source.seed
    ))
}

fn subjected<'a>(
    source: &Source,
    subject: &'a Vellum,
    events: &'a [Event],
    from: usize,
) -> Subjected<'a> {
    Subjected {
        subject,
        events,
        from,
        source: source.to_string(),
        seed: source.seed,
    }
}

/// Records the same session as often as asked for. Returns how many did something else.
fn record_again(plan: &CrashPlan, source: &Source, first: u64) -> Result<u64, Failure> {
    let all = vec![(); plan.recordings.saturating_sub(1) as usize];
    let different = on_threads(plan.threads, &all, |()| {
        let recording = record_source(source)?;
        Ok(u64::from(trace::digest_of(&recording.events) != first))
    })?;
    Ok(different.into_iter().sum())
}

/// Does the same with each of many things, on several threads, until one fails.
fn on_threads<T: Sync, R: Send>(
    threads: usize,
    all: &[T],
    one: impl Fn(&T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(item) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(one(item)?);
        }
        Ok(done)
    };
    let parts: Vec<Result<Vec<R>, Failure>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let panicked = |_| Err(Failure::lab("a thread of the enumeration panicked"));
        let join = threads.into_iter().map(|thread| thread.join());
        join.map(|result| result.unwrap_or_else(panicked)).collect()
    });
    let parts: Result<Vec<Vec<R>>, Failure> = parts.into_iter().collect();
    Ok(parts?.into_iter().flatten().collect())
}

/// The same session again for each of the syncs that fail, from that place on. Returns how many failed.
fn fail_syncs(
    plan: &CrashPlan,
    source: &Source,
    subject: &Vellum,
    recording: &Recording,
    search: &Search,
) -> Result<u64, Failure> {
    if plan.failing_syncs == 0 {
        return Ok(0);
    }
    let calls = recording.syncs.iter().step_by(plan.failing_syncs as usize);
    let failures = [SyncFailure::Dirty, SyncFailure::Clean, SyncFailure::Dropped];
    let all: Vec<Source> = calls
        .flat_map(|call| failures.map(|failure| (*call, failure)))
        .map(|failing| Source {
            failing: Some(failing),
            ..*source
        })
        .collect();
    on_threads(plan.threads, &all, |source| {
        failed_sync(source, subject, search)
    })?;
    Ok(all.len() as u64)
}

fn failed_sync(source: &Source, subject: &Vellum, search: &Search) -> Result<(), Failure> {
    if search.ended() {
        return Ok(());
    }
    let recording = record_source(source)?;
    let failed = |event: &Event| matches!(event, Event::SyncFailed(..));
    let from = recording.events.iter().position(failed);
    let from = from.ok_or_else(|| Failure::lab(format!("{source}: the sync did not fail")))?;
    search.run(&subjected(source, subject, &recording.events, from), 1);
    Ok(())
}

/// One state again.
pub(crate) struct Replayed {
    pub(crate) disk: Disk,
    /// What the sessions did before it, with what was pending, line by line.
    pub(crate) trace: Vec<String>,
    /// What it shows, in one line.
    pub(crate) shows: String,
    /// The rule that it breaks, if it does.
    pub(crate) broken: Option<String>,
}

/// Makes the state again that a failure named.
///
/// # Errors
/// If the text names no state.
pub(crate) fn replay(id: &str) -> Result<Replayed, Failure> {
    let wrong = || {
        Failure::usage(format!(
            "`{id}` names no crash state; take the id from the finding of a run, such as small.1:204.k3f"
        ))
    };
    let path: Path = id.parse().map_err(|()| wrong())?;
    let source: Source = path.source.parse().map_err(|()| wrong())?;
    let recording = record_source(&source)?;
    let subject = Vellum::new(&recording.models, source.rules);
    let reached = reach(&subject, &recording.events, &path, source.seed)
        .map_err(|what| Failure::usage(format!("{id}: {what}")))?;
    let shows = match &reached.result {
        Ok(recovered) => format!("every rule holds; it shows {}", recovered.version),
        Err(violation) => violation.what.clone(),
    };
    Ok(Replayed {
        trace: reached.trace(),
        shows,
        broken: reached.result.err().map(|violation| violation.to_string()),
        disk: reached.disk,
    })
}
