//! Plots with a name for each row: bars from zero, and dots on any scale.

use crate::results::PlotForm;
use crate::units::Unit;

use super::super::axis::Axis;
use super::super::canvas::{self, Anchor, Canvas, Drawn, Ink, text_width};
use super::{CAPTION, Data, Drawing, Mark, WIDTH, legend, legend_height, remark};

/// Height of one bar and the gap after it.
const BAR: i32 = 14;

/// Height of one row of dots.
const DOTS: i32 = 27;

/// Where the rows stand.
struct Frame {
    axis: Axis,
    left: i32,
    right: i32,
    top: i32,
    step: i32,
}

impl Frame {
    fn new(data: &Data<'_>, names: &[String]) -> Frame {
        let all: Vec<f64> = data
            .series
            .iter()
            .flat_map(|one| one.values.iter().copied().flatten())
            .collect();
        let widest = all
            .iter()
            .map(|value| text_width(&data.unit.show(*value)))
            .max()
            .unwrap_or(0);
        let left = 14 + names.iter().map(|name| text_width(name)).max().unwrap_or(0);
        Frame {
            axis: Axis::covering(&all, data.plot.y_scale, 4),
            left,
            right: WIDTH - widest.max(30) - 14,
            top: legend_height(&data.series, left),
            step: if data.plot.form == PlotForm::Bars {
                BAR * data.series.len() as i32 + 14
            } else {
                DOTS
            },
        }
    }

    fn at(&self, place: f64) -> i32 {
        self.left + (place * f64::from(self.right - self.left)).round() as i32
    }

    fn bottom(&self, rows: usize) -> i32 {
        self.top + self.step * rows.max(1) as i32 + 4
    }
}

pub(super) fn draw(data: &Data<'_>, names: &[String]) -> Result<Drawing, String> {
    let frame = Frame::new(data, names);
    let bottom = frame.bottom(names.len());
    let named = if data.caption.is_empty() { 0 } else { CAPTION };
    let height = bottom + 28 + named;
    let mut hidden = 0;
    let mut rows: Vec<Vec<(usize, Mark)>> = Vec::new();
    for row in 0..names.len() {
        let middle = frame.top + frame.step * row as i32 + frame.step / 2;
        let mut marks = Vec::new();
        for (number, one) in data.series.iter().enumerate() {
            let Some(value) = one.values.get(row).copied().flatten() else {
                continue;
            };
            match frame.axis.place(value) {
                Some(place) => marks.push((
                    number,
                    Mark {
                        x: frame.at(place),
                        y: middle,
                        value,
                    },
                )),
                None => hidden += 1,
            }
        }
        rows.push(marks);
    }
    let svg = canvas::draw(WIDTH as u32, height as u32, &data.plot.title, |canvas| {
        // Where long names leave little room, a tick whose label would run into the one before has none.
        let mut free = i32::MIN;
        for tick in &frame.axis.ticks {
            let x = frame.at(frame.axis.place(*tick).unwrap_or(0.0));
            canvas.line(&[(x, frame.top), (x, bottom)], Ink::Grid, 1)?;
            let label = data.unit.show(*tick);
            let half = text_width(&label) / 2;
            if x - half >= free {
                canvas.text(&label, (x, bottom + 14), Anchor::Middle, Ink::Muted)?;
                free = x + half + 6;
            }
        }
        legend(canvas, &data.series, frame.left)?;
        if named > 0 {
            let middle = frame.left.midpoint(frame.right);
            canvas.text(
                &data.caption,
                (middle, height - 10),
                Anchor::Middle,
                Ink::Muted,
            )?;
        }
        for (row, (name, marks)) in names.iter().zip(&rows).enumerate() {
            let middle = frame.top + frame.step * row as i32 + frame.step / 2;
            canvas.text(name, (frame.left - 10, middle), Anchor::End, Ink::Text)?;
            match data.plot.form {
                PlotForm::Bars => bars(canvas, &frame, marks, data.series.len(), data.unit)?,
                _ => dots(canvas, &frame, middle, marks, data.unit)?,
            }
        }
        Ok(())
    })?;
    Ok(Drawing {
        svg,
        remark: remark(hidden),
    })
}

fn bars(
    canvas: &Canvas<'_>,
    frame: &Frame,
    marks: &[(usize, Mark)],
    series: usize,
    unit: Unit,
) -> Drawn {
    for (number, mark) in marks {
        let y = mark.y - BAR * series as i32 / 2 + BAR * *number as i32;
        canvas.bar(
            (frame.left, y + 1),
            (mark.x.max(frame.left + 1), y + BAR - 2),
            Ink::Series(*number),
        )?;
        canvas.text(
            &unit.show(mark.value),
            (mark.x + 6, y + BAR / 2),
            Anchor::Start,
            Ink::Muted,
        )?;
    }
    Ok(())
}

fn dots(
    canvas: &Canvas<'_>,
    frame: &Frame,
    middle: i32,
    marks: &[(usize, Mark)],
    unit: Unit,
) -> Drawn {
    canvas.line(&[(frame.left, middle), (frame.right, middle)], Ink::Grid, 1)?;
    let xs = || marks.iter().map(|(_, mark)| mark.x);
    let (Some(first), Some(last)) = (xs().min(), xs().max()) else {
        return Ok(());
    };
    if first < last {
        canvas.line(&[(first, middle), (last, middle)], Ink::Muted, 2)?;
    }
    for (number, mark) in marks {
        canvas.marker((mark.x, middle), 5, Ink::Series(*number))?;
    }
    // One label at either end of the row, where there is room for it.
    if let Some((_, mark)) = marks.iter().find(|(_, mark)| mark.x == last) {
        canvas.text(
            &unit.show(mark.value),
            (last + 11, middle),
            Anchor::Start,
            Ink::Text,
        )?;
    }
    if let Some((_, mark)) = marks
        .iter()
        .find(|(_, mark)| mark.x == first && first < last)
    {
        let label = unit.show(mark.value);
        if first - frame.left > text_width(&label) + 14 {
            canvas.text(&label, (first - 11, middle), Anchor::End, Ink::Text)?;
        }
    }
    Ok(())
}
