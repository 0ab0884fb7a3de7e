//! The thread that runs checkpoints beside the writers.

use std::sync::Arc;

use crate::options::CheckpointMode;
use crate::store::{Signal, Store};
use crate::sync::thread;
use crate::sync::thread::JoinHandle;

/// Owns the checkpoint thread of one database handle; absent in inline mode and read-only.
pub(super) struct Checkpointer {
    signal: Arc<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn of(store: &Arc<Store>) -> Checkpointer {
        let signal = Arc::clone(&store.signal);
        let wanted =
            !store.options.read_only && store.options.checkpoint == CheckpointMode::Background;
        let thread = if wanted { spawn(store, &signal) } else { None };
        Checkpointer { signal, thread }
    }

    /// Waits for the slice under way, then ends the thread.
    pub(super) fn stop(&mut self) {
        self.signal.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread left the checkpoint undone; closing runs it again.
            let _ = thread.join();
        }
    }
}

/// Without a thread, a commit that finds no room runs the checkpoint itself: slower, never wrong.
fn spawn(store: &Arc<Store>, signal: &Arc<Signal>) -> Option<JoinHandle<()>> {
    let store = Arc::clone(store);
    let signal = Arc::clone(signal);
    thread::Builder::new()
        .name("vellum-checkpoint".to_owned())
        .spawn(move || {
            while signal.wait() {
                // A failure stays with the checkpoint: the next commit that needs its space runs it
                // again and gets the error.
                let _ = store.finish_checkpoint();
            }
        })
        .ok()
}
