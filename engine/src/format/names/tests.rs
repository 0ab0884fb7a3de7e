#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{NamesBuilder, NamesPage, Samples, compare_keys};
use crate::format::bytes::u48_be;
use crate::format::page::{Page, PageKind};
use crate::format::testing::{damage, damaged, each, read_all, reseal, sealed};
use crate::ids::MAX_U48;

type Names = BTreeSet<(Vec<u8>, u64)>;

fn key(name: &[u8], id: u64) -> Vec<u8> {
    [name, &[0], &u48_be(id)].concat()
}

#[track_caller]
fn check(names: &Names) -> Vec<Page> {
    let mut sorted: Vec<_> = names.iter().cloned().collect();
    sorted.sort_by_key(|(name, id)| key(name, *id));
    let mut builder = NamesBuilder::new(4096);
    let mut pages = Vec::new();
    for (name, id) in &sorted {
        let before = builder.size();
        if !builder.push(name, *id) {
            assert_eq!(builder.size(), before);
            pages.push(finish(&mut builder));
            assert!(builder.push(name, *id));
        }
    }
    pages.push(finish(&mut builder));
    let mut all = Vec::new();
    for page in &pages {
        assert_eq!((page.kind(), page.level()), (PageKind::NamesLeaf, 0));
        read_all(page);
        let view = page.names().unwrap();
        let start = all.len();
        let mut iter = view.iter_from(0);
        while let Some((name, id)) = iter.next() {
            all.push((name.to_vec(), id));
        }
        let here = &all[start..];
        for (name, id) in each(&sorted) {
            for (name, id) in [
                (&name[..], *id),
                (name, id - 1),
                (&[&name[..], &[0]].concat(), *id),
            ] {
                let probe = key(name, id);
                let expected = here.binary_search_by(|(name, id)| key(name, *id).cmp(&probe));
                assert_eq!(view.search(name, id), expected);
            }
        }
        check_lookups(view, &sorted, &all[..start], here);
        for i in each(0..=here.len()) {
            let first = view
                .iter_from(i)
                .next()
                .map(|(name, id)| (name.to_vec(), id));
            assert_eq!(first.as_ref(), here.get(i));
        }
    }
    assert_eq!(all, sorted);
    pages
}

/// Places and nodes of names on a page with the entries `here`, after those of the pages `before` it.
fn check_lookups(
    page: NamesPage<'_>,
    sorted: &[(Vec<u8>, u64)],
    before: &[(Vec<u8>, u64)],
    here: &[(Vec<u8>, u64)],
) {
    let bound = |entry: Option<&(Vec<u8>, u64)>| entry.map(|(name, id)| key(name, *id)).unwrap();
    let (low, high) = (bound(here.first()), bound(here.last()));
    let known = low.iter().zip(&high).take_while(|(a, b)| a == b).count();
    let [none, some, all] = [0, known / 2, known].map(|known| Samples::of(&page, known));
    for (name, _) in each(sorted) {
        for name in [
            &name[..],
            &[&name[..], &[0]].concat(),
            &[&name[..], b"x"].concat(),
        ] {
            let probe = key(name, 0);
            let at = here.partition_point(|(name, id)| key(name, *id) < probe);
            if low <= probe && probe <= high {
                for samples in [None, Some(&none), Some(&some), Some(&all)] {
                    let mut position = page.seek(probe.clone(), samples);
                    assert_eq!(position.index(), at);
                    let id = page.step(&mut position).map(|id| (position.name(), id));
                    let wanted = here.get(at).map(|(name, id)| (&name[..], *id));
                    assert_eq!(id, wanted);
                }
            }
            // A page is asked only if it has the first entry of a name, or would have.
            let asked = probe >= low && !before.iter().any(|(other, _)| other == name);
            if asked && let Some(only) = page.only(name, &probe, &none) {
                let mut ids = sorted.iter().filter(|(other, _)| other == name);
                assert_eq!(only, ids.next().map(|(_, id)| *id));
                assert_eq!(ids.next(), None);
            }
        }
    }
}

fn finish(builder: &mut NamesBuilder) -> Page {
    let (size, len) = (builder.size(), builder.len());
    let image = builder.finish();
    assert!(builder.is_empty());
    // A varint's last byte is not zero unless the id is, so the last used byte tells the size.
    let used = image.iter().rposition(|byte| *byte != 0).unwrap();
    assert_eq!(used + 1 + 8, size, "size is exact");
    assert_eq!(sealed(image.clone()).count(), len);
    sealed(image)
}

fn names<'a>(names: impl IntoIterator<Item = (&'a str, u64)>) -> Names {
    names
        .into_iter()
        .map(|(name, id)| (name.into(), id))
        .collect()
}

#[test]
fn names_round_trip() {
    check(&names([("", 1)]));
    check(&names([("a", 1), ("a", 2), ("ab", 1), ("b", MAX_U48)]));
    for count in [15, 16, 17, 32, 33] {
        check(&names((0..count).map(|i| ("same", i + 1))));
    }
    let many: Vec<String> = (0..2000)
        .map(|i| format!("module::path_{}::item_{i}", i % 7))
        .collect();
    let pages = check(&names(
        many.iter().zip(1..).map(|(name, id)| (&name[..], id)),
    ));
    assert!(pages.len() > 3);
    let long = ["x".repeat(1024), "x".repeat(1023), "y".repeat(1024)];
    check(&names(long.iter().map(|name| (&name[..], 5))));
}

#[test]
fn zeros_in_names_sort_as_bytes() {
    // (name, id) order would put every id of "a" before "a\0".
    let tricky = [
        ("a", 1),
        ("a", 0x0100_0000_0000),
        ("a\0", 1),
        ("a\0\0", 7),
        ("a\0b", 2),
        ("a\x01", 3),
    ];
    check(&names(tricky));
    assert!(compare_keys((b"a\0", 1), (b"a", 0x0100_0000_0000)).is_lt());
}

#[test]
fn broken_rules_are_named() {
    let page = &check(&names([("ant", 1), ("bee", 2)]))[0];
    let break_at = |at: usize, byte: u8| {
        let mut image: Box<[u8]> = page.bytes().into();
        image[at] = byte;
        reseal(image).err().map(|error| error.0)
    };
    assert_eq!(
        break_at(2, 1),
        Some("names leaf outside its space or level")
    );
    assert_eq!(break_at(3, 1), Some("reserved bytes are not zero"));
    assert_eq!(break_at(4, 0), Some("names leaf without entries"));
    assert_eq!(
        break_at(14, 2),
        Some("number of restarts does not follow from the count")
    );
    assert_eq!(break_at(16, 19), Some("a restart is not where it says"));
    assert_eq!(break_at(18, 1), Some("an entry shares more than there is"));
    assert_eq!(break_at(23, 0), Some("node id is 0"));
    assert_eq!(break_at(24, 4), Some("an entry shares more than there is"));
    assert_eq!(break_at(26, b'a'), Some("names do not ascend"));
    assert_eq!(break_at(300, 1), Some("unused bytes are not zero"));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "names must ascend")]
fn names_out_of_order_are_not_encoded() {
    let mut builder = NamesBuilder::new(4096);
    builder.push(b"bee", 1);
    builder.push(b"ant", 2);
}

fn many() -> impl Strategy<Value = Names> {
    let byte = prop_oneof![Just(0u8), Just(b'a'), Just(b'b'), any::<u8>()];
    let name = prop::collection::vec(byte, 0..12);
    let id = prop_oneof![1..9u64, 1..=MAX_U48];
    prop::collection::btree_set((name, id), 1..150)
}

proptest! {
    #[test]
    fn comparing_is_comparing_bytes(a in many(), b in many()) {
        for ((a, a_id), (b, b_id)) in a.iter().zip(&b) {
            prop_assert_eq!(compare_keys((a, *a_id), (b, *b_id)), key(a, *a_id).cmp(&key(b, *b_id)));
        }
    }

    #[test]
    fn any_names_round_trip(names in many()) {
        check(&names);
    }

    #[test]
    fn damaged_leaves_never_panic(names in many(), damage in damage()) {
        damaged(&check(&names)[0], &damage);
    }
}

#[test]
fn a_name_of_one_node_is_known_from_two_entries() {
    let mut builder = NamesBuilder::new(4096);
    let names = [
        "node-1", "node-10", "node-100", "node-2", "node-3", "node-3", "node-4",
    ];
    for (name, id) in names.iter().zip(7..) {
        assert!(builder.push(name.as_bytes(), id));
    }
    let page = sealed(builder.finish());
    let view = page.names().unwrap();
    let samples = Samples::of(&view, "node-".len());
    let only = |name: &str| view.only(name.as_bytes(), &key(name.as_bytes(), 0), &samples);
    assert_eq!(only("node-1"), Some(Some(7)));
    assert_eq!(only("node-10"), Some(Some(8)));
    assert_eq!(only("node-2"), Some(Some(10)));
    assert_eq!(only("node-"), Some(None));
    assert_eq!(only("node-20"), Some(None));
    // Two nodes have it; the next page may have more.
    assert_eq!(only("node-3"), None);
    assert_eq!(only("node-4"), None);
    assert_eq!(only("node-5"), None);
}
