//! Beside commit figures: processors kept awake, and the floor that no durable commit can pass.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use crate::failure::{Context, Failure};
use crate::stats::Summary;

/// Writes measured for the floor.
const WRITES: u64 = 25;

/// Bytes written ahead, so that no write changes the file's length, as a log does it.
const AHEAD: u64 = 4 << 20;

/// What the manifest says of a spinner.
pub(crate) const SPINNER: &str = "one thread that runs only where nothing else would spins beside durable commits: on some virtual machines a sync waits for a timer tick when every processor idles";

/// A thread that makes way for every other and spins for as long as this value lives.
pub(crate) struct Spinner {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Spinner {
    /// `None` where there is only one processor, or where a thread cannot lower its priority.
    pub(crate) fn start() -> Option<Spinner> {
        let cpus = std::thread::available_parallelism().map_or(1, |cpus| cpus.get());
        if cpus < 2 || !cfg!(target_os = "linux") {
            return None;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            if lower_priority() {
                while !seen.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            }
        });
        Some(Spinner {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It only spins, so there is nothing to hear from it.
            let _ = thread.join();
        }
    }
}

#[cfg(target_os = "linux")]
fn lower_priority() -> bool {
    use thread_priority::{NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy};
    // An idle thread makes way at once. One that is only nice may keep its processor until the next tick from a commit
    // that wakes up. Both are properties of the calling thread.
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    let this = thread_priority::thread_native_id();
    thread_priority::set_thread_priority_and_policy(this, ThreadPriority::Min, idle).is_ok()
        || rustix::process::nice(19).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() -> bool {
    false
}

/// Median time to write so many bytes and make them durable, with nothing else around it.
pub(super) fn floor(folder: &Path, bytes: u64) -> Result<u64, Failure> {
    let path = folder.join("floor");
    let measured = measure(&path, bytes.clamp(1, AHEAD / WRITES));
    // A file that is not there needs no removing.
    let _ = std::fs::remove_file(&path);
    let samples = measured.context(path.display())?;
    Ok(Summary::of(&samples).map_or(0, |summary| summary.median))
}

/// The floor for a small record, with processors left to themselves and with one kept awake.
pub(crate) fn idle_and_awake(folder: &Path) -> Result<(u64, Option<u64>), Failure> {
    const RECORD: u64 = 256;
    let idle = floor(folder, RECORD)?;
    let Some(spinner) = Spinner::start() else {
        return Ok((idle, None));
    };
    let awake = floor(folder, RECORD)?;
    drop(spinner);
    Ok((idle, Some(awake)))
}

fn measure(path: &Path, bytes: u64) -> io::Result<Vec<u64>> {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = File::create(path)?;
    file.write_all(&vec![0; AHEAD as usize])?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let data = vec![0x5a; bytes as usize];
    (0..WRITES)
        .map(|_| {
            let started = Instant::now();
            file.write_all(&data)?;
            file.sync_data()?;
            Ok(started.elapsed().as_nanos() as u64)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_spinner_makes_way() {
        use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy};
        let policy = std::thread::spawn(|| {
            assert!(lower_priority());
            thread_priority::thread_schedule_policy()
        });
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(policy.join().unwrap().unwrap(), idle);
    }

    #[test]
    fn the_floor_is_measured_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [0, 200, 1 << 30] {
            assert!(floor(folder.path(), bytes).unwrap() > 0);
        }
        let (idle, awake) = idle_and_awake(folder.path()).unwrap();
        assert!(idle > 0 && awake != Some(0));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
