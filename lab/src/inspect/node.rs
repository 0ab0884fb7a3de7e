//! `node ID`: the way from the roots to everything stored under one id.

use serde_json::{Value, json};
use vellum::format::edges::EdgeBlock;
use vellum::format::header::Root;
use vellum::format::node::NodeCell;
use vellum::format::page::Page;
use vellum::{KeySpace, PageRef};

use crate::failure::Failure;

use vellum::inspect::{FoundPage, PageFile};

use super::page::{block_text, data_text};
use super::source::Source;
use super::{Look, View};

/// The pages passed on the way down, and the leaf if it was reached.
struct Descent {
    steps: Vec<PageRef>,
    leaf: Option<FoundPage>,
    problem: Option<String>,
}

pub(super) fn view(source: &Source, id: u64, look: Look) -> Result<View, Failure> {
    let file = &source.pages;
    let Some(header) = source.newest() else {
        let text = "no usable header slot: there is no root to start from\n".to_owned();
        return Ok(View {
            text,
            json: json!({ "node": id, "problem": "no usable header slot" }),
        });
    };
    if id == 0 || id > vellum::MAX_U48 {
        return Err(Failure::usage(format!(
            "{id} is no node id: they go from 1 to 2^48 − 1"
        )));
    }
    let mut text = format!("node {id} in state {}", header.sequence);
    let state = if id >= header.next_node {
        ": never issued by this state\n"
    } else {
        "\n"
    };
    text += state;
    let key = id.to_be_bytes();
    let key = key.get(2..).unwrap_or_default();
    let mut spaces = Vec::new();
    for space in [KeySpace::Nodes, KeySpace::Out, KeySpace::In] {
        let root = header.roots.get(space.index()).copied().unwrap_or_default();
        let descent = descend(file, space, &root, key)?;
        let way: Vec<String> = descent
            .steps
            .iter()
            .map(|step| format!("{}", step.page()))
            .collect();
        text += &format!(
            "\n{}: pages {}\n",
            space.name(),
            if way.is_empty() {
                "–".to_owned()
            } else {
                way.join(" → ")
            }
        );
        let found = stored(&descent, space, id, key, look);
        for line in &found {
            text += &format!("  {line}\n");
        }
        let pages: Vec<u64> = descent.steps.iter().map(|step| step.page()).collect();
        spaces.push(json!({ "space": space.name(), "pages": pages, "found": found, "problem": descent.problem }));
    }
    if source.log.is_some() {
        text += "\nThe log may hold newer operations on this node: see `wal`.\n";
    }
    Ok(View {
        text,
        json: json!({ "node": id, "state": header.sequence, "spaces": Value::Array(spaces) }),
    })
}

fn descend(file: &PageFile, space: KeySpace, root: &Root, key: &[u8]) -> Result<Descent, Failure> {
    let mut descent = Descent {
        steps: Vec::new(),
        leaf: None,
        problem: None,
    };
    let Some(mut at) = root.page else {
        return Ok(descent);
    };
    for level in (0..root.height).rev() {
        descent.steps.push(at);
        if at.page() >= file.page_count() {
            descent.problem = Some(format!("{at:?} is beyond the end of the file"));
            return Ok(descent);
        }
        let found = file.at(at)?;
        let page = match &found.page {
            Ok(page) => page,
            Err(rule) => {
                descent.problem = Some(format!("{at:?}: {rule}"));
                return Ok(descent);
            }
        };
        if page.space() != Some(space) || page.level() != level {
            descent.problem = Some(format!("{at:?} is not level {level} of {space}"));
            return Ok(descent);
        }
        if level == 0 {
            descent.leaf = Some(found);
            return Ok(descent);
        }
        let Some(branch) = page.sorted() else {
            return Ok(descent);
        };
        at = branch.child(branch.child_for(key));
    }
    Ok(descent)
}

/// What the leaf holds under the key, in lines.
fn stored(descent: &Descent, space: KeySpace, id: u64, key: &[u8], look: Look) -> Vec<String> {
    if let Some(problem) = &descent.problem {
        return vec![problem.clone()];
    }
    let page = descent
        .leaf
        .as_ref()
        .and_then(|leaf| leaf.page.as_ref().ok());
    let Some((page, sorted)) = page.and_then(|page| Some((page, page.sorted()?))) else {
        return vec!["nothing: the tree is empty".to_owned()];
    };
    let Ok(place) = sorted.search(key) else {
        return vec!["nothing stored".to_owned()];
    };
    if space == KeySpace::Nodes {
        return match NodeCell::decode(sorted.value(place)) {
            Ok(cell) => vec![
                format!("cell {place}, {} bytes", sorted.value(place).len()),
                format!(
                    "kind {}, name {}",
                    cell.kind,
                    look.bytes(cell.name.as_bytes(), 1024)
                ),
                format!("data {}", data_text(&cell.data, look)),
            ],
            Err(rule) => vec![format!("cell {place} of node {id}: {rule}")],
        };
    }
    vec![block_line(page, place, sorted.value_range(place))]
}

fn block_line(page: &Page, place: usize, range: std::ops::Range<usize>) -> String {
    let bytes = range.len();
    match EdgeBlock::parse(page.bytes(), range) {
        Ok(block) => format!(
            "cell {place}, {bytes} bytes: {} (further leaves may hold more)",
            block_text(&block, page.space())
        ),
        Err(rule) => format!("cell {place}: {rule}"),
    }
}
