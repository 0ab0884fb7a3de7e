//! Tables that belong to the whole run or to a whole database.

use std::collections::BTreeMap;

use vellum::{KeySpace, Stats};

use crate::dataset::model::{Model, Payload};
use crate::results::{Cell, Phase, Run, Table};
use crate::scenario::registry::{self, counts};

/// The graph's shape.
pub(super) fn of_dataset(model: &Model) -> Vec<Table> {
    let degrees = model
        .degrees()
        .into_iter()
        .map(|(degree, [out, incoming])| {
            vec![Cell::from(degree), Cell::from(out), Cell::from(incoming)]
        });
    let kinds = counted(model.nodes().iter().map(|node| node.kind.as_str()));
    let labels = counted(model.edges().iter().map(|edge| model.label(edge)));
    vec![
        registry::DEGREE.table("dataset", degrees.collect()),
        registry::KINDS.table("dataset", kinds),
        registry::LABELS.table("dataset", labels),
    ]
}

/// How often each name occurs, the most frequent first.
fn counted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Vec<Cell>> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    counts
        .into_iter()
        .map(|(name, count)| vec![Cell::from(name), Cell::from(count)])
        .collect()
}

/// The phases of the only cell side by side. Those of a sweep are compared along its axes instead.
pub(super) fn of_run(run: &Run) -> Vec<Table> {
    let [cell] = run.cells.as_slice() else {
        return Vec::new();
    };
    let metric = |phase: &Phase, name: &str| {
        Cell::from(phase.metrics.get(name).map(|measure| measure.median.0))
    };
    let timed = cell
        .phases
        .iter()
        .filter(|phase| phase.metrics.contains_key("time_ns"));
    let phases = timed.clone().map(|phase| {
        vec![
            Cell::from(phase.name.as_str()),
            metric(phase, "time_ns"),
            metric(phase, "mad_ns"),
            metric(phase, "pages_read"),
        ]
    });
    let both = timed.clone().filter(|phase| phase.counted()).map(|phase| {
        vec![
            Cell::from(phase.name.as_str()),
            metric(phase, "time_ns"),
            metric(phase, &[counts::PREFIX, counts::TIME].concat()),
        ]
    });
    let queries = timed
        .filter(|phase| phase.metrics.contains_key("first_ns"))
        .map(|phase| {
            let mut row = vec![Cell::from(phase.name.as_str())];
            row.extend(
                ["time_ns", "mad_ns", "first_ns", "pages_read", "answers"]
                    .map(|name| metric(phase, name)),
            );
            row
        });
    vec![
        registry::PHASES.table("run", phases.collect()),
        registry::QUERIES.table("run", queries.collect()),
        registry::COUNTING.table("run", both.collect()),
    ]
}

/// What was given and lies in the trees: longer data has pages of its own, which no tree counts.
pub(super) fn in_leaves(model: &Model, stats: &Stats) -> Payload {
    model.payload_within(vellum::format::limits::max_inline(stats.page_size as usize))
}

/// The trees of a database: what each costs and what it was given.
pub(super) fn spaces(owner: &str, stats: &Stats, model: &Model) -> Table {
    let payload = in_leaves(model, stats);
    let given = |space: KeySpace| match space {
        KeySpace::Nodes => Some(payload.names + payload.node_data),
        KeySpace::Out => Some(payload.edge_data),
        // The other trees find what these two hold.
        _ => None,
    };
    let rows = stats
        .trees
        .iter()
        .filter(|tree| tree.pages > 0)
        .map(|tree| {
            let bytes = tree.pages * stats.page_size;
            let each = (tree.entries > 0).then(|| bytes as f64 / tree.entries as f64);
            vec![
                Cell::from(tree.space.name()),
                Cell::from(bytes),
                Cell::from(given(tree.space)),
                Cell::from(tree.pages),
                Cell::from(u64::from(tree.height)),
                Cell::from(tree.entries),
                Cell::from(each),
            ]
        });
    registry::SPACES.table(owner, rows.collect())
}
