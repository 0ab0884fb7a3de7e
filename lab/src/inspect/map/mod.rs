//! `map`: the file as a picture, a field for each page or for a few neighbours.

mod fields;
mod history;
mod svg;
mod terminal;

use serde_json::{Value, json};

use crate::cli::{MapArgs, MapBy};
use crate::failure::{Context, Failure};

use self::fields::{Class, Legend};
use self::history::History;
use super::source::Source;
use super::survey::Survey;
use super::{Look, View, pages};

/// Fields of the terminal's picture and of the SVG at most; longer files share fields.
const TERMINAL_FIELDS: usize = 64 * 32;
const SVG_FIELDS: usize = 96 * 84;
/// Pages of a history that are listed; JSON has them all, and so has --verbose.
const LISTED: usize = 12;

/// What a picture is drawn from.
struct Picture<'a> {
    source: &'a Source,
    survey: &'a Survey,
    /// What the colours tell.
    by: &'static str,
    legend: Legend<'a>,
    /// Fields in the order of the file, the header's first.
    fields: Vec<Field>,
    /// Pages in a field.
    pages_each: u64,
}

/// One field: its class, and the pages that it stands for.
struct Field {
    class: Class,
    first: u64,
    pages: u64,
    /// What a reader wants to know of it.
    said: String,
}

pub(super) fn view(source: &Source, args: &MapArgs, look: Look) -> Result<View, Failure> {
    let survey = Survey::of(source)?;
    let history = match &args.trace {
        Some(path) => Some(History::read(path, &survey)?),
        None => None,
    };
    let of = |most| Picture::of(source, &survey, args.by, history.as_ref(), most);
    let mut text = pages::broken(&survey, look);
    text += &terminal::draw(&of(TERMINAL_FIELDS), usize::from(args.columns), look.paint);
    if let Some(history) = &history {
        text += &history.text(look.listed(history.pages.len(), LISTED));
    }
    if let Some(path) = &args.svg {
        let picture = of(SVG_FIELDS);
        if path.exists() {
            let text = format!(
                "{} exists already; give another name, nothing is overwritten",
                path.display()
            );
            return Err(Failure::usage(text));
        }
        std::fs::write(path, svg::draw(&picture)).context(path.display())?;
        text += &format!("{}\n", path.display());
    }
    let mut json = json(&of(usize::MAX));
    if let (Some(history), Value::Object(fields)) = (&history, &mut json) {
        fields.insert("history".to_owned(), history.json());
    }
    Ok(View { text, json })
}

impl Picture<'_> {
    fn of<'a>(
        source: &'a Source,
        survey: &'a Survey,
        by: MapBy,
        history: Option<&'a History>,
        most: usize,
    ) -> Picture<'a> {
        let legend = Legend::of(by, history, survey);
        let pages = survey.header.len() as u64 + survey.pages.len() as u64;
        let pages_each = pages.div_ceil(most as u64).max(1);
        let mut fields = Vec::new();
        let mut first = 0;
        while first < pages {
            let end = (first + pages_each).min(pages);
            let mut field = field(&legend, survey, first, end, source.pages.page_size());
            if let (Some(history), 1) = (history, field.pages) {
                field.said += &format!("; {}", history.said(field.first));
            }
            fields.push(field);
            first = end;
        }
        Picture {
            source,
            survey,
            by: history.map_or(by.name(), |_| "history"),
            legend,
            fields,
            pages_each,
        }
    }

    /// Each class that occurs, and how many pages are of it.
    fn counts(&self) -> Vec<(Class, u64)> {
        let mut counts: Vec<(Class, u64)> = self
            .legend
            .classes
            .iter()
            .map(|class| (*class, 0))
            .collect();
        let header = self.survey.header.iter();
        let header = header.map(|problems| fields::header(problems));
        let pages = self.survey.pages.iter().map(|page| self.legend.class(page));
        for class in header.chain(pages) {
            if let Some(count) = counts.iter_mut().find(|(other, _)| *other == class) {
                count.1 += 1;
            }
        }
        counts.retain(|(_, pages)| *pages > 0);
        counts
    }
}

/// Damage shows whatever else there is; otherwise the class that most of the pages are of.
fn field(legend: &Legend, survey: &Survey, first: u64, end: u64, page_size: usize) -> Field {
    let mut classes: Vec<(Class, u64)> = Vec::new();
    for number in first..end {
        let class = match survey.page(number) {
            Some(page) => legend.class(page),
            None => fields::header(header_problems(survey, number)),
        };
        match classes.iter_mut().find(|(other, _)| *other == class) {
            Some(count) => count.1 += 1,
            None => classes.push((class, 1)),
        }
    }
    let weight = |(class, pages): &(Class, u64)| (class.loud, *pages);
    let class = classes
        .iter()
        .max_by_key(|entry| weight(entry))
        .map_or(fields::HEADER, |(class, _)| *class);
    let said = match (end - first, survey.page(first)) {
        (1, Some(page)) => fields::said(page, page_size),
        (1, None) => match header_problems(survey, first).join("; ") {
            problems if problems.is_empty() => format!("page {first}: header region"),
            problems => format!("page {first}: header region; {problems}"),
        },
        _ => format!("pages {first} to {}: mostly {}", end - 1, class.name),
    };
    Field {
        class,
        first,
        pages: end - first,
        said,
    }
}

/// What is wrong with the header slots on a page.
fn header_problems(survey: &Survey, page: u64) -> &[String] {
    let page = usize::try_from(page).unwrap_or(usize::MAX);
    survey.header.get(page).map_or(&[], Vec::as_slice)
}

/// A share in percent, never shown as nothing where there is something.
fn share(part: u64, whole: u64) -> String {
    match 100.0 * part as f64 / whole.max(1) as f64 {
        share if part > 0 && share < 0.05 => "<0.1%".to_owned(),
        share => format!("{share:.1}%"),
    }
}

fn json(picture: &Picture<'_>) -> Value {
    let classes: Vec<Value> = picture
        .counts()
        .iter()
        .map(|(class, pages)| json!({ "class": class.name, "pages": pages }))
        .collect();
    let pages: Vec<&str> = picture
        .fields
        .iter()
        .map(|field| field.class.name)
        .collect();
    json!({ "by": picture.by, "pages_in_all": pages.len(), "classes": classes, "pages": pages })
}
