//! Axes of a sweep, and the cells that their values span.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use crate::results::{Axis, Coordinate, Number};

use super::diagnose::Diagnostic;
use super::document::{self, Tree, WRITTEN};
use super::sources::Sources;

/// Most cells of one sweep.
const CELLS: usize = 10_000;

/// Most values of one axis.
const VALUES: usize = 1_000;

/// The order in which the cells of one repeat run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// Another random order in every repeat, so that drift of the machine meets no axis.
    #[default]
    Shuffled,
    /// As the axes are written, in every repeat.
    Written,
}

/// One axis with its values as the file has them.
pub(super) struct AxisText<'s> {
    path: String,
    at: Range<usize>,
    values: Vec<Spanned<DeValue<'s>>>,
}

/// The name of the text that lists the values of a stepped axis.
fn written_name(path: &str) -> String {
    format!("{WRITTEN}{path}")
}

/// The values of stepped axes written out, with the names of their texts: only a parser makes numbers.
pub(super) fn write_out(tree: &Tree<'_>) -> Vec<(String, String)> {
    let axes = tree.get("sweep").and_then(|sweep| {
        sweep
            .get_ref()
            .as_table()?
            .get("axes")?
            .get_ref()
            .as_table()
    });
    axes.into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            let range = value.get_ref().as_table()?;
            let list = stepped(range, &value.span()).ok()?;
            Some((written_name(key.get_ref()), list))
        })
        .collect()
}

/// Takes the axes out of the tree, in the order in which they are written.
pub(super) fn take<'s>(
    tree: &mut Tree<'s>,
    sources: &'s Sources,
) -> Result<Vec<AxisText<'s>>, Vec<Diagnostic>> {
    let Some(DeValue::Table(sweep)) = tree.get_mut("sweep").map(Spanned::get_mut) else {
        return Ok(Vec::new());
    };
    let Some(axes) = sweep.remove("axes") else {
        return Ok(Vec::new());
    };
    let span = axes.span();
    let DeValue::Table(axes) = axes.into_inner() else {
        return Err(vec![
            Diagnostic::new(span, "`sweep.axes` is a table of paths and their values")
                .label("not a table"),
        ]);
    };
    let mut found = Vec::new();
    let mut wrong = Vec::new();
    for (key, value) in axes {
        let at = key.span();
        let path = key.into_inner().into_owned();
        match values(value, &path, sources) {
            Ok(values) => found.push(AxisText { path, at, values }),
            Err(diagnostic) => wrong.push(diagnostic),
        }
    }
    found.sort_by_key(|axis| axis.at.start);
    let cells = found.iter().fold(1usize, |cells, axis| {
        cells.saturating_mul(axis.values.len())
    });
    if let Some(axis) = found.first().filter(|_| cells > CELLS) {
        wrong.push(
            Diagnostic::new(
                axis.at.clone(),
                format!("{cells} cells, and {CELLS} is the limit"),
            )
            .label("too many combinations"),
        );
    }
    if wrong.is_empty() {
        Ok(found)
    } else {
        Err(wrong)
    }
}

fn values<'s>(
    value: Spanned<DeValue<'s>>,
    path: &str,
    sources: &'s Sources,
) -> Result<Vec<Spanned<DeValue<'s>>>, Diagnostic> {
    let span = value.span();
    let values: Vec<Spanned<DeValue<'s>>> = match value.into_inner() {
        DeValue::Array(values) => values.into_iter().collect(),
        DeValue::Table(range) => {
            stepped(&range, &span)?;
            let name = written_name(path);
            let written = sources.iter().find(|(_, source)| source.name == name);
            let list = written.and_then(|(_, source)| DeValue::parse(&source.text).ok());
            match list.map(Spanned::into_inner) {
                Some(DeValue::Array(values)) => values
                    .into_iter()
                    .map(|value| Spanned::new(span.clone(), value.into_inner()))
                    .collect(),
                _ => Vec::new(),
            }
        }
        single => vec![Spanned::new(span.clone(), single)],
    };
    if values.is_empty() || values.len() > VALUES {
        let message = format!("the axis `{path}` has {} values", values.len());
        return Err(Diagnostic::new(span, message).label(format!("1 to {VALUES} are possible")));
    }
    let mut seen: Vec<String> = Vec::new();
    for value in &values {
        let shown = shown(value.get_ref());
        if seen.contains(&shown) {
            return Err(Diagnostic::new(
                value.span(),
                format!("`{shown}` stands on this axis already"),
            )
            .label("a second time"));
        }
        seen.push(shown);
    }
    Ok(values)
}

/// The values of `{ from, to, factor }` as a list: whole numbers, both ends included.
fn stepped(range: &DeTable<'_>, span: &Range<usize>) -> Result<String, Diagnostic> {
    let form = "an axis is a list, or { from = 16, to = 4096, factor = 4 }";
    if let Some((key, _)) = range
        .iter()
        .find(|(key, _)| !["from", "to", "factor"].contains(&&**key.get_ref()))
    {
        return Err(
            Diagnostic::new(key.span(), format!("unknown field `{}`", key.get_ref()))
                .label("not known here")
                .suggest(key.get_ref(), ["from", "to", "factor"]),
        );
    }
    let number = |name: &str| -> Result<f64, Diagnostic> {
        let Some(value) = range.get(name) else {
            return Err(Diagnostic::new(span.clone(), form).label(format!("`{name}` is missing")));
        };
        plain_number(value.get_ref())
            .filter(|number| *number > 0.0)
            .ok_or_else(|| {
                Diagnostic::new(value.span(), form).label("a number above zero is needed")
            })
    };
    let (from, to, factor) = (number("from")?, number("to")?, number("factor")?);
    if factor <= 1.0 || from > to {
        return Err(Diagnostic::new(span.clone(), form)
            .label("`to` must be at least `from`, and `factor` more than 1"));
    }
    let mut values: Vec<String> = Vec::new();
    let mut now = from;
    while now <= to * (1.0 + 1e-9) && values.len() <= VALUES {
        let whole = now.round().to_string();
        if values.last() != Some(&whole) {
            values.push(whole);
        }
        now *= factor;
    }
    Ok(format!("[{}]", values.join(", ")))
}

/// Puts a value at a path. Where the path is an axis, the value, or each of a list, is all that is left
/// of the axis.
pub(super) fn set<'s>(
    tree: &mut Tree<'s>,
    path: &str,
    at: Range<usize>,
    value: Spanned<DeValue<'s>>,
) -> Result<(), Diagnostic> {
    let axes = tree
        .get_mut("sweep")
        .and_then(|sweep| match sweep.get_mut() {
            DeValue::Table(sweep) => sweep.get_mut("axes"),
            _ => None,
        });
    if let Some(DeValue::Table(axes)) = axes.map(Spanned::get_mut)
        && let Some(axis) = axes.get_mut(path)
    {
        *axis = value;
        return Ok(());
    }
    document::set(tree, path, at, value)
}

fn plain_number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number as f64),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

/// A value as tables and plots name it.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(on) => on.to_string(),
        other => plain_number(other).map_or_else(|| "…".to_owned(), |number| number.to_string()),
    }
}

/// The number behind a value, for axes that have a scale: `64` is 64, and so are `64 pages`; `64 KiB` is 65536.
fn numeric(value: &DeValue<'_>) -> Option<Number> {
    if let Some(number) = plain_number(value) {
        return Some(Number(number));
    }
    let text = value.as_str()?;
    let text = text.strip_suffix("pages").unwrap_or(text);
    crate::units::parse_bytes(text)
        .map(Number::from)
        .or_else(|| crate::units::parse_duration(text).map(Number::from))
}

/// The axes as results name them. An axis is known by the last part of its path where that is enough.
pub(super) fn describe(axes: &[AxisText<'_>]) -> Vec<Axis> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
    axes.iter()
        .map(|axis| {
            let short = last(&axis.path);
            let unique = axes
                .iter()
                .filter(|other| last(&other.path) == short)
                .count()
                == 1;
            Axis {
                name: if unique { short } else { axis.path.clone() },
                path: axis.path.clone(),
                values: axis
                    .values
                    .iter()
                    .map(|value| Coordinate {
                        text: shown(value.get_ref()),
                        number: numeric(value.get_ref()),
                    })
                    .collect(),
            }
        })
        .collect()
}

/// Every combination of places on the axes, the last axis fastest.
pub(super) fn combinations(axes: &[AxisText<'_>]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![Vec::new()], |combinations, axis| {
        combinations
            .into_iter()
            .flat_map(|before| {
                (0..axis.values.len()).map(move |at| {
                    let mut all = before.clone();
                    all.push(at);
                    all
                })
            })
            .collect()
    })
}

/// The tree of one cell.
pub(super) fn apply<'s>(
    tree: &Tree<'s>,
    axes: &[AxisText<'s>],
    places: &[usize],
) -> Result<Tree<'s>, Diagnostic> {
    let mut tree = tree.clone();
    for (axis, place) in axes.iter().zip(places) {
        if let Some(value) = axis.values.get(*place) {
            document::set(&mut tree, &axis.path, axis.at.clone(), value.clone())?;
        }
    }
    Ok(tree)
}
