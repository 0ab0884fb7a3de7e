use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::prelude::*;

use super::{EdgeList, EdgeRun};
use crate::btree::{Change, EdgeData};
use crate::delta::changes::{Changes, Rest};
use crate::delta::runs::{RUN_LIMIT, Run, Runs};
use crate::ids::EdgeKey;

type Model = BTreeMap<EdgeKey, Change<EdgeData>>;

fn keys() -> impl Strategy<Value = EdgeKey> {
    (0..6u64, 0..3u16, 0..6u64, 0..3u32).prop_map(|(node, label, peer, ordinal)| EdgeKey {
        node,
        label,
        peer,
        ordinal,
    })
}

fn changes() -> impl Strategy<Value = Change<EdgeData>> {
    prop_oneof![
        3 => Just(Change::Put(EdgeData::default())),
        1 => any::<u8>().prop_map(|byte| Change::Put(EdgeData::new(&[byte, 1]))),
        1 => Just(Change::Delete),
    ]
}

fn batches() -> impl Strategy<Value = Vec<Vec<(EdgeKey, Change<EdgeData>)>>> {
    let batch = prop::collection::vec((keys(), changes()), 0..20);
    prop::collection::vec(batch, 0..8)
}

fn list(batch: &[(EdgeKey, Change<EdgeData>)]) -> EdgeList {
    let mut list = EdgeList::default();
    for (key, change) in batch {
        list.push(key, change.clone());
    }
    list
}

fn all<'a, R: Rest<Key = EdgeKey> + 'a>(
    runs: &'a Runs<EdgeRun>,
    rest: impl Fn(&'a EdgeRun) -> R,
) -> Vec<(EdgeKey, Change<R::Value>)> {
    let mut changes = Changes::default();
    for run in runs.newest_first() {
        changes.add(rest(run));
    }
    changes.collect()
}

fn held(batches: &[Vec<(EdgeKey, Change<EdgeData>)>]) -> (Runs<EdgeRun>, Model) {
    let (mut runs, mut model) = (Runs::default(), Model::new());
    for batch in batches {
        EdgeRun::cut(list(batch))
            .into_iter()
            .for_each(|run| runs.push(run));
        model.extend(batch.iter().cloned());
    }
    (runs, model)
}

proptest! {
    #[test]
    fn runs_hold_the_last_change_of_each_key_in_both_directions(
        batches in batches(), from in keys(),
    ) {
        let (runs, model) = held(&batches);
        for bound in [Bound::Unbounded, Bound::Included(&from), Bound::Excluded(&from)] {
            let range = (bound, Bound::Unbounded);
            let out: Vec<_> = model.range::<EdgeKey, _>(range).map(|(k, c)| (*k, c.clone())).collect();
            prop_assert_eq!(all(&runs, |run| run.out(bound)), out);
            let reversed: BTreeMap<EdgeKey, bool> = model
                .iter()
                .map(|(key, change)| (key.reversed(), *change == Change::Delete))
                .collect();
            let inn: Vec<_> = reversed.range::<EdgeKey, _>(range).map(|(k, d)| (*k, *d)).collect();
            let found = all(&runs, |run| run.inn(bound)).into_iter();
            let found: Vec<_> = found.map(|(key, change)| (key, change == Change::Delete)).collect();
            prop_assert_eq!(found, inn);
        }
        for (key, change) in &model {
            let found = runs.newest_first().find_map(|run| run.get(key));
            prop_assert_eq!(found.as_ref(), Some(change));
        }
    }

    #[test]
    fn edges_are_numbered_in_the_order_they_came(
        triples in prop::collection::vec((1..4u64, 0..2u16, 1..4u64, any::<u8>()), 0..30),
    ) {
        let mut edges = EdgeList::default();
        let mut model = Model::new();
        for (node, label, peer, byte) in triples {
            let triple = EdgeKey { node, label, peer, ordinal: 0 };
            let data = EdgeData::new(&[byte]);
            edges.push(&triple, Change::Put(data.clone()));
            let before = model.keys().filter(|key| EdgeKey { ordinal: 0, ..**key } == triple).count();
            model.insert(EdgeKey { ordinal: 5 + before as u32, ..triple }, Change::Put(data));
        }
        edges.sort();
        let numbered = edges.number(|_| Ok::<u32, ()>(5), |ordinal| Ok(ordinal + 1));
        prop_assert_eq!(numbered, Ok(()));
        let run = EdgeRun::cut(edges);
        let numbered: Vec<_> = run.iter().flat_map(changes_of).collect();
        prop_assert_eq!(numbered, model.into_iter().collect::<Vec<_>>());
    }
}

fn changes_of(run: &EdgeRun) -> Vec<(EdgeKey, Change<EdgeData>)> {
    let mut changes = Changes::default();
    changes.add(run.out(Bound::Unbounded));
    changes.collect()
}

#[test]
fn more_changes_than_a_run_should_hold_become_several() {
    let mut edges = EdgeList::default();
    let count = 2 * RUN_LIMIT as u64 + 1;
    for peer in (1..=count).rev() {
        let key = EdgeKey {
            node: 1,
            peer,
            ..EdgeKey::default()
        };
        edges.push(&key, Change::Put(EdgeData::default()));
    }
    let runs = EdgeRun::cut(edges);
    let lens: Vec<usize> = runs.iter().map(Run::len).collect();
    assert_eq!(lens, [RUN_LIMIT, RUN_LIMIT, 1]);
    let peers = runs.iter().flat_map(changes_of).map(|(key, _)| key.peer);
    assert!(peers.eq(1..=count));
}

#[test]
fn an_edge_without_data_takes_twenty_four_bytes() {
    let (runs, _) = held(&[(1..=1_000)
        .map(|peer| {
            let key = EdgeKey {
                node: 7,
                peer,
                ..EdgeKey::default()
            };
            (key, Change::Put(EdgeData::default()))
        })
        .collect()]);
    assert_eq!(runs.bytes(), 24_000);
}
