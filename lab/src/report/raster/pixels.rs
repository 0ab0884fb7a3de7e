//! The drawing itself, by resvg.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb::Database, fontdb::Family};

use crate::failure::{Exit, Failure};

/// Pixels for each unit of the drawing.
const SCALE: f32 = 2.0;

pub(super) fn draw(svg: &str, background: &str) -> Result<Vec<u8>, Failure> {
    let options = Options {
        fontdb: fonts()?,
        ..Options::default()
    };
    let failed = |what: String| Failure::new(Exit::Lab, format!("drawing a PNG: {what}"));
    let tree = Tree::from_str(svg, &options).map_err(|error| failed(error.to_string()))?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let pixels = |size: f32| (size * SCALE).ceil() as u32;
    let mut pixmap = Pixmap::new(pixels(width), pixels(height))
        .ok_or_else(|| failed(format!("{width} by {height} is no size")))?;
    pixmap.fill(parse(background));
    resvg::render(
        &tree,
        Transform::from_scale(SCALE, SCALE),
        &mut pixmap.as_mut(),
    );
    pixmap
        .encode_png()
        .map_err(|error| failed(error.to_string()))
}

/// The fonts of the system, read once. Any of them is better than no text.
fn fonts() -> Result<Arc<Database>, Failure> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        let sans = resvg::usvg::fontdb::Query {
            families: &[Family::SansSerif],
            ..Default::default()
        };
        if fonts.query(&sans).is_none() {
            let is_sans = |name: &&String| name.contains("Sans") && !name.contains("Mono");
            let names: Vec<String> = fonts
                .faces()
                .filter_map(|face| face.families.first())
                .map(|(name, _)| name.clone())
                .collect();
            let chosen = names.iter().find(is_sans).or(names.first());
            if let Some(name) = chosen {
                fonts.set_sans_serif_family(name);
            }
        }
        Arc::new(fonts)
    });
    if fonts.is_empty() {
        return Err(Failure::missing(
            "no font was found, so a PNG would have no text; install one, such as DejaVu Sans",
        ));
    }
    Ok(Arc::clone(fonts))
}

/// `#rrggbb`; white if it is not that.
fn parse(colour: &str) -> Color {
    let part = |at: usize| {
        colour
            .get(at..at + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
    };
    match (part(1), part(3), part(5)) {
        (Some(red), Some(green), Some(blue)) => Color::from_rgba8(red, green, blue, 255),
        _ => Color::WHITE,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_becomes_a_picture_of_twice_its_size() {
        let svg = "<svg viewBox=\"0 0 20 10\" xmlns=\"http://www.w3.org/2000/svg\"><rect width=\"10\" height=\"10\" fill=\"#ff0000\"/></svg>";
        let picture = Pixmap::decode_png(&draw(svg, "#0000ff").unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (40, 20));
        let at = |x, y| {
            let pixel = picture.pixel(x, y).unwrap();
            (pixel.red(), pixel.green(), pixel.blue())
        };
        assert_eq!(at(5, 5), (255, 0, 0));
        assert_eq!(at(35, 5), (0, 0, 255));
        assert!(draw("no drawing", "#ffffff").is_err());
    }
}
