//! Single calls of the engine: their times as criterion left them, and their instructions.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::{Context, Failure};
use crate::machine;
use crate::results::Manifest;

/// As stored beside the results of the sizes.
#[derive(Serialize, Deserialize)]
pub(super) struct Calls {
    pub(super) manifest: Manifest,
    pub(super) times: Vec<Time>,
    /// What the counts were taken with.
    pub(super) tools: String,
    /// Of a thousand calls, or of one walk or scan.
    pub(super) instructions: Vec<(String, u64)>,
}

/// The median time of a call in nanoseconds, and the bounds within which it lies with a confidence of 95 %.
#[derive(Serialize, Deserialize)]
pub(super) struct Time {
    pub(super) call: String,
    pub(super) ns: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Calls {
    /// Reads the folder that criterion writes, and a list of instructions: a line of tools, then name and count.
    pub(super) fn collect(criterion: &Path, list: &Path, out: &Path) -> Result<Calls, Failure> {
        let mut times = Vec::new();
        gather(criterion, &mut times)?;
        times.sort_by(|a, b| a.call.cmp(&b.call));
        if times.is_empty() {
            return Err(Failure::usage(format!(
                "no times in {}; measure some with `make bench`",
                criterion.display()
            )));
        }
        let text = fs::read_to_string(list).context(list.display())?;
        let mut lines = text.lines();
        let tools = lines.next().unwrap_or_default();
        let instructions = lines.filter_map(|line| {
            let (name, count) = line.split_once('\t')?;
            Some((name.replace('_', " "), count.parse().ok()?))
        });
        Ok(Calls {
            manifest: machine::describe(out),
            times,
            tools: tools.trim_start_matches("# ").to_owned(),
            instructions: instructions.collect(),
        })
    }
}

/// Every newest estimate below a folder.
fn gather(folder: &Path, times: &mut Vec<Time>) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).context(folder.display())?;
    for entry in entries {
        let path = entry.context(folder.display())?.path();
        if !path.is_dir() {
            continue;
        }
        let newest = path.join("new");
        if newest.join("estimates.json").exists() {
            times.extend(time(&newest)?);
        } else {
            gather(&path, times)?;
        }
    }
    Ok(())
}

fn time(folder: &Path) -> Result<Option<Time>, Failure> {
    let read = |name: &str| -> Result<Value, Failure> {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).context(path.display())?;
        serde_json::from_str(&text).context(path.display())
    };
    let (benchmark, estimates) = (read("benchmark.json")?, read("estimates.json")?);
    let median = &estimates["median"];
    let bounds = &median["confidence_interval"];
    let found = benchmark["full_id"].as_str().and_then(|call| {
        Some(Time {
            call: call.to_owned(),
            ns: median["point_estimate"].as_f64()?,
            low: bounds["lower_bound"].as_f64()?,
            high: bounds["upper_bound"].as_f64()?,
        })
    });
    Ok(found)
}
