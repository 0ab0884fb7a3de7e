//! What the plots of a sweep say, in words: from where to where, and where it stops changing.

use crate::results::{Cell, Plot, PlotForm, Run, Table};
use crate::units::Unit;

use super::cells;

/// Lines that differ by less than this share are called flat.
const FLAT: f64 = 0.10;

/// More series than this are told of together.
const SERIES: usize = 4;

/// A row's name and its value.
type Value = (String, f64);

/// One plot in words.
pub(super) struct Point {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

/// One for each plot over cells, as long as their results may be shown.
pub(super) fn points(run: &Run) -> Vec<Point> {
    if !run.right() {
        return Vec::new();
    }
    let told = cells::tables(run).into_iter().map(|(plot, table)| Point {
        title: plot.title.clone(),
        lines: lines(plot, &table),
    });
    told.filter(|point| !point.lines.is_empty()).collect()
}

fn lines(plot: &Plot, table: &Table) -> Vec<String> {
    let ordered = matches!(plot.form, PlotForm::Lines | PlotForm::Points);
    let series: Vec<_> = table
        .columns
        .iter()
        .enumerate()
        .skip(1)
        .map(|(at, column)| (column.name.as_str(), column.unit, values(table, at)))
        .filter(|(_, _, values)| values.len() > 1)
        .collect();
    let one = series.len() == 1;
    if series.len() > SERIES {
        let (_, unit, _) = series[0];
        let all: Vec<Value> = series
            .iter()
            .flat_map(|(name, _, values)| {
                values.iter().map(move |(place, value)| {
                    (format!("{}, {place}", super::plots::human(name)), *value)
                })
            })
            .collect();
        return vec![ends(unit, &all)];
    }
    series
        .iter()
        .map(|(name, unit, values)| {
            let said = match ordered {
                true => along(&table.columns[0].name, *unit, values),
                false => ends(*unit, values),
            };
            match one {
                true => said,
                false => format!("{}: {said}", super::plots::human(name)),
            }
        })
        .collect()
}

/// Each row's name and value, where it has one.
fn values(table: &Table, column: usize) -> Vec<Value> {
    let of = |row: &Vec<Cell>| match (row.first(), row.get(column)) {
        (Some(Cell::Text(place)), Some(Cell::Number(number))) => Some((place.clone(), number.0)),
        _ => None,
    };
    table.rows.iter().filter_map(of).collect()
}

/// The least and the most of values without an order.
fn ends(unit: Unit, values: &[Value]) -> String {
    let least = values.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let most = values.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(least), Some(most)) = (least, most) else {
        return String::new();
    };
    if spread(values) <= FLAT {
        return format!("about {} everywhere", unit.show(most.1));
    }
    format!(
        "from {} ({}) to {} ({})",
        unit.show(least.1),
        least.0,
        unit.show(most.1),
        most.0
    )
}

/// From the first to the last, and from where on nothing changes any more.
fn along(axis: &str, unit: Unit, values: &[Value]) -> String {
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return String::new();
    };
    let axis = super::plots::human(axis);
    if spread(values) <= FLAT {
        return format!(
            "about {} for {axis} from {} to {}",
            unit.show(last.1),
            first.0,
            last.0
        );
    }
    let mut said = format!(
        "{} at {axis} {}, {} at {}",
        unit.show(first.1),
        first.0,
        unit.show(last.1),
        last.0
    );
    let flat = (0..values.len()).find(|from| spread(&values[*from..]) <= FLAT);
    // The last two alone are a step, not a plateau.
    if let Some(from) = flat.filter(|from| *from + 2 < values.len()) {
        said += &format!("; flat from {} on", values[from].0);
    }
    let outside = |value: f64| value > first.1.max(last.1) || value < first.1.min(last.1);
    let far = values
        .iter()
        .filter(|(_, value)| outside(*value))
        .max_by(|a, b| distance(a.1, first.1, last.1).total_cmp(&distance(b.1, first.1, last.1)));
    if let Some((place, value)) = far.filter(|far| distance(far.1, first.1, last.1) > FLAT) {
        said += &format!("; {} at {place} between them", unit.show(*value));
    }
    said
}

/// How far a value lies outside of two others, as a share of the larger.
fn distance(value: f64, a: f64, b: f64) -> f64 {
    let (low, high) = (a.min(b), a.max(b));
    (value - high).max(low - value) / high.abs().max(value.abs()).max(f64::MIN_POSITIVE)
}

/// How far values lie apart, as a share of the largest.
fn spread(values: &[Value]) -> f64 {
    let most = values.iter().map(|one| one.1).fold(f64::MIN, f64::max);
    let least = values.iter().map(|one| one.1).fold(f64::MAX, f64::min);
    match most == least {
        true => 0.0,
        false => (most - least) / most.abs().max(least.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(values: &[f64]) -> Vec<Value> {
        let named = values
            .iter()
            .enumerate()
            .map(|(at, value)| (format!("{at}"), *value));
        named.collect()
    }

    #[test]
    fn a_plateau_is_found_and_a_bump_is_named() {
        let said = |values: &[f64]| along("cache", Unit::Count, &named(values));
        assert_eq!(
            said(&[9.0, 4.0, 1.0, 1.0, 1.0]),
            "9 at cache 0, 1 at 4; flat from 2 on"
        );
        assert_eq!(said(&[2.0, 2.05, 2.0]), "about 2 for cache from 0 to 2");
        assert_eq!(said(&[4.0, 2.0, 1.0]), "4 at cache 0, 1 at 2");
        assert_eq!(
            said(&[4.0, 9.0, 2.0]),
            "4 at cache 0, 2 at 2; 9 at 1 between them"
        );
        assert_eq!(said(&[0.0, 0.0]), "about 0 for cache from 0 to 1");
    }

    #[test]
    fn values_without_an_order_have_a_least_and_a_most() {
        let values = named(&[3.0, 1.0, 2.0]);
        assert_eq!(ends(Unit::Count, &values), "from 1 (1) to 3 (0)");
        assert_eq!(ends(Unit::Count, &named(&[2.0, 2.0])), "about 2 everywhere");
    }
}
