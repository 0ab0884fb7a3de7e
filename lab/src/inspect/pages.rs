//! `pages`: one line for each page.

use serde_json::{Value, json};
use vellum::KeySpace;

use crate::failure::Failure;

use super::paint::{Ink, Paint};
use super::source::Source;
use super::survey::{Found, Owner, Seen, Survey};
use super::{Look, View};

pub(super) fn view(source: &Source, look: Look) -> Result<View, Failure> {
    let survey = Survey::of(source)?;
    let paint = look.paint;
    let mut text = broken(&survey, look);
    text += &paint.faint("    page  kind         space       level   count  full        birth  owner            state");
    text.push('\n');
    let mut rows = Vec::new();
    for page in &survey.pages {
        text += &line(page, source.pages.page_size(), paint);
        rows.push(row(page, source.pages.page_size()));
    }
    Ok(View {
        text,
        json: Value::Array(rows),
    })
}

/// Where references lead nowhere, one line each.
pub(super) fn broken(survey: &Survey, look: Look) -> String {
    let mut out = String::new();
    let listed = look.listed(survey.broken.len(), 20);
    for problem in survey.broken.iter().take(listed) {
        out += &look.paint.ink(Ink::Bad, problem);
        out.push('\n');
    }
    if listed < survey.broken.len() {
        out += &format!(
            "… and {} more; --verbose lists them\n",
            survey.broken.len() - listed
        );
    }
    out
}

fn line(page: &Seen, page_size: usize, paint: Paint) -> String {
    let (kind, space, level, count) = match &page.what {
        Some(what) => (
            what.kind.name(),
            what.space.map_or("–", KeySpace::name),
            what.level.to_string(),
            what.count.to_string(),
        ),
        None => ("–", "–", "–".to_owned(), "–".to_owned()),
    };
    let full = format!("{}%", page.used * 100 / page_size);
    let row = format!(
        "{:>8}  {kind:<11}  {space:<10} {level:>6} {count:>7} {full:>5} {:>12}  {:<15}  ",
        page.number,
        page.birth,
        page.owner.word()
    );
    format!("{row}{}\n", state(page, paint))
}

fn state(page: &Seen, paint: Paint) -> String {
    match page.found {
        // What a free page still holds has no meaning, whole or not.
        _ if page.owner == Owner::Free => paint.faint("free"),
        Found::Whole if page.owner.is_used() => paint.ink(Ink::Good, "whole"),
        Found::Whole => paint.ink(Ink::Notice, "whole, not in use"),
        Found::Blank if page.owner.is_used() => paint.ink(Ink::Bad, "damaged: all zeros"),
        Found::Blank => paint.faint("blank"),
        damage => paint.ink(Ink::Bad, &damage.said()),
    }
}

fn row(page: &Seen, page_size: usize) -> Value {
    json!({
        "page": page.number, "birth": page.birth, "owner": page.owner.word(),
        "state": state(page, Paint { on: false }), "used_bytes": page.used, "full": page.used as f64 / page_size as f64,
        "kind": page.what.map(|what| what.kind.name()),
        "space": page.what.and_then(|what| what.space).map(KeySpace::name),
        "level": page.what.map(|what| what.level), "count": page.what.map(|what| what.count),
    })
}
