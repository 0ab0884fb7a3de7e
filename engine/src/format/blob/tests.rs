#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;

use super::{Extent, data_capacity, encode_data, encode_index, index_capacity};
use crate::format::limits::{MAX_DATA_LEN, PAGE_SIZES};
use crate::format::testing::{damage, damaged, place, read_all, reseal, sealed};
use crate::ids::{MAX_U48, PageRef};

fn extents() -> impl Strategy<Value = Vec<Extent>> {
    let extent = (1..MAX_U48 - 9, 1..10u32, 0..MAX_U48 - 9)
        .prop_map(|(page, pages, birth)| Extent { page, pages, birth });
    prop::collection::vec(extent, 1..=index_capacity(4096))
}

proptest! {
    #[test]
    fn index_pages_round_trip(extents in extents(), total in 1..=MAX_DATA_LEN, chained in any::<bool>(), damage in damage()) {
        let next = chained.then(place);
        let page = sealed(encode_index(4096, total, next, &extents));
        let index = page.blob_index().unwrap();
        prop_assert_eq!((index.len(), index.next()), (total, next));
        prop_assert_eq!(index.extents().collect::<Vec<_>>(), extents);
        read_all(&page);
        damaged(&page, &damage);
    }
}

#[test]
fn data_pages_round_trip() {
    for size in PAGE_SIZES {
        assert_eq!(data_capacity(size), size - 24);
        let data = vec![7; data_capacity(size)];
        assert_eq!(
            sealed(encode_data(size, &data)).blob_data(),
            Some(&data[..])
        );
        let page = sealed(encode_data(size, b"short"));
        assert!(page.blob_data().unwrap().starts_with(b"short\0\0"));
        assert!(page.sorted().is_none());
    }
}

#[test]
fn extents_count_their_pages() {
    let extent = Extent {
        page: 10,
        pages: 2,
        birth: 100,
    };
    assert_eq!(
        [0, 1, 2].map(|j| extent.page_ref(j)),
        [PageRef::new(10, 100), PageRef::new(11, 101), None]
    );
}

#[test]
fn broken_rules_are_named() {
    let page = sealed(encode_index(
        4096,
        5000,
        None,
        &[Extent {
            page: 10,
            pages: 2,
            birth: 100,
        }],
    ));
    let break_at = |at: usize, byte: u8| {
        let mut image: Box<[u8]> = page.bytes().into();
        image[at] = byte;
        reseal(image).err().map(|error| error.0)
    };
    assert_eq!(break_at(1, 1), Some("page outside trees has a space"));
    assert_eq!(break_at(4, 0), Some("blob index without extents"));
    assert_eq!(break_at(5, 9), Some("extents exceed the page"));
    assert_eq!(break_at(14, 1), Some("reserved bytes are not zero"));
    assert_eq!(break_at(20, 1), Some("blob length out of range"));
    assert_eq!(break_at(30, 1), Some("reference to no page has a birth"));
    assert_eq!(break_at(36, 1), Some("reserved bytes are not zero"));
    assert_eq!(break_at(40, 0), Some("an extent of no pages"));
    assert_eq!(break_at(46, 0), Some("an extent of no pages"));
    assert_eq!(break_at(70, 1), Some("unused bytes are not zero"));
    // The second page, or its birth, would need a bit more.
    for greatest in [40..46, 50..56] {
        let mut image: Box<[u8]> = page.bytes().into();
        image[greatest].fill(255);
        assert_eq!(
            reseal(image).err().map(|error| error.0),
            Some("an extent exceeds 48 bits")
        );
    }
}
