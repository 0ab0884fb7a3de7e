//! What tests of schedules share.
#![allow(clippy::unwrap_used)]

use loom::model::Builder;
use loom::thread;
use loom::thread::JoinHandle;

/// More than a descent or a merge needs, in words, as Loom counts. It gives a thread much less.
const STACK_WORDS: usize = (1 << 20) / size_of::<usize>();
/// Meetings in one schedule. A commit has some hundred of them.
const MEETINGS_MAX: usize = 20_000;

/// Runs a check under every schedule with up to so many preemptions.
pub(crate) fn explore(preemptions: usize, check: fn()) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = MEETINGS_MAX;
    builder.check(move || spawn(check).join().unwrap());
}

pub(crate) fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let thread = thread::Builder::new().stack_size(STACK_WORDS);
    thread.spawn(run).unwrap()
}
