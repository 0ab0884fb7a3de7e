//! The phases of a cell whose store is a peer: it loads and carries out mixes, and its answers must be
//! the model's like the engine's own.

use std::path::Path;
use std::time::Instant;

use crate::console::Console;
use crate::dataset::model::Model;
use crate::dataset::oracle::Oracle;
use crate::failure::{Context, Exit, Failure};
use crate::results::{Phase, PhaseStatus};
use crate::scenario::plan::{Action, LoadHow, PhasePlan, Plan};
use crate::store::contents;
use crate::store::peers::{self, PeerStore};

use super::cell::Found;
use super::limits::Limits;
use super::mix;
use super::phases::{self, Notes};

/// Runs every phase. Those after a wrong one are skipped.
pub(super) fn phases(
    plan: &Plan,
    model: &Model,
    folder: &Path,
    limits: &Limits,
    console: &Console,
    found: &mut Found,
) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).context(folder.display())?;
    let mut peer = peers::open(&plan.store, folder, &plan.engine)?;
    let mut oracle = Oracle::of(model);
    found.engine = peer.settings();
    for phase in &plan.phases {
        if found
            .phases
            .iter()
            .any(|phase| phase.status != PhaseStatus::Right)
        {
            found.phases.push(Phase {
                status: PhaseStatus::Skipped,
                ..phases::blank(phase)
            });
            continue;
        }
        limits.check()?;
        console.detail(format!("{}: {}", phase.name, phase.action.describe()));
        let outcome = match &phase.action {
            Action::Load(how) => load(phase, peer.as_mut(), model, how),
            Action::Mix(mix) => mix::on_peer(
                plan,
                phase,
                mix,
                peer.as_mut(),
                &mut oracle,
                limits,
                console,
            ),
            _ => Err(Failure::usage("peers load and carry out mixes")),
        };
        let notes = match outcome {
            Ok(notes) => notes,
            Err(failure) if failure.exit == Exit::Wrong => {
                let mut notes = Notes::new(phase.action.kind());
                notes.findings.push(failure.message);
                notes
            }
            Err(failure) => return Err(failure),
        };
        let (done, latencies) = notes.into_phase(phase);
        found.latencies.extend(latencies);
        found.phases.push(done);
    }
    Ok(())
}

fn load(
    phase: &PhasePlan,
    peer: &mut dyn PeerStore,
    model: &Model,
    how: &LoadHow,
) -> Result<Notes, Failure> {
    let mut notes = Notes::new(phase.action.kind());
    let batch = match how {
        LoadHow::Batch(size) => Some(*size as usize),
        LoadHow::Bulk(_) => None,
    };
    let started = Instant::now();
    let commits = peer.load(model, batch)?;
    let ns = started.elapsed().as_nanos() as u64;
    let (nodes, edges) = (model.nodes().len() as u64, model.edges().len() as u64);
    notes.set("time_ns", ns);
    notes.set_float(
        "nodes_and_edges_per_second",
        ((nodes + edges) as f64 * 1e9 / ns.max(1) as f64).round(),
    );
    notes.set("commits", commits);
    notes.set("nodes", nodes);
    notes.set("edges", edges);
    notes.set("file_bytes", peer.file_bytes()?);
    let found = peer.contents()?;
    // The engine was opened anew by now as well.
    peer.forget()?;
    notes
        .findings
        .extend(contents::difference(&found, &contents::of_model(model)));
    notes.digest = Some(found);
    Ok(notes)
}
