//! Draws a plot from its table. Nothing is computed here but places.

use crate::results::{Cell, Plot, PlotForm, Scale, Table};
use crate::units::Unit;

use super::axis::Axis;
use super::canvas::{self, Anchor, Canvas, Drawn, Ink, text_width};

const WIDTH: i32 = 720;
const LEGEND: i32 = 34;

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

/// Draws the plot. The error names what the table lacks.
pub(super) fn draw(plot: &Plot, table: &Table) -> Result<Drawing, String> {
    let x = table
        .column(&plot.x)
        .ok_or_else(|| format!("table {} has no column {}", table.name, plot.x))?;
    let mut series = Vec::new();
    let mut unit = Unit::Count;
    for y in &plot.y {
        let column = table
            .column(y)
            .ok_or_else(|| format!("table {} has no column {y}", table.name))?;
        unit = table.columns.get(column).map_or(unit, |column| column.unit);
        series.push(Series {
            name: human(y),
            values: table
                .rows
                .iter()
                .map(|row| number(row.get(column)))
                .collect(),
        });
    }
    match plot.form {
        PlotForm::Points | PlotForm::Lines => {
            let xs: Vec<Option<f64>> = table.rows.iter().map(|row| number(row.get(x))).collect();
            let x_unit = table
                .columns
                .get(x)
                .map_or(Unit::Count, |column| column.unit);
            curve(plot, &xs, x_unit, &series, unit)
        }
        PlotForm::Bars | PlotForm::Dots => {
            let names: Vec<String> = table.rows.iter().map(|row| text(row.get(x))).collect();
            rows(plot, &names, &series, unit)
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
    name.trim_end_matches("_ns").replace('_', " ")
}

/// Marks for the series, above the plot. One series needs none: the title says what it is.
fn legend(canvas: &Canvas<'_>, series: &[Series], left: i32) -> Drawn {
    if series.len() < 2 {
        return Ok(());
    }
    let mut x = left;
    for (number, one) in series.iter().enumerate() {
        canvas.dot((x + 5, 14), 5, Ink::Series(number), 1.0)?;
        canvas.text(&one.name, (x + 16, 14), Anchor::Start, Ink::Text)?;
        x += 16 + text_width(&one.name) + 18;
    }
    Ok(())
}

/// A plot with numbers on both axes.
fn curve(
    plot: &Plot,
    xs: &[Option<f64>],
    x_unit: Unit,
    series: &[Series],
    unit: Unit,
) -> Result<Drawing, String> {
    let height = 380;
    let known = |values: &[Option<f64>]| values.iter().copied().flatten().collect::<Vec<f64>>();
    let x_axis = curve_x_axis(plot, &known(xs));
    let all: Vec<f64> = series.iter().flat_map(|one| known(&one.values)).collect();
    let y_axis = Axis::covering(&all, plot.y_scale, 5);
    let y_labels: Vec<String> = y_axis.ticks.iter().map(|tick| unit.show(*tick)).collect();
    let left = 14
        + y_labels
            .iter()
            .map(|label| text_width(label))
            .max()
            .unwrap_or(0);
    let (top, right, bottom) = (LEGEND + 10, WIDTH - 24, height - 46);
    let at_x = |place: f64| left + (place * f64::from(right - left)).round() as i32;
    let at_y = |place: f64| bottom - (place * f64::from(bottom - top)).round() as i32;
    let mut hidden = 0;
    let svg = canvas::draw(WIDTH as u32, height as u32, &plot.title, |canvas| {
        for (tick, label) in y_axis.ticks.iter().zip(&y_labels) {
            let y = at_y(y_axis.place(*tick).unwrap_or(0.0));
            canvas.line(&[(left, y), (right, y)], Ink::Grid, 1)?;
            canvas.text(label, (left - 8, y), Anchor::End, Ink::Muted)?;
        }
        for tick in &x_axis.ticks {
            let x = at_x(x_axis.place(*tick).unwrap_or(0.0));
            canvas.line(&[(x, bottom), (x, bottom + 5)], Ink::Muted, 1)?;
            canvas.text(
                &x_unit.show(*tick),
                (x, bottom + 18),
                Anchor::Middle,
                Ink::Muted,
            )?;
        }
        canvas.line(&[(left, bottom), (right, bottom)], Ink::Muted, 1)?;
        canvas.text(
            &human(&plot.x),
            (left.midpoint(right), height - 10),
            Anchor::Middle,
            Ink::Text,
        )?;
        legend(canvas, series, left)?;
        for (number, one) in series.iter().enumerate() {
            let pairs = xs
                .iter()
                .zip(&one.values)
                .filter_map(|(x, y)| Some(((*x)?, (*y)?)));
            let mut points = Vec::new();
            for (x, y) in pairs {
                match (x_axis.place(x), y_axis.place(y)) {
                    (Some(place_x), Some(place_y)) => {
                        points.push((at_x(place_x), at_y(place_y), y))
                    }
                    // A count of zero is no point of a distribution, and not worth a remark.
                    _ if y == 0.0 => {}
                    _ => hidden += 1,
                }
            }
            marks(canvas, plot.form, &points, number, unit)?;
        }
        Ok(())
    })?;
    let remark = (hidden > 0).then(|| {
        format!(
            "{hidden} with {} 0 have no place on a logarithmic axis; the table has them.",
            human(&plot.x)
        )
    });
    Ok(Drawing { svg, remark })
}

/// A linear x axis spans its values: it need not start at zero, because nothing on it is a length.
fn curve_x_axis(plot: &Plot, values: &[f64]) -> Axis {
    let few = values.len() <= 12 && values.iter().all(|value| value.fract() == 0.0);
    if plot.x_scale == Scale::Linear && few && values.len() > 1 {
        return Axis::at(values);
    }
    Axis::covering(values, plot.x_scale, 8)
}

fn marks(
    canvas: &Canvas<'_>,
    form: PlotForm,
    points: &[(i32, i32, f64)],
    number: usize,
    unit: Unit,
) -> Drawn {
    let ink = Ink::Series(number);
    if form == PlotForm::Points {
        for (x, y, _) in points {
            canvas.dot((*x, *y), 3, ink, 0.75)?;
        }
        return Ok(());
    }
    let path: Vec<(i32, i32)> = points.iter().map(|(x, y, _)| (*x, *y)).collect();
    canvas.line(&path, ink, 2)?;
    for (x, y, value) in points {
        canvas.marker((*x, *y), 4, ink)?;
        if points.len() <= 8 {
            // Labels of the first series stand above the line, those of the others below it.
            let offset = if number == 0 { -15 } else { 16 };
            canvas.text(
                &unit.show(*value),
                (*x, *y + offset),
                Anchor::Middle,
                Ink::Text,
            )?;
        }
    }
    Ok(())
}

/// A plot with a name for each row.
fn rows(plot: &Plot, names: &[String], series: &[Series], unit: Unit) -> Result<Drawing, String> {
    let bars = plot.form == PlotForm::Bars;
    let step = if bars {
        14 * series.len() as i32 + 16
    } else {
        28
    };
    let top = if series.len() > 1 { LEGEND } else { 10 };
    let bottom = top + step * names.len().max(1) as i32 + 4;
    let height = bottom + 30;
    let all: Vec<f64> = series
        .iter()
        .flat_map(|one| one.values.iter().copied().flatten())
        .collect();
    let axis = Axis::covering(&all, plot.y_scale, 6);
    let left = 14 + names.iter().map(|name| text_width(name)).max().unwrap_or(0);
    let widest = all
        .iter()
        .map(|value| text_width(&unit.show(*value)))
        .max()
        .unwrap_or(0);
    let right = WIDTH - widest.max(30) - 14;
    let at = |place: f64| left + (place * f64::from(right - left)).round() as i32;
    let mut hidden = 0;
    let svg = canvas::draw(WIDTH as u32, height as u32, &plot.title, |canvas| {
        for tick in &axis.ticks {
            let x = at(axis.place(*tick).unwrap_or(0.0));
            canvas.line(&[(x, top), (x, bottom)], Ink::Grid, 1)?;
            canvas.text(
                &unit.show(*tick),
                (x, bottom + 14),
                Anchor::Middle,
                Ink::Muted,
            )?;
        }
        legend(canvas, series, left)?;
        for (row, name) in names.iter().enumerate() {
            let middle = top + step * row as i32 + step / 2;
            canvas.text(name, (left - 10, middle), Anchor::End, Ink::Text)?;
            let places = series
                .iter()
                .map(|one| one.values.get(row).copied().flatten());
            let mut ends = Vec::new();
            for (number, value) in places.enumerate() {
                let Some(value) = value else { continue };
                match axis.place(value) {
                    Some(place) => ends.push((number, at(place), value)),
                    None => hidden += 1,
                }
            }
            if bars {
                row_of_bars(canvas, &ends, (left, middle), series.len(), unit)?
            } else {
                row_of_dots(canvas, &ends, (left, right, middle), unit)?
            }
        }
        Ok(())
    })?;
    let remark = (hidden > 0).then(|| {
        format!("{hidden} values of 0 have no place on a logarithmic axis; the table has them.")
    });
    Ok(Drawing { svg, remark })
}

fn row_of_bars(
    canvas: &Canvas<'_>,
    ends: &[(usize, i32, f64)],
    (left, middle): (i32, i32),
    series: usize,
    unit: Unit,
) -> Drawn {
    let top = middle - 7 * series as i32;
    for (number, x, value) in ends {
        let y = top + 14 * *number as i32;
        canvas.bar(
            (left, y + 1),
            ((*x).max(left + 1), y + 12),
            Ink::Series(*number),
        )?;
        canvas.text(
            &unit.show(*value),
            (*x + 6, y + 7),
            Anchor::Start,
            Ink::Muted,
        )?;
    }
    Ok(())
}

fn row_of_dots(
    canvas: &Canvas<'_>,
    ends: &[(usize, i32, f64)],
    (left, right, middle): (i32, i32, i32),
    unit: Unit,
) -> Drawn {
    canvas.line(&[(left, middle), (right, middle)], Ink::Grid, 1)?;
    let (Some(first), Some(last)) = (
        ends.iter().map(|end| end.1).min(),
        ends.iter().map(|end| end.1).max(),
    ) else {
        return Ok(());
    };
    if ends.len() > 1 {
        canvas.line(&[(first, middle), (last, middle)], Ink::Muted, 2)?;
    }
    for (number, x, value) in ends {
        canvas.marker((*x, middle), 5, Ink::Series(*number))?;
        if *x == last {
            canvas.text(
                &unit.show(*value),
                (*x + 11, middle),
                Anchor::Start,
                Ink::Text,
            )?;
        } else if *x == first && first - left > text_width(&unit.show(*value)) + 14 {
            canvas.text(
                &unit.show(*value),
                (*x - 11, middle),
                Anchor::End,
                Ink::Text,
            )?;
        }
    }
    Ok(())
}
