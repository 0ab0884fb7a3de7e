//! Plots with numbers on both axes: points and lines.

use crate::results::{Plot, PlotForm, Scale};
use crate::units::Unit;

use super::super::axis::Axis;
use super::super::canvas::{self, Anchor, Canvas, Drawn, Ink, text_width};
use super::{CAPTION, Data, Drawing, Mark, WIDTH, human, legend, legend_height, remark};

/// Height without the legend.
const HEIGHT: i32 = 280;

/// The axes and the rectangle they span.
struct Frame {
    x: Axis,
    y: Axis,
    y_labels: Vec<String>,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    height: i32,
}

impl Frame {
    fn new(data: &Data<'_>, xs: &[Option<f64>]) -> Frame {
        let x = x_axis(
            data.plot,
            &xs.iter().copied().flatten().collect::<Vec<f64>>(),
        );
        let all = data.series.iter().flat_map(|one| {
            let ends = one.intervals.iter().copied().flatten().flatten();
            one.values.iter().copied().flatten().chain(ends)
        });
        let y = Axis::covering(&all.collect::<Vec<f64>>(), data.plot.y_scale, 5);
        let y_labels: Vec<String> = y.ticks.iter().map(|tick| data.unit.show(*tick)).collect();
        let left = 12
            + y_labels
                .iter()
                .map(|label| text_width(label))
                .max()
                .unwrap_or(0);
        // Room for a number above the highest point.
        let top = legend_height(&data.series, left) + CAPTION + 20;
        Frame {
            x,
            y,
            y_labels,
            left,
            right: WIDTH - 26,
            top,
            bottom: top + HEIGHT - 50,
            height: top + HEIGHT - 8,
        }
    }

    fn at_x(&self, place: f64) -> i32 {
        self.left + (place * f64::from(self.right - self.left)).round() as i32
    }

    fn at_y(&self, place: f64) -> i32 {
        self.bottom - (place * f64::from(self.bottom - self.top)).round() as i32
    }

    /// Where a value stands, or `None` if the axes cannot show it.
    fn mark(&self, x: f64, y: f64) -> Option<Mark> {
        let (place_x, place_y) = (self.x.place(x)?, self.y.place(y)?);
        Some(Mark {
            x: self.at_x(place_x),
            y: self.at_y(place_y),
            value: y,
        })
    }
}

/// A few whole numbers get a tick each; else the axis is like any other.
fn x_axis(plot: &Plot, values: &[f64]) -> Axis {
    let few = values.len() <= 12 && values.iter().all(|value| value.fract() == 0.0);
    let positive = values.iter().all(|value| *value > 0.0);
    if few && values.len() > 1 && (plot.x_scale == Scale::Linear || positive) {
        return Axis::at(values, plot.x_scale);
    }
    Axis::covering(values, plot.x_scale, 6)
}

pub(super) fn draw(
    data: &Data<'_>,
    xs: &[Option<f64>],
    name: &dyn Fn(f64) -> String,
) -> Result<Drawing, String> {
    let frame = Frame::new(data, xs);
    let mut hidden = 0;
    let mut marks: Vec<Vec<Mark>> = Vec::new();
    for one in &data.series {
        let pairs = xs
            .iter()
            .zip(&one.values)
            .filter_map(|(x, y)| Some(((*x)?, (*y)?)));
        let mut shown = Vec::new();
        for (x, y) in pairs {
            match frame.mark(x, y) {
                Some(mark) => shown.push(mark),
                // A count of zero is no point of a distribution, and not worth a remark.
                None if y == 0.0 => {}
                None => hidden += 1,
            }
        }
        marks.push(shown);
    }
    let svg = canvas::draw(
        WIDTH as u32,
        frame.height as u32,
        &data.plot.title,
        |canvas| {
            scales(canvas, &frame, data, name)?;
            legend(canvas, &data.series, frame.left)?;
            let above = frame.top - 20 - CAPTION / 2;
            canvas.text(&data.caption, (8, above), Anchor::Start, Ink::Muted)?;
            match data.plot.form {
                PlotForm::Points => points(canvas, &marks),
                _ => {
                    intervals(canvas, &frame, data, xs)?;
                    lines(canvas, &frame, &marks, data.unit)
                }
            }
        },
    )?;
    Ok(Drawing {
        svg,
        remark: remark(hidden)
            .map(|text| text.replace(" of 0", &format!(" at {} 0", human(&data.plot.x)))),
    })
}

fn scales(
    canvas: &Canvas<'_>,
    frame: &Frame,
    data: &Data<'_>,
    name: &dyn Fn(f64) -> String,
) -> Drawn {
    for (tick, label) in frame.y.ticks.iter().zip(&frame.y_labels) {
        let y = frame.at_y(frame.y.place(*tick).unwrap_or(0.0));
        canvas.line(&[(frame.left, y), (frame.right, y)], Ink::Grid, 1)?;
        canvas.text(label, (frame.left - 8, y), Anchor::End, Ink::Muted)?;
    }
    let mut labels: Vec<String> = frame.x.ticks.iter().map(|tick| name(*tick)).collect();
    let mut title = human(&data.plot.x);
    if let Some(unit) = take_shared_unit(&mut labels) {
        title = format!("{title}, {unit}");
    }
    let mut free = i32::MIN;
    for (tick, label) in frame.x.ticks.iter().zip(labels) {
        let x = frame.at_x(frame.x.place(*tick).unwrap_or(0.0));
        canvas.line(&[(x, frame.bottom), (x, frame.bottom + 5)], Ink::Muted, 1)?;
        let half = text_width(&label) / 2 + 4;
        // A label that would touch the one before it is left out; its tick stays.
        if x - half >= free {
            canvas.text(&label, (x, frame.bottom + 16), Anchor::Middle, Ink::Muted)?;
            free = x + half;
        }
    }
    canvas.line(
        &[(frame.left, frame.bottom), (frame.right, frame.bottom)],
        Ink::Muted,
        1,
    )?;
    let middle = frame.left.midpoint(frame.right);
    canvas.text(
        &title,
        (middle, frame.height - 8),
        Anchor::Middle,
        Ink::Text,
    )
}

/// The unit that all labels end in, taken off them: once, beside the axis, it leaves room for more numbers.
fn take_shared_unit(labels: &mut [String]) -> Option<String> {
    let unit = labels.first()?.split_once(' ')?.1.to_owned();
    let bare: Option<Vec<String>> = labels
        .iter()
        .map(|label| {
            let number = label.strip_suffix(&unit)?.strip_suffix(' ')?;
            number
                .starts_with(|c: char| c.is_ascii_digit())
                .then(|| number.to_owned())
        })
        .collect();
    labels.clone_from_slice(&bare?);
    Some(unit)
}

/// Thin lines from end to end of each interval.
fn intervals(canvas: &Canvas<'_>, frame: &Frame, data: &Data<'_>, xs: &[Option<f64>]) -> Drawn {
    for (number, one) in data.series.iter().enumerate() {
        for (x, ends) in xs.iter().zip(&one.intervals) {
            let (Some(x), Some([low, high])) = (x, ends) else {
                continue;
            };
            if let (Some(low), Some(high)) = (frame.mark(*x, *low), frame.mark(*x, *high)) {
                canvas.line(&[(low.x, low.y), (high.x, high.y)], Ink::Series(number), 1)?;
            }
        }
    }
    Ok(())
}

fn points(canvas: &Canvas<'_>, marks: &[Vec<Mark>]) -> Drawn {
    for (number, shown) in marks.iter().enumerate() {
        for mark in shown {
            canvas.dot((mark.x, mark.y), 3, Ink::Series(number), 0.7)?;
        }
    }
    Ok(())
}

fn lines(canvas: &Canvas<'_>, frame: &Frame, marks: &[Vec<Mark>], unit: Unit) -> Drawn {
    for (number, shown) in marks.iter().enumerate() {
        let path: Vec<(i32, i32)> = shown.iter().map(|mark| (mark.x, mark.y)).collect();
        canvas.line(&path, Ink::Series(number), 2)?;
    }
    for (number, shown) in marks.iter().enumerate() {
        for mark in shown {
            canvas.marker((mark.x, mark.y), 4, Ink::Series(number))?;
        }
    }
    // More than two lines with a number at every point would be numbers only.
    if marks.len() > 2 || marks.iter().any(|shown| shown.len() > 8) {
        return Ok(());
    }
    let mut labels: Vec<Label> = Vec::new();
    for (number, shown) in marks.iter().enumerate() {
        for mark in outer_first(shown) {
            let text = unit.show(mark.value);
            // Labels of the first series stand above its line, those of the others below theirs, unless only
            // the other side has room.
            let sides = if number == 0 { [-14, 16] } else { [16, -14] };
            let places = sides.map(|side| Label::around(&text, mark.x, mark.y + side));
            let free = places.into_iter().find(|label| {
                label.inside(frame)
                    && !labels.iter().any(|other| label.meets(other))
                    && !marks.iter().any(|line| label.on_line(line))
            });
            if let Some(label) = free {
                canvas.text(&text, label.middle(), Anchor::Middle, Ink::Text)?;
                labels.push(label);
            }
        }
    }
    Ok(())
}

/// The ends of a line, which say most, then the points between them.
fn outer_first(shown: &[Mark]) -> impl Iterator<Item = &Mark> {
    let between = shown.iter().skip(1).take(shown.len().saturating_sub(2));
    let last = shown.iter().skip(1).last();
    shown.first().into_iter().chain(last).chain(between)
}

/// The rectangle that a number takes.
struct Label {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl Label {
    fn around(text: &str, x: i32, y: i32) -> Label {
        let half = text_width(text) / 2;
        Label {
            left: x - half,
            right: x + half,
            top: y - 6,
            bottom: y + 6,
        }
    }

    fn middle(&self) -> (i32, i32) {
        (
            self.left.midpoint(self.right),
            self.top.midpoint(self.bottom),
        )
    }

    /// Whether it stands clear of the axes.
    fn inside(&self, frame: &Frame) -> bool {
        self.left >= frame.left && self.right <= WIDTH && self.bottom < frame.bottom - 1
    }

    fn meets(&self, other: &Label) -> bool {
        self.left < other.right + 4
            && other.left < self.right + 4
            && self.top < other.bottom + 1
            && other.top < self.bottom + 1
    }

    /// Whether a line runs through it.
    fn on_line(&self, line: &[Mark]) -> bool {
        const STEPS: i32 = 48;
        line.windows(2).any(|pair| {
            let [a, b] = pair else { return false };
            (0..=STEPS).any(|step| {
                let x = a.x + (b.x - a.x) * step / STEPS;
                let y = a.y + (b.y - a.y) * step / STEPS;
                (self.left - 1..=self.right + 1).contains(&x)
                    && (self.top..=self.bottom).contains(&y)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(x: i32, y: i32) -> Mark {
        Mark { x, y, value: 0.0 }
    }

    #[test]
    fn a_unit_that_all_ticks_share_is_told_once() {
        let taken = |labels: [&str; 2]| {
            let mut labels = labels.map(str::to_owned);
            let unit = take_shared_unit(&mut labels);
            (unit, labels.join(", "))
        };
        let pages = (Some("pages".to_owned()), "16, 1024".to_owned());
        assert_eq!(taken(["16 pages", "1024 pages"]), pages);
        assert_eq!(taken(["1 KB", "1 MB"]), (None, "1 KB, 1 MB".to_owned()));
        assert_eq!(taken(["no name", "a name"]).0, None);
        assert_eq!(taken(["1", "2"]).0, None);
    }

    #[test]
    fn a_number_stands_neither_on_a_line_nor_on_another_number() {
        let label = Label::around("0.594", 100, 50);
        assert!(label.on_line(&[mark(0, 0), mark(200, 100)]));
        assert!(!label.on_line(&[mark(0, 70), mark(200, 70)]));
        assert!(label.meets(&Label::around("0.6", 110, 58)));
        assert!(!label.meets(&Label::around("0.6", 100, 70)));
        let places = [mark(1, 0), mark(2, 0), mark(3, 0), mark(4, 0)];
        let order: Vec<i32> = outer_first(&places).map(|mark| mark.x).collect();
        assert_eq!(order, [1, 4, 2, 3]);
        assert_eq!(outer_first(&places[..1]).count(), 1);
    }
}
