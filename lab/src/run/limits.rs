//! What ends a run before its end: a key press, or its budget.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::failure::{Context, Exit, Failure};
use crate::scenario::plan::Budget;
use crate::units::Unit;

/// Set by the handler of interrupts.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Lets the first interrupt end the run in order, and the second end the process.
pub(crate) fn watch_interrupts() -> Result<(), Failure> {
    let set = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted as u8));
        }
    });
    match set {
        Ok(()) | Err(ctrlc::Error::MultipleHandlers) => Ok(()),
        Err(error) => Err(error).context("interrupts"),
    }
}

/// Fails if somebody has interrupted this process.
pub(crate) fn check_interrupt() -> Result<(), Failure> {
    match INTERRUPTED.load(Ordering::Relaxed) {
        true => Err(Failure::new(Exit::Interrupted, "interrupted")),
        false => Ok(()),
    }
}

/// The budget of one run.
pub(crate) struct Limits {
    budget: Budget,
    started: Instant,
}

impl Limits {
    pub(crate) fn new(budget: Budget) -> Limits {
        Limits {
            budget,
            started: Instant::now(),
        }
    }

    /// Fails if the run has to end now.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        check_interrupt()?;
        match self.budget.time {
            Some(time) if self.started.elapsed() > time => Err(Failure::new(
                Exit::Budget,
                format!(
                    "the budget of {} is used up; raise it with --set budget.time='\"…\"'",
                    Unit::Ns.show(time.as_nanos() as f64)
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Fails if the databases take more than the budget has.
    pub(crate) fn check_disk(&self, folder: &Path) -> Result<(), Failure> {
        let Some(most) = self.budget.disk_bytes else {
            return Ok(());
        };
        let used = size_of_folder(folder);
        if used > most {
            return Err(Failure::new(
                Exit::Budget,
                format!(
                    "the databases take {}, and the budget is {}",
                    Unit::Bytes.show(used as f64),
                    Unit::Bytes.show(most as f64)
                ),
            ));
        }
        Ok(())
    }
}

/// Bytes of the files in a folder; what cannot be read counts as nothing.
fn size_of_folder(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(|metadata| metadata.is_file())
        .map(|metadata| metadata.len())
        .sum()
}
