//! Cells of a sweep as tables: one row for each value of an axis, one column for each series.

use crate::results::{Cell, Column, Coordinate, Measure, Plot, Run, SweepCell, Table};
use crate::scenario::registry;
use crate::units::{Unit, grouped};

/// A plot's table, and the interval of each cell of it that has one.
pub(super) struct Derived {
    pub(super) table: Table,
    /// Where each row stands on the axis, if the axis is a scale.
    pub(super) places: Vec<Option<f64>>,
    /// By column behind the first, then by row.
    pub(super) intervals: Vec<Vec<Option<[f64; 2]>>>,
}

/// One line of a plot: a metric, at fixed places on every axis but one.
struct Series<'r> {
    name: String,
    metric: &'r str,
    others: Vec<(usize, usize)>,
}

/// Every plot over cells with its table.
pub(super) fn tables(run: &Run) -> Vec<(&Plot, Table)> {
    run.plots
        .iter()
        .filter(|plot| plot.table.is_none())
        .filter_map(|plot| Some((plot, derive(run, plot)?.table)))
        .collect()
}

/// The numbers of a plot over cells. `None` if its axis is not there.
pub(super) fn derive(run: &Run, plot: &Plot) -> Option<Derived> {
    let number = run.axes.iter().position(|axis| axis.path == plot.x)?;
    let axis = run.axes.get(number)?;
    let series = series(run, plot, number);
    let mut columns = vec![Column {
        name: axis.name.clone(),
        unit: Unit::Text,
    }];
    let unit = |metric: &str| {
        registry::by_name(metric.split_once('.').map_or(metric, |(_, name)| name))
            .map_or(Unit::Count, |metric| metric.unit)
    };
    columns.extend(series.iter().map(|one| Column {
        name: one.name.clone(),
        unit: unit(one.metric),
    }));
    let (mut rows, mut places) = (Vec::new(), Vec::new());
    let mut intervals = vec![Vec::new(); series.len()];
    for (place, value) in axis.values.iter().enumerate() {
        let mut row = vec![Cell::from(shown(value))];
        for (one, intervals) in series.iter().zip(&mut intervals) {
            let measure =
                cell_at(run, &one.others, number, place).and_then(|cell| cell.measure(one.metric));
            row.push(Cell::from(measure.map(|measure| measure.median.0)));
            intervals.push(measure.and_then(interval));
        }
        if row.iter().skip(1).any(|cell| *cell != Cell::Absent(())) {
            rows.push(row);
            places.push(value.number.map(|number| number.0));
        } else {
            intervals.iter_mut().for_each(|one| {
                one.pop();
            });
        }
    }
    Some(Derived {
        table: Table {
            name: plot.title.clone(),
            columns,
            rows,
            rows_left_out: 0,
        },
        places,
        intervals,
    })
}

/// A value of an axis for people: whole numbers with their thousands apart.
fn shown(value: &Coordinate) -> String {
    value
        .text
        .parse::<u64>()
        .map_or_else(|_| value.text.clone(), grouped)
}

fn interval(measure: &Measure) -> Option<[f64; 2]> {
    measure.interval.map(|ends| ends.map(|end| end.0))
}

fn cell_at<'r>(
    run: &'r Run,
    others: &[(usize, usize)],
    axis: usize,
    place: usize,
) -> Option<&'r SweepCell> {
    run.cells.iter().find(|cell| {
        cell.places.get(axis) == Some(&place)
            && others
                .iter()
                .all(|(axis, place)| cell.places.get(*axis) == Some(place))
    })
}

/// A line for each metric and each combination of places on the other axes.
fn series<'r>(run: &'r Run, plot: &'r Plot, x: usize) -> Vec<Series<'r>> {
    let mut combinations: Vec<Vec<(usize, usize)>> = Vec::new();
    for cell in &run.cells {
        let fits = plot
            .only_where
            .iter()
            .all(|(axis, place)| cell.places.get(*axis) == Some(place));
        let others: Vec<(usize, usize)> = cell
            .places
            .iter()
            .copied()
            .enumerate()
            .filter(|(axis, _)| *axis != x)
            .collect();
        if fits && !combinations.contains(&others) {
            combinations.push(others);
        }
    }
    let mut all = Vec::new();
    for metric in &plot.y {
        for others in &combinations {
            let mut parts: Vec<String> = others
                .iter()
                .filter(|(axis, _)| !plot.only_where.iter().any(|(fixed, _)| fixed == axis))
                // An axis of one value tells no two lines apart.
                .filter(|(axis, _)| {
                    run.axes
                        .get(*axis)
                        .is_some_and(|axis| axis.values.len() > 1)
                })
                .filter_map(|(axis, place)| {
                    let axis = run.axes.get(*axis)?;
                    Some(format!("{} {}", axis.name, shown(axis.values.get(*place)?)))
                })
                .collect();
            if plot.y.len() > 1 || parts.is_empty() {
                parts.insert(0, metric_name(metric, plot));
            }
            all.push(Series {
                name: parts.join(", "),
                metric,
                others: others.clone(),
            });
        }
    }
    all
}

/// A metric without what all metrics of the plot share.
fn metric_name(metric: &str, plot: &Plot) -> String {
    let phase = |path: &str| {
        path.split_once('.')
            .map_or(String::new(), |(phase, _)| phase.to_owned())
    };
    let name = |path: &str| {
        path.split_once('.')
            .map_or(path.to_owned(), |(_, name)| name.to_owned())
    };
    let same_name = plot.y.iter().all(|other| name(other) == name(metric));
    let same_phase = plot.y.iter().all(|other| phase(other) == phase(metric));
    let human = super::plots::human(&name(metric));
    match (same_name && plot.y.len() > 1, same_phase) {
        (true, _) => phase(metric),
        (false, true) => human,
        (false, false) => format!("{} {human}", phase(metric)),
    }
}
