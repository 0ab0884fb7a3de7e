//! `pages`: one line for each page.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::failure::Failure;

use super::View;
use vellum::inspect::{FoundPage, PageFile};

pub(super) fn view(file: &PageFile) -> Result<View, Failure> {
    let (free, broken) = free_pages(file)?;
    let mut text =
        String::from("    page  kind         space       level   count        birth  state\n");
    if let Some(broken) = &broken {
        text.insert_str(0, &format!("{broken}\n"));
    }
    let mut rows = Vec::new();
    for number in file.first_page()..file.page_count() {
        let found = file.page(number)?;
        let state = state(&found, &free);
        let (kind, space, level, count) = match &found.page {
            Ok(page) => (
                page.kind().name(),
                page.space().map_or("–", vellum::KeySpace::name),
                page.level().to_string(),
                page.count().to_string(),
            ),
            Err(_) => ("–", "–", "–".to_owned(), "–".to_owned()),
        };
        text += &format!(
            "{number:>8}  {kind:<11}  {space:<10} {level:>6} {count:>7} {:>12}  {state}\n",
            found.birth
        );
        rows.push(row(&found, &state));
    }
    Ok(View {
        text,
        json: Value::Array(rows),
    })
}

fn row(found: &FoundPage, state: &str) -> Value {
    match &found.page {
        Ok(page) => json!({
            "page": found.number, "kind": page.kind().name(), "space": page.space().map(vellum::KeySpace::name),
            "level": page.level(), "count": page.count(), "birth": found.birth, "state": state,
        }),
        Err(_) => json!({ "page": found.number, "birth": found.birth, "state": state }),
    }
}

fn state(found: &FoundPage, free: &HashSet<u64>) -> String {
    match &found.page {
        // What a free page still holds has no meaning, whole or not.
        _ if free.contains(&found.number) => "free".to_owned(),
        _ if found.bytes.iter().all(|byte| *byte == 0) => "blank".to_owned(),
        Ok(_) => "whole".to_owned(),
        Err(rule) => format!("damaged: {rule}"),
    }
}

/// The pages on the newest slot's freelist, and where its chain breaks if it does.
fn free_pages(file: &PageFile) -> Result<(HashSet<u64>, Option<String>), Failure> {
    let mut free = HashSet::new();
    let mut next = file.newest().and_then(|header| header.freelist);
    // A chain that names one page twice would never end.
    let mut seen = HashSet::new();
    while let Some(at) = next {
        if at.page() >= file.page_count() || !seen.insert(at.page()) {
            return Ok((
                free,
                Some(format!(
                    "the freelist leads to {at:?}, where it cannot go on"
                )),
            ));
        }
        let found = file.at(at)?;
        let list = match &found.page {
            Ok(page) => page.freelist(),
            Err(_) => None,
        };
        let Some(list) = list else {
            return Ok((free, Some(format!("{at:?} of the freelist cannot be read"))));
        };
        for run in list.runs() {
            match run {
                Ok(run) if run.end() <= file.page_count() => free.extend(run.first..run.end()),
                _ => {
                    return Ok((
                        free,
                        Some(format!("{at:?} of the freelist holds a wrong run")),
                    ));
                }
            }
        }
        next = list.next();
    }
    Ok((free, None))
}
