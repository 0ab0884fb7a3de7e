#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use super::*;
use crate::forensics::Tally;
use crate::ids::MAX_U48;
use crate::storage::MemoryDirectory;
use crate::store::Files;

fn scratch() -> Scratch {
    let files = Files {
        directory: Arc::new(MemoryDirectory::new()),
        name: "sorted".to_owned(),
        given_directory: true,
    };
    Scratch::new(&files, &Tally::default())
}

/// Numbers that have nothing to do with one another, few of them distinct.
fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 59
}

fn key(number: u64) -> EdgeKey {
    EdgeKey {
        node: [1, 2, MAX_U48][(mixed(number) % 3) as usize],
        label: [0, 1, u16::MAX][(mixed(number + 1) % 3) as usize],
        peer: [1, 700, MAX_U48][(mixed(number + 2) % 3) as usize],
        ordinal: [0, 65_535, 65_536, u32::MAX][(mixed(number + 3) % 4) as usize],
    }
}

#[test]
fn a_packed_key_is_the_key_and_sorts_as_it() {
    let keys: Vec<EdgeKey> = (0..500).map(key).collect();
    for pair in keys.windows(2) {
        let [a, b] = *pair else { continue };
        if let (Some(x), Some(y)) = (Packed::of(a), Packed::of(b)) {
            assert_eq!((x.key(), y.key()), (a, b));
            assert_eq!(x.cmp(&y), a.cmp(&b));
        }
    }
    assert!(keys.iter().any(|key| Packed::of(*key).is_none()));
}

#[test]
fn keys_of_both_lanes_come_out_in_order() {
    for budget in [200, 1 << 20] {
        let mut scratch = scratch();
        let mut sorter = KeySorter::new(budget);
        let mut expected: Vec<EdgeKey> = (0..500).map(key).collect();
        for key in &expected {
            sorter.push(*key, &mut scratch).unwrap();
        }
        expected.sort_unstable();
        let sorted: Result<Vec<EdgeKey>> = sorter.finish(&mut scratch).unwrap().collect();
        assert_eq!(sorted.unwrap(), expected);
    }
}

#[test]
fn parallel_edges_stay_in_the_order_they_came() {
    for (budget, data_from) in [(200, 300), (1 << 20, 300), (200, 0), (200, u64::MAX)] {
        let mut scratch = scratch();
        let mut sorter = EdgeSorter::new(budget);
        let edge = |number: u64| NewEdge {
            source: mixed(number) + 1,
            label: 3,
            target: mixed(number + 9) + 1,
            arrival: number,
            ordinal: None,
            data: match number {
                _ if number < data_from || number.is_multiple_of(3) => Box::default(),
                _ => number.to_le_bytes().into(),
            },
        };
        let mut expected: Vec<NewEdge> = (0..1_000).map(edge).collect();
        for number in 0..1_000 {
            sorter.push(edge(number), &mut scratch).unwrap();
        }
        expected.sort();
        let sorted = sorter.finish(&mut scratch).unwrap();
        let shown = |edge: NewEdge| (edge.triple(), edge.data);
        let found: Vec<_> = sorted.map(|edge| shown(edge.unwrap())).collect();
        let expected: Vec<_> = expected.into_iter().map(shown).collect();
        assert!(found == expected);
    }
}
