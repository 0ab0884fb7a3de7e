//! What a leaf holds, item by item, each on its own: one that cannot be read does not hide the others.

use vellum::format::Reader;
use vellum::format::edges::EdgeBlock;
use vellum::format::node::{Data, NodeCell};
use vellum::format::page::Page;
use vellum::{EdgeKey, KeySpace};

/// One item of a leaf.
pub(crate) enum Item<'p> {
    Node(u64, NodeCell<'p>),
    /// An edge as the leaf's space sees it: out-edges with data, in-edges and kinds without.
    Edge(EdgeKey, Data<'p>),
    Name(u64, &'p [u8]),
    /// The name of a kind or a label, under this key.
    Term {
        key: &'p [u8],
        label: bool,
        id: u16,
        name: &'p str,
    },
    /// A run of ids that name no node.
    Absent {
        first: u64,
        len: u64,
        reserved: bool,
    },
}

/// Hands over every item of a leaf, and says how many cells cannot be read.
pub(crate) fn each(page: &Page, mut take: impl FnMut(Item<'_>)) -> usize {
    if page.level() > 0 {
        return 0;
    }
    if let Some(names) = page.names() {
        let mut entries = names.iter_from(0);
        while let Some((name, id)) = entries.next() {
            take(Item::Name(id, name));
        }
        return 0;
    }
    let Some(view) = page.sorted() else { return 0 };
    let mut unreadable = 0;
    for i in (0..view.len()).filter(|i| !view.is_absent(*i)) {
        let read = match page.space() {
            Some(KeySpace::Nodes) => node(view.key_u48(i), view.value(i), &mut take),
            Some(KeySpace::Out | KeySpace::In | KeySpace::Kinds) => {
                edges(page, view.key_u48(i), view.value_range(i), &mut take)
            }
            Some(KeySpace::Dictionary) => {
                let mut key = Vec::new();
                view.key(i, &mut key);
                term(&key, view.value(i), &mut take)
            }
            Some(KeySpace::Absent) => absent(view.key_u48(i), view.value(i), &mut take),
            Some(KeySpace::Names) | None => None,
        };
        unreadable += usize::from(read.is_none());
    }
    unreadable
}

fn node(id: u64, cell: &[u8], take: &mut impl FnMut(Item<'_>)) -> Option<()> {
    let cell = NodeCell::decode(cell).ok().filter(|_| id > 0)?;
    take(Item::Node(id, cell));
    Some(())
}

fn edges(
    page: &Page,
    node: u64,
    range: std::ops::Range<usize>,
    take: &mut impl FnMut(Item<'_>),
) -> Option<()> {
    let block = EdgeBlock::parse(page.bytes(), range).ok()?;
    // A block that is not as an encoder writes it may hold anything.
    block.check().ok()?;
    let mut edges = Vec::new();
    block.decode_into(&mut edges).ok()?;
    for (edge, data) in edges.iter().zip(block.data_iter().ok()?) {
        let key = EdgeKey {
            node,
            label: edge.label,
            peer: edge.peer,
            ordinal: edge.ordinal,
        };
        take(Item::Edge(key, data.ok()?));
    }
    Some(())
}

fn term(key: &[u8], value: &[u8], take: &mut impl FnMut(Item<'_>)) -> Option<()> {
    let (tag, rest) = key.split_first()?;
    let (number, name) = match tag {
        0 | 1 => (rest, value),
        2 | 3 => (value, rest),
        _ => return None,
    };
    let id = u16::from_be_bytes(number.try_into().ok()?);
    let name = std::str::from_utf8(name)
        .ok()
        .filter(|name| (1..=255).contains(&name.len()))?;
    take(Item::Term {
        key,
        label: tag % 2 == 1,
        id,
        name,
    });
    Some(())
}

fn absent(first: u64, value: &[u8], take: &mut impl FnMut(Item<'_>)) -> Option<()> {
    let value = Reader::new(value).varint().ok()?;
    take(Item::Absent {
        first,
        len: value / 2,
        reserved: value % 2 == 1,
    });
    Some(())
}
