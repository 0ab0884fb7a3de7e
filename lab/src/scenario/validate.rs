//! Checks a scenario as a whole: names, options, the order of phases, data files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;

use crate::dataset::Files;
use crate::failure::Failure;
use crate::results;
use crate::units::{self, Unit};

use super::crash;
use super::damage;
use super::dataset;
use super::diagnose::Diagnostic;
use super::faults;
use super::operations::Operation;
use super::phases;
use super::plan::{Action, Budget, CheckPlan, DatasetPlan, EnginePlan, PhasePlan, Plan};
use super::raw;
use super::references::{Scope, check_plan, plot_plan};
use super::registry;

/// Why there is no plan.
pub(super) enum Refusal {
    Wrong(Vec<Diagnostic>),
    /// The graph's files, and where they are named.
    Missing(Failure, Range<usize>),
}

/// What a scenario is beside its sections.
pub(super) struct Definition<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
    pub(super) axes: &'a [results::Axis],
    pub(super) repeats: u32,
    /// Nothing on the command line changed what it spans.
    pub(super) own: bool,
}

/// What holds for the whole scenario, from its first cell.
pub(super) struct Whole {
    pub(super) name: String,
    pub(super) question: String,
    pub(super) seed: u64,
    pub(super) order: super::sweep::Order,
    pub(super) budget: Budget,
    pub(super) checks: Vec<CheckPlan>,
    pub(super) plots: Vec<results::Plot>,
}

/// Most repeats of a scenario.
const REPEATS: std::ops::RangeInclusive<u32> = 1..=1_000;

/// The plan of one cell, or everything that is wrong with it.
pub(super) fn cell(raw: &raw::Scenario, folder: &Path) -> Result<Plan, Refusal> {
    let mut wrong = Vec::new();
    if *raw.schema.get_ref() != 1 {
        wrong.push(
            Diagnostic::new(raw.schema.span(), "only schema 1 is known").label("another version"),
        );
    }
    let nothing = raw::Engine::default();
    let options = raw.engine.as_ref().map_or(&nothing, Spanned::get_ref);
    let engine = engine(options, raw.seed, &mut wrong);
    let mut phases = phase_plans(&raw.phase, &mut wrong);
    phases.extend(section_phases(raw, &mut wrong));
    nothing_idle(raw, &mut wrong);
    let page_size = engine.page_size.unwrap_or(4096);
    let dataset = match &raw.dataset {
        Some(dataset) => dataset_plan(dataset, raw.seed, page_size, folder, &mut wrong),
        None => DatasetPlan::Nothing,
    };
    if let (DatasetPlan::Generated(generator), Some(section)) = (&dataset, &raw.dataset)
        && generator.nodes == 0
    {
        let nodes = section.get_ref().nodes.as_ref();
        wrong.extend(about_nothing(&phases, nodes.map_or(0..0, Spanned::span)));
    }
    if !wrong.is_empty() {
        return Err(Refusal::Wrong(wrong));
    }
    Ok(Plan {
        seed: raw.seed,
        engine,
        dataset,
        store: String::new(),
        phases,
        at: Vec::new(),
        places: Vec::new(),
    })
}

/// An operation on nodes where there is none, and none was inserted before.
fn about_nothing(phases: &[PhasePlan], nodes: Range<usize>) -> Option<Diagnostic> {
    for phase in phases {
        let Action::Mix(mix) = &phase.action else {
            continue;
        };
        let operations = || mix.weights.iter().chain(&mix.beside).map(|(one, _)| *one);
        if operations().any(|one| one == Operation::InsertNode) {
            return None;
        }
        if let Some(one) = operations().find(|one| one.needs_node()) {
            let message = format!(
                "`{}` in phase `{}` needs nodes, and the graph has none",
                one.name(),
                phase.name
            );
            return Some(Diagnostic::new(nodes, message).label("no nodes"));
        }
    }
    None
}

/// Finds the files of the cell's graph.
pub(super) fn find_files(plan: &mut Plan) -> Result<(), Failure> {
    if let DatasetPlan::Files(files) = &mut plan.dataset {
        *files = Files::find(&files.nodes)?;
    }
    Ok(())
}

/// What the scenario says as a whole. Every cell has the phases of the first, by name and kind.
pub(super) fn whole(
    raw: &raw::Scenario,
    cell: &Plan,
    definition: &Definition<'_>,
) -> Result<Whole, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    if let Some(name) = &raw.name {
        check_name(name, "scenario", &mut wrong);
    }
    let stem = definition
        .path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let first = definition.text.lines().next().unwrap_or_default();
    let said = first.strip_prefix("# ").unwrap_or_default().to_owned();
    let repeats = raw.sweep.repeats.as_ref();
    if let Some(repeats) = repeats.filter(|repeats| !REPEATS.contains(repeats.get_ref())) {
        wrong.push(
            Diagnostic::new(
                repeats.span(),
                format!(
                    "`repeats` must be from {} to {}",
                    REPEATS.start(),
                    REPEATS.end()
                ),
            )
            .label("out of range"),
        );
    }
    let time = raw.budget.time.as_ref().and_then(|text| {
        let time = units::parse_duration(text.get_ref()).map(Duration::from_nanos);
        if time.is_none() {
            wrong.push(
                Diagnostic::new(text.span(), "a time is a number with ns, us, ms, s or min")
                    .label("not a time"),
            );
        }
        time
    });
    let scope = Scope {
        phases: &cell.phases,
        axes: definition.axes,
        repeats: definition.repeats,
        own: definition.own,
    };
    let checks = raw
        .check
        .iter()
        .map(|check| check_plan(check.get_ref(), &scope));
    let checks = gather(checks, &mut wrong);
    let plots = raw
        .plot
        .iter()
        .map(|plot| plot_plan(plot.get_ref(), plot.span(), &scope));
    let plots = gather(plots, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(Whole {
        name: raw.name.as_ref().map_or_else(
            || slug(stem.as_deref().unwrap_or("scenario")),
            |name| name.get_ref().clone(),
        ),
        question: raw
            .question
            .as_ref()
            .map_or(said, |question| question.get_ref().clone()),
        seed: raw.seed,
        order: raw.sweep.order,
        budget: Budget {
            time,
            disk_bytes: raw
                .budget
                .disk
                .as_ref()
                .map(|disk| disk.get_ref().bytes(4096)),
        },
        checks,
        plots,
    })
}

/// Where the graph comes from. Files are looked for when everything else is known to be right.
fn dataset_plan(
    raw: &Spanned<raw::Dataset>,
    seed: u64,
    page_size: u64,
    folder: &Path,
    wrong: &mut Vec<Diagnostic>,
) -> DatasetPlan {
    let file = &raw.get_ref().file;
    match dataset::generated(raw, seed, page_size, wrong) {
        Some(generator) => DatasetPlan::Generated(generator),
        None => DatasetPlan::Files(Files {
            nodes: file
                .iter()
                .map(|file| folder.join(file.get_ref()))
                .collect(),
            edges: Vec::new(),
        }),
    }
}

/// The phases that sections of their own make: crashes, faults and damage.
fn section_phases(raw: &raw::Scenario, wrong: &mut Vec<Diagnostic>) -> Vec<PhasePlan> {
    let mut phases = Vec::new();
    let mut push = |name: &str, action: Action| {
        phases.push(PhasePlan {
            name: name.to_owned(),
            database: String::new(),
            measure: true,
            action,
        });
    };
    match (&raw.crash, &raw.oracle) {
        (Some(section), oracle) => {
            push(crash::PHASE, crash::plan(section, oracle.as_ref(), wrong));
        }
        (None, Some(oracle)) => wrong.push(crash::lonely_oracle(oracle)),
        (None, None) => {}
    }
    if let Some(section) = &raw.faults {
        push(
            faults::PHASE,
            faults::plan(section.get_ref(), raw.seed, wrong),
        );
    }
    if let Some(section) = &raw.damage {
        let damage = damage::plan(section.get_ref(), raw.seed, wrong);
        push(damage::PHASE, Action::Damage(damage));
    }
    phases
}

/// Phases need a graph, and a scenario one thing at least that it does. What only phases use is no part of
/// a scenario without any.
fn nothing_idle(raw: &raw::Scenario, wrong: &mut Vec<Diagnostic>) {
    if let Some(phase) = raw.phase.first().filter(|_| raw.dataset.is_none()) {
        let message = "phases need a `[dataset]`";
        wrong.push(Diagnostic::new(phase.span(), message).label("there is none"));
    }
    let sections = raw.crash.is_some() || raw.faults.is_some() || raw.damage.is_some();
    if raw.phase.is_empty() && !sections {
        let message =
            "the scenario does nothing: it has no `[[phase]]`, `[crash]`, `[faults]` or `[damage]`";
        wrong.push(Diagnostic::new(raw.schema.span(), message));
    } else if raw.phase.is_empty() {
        let unused = [
            ("engine", raw.engine.as_ref().map(Spanned::span)),
            ("dataset", raw.dataset.as_ref().map(Spanned::span)),
        ];
        for (name, place) in unused {
            if let Some(place) = place {
                let message = format!(
                    "`[{name}]` is for a `[[phase]]`, and there is none: crashes, faults and damage bring their own"
                );
                wrong.push(Diagnostic::new(place, message).label("without effect"));
            }
        }
    }
}

fn gather<T>(
    found: impl Iterator<Item = Result<T, Diagnostic>>,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<T> {
    found
        .filter_map(|one| one.map_err(|diagnostic| wrong.push(diagnostic)).ok())
        .collect()
}

/// A file's name as the name of a scenario.
fn slug(name: &str) -> String {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let name: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(60)
        .collect();
    if name.is_empty() {
        "scenario".to_owned()
    } else {
        name
    }
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

fn engine(raw: &raw::Engine, seed: u64, wrong: &mut Vec<Diagnostic>) -> EnginePlan {
    let page = raw
        .page_size
        .as_ref()
        .map_or(4096, |size| size.get_ref().bytes(1));
    let mut size = |field: &Option<Spanned<raw::Size>>, rule: &str, fits: fn(u64) -> bool| {
        let field = field.as_ref()?;
        let bytes = field.get_ref().bytes(page);
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
    let mut file_id = [0; 16];
    file_id[..8].copy_from_slice(&seed.to_le_bytes());
    file_id[8..].copy_from_slice(b"scenario");
    EnginePlan {
        file_id,
        checkpoint: raw.checkpoint,
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
        if let Some(name) = &body.name {
            check_name(name, "phase", wrong);
        }
        let name = phases::name_of(body);
        let name_span = body
            .name
            .as_ref()
            .map_or_else(|| phase.span(), Spanned::span);
        if registry::RESERVED.contains(&name.as_str()) || plans.iter().any(|plan| plan.name == name)
        {
            wrong.push(
                Diagnostic::new(name_span.clone(), format!("the name `{name}` is taken"))
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
                let place = body.database.as_ref().map_or(name_span, Spanned::span);
                order_of_loads(&action, &database, place, &mut loaded, wrong);
                plans.push(PhasePlan {
                    name,
                    database,
                    measure: body.measure.unwrap_or(true),
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
