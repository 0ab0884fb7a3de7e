//! Every schedule of the checkpoint thread, a commit that wakes it and a close that ends it.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use super::Signal;

#[test]
fn a_wish_is_never_lost_and_an_end_is_an_end() {
    loom::model(|| {
        let signal = Arc::new(Signal::default());
        let done = Arc::new(AtomicU64::new(0));
        let worker = {
            let (signal, done) = (Arc::clone(&signal), Arc::clone(&done));
            thread::spawn(move || {
                while signal.wait() {
                    done.fetch_add(1, Ordering::AcqRel);
                }
            })
        };
        signal.wake();
        signal.wake();
        signal.stop();
        worker.join().unwrap();
        // Two wishes may be one piece of work, and an end may come before either.
        assert!(done.load(Ordering::Acquire) <= 2);
        assert!(!signal.wait());
    });
}
