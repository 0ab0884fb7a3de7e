//! `lab plan`: what a scenario would do, and about how long and how large it would be. Runs nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::{Global, PlanArgs};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::results::Ended;
use crate::rundir;
use crate::scenario;
use crate::scenario::plan::{Action, DatasetPlan, LoadHow, Plan, Scenario, Stop};
use crate::scenario::raw::Durability;
use crate::units::{Unit, grouped};

/// Rough costs, for estimates only: nanoseconds of a row loaded, of an operation, of a durable commit,
/// of a row compared.
const LOAD_NS: f64 = 2_000.0;
const OPERATION_NS: f64 = 10_000.0;
const COMMIT_NS: f64 = 1_000_000.0;
const COMPARE_NS: f64 = 10_000.0;

/// Bytes that a node and an edge take beside their data, names included.
const NODE_BYTES: u64 = 60;
const EDGE_BYTES: u64 = 9;

pub(super) fn run(args: &PlanArgs, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let changes = args.changes.changes();
    let mut rows = Vec::new();
    for path in &args.scenarios {
        let scenario = scenario::load(path, &changes, console.color)?;
        let earlier = earlier(&global.out, &scenario.name);
        let time = time(&scenario, earlier);
        let disk = scenario.cells.iter().filter_map(disk_bytes).max();
        match console.json() {
            true => rows.push(row(&scenario, time, earlier.is_some(), disk)),
            false => console.result(&show(&scenario, time, earlier.is_some(), disk))?,
        }
    }
    if console.json() {
        console.rows("plans", &rows)?;
    }
    Ok(Exit::Passed)
}

/// How long the newest complete run of this scenario took, for each repeat of a cell.
fn earlier(out: &Path, scenario: &str) -> Option<f64> {
    let mut runs: Vec<_> = fs::read_dir(out.join("runs"))
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().contains(&format!("-{scenario}-")))
        .collect();
    runs.sort();
    runs.iter().rev().find_map(|path| {
        let (run, manifest) = rundir::read(path).ok()?;
        let repeats: u64 = run.cells.iter().map(|cell| cell.repeats).sum();
        let whole = run.ended == Ended::Complete && run.scenario == scenario && repeats > 0;
        whole.then(|| manifest.duration_ns as f64 / repeats as f64)
    })
}

/// Nodes and edges of the cell's graph, where the scenario says.
fn size(plan: &Plan) -> Option<(u64, u64)> {
    match &plan.dataset {
        DatasetPlan::Generated(generator) => Some((generator.nodes, generator.edges())),
        DatasetPlan::Files(_) | DatasetPlan::Nothing => None,
    }
}

fn disk_bytes(plan: &Plan) -> Option<u64> {
    let (nodes, edges) = size(plan)?;
    let DatasetPlan::Generated(generator) = &plan.dataset else {
        return None;
    };
    let content = &generator.content;
    let data = u64::midpoint(content.node_bytes, content.node_bytes_max);
    Some(nodes * (NODE_BYTES + data) + edges * (EDGE_BYTES + content.edge_bytes))
}

fn time_ns(plan: &Plan) -> Option<f64> {
    let (nodes, edges) = size(plan)?;
    let rows = (nodes + edges) as f64;
    let durable = plan.engine.durability != Durability::None;
    let commit = if durable { COMMIT_NS } else { 0.0 };
    let phases = plan.phases.iter().map(|phase| match &phase.action {
        Action::Load(LoadHow::Batch(size)) => rows * LOAD_NS + rows / f64::from(*size) * commit,
        Action::Load(LoadHow::Bulk(_)) => rows * LOAD_NS,
        Action::Mix(mix) => match mix.stop {
            Stop::Time(time) => time.as_nanos() as f64,
            Stop::Operations(all) => {
                let commits = if mix.writes() {
                    all as f64 / f64::from(mix.batch)
                } else {
                    0.0
                };
                all as f64 * OPERATION_NS + commits * commit
            }
        },
        Action::Verify { .. } | Action::Bytes => rows * COMPARE_NS,
        _ => 1e9,
    });
    Some(phases.sum())
}

/// How long all of it would take. Of one cell without an estimate there is none of the whole.
fn time(scenario: &Scenario, earlier: Option<f64>) -> Option<f64> {
    let once = match earlier {
        Some(each) => Some(each * scenario.cells.len() as f64),
        None => scenario.cells.iter().map(time_ns).sum(),
    };
    once.map(|once| once * f64::from(scenario.repeats))
}

fn row(scenario: &Scenario, time: Option<f64>, ran: bool, disk: Option<u64>) -> Value {
    let cells: Vec<_> = scenario
        .cells
        .iter()
        .map(|cell| json!({ "at": cell.at, "store": cell.store, "nodes": size(cell).map(|size| size.0), "edges": size(cell).map(|size| size.1) }))
        .collect();
    json!({
        "scenario": scenario.name, "cells": cells, "repeats": scenario.repeats,
        "time_estimate_ns": time, "from_earlier_run": ran, "disk_estimate_bytes": disk,
    })
}

fn show(scenario: &Scenario, time: Option<f64>, ran: bool, disk: Option<u64>) -> String {
    let mut out = format!("{}: {}\n\n", scenario.name, scenario.question);
    for axis in &scenario.axes {
        let values: Vec<&str> = axis
            .values
            .iter()
            .map(|value| value.text.as_str())
            .collect();
        out += &format!("  axis {}: {}\n", axis.path, values.join(", "));
    }
    out += &format!(
        "  {} cells, {} repeats of each\n",
        grouped(scenario.cells.len() as u64),
        scenario.repeats
    );
    if let Some(cell) = scenario.cells.first() {
        for phase in &cell.phases {
            out += &format!("  phase {}: {}\n", phase.name, phase.action.describe());
        }
    }
    for check in &scenario.checks {
        out += &format!("  check {} {}\n", check.metric, check.expect_text);
    }
    let time = time.map(|time| Unit::Ns.show(time));
    let time = match time {
        None => "unknown until it has run once".to_owned(),
        Some(time) if ran => format!("about {time} (as long as the last run took)"),
        Some(time) => format!("about {time} (a rough guess; run it once for a better one)"),
    };
    out += &format!("\n  time: {time}\n");
    if let Some(disk) = disk {
        out += &format!("  disk: about {} at once\n", Unit::Bytes.show(disk as f64));
    }
    out
}
