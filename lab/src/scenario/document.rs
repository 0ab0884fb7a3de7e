//! A scenario as a tree of values that know their places: read, joined with what it extends, changed at
//! a path.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_spanned::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::failure::Failure;

use super::diagnose::{self, Diagnostic};
use super::sources::Sources;

/// How many files may extend one another.
const DEPTH: usize = 8;

/// How the names of texts begin that hold an axis's values.
pub(super) const WRITTEN: &str = "sweep.axes.";

/// Lists whose entries have names; those of an extending file join those of its base.
const NAMED_LISTS: [&str; 1] = ["phase"];
const LISTS: [&str; 2] = ["check", "plot"];

/// The whole tree, borrowing from its texts.
pub(super) type Tree<'s> = DeTable<'s>;

/// Reads the scenario's text and those of the files that it extends, its own first.
/// `read` gives the text of a file, or says why there is none.
pub(super) fn gather(
    path: &Path,
    text: String,
    color: bool,
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<Sources, Failure> {
    let mut sources = Sources::default();
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut next = Some((path.to_owned(), text));
    while let Some((path, text)) = next.take() {
        let start = sources.add(path.display().to_string(), text.clone());
        seen.push(path.clone());
        // What is wrong with the text is said when all of it is read.
        let Ok(table) = DeTable::parse(&text) else {
            break;
        };
        let Some(base) = table.get_ref().get("extends") else {
            break;
        };
        let Some(name) = base.get_ref().as_str() else {
            break;
        };
        let at = base.span().start + start..base.span().end + start;
        let folder = path.parent().unwrap_or(Path::new("."));
        next = Some(read_base(&folder.join(name), &seen, read).map_err(|what| {
            let diagnostic = Diagnostic::new(at, what).label("extended here");
            Failure::rendered(diagnose::render(&sources, &[diagnostic], color))
        })?);
    }
    Ok(sources)
}

fn read_base(
    path: &Path,
    seen: &[PathBuf],
    read: &dyn Fn(&Path) -> Result<String, String>,
) -> Result<(PathBuf, String), String> {
    if seen.iter().any(|other| other == path) {
        return Err(format!("{} extends itself", path.display()));
    }
    if seen.len() >= DEPTH {
        return Err(format!("more than {DEPTH} files extend one another"));
    }
    Ok((path.to_owned(), read(path)?))
}

/// Parses every file and joins them, the scenario's own over those that it extends. Texts that are no
/// files, from the one named `end` on, are left alone.
pub(super) fn parse<'s>(sources: &'s Sources, end: &str) -> Result<Tree<'s>, Diagnostic> {
    let mut tree: Option<Tree<'_>> = None;
    let files = sources
        .iter()
        .take_while(|(_, source)| source.name != end && !source.name.starts_with(WRITTEN));
    for (start, source) in files {
        let table = DeTable::parse(&source.text)
            .map_err(|error| diagnose::from_toml(&error, source.text.len(), start))?;
        let mut table = table.into_inner();
        shift(&mut table, start);
        tree = Some(match tree {
            Some(over) => join(over, table),
            None => table,
        });
    }
    Ok(tree.unwrap_or_default())
}

/// Moves every place in the tree.
fn shift(table: &mut Tree<'_>, by: usize) {
    let moved = std::mem::take(table);
    for (key, mut value) in moved {
        let key = Spanned::new(key.span().start + by..key.span().end + by, key.into_inner());
        shift_value(&mut value, by);
        table.insert(key, value);
    }
}

fn shift_value(value: &mut Spanned<DeValue<'_>>, by: usize) {
    let span = value.span().start + by..value.span().end + by;
    match value.get_mut() {
        DeValue::Table(table) => shift(table, by),
        DeValue::Array(array) => array.iter_mut().for_each(|one| shift_value(one, by)),
        _ => {}
    }
    let inner = std::mem::replace(value.get_mut(), DeValue::Boolean(false));
    *value = Spanned::new(span, inner);
}

/// Lays `over` on `base`: tables join, named phases join with their namesakes, checks and plots add up,
/// everything else is replaced.
fn join<'s>(over: Tree<'s>, mut base: Tree<'s>) -> Tree<'s> {
    base.remove("extends");
    for (key, value) in over {
        let name = key.get_ref().to_string();
        let joined = match base.remove(name.as_str()) {
            Some(old) => join_values(&name, value, old),
            None => value,
        };
        base.insert(key, joined);
    }
    base
}

fn join_values<'s>(
    name: &str,
    over: Spanned<DeValue<'s>>,
    base: Spanned<DeValue<'s>>,
) -> Spanned<DeValue<'s>> {
    let span = over.span();
    let value = match (over.into_inner(), base.into_inner()) {
        (DeValue::Table(over), DeValue::Table(base)) => DeValue::Table(join(over, base)),
        (DeValue::Array(over), DeValue::Array(base)) if NAMED_LISTS.contains(&name) => {
            let mut entries: Vec<Spanned<DeValue<'s>>> = base.into_iter().collect();
            for entry in over {
                match entries.iter().position(|old| same_name(old, &entry)) {
                    Some(at) => {
                        let old = entries.remove(at);
                        entries.insert(at, join_values("", entry, old));
                    }
                    None => entries.push(entry),
                }
            }
            array(entries)
        }
        (DeValue::Array(over), DeValue::Array(base)) if LISTS.contains(&name) => {
            array(base.into_iter().chain(over))
        }
        (over, _) => over,
    };
    Spanned::new(span, value)
}

fn array<'s>(entries: impl IntoIterator<Item = Spanned<DeValue<'s>>>) -> DeValue<'s> {
    let mut array = DeArray::new();
    for entry in entries {
        array.push(entry);
    }
    DeValue::Array(array)
}

fn name_of<'t>(entry: &'t Spanned<DeValue<'_>>) -> Option<&'t str> {
    entry.get_ref().as_table()?.get("name")?.get_ref().as_str()
}

fn same_name(a: &Spanned<DeValue<'_>>, b: &Spanned<DeValue<'_>>) -> bool {
    name_of(a).is_some() && name_of(a) == name_of(b)
}

/// Puts a value at a path such as `engine.cache` or `phase.load.batch`. `at` is where the path is
/// written.
pub(super) fn set<'s>(
    tree: &mut Tree<'s>,
    path: &str,
    at: Range<usize>,
    value: Spanned<DeValue<'s>>,
) -> Result<(), Diagnostic> {
    let parts: Vec<&str> = path.split('.').collect();
    let Some((last, parents)) = parts.split_last() else {
        return Ok(());
    };
    if parts.iter().any(|part| part.is_empty()) {
        return Err(Diagnostic::new(at, format!("`{path}` is no path"))
            .label("a path is `section.field` or `phase.name.field`"));
    }
    let mut table = tree;
    let mut parents = parents.iter();
    while let Some(part) = parents.next() {
        let key = Spanned::new(at.clone(), Cow::Owned((*part).to_owned()));
        let entry = table
            .entry(key)
            .or_insert_with(|| Spanned::new(at.clone(), DeValue::Table(DeTable::new())));
        table = match entry.get_mut() {
            DeValue::Table(table) => table,
            DeValue::Array(entries) => {
                let name = parents.next().copied().unwrap_or_default();
                named_entry(entries, part, name, &at)?
            }
            _ => {
                return Err(Diagnostic::new(at, format!("`{part}` has no parts"))
                    .label("the path goes on behind a plain value"));
            }
        };
    }
    table.remove(*last);
    table.insert(Spanned::new(at, Cow::Owned((*last).to_owned())), value);
    Ok(())
}

fn named_entry<'t, 's>(
    entries: &'t mut DeArray<'s>,
    list: &str,
    name: &str,
    at: &Range<usize>,
) -> Result<&'t mut Tree<'s>, Diagnostic> {
    let names: Vec<String> = entries
        .iter()
        .filter_map(|entry| name_of(entry).map(str::to_owned))
        .collect();
    let found = entries
        .iter_mut()
        .find(|entry| name_of(entry) == Some(name));
    match found.map(Spanned::get_mut) {
        Some(DeValue::Table(table)) => Ok(table),
        _ => Err(
            Diagnostic::new(at.clone(), format!("there is no {list} named `{name}`"))
                .label("in this path")
                .suggest(name, names.iter().map(String::as_str)),
        ),
    }
}
