//! Bugs planted in the engine, one after the other: each must be caught by two kinds of test that know
//! nothing of each other, and none may find anything where no bug is.
//!
//! Needs a build with `--cfg vellum_plant`: `make crash-self-test`.

mod bugs;
mod crashes;
mod session;
mod tests;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use vellum::storage::sim::{Disk, FaultKind, SimDirectory};

use self::bugs::BUGS;
use self::session::{Trace, session};
use crate::{damage, faults, ordering};

/// A kind of test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    /// A session gives the same answers as without the bug, on quiet storage and on storage that
    /// interrupts and shortens every other call.
    Model,
    /// The engine's own check finds nothing.
    Check,
    /// The order of writes and syncs.
    Ordering,
    /// States that crashes leave, recovered.
    Crashes,
    /// Calls that fail.
    Faults,
    /// Damaged files.
    Damage,
}

impl Layer {
    const ALL: [Layer; 6] = [
        Layer::Model,
        Layer::Check,
        Layer::Ordering,
        Layer::Crashes,
        Layer::Faults,
        Layer::Damage,
    ];

    fn name(self) -> &'static str {
        match self {
            Layer::Model => "model",
            Layer::Check => "check",
            Layer::Ordering => "ordering",
            Layer::Crashes => "crashes",
            Layer::Faults => "faults",
            Layer::Damage => "damage",
        }
    }
}

/// What caught one bug.
struct Caught {
    layers: BTreeSet<Layer>,
    /// The first finding of each.
    findings: Vec<String>,
    seconds: f64,
}

impl Caught {
    fn by(&mut self, layer: Layer, finding: String) {
        if self.layers.insert(layer) {
            self.findings.push(format!("{}: {finding}", layer.name()));
        }
    }
}

/// Looks for a bug with everything there is. `right`: what a session gives without it.
fn hunt(right: &Trace) -> Caught {
    let started = Instant::now();
    let mut caught = Caught {
        layers: BTreeSet::new(),
        findings: Vec::new(),
        seconds: 0.0,
    };
    for noise in [
        None,
        Some(FaultKind::ShortHalf),
        Some(FaultKind::Interrupted),
    ] {
        let directory = SimDirectory::new();
        let trace = catch_unwind(AssertUnwindSafe(|| session(&directory, noise)));
        match trace {
            Ok(Ok(trace)) => {
                if let Some(difference) = right.difference(&trace) {
                    caught.by(Layer::Model, difference);
                }
                if let Some(finding) = trace.findings.first() {
                    caught.by(Layer::Check, finding.clone());
                }
            }
            Ok(Err(error)) => caught.by(Layer::Model, error),
            Err(_) => caught.by(Layer::Model, "a panic".to_owned()),
        }
        if noise.is_none() {
            let events = directory.events();
            let odd = |mark: u64| mark % 2 == 1;
            let broken = ordering::broken(session::NAME, &Disk::default(), &events, odd);
            if let Some(broken) = broken.first() {
                caught.by(Layer::Ordering, broken.clone());
            }
            if let Some(broken) = crashes::broken(&events, &right.states) {
                caught.by(Layer::Crashes, broken);
            }
        }
    }
    calls_and_files(&mut caught);
    caught.seconds = started.elapsed().as_secs_f64();
    caught
}

fn calls_and_files(caught: &mut Caught) {
    for (part, stride) in [(faults::Part::EveryCall, 11), (faults::Part::Untold, 5)] {
        let outcome = faults::run(faults::Extent {
            part,
            stride,
            seed: 1,
            until_broken: true,
        });
        match outcome {
            Ok(outcome) => {
                for broken in outcome.broken {
                    let (rest, order) = match broken.split_once(faults::OUT_OF_ORDER) {
                        Some((rest, order)) => (rest, Some(order)),
                        None => (broken.as_str(), None),
                    };
                    if let Some(order) = order {
                        caught.by(Layer::Ordering, order.to_owned());
                    }
                    // Where the order alone is wrong, only the name of the cell stands before.
                    if order.is_some() && !rest.ends_with("; ") {
                        continue;
                    }
                    let layer = if rest.contains(faults::CHECK_FINDS) {
                        Layer::Check
                    } else {
                        Layer::Faults
                    };
                    caught.by(layer, broken);
                }
            }
            Err(error) => caught.by(Layer::Faults, error),
        }
    }
    let extent = damage::Extent {
        ways: damage::Way::ALL.to_vec(),
        page_sizes: vec![4096],
        stride: 1_499,
        stride_of_others: 1_499,
        seed: 1,
        until_broken: true,
    };
    // A database that cannot be made is nothing that could be damaged.
    let outcome = catch_unwind(AssertUnwindSafe(|| damage::run(&extent)));
    if let Ok(Ok(outcome)) = outcome
        && let Some(broken) = outcome.broken.first()
    {
        caught.by(Layer::Damage, broken.clone());
    }
}

/// The table of bugs and what caught each, as Markdown.
fn markdown(rows: &[(&str, &str, Caught)]) -> String {
    let mut text = String::from(
        "# Planted bugs and what caught each\n\n\
         Made by `make crash-self-test`. Every bug alters the path that every user of the engine takes; without a\n\
         bug no test here finds anything. What each kind of test is: `docs/reliability.md`.\n\n| bug | what it does |",
    );
    for layer in Layer::ALL {
        text.push_str(&format!(" {} |", layer.name()));
    }
    text.push_str("\n|---|---|");
    text.push_str(&":-:|".repeat(Layer::ALL.len()));
    text.push('\n');
    for (bug, what, caught) in rows {
        text.push_str(&format!("| `{bug}` | {what} |"));
        for layer in Layer::ALL {
            let mark = if caught.layers.contains(&layer) {
                "×"
            } else {
                ""
            };
            text.push_str(&format!(" {mark} |"));
        }
        text.push('\n');
    }
    text
}

/// The same as data.
fn json(rows: &[(&str, &str, Caught)]) -> serde_json::Value {
    let bugs: Vec<serde_json::Value> = rows
        .iter()
        .map(|(bug, what, caught)| {
            let layers: Vec<&str> = caught.layers.iter().map(|layer| layer.name()).collect();
            serde_json::json!({ "bug": bug, "what": what, "caught_by": layers })
        })
        .collect();
    serde_json::json!({ "schema": 1, "bugs": bugs })
}
