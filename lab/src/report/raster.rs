//! Plots as PNG, for where SVG cannot be shown. Drawn by resvg with the fonts of the system, if this binary was built
//! with the feature `png`.

#[cfg(feature = "png")]
mod pixels;

use clap::ValueEnum;

use crate::failure::Failure;

use super::STYLE;

/// Which of the two sets of colours: a PNG has only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// Says before a long run that there will be no PNG.
pub(crate) fn available() -> Result<(), Failure> {
    png(
        "<svg viewBox=\"0 0 1 1\" xmlns=\"http://www.w3.org/2000/svg\"/>",
        Scheme::Light,
    )
    .map(drop)
}

/// A drawing as a PNG, at twice its size.
pub(super) fn png(svg: &str, scheme: Scheme) -> Result<Vec<u8>, Failure> {
    let (svg, background) = (flat(svg, scheme), colour("card", scheme));
    draw(&svg, background)
}

#[cfg(feature = "png")]
fn draw(svg: &str, background: &str) -> Result<Vec<u8>, Failure> {
    pixels::draw(svg, background)
}

#[cfg(not(feature = "png"))]
fn draw(_svg: &str, _background: &str) -> Result<Vec<u8>, Failure> {
    Err(Failure::missing(
        "PNG needs the feature `png`: cargo run --release -p lab --features png --bin lab -- …",
    ))
}

/// The drawing with colours in place of the names of colours.
fn flat(svg: &str, scheme: Scheme) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut rest = svg;
    while let Some((before, after)) = rest.split_once("var(--") {
        let (name, behind) = after.split_once(')').unwrap_or((after, ""));
        out += before;
        out += colour(name, scheme);
        rest = behind;
    }
    out + rest
}

/// A colour of the reports by its name; black if there is none.
fn colour(name: &str, scheme: Scheme) -> &'static str {
    let (light, rest) = STYLE.split_once("@media").unwrap_or((STYLE, ""));
    let dark = rest.split_once("\n* {").map_or(rest, |(dark, _)| dark);
    let colours = match scheme {
        Scheme::Light => light,
        Scheme::Dark => dark,
    };
    let value = colours
        .split_once(&format!("--{name}: "))
        .and_then(|(_, value)| value.split_once(';'));
    value.map_or("#000000", |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_drawing_names_no_variable_and_has_the_colours_of_its_scheme() {
        let drawing = "<svg><path stroke=\"var(--s1)\" fill=\"var(--card)\"/></svg>";
        assert_eq!(
            flat(drawing, Scheme::Light),
            "<svg><path stroke=\"#d4612a\" fill=\"#ffffff\"/></svg>"
        );
        assert_eq!(
            flat(drawing, Scheme::Dark),
            "<svg><path stroke=\"#f0905c\" fill=\"#1b1e22\"/></svg>"
        );
        assert_eq!(flat("var(--", Scheme::Dark), "#000000");
    }
}
