//! Checks a scenario as a whole: names, references between phases, checks and plots, data files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use crate::dataset::Files;
use crate::failure::Failure;
use crate::results;
use crate::units::{self, Unit};

use super::crash;
use super::diagnose::Diagnostic;
use super::expect::{self, Bound};
use super::phases;
use super::plan::{Action, CheckPlan, EnginePlan, PhasePlan, Plan};
use super::raw;
use super::registry::{self, ActionKind, TableDef};

/// Why there is no plan.
pub(super) enum Refusal {
    Wrong(Vec<Diagnostic>),
    Missing(Failure),
}

/// The plan, or everything that is wrong with the scenario.
pub(super) fn plan(raw: raw::Scenario, folder: &Path) -> Result<Plan, Refusal> {
    let mut wrong = Vec::new();
    if *raw.schema.get_ref() != 1 {
        wrong.push(
            Diagnostic::new(raw.schema.span(), "only schema 1 is known").label("another version"),
        );
    }
    check_name(&raw.name, "scenario", &mut wrong);
    let engine = engine(&raw.engine, &mut wrong);
    let mut phases = phase_plans(&raw.phase, &mut wrong);
    phases.extend(crash_phase(&raw, &mut wrong));
    // References into phases that are themselves wrong would only be reported twice.
    let (checks, plots) = if wrong.is_empty() {
        (
            check_plans(&raw.check, &phases, &mut wrong),
            plot_plans(&raw.plot, &phases, &mut wrong),
        )
    } else {
        (Vec::new(), Vec::new())
    };
    if !wrong.is_empty() {
        return Err(Refusal::Wrong(wrong));
    }
    let dataset = raw.dataset.as_ref().map(|dataset| {
        let file = dataset.get_ref().file.get_ref();
        Files::find(&[folder.join(file)]).map_err(Refusal::Missing)
    });
    let dataset = dataset.transpose()?;
    Ok(Plan {
        path: PathBuf::new(),
        text: String::new(),
        name: raw.name.into_inner(),
        question: raw.question.into_inner(),
        seed: raw.seed,
        engine,
        dataset,
        phases,
        checks,
        plots,
    })
}

/// The phase that the sections about crashes make, if there are such.
fn crash_phase(raw: &raw::Scenario, wrong: &mut Vec<Diagnostic>) -> Option<PhasePlan> {
    if let Some(phase) = raw.phase.first().filter(|_| raw.dataset.is_none()) {
        let message = "phases need a `[dataset]`";
        wrong.push(Diagnostic::new(phase.span(), message).label("there is none"));
    }
    if raw.phase.is_empty() && raw.crash.is_none() {
        let message = "the scenario does nothing: it has no `[[phase]]` and no `[crash]`";
        wrong.push(Diagnostic::new(raw.name.span(), message));
    }
    let oracle = raw.oracle.as_ref();
    let Some(section) = &raw.crash else {
        wrong.extend(oracle.map(crash::lonely_oracle));
        return None;
    };
    let plan = crash::plan(section.get_ref(), oracle.map(Spanned::get_ref), wrong);
    Some(PhasePlan {
        name: crash::PHASE.to_owned(),
        database: String::new(),
        action: Action::Crash(plan),
    })
}

/// Names become parts of file names and of metric paths.
fn check_name(name: &Spanned<String>, what: &str, wrong: &mut Vec<Diagnostic>) {
    let text = name.get_ref();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > 60 || !text.chars().all(fits) {
        wrong.push(
            Diagnostic::new(
                name.span(),
                format!(
                    "the name of a {what} has lower-case letters, digits and hyphens, 60 at most"
                ),
            )
            .label("not such a name"),
        );
    }
}

fn engine(raw: &raw::Engine, wrong: &mut Vec<Diagnostic>) -> EnginePlan {
    let mut size = |field: &Option<Spanned<raw::Size>>, rule: &str, fits: fn(u64) -> bool| {
        let field = field.as_ref()?;
        let bytes = field.get_ref().0;
        if !fits(bytes) {
            wrong.push(Diagnostic::new(field.span(), rule).label("out of range"));
        }
        Some(bytes)
    };
    let page_size = size(
        &raw.page_size,
        "a page has a power of two of bytes, from 4 KiB to 64 KiB",
        |bytes| bytes.is_power_of_two() && (4096..=65536).contains(&bytes),
    );
    let cache_bytes = size(&raw.cache, "the cache needs at least 16 KiB", |bytes| {
        bytes >= 16 << 10
    });
    let write_buffer_bytes = size(
        &raw.write_buffer,
        "the write buffer needs at least 64 KiB",
        |bytes| bytes >= 64 << 10,
    );
    let log_segment_bytes = size(
        &raw.log_segment,
        "a log segment has a multiple of 4096 bytes, 64 KiB to 1 GiB",
        |bytes| bytes % 4096 == 0 && ((64 << 10)..=(1 << 30)).contains(&bytes),
    );
    EnginePlan {
        page_size,
        cache_bytes,
        write_buffer_bytes,
        log_segment_bytes,
        durability: raw.durability.unwrap_or_default(),
        group_delay: raw.group_delay.as_ref().and_then(|text| delay(text, wrong)),
        name_index: raw.name_index,
        unique_edges: raw.unique_edges,
    }
}

fn delay(text: &Spanned<String>, wrong: &mut Vec<Diagnostic>) -> Option<Duration> {
    let split = text
        .get_ref()
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.get_ref().len());
    let (number, unit) = text.get_ref().split_at(split);
    let factor = units::unit_named(unit.trim())
        .filter(|(unit, _)| *unit == Unit::Ns)
        .map(|(_, factor)| factor as u64);
    let ns = number
        .parse::<u64>()
        .ok()
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor));
    if ns.is_none() {
        wrong.push(
            Diagnostic::new(
                text.span(),
                "a delay is a whole number with ns, us, ms or s",
            )
            .label("not a delay"),
        );
    }
    ns.map(Duration::from_nanos)
}

fn phase_plans(raw: &[Spanned<raw::Phase>], wrong: &mut Vec<Diagnostic>) -> Vec<PhasePlan> {
    let mut plans: Vec<PhasePlan> = Vec::new();
    // By database: whether it has been loaded by a phase so far.
    let mut loaded: BTreeMap<String, bool> = BTreeMap::new();
    for phase in raw {
        let body = phase.get_ref();
        check_name(&body.name, "phase", wrong);
        let name = body.name.get_ref().clone();
        if registry::RESERVED.contains(&name.as_str()) || plans.iter().any(|plan| plan.name == name)
        {
            wrong.push(
                Diagnostic::new(body.name.span(), format!("the name `{name}` is taken"))
                    .label("give it another"),
            );
        }
        if let Some(database) = &body.database {
            check_name(database, "database", wrong);
        }
        let database = body
            .database
            .as_ref()
            .map_or("main", |database| database.get_ref())
            .to_owned();
        match phases::action(body, phase.span()) {
            Ok(action) => {
                let place = body
                    .database
                    .as_ref()
                    .map_or_else(|| body.name.span(), Spanned::span);
                order_of_loads(&action, &database, place, &mut loaded, wrong);
                plans.push(PhasePlan {
                    name,
                    database,
                    action,
                });
            }
            Err(diagnostics) => {
                loaded.insert(database, true);
                wrong.extend(diagnostics);
            }
        }
    }
    plans
}

/// A database is loaded once, before anything is asked of it.
fn order_of_loads(
    action: &Action,
    database: &str,
    place: Range<usize>,
    loaded: &mut BTreeMap<String, bool>,
    wrong: &mut Vec<Diagnostic>,
) {
    let before = loaded.contains_key(database);
    match action {
        Action::Load(_) if before => {
            wrong.push(
                Diagnostic::new(place, format!("database `{database}` is loaded already"))
                    .label("name another"),
            );
        }
        Action::Load(_) => {
            loaded.insert(database.to_owned(), true);
        }
        _ if !before => {
            let message = format!("no earlier phase loads database `{database}`");
            wrong.push(
                Diagnostic::new(place, message)
                    .label("not loaded")
                    .suggest(database, loaded.keys().map(String::as_str)),
            );
            // Said once.
            loaded.insert(database.to_owned(), true);
        }
        _ => {}
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
    registry::describe(kind, name).ok_or_else(|| {
        let known = kind.map_or(registry::dataset_metrics(), ActionKind::metrics);
        let names: Vec<&str> = known.iter().map(|metric| metric.name).collect();
        Diagnostic::new(span, format!("`{owner}` has no metric `{name}`"))
            .label("unknown metric")
            .suggest(name, names)
    })
}

fn check_plans(
    raw: &[Spanned<raw::Check>],
    phases: &[PhasePlan],
    wrong: &mut Vec<Diagnostic>,
) -> Vec<CheckPlan> {
    let mut plans = Vec::new();
    for check in raw {
        match check_plan(check.get_ref(), phases) {
            Ok(plan) => plans.push(plan),
            Err(diagnostic) => wrong.push(diagnostic),
        }
    }
    plans
}

fn check_plan(raw: &raw::Check, phases: &[PhasePlan]) -> Result<CheckPlan, Diagnostic> {
    let metric = metric_at(raw.metric.get_ref(), raw.metric.span(), phases)?;
    let span = raw.expect.span();
    let expect = expect::parse(raw.expect.get_ref())
        .map_err(|what| Diagnostic::new(span.clone(), what).label("not an expectation"))?;
    let other = match &expect.bound {
        Bound::Number(_, unit) => *unit,
        Bound::Times(_, path) => Some(metric_at(path, span.clone(), phases)?.unit),
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
        span,
    })
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

fn plot_plans(
    raw: &[Spanned<raw::Plot>],
    phases: &[PhasePlan],
    wrong: &mut Vec<Diagnostic>,
) -> Vec<results::Plot> {
    let mut plots = Vec::new();
    for plot in raw {
        match plot_plan(plot.get_ref(), plot.span(), phases) {
            Ok(plot) => plots.push(plot),
            Err(diagnostic) => wrong.push(diagnostic),
        }
    }
    plots
}

fn plot_plan(
    raw: &raw::Plot,
    whole: Range<usize>,
    phases: &[PhasePlan],
) -> Result<results::Plot, Diagnostic> {
    let table = table_at(raw.table.get_ref(), raw.table.span(), phases)?;
    if raw.y.is_empty() {
        return Err(Diagnostic::new(
            whole,
            "a plot needs at least one column in `y`",
        ));
    }
    let numeric_x = matches!(
        raw.form,
        results::PlotForm::Points | results::PlotForm::Lines
    );
    column(table, &raw.x, Some(numeric_x))?;
    for y in &raw.y {
        column(table, y, Some(true))?;
    }
    Ok(results::Plot {
        title: raw.title.get_ref().clone(),
        note: raw.note.clone(),
        table: raw.table.get_ref().clone(),
        x: raw.x.get_ref().clone(),
        y: raw.y.iter().map(|y| y.get_ref().clone()).collect(),
        form: raw.form,
        x_scale: raw.x_scale,
        y_scale: raw.y_scale,
    })
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
