//! Reading a verified page whole, and holding every accessor to what verification promises.

use vellum::KeySpace;
use vellum::format::Reader;
use vellum::format::bytes::from_u48_be;
use vellum::format::edges::EdgeBlock;
use vellum::format::node::NodeCell;
use vellum::format::page::Page;
use vellum::format::sorted::SortedPage;

use crate::adjacency_block;

/// Reads everything. Whether each value of a leaf has the form that its space demands, which
/// verification leaves to the codec of the value.
pub(crate) fn read(page: &Page) -> bool {
    read_names(page);
    read_blobs(page);
    read_freelist(page);
    match page.sorted() {
        Some(sorted) => read_sorted(page, sorted),
        None => true,
    }
}

fn read_sorted(page: &Page, cells: SortedPage<'_>) -> bool {
    let mut key = Vec::new();
    let mut last: Option<Vec<u8>> = None;
    let mut sound = true;
    for i in 0..cells.len() {
        cells.key(i, &mut key);
        assert!(last.as_ref() < Some(&key), "keys ascend");
        assert!(key.starts_with(cells.prefix()), "keys share the prefix");
        let found = if cells.is_absent(i) { Err(i) } else { Ok(i) };
        assert_eq!(cells.search(&key), found, "search finds cell {i}");
        if let Ok(six) = <[u8; 6]>::try_from(&key[..]) {
            assert_eq!(cells.find_u48(from_u48_be(six)), found.ok());
            assert_eq!(cells.key_u48(i), from_u48_be(six));
        }
        assert_eq!(cells.value(i), &page.bytes()[cells.value_range(i)]);
        if page.level() > 0 {
            assert_ne!(
                cells.child(i),
                page.at(),
                "every cell of a branch has a child"
            );
            assert_eq!(cells.child_for(&key), i);
        } else if found.is_ok() {
            sound &= read_value(page, cells, i);
        }
        last = Some(std::mem::take(&mut key));
    }
    sound
}

fn read_value(page: &Page, cells: SortedPage<'_>, i: usize) -> bool {
    let value = cells.value(i);
    match page.space() {
        Some(KeySpace::Nodes) => read_node(value),
        Some(KeySpace::Out | KeySpace::In | KeySpace::Kinds) => {
            let block = EdgeBlock::parse(page.bytes(), cells.value_range(i));
            block.is_ok_and(|block| adjacency_block::read(&block).is_ok())
        }
        Some(KeySpace::Absent) => {
            let mut r = Reader::new(value);
            r.varint().is_ok() && r.end().is_ok()
        }
        _ => true,
    }
}

fn read_node(value: &[u8]) -> bool {
    let Ok(node) = NodeCell::decode(value) else {
        return false;
    };
    let mut again = Vec::new();
    node.encode(&mut again);
    assert_eq!(again, value, "a node has one encoding");
    assert_eq!(node.encoded_len(), value.len());
    true
}

fn read_names(page: &Page) {
    let Some(names) = page.names() else { return };
    let mut iter = names.iter_from(0);
    let mut name = Vec::new();
    for i in 0..names.len() {
        let id = names.entry(i, &mut name);
        assert_eq!(iter.next(), Some((&name[..], id)));
        assert_eq!(names.search(&name, id), Ok(i), "search finds entry {i}");
    }
    assert_eq!(iter.next(), None);
}

fn read_blobs(page: &Page) {
    if let Some(data) = page.blob_data() {
        assert!(data.len() < page.bytes().len());
    }
    let Some(index) = page.blob_index() else {
        return;
    };
    assert!(index.len() > 0);
    assert_eq!(index.extents().count(), page.count());
    for extent in index.extents() {
        assert!(extent.page_ref(extent.pages - 1).is_some());
        assert!(extent.page_ref(extent.pages).is_none());
    }
}

fn read_freelist(page: &Page) {
    let Some(list) = page.freelist() else { return };
    let mut end = 0;
    let mut count = 0;
    for run in list.runs() {
        let run = run.expect("verified");
        assert!(
            run.first > end && run.len > 0,
            "runs ascend and never touch"
        );
        end = run.end();
        count += 1;
    }
    assert_eq!(count, page.count());
}
