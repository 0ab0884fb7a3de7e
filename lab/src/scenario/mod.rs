//! Scenario files: read, checked completely, turned into a plan. Nothing runs from a bad file.

mod bounds;
pub(crate) mod counting;
pub(crate) mod crash;
pub(crate) mod damage;
mod dataset;
pub(crate) mod diagnose;
mod document;
pub(crate) mod expect;
pub(crate) mod faults;
mod mix;
pub(crate) mod operations;
mod phases;
pub(crate) mod plan;
pub(crate) mod raw;
pub(crate) mod real;
pub(crate) mod reference;
mod references;
pub(crate) mod registry;
pub(crate) mod sources;
pub(crate) mod sweep;
mod validate;

use std::fs;
use std::path::Path;
use std::string::FromUtf8Error;

use serde::Deserialize;
use serde_spanned::Spanned;
use toml::de::DeValue;

use crate::failure::{Context, Failure};
use crate::results::{Axis, Coordinate, Place};
use crate::store::peers;

use self::diagnose::Diagnostic;
use self::document::Tree;
use self::plan::{Changes, Plan, Scenario};
use self::sources::Sources;
use self::sweep::AxisText;
use self::validate::Definition;

/// The path of the axis that peers make.
pub(crate) const STORE: &str = "store";

/// The name of the scenario in a run's directory.
const RESOLVED: &str = "scenario.toml";

/// The path of the number of repeats.
const REPEATS: &str = "sweep.repeats";

/// The name by which `--set` texts are known.
const SET: &str = "--set";

/// Reads and validates one scenario. A failure shows every mistake at its place.
pub(crate) fn load(path: &Path, changes: &Changes, color: bool) -> Result<Scenario, Failure> {
    let bytes =
        fs::read(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    match String::from_utf8(bytes) {
        Ok(text) => parse(path, text, changes, color),
        Err(error) => Err(no_text(path, &error, color)),
    }
}

/// A file that is no text, drawn at its first wrong byte.
fn no_text(path: &Path, error: &FromUtf8Error, color: bool) -> Failure {
    let mut sources = Sources::default();
    sources.add(
        path.display().to_string(),
        String::from_utf8_lossy(error.as_bytes()),
    );
    let at = error.utf8_error().valid_up_to();
    let wrong = char::REPLACEMENT_CHARACTER.len_utf8();
    let diagnostic =
        Diagnostic::new(at..at + wrong, "a scenario is UTF-8 text").label("no UTF-8 from here");
    Failure::rendered(diagnose::render(&sources, &[diagnostic], color))
}

/// The part of [`load`] after reading, with what the text extends.
pub(crate) fn parse(
    path: &Path,
    text: String,
    changes: &Changes,
    color: bool,
) -> Result<Scenario, Failure> {
    let read = |path: &Path| {
        fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    parse_with(path, text, changes, color, &read)
}

/// The same, with another way to the texts of files that are extended. Only the existence of data files is
/// asked of the system.
pub(crate) fn parse_with(
    path: &Path,
    text: String,
    changes: &Changes,
    color: bool,
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<Scenario, Failure> {
    let mut sources = document::gather(path, text, color, read)?;
    for set in &changes.set {
        sources.add(SET, set.clone());
    }
    let scenario = from_sources(path, written_out(&sources, changes), changes, color)?;
    if !changes.quick {
        // What `[quick]` says is held to the same rules, whether it is asked for or not.
        let quick = Changes {
            quick: true,
            ..changes.clone()
        };
        from_sources(path, written_out(&sources, &quick), &quick, color)?;
    }
    Ok(scenario)
}

/// The texts with those that list the values of stepped axes.
fn written_out(sources: &Sources, changes: &Changes) -> Sources {
    let mut all = sources.clone();
    let written = tree(sources, changes).map(|tree| sweep::write_out(&tree));
    for (name, text) in written.unwrap_or_default() {
        all.add(name, text);
    }
    all
}

/// A scenario from its texts as they were gathered once.
pub(crate) fn from_sources(
    path: &Path,
    sources: Sources,
    changes: &Changes,
    color: bool,
) -> Result<Scenario, Failure> {
    match build(path, &sources, changes) {
        Ok(scenario) => Ok(Scenario {
            sources,
            ..scenario
        }),
        Err(validate::Refusal::Wrong(diagnostics)) => Err(Failure::rendered(diagnose::render(
            &sources,
            &diagnostics,
            color,
        ))),
        Err(validate::Refusal::Missing(failure, at)) => {
            let diagnostic =
                Diagnostic::new(at, failure.message).label("the graph is read from here");
            Err(Failure {
                exit: failure.exit,
                ..Failure::rendered(diagnose::render(&sources, &[diagnostic], color))
            })
        }
    }
}

/// The tree of all texts, with everything that was changed on the command line.
fn tree<'s>(sources: &'s Sources, changes: &Changes) -> Result<Tree<'s>, Diagnostic> {
    let mut tree = document::parse(sources, SET)?;
    let quick = tree.get("quick").map(|quick| quick.get_ref().clone());
    if let (true, Some(DeValue::Table(quick))) = (changes.quick, quick) {
        for (path, value) in quick {
            let at = path.span();
            sweep::set(&mut tree, path.get_ref(), at, value)?;
        }
    }
    for (start, source) in sources.iter().filter(|(_, source)| source.name == SET) {
        let Some((path, value)) = source.text.split_once('=') else {
            let all = start..start + source.text.len();
            return Err(Diagnostic::new(all, "a change is `path=value`").label("no `=` in it"));
        };
        let at = start..start + path.trim_end().len();
        let place = start + path.len() + 1..start + source.text.len();
        // What is no TOML value is text, so that sizes need no quotes within the shell's.
        let value = match DeValue::parse(value) {
            Ok(value) => value.into_inner(),
            Err(_) => DeValue::String(value.trim().into()),
        };
        sweep::set(&mut tree, path.trim(), at, Spanned::new(place, value))?;
    }
    Ok(tree)
}

fn build(path: &Path, sources: &Sources, changes: &Changes) -> Result<Scenario, validate::Refusal> {
    let wrong = |diagnostic| validate::Refusal::Wrong(vec![diagnostic]);
    let mut tree = tree(sources, changes).map_err(wrong)?;
    let texts = sweep::take(&mut tree, sources).map_err(validate::Refusal::Wrong)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let combinations = sweep::combinations(&texts);
    let first = combinations.first().cloned().unwrap_or_default();
    let raw = raw_cell(&tree, &texts, &first, changes).map_err(wrong)?;
    let stores = peers::named(&raw.peers.with).map_err(validate::Refusal::Wrong)?;
    let mut axes = sweep::describe(&texts);
    if stores.len() > 1 {
        axes.push(store_axis(&stores));
    }
    let mut cells: Vec<Plan> = Vec::new();
    for places in &combinations {
        let raw = raw_cell(&tree, &texts, places, changes).map_err(wrong)?;
        let cell = validate::cell(&raw, folder)?;
        peers::fits(&raw, &cell).map_err(validate::Refusal::Wrong)?;
        for (number, store) in stores.iter().enumerate() {
            let mut places = places.clone();
            if stores.len() > 1 {
                places.push(number);
            }
            cells.push(Plan {
                at: at(&axes, &places),
                places,
                store: (*store).to_owned(),
                ..cell.clone()
            });
        }
    }
    let Some(cell) = cells.first() else {
        return Err(validate::Refusal::Wrong(Vec::new()));
    };
    let repeats = repeats(&raw, &tree, changes);
    let definition = Definition {
        path,
        text: sources.main(),
        axes: &axes,
        repeats,
        own: changes.set.is_empty() && !changes.quick && changes.repeats.is_none(),
    };
    let whole = validate::whole(&raw, cell, &definition).map_err(validate::Refusal::Wrong)?;
    let place = raw.file_place();
    for cell in &mut cells {
        validate::find_files(cell)
            .map_err(|failure| validate::Refusal::Missing(failure, place.clone()))?;
    }
    Ok(Scenario {
        path: path.to_owned(),
        sources: Sources::default(),
        name: whole.name,
        question: whole.question,
        seed: whole.seed,
        quick: changes.quick,
        repeats,
        order: whole.order,
        budget: whole.budget,
        axes,
        cells,
        checks: whole.checks,
        plots: whole.plots,
    })
}

/// How often each cell is carried out: with `--quick` once, unless `[quick]` says otherwise.
fn repeats(raw: &raw::Scenario, tree: &Tree<'_>, changes: &Changes) -> u32 {
    let quick = tree
        .get("quick")
        .and_then(|quick| quick.get_ref().as_table());
    let said = quick.is_some_and(|quick| quick.contains_key(REPEATS));
    let own = raw.sweep.repeats.as_ref().map_or(1, |one| *one.get_ref());
    changes
        .repeats
        .unwrap_or(if changes.quick && !said { 1 } else { own })
}

/// One cell as the file would say it.
fn raw_cell<'s>(
    tree: &Tree<'s>,
    axes: &[AxisText<'s>],
    places: &[usize],
    changes: &Changes,
) -> Result<raw::Scenario, Diagnostic> {
    let tree = sweep::apply(tree, axes, places)?;
    let whole = Spanned::new(0..0, tree);
    let mut raw = raw::Scenario::deserialize(toml::Deserializer::from(whole))
        .map_err(|error| diagnose::from_toml(&error, 0, 0))?;
    if let Some(seed) = changes.seed {
        raw.seed = seed;
    }
    Ok(raw)
}

impl Scenario {
    /// Writes the scenario into a folder as it was carried out: in one text, with everything that it extends,
    /// `[quick]` if it was asked for, and what the command line changed.
    pub(crate) fn write_resolved(&self, folder: &Path, changes: &Changes) -> Result<(), Failure> {
        let drawn = |diagnostic: Diagnostic| Failure::lab(diagnostic.message);
        let mut tree = tree(&self.sources, changes).map_err(drawn)?;
        tree.remove("extends");
        if changes.quick {
            tree.remove("quick");
        }
        let whole = toml::Deserializer::from(Spanned::new(0..0, tree));
        let mut table = toml::Table::deserialize(whole).context("the scenario")?;
        if let (true, Some(toml::Value::Array(checks))) = (changes.quick, table.get_mut("check")) {
            // What is said of the full size would be asked of this one.
            checks
                .retain(|check| check.get("only_if").and_then(toml::Value::as_str) != Some("full"));
        }
        table.insert("seed".to_owned(), toml::Value::Integer(self.seed as i64));
        table.insert("name".to_owned(), self.name.clone().into());
        table.insert("question".to_owned(), self.question.clone().into());
        let sweep = table
            .entry("sweep")
            .or_insert_with(|| toml::Table::new().into());
        if let Some(sweep) = sweep.as_table_mut() {
            sweep.insert("repeats".to_owned(), i64::from(self.repeats).into());
        }
        // Data files are relative to the scenario, which stands elsewhere.
        let home = self.path.parent().unwrap_or(Path::new("."));
        let file = table
            .get_mut("dataset")
            .and_then(|dataset| dataset.get_mut("file"));
        if let Some(toml::Value::String(file)) = file
            && let Ok(whole) = std::path::absolute(home.join(&*file))
        {
            *file = whole.display().to_string();
        }
        let text = toml::to_string(&table).context("the scenario")?;
        let path = folder.join(RESOLVED);
        fs::write(&path, text).context(path.display())
    }
}

fn store_axis(stores: &[&'static str]) -> Axis {
    Axis {
        path: STORE.to_owned(),
        name: STORE.to_owned(),
        values: stores
            .iter()
            .map(|store| Coordinate {
                text: (*store).to_owned(),
                number: None,
            })
            .collect(),
    }
}

fn at(axes: &[Axis], places: &[usize]) -> Vec<Place> {
    axes.iter()
        .zip(places)
        .filter_map(|(axis, place)| {
            Some(Place {
                axis: axis.name.clone(),
                value: axis.values.get(*place)?.text.clone(),
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
