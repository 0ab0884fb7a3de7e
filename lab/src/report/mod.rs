//! Reports: functions of stored results. They read no clock and no file, so the same results give the
//! same report for ever.

mod account;
mod axis;
mod brief;
mod canvas;
mod cells;
mod html;
pub(crate) mod index;
mod markdown;
mod parts;
mod plots;
pub(crate) mod raster;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Context, Failure};
use crate::results::{Manifest, Plot, Run, Table};

pub(crate) use self::html::{STYLE, escape, prose};
pub(crate) use self::text::{ndjson, summary};

/// A plot as the report shows it.
pub(crate) struct Figure<'r> {
    plot: &'r Plot,
    /// The numbers behind it, if they are not one of the run's own tables.
    table: Option<Table>,
    /// The drawing, or why there is none.
    drawing: Result<plots::Drawing, String>,
}

/// Draws every plot of the run; none if its results were wrong.
fn figures(run: &Run) -> Vec<Figure<'_>> {
    if !run.right() {
        return Vec::new();
    }
    run.plots.iter().map(|plot| figure(run, plot)).collect()
}

fn figure<'r>(run: &'r Run, plot: &'r Plot) -> Figure<'r> {
    let Some(name) = &plot.table else {
        return match cells::derive(run, plot) {
            Some(derived) => Figure {
                plot,
                drawing: plots::draw_cells(plot, &derived),
                table: Some(derived.table),
            },
            None => Figure {
                plot,
                table: None,
                drawing: Err(format!("there is no axis {}", plot.x)),
            },
        };
    };
    Figure {
        plot,
        table: run.table(name).cloned(),
        drawing: match run.table(name) {
            Some(table) => plots::draw(plot, table),
            None => Err(format!("there is no table {name}")),
        },
    }
}

/// The reports of a run as text.
pub(crate) struct Pages {
    pub(crate) html: String,
    pub(crate) markdown: String,
    /// Each plot alone, with its file name.
    pub(crate) plots: Vec<(String, String)>,
}

/// Renders everything.
pub(crate) fn render(run: &Run, manifest: &Manifest) -> Pages {
    let figures = figures(run);
    let alone = drawings(&figures)
        .map(|(name, drawing)| (format!("{name}.svg"), html::standalone_svg(drawing)));
    Pages {
        plots: alone.collect(),
        html: html::page(run, manifest, &figures),
        markdown: markdown::page(run, manifest),
    }
}

/// Every drawing with the name of its file, without an ending.
fn drawings<'f>(figures: &'f [Figure<'_>]) -> impl Iterator<Item = (String, &'f str)> {
    figures.iter().enumerate().filter_map(|(number, figure)| {
        let drawing = figure.drawing.as_ref().ok()?;
        let name = format!("{:02}-{}", number + 1, slug(&figure.plot.title));
        Some((name, drawing.svg.as_str()))
    })
}

/// Writes every plot of the run as a PNG beside its SVG.
pub(crate) fn write_png(folder: &Path, run: &Run, scheme: raster::Scheme) -> Result<(), Failure> {
    let plots = folder.join("plots");
    fs::create_dir_all(&plots).context(plots.display())?;
    let figures = figures(run);
    for (name, drawing) in drawings(&figures) {
        let path = plots.join(format!("{name}.png"));
        let bytes = raster::png(drawing, scheme)?;
        fs::write(&path, bytes).context(path.display())?;
    }
    Ok(())
}

/// Writes the reports into the run's directory and returns the path of the HTML page.
pub(crate) fn write(folder: &Path, run: &Run, manifest: &Manifest) -> Result<PathBuf, Failure> {
    let pages = render(run, manifest);
    let plots = folder.join("plots");
    fs::create_dir_all(&plots).context(plots.display())?;
    for (name, svg) in &pages.plots {
        write_file(&plots.join(name), svg)?;
    }
    write_file(&folder.join("report.md"), &pages.markdown)?;
    let html = folder.join("report.html");
    write_file(&html, &pages.html)?;
    Ok(html)
}

fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).context(path.display())
}

/// A title as part of a file name.
fn slug(title: &str) -> String {
    let words: Vec<String> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
