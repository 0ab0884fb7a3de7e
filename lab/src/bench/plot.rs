//! One row over the sizes: a line for each store, both axes logarithmic.

use std::fmt::Write as _;

use super::Results;
use super::report::{lines, number};
use super::rows::Row;
use super::stages::STORES;

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 90.0;
const EDGE: f64 = 26.0;

/// A figure, or nothing where the row has no values.
pub(super) fn figure(row: &Row, all: &[Results]) -> String {
    let mut series: Vec<Vec<(f64, f64)>> = vec![Vec::new(); STORES.len()];
    for results in all {
        let edges = results.size.numbers().1 as f64;
        let Some(line) = lines(results)
            .into_iter()
            .find(|line| line.row.key == row.key)
        else {
            continue;
        };
        for (points, value) in series.iter_mut().zip(&line.values) {
            points.extend(
                value
                    .filter(|value| *value > 0.0)
                    .map(|value| (edges.log10(), value.log10())),
            );
        }
    }
    let every: Vec<(f64, f64)> = series.iter().flatten().copied().collect();
    if every.is_empty() {
        return String::new();
    }
    let across = span(every.iter().map(|point| point.0));
    let up = span(every.iter().map(|point| point.1));
    let place = |(x, y): (f64, f64)| {
        (
            LEFT + (x - across.0) / (across.1 - across.0) * (WIDTH - LEFT - RIGHT),
            HEIGHT - EDGE - (y - up.0) / (up.1 - up.0) * (HEIGHT - 2.0 * EDGE),
        )
    };
    let mut text = format!(
        "<figure><h3>{}</h3><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">",
        row.title
    );
    axes(&mut text, all, up, place);
    for (number, points) in series.iter().enumerate() {
        draw(&mut text, number, points, place);
    }
    let _ = write!(
        text,
        "</svg><figcaption class=\"note\">{} over edges</figcaption></figure>",
        if row.unit.is_empty() {
            "ratio"
        } else {
            row.unit
        }
    );
    text
}

/// Least and most, with a little room around.
fn span(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = numbers.clone().fold(f64::INFINITY, f64::min);
    let most = numbers.fold(f64::NEG_INFINITY, f64::max);
    let room = ((most - least) * 0.08).max(0.1);
    (least - room, most + room)
}

fn axes(
    text: &mut String,
    all: &[Results],
    up: (f64, f64),
    place: impl Fn((f64, f64)) -> (f64, f64),
) {
    for share in [0.1, 0.5, 0.9] {
        let value = up.0 + (up.1 - up.0) * share;
        let y = place((0.0, value)).1;
        let _ = write!(
            text,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--grid)\"/>\
             <text x=\"{}\" y=\"{:.1}\" font-size=\"11\" text-anchor=\"end\" fill=\"var(--muted)\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            y + 4.0,
            number(10f64.powf(value))
        );
    }
    for results in all {
        let edges = results.size.numbers().1 as f64;
        let x = place((edges.log10(), 0.0)).0;
        let _ = write!(
            text,
            "<text x=\"{x:.1}\" y=\"{}\" font-size=\"11\" text-anchor=\"middle\" fill=\"var(--muted)\">{}</text>",
            HEIGHT - 6.0,
            number(edges)
        );
    }
}

fn draw(
    text: &mut String,
    number: usize,
    points: &[(f64, f64)],
    place: impl Fn((f64, f64)) -> (f64, f64),
) {
    let spots: Vec<(f64, f64)> = points.iter().map(|point| place(*point)).collect();
    let Some(last) = spots.last() else {
        return;
    };
    let path: Vec<String> = spots
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = write!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"var(--s{number})\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for (x, y) in &spots {
        let _ = write!(
            text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"var(--s{number})\"/>"
        );
    }
    let _ = write!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"11\" fill=\"var(--s{number})\">{}</text>",
        last.0 + 8.0,
        last.1 + 4.0,
        STORES[number].0
    );
}
