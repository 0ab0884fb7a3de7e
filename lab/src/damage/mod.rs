//! Damage to the files, of every kind and in every place: an error says so, or no answer changes.

mod cells;
mod fields;
mod forged;
mod image;
mod outcome;
mod probe;
mod replay;
mod report;
mod sweep;
mod tests;
mod traced;
mod ways;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use crate::meter;
use crate::share::Share;

pub(crate) use self::image::Facts;
pub(crate) use self::outcome::Outcome;
pub(crate) use self::replay::replay;
pub(crate) use self::report::{answer, metrics, tables};
pub(crate) use self::ways::Way;

use self::image::Image;
use self::outcome::One;
use self::probe::{Probes, probes};
use self::replay::Id;
use self::sweep::Victim;

/// Places that a worker takes at a time.
const BATCH: usize = 64;

/// How much damage is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) ways: Vec<Way>,
    /// Page sizes of the databases, one database for each.
    pub(crate) page_sizes: Vec<usize>,
    /// One of so many places of the first database is damaged, and one of so many of the others.
    pub(crate) stride: usize,
    pub(crate) stride_of_others: usize,
    pub(crate) seed: u64,
    pub(crate) until_broken: bool,
}

/// How the work is done and watched.
pub(crate) struct Course<'a> {
    pub(crate) threads: usize,
    /// Told how many damages are done.
    pub(crate) progress: &'a (dyn Fn(u64) + Sync),
    /// Whether to end now, with what there is.
    pub(crate) stop: &'a (dyn Fn() -> bool + Sync),
    /// The part that is carried out.
    pub(crate) share: Share,
}

/// Damages every database in every way asked for, on every processor.
#[cfg(any(test, vellum_plant))]
pub(crate) fn run(extent: &Extent) -> Result<Outcome, String> {
    let course = Course {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        progress: &|_| {},
        stop: &|| false,
        share: Share::WHOLE,
    };
    run_on(extent, &course)
}

/// Damages every database in every way asked for.
///
/// # Errors
/// If a database cannot be made.
pub(crate) fn run_on(extent: &Extent, course: &Course<'_>) -> Result<Outcome, String> {
    let outcome = Mutex::new(Outcome::default());
    for (number, page_size) in extent.page_sizes.iter().enumerate() {
        let made = |error: vellum::Error| format!("making a database: {error}");
        let seed = extent.seed + number as u64;
        let image = Image::new(seed, *page_size).map_err(made)?;
        let probes = probes(&image).map_err(made)?;
        outcome.lock().facts.push(image.facts);
        let stride = match number {
            0 => extent.stride,
            _ => extent.stride_of_others,
        };
        for way in &extent.ways {
            let sweep = Sweep {
                way: *way,
                image: &image,
                probes: &probes,
                seed,
                stride,
                until_broken: extent.until_broken,
            };
            sweep.run(course, &outcome)?;
        }
    }
    Ok(outcome.into_inner())
}

/// All places of one way in one database.
struct Sweep<'a> {
    way: Way,
    image: &'a Image,
    probes: &'a Probes,
    seed: u64,
    stride: usize,
    until_broken: bool,
}

impl Sweep<'_> {
    fn run(&self, course: &Course<'_>, outcome: &Mutex<Outcome>) -> Result<(), String> {
        let count = self.way.places(self.image);
        // A way with few places is never thinned out so far that little is left of it.
        let stride = self.stride.min((count / 200).max(1));
        let next = AtomicUsize::new(0);
        let failed = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..course.threads.max(1) {
                scope.spawn(|| {
                    let victim = match Victim::new(self.image, self.probes) {
                        Ok(victim) => victim,
                        Err(error) => {
                            *failed.lock() = Some(format!("opening a sound database: {error}"));
                            return;
                        }
                    };
                    loop {
                        let first = next.fetch_add(BATCH * stride, Ordering::Relaxed);
                        let broken = self.until_broken && !outcome.lock().broken.is_empty();
                        if first >= count || broken || (course.stop)() {
                            return;
                        }
                        let last = (first + BATCH * stride).min(count);
                        let places = (first..last).step_by(stride);
                        let places =
                            places.filter(|place| course.share.has((place / stride) as u64));
                        let done: Vec<One> = places.map(|place| self.one(&victim, place)).collect();
                        let mut outcome = outcome.lock();
                        for one in done {
                            outcome.note(self.way, one);
                        }
                        (course.progress)(outcome.total().tried);
                    }
                });
            }
        });
        failed.into_inner().map_or(Ok(()), Err)
    }

    fn one(&self, victim: &Victim<'_>, place: usize) -> One {
        let started = Instant::now();
        let damage = || self.way.damage(victim, self.image, place);
        let (came, peak) = meter::peak(|| catch_unwind(AssertUnwindSafe(damage)));
        if came.is_err() {
            victim.mend();
        }
        One {
            id: Id {
                way: self.way,
                page_size: self.image.page_size,
                seed: self.seed,
                place,
            },
            came: came.map_err(|_| ()),
            time_ns: started.elapsed().as_nanos() as u64,
            peak_bytes: peak,
            file_bytes: (self.image.database.len() + self.image.log.len()) as u64,
        }
    }
}
