//! Puts the repeats of a cell together: samples into measures, histograms into one.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::failure::{Context, Failure};
use crate::results::{Measure, Number, Phase, PhaseStatus, SweepCell};
use crate::scenario::plan::Plan;
use crate::scenario::registry::counts;

use super::cell::Found;

/// Nanoseconds in the unit in which the log states its greatest values: milliseconds.
const NS_PER_MS: f64 = 1e6;

/// Everything that has come in so far.
#[derive(Default)]
pub(super) struct Gathered {
    cells: BTreeMap<usize, SweepCell>,
    /// By cell and name.
    latencies: BTreeMap<(usize, String), Histogram<u64>>,
}

impl Gathered {
    pub(super) fn add(&mut self, number: usize, plan: &Plan, found: Found) -> Result<(), Failure> {
        for latencies in found.latencies {
            let key = (number, latencies.name);
            match self.latencies.get_mut(&key) {
                Some(histogram) => histogram.add(&latencies.histogram).context("latencies")?,
                None => {
                    self.latencies.insert(key, latencies.histogram);
                }
            }
        }
        match self.cells.get_mut(&number) {
            Some(cell) => {
                cell.repeats += 1;
                for (phase, repeat) in cell.phases.iter_mut().zip(found.phases) {
                    join(phase, repeat, cell.repeats);
                }
            }
            None => {
                self.cells.insert(
                    number,
                    SweepCell {
                        number: number as u64,
                        at: plan.at.clone(),
                        places: plan.places.clone(),
                        repeats: 1,
                        engine: found.engine,
                        dataset: found.dataset,
                        tables: found.tables,
                        phases: found.phases,
                    },
                );
            }
        }
        Ok(())
    }

    pub(super) fn cells(&self) -> Vec<SweepCell> {
        self.cells.values().cloned().collect()
    }

    /// Every histogram in the standard log format, tagged with cell and name.
    pub(super) fn write_histograms(&self, folder: &Path) -> Result<(), Failure> {
        if self.latencies.is_empty() {
            return Ok(());
        }
        let path = folder.join("latencies.hlog");
        let mut out = BufWriter::new(File::create(&path).context(path.display())?);
        let mut serializer = V2DeflateSerializer::new();
        let mut log = IntervalLogWriterBuilder::new()
            .add_comment(
                "latencies in nanoseconds; one histogram for each cell, phase and operation",
            )
            .with_max_value_divisor(NS_PER_MS)
            .begin_log_with(&mut out, &mut serializer)
            .context(path.display())?;
        for ((number, name), histogram) in &self.latencies {
            let tag = format!("cell-{number}/{name}");
            log.write_histogram(histogram, Duration::ZERO, Duration::ZERO, Tag::new(&tag))
                .map_err(|error| Failure::lab(format!("{}: {error:?}", path.display())))?;
        }
        out.flush().context(path.display())
    }
}

/// Adds another repeat of a phase. Where one was wrong, that is what remains. A counter that one of them
/// does not have did not move in it.
fn join(phase: &mut Phase, repeat: Phase, number: u64) {
    let mut repeat = repeat;
    let moved = phase
        .metrics
        .keys()
        .filter(|name| name.starts_with(counts::PREFIX) && !repeat.metrics.contains_key(*name));
    let unmoved: Vec<String> = moved.cloned().collect();
    for name in unmoved {
        repeat.metrics.insert(name, Measure::once(Number(0.0)));
    }
    for (name, measure) in repeat.metrics {
        let before = match name.starts_with(counts::PREFIX) {
            true => vec![Number(0.0); number.saturating_sub(1) as usize],
            false => Vec::new(),
        };
        let samples: Vec<Number> = phase
            .metrics
            .get(&name)
            .map_or(before, |known| known.samples.clone())
            .into_iter()
            .chain(measure.samples)
            .collect();
        if let Some(joined) = Measure::of(samples) {
            phase.metrics.insert(name, joined);
        }
    }
    if repeat.status != PhaseStatus::Right && phase.status == PhaseStatus::Right {
        phase.status = repeat.status;
        let findings = repeat.findings.into_iter();
        phase
            .findings
            .extend(findings.map(|finding| format!("repeat {number}: {finding}")));
    }
    phase.answer = repeat.answer.or(phase.answer.take());
}
