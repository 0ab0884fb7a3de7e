//! `lab metrics`: what scenarios can check and what the engine counts, each with unit and meaning.

use clap::Args;
use serde_json::json;
use vellum::forensics::Counter;

use crate::cli::Format;
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::scenario::registry;
use crate::units::Unit;

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    /// Only those in whose name, owner or meaning this occurs.
    pattern: Option<String>,
}

/// One entry of either registry.
#[derive(serde::Serialize)]
struct Entry {
    /// `metric` of a scenario's phase, or `counter` of the engine, which a scenario names
    /// `phase.counts.NAME`.
    what: &'static str,
    /// The action that yields it, or the counter's group.
    of: &'static str,
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
}

impl Entry {
    fn matches(&self, pattern: &str) -> bool {
        let wanted = pattern.to_lowercase();
        let text = [self.what, self.of, self.name, self.meaning];
        text.iter()
            .any(|text| text.to_lowercase().contains(&wanted))
    }
}

fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Bytes => "bytes",
        Unit::Ns => "ns",
        Unit::PerSecond => "per second",
        Unit::Text => "text",
    }
}

fn entries() -> Vec<Entry> {
    let owners = registry::by_owner();
    let metrics = owners.iter().flat_map(|(owner, metrics)| {
        metrics.iter().map(|metric| Entry {
            what: "metric",
            of: owner,
            name: metric.name,
            unit: unit(metric.unit),
            meaning: metric.meaning,
        })
    });
    let own = registry::counts::OWN.iter().map(|metric| Entry {
        what: "counter",
        of: "counting",
        name: metric.name,
        unit: unit(metric.unit),
        meaning: metric.meaning,
    });
    let counters = Counter::ALL.iter().map(|counter| Entry {
        what: "counter",
        of: counter.group().name(),
        name: counter.name(),
        unit: counter.unit(),
        meaning: counter.meaning(),
    });
    metrics.chain(own).chain(counters).collect()
}

pub(crate) fn run(args: &MetricsArgs, console: &Console) -> Result<Exit, Failure> {
    let mut found = entries();
    if let Some(pattern) = &args.pattern {
        found.retain(|entry| entry.matches(pattern));
        if found.is_empty() {
            return Err(Failure::usage(format!(
                "no metric and no counter has `{pattern}` in its name, owner or meaning; `lab metrics` lists all"
            )));
        }
    }
    if console.format == Format::Md {
        console.result("| what | of | name | unit | meaning |\n|---|---|---|---|---|\n")?;
    }
    for entry in &found {
        let Entry {
            what,
            of,
            name,
            unit,
            meaning,
        } = entry;
        let text = match console.format {
            Format::Human => format!("{what:<8} {of:<11} {name:<28} {unit:<13} {meaning}\n"),
            Format::Md => format!("| {what} | {of} | `{name}` | {unit} | {meaning} |\n"),
            Format::Ndjson => format!("{}\n", json!(entry)),
            Format::Json => continue,
        };
        console.result(&text)?;
    }
    if console.format == Format::Json {
        console.result(&format!("{}\n", json!({ "metrics": found })))?;
    }
    Ok(Exit::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_registries_are_listed_whole() {
        let all = entries();
        let counters = all.iter().filter(|entry| entry.what == "counter");
        let own = registry::counts::OWN.len();
        assert_eq!(counters.count(), Counter::ALL.len() + own);
        let metrics: usize = registry::by_owner()
            .iter()
            .map(|(_, list)| list.len())
            .sum();
        assert_eq!(all.len(), Counter::ALL.len() + own + metrics);
        assert!(all.iter().all(|entry| !entry.meaning.is_empty()));
    }

    #[test]
    fn patterns_look_at_names_and_meanings() {
        let found = |pattern: &str| entries().iter().filter(|e| e.matches(pattern)).count();
        assert!(found("LOG_SYNCS") >= 1);
        assert!(found("evict") >= 1);
        assert_eq!(found("no such thing"), 0);
    }
}
