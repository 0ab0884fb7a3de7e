//! Draws a plot from its table. Nothing is computed here but places.

mod curve;
mod rows;

use crate::results::{Cell, Plot, PlotForm, Table};
use crate::units::Unit;

use super::canvas::{Anchor, Canvas, Drawn, Ink, text_width};

const WIDTH: i32 = 540;

/// Height of the legend above a plot.
const LEGEND: i32 = 30;

/// A finished drawing, with a remark on what the axes could not show.
pub(super) struct Drawing {
    pub(super) svg: String,
    pub(super) remark: Option<String>,
}

/// One column of numbers, with its name for the legend.
struct Series {
    name: String,
    values: Vec<Option<f64>>,
}

/// What is drawn: the plot's columns, with the unit that all its series share.
struct Data<'p> {
    plot: &'p Plot,
    series: Vec<Series>,
    unit: Unit,
}

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
        });
    }
    let data = Data { plot, series, unit };
    match plot.form {
        PlotForm::Points | PlotForm::Lines => {
            let xs: Vec<Option<f64>> = table.rows.iter().map(|row| number(row.get(x))).collect();
            let x_unit = table
                .columns
                .get(x)
                .map_or(Unit::Count, |column| column.unit);
            curve::draw(&data, &xs, x_unit)
        }
        PlotForm::Bars | PlotForm::Dots => {
            let names: Vec<String> = table.rows.iter().map(|row| text(row.get(x))).collect();
            rows::draw(&data, &names)
        }
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
    match name {
        // The median absolute deviation keeps its abbreviation's capitals.
        "mad" => "MAD".to_owned(),
        name => name.replace('_', " "),
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

/// Marks for the series, above the plot. One series needs none: the title says what it is.
fn legend(canvas: &Canvas<'_>, series: &[Series], left: i32) -> Drawn {
    if series.len() < 2 {
        return Ok(());
    }
    let mut x = left;
    for (number, one) in series.iter().enumerate() {
        canvas.dot((x + 5, 10), 5, Ink::Series(number), 1.0)?;
        canvas.text(&one.name, (x + 16, 10), Anchor::Start, Ink::Text)?;
        x += 16 + text_width(&one.name) + 18;
    }
    Ok(())
}
