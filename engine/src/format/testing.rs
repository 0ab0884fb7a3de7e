//! What the tests of this layer share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

/// Steps of a loop that Miri takes, which needs some thousand times as long for each.
const FEW: usize = 4;

use super::page::{Page, seal};
use super::{FileId, FormatError};
use crate::ids::PageRef;

pub(crate) const ID: FileId = *b"a file for tests";

/// What a loop of a test goes through: everything. Under Miri a few that are spread evenly, the last among them.
pub(crate) fn each<T>(steps: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
    let steps: Vec<T> = steps.into_iter().collect();
    let apart = if cfg!(miri) {
        steps.len().div_ceil(FEW)
    } else {
        1
    };
    let last = steps.len();
    let taken = move |step: &usize| (last - step).is_multiple_of(apart.max(1));
    let numbered = (1..).zip(steps);
    numbered.filter_map(move |(step, value)| taken(&step).then_some(value))
}

/// So many cases of each property at most. The environment may ask for fewer, as `make miri` does.
pub(crate) fn cases(most: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases.min(most),
        ..usual
    }
}

pub(crate) fn place() -> PageRef {
    PageRef::new(77, 1234).unwrap()
}

/// Seals an image as it is, sound or not, and verifies it.
pub(crate) fn reseal(mut image: Box<[u8]>) -> Result<Page, FormatError> {
    seal(&mut image, place(), &ID);
    Page::verify(image.into(), place(), &ID)
}

/// An image that its encoder made must verify.
#[track_caller]
pub(crate) fn sealed(image: Box<[u8]>) -> Page {
    reseal(image).expect("a page that was just encoded")
}

/// Bytes to overwrite: most near the front, where headers and tables are.
pub(crate) fn damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
    let at = prop_oneof![0..64usize, 0..600usize, 0..4096usize];
    prop::collection::vec((at, any::<u8>()), 1..6)
}

/// A page with sealed damage is refused, or reads without a panic as what it now says.
pub(crate) fn damaged(page: &Page, damage: &[(usize, u8)]) {
    let mut image: Box<[u8]> = page.bytes().into();
    for (at, byte) in damage {
        image[*at] = *byte;
    }
    if let Ok(page) = reseal(image) {
        read_all(&page);
    }
}

/// Uses every accessor of a verified page, and checks what verification promises of them.
pub(crate) fn read_all(page: &Page) {
    if let Some(sorted) = page.sorted() {
        let mut key = Vec::new();
        let mut last: Option<Vec<u8>> = None;
        for i in each(0..sorted.len()) {
            sorted.key(i, &mut key);
            assert!(last.as_ref() < Some(&key), "keys ascend");
            let found = if sorted.is_absent(i) { Err(i) } else { Ok(i) };
            assert_eq!(sorted.search(&key), found);
            if let Ok(six) = <[u8; 6]>::try_from(&key[..]) {
                let id = super::bytes::from_u48_be(six);
                assert_eq!(sorted.find_u48(id), found.ok());
                assert_eq!(sorted.key_u48(i), id);
            }
            assert_eq!(sorted.value(i), &page.bytes()[sorted.value_range(i)]);
            if page.level() > 0 {
                assert_ne!(sorted.child(i), page.at());
                assert_eq!(sorted.child_for(&key), i);
            }
            last = Some(key.clone());
        }
    }
    if let Some(names) = page.names() {
        let mut iter = names.iter_from(0);
        let mut told = Vec::new();
        while let Some((name, id)) = iter.next() {
            told.push((name.to_vec(), id));
        }
        assert_eq!(told.len(), names.len());
        let mut name = Vec::new();
        for i in each(0..names.len()) {
            let id = names.entry(i, &mut name);
            assert_eq!(told[i], (name.clone(), id));
            assert_eq!(names.search(&name, id), Ok(i));
        }
    }
    if let Some(index) = page.blob_index() {
        assert!(index.len() > 0);
        index.next();
        for extent in index.extents() {
            assert!(extent.page_ref(extent.pages - 1).is_some());
            assert!(extent.page_ref(extent.pages).is_none());
        }
    }
    if let Some(freelist) = page.freelist() {
        freelist.next();
        assert_eq!(
            freelist.runs().filter(|run| run.is_ok()).count(),
            page.count()
        );
    }
}
