//! Scenario files: read, checked completely, turned into a plan. Nothing runs from a bad file.

pub(crate) mod crash;
pub(crate) mod diagnose;
pub(crate) mod expect;
mod phases;
pub(crate) mod plan;
pub(crate) mod raw;
pub(crate) mod registry;
mod validate;

use std::fs;
use std::path::Path;

use crate::failure::Failure;

use self::plan::Plan;

/// Reads and validates one scenario. A failure shows every mistake at its place.
pub(crate) fn load(path: &Path, color: bool) -> Result<Plan, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    parse(path, text, color)
}

/// The part of [`load`] after reading. Only the existence of data files is asked of the system.
fn parse(path: &Path, text: String, color: bool) -> Result<Plan, Failure> {
    let shown = path.display().to_string();
    let raw: raw::Scenario = toml::from_str(&text).map_err(|error| {
        let diagnostic = diagnose::from_toml(&error, text.len());
        Failure::rendered(diagnose::render(&shown, &text, &[diagnostic], color))
    })?;
    let folder = path.parent().unwrap_or(Path::new("."));
    match validate::plan(raw, folder) {
        Ok(mut plan) => {
            path.clone_into(&mut plan.path);
            plan.text = text;
            Ok(plan)
        }
        Err(validate::Refusal::Wrong(diagnostics)) => Err(Failure::rendered(diagnose::render(
            &shown,
            &text,
            &diagnostics,
            color,
        ))),
        Err(validate::Refusal::Missing(failure)) => Err(failure),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
