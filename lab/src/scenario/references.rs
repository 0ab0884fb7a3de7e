//! Names in checks and plots: phases, metrics, tables, axes. All of them must exist.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use crate::results;
use crate::units::Unit;

use super::counting;
use super::diagnose::Diagnostic;
use super::expect::{self, Bound, Expect};
use super::plan::{Action, CheckPlan, PhasePlan, Where};
use super::raw;
use super::registry::{self, ActionKind, TableDef, counts};

/// What checks and plots may name.
pub(super) struct Scope<'a> {
    pub(super) phases: &'a [PhasePlan],
    pub(super) axes: &'a [results::Axis],
    pub(super) repeats: u32,
    /// Whether axes and repeats are as the scenario has them, unchanged by a command line.
    pub(super) own: bool,
}

impl Scope<'_> {
    /// The number of an axis by its name or its path.
    fn axis(&self, name: &str) -> Option<usize> {
        self.axes
            .iter()
            .position(|axis| axis.name == name || axis.path == name)
    }

    fn no_axis(&self, name: &str, span: Range<usize>) -> Diagnostic {
        let diagnostic = Diagnostic::new(span, format!("the sweep has no axis `{name}`"));
        if self.axes.is_empty() {
            diagnostic.label("this scenario sweeps nothing")
        } else {
            diagnostic.label("unknown axis").suggest(
                name,
                self.axes
                    .iter()
                    .flat_map(|axis| [axis.name.as_str(), axis.path.as_str()]),
            )
        }
    }

    /// The cells that a `where` leaves.
    fn only_where(
        &self,
        wanted: &BTreeMap<Spanned<String>, Spanned<raw::Plain>>,
    ) -> Result<Where, Diagnostic> {
        wanted
            .iter()
            .map(|(axis, value)| {
                let number = self
                    .axis(axis.get_ref())
                    .ok_or_else(|| self.no_axis(axis.get_ref(), axis.span()))?;
                let values = &self.axes[number].values;
                let text = &value.get_ref().0;
                let at = values
                    .iter()
                    .position(|one| one.text == *text)
                    .ok_or_else(|| {
                        let message = format!("no cell has {} = {text}", axis.get_ref());
                        Diagnostic::new(value.span(), message)
                            .label("this matches no cell")
                            .suggest(text, values.iter().map(|one| one.text.as_str()))
                    })?;
                Ok((number, at))
            })
            .collect()
    }
}

/// The action behind the first part of a path; `Ok(None)` is the dataset.
fn owner_of<'p>(
    owner: &str,
    span: Range<usize>,
    phases: &'p [PhasePlan],
    extra: &[&'p str],
) -> Result<Option<ActionKind>, Diagnostic> {
    if extra.contains(&owner) {
        return Ok(None);
    }
    match phases.iter().find(|phase| phase.name == owner) {
        Some(phase) => Ok(Some(phase.action.kind())),
        None => {
            let names: Vec<&str> = phases
                .iter()
                .map(|phase| phase.name.as_str())
                .chain(extra.iter().copied())
                .collect();
            Err(
                Diagnostic::new(span, format!("there is no phase `{owner}`"))
                    .label("unknown phase")
                    .suggest(owner, names),
            )
        }
    }
}

fn metric_at(
    path: &str,
    span: Range<usize>,
    phases: &[PhasePlan],
) -> Result<registry::Metric, Diagnostic> {
    let Some((owner, name)) = path.split_once('.') else {
        return Err(
            Diagnostic::new(span, "a metric is named `phase.metric`").label("no phase named")
        );
    };
    let kind = owner_of(owner, span.clone(), phases, &["dataset"])?;
    if let Some(phase) = phases.iter().find(|phase| phase.name == owner) {
        if !phase.measure {
            let message = format!("phase `{owner}` is not measured");
            return Err(Diagnostic::new(span, message).label("it has `measure = false`"));
        }
        if let Some(counter) = name.strip_prefix(counts::PREFIX) {
            return counting::metric(phase, counter, span, phases);
        }
        if let (Some((operation, _)), Action::Mix(mix)) = (name.split_once('.'), &phase.action) {
            let mut known = mix.weights.iter().map(|(operation, _)| operation.name());
            if !known.any(|known| known == operation) {
                let message = format!("the mix of `{owner}` has no operation `{operation}`");
                let names = mix.weights.iter().map(|(operation, _)| operation.name());
                return Err(Diagnostic::new(span, message)
                    .label("unknown operation")
                    .suggest(operation, names));
            }
        }
    }
    registry::describe(kind, name).ok_or_else(|| {
        let known = kind.map_or(registry::dataset_metrics(), ActionKind::metrics);
        let names: Vec<&str> = known.iter().map(|metric| metric.name).collect();
        Diagnostic::new(span, format!("`{owner}` has no metric `{name}`"))
            .label("unknown metric")
            .suggest(name, names)
    })
}

pub(super) fn check_plan(raw: &raw::Check, scope: &Scope<'_>) -> Result<CheckPlan, Diagnostic> {
    let metric = metric_at(raw.metric.get_ref(), raw.metric.span(), scope.phases)?;
    let span = raw.expect.span();
    let expect = expect::parse(raw.expect.get_ref())
        .map_err(|what| Diagnostic::new(span.clone(), what).label("not an expectation"))?;
    let mut expect = expect;
    let only_where = scope.only_where(&raw.only_where)?;
    let other = match &mut expect {
        Expect::Compare {
            bound: Bound::Number(number, None),
            ..
        } if metric.unit == Unit::Ns && *number != 0.0 => {
            return Err(
                Diagnostic::new(span, "a time needs its unit: ns, us, ms, s or min")
                    .label("a number without a unit"),
            );
        }
        Expect::Compare {
            bound: Bound::Number(_, unit),
            ..
        } => *unit,
        Expect::Compare {
            bound: Bound::Times(_, path),
            ..
        } => Some(metric_at(path, span.clone(), scope.phases)?.unit),
        Expect::Baseline { .. } => None,
        Expect::Along { axis, .. } => {
            *axis = along(axis, &only_where, &span, scope)?;
            None
        }
    };
    if other.is_some_and(|unit| unit != metric.unit) {
        let message = format!(
            "`{}` is measured in another unit: {}",
            raw.metric.get_ref(),
            unit_name(metric.unit)
        );
        return Err(Diagnostic::new(span, message).label("units differ"));
    }
    Ok(CheckPlan {
        metric: raw.metric.get_ref().clone(),
        meaning: metric.meaning.to_owned(),
        unit: metric.unit,
        expect_text: raw.expect.get_ref().clone(),
        expect,
        severity: raw.severity,
        only_if: raw.only_if,
        only_where,
        note: raw.note.clone(),
        span,
    })
}

/// The path of an axis along which values are compared: of more than one, or nothing would be.
fn along(
    name: &str,
    only_where: &Where,
    span: &Range<usize>,
    scope: &Scope<'_>,
) -> Result<String, Diagnostic> {
    let (path, values, label) = if name == expect::REPEATS {
        let label = "`sweep.repeats` is 1";
        (name.to_owned(), scope.repeats as usize, label)
    } else {
        let number = scope
            .axis(name)
            .ok_or_else(|| scope.no_axis(name, span.clone()))?;
        let axis = &scope.axes[number];
        match only_where.iter().any(|(limited, _)| *limited == number) {
            true => (axis.path.clone(), 1, "`where` leaves one value of it"),
            false => (axis.path.clone(), axis.values.len(), "it has one value"),
        }
    };
    if values < 2 && scope.own {
        let message = format!("`{name}` has one value here, so that nothing is compared along it");
        return Err(Diagnostic::new(span.clone(), message).label(label));
    }
    Ok(path)
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "a plain number",
        Unit::Bytes => "bytes",
        Unit::Ns => "time",
        Unit::PerSecond => "events per second",
        Unit::Text => "text",
    }
}

pub(super) fn plot_plan(
    raw: &raw::Plot,
    whole: Range<usize>,
    scope: &Scope<'_>,
) -> Result<results::Plot, Diagnostic> {
    if raw.y.is_empty() {
        return Err(
            Diagnostic::new(whole, "a plot needs at least one column in `y`")
                .label("nothing to draw"),
        );
    }
    let only_where = scope.only_where(&raw.only_where)?;
    let (x, form) = match &raw.table {
        Some(path) => {
            let table = table_at(path.get_ref(), path.span(), scope.phases)?;
            let form = raw.form.unwrap_or_default();
            let numeric_x = matches!(form, results::PlotForm::Points | results::PlotForm::Lines);
            column(table, &raw.x, Some(numeric_x))?;
            for y in &raw.y {
                column(table, y, Some(true))?;
            }
            (raw.x.get_ref().clone(), form)
        }
        None => over_cells(raw, scope)?,
    };
    Ok(results::Plot {
        title: raw.title.get_ref().clone(),
        note: raw.note.clone(),
        table: raw.table.as_ref().map(|table| table.get_ref().clone()),
        x,
        y: raw.y.iter().map(|y| y.get_ref().clone()).collect(),
        only_where,
        form,
        x_scale: raw.x_scale,
        y_scale: raw.y_scale,
    })
}

/// A plot of metrics along an axis: the path of the axis, and the form that fits its values.
fn over_cells(
    raw: &raw::Plot,
    scope: &Scope<'_>,
) -> Result<(String, results::PlotForm), Diagnostic> {
    let name = raw.x.get_ref();
    let number = scope
        .axis(name)
        .ok_or_else(|| scope.no_axis(name, raw.x.span()))?;
    let axis = &scope.axes[number];
    let mut unit = None;
    for y in &raw.y {
        let metric = metric_at(y.get_ref(), y.span(), scope.phases)?;
        if *unit.get_or_insert(metric.unit) != metric.unit {
            return Err(Diagnostic::new(
                y.span(),
                "the columns of `y` are measured in different units",
            )
            .label("another unit than the first"));
        }
    }
    let numeric = axis.values.iter().all(|value| value.number.is_some());
    let form = raw.form.unwrap_or(if numeric {
        results::PlotForm::Lines
    } else {
        results::PlotForm::Dots
    });
    let wants_numbers = matches!(form, results::PlotForm::Points | results::PlotForm::Lines);
    if wants_numbers && !numeric {
        return Err(Diagnostic::new(raw.x.span(), "this axis has no numbers")
            .label("use `form = \"bars\"` or \"dots\""));
    }
    Ok((axis.path.clone(), form))
}

fn table_at(
    path: &str,
    span: Range<usize>,
    phases: &[PhasePlan],
) -> Result<&'static TableDef, Diagnostic> {
    let Some((owner, name)) = path.rsplit_once('.') else {
        return Err(Diagnostic::new(span, "a table is named `phase.table`").label("no phase named"));
    };
    let kind = owner_of(owner, span.clone(), phases, &registry::OWNERS)?;
    let known = kind.map_or_else(|| registry::run_tables(owner), ActionKind::tables);
    known
        .iter()
        .find(|table| table.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|table| table.name).collect();
            Diagnostic::new(span, format!("`{owner}` has no table `{name}`"))
                .label("unknown table")
                .suggest(name, names)
        })
}

fn column(
    table: &TableDef,
    name: &Spanned<String>,
    numeric: Option<bool>,
) -> Result<(), Diagnostic> {
    let Some((_, unit)) = table
        .columns
        .iter()
        .find(|(column, _)| column == name.get_ref())
    else {
        let names: Vec<&str> = table.columns.iter().map(|(column, _)| *column).collect();
        return Err(Diagnostic::new(
            name.span(),
            format!("table `{}` has no column `{}`", table.name, name.get_ref()),
        )
        .label("unknown column")
        .suggest(name.get_ref(), names));
    };
    if numeric == Some(true) && *unit == Unit::Text {
        return Err(
            Diagnostic::new(name.span(), "this axis needs numbers").label("a column of text")
        );
    }
    Ok(())
}
