//! `tree`: the pages of the trees as an indented text, or as a graph for Graphviz.

use std::fmt::Write;

use serde_json::{Value, json};
use vellum::{KeySpace, PageRef};

use crate::cli::TreeArgs;
use crate::failure::Failure;
use crate::units::grouped;

use super::page::key_text;
use super::paint::{Ink, Paint};
use super::source::Source;
use super::survey::{Found, Owner, Seen, Survey};
use super::{Look, View, pages};

/// Children of a branch that are written out; the rest is counted.
const LISTED: usize = 12;
/// Colours of Graphviz for key spaces, which it knows by name.
const DOT_COLOURS: [&str; 7] = [
    "lightskyblue",
    "palegreen3",
    "darkseagreen2",
    "gold",
    "plum",
    "lightpink",
    "gray80",
];

pub(super) fn view(source: &Source, args: &TreeArgs, look: Look) -> Result<View, Failure> {
    let survey = Survey::of(source)?;
    let wanted: Vec<KeySpace> = match &args.space {
        Some(name) => vec![space_named(name)?],
        None => KeySpace::ALL.to_vec(),
    };
    let json: Vec<Value> = wanted
        .iter()
        .map(|space| tree_json(&survey, *space))
        .collect();
    if args.dot {
        return Ok(View {
            text: dot(&survey, &wanted, look),
            json: Value::Array(json),
        });
    }
    let mut text = pages::broken(&survey, look);
    if survey.state.is_none() {
        text += "no usable header slot: there are no roots to start from\n";
    }
    for space in wanted {
        let Some(root) = root(&survey, space) else {
            continue;
        };
        text += &title(&survey, space, look.paint);
        let mut out = Outline {
            source,
            survey: &survey,
            look,
            text: String::new(),
        };
        out.page(root, None, 1, "")?;
        text += &out.text;
    }
    Ok(View {
        text,
        json: Value::Array(json),
    })
}

fn space_named(name: &str) -> Result<KeySpace, Failure> {
    KeySpace::ALL
        .into_iter()
        .find(|space| space.name() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = KeySpace::ALL.into_iter().map(KeySpace::name).collect();
            Failure::usage(format!(
                "`{name}` is no key space; they are {}",
                names.join(", ")
            ))
        })
}

fn root(survey: &Survey, space: KeySpace) -> Option<PageRef> {
    survey.state.as_ref()?.roots.get(space.index())?.page
}

fn title(survey: &Survey, space: KeySpace, paint: Paint) -> String {
    let root = survey
        .state
        .as_ref()
        .and_then(|state| state.roots.get(space.index()));
    root.map_or(String::new(), |root| {
        format!(
            "{}: {} entries in {} pages, height {}\n",
            paint.strong(space.name()),
            grouped(root.entries),
            grouped(root.pages),
            root.height
        )
    })
}

struct Outline<'a> {
    source: &'a Source,
    survey: &'a Survey,
    look: Look,
    text: String,
}

impl Outline<'_> {
    /// A page and, if it is a branch, its children. Depth is bounded by the levels that pages have.
    fn page(
        &mut self,
        at: PageRef,
        above: Option<u64>,
        depth: usize,
        key: &str,
    ) -> Result<(), Failure> {
        let indent = "  ".repeat(depth);
        let owned = self.survey.page(at.page()).filter(
            |page| matches!(page.owner, Owner::Tree { above: owner, .. } if owner == above),
        );
        let Some(page) = owned else {
            let said = self.look.paint.ink(Ink::Bad, "not a page of this tree");
            self.text += &format!("{indent}{at:?} {said}\n");
            return Ok(());
        };
        self.text += &format!(
            "{indent}{}\n",
            node_line(page, self.source.pages.page_size(), key, self.look.paint)
        );
        let branch = page.found == Found::Whole && page.what.is_some_and(|what| what.level > 0);
        if !branch || depth > 26 {
            return Ok(());
        }
        let found = self.source.pages.page(page.number)?;
        let Some((space, view)) = found
            .page
            .as_ref()
            .ok()
            .and_then(|page| Some((page.space(), page.sorted()?)))
        else {
            return Ok(());
        };
        let listed = self.look.listed(view.len(), LISTED);
        let mut key = Vec::new();
        for i in 0..listed {
            view.key(i, &mut key);
            let from = key_text(space, &key, self.look);
            self.page(view.child(i), Some(page.number), depth + 1, &from)?;
        }
        if listed < view.len() {
            self.text += &format!(
                "{indent}  … and {} more; --verbose lists them\n",
                view.len() - listed
            );
        }
        Ok(())
    }
}

fn node_line(page: &Seen, page_size: usize, key: &str, paint: Paint) -> String {
    let from = if key.is_empty() {
        String::new()
    } else {
        paint.faint(&format!("  from {key}"))
    };
    let Some(what) = page.what.filter(|_| page.found == Found::Whole) else {
        return format!(
            "page {}  {}{from}",
            page.number,
            paint.ink(Ink::Bad, &page.found.said())
        );
    };
    let (part, items) = match what.level {
        0 => ("leaf".to_owned(), format!("{} items", grouped(what.items))),
        level => (
            format!("branch {level}"),
            format!("{} children", what.count),
        ),
    };
    format!(
        "page {}  {part}, {items}, {}% full, birth {}{from}",
        page.number,
        page.used * 100 / page_size,
        page.birth
    )
}

fn tree_json(survey: &Survey, space: KeySpace) -> Value {
    let in_tree =
        |page: &&Seen| matches!(page.owner, Owner::Tree { space: owner, .. } if owner == space);
    let pages = survey.pages.iter().filter(in_tree).map(|page| {
        let above = match page.owner {
            Owner::Tree { above, .. } => above,
            _ => None,
        };
        json!({
            "page": page.number, "above": above, "birth": page.birth, "level": page.what.map(|what| what.level),
            "count": page.what.map(|what| what.count), "items": page.what.map(|what| what.items),
            "used_bytes": page.used, "state": page.found.said(),
        })
    });
    json!({ "space": space.name(), "root": root(survey, space).map(PageRef::page), "pages": pages.collect::<Vec<Value>>() })
}

/// Branches with all their children; leaves as boxes of their own only where they are few.
fn dot(survey: &Survey, wanted: &[KeySpace], look: Look) -> String {
    let mut out = String::from(
        "digraph vellum {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"sans-serif\", fontsize=10];\n  header [shape=cylinder, fillcolor=white];\n",
    );
    for space in wanted {
        let mine: Vec<&Seen> = survey
            .pages
            .iter()
            .filter(
                |page| matches!(page.owner, Owner::Tree { space: owner, .. } if owner == *space),
            )
            .collect();
        let colour = DOT_COLOURS.get(space.index()).copied().unwrap_or("white");
        let leaves = mine
            .iter()
            .filter(|page| page.what.is_some_and(|what| what.level == 0))
            .count();
        let shown = |page: &Seen| {
            look.verbose
                || leaves <= 200
                || page.what.is_none_or(|what| what.level > 0)
                || page.found != Found::Whole
        };
        for page in mine {
            if !shown(page) {
                continue;
            }
            let colour = if page.found == Found::Whole {
                colour
            } else {
                "tomato"
            };
            let label = node_line(
                page,
                survey.state.as_ref().map_or(4096, |state| state.page_size),
                "",
                Paint { on: false },
            )
            .replace(", ", "\\n")
            .replace('"', "'");
            let above = match page.owner {
                Owner::Tree {
                    above: Some(above), ..
                } => format!("p{above}"),
                _ => "header".to_owned(),
            };
            let edge = if above == "header" {
                format!(" [label=\"{space}\", fontsize=9]")
            } else {
                String::new()
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "  p{} [label=\"{space}\\n{label}\", fillcolor={colour}];\n  {above} -> p{}{edge};",
                page.number, page.number
            );
        }
        if leaves > 200 && !look.verbose {
            let _ = writeln!(
                out,
                "  // {leaves} leaves of {space} are left out; --verbose draws them"
            );
        }
    }
    out + "}\n"
}
