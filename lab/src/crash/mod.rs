//! Crash injection: a recorded session, every state that a power cut could have left within stated bounds,
//! real recovery on each, and comparison with the model.

mod choice;
mod enumerate;
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

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use vellum::storage::sim::{Event, Fault, FaultKind, SyncFailure};

use self::oracle::Vellum;
use self::path::Source;
use self::search::{Failure as Broken, Limits, Search, Subjected};
use self::tally::Tally;
use self::workload::{Recording, Saw, record};
use crate::failure::{Context, Failure};

pub(crate) use self::enumerate::Bounds;
pub(crate) use self::oracle::Rules;
pub(crate) use self::tally::DEPTHS;
pub(crate) use self::workload::Workload;

/// What is to be crashed, and how far the enumeration goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CrashPlan {
    pub(crate) workload: Workload,
    /// Sessions, each with a seed of its own.
    pub(crate) sessions: u32,
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

/// What a run of the enumerator found.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) broken: Vec<Broken>,
    pub(crate) saw: Saw,
    pub(crate) time_ns: u64,
    pub(crate) threads: usize,
    /// Events of the sessions, and a digest of them all.
    pub(crate) events: u64,
    pub(crate) trace: u64,
}

/// Records the sessions and goes through their crash states.
///
/// # Errors
/// If a workload does not come to its end without a crash.
pub(crate) fn run(
    plan: &CrashPlan,
    seed: u64,
    progress: &dyn Fn(u64),
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let search = Search::new(Limits {
        bounds: plan.bounds,
        depth: plan.depth,
        third_of: plan.third_of,
        most: plan.most,
    });
    let mut saw = Saw::default();
    let (mut events, mut trace, mut failed_syncs) = (0, 0u64, 0);
    for number in 0..u64::from(plan.sessions) {
        if search.ended() {
            break;
        }
        let source = Source {
            workload: plan.workload,
            seed: seed.wrapping_add(number),
            failing: None,
        };
        let recording = record_source(&source)?;
        let subject = Vellum::new(&recording.models, plan.rules);
        search.run(
            &subjected(&source, &subject, &recording.events, 0),
            plan.threads,
        );
        failed_syncs += fail_syncs(plan, &source, &subject, &recording, &search)?;
        progress(search.distinct() as u64);
        events += recording.events.len() as u64;
        trace = trace.rotate_left(1) ^ self::trace::digest_of(&recording.events);
        saw.add(&recording.saw);
    }
    let (mut tally, broken) = search.finish();
    tally.seen.failed_syncs = failed_syncs;
    Ok(Outcome {
        tally,
        broken,
        saw,
        time_ns: started.elapsed().as_nanos() as u64,
        threads: plan.threads,
        events,
        trace,
    })
}

fn record_source(source: &Source) -> Result<Recording, Failure> {
    let fault = source.failing.map(|(call, failure)| Fault {
        call,
        kind: FaultKind::SyncFails(failure),
        lasts: false,
    });
    record(source.workload, source.seed, fault)
        .context(format!("the workload {} with seed {}", source.workload.name(), source.seed))
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
    let next = AtomicUsize::new(0);
    let results: Vec<Result<(), Failure>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..plan.threads)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(source) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                        failed_sync(source, subject, search)?;
                    }
                    Ok(())
                })
            })
            .collect();
        let panicked = |_| Err(Failure::lab("a thread of the enumeration panicked"));
        let join = threads.into_iter().map(|thread| thread.join());
        join.map(|result| result.unwrap_or_else(panicked)).collect()
    });
    results.into_iter().collect::<Result<(), Failure>>()?;
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
