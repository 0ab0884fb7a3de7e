//! `diff A B`: two files page by page, and what differs in what they say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use vellum::KeySpace;
use vellum::format::node::Data;
use vellum::inspect::PageFile;

use crate::failure::Failure;
use crate::units::grouped;

use super::paint::{Ink, Paint};
use super::source::Source;
use super::survey::{Owner, Survey};
use super::{Look, View};
use crate::recover::blob;
use crate::recover::leaf::{self, Item};

/// Pages and items listed; the JSON form has them all, and so has --verbose.
const LISTED: usize = 40;

/// Items of two files compared: by key, with a digest of the value.
#[derive(Default)]
struct Items {
    only_a: BTreeSet<String>,
    only_b: BTreeSet<String>,
    changed: BTreeSet<String>,
}

pub(super) fn view(a: &Source, b: &Source, look: Look) -> Result<View, Failure> {
    let mut text = format!("a: {}\nb: {}\n\n", a.name, b.name);
    let header = header(a, b);
    for line in &header {
        text += &format!("{line}\n");
    }
    let pages = pages(a, b)?;
    text += &page_text(a, b, &pages, look);
    let (sa, sb) = (Survey::of(a)?, Survey::of(b)?);
    let mut spaces = Vec::new();
    for space in [KeySpace::Nodes, KeySpace::Out, KeySpace::Dictionary] {
        let items = compare(&items(a, &sa, space)?, &items(b, &sb, space)?);
        text += &item_text(space, &items, look);
        spaces.push(json!({ "space": space.name(), "only_a": items.only_a, "only_b": items.only_b, "changed": items.changed }));
    }
    if a.log.is_some() || b.log.is_some() {
        text += "What the logs hold beyond the trees is not compared; see `wal`.\n";
    }
    let json = json!({ "header": header, "pages": pages.iter().map(|(number, what)| json!({ "page": number, "what": what })).collect::<Vec<Value>>(), "spaces": spaces });
    Ok(View { text, json })
}

/// The fields of the newest states that differ.
fn header(a: &Source, b: &Source) -> Vec<String> {
    let mut out = Vec::new();
    if a.pages.file_id() != b.pages.file_id() {
        out.push("the files have different identities: neither is a copy of the other".to_owned());
    }
    if a.pages.len() != b.pages.len() {
        out.push(format!(
            "length: {} and {} bytes",
            grouped(a.pages.len()),
            grouped(b.pages.len())
        ));
    }
    let (Some(ha), Some(hb)) = (a.newest(), b.newest()) else {
        for (name, side) in [("a", a), ("b", b)] {
            if side.newest().is_none() {
                out.push(format!("{name} has no usable header slot"));
            }
        }
        return out;
    };
    for (what, x, y) in [
        ("page size", ha.page_size as u64, hb.page_size as u64),
        ("state", ha.sequence, hb.sequence),
        ("commit", ha.commit, hb.commit),
        ("pages counted", ha.page_count, hb.page_count),
        ("free pages", ha.free_pages, hb.free_pages),
        ("nodes", ha.node_count, hb.node_count),
        ("edges", ha.edge_count, hb.edge_count),
        ("next node", ha.next_node, hb.next_node),
        ("log generation", ha.log_generation, hb.log_generation),
    ] {
        if x != y {
            out.push(format!("{what}: {} and {}", grouped(x), grouped(y)));
        }
    }
    out
}

/// Pages whose bytes differ, with what differs, by number.
fn pages(a: &Source, b: &Source) -> Result<Vec<(u64, String)>, Failure> {
    let (fa, fb) = (&a.pages, &b.pages);
    let mut out = Vec::new();
    if fa.page_size() != fb.page_size() {
        return Ok(out);
    }
    for number in 0..fa.page_count().min(fb.page_count()) {
        let (pa, pb) = (fa.raw(number)?, fb.raw(number)?);
        if pa == pb {
            continue;
        }
        if number < fa.first_page() {
            out.push((number, "header region".to_owned()));
            continue;
        }
        let differing = pa.iter().zip(&pb).filter(|(x, y)| x != y).count();
        let (pa, pb) = (fa.page(number)?, fb.page(number)?);
        let say = |found: &vellum::inspect::FoundPage| match &found.page {
            Ok(page) => format!(
                "{}{} birth {}",
                page.kind().name(),
                page.space()
                    .map_or(String::new(), |space| format!(" of {space}")),
                found.birth
            ),
            Err(rule) => rule.to_string(),
        };
        let (x, y) = (say(&pa), say(&pb));
        let what = if x == y { x } else { format!("{x} | {y}") };
        out.push((number, format!("{differing} bytes differ: {what}")));
    }
    Ok(out)
}

fn page_text(a: &Source, b: &Source, pages: &[(u64, String)], look: Look) -> String {
    if a.pages.page_size() != b.pages.page_size() {
        return "\nThe page sizes differ, so pages are not compared.\n".to_owned();
    }
    let mut out = format!("\n{} pages differ", grouped(pages.len() as u64));
    let (x, y) = (a.pages.page_count(), b.pages.page_count());
    if x != y {
        out += &format!(
            "; {} has {} more",
            if x > y { "a" } else { "b" },
            grouped(x.abs_diff(y))
        );
    }
    out.push('\n');
    let listed = look.listed(pages.len(), LISTED);
    for (number, what) in pages.iter().take(listed) {
        out += &format!("{number:>8}  {what}\n");
    }
    if listed < pages.len() {
        out += &format!(
            "          … and {} more; --verbose lists them\n",
            pages.len() - listed
        );
    }
    out
}

/// What the trees of a state hold, by what each item is called.
fn items(
    source: &Source,
    survey: &Survey,
    space: KeySpace,
) -> Result<BTreeMap<String, u64>, Failure> {
    let mut out = BTreeMap::new();
    for page in survey
        .pages
        .iter()
        .filter(|page| matches!(page.owner, Owner::Tree { space: owner, .. } if owner == space))
    {
        let found = source.pages.page(page.number)?;
        let Ok(page) = &found.page else { continue };
        let mut failed = None;
        leaf::each(page, |item| match describe(&item, &source.pages) {
            Ok((name, value)) => _ = out.insert(name, value),
            Err(failure) => failed = Some(failure),
        });
        if let Some(failure) = failed {
            return Err(failure);
        }
    }
    Ok(out)
}

fn describe(item: &Item<'_>, file: &PageFile) -> Result<(String, u64), Failure> {
    Ok(match item {
        Item::Node(id, cell) => {
            let data = digest_data(&cell.data, file)?;
            let value = digest(cell.name.as_bytes()) ^ data.rotate_left(17) ^ u64::from(cell.kind);
            (format!("node {id}"), value)
        }
        Item::Edge(key, data) => (
            format!(
                "edge {} –{}→ {} #{}",
                key.node, key.label, key.peer, key.ordinal
            ),
            digest_data(data, file)?,
        ),
        Item::Term {
            label, id, name, ..
        } => (
            format!("{} {id}", if *label { "label" } else { "kind" }),
            digest(name.as_bytes()),
        ),
        Item::Name(id, name) => (format!("name of {id}"), digest(name)),
        Item::Absent {
            first,
            len,
            reserved,
        } => (format!("absent {first}"), 2 * len + u64::from(*reserved)),
    })
}

fn digest(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// Data is the same if its bytes are, wherever they stand. Of data that cannot be read the page that is
/// missing counts, so that it equals nothing but the same damage.
fn digest_data(data: &Data<'_>, file: &PageFile) -> Result<u64, Failure> {
    Ok(match data {
        Data::Inline(bytes) => digest(bytes),
        Data::Blob(at) => match blob::read(file, *at)? {
            Ok(bytes) => digest(&bytes),
            Err(page) => digest(format!("page {page} of {} bytes", at.len).as_bytes()),
        },
    })
}

fn compare(a: &BTreeMap<String, u64>, b: &BTreeMap<String, u64>) -> Items {
    let mut items = Items::default();
    for (name, value) in a {
        match b.get(name) {
            None => items.only_a.insert(name.clone()),
            Some(other) if other != value => items.changed.insert(name.clone()),
            Some(_) => false,
        };
    }
    items.only_b = b
        .keys()
        .filter(|name| !a.contains_key(*name))
        .cloned()
        .collect();
    items
}

fn item_text(space: KeySpace, items: &Items, look: Look) -> String {
    let title = match space {
        KeySpace::Nodes => "nodes",
        KeySpace::Out => "edges",
        _ => "kinds and labels",
    };
    let all = items.only_a.len() + items.only_b.len() + items.changed.len();
    if all == 0 {
        return format!("\n{title}: the same\n");
    }
    let mut out = format!(
        "\n{title}: {} only in a, {} only in b, {} changed\n",
        items.only_a.len(),
        items.only_b.len(),
        items.changed.len()
    );
    let rows = items
        .only_a
        .iter()
        .map(|name| ('-', name))
        .chain(items.only_b.iter().map(|name| ('+', name)))
        .chain(items.changed.iter().map(|name| ('~', name)));
    let listed = look.listed(all, LISTED);
    for (mark, name) in rows.take(listed) {
        out += &format!("  {}\n", row(mark, name, look.paint));
    }
    if listed < all {
        out += &format!("  … and {} more; --verbose lists them\n", all - listed);
    }
    out
}

fn row(mark: char, name: &str, paint: Paint) -> String {
    let ink = match mark {
        '-' => Ink::Bad,
        '+' => Ink::Good,
        _ => Ink::Notice,
    };
    paint.ink(ink, &format!("{mark} {name}"))
}
