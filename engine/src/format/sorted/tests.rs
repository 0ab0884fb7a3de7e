#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Mode, SortedBuilder};
use crate::format::bytes::{from_u48_be, u48_be};
use crate::format::page::{Page, put_ref};
use crate::format::testing::{damage, damaged, each, read_all, reseal, sealed};
use crate::ids::{KeySpace, PageRef};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// Builds as many pages as it takes, and checks sizes, contents and searches against the map.
#[track_caller]
fn check(space: KeySpace, level: u8, map: &Map) -> Vec<Page> {
    let mut builder = SortedBuilder::new(4096, space, level);
    let mut pages = Vec::new();
    let mut size = 0;
    for (key, value) in map {
        if !builder.push(key, value) {
            assert_eq!(builder.size(), size, "a refused push changes nothing");
            pages.push(finish(&mut builder));
            assert!(builder.push(key, value));
        }
        size = builder.size();
    }
    pages.push(finish(&mut builder));
    let mut all = Map::new();
    for page in &pages {
        assert_eq!((page.space(), page.level()), (Some(space), level));
        read_all(page);
        let here = contents(page);
        check_searches(page, &here, map);
        all.extend(here);
    }
    assert_eq!(&all, map);
    pages
}

fn finish(builder: &mut SortedBuilder) -> Page {
    let size = builder.size();
    let image = builder.finish();
    assert!(builder.is_empty());
    let page = sealed(image);
    let sorted = page.sorted().unwrap();
    assert_eq!(
        sorted.value_range(sorted.len() - 1).end + 8,
        size,
        "size is exact"
    );
    page
}

fn contents(page: &Page) -> Map {
    let sorted = page.sorted().unwrap();
    let mut key = Vec::new();
    let present = (0..sorted.len()).filter(|i| !sorted.is_absent(*i));
    let cells = present.map(|i| {
        sorted.key(i, &mut key);
        (key.clone(), sorted.value(i).to_vec())
    });
    cells.collect()
}

/// Every key of `keys`, and near misses of each, is found where the page's contents say.
fn check_searches(page: &Page, here: &Map, keys: &Map) {
    let sorted = page.sorted().unwrap();
    for key in each(keys.keys()) {
        let mut probes = vec![key.clone(), [&key[..], &[0]].concat()];
        if let Some((last, start)) = key.split_last() {
            probes.push(start.to_vec());
            probes.push([start, &[last.wrapping_add(1)]].concat());
            probes.push([start, &[last.wrapping_sub(1)]].concat());
        }
        for probe in probes {
            let below = here.range(..probe.clone()).count();
            let present_before = |i| (0..i).filter(|i| !sorted.is_absent(*i)).count();
            match sorted.search(&probe) {
                Ok(i) => {
                    assert_eq!(
                        here.get(&probe).map(|value| &value[..]),
                        Some(sorted.value(i))
                    );
                    assert_eq!(present_before(i), below);
                }
                Err(i) => {
                    assert!(!here.contains_key(&probe));
                    assert_eq!(present_before(i), below);
                }
            }
            if let Ok(six) = <[u8; 6]>::try_from(&probe[..]) {
                let id = from_u48_be(six);
                let found = sorted.search(&probe).ok();
                assert_eq!(sorted.find_u48(id), found);
                let value = found.map(|i| sorted.value_range(i));
                assert_eq!(sorted.find_value_u48(id), value);
            }
            let child = sorted.child_for(&probe);
            if page.level() > 0 {
                assert_eq!(
                    child,
                    below.saturating_sub(usize::from(!here.contains_key(&probe)))
                );
            }
        }
    }
}

fn ids(ids: impl IntoIterator<Item = u64>) -> Map {
    ids.into_iter()
        .map(|id| (u48_be(id).to_vec(), vec![id as u8; 1 + id as usize % 40]))
        .collect()
}

fn modes(pages: &[Page]) -> Vec<Mode> {
    pages
        .iter()
        .map(|page| page.sorted().unwrap().mode())
        .collect()
}

#[test]
fn dense_ids_are_direct() {
    let pages = check(KeySpace::Nodes, 0, &ids(1..=500));
    assert!(modes(&pages).iter().all(|mode| *mode == Mode::Direct));
    assert_eq!(modes(&check(KeySpace::Nodes, 0, &ids([7]))), [Mode::Direct]);
    // Three slots for one key is what a fixed table costs as well.
    let pages = check(KeySpace::Out, 0, &ids((1..=100).map(|i| 2 * i)));
    assert!(modes(&pages).iter().all(|mode| *mode == Mode::Direct));
}

#[test]
fn sparse_ids_are_fixed() {
    let pages = check(KeySpace::Nodes, 0, &ids((1..=500).map(|i| i * 1000)));
    assert!(modes(&pages).iter().all(|mode| *mode == Mode::Fixed));
    let uneven = ids((0..300u64).map(|i| i * i * i + 1));
    check(KeySpace::Absent, 0, &uneven);
}

#[test]
fn ids_with_little_in_common_keep_a_part_of_the_key_in_the_cell() {
    let ends = [
        0xffff_fff0u64,
        0xffff_ffff,
        0x1_0000_0000,
        0x1_0000_0001,
        0xffff_ffff_ffff,
    ];
    for space in [KeySpace::Nodes, KeySpace::Kinds] {
        assert_eq!(modes(&check(space, 0, &ids(ends))), [Mode::Fixed]);
        assert_eq!(
            modes(&check(space, 0, &ids([0, 0xffff_ffff_ffff]))),
            [Mode::Fixed]
        );
    }
}

#[test]
fn direct_mode_reaches_the_last_head() {
    check(KeySpace::Nodes, 0, &ids([0xffff_fffe, 0xffff_ffff]));
    check(KeySpace::Nodes, 0, &ids(0xffff_ff00..=0xffff_ffff));
}

fn branch(keys: impl IntoIterator<Item = Vec<u8>>) -> Map {
    let child = |i| PageRef::new(i as u64 + 2, 9 * i as u64);
    let cell = |(i, key)| {
        let mut value = Vec::new();
        put_ref(&mut value, child(i));
        (key, value)
    };
    keys.into_iter().enumerate().map(cell).collect()
}

#[test]
fn branches_take_separators_of_any_length() {
    let keys = (0..400u64).map(|i| u48_be(i * 50).to_vec());
    let pages = check(KeySpace::Nodes, 1, &branch(keys.clone()));
    assert_eq!(modes(&pages)[0], Mode::Fixed);
    check(
        KeySpace::Nodes,
        3,
        &branch([vec![]].into_iter().chain(keys.clone().skip(1))),
    );
    check(KeySpace::Out, 1, &branch([vec![]]));
    let cut = keys.flat_map(|key| {
        [
            key.clone(),
            [&key[..], &[0, 0]].concat(),
            [&key[..], &[0, 0, 0, 0, 0, 7]].concat(),
        ]
    });
    check(KeySpace::Out, 1, &branch(cut));
    let zeros = (0..9).map(|len| vec![0; len]);
    check(KeySpace::Names, 1, &branch(zeros));
    check(
        KeySpace::Names,
        2,
        &branch([vec![b'x'; 1031], vec![b'y'; 1031]]),
    );
}

#[test]
fn keys_shorter_than_the_prefix_are_before_or_after_all() {
    let page = &check(KeySpace::Nodes, 0, &ids(0x1_0000_0001..0x1_0000_0020))[0];
    let sorted = page.sorted().unwrap();
    assert_eq!(sorted.prefix(), [0, 1]);
    assert_eq!([&[][..], &[0]].map(|key| sorted.search(key)), [Err(0); 2]);
    assert_eq!(sorted.search(&[1]), Err(sorted.len()));
}

#[test]
fn a_value_of_no_bytes_is_not_an_absent_key() {
    let mut map = ids(1..=20);
    map.insert(u48_be(7).to_vec(), vec![]);
    assert_eq!(modes(&check(KeySpace::Kinds, 0, &map)), [Mode::Fixed]);
}

#[test]
fn keys_of_eight_bytes_with_two_in_common_have_two_in_the_cell() {
    let keys = (1..20u8).map(|i| vec![7, 7, i, 0, 0, i, 1, 2]);
    let page = &check(KeySpace::Out, 1, &branch(keys))[0];
    let sorted = page.sorted().unwrap();
    assert_eq!((sorted.mode(), sorted.prefix()), (Mode::Fixed, &[7, 7][..]));
}

#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "keys must ascend")]
fn keys_out_of_order_are_not_encoded() {
    let mut builder = SortedBuilder::new(4096, KeySpace::Nodes, 0);
    builder.push(&u48_be(2), b"two");
    builder.push(&u48_be(1), b"one");
}

#[test]
fn absent_cells_are_not_found() {
    let page = &check(KeySpace::Out, 0, &ids([1, 3]))[0];
    let sorted = page.sorted().unwrap();
    assert_eq!(sorted.len(), 3);
    assert!(sorted.is_absent(1));
    assert_eq!(sorted.search(&u48_be(2)), Err(1));
    assert_eq!(
        [1, 2, 3, 4].map(|id| sorted.find_u48(id)),
        [Some(0), None, Some(2), None]
    );
}

#[test]
fn the_largest_pages_are_filled() {
    for level in [0, 1] {
        let mut builder = SortedBuilder::new(65536, KeySpace::Out, level);
        let mut value = Vec::new();
        put_ref(&mut value, PageRef::new(3, 4));
        let mut count = 0;
        while builder.push(&u48_be(1 + count), &value) {
            count += 1;
        }
        assert!(builder.size() > 65536 - 24);
        let page = sealed(builder.finish());
        assert_eq!(page.sorted().unwrap().len() as u64, count);
        read_all(&page);
    }
}

#[test]
fn least_separators_keep_branches_in_fixed_mode() {
    for space in [KeySpace::Nodes, KeySpace::In] {
        let least = super::least_separator(space).to_vec();
        let keys = (1..300u64).map(|i| u48_be(i * 90).to_vec());
        let pages = check(space, 1, &branch([least].into_iter().chain(keys)));
        assert!(modes(&pages).iter().all(|mode| *mode == Mode::Fixed));
    }
    assert!(super::least_separator(KeySpace::Names).is_empty());
}

#[test]
fn broken_rules_are_named() {
    let page = sealed({
        let mut builder = SortedBuilder::new(4096, KeySpace::Nodes, 0);
        builder.push(&u48_be(1), b"one");
        builder.push(&u48_be(100), b"hundred");
        builder.finish()
    });
    let break_at = |at: usize, byte: u8| {
        let mut image: Box<[u8]> = page.bytes().into();
        image[at] = byte;
        reseal(image).err().map(|error| error.0)
    };
    assert_eq!(break_at(3, 1), None, "fixed mode it is");
    assert_eq!(
        break_at(3, 2),
        Some("keys of a leaf are not six bytes long")
    );
    assert_eq!(break_at(0, 6), Some("unknown page kind"));
    assert_eq!(break_at(1, 8), Some("unknown key space"));
    assert_eq!(break_at(1, 0), Some("tree page without a key space"));
    assert_eq!(break_at(1, 4), Some("names leaf of the wrong page kind"));
    assert_eq!(break_at(2, 25), Some("page level out of range"));
    assert_eq!(
        break_at(2, 1),
        Some("the value of a branch cell is not a reference")
    );
    assert_eq!(break_at(3, 3), Some("unknown mode of a sorted page"));
    assert_eq!(break_at(4, 0), Some("sorted page without cells"));
    assert_eq!(break_at(5, 255), Some("tables exceed the page"));
    assert_eq!(
        break_at(6, 1),
        Some("keys of a leaf are not six bytes long")
    );
    assert_eq!(break_at(18, 101), Some("keys do not ascend"));
    assert_eq!(break_at(27, 1), Some("cell ends do not ascend"));
    assert_eq!(break_at(29, 255), Some("cells exceed the page"));
    assert_eq!(break_at(4000, 1), Some("unused bytes are not zero"));
}

fn id_maps() -> impl Strategy<Value = Map> {
    let near = prop::collection::btree_set(1..400u64, 1..200);
    let far = prop::collection::btree_set(1..=crate::ids::MAX_U48, 1..120);
    let clusters = (
        prop::collection::btree_set(0..0x30_0000u64, 1..200),
        0..40u32,
    )
        .prop_map(|(ids, shift)| {
            ids.into_iter()
                .map(|id| (id << shift) & crate::ids::MAX_U48)
                .collect()
        });
    prop_oneof![near, far, clusters].prop_map(ids)
}

fn byte_maps() -> impl Strategy<Value = Map> {
    let byte = prop_oneof![Just(0u8), Just(1), Just(255), any::<u8>()];
    let key = prop::collection::vec(byte, 0..9);
    let value = prop::collection::vec(any::<u8>(), 0..20);
    prop::collection::btree_map(key, value, 1..150)
}

proptest! {
    #[test]
    fn leaves_of_ids_round_trip(map in id_maps()) {
        check(KeySpace::Nodes, 0, &map);
    }

    #[test]
    fn leaves_of_bytes_round_trip(map in byte_maps()) {
        check(KeySpace::Dictionary, 0, &map);
    }

    #[test]
    fn branches_round_trip(map in byte_maps()) {
        check(KeySpace::Out, 1, &branch(map.into_keys()));
    }

    #[test]
    fn damaged_leaves_never_panic(map in id_maps(), damage in damage()) {
        damaged(&check(KeySpace::Nodes, 0, &map)[0], &damage);
    }

    #[test]
    fn damaged_byte_leaves_never_panic(map in byte_maps(), damage in damage()) {
        damaged(&check(KeySpace::Dictionary, 0, &map)[0], &damage);
    }

    #[test]
    fn damaged_branches_never_panic(map in byte_maps(), damage in damage()) {
        damaged(&check(KeySpace::Names, 1, &branch(map.into_keys()))[0], &damage);
    }
}
