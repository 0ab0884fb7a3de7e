//! Draws a plot from its table. Nothing is computed here but places.

mod curve;
mod rows;

use crate::results::{Cell, Plot, PlotForm, Table};
use crate::units::Unit;

use super::canvas::{Anchor, Canvas, Drawn, Ink, text_width};
use super::cells::Derived;

/// A little more than what a plot has of a page of two columns, so that its text is about as large there as it says.
const WIDTH: i32 = 500;

/// Height of a row of the legend above a plot.
const LEGEND_ROW: i32 = 20;

/// A finished drawing, with a remark on what the axes could not show.
pub(super) struct Drawing {
    pub(super) svg: String,
    pub(super) remark: Option<String>,
}

/// One column of numbers, with its name for the legend.
struct Series {
    name: String,
    values: Vec<Option<f64>>,
    /// Ends of the interval of each value that has one.
    intervals: Vec<Option<[f64; 2]>>,
}

/// What is drawn: the plot's columns, with the unit that all its series share.
struct Data<'p> {
    plot: &'p Plot,
    series: Vec<Series>,
    unit: Unit,
    /// What all values are, where the names of the series do not say it.
    caption: String,
}

/// Height of the line with the caption.
const CAPTION: i32 = 18;

/// A mark and the value it stands for.
struct Mark {
    x: i32,
    y: i32,
    value: f64,
}

/// Draws the plot. The error names what the table lacks.
pub(super) fn draw(plot: &Plot, table: &Table) -> Result<Drawing, String> {
    let lacks = |name: &str| format!("table {} has no column {name}", table.name);
    let x = table.column(&plot.x).ok_or_else(|| lacks(&plot.x))?;
    let mut series = Vec::new();
    let mut unit = Unit::Count;
    for y in &plot.y {
        let column = table.column(y).ok_or_else(|| lacks(y))?;
        unit = table.columns.get(column).map_or(unit, |column| column.unit);
        let values = table
            .rows
            .iter()
            .map(|row| number(row.get(column)))
            .collect();
        series.push(Series {
            name: human(y),
            values,
            intervals: Vec::new(),
        });
    }
    let caption = match plot.y.as_slice() {
        [one] => human(one),
        _ => String::new(),
    };
    let data = Data {
        plot,
        series,
        unit,
        caption,
    };
    let places: Vec<Option<f64>> = table.rows.iter().map(|row| number(row.get(x))).collect();
    draw_data(&data, table, x, &places)
}

/// Draws metrics of the cells of a sweep along one of its axes.
pub(super) fn draw_cells(plot: &Plot, derived: &Derived) -> Result<Drawing, String> {
    let table = &derived.table;
    let mut unit = Unit::Count;
    let mut series = Vec::new();
    for (place, column) in table.columns.iter().enumerate().skip(1) {
        unit = column.unit;
        series.push(Series {
            name: column.name.clone(),
            values: table
                .rows
                .iter()
                .map(|row| number(row.get(place)))
                .collect(),
            intervals: derived
                .intervals
                .get(place - 1)
                .cloned()
                .unwrap_or_default(),
        });
    }
    if table.rows.is_empty() {
        return Err("no cell was measured".to_owned());
    }
    let name = table
        .columns
        .first()
        .map_or(plot.x.clone(), |column| column.name.clone());
    let named = Plot {
        x: name,
        ..plot.clone()
    };
    let data = Data {
        plot: &named,
        series,
        unit,
        caption: caption(plot),
    };
    draw_data(&data, table, 0, &derived.places)
}

/// The metric's name if all series show the same one.
fn caption(plot: &Plot) -> String {
    let name = |path: &str| {
        path.split_once('.')
            .map_or(path.to_owned(), |(_, name)| name.to_owned())
    };
    let mut names: Vec<String> = plot.y.iter().map(|path| name(path)).collect();
    names.dedup();
    match names.as_slice() {
        [one] => human(one),
        _ => String::new(),
    }
}

fn draw_data(
    data: &Data<'_>,
    table: &Table,
    x: usize,
    places: &[Option<f64>],
) -> Result<Drawing, String> {
    let names = || table.rows.iter().map(|row| text(row.get(x)));
    match data.plot.form {
        PlotForm::Points | PlotForm::Lines => {
            let unit = table
                .columns
                .get(x)
                .map_or(Unit::Count, |column| column.unit);
            // A place that a row stands at is called what the row calls it.
            let name = |place: f64| {
                let row = places.iter().position(|one| *one == Some(place));
                row.filter(|_| unit == Unit::Text)
                    .and_then(|row| names().nth(row))
                    .unwrap_or_else(|| unit.show(place))
            };
            curve::draw(data, places, &name)
        }
        PlotForm::Bars | PlotForm::Dots => rows::draw(data, &names().collect::<Vec<String>>()),
    }
}

fn number(cell: Option<&Cell>) -> Option<f64> {
    match cell {
        Some(Cell::Number(number)) => Some(number.0),
        _ => None,
    }
}

fn text(cell: Option<&Cell>) -> String {
    match cell {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Number(number)) => Unit::Count.show(number.0),
        _ => String::new(),
    }
}

/// A column's name as people say it: the unit is on the axis.
pub(super) fn human(name: &str) -> String {
    let name = name.strip_suffix("_ns").unwrap_or(name);
    let name = name.strip_prefix("phase.").unwrap_or(name);
    match name {
        // The median absolute deviation keeps its abbreviation's capitals.
        "mad" => "MAD".to_owned(),
        name => name.replace(['_', '.'], " "),
    }
}

/// Why some values are not to be seen, if there are any.
fn remark(hidden: usize) -> Option<String> {
    let values = if hidden == 1 {
        "1 value"
    } else {
        &format!("{hidden} values")
    };
    (hidden > 0).then(|| {
        format!(
            "{values} of 0 not shown: a logarithmic axis has no place for them. The table has them."
        )
    })
}

/// Where each entry of the legend begins: its row and its place in it.
fn legend_places(series: &[Series], left: i32) -> Vec<(i32, i32)> {
    let mut places = Vec::new();
    let (mut row, mut x) = (0, left);
    for one in series {
        let width = 16 + text_width(&one.name) + 18;
        if x > left && x + width > WIDTH {
            row += 1;
            x = left;
        }
        places.push((x, row));
        x += width;
    }
    places
}

/// Height of the legend. One series needs none: the title says what it is.
fn legend_height(series: &[Series], left: i32) -> i32 {
    if series.len() < 2 {
        return 10;
    }
    let rows = legend_places(series, left)
        .last()
        .map_or(0, |(_, row)| row + 1);
    rows * LEGEND_ROW + 10
}

/// Marks for the series, above the plot.
fn legend(canvas: &Canvas<'_>, series: &[Series], left: i32) -> Drawn {
    if series.len() < 2 {
        return Ok(());
    }
    for (number, (one, (x, row))) in series.iter().zip(legend_places(series, left)).enumerate() {
        let y = 10 + row * LEGEND_ROW;
        canvas.marker((x + 5, y), 5, Ink::Series(number))?;
        canvas.text(&one.name, (x + 16, y), Anchor::Start, Ink::Text)?;
    }
    Ok(())
}
