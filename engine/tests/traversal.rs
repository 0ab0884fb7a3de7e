//! Walks against plain searches over the same edges: breadth-first search, hops, shortest paths, and the
//! traversal cache that all of them may share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use proptest::prelude::*;
use vellum::storage::MemoryDirectory;
use vellum::{Database, Direction, Error, NodeId, TraversalCache};

const LABELS: [&str; 3] = ["a", "b", "c"];

/// Source, label, target and cost; nodes are numbered from 1.
type PlainEdge = (u64, &'static str, u64, u32);

/// What a walk follows.
#[derive(Clone, Copy, Debug)]
struct Follow {
    /// `None` for both.
    direction: Option<Direction>,
    label: Option<&'static str>,
}

impl Follow {
    /// Nodes one edge further, with the cost of each edge.
    fn steps(self, edges: &[PlainEdge], from: u64) -> Vec<(u64, u32)> {
        let chosen = edges
            .iter()
            .filter(|edge| self.label.is_none_or(|label| edge.1 == label));
        let mut steps = Vec::new();
        for &(source, _, target, cost) in chosen {
            if source == from && self.direction != Some(Direction::In) {
                steps.push((target, cost));
            }
            if target == from && self.direction != Some(Direction::Out) {
                steps.push((source, cost));
            }
        }
        steps
    }

    /// The fewest edges to each node that can be reached.
    fn distances(self, edges: &[PlainEdge], start: u64) -> BTreeMap<u64, u32> {
        let mut found = BTreeMap::from([(start, 0)]);
        let mut waiting = VecDeque::from([start]);
        while let Some(node) = waiting.pop_front() {
            for (next, _) in self.steps(edges, node) {
                if !found.contains_key(&next) {
                    found.insert(next, found[&node] + 1);
                    waiting.push_back(next);
                }
            }
        }
        found
    }

    /// The least cost to a node by at most this many edges, by relaxing every edge once a round.
    fn least_cost(self, edges: &[PlainEdge], from: u64, to: u64, limit: u32) -> Option<u64> {
        let mut costs = BTreeMap::from([(from, 0u64)]);
        for _ in 0..limit {
            let mut next = costs.clone();
            for (&node, &cost) in &costs {
                for (peer, more) in self.steps(edges, node) {
                    let sum = cost + u64::from(more);
                    let known = next.entry(peer).or_insert(sum);
                    *known = sum.min(*known);
                }
            }
            costs = next;
        }
        costs.get(&to).copied()
    }
}

fn id(number: u64) -> NodeId {
    NodeId::new(number).unwrap()
}

/// The graph, half of its edges merged into the trees and half still in the delta.
fn database(nodes: u64, edges: &[PlainEdge]) -> Database {
    let db = Database::builder()
        .in_directory(Arc::new(MemoryDirectory::new()))
        .create("graph")
        .unwrap();
    let (merged, newer) = edges.split_at(edges.len() / 2);
    let mut txn = db.begin_write().unwrap();
    for number in 1..=nodes {
        txn.insert_node("n", &number.to_string(), b"").unwrap();
    }
    for part in [merged, newer] {
        for (source, label, target, cost) in part {
            txn.insert_edge(id(*source), label, id(*target), cost.to_string().as_bytes())
                .unwrap();
        }
        txn.commit().unwrap();
        if std::ptr::eq(part, merged) {
            db.checkpoint().unwrap();
        }
        txn = db.begin_write().unwrap();
    }
    drop(txn);
    db
}

fn graphs() -> impl Strategy<Value = (u64, Vec<PlainEdge>)> {
    (2..40u64).prop_flat_map(|nodes| {
        let edge = (1..=nodes, 0..LABELS.len(), 1..=nodes, 0..20u32)
            .prop_map(|(source, label, target, cost)| (source, LABELS[label], target, cost));
        (Just(nodes), prop::collection::vec(edge, 0..90))
    })
}

fn follows() -> impl Strategy<Value = Follow> {
    let direction = prop_oneof![
        Just(None),
        Just(Some(Direction::Out)),
        Just(Some(Direction::In))
    ];
    let label = prop_oneof![Just(None), Just(Some("a")), Just(Some("never used"))];
    (direction, label).prop_map(|(direction, label)| Follow { direction, label })
}

fn cost_of(edge: &vellum::Edge<'_>) -> vellum::Result<f64> {
    Ok(std::str::from_utf8(&edge.data()?).unwrap().parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn searches_visit_what_a_plain_search_does(
        (nodes, edges) in graphs(), follow in follows(), depth in 0..6u32, pages in 1..4usize
    ) {
        let db = database(nodes, &edges);
        let txn = db.begin_read().unwrap();
        let mut cache = TraversalCache::builder().capacity(pages).build().unwrap();
        for start in 1..=nodes {
            let mut search = txn.bfs(id(start)).max_depth(depth).cache(&mut cache);
            search = match follow.direction {
                Some(direction) => search.direction(direction),
                None => search.undirected(),
            };
            if let Some(label) = follow.label {
                search = search.label(label);
            }
            let mut visits = Vec::new();
            let end: Option<()> = search
                .run(|visit| {
                    visits.push(visit);
                    ControlFlow::Continue(())
                })
                .unwrap();
            prop_assert!(end.is_none());
            let expected: BTreeSet<(u32, u64)> = follow
                .distances(&edges, start)
                .into_iter()
                .filter(|(_, distance)| *distance <= depth)
                .map(|(node, distance)| (distance, node))
                .collect();
            let found: Vec<(u32, u64)> =
                visits.iter().map(|visit| (visit.depth, visit.node.get())).collect();
            prop_assert_eq!(&found, &expected.iter().copied().collect::<Vec<_>>());
            for visit in &visits {
                let before = expected.iter().filter(|(distance, node)| {
                    distance + 1 == visit.depth
                        && follow.steps(&edges, *node).iter().any(|(next, _)| *next == visit.node.get())
                });
                prop_assert_eq!(visit.parent.map(NodeId::get), before.map(|(_, node)| *node).min());
            }
        }
    }

    #[test]
    fn paths_are_as_short_as_can_be(
        (nodes, edges) in graphs(), follow in follows(), depth in prop::option::of(0..6u32)
    ) {
        let db = database(nodes, &edges);
        let txn = db.begin_read().unwrap();
        let limit = depth.unwrap_or(nodes as u32);
        for (from, to) in (1..=nodes).flat_map(|from| [(from, 1), (from, nodes)]) {
            let query = || {
                let mut query = txn.shortest_path(id(from), id(to));
                query = match follow.direction {
                    Some(direction) => query.direction(direction),
                    None => query.undirected(),
                };
                if let Some(label) = follow.label {
                    query = query.label(label);
                }
                match depth {
                    Some(depth) => query.max_depth(depth),
                    None => query,
                }
            };
            let fewest = query().run().unwrap();
            let distance = follow.distances(&edges, from).get(&to).copied();
            let distance = distance.filter(|distance| *distance <= limit);
            prop_assert_eq!(fewest.as_ref().map(|path| path.cost), distance.map(f64::from));
            let least = query().cost(cost_of).run().unwrap();
            let cost = follow.least_cost(&edges, from, to, limit);
            prop_assert_eq!(least.as_ref().map(|path| path.cost), cost.map(|cost| cost as f64));
            for path in fewest.iter().chain(&least) {
                let ends = (path.nodes.first().unwrap().get(), path.nodes.last().unwrap().get());
                prop_assert_eq!(ends, (from, to));
                prop_assert!(path.nodes.len() <= limit as usize + 1);
                for step in path.nodes.windows(2) {
                    let steps = follow.steps(&edges, step[0].get());
                    prop_assert!(steps.iter().any(|(next, _)| *next == step[1].get()));
                }
            }
        }
    }

    #[test]
    fn hops_are_a_search_without_its_start((nodes, edges) in graphs(), hops in 0..5u32) {
        let db = database(nodes, &edges);
        let txn = db.begin_read().unwrap();
        for direction in [Direction::Out, Direction::In] {
            let follow = Follow { direction: Some(direction), label: Some("a") };
            for start in 1..=nodes {
                let found = txn.k_hop(id(start), hops, direction, follow.label).unwrap();
                let found: Vec<u64> = found.into_iter().map(NodeId::get).collect();
                let mut expected = follow.distances(&edges, start);
                expected.remove(&start);
                expected.retain(|_, distance| *distance <= hops);
                prop_assert_eq!(found, expected.into_keys().collect::<Vec<_>>());
            }
        }
    }
}

#[test]
fn a_search_ends_where_it_is_told_to() {
    let chain: Vec<PlainEdge> = (1..50).map(|node| (node, "a", node + 1, 1)).collect();
    let db = database(50, &chain);
    let txn = db.begin_read().unwrap();
    let mut visited = 0;
    let end = txn
        .bfs(id(1))
        .run(|visit| {
            visited += 1;
            if visit.depth == 7 {
                ControlFlow::Break(visit.node)
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert_eq!((end, visited), (Some(id(8)), 8));
    let reached = txn.bfs(id(1)).stop_at(id(5)).reached().unwrap();
    assert_eq!(reached.last(), Some(&id(5)));
}

#[test]
fn a_start_that_does_not_exist_leads_nowhere() {
    let db = database(3, &[(1, "a", 2, 0)]);
    let txn = db.begin_read().unwrap();
    let never = id(99);
    assert!(txn.bfs(never).reached().unwrap().is_empty());
    assert!(
        txn.k_hop(never, 3, Direction::Out, None)
            .unwrap()
            .is_empty()
    );
    assert!(txn.shortest_path(never, id(1)).run().unwrap().is_none());
    assert!(txn.shortest_path(id(1), never).run().unwrap().is_none());
}

#[test]
fn costs_below_zero_are_refused_and_infinity_closes_an_edge() {
    let db = database(3, &[(1, "a", 2, 1), (2, "a", 3, 1)]);
    let txn = db.begin_read().unwrap();
    for bad in [-1.0, f64::NAN] {
        let found = txn.shortest_path(id(1), id(3)).cost(|_| Ok(bad)).run();
        assert!(matches!(found, Err(Error::Usage(_))), "{found:?}");
    }
    let closed = txn.shortest_path(id(1), id(3)).cost(|_| Ok(f64::INFINITY));
    assert!(closed.run().unwrap().is_none());
    let failing = txn
        .shortest_path(id(1), id(3))
        .cost(|_| Err(Error::Usage("no cost".into())))
        .run();
    assert!(matches!(failing, Err(Error::Usage(text)) if text == "no cost"));
}

/// A walk that comes back to the same pages finds them in its own cache.
#[test]
fn the_traversal_cache_answers_what_it_holds() {
    let nodes = 5_000;
    let edges: Vec<PlainEdge> = (1..=nodes)
        .flat_map(|node| (1..4).map(move |step| (node, "a", (node * step * 7) % nodes + 1, 1)))
        .collect();
    let db = database(nodes, &edges);
    db.checkpoint().unwrap();
    let txn = db.begin_read().unwrap();
    let mut cache = TraversalCache::default();
    assert_eq!((cache.capacity(), cache.hit_ratio()), (64, None));
    let first = txn
        .bfs(id(1))
        .max_depth(6)
        .cache(&mut cache)
        .reached()
        .unwrap();
    let (hits, misses) = (cache.hits(), cache.misses());
    assert!(misses > 0 && hits > misses, "{hits} hits, {misses} misses");
    cache.reset_stats();
    let again = txn
        .bfs(id(1))
        .max_depth(6)
        .cache(&mut cache)
        .reached()
        .unwrap();
    assert_eq!(again, first);
    assert_eq!(cache.hits() + cache.misses(), hits + misses);
    assert_eq!(cache.misses(), 0, "every page of the walk fits");
    cache.clear();
    assert!(cache.is_empty());
    for capacity in [0, 257] {
        assert!(
            TraversalCache::builder()
                .capacity(capacity)
                .build()
                .is_err()
        );
    }
}
