//! Bugs planted in the engine, one at a time, and everything that looks for one: each must be caught by two
//! kinds of test that know nothing of each other, and none may find anything where no bug is.
//!
//! Only a build with `--cfg vellum_plant` has this. What goes through the bugs, and adds the fuzz targets,
//! is `fuzz/bodies/tests/planted.rs`: `make crash-self-test`.

mod bugs;
mod crashes;
mod full;
mod session;
mod stubborn;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use vellum::plant::plant;
use vellum::storage::sim::{Disk, FaultKind, SimDirectory};

use self::session::{Trace, session};
use crate::damage;
use crate::faults::{self, Part};
use crate::ordering;

pub use self::bugs::{BUGS, RACES};

/// A kind of test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A session gives the same answers as without the bug, on quiet storage and on storage that
    /// interrupts and shortens every call, and on storage that is full once; the workloads of the enumerator
    /// agree with their model.
    Model,
    /// The engine's own check finds nothing.
    Check,
    /// The order of writes and syncs.
    Ordering,
    /// States that crashes leave, recovered.
    Enumeration,
    /// Calls that fail, and writes that are lost or go elsewhere.
    Faults,
    /// Files that are damaged after they were written.
    Damage,
    /// The fuzz targets, on their corpus and on a stated number of random inputs.
    Fuzz,
}

impl Layer {
    /// All of them, in the order of the report.
    pub const ALL: [Layer; 7] = [
        Layer::Model,
        Layer::Check,
        Layer::Ordering,
        Layer::Enumeration,
        Layer::Faults,
        Layer::Damage,
        Layer::Fuzz,
    ];

    /// As the report calls it.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Model => "model",
            Layer::Check => "check",
            Layer::Ordering => "ordering",
            Layer::Enumeration => "enumeration",
            Layer::Faults => "faults",
            Layer::Damage => "damage",
            Layer::Fuzz => "fuzz",
        }
    }
}

/// Ways of damaging files: what checksums, births and the log's chain are for.
const DAMAGE: [damage::Way; 4] = [
    damage::Way::OlderPages,
    damage::Way::SwappedPages,
    damage::Way::Bits,
    damage::Way::LogBits,
];

/// One hunt for one bug.
struct Hunt<'a> {
    /// What a session gives without a bug.
    right: Trace,
    /// Layers that are told already.
    layers: BTreeSet<Layer>,
    tell: &'a mut dyn FnMut(Layer, &str),
}

/// Looks for a bug with one kind of test after the other, until `enough` of them have caught it. `fuzz`
/// gives the first broken promise of the fuzz targets; `tell` gets the first finding of each layer.
///
/// An empty name is no bug, and then nothing may be told.
///
/// # Errors
/// If the session does not come to its end without a bug.
pub fn hunt(
    bug: &str,
    enough: usize,
    fuzz: &dyn Fn() -> Option<String>,
    tell: &mut dyn FnMut(Layer, &str),
) -> Result<(), String> {
    plant("");
    let right = session(&SimDirectory::new(), None)?;
    plant(bug);
    let mut hunt = Hunt {
        right,
        layers: BTreeSet::new(),
        tell,
    };
    type Step<'s> = &'s dyn Fn(&mut Hunt<'_>);
    let steps: [Step<'_>; 9] = [
        &|hunt| hunt.sessions(),
        &|hunt| hunt.stubborn(),
        &|hunt| hunt.full(),
        &|hunt| hunt.damage(),
        &|hunt| hunt.faults(Part::Syncs, 3),
        &|hunt| hunt.fuzz(fuzz),
        &|hunt| hunt.crashes(),
        &|hunt| hunt.faults(Part::EveryCall, 11),
        &|hunt| hunt.faults(Part::Untold, 5),
    ];
    for step in steps {
        if hunt.layers.len() >= enough {
            break;
        }
        step(&mut hunt);
    }
    plant("");
    Ok(())
}

impl Hunt<'_> {
    fn by(&mut self, layer: Layer, finding: &str) {
        if self.layers.insert(layer) {
            (self.tell)(layer, finding);
        }
    }

    fn sessions(&mut self) {
        for noise in [
            None,
            Some(FaultKind::ShortHalf),
            Some(FaultKind::Interrupted),
        ] {
            let directory = SimDirectory::new();
            match guarded(|| session(&directory, noise)) {
                Ok(trace) => {
                    if let Some(difference) = self.right.difference(&trace) {
                        self.by(Layer::Model, &difference);
                    }
                    if let Some(finding) = trace.findings.first() {
                        self.by(Layer::Check, finding);
                    }
                }
                Err(error) => self.by(Layer::Model, &error),
            }
            if noise.is_none() {
                let odd = |mark: u64| mark % 2 == 1;
                let events = directory.events();
                let broken = ordering::broken(session::NAME, &Disk::default(), &events, odd);
                if let Some(broken) = broken.first() {
                    self.by(Layer::Ordering, broken);
                }
            }
        }
    }

    fn stubborn(&mut self) {
        if let Err(broken) = guarded(stubborn::in_order) {
            self.by(Layer::Ordering, &broken);
        }
    }

    fn full(&mut self) {
        if let Err(broken) = guarded(full::goes_on) {
            self.by(Layer::Model, &broken);
        }
    }

    fn damage(&mut self) {
        let extent = damage::Extent {
            ways: DAMAGE.to_vec(),
            page_sizes: vec![4096],
            stride: 997,
            stride_of_others: 1,
            seed: 1,
            until_broken: true,
        };
        let broken = match guarded(|| damage::run(&extent)) {
            Ok(outcome) => outcome.broken,
            Err(error) => vec![error],
        };
        if let Some(broken) = broken.first() {
            self.by(Layer::Damage, broken);
        }
    }

    fn fuzz(&mut self, fuzz: &dyn Fn() -> Option<String>) {
        if let Some(broken) = fuzz() {
            self.by(Layer::Fuzz, &broken);
        }
    }

    fn crashes(&mut self) {
        for workload in crashes::WORKLOADS {
            let found = guarded(|| Ok(crashes::broken(workload)));
            match found.unwrap_or_else(|panic| crashes::Found::NoRecording(panic)) {
                crashes::Found::Nothing => {}
                crashes::Found::NoRecording(error) => self.by(Layer::Model, &error),
                crashes::Found::State(broken) => {
                    self.by(Layer::Enumeration, &broken);
                    return;
                }
            }
        }
    }

    fn faults(&mut self, part: Part, stride: usize) {
        let extent = faults::Extent {
            part,
            stride,
            seed: 1,
            until_broken: true,
        };
        let broken = match guarded(|| faults::run(extent)) {
            Ok(outcome) => outcome.broken,
            Err(error) => vec![error],
        };
        for broken in broken {
            let (rest, order) = match broken.split_once(faults::OUT_OF_ORDER) {
                Some((rest, order)) => (rest, Some(order)),
                None => (broken.as_str(), None),
            };
            if let Some(order) = order {
                self.by(Layer::Ordering, order);
            }
            // Where the order alone is wrong, only the name of the cell stands before.
            if order.is_some() && !rest.ends_with("; ") {
                continue;
            }
            let checked = rest.contains(faults::CHECK_FINDS);
            self.by(if checked { Layer::Check } else { Layer::Faults }, &broken);
        }
    }
}

/// A panic is a finding, too.
fn guarded<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| Err("a panic".to_owned()))
}
