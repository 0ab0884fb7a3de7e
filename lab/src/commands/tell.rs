//! Commands that only tell: the scenarios there are, peers, completions, schemas.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use serde_json::json;

use crate::cli::{Cli, CompletionsArgs, Format, ListArgs, SchemaArgs};
use crate::console::Console;
use crate::failure::{Context, Exit, Failure};
use crate::run::mix::awake;
use crate::scenario::{self, plan::Changes, reference};
use crate::store::peers::PEERS;
use crate::units::Unit;

/// `lab list`: the scenarios of a folder with the question that each one asks.
pub(super) fn list(args: &ListArgs, console: &Console) -> Result<Exit, Failure> {
    let folder = &args.folder;
    let entries = fs::read_dir(folder)
        .map_err(|error| Failure::missing(format!("{}: {error}", folder.display())))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    let mut exit = Exit::Passed;
    let mut rows = Vec::new();
    for path in paths {
        match scenario::load(&path, &Changes::default(), console.color) {
            Ok(scenario) => {
                let (name, cells) = (&scenario.name, scenario.cells.len());
                match console.format {
                    Format::Human => {
                        console.result(&format!("{name:<26} {}\n", scenario.question))?;
                    }
                    Format::Md => console.result(&format!("* `{name}`: {}\n", scenario.question))?,
                    Format::Json | Format::Ndjson => rows.push(json!({
                        "name": name, "question": scenario.question, "path": path.display().to_string(),
                        "cells": cells, "repeats": scenario.repeats, "checks": scenario.checks.len(),
                    })),
                }
            }
            Err(failure) => {
                exit = exit.worse(failure.exit);
                console.alarm(&failure.message);
            }
        }
    }
    if console.json() {
        console.rows("scenarios", &rows)?;
    }
    Ok(exit)
}

/// `lab peers`: other stores, and which of them this binary has.
pub(super) fn peers(console: &Console) -> Result<Exit, Failure> {
    if console.json() {
        let rows = PEERS.iter().map(|peer| {
            json!({ "name": peer.name, "what": peer.what, "feature": peer.feature, "built_in": peer.built_in,
                "scenarios": peer.scenarios })
        });
        console.rows("peers", &rows.collect::<Vec<_>>())?;
        return Ok(Exit::Passed);
    }
    for peer in PEERS {
        let built_in = match peer.built_in {
            true => "built in".to_owned(),
            false => format!("missing: build with --features {}", peer.feature),
        };
        let used = match peer.scenarios {
            true => "scenarios and `lab bench`",
            false => "`lab bench`",
        };
        console.result(&format!(
            "{:<8} {built_in}; in {used}: {}\n",
            peer.name, peer.what
        ))?;
    }
    Ok(Exit::Passed)
}

/// `lab completions`: a script for the shell.
pub(super) fn completions(args: &CompletionsArgs, console: &Console) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "lab", &mut script);
    console.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Passed)
}

/// `lab schema`: JSON Schema for editors and readers.
pub(super) fn schema(args: &SchemaArgs, console: &Console) -> Result<Exit, Failure> {
    let schema = match args.of {
        crate::cli::SchemaOf::Scenario => reference::scenario_schema(),
        crate::cli::SchemaOf::Result => reference::result_schema(),
        crate::cli::SchemaOf::Reference => {
            return console
                .result(&reference::markdown())
                .map(|()| Exit::Passed);
        }
    };
    let text = match console.format {
        Format::Ndjson => serde_json::to_string(&schema),
        _ => serde_json::to_string_pretty(&schema),
    }
    .context("JSON")?;
    console.result(&format!("{text}\n"))?;
    Ok(Exit::Passed)
}

/// How long a sync takes, and whether it waits for processors that idle.
fn sync(out: &Path) -> Option<(&'static str, String, Option<String>)> {
    let folder = out.ancestors().find(|folder| folder.is_dir());
    let folder = folder.unwrap_or(Path::new("."));
    let (idle, awake) = awake::idle_and_awake(folder).ok()?;
    let show = |ns: u64| Unit::Ns.show(ns as f64);
    let found = match awake {
        Some(awake) => format!(
            "{} for 256 bytes, {} beside a spinning thread",
            show(idle),
            show(awake)
        ),
        None => format!("{} for 256 bytes", show(idle)),
    };
    let slow = awake.is_some_and(|awake| idle > 2 * awake);
    let advice = slow.then(|| {
        "a sync waits for a timer tick while every processor idles; `lab run` spins beside durable commits, other programs do not"
            .to_owned()
    });
    Some(("sync", found, advice))
}

/// `lab doctor`: what measurements on this machine are worth, and what to do about it.
pub(super) fn doctor(out: &Path, console: &Console) -> Result<Exit, Failure> {
    let manifest = crate::machine::describe(out);
    let mut said: Vec<(&str, String, Option<String>)> = Vec::new();
    let fs = manifest.file_system.clone();
    let free = ["tmpfs", "ramfs", "overlay"]
        .iter()
        .any(|kind| fs.starts_with(kind));
    said.push((
        "file system",
        fs,
        free.then(|| {
            "syncs may be free here, so commits look faster than they are; use --out on a disk"
                .to_owned()
        }),
    ));
    let debug = manifest.profile.starts_with("debug");
    said.push((
        "build",
        manifest.profile.clone(),
        debug.then(|| {
            "times of a debug build mean nothing; use `cargo lab`, which builds for release"
                .to_owned()
        }),
    ));
    said.push((
        "processors",
        format!("{} ({} usable)", manifest.cpu, manifest.cpus),
        (manifest.cpus < 2).then(|| {
            "one processor: no spinner keeps it awake, and readers beside a writer share it"
                .to_owned()
        }),
    ));
    said.push(("clock", format!("{} ns a reading", manifest.clock_ns), None));
    let governor = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").ok();
    if let Some(governor) = governor.map(|text| text.trim().to_owned()) {
        let slow = governor != "performance";
        said.push((
            "frequency",
            governor,
            slow.then(|| {
                "the governor may change the clock rate while you measure; set `performance`"
                    .to_owned()
            }),
        ));
    }
    let load = fs::read_to_string("/proc/loadavg").ok();
    if let Some(load) = load.and_then(|text| {
        text.split(' ')
            .next()
            .and_then(|one| one.parse::<f64>().ok())
    }) {
        let busy = load > manifest.cpus as f64 * 0.5;
        said.push((
            "load",
            format!("{load}"),
            busy.then(|| {
                "others are at work here: repeat more often, and believe ratios and counts only"
                    .to_owned()
            }),
        ));
    }
    let dirty = match manifest.dirty {
        Some(true) => {
            Some("with uncommitted changes: nobody can measure this state again".to_owned())
        }
        Some(false) => None,
        None => Some("no revision is known: results cannot name what they measured".to_owned()),
    };
    said.push(("revision", manifest.revision.clone(), dirty));
    said.extend(sync(out));
    if console.json() {
        let rows = said
            .iter()
            .map(|(what, found, advice)| json!({ "what": what, "found": found, "advice": advice }));
        console.rows("findings", &rows.collect::<Vec<_>>())?;
        return Ok(Exit::Passed);
    }
    for (what, found, advice) in &said {
        let mark = if advice.is_some() { "!" } else { "✓" };
        let advice = advice
            .as_ref()
            .map_or(String::new(), |advice| format!("\n    {advice}"));
        console.result(&format!("{mark} {what:<12} {found}{advice}\n"))?;
    }
    Ok(Exit::Passed)
}
