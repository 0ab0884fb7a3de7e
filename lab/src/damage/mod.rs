//! Damage to the files, of every kind and in every place: an error says so, or no answer changes.

mod image;
mod probe;
mod sweep;
mod tests;
mod traced;
mod ways;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

pub(crate) use self::image::Facts;
pub(crate) use self::ways::Way;

use self::image::Image;
use self::probe::{Probes, probes};
use self::sweep::{Came, Victim};

/// Violations that are kept in words; more are only counted.
const KEPT: usize = 100;
/// Places that a worker takes at a time.
const BATCH: usize = 512;

/// How much damage is done.
#[derive(Clone, Debug)]
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

/// What one way of damaging came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) tried: u64,
    pub(crate) refused: u64,
    pub(crate) harmless: u64,
    pub(crate) never_read: u64,
    /// The end of the log was cut off with what it held.
    pub(crate) shortened: u64,
    pub(crate) silent: u64,
    pub(crate) panics: u64,
}

/// What the sweeps found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) facts: Vec<Facts>,
    pub(crate) tallies: BTreeMap<Way, Tally>,
    /// Which rule refused how much.
    pub(crate) rules: BTreeMap<String, u64>,
    pub(crate) broken: Vec<String>,
}

impl Outcome {
    fn note(&mut self, way: Way, place: usize, came: std::thread::Result<Came>) {
        let tally = self.tallies.entry(way).or_default();
        tally.tried += 1;
        let broken = match came {
            Ok(Came::Refused(rule)) => {
                tally.refused += 1;
                *self.rules.entry(rule).or_default() += 1;
                return;
            }
            Ok(Came::Harmless) => {
                tally.harmless += 1;
                return;
            }
            Ok(Came::NeverRead) => {
                tally.never_read += 1;
                return;
            }
            Ok(Came::Shortened) => {
                tally.shortened += 1;
                if way.may_shorten() {
                    return;
                }
                "took back a commit without a word"
            }
            Ok(Came::Silent) => {
                tally.silent += 1;
                "changed an answer without a word"
            }
            Err(_) => {
                tally.panics += 1;
                "caused a panic"
            }
        };
        if self.broken.len() < KEPT {
            self.broken
                .push(format!("{}, place {place}: {broken}", way.name()));
        }
    }

    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.values() {
            total.tried += tally.tried;
            total.refused += tally.refused;
            total.harmless += tally.harmless;
            total.never_read += tally.never_read;
            total.shortened += tally.shortened;
            total.silent += tally.silent;
            total.panics += tally.panics;
        }
        total
    }
}

/// Damages every database in every way asked for, on every processor.
pub(crate) fn run(extent: &Extent) -> Result<Outcome, String> {
    let outcome = Mutex::new(Outcome::default());
    for (number, page_size) in extent.page_sizes.iter().enumerate() {
        let made = |error: vellum::Error| format!("making a database: {error}");
        let image = Image::new(extent.seed + number as u64, *page_size).map_err(made)?;
        let probes = probes(&image).map_err(made)?;
        outcome.lock().facts.push(image.facts);
        let stride = if number == 0 {
            extent.stride
        } else {
            extent.stride_of_others
        };
        for way in &extent.ways {
            places(*way, &image, &probes, stride, extent.until_broken, &outcome)?;
        }
    }
    Ok(outcome.into_inner())
}

/// All places of one way.
fn places(
    way: Way,
    image: &Image,
    probes: &Probes,
    stride: usize,
    until_broken: bool,
    outcome: &Mutex<Outcome>,
) -> Result<(), String> {
    let count = way.places(image);
    // A way with few places is never thinned out so far that little is left of it.
    let stride = stride.min((count / 200).max(1));
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let victim = match Victim::new(image, probes) {
                    Ok(victim) => victim,
                    Err(error) => {
                        *failed.lock() = Some(format!("opening a sound database: {error}"));
                        return;
                    }
                };
                loop {
                    let first = next.fetch_add(BATCH * stride, Ordering::Relaxed);
                    if first >= count || (until_broken && !outcome.lock().broken.is_empty()) {
                        return;
                    }
                    for place in (first..(first + BATCH * stride).min(count)).step_by(stride) {
                        let came =
                            catch_unwind(AssertUnwindSafe(|| way.damage(&victim, image, place)));
                        outcome.lock().note(way, place, came);
                    }
                }
            });
        }
    });
    failed.into_inner().map_or(Ok(()), Err)
}
