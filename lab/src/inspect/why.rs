//! `why N`: how the newest state comes to a page: from a root, from the freelist, from the node or
//! edge whose data it holds, or not at all.

use serde_json::{Value, json};
use vellum::KeySpace;

use crate::failure::Failure;

use super::page::key_text;
use super::paint::Ink;
use super::source::Source;
use super::survey::{Found, Owner, Seen, Survey};
use super::{Look, View};

/// One step of the way, from the header to the page.
struct Step {
    page: Option<u64>,
    said: String,
}

pub(super) fn view(source: &Source, number: u64, look: Look) -> Result<View, Failure> {
    let survey = Survey::of(source)?;
    if number < survey.first {
        let text = format!("page {number} belongs to the header region\n");
        return Ok(View {
            text,
            json: json!({ "page": number, "owner": "header", "path": [] }),
        });
    }
    let Some(page) = survey.page(number) else {
        // The loader's message names how many pages there are.
        source.pages.raw(number)?;
        return Err(Failure::usage(format!("there is no page {number}")));
    };
    let steps = steps(source, &survey, page, look)?;
    let mut text = format!("page {number}: {}\n", look.paint.strong(&page.owner.said()));
    if page.found != Found::Whole && page.owner != Owner::Free {
        text += &format!("{}\n", look.paint.ink(Ink::Bad, &page.found.said()));
    }
    for (depth, step) in steps.iter().enumerate() {
        let place = step
            .page
            .map_or("header".to_owned(), |page| format!("page {page}"));
        let arrow = if depth == 0 { "" } else { "└ " };
        text += &format!("{}{arrow}{place}: {}\n", "  ".repeat(depth), step.said);
    }
    text += &explanation(&survey, page);
    let path: Vec<Value> = steps
        .iter()
        .map(|step| json!({ "page": step.page, "what": step.said }))
        .collect();
    Ok(View {
        text,
        json: json!({ "page": number, "owner": page.owner.word(), "said": page.owner.said(), "path": path }),
    })
}

fn steps(source: &Source, survey: &Survey, page: &Seen, look: Look) -> Result<Vec<Step>, Failure> {
    let mut chain = vec![page.number];
    while let Some(above) = chain.last().and_then(|number| above(survey.page(*number)?)) {
        // Each page was taken by one already taken, so this ends at a root; a limit costs nothing.
        if chain.len() > survey.pages.len() {
            break;
        }
        chain.push(above);
    }
    if page.owner == Owner::Free {
        return Ok(free_steps(survey, page.number));
    }
    if !page.owner.is_used() {
        return Ok(Vec::new());
    }
    chain.reverse();
    let state = survey.state.as_ref().map_or(0, |state| state.sequence);
    let mut steps = vec![Step {
        page: None,
        said: format!("state {state}"),
    }];
    for (i, number) in chain.iter().enumerate() {
        let below = chain.get(i + 1).copied();
        steps.push(Step {
            page: Some(*number),
            said: said(source, survey, *number, below, look)?,
        });
    }
    Ok(steps)
}

fn above(page: &Seen) -> Option<u64> {
    match page.owner {
        Owner::Tree { above, .. } | Owner::Freelist { above } => above,
        Owner::Blob { above, .. } => Some(above),
        _ => None,
    }
}

/// What a page of the way is, and which of its cells leads on.
fn said(
    source: &Source,
    survey: &Survey,
    number: u64,
    below: Option<u64>,
    look: Look,
) -> Result<String, Failure> {
    let Some(page) = survey.page(number) else {
        return Ok(String::new());
    };
    let what = match (page.owner, page.what) {
        (_, None) => page.found.said(),
        (Owner::Tree { space, above }, Some(what)) => {
            let part = if what.level == 0 {
                "leaf".to_owned()
            } else {
                format!("branch at level {}", what.level)
            };
            let root = if above.is_none() { ", the root" } else { "" };
            format!("{part} of {space}{root}")
        }
        (_, Some(what)) => what.kind.name().to_owned(),
    };
    let Some(below) = below else {
        return Ok(format!("{what}, birth {}", page.birth));
    };
    let found = source.pages.page(number)?;
    let view = found
        .page
        .as_ref()
        .ok()
        .and_then(|page| Some((page.space(), page.level(), page.sorted()?)));
    let Some((space, level, view)) = view.filter(|(_, level, _)| *level > 0) else {
        return Ok(what);
    };
    debug_assert!(level > 0);
    let Some(i) = (0..view.len()).find(|i| view.child(*i).page() == below) else {
        return Ok(what);
    };
    let mut key = Vec::new();
    view.key(i, &mut key);
    Ok(format!(
        "{what}, cell {i} of {}, from {}",
        view.len(),
        key_text(space, &key, look)
    ))
}

fn free_steps(survey: &Survey, number: u64) -> Vec<Step> {
    let run = survey
        .runs
        .iter()
        .find(|run| (run.first..run.end()).contains(&number));
    let listed = run.map_or(String::new(), |run| match run.len {
        1 => "a run of its own".to_owned(),
        len => format!(
            "a run of {len} pages, {} to {}",
            run.first,
            run.end().saturating_sub(1)
        ),
    });
    let state = survey.state.as_ref();
    vec![
        Step {
            page: None,
            said: format!("state {}", state.map_or(0, |state| state.sequence)),
        },
        Step {
            page: state
                .and_then(|state| state.freelist)
                .map(|page| page.page()),
            said: format!("the freelist lists it in {listed}"),
        },
    ]
}

fn explanation(survey: &Survey, page: &Seen) -> String {
    match page.owner {
        Owner::Nobody if survey.state.is_none() => {
            "no header slot is usable, so there is no state to reach it from\n".to_owned()
        }
        Owner::Nobody if !survey.broken.is_empty() || survey.pages.iter().any(|page| page.found.is_damage() && page.owner.is_used()) => {
            "nothing that can be read refers to it; what would is damaged, or it is left over from another state\n".to_owned()
        }
        Owner::Nobody => "nothing refers to it and it is not on the freelist\n".to_owned(),
        Owner::Beyond => "it is left over from a change that was not completed; the next one overwrites it\n".to_owned(),
        Owner::Free => format!("{}\n", leftover(page)),
        _ => String::new(),
    }
}

fn leftover(page: &Seen) -> String {
    match page.what {
        Some(what) => format!(
            "what it still holds, a {}{}, has no meaning any more",
            what.kind.name(),
            what.space
                .map_or(String::new(), |space: KeySpace| format!(" page of {space}"))
        ),
        None => "it holds nothing that can be read".to_owned(),
    }
}
