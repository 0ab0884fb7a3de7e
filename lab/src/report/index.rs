//! The reports that are kept under version control, side by side: a table for `README.md` and a page.

use crate::results::{Manifest, Run, Verdict};

use super::{brief, figures, html, parts, slug};

/// Between these lines of `README.md` stands the table.
const OPEN: &str = "<!-- published -->";
const CLOSE: &str = "<!-- /published -->";

/// A published run, with the name of its folder.
pub(crate) struct Entry {
    pub(crate) folder: String,
    pub(crate) run: Run,
    pub(crate) manifest: Manifest,
}

impl Entry {
    /// The first thing that its plots say.
    fn finding(&self) -> String {
        let point = brief::points(&self.run).into_iter().next();
        point
            .and_then(|point| Some(format!("{}: {}", point.title, point.lines.first()?)))
            .or_else(|| {
                let phases = self.run.cells.first()?.phases.iter();
                phases.rev().find_map(|phase| phase.answer.clone())
            })
            .unwrap_or_default()
    }

    /// The file of its first plot, if one was drawn.
    fn picture(&self) -> Option<String> {
        let figures = figures(&self.run);
        let (number, figure) = figures
            .iter()
            .enumerate()
            .find(|(_, figure)| figure.drawing.is_ok())?;
        Some(format!(
            "{}/plots/{:02}-{}.svg",
            self.folder,
            number + 1,
            slug(&figure.plot.title)
        ))
    }

    fn checks(&self) -> String {
        let passed = |check: &&crate::results::Check| check.verdict == Verdict::Pass;
        let checks = &self.run.checks;
        format!(
            "{} of {} pass",
            checks.iter().filter(passed).count(),
            checks.len()
        )
    }
}

/// The text of `README.md` with the table in its place; at the end if there is no place for it yet.
pub(crate) fn readme(before: &str, entries: &[Entry]) -> String {
    let mut table = String::from(
        "\n| report | question | checks | seed | revision | machine |\n|---|---|---|---|---|---|\n",
    );
    for entry in entries {
        let manifest = &entry.manifest;
        table += &format!(
            "| [{folder}]({folder}/report.md) | {} | {} | {} | `{}` | {}, {} |\n",
            super::markdown::escape(&entry.run.question),
            entry.checks(),
            manifest.seed,
            manifest.revision,
            super::markdown::escape(&manifest.cpu),
            super::markdown::escape(&manifest.kernel),
            folder = entry.folder,
        );
    }
    let (head, tail) = match (before.split_once(OPEN), before.split_once(CLOSE)) {
        (Some((head, _)), Some((_, tail))) => (head.to_owned(), tail.to_owned()),
        _ if before.is_empty() => ("# Reports\n\n".to_owned(), "\n".to_owned()),
        _ => (format!("{}\n\n", before.trim_end()), "\n".to_owned()),
    };
    format!("{head}{OPEN}\n{table}\n{CLOSE}{tail}")
}

/// One page with a card for each report.
pub(crate) fn page(entries: &[Entry]) -> String {
    let mut out = html::head("Reports");
    out += "<header>\n<div class=\"kind\">Vellum lab</div>\n<h1>Reports</h1>\n<p class=\"question\">Runs of the shipped scenarios. Each names its seed, its machine and its revision, and <code>cargo lab report --published</code> renders all of them again from the stored numbers.</p>\n</header>\n<div class=\"plots index\">\n";
    for entry in entries {
        let (verdict, sentence) = parts::verdict(&entry.run);
        let link = format!("{}/report.html", html::escape(&entry.folder));
        out += &format!(
            "<figure><figcaption><h3><a href=\"{link}\">{}</a></h3><p class=\"question\">{}</p><div class=\"verdict {}\">{}</div><p class=\"answer\">{}</p></figcaption>",
            html::escape(&entry.run.scenario),
            html::escape(&entry.run.question),
            parts::verdict_name(verdict),
            html::escape(&sentence),
            html::escape(&entry.finding()),
        );
        if let Some(picture) = entry.picture() {
            out += &format!(
                "<a href=\"{link}\"><img src=\"{}\" alt=\"\" loading=\"lazy\"></a>",
                html::escape(&picture)
            );
        }
        out += &format!(
            "<p class=\"remark\">{} · seed {} · revision {} · {}</p></figure>\n",
            html::escape(&entry.manifest.started_utc),
            entry.manifest.seed,
            html::escape(&entry.manifest.revision),
            html::escape(&entry.manifest.cpu),
        );
    }
    out + "</div>\n</main>\n</body>\n</html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_takes_its_place_and_leaves_the_rest() {
        let first = readme("# Reports\n\nWords.\n", &[]);
        assert!(first.starts_with("# Reports\n\nWords.\n\n<!-- published -->\n\n| report |"));
        let again = readme(&first.replace("Words", "Other words"), &[]);
        assert_eq!(again, first.replace("Words", "Other words"));
        assert!(readme("", &[]).starts_with("# Reports\n\n<!-- published -->"));
    }
}
