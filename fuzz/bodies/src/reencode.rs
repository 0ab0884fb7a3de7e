//! Writing a page again through the builders.

use vellum::format::blob;
use vellum::format::freelist;
use vellum::format::names::NamesBuilder;
use vellum::format::page::{Page, PageKind};
use vellum::format::sorted::SortedBuilder;

/// The page as its builder makes it. None where a page that is not in its shortest form leaves the
/// builder's choice no room: with few keys, the prefix they share may cost more than it saves.
pub(crate) fn page(page: &Page) -> Option<Box<[u8]>> {
    let size = page.bytes().len();
    match page.kind() {
        PageKind::Sorted => sorted(page),
        PageKind::NamesLeaf => Some(names(page)),
        PageKind::BlobIndex => {
            let index = page.blob_index()?;
            let extents: Vec<_> = index.extents().collect();
            let image = blob::encode_index(size, index.len(), index.next(), &extents);
            Some(identical(page, image))
        }
        PageKind::BlobData => Some(identical(page, blob::encode_data(size, page.blob_data()?))),
        PageKind::Freelist => {
            let list = page.freelist()?;
            let mut runs = list.runs().map(|run| run.expect("verified")).peekable();
            let image = freelist::encode(size, list.next(), &mut runs);
            assert!(runs.next().is_none(), "the runs of a page fit a page");
            Some(identical(page, image))
        }
    }
}

fn sorted(page: &Page) -> Option<Box<[u8]>> {
    let cells = page.sorted()?;
    let mut builder = SortedBuilder::new(page.bytes().len(), page.space()?, page.level());
    let mut key = Vec::new();
    for i in (0..cells.len()).filter(|i| !cells.is_absent(*i)) {
        cells.key(i, &mut key);
        let value = cells.value(i);
        let expected = builder.size_with(&key, value.len());
        if !builder.push(&key, value) {
            assert!(expected > page.bytes().len(), "a cell that fits is taken");
            return None;
        }
        assert_eq!(builder.size(), expected, "the size is known before");
    }
    Some(builder.finish())
}

fn names(page: &Page) -> Box<[u8]> {
    let entries = page.names().expect("a names leaf");
    let mut builder = NamesBuilder::new(page.bytes().len());
    let mut iter = entries.iter_from(0);
    while let Some((name, id)) = iter.next() {
        assert!(builder.push(name, id), "the entries of a page fit a page");
    }
    builder.finish()
}

/// Kinds with one encoding for each content.
fn identical(page: &Page, image: Box<[u8]>) -> Box<[u8]> {
    let image = crate::page_unpack::sealed(image);
    assert!(*image == *page.bytes(), "encoding again gives other bytes");
    image
}

/// Both pages hold the same cells or entries.
pub(crate) fn assert_same(page: &Page, again: &Page) {
    let header = |page: &Page| (page.kind(), page.space(), page.level());
    assert_eq!(header(page), header(again));
    if let (Some(a), Some(b)) = (page.sorted(), again.sorted()) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let mut others = (0..b.len()).filter(|i| !b.is_absent(*i));
        for i in (0..a.len()).filter(|i| !a.is_absent(*i)) {
            let j = others.next().expect("as many cells");
            a.key(i, &mut left);
            b.key(j, &mut right);
            assert!(
                left == right && a.value(i) == b.value(j),
                "cell {i} differs"
            );
        }
        assert!(others.next().is_none(), "as many cells");
    }
    if let (Some(a), Some(b)) = (page.names(), again.names()) {
        assert_eq!(a.len(), b.len());
        let (mut a, mut b) = (a.iter_from(0), b.iter_from(0));
        while let Some(entry) = a.next() {
            assert_eq!(Some(entry), b.next());
        }
    }
}
