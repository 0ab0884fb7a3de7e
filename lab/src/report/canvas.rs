//! A drawing surface over plotters' SVG backend, in colours that the page's style decides.
//!
//! Every colour drawn is a placeholder that becomes a CSS variable, so that one drawing serves light
//! and dark.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What a mark is for; the style sheet gives it a colour in light and in dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Muted,
    Grid,
    Surface,
    Series(usize),
}

/// How many series have a colour of their own.
pub(super) const SERIES: usize = 8;

impl Ink {
    const FIXED: [(Ink, &'static str); 4] = [
        (Ink::Text, "--ink"),
        (Ink::Muted, "--muted"),
        (Ink::Grid, "--grid"),
        (Ink::Surface, "--card"),
    ];

    /// A colour that nothing else is drawn in.
    fn placeholder(self) -> RGBColor {
        match self {
            Ink::Series(number) => RGBColor(1, 0, (number % SERIES) as u8),
            fixed => {
                let place = Ink::FIXED
                    .iter()
                    .position(|(ink, _)| *ink == fixed)
                    .unwrap_or_default();
                RGBColor(2, 0, place as u8)
            }
        }
    }

    fn all() -> Vec<(Ink, String)> {
        let series = (0..SERIES).map(|number| (Ink::Series(number), format!("--s{number}")));
        Ink::FIXED
            .iter()
            .map(|(ink, name)| (*ink, (*name).to_owned()))
            .chain(series)
            .collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing of fixed size. Coordinates are pixels from the upper left.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// What can go wrong while drawing, which on a string is nothing that a caller could mend.
pub(super) type Drawn = Result<(), String>;

const FONT_SIZE: f64 = 12.0;

impl Canvas<'_> {
    pub(super) fn line(&self, points: &[(i32, i32)], ink: Ink, width: u32) -> Drawn {
        let style = ink.placeholder().stroke_width(width);
        self.area
            .draw(&PathElement::new(points.to_vec(), style))
            .map_err(|error| error.to_string())
    }

    pub(super) fn bar(&self, from: (i32, i32), to: (i32, i32), ink: Ink) -> Drawn {
        let style = ink.placeholder().filled();
        self.area
            .draw(&Rectangle::new([from, to], style))
            .map_err(|error| error.to_string())
    }

    pub(super) fn dot(&self, at: (i32, i32), radius: i32, ink: Ink, opacity: f64) -> Drawn {
        let style = ink.placeholder().mix(opacity).filled();
        self.area
            .draw(&Circle::new(at, radius, style))
            .map_err(|error| error.to_string())
    }

    /// A filled dot with a rim of the surface, which keeps overlapping marks apart. Series that have the colour of
    /// an earlier one get a ring.
    pub(super) fn marker(&self, at: (i32, i32), radius: i32, ink: Ink) -> Drawn {
        self.dot(at, radius + 2, Ink::Surface, 1.0)?;
        self.dot(at, radius, ink, 1.0)?;
        match ink {
            Ink::Series(number) if number >= SERIES => self.dot(at, radius - 2, Ink::Surface, 1.0),
            _ => Ok(()),
        }
    }

    pub(super) fn text(&self, text: &str, at: (i32, i32), anchor: Anchor, ink: Ink) -> Drawn {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let color = ink.placeholder();
        let style = TextStyle::from(("sans-serif", FONT_SIZE * 1.24))
            .color(&color)
            .pos(Pos::new(horizontal, VPos::Center));
        self.area
            .draw(&Text::new(text.to_owned(), at, style))
            .map_err(|error| error.to_string())
    }
}

/// Width of a text in pixels, roughly: no font is at hand, and none is needed for a margin.
pub(super) fn text_width(text: &str) -> i32 {
    (text.chars().count() as f64 * FONT_SIZE * 0.56).ceil() as i32
}

/// Runs `draw` on a canvas and returns the SVG, scalable and with style-sheet colours.
pub(super) fn draw(
    width: u32,
    height: u32,
    label: &str,
    draw: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        let canvas = Canvas { area };
        draw(&canvas)?;
        canvas.area.present().map_err(|error| error.to_string())?;
    }
    for (ink, variable) in Ink::all() {
        let RGBColor(r, g, b) = ink.placeholder();
        svg = svg.replace(
            &format!("\"#{r:02X}{g:02X}{b:02X}\""),
            &format!("\"var({variable})\""),
        );
    }
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    Ok(format!(
        "<svg viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"{}\">{body}",
        super::html::escape(label)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_variables() {
        let svg = draw(100, 50, "a \"plot\"", |canvas| {
            canvas.line(&[(0, 0), (10, 10)], Ink::Grid, 1)?;
            canvas.marker((5, 5), 3, Ink::Series(1))?;
            canvas.text("1 < 2", (0, 0), Anchor::Start, Ink::Muted)
        });
        let svg = svg.unwrap_or_default();
        for piece in [
            "var(--grid)",
            "var(--s1)",
            "var(--card)",
            "var(--muted)",
            "viewBox=\"0 0 100 50\"",
            "&quot;plot&quot;",
            "1 &lt; 2",
        ] {
            assert!(svg.contains(piece), "no {piece} in {svg}");
        }
        assert!(!svg.contains("#0"), "{svg}");
    }
}
