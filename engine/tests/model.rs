//! State machines over transactions, savepoints, rollbacks, checkpoints and reopening, against the
//! model, with caches down to four pages.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{Model, assert_same, id};
use proptest::prelude::*;
use vellum::{Builder, CheckpointMode, Database, Durability, NodeUpdate, WriteTxn};

#[derive(Clone, Debug)]
enum Change {
    Node { kind: u8, name: u8, data: Size },
    NodeAt { gap: u8 },
    Reserve(u8),
    Update { node: u8, kind: Option<u8>, name: Option<u8>, data: Option<Size> },
    DeleteNode(u8),
    Edge { from: u8, label: u8, to: u8, data: Size },
    EdgeReturning { from: u8, label: u8, to: u8 },
    Hub { node: u8, edges: u16 },
    UpdateEdge(u8, Size),
    DeleteEdge(u8),
    Save,
    RollBack,
    Look,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    Empty,
    Small(u8),
    Cell,
    Blob(u16),
}

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Change>, bool),
    Drop(Vec<Change>),
    Checkpoint,
    Reopen,
    HoldSnapshot,
    CheckSnapshot,
    Compact,
}

#[derive(Clone, Copy, Debug)]
struct Setup {
    page_size: usize,
    cache_pages: usize,
    write_buffer: usize,
    segment: u32,
    unique: bool,
    named: bool,
    background: bool,
}

fn bytes(size: Size, salt: u64) -> Vec<u8> {
    let len = match size {
        Size::Empty => 0,
        Size::Small(len) => usize::from(len),
        Size::Cell => 500,
        Size::Blob(len) => 600 + usize::from(len),
    };
    (0..len as u64).map(|i| (i.wrapping_mul(31) ^ salt.wrapping_mul(17)) as u8).collect()
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![
        3 => Just(Size::Empty),
        5 => any::<u8>().prop_map(Size::Small),
        1 => Just(Size::Cell),
        1 => (0u16..20_000).prop_map(Size::Blob),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let update = (any::<u8>(), proptest::option::of(0u8..9), proptest::option::of(any::<u8>()), proptest::option::of(size()));
    prop_oneof![
        8 => (0u8..9, any::<u8>(), size()).prop_map(|(kind, name, data)| Change::Node { kind, name, data }),
        1 => (0u8..20).prop_map(|gap| Change::NodeAt { gap }),
        1 => (0u8..20).prop_map(Change::Reserve),
        3 => update.prop_map(|(node, kind, name, data)| Change::Update { node, kind, name, data }),
        2 => any::<u8>().prop_map(Change::DeleteNode),
        10 => (any::<u8>(), 0u8..20, any::<u8>(), size()).prop_map(|(from, label, to, data)| Change::Edge { from, label, to, data }),
        3 => (0u8..4, 0u8..2, 0u8..4).prop_map(|(from, label, to)| Change::EdgeReturning { from, label, to }),
        1 => (any::<u8>(), 1u16..600).prop_map(|(node, edges)| Change::Hub { node, edges }),
        2 => (any::<u8>(), size()).prop_map(|(edge, data)| Change::UpdateEdge(edge, data)),
        3 => any::<u8>().prop_map(Change::DeleteEdge),
        1 => Just(Change::Save),
        1 => Just(Change::RollBack),
        1 => Just(Change::Look),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let changes = || proptest::collection::vec(change(), 0..40);
    prop_oneof![
        10 => (changes(), any::<bool>()).prop_map(|(changes, sync)| Step::Commit(changes, sync)),
        2 => changes().prop_map(Step::Drop),
        2 => Just(Step::Checkpoint),
        2 => Just(Step::Reopen),
        1 => Just(Step::HoldSnapshot),
        1 => Just(Step::CheckSnapshot),
        1 => Just(Step::Compact),
    ]
}

fn setup() -> impl Strategy<Value = Setup> {
    let sizes = (prop_oneof![Just(4096usize), Just(8192), Just(65536)], prop_oneof![Just(4usize), Just(16), Just(4096)]);
    let buffers = (prop_oneof![Just(1usize << 16), Just(1 << 18), Just(64 << 20)], prop_oneof![Just(1u32 << 16), Just(1 << 20)]);
    (sizes, buffers, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |((page_size, cache_pages), (write_buffer, segment), unique, named, background)| Setup {
            page_size,
            cache_pages,
            write_buffer,
            segment,
            unique,
            named,
            background,
        },
    )
}

fn builder(setup: Setup) -> Builder {
    Database::builder()
        .page_size(setup.page_size)
        .cache_bytes(setup.cache_pages * setup.page_size)
        .write_buffer_bytes(setup.write_buffer)
        .log_segment_bytes(setup.segment)
        .unique_edges(setup.unique)
        .name_index(setup.named)
        .checkpoint(if setup.background { CheckpointMode::Background } else { CheckpointMode::Inline })
}

fn pick<T: Clone>(from: impl Iterator<Item = T>, choice: u8) -> Option<T> {
    let all: Vec<T> = from.collect();
    if all.is_empty() { None } else { Some(all[usize::from(choice) % all.len()].clone()) }
}

fn apply(txn: &mut WriteTxn, model: &mut Model, changes: &[Change], setup: Setup) {
    let mut saved = None;
    for (index, change) in changes.iter().enumerate() {
        match change {
            Change::Save => saved = Some((txn.savepoint().unwrap(), model.clone())),
            Change::RollBack => {
                if let Some((savepoint, before)) = &saved {
                    txn.rollback_to(savepoint).unwrap();
                    *model = before.clone();
                }
            }
            Change::Look => assert_same(&txn.view().unwrap(), model, setup.named),
            change => apply_one(txn, model, change, index as u64),
        }
    }
}

fn apply_one(txn: &mut WriteTxn, model: &mut Model, change: &Change, salt: u64) {
    match *change {
        Change::Node { kind, name, data } => {
            let (kind, name, data) = (format!("kind{kind}"), name_of(name), bytes(data, salt));
            let expected = model.insert_node(&kind, &name, &data);
            assert_eq!(txn.insert_node(&kind, &name, &data).unwrap().get(), expected);
        }
        Change::NodeAt { gap } => {
            model.next += u64::from(gap);
            let expected = model.insert_node("placed", "at", b"x");
            txn.insert_node_with_id(id(expected), "placed", "at", b"x").unwrap();
        }
        Change::Reserve(count) => {
            let range = txn.reserve_ids(count.into()).unwrap();
            assert_eq!(range, model.next..model.next + u64::from(count));
            model.next = range.end;
        }
        Change::Update { node, kind, name, data } => {
            let Some(number) = pick(model.nodes.keys().copied(), node) else { return };
            let (kind, name, data) =
                (kind.map(|k| format!("kind{k}")), name.map(name_of), data.map(|d| bytes(d, salt)));
            let mut update = NodeUpdate::new();
            let target = model.nodes.get_mut(&number).unwrap();
            if let Some(kind) = &kind {
                update = update.kind(kind);
                target.kind.clone_from(kind);
            }
            if let Some(name) = &name {
                update = update.name(name);
                target.name.clone_from(name);
            }
            if let Some(data) = &data {
                update = update.data(data);
                target.data.clone_from(data);
            }
            assert!(txn.update_node(id(number), update).unwrap());
        }
        Change::DeleteNode(node) => {
            let Some(number) = pick(model.nodes.keys().copied(), node) else {
                assert!(!txn.delete_node(id(model.next + 5)).unwrap());
                return;
            };
            assert!(model.delete_node(number));
            assert!(txn.delete_node(id(number)).unwrap());
        }
        _ => apply_edge(txn, model, change, salt),
    }
}

fn apply_edge(txn: &mut WriteTxn, model: &mut Model, change: &Change, salt: u64) {
    match *change {
        Change::Edge { from, label, to, data } => {
            let ends = (pick(model.nodes.keys().copied(), from), pick(model.nodes.keys().copied(), to));
            let (Some(from), Some(to)) = ends else { return };
            let (label, data) = (format!("label{label}"), bytes(data, salt));
            model.insert_edge(from, &label, to, &data);
            txn.insert_edge(id(from), &label, id(to), &data).unwrap();
        }
        Change::EdgeReturning { from, label, to } => {
            let ends = (pick(model.nodes.keys().copied(), from), pick(model.nodes.keys().copied(), to));
            let (Some(from), Some(to)) = ends else { return };
            let label = format!("label{label}");
            let expected = model.insert_edge(from, &label, to, b"parallel");
            let ordinal = txn.insert_edge_returning(id(from), &label, id(to), b"parallel").unwrap();
            assert_eq!(ordinal, expected);
        }
        Change::Hub { node, edges } => {
            let Some(hub) = pick(model.nodes.keys().copied(), node) else { return };
            let others: Vec<u64> = model.nodes.keys().copied().collect();
            for i in 0..usize::from(edges) {
                let other = others[i * 7 % others.len()];
                let (from, to) = if i % 3 == 0 { (other, hub) } else { (hub, other) };
                model.insert_edge(from, "spoke", to, &[]);
                txn.insert_edge(id(from), "spoke", id(to), &[]).unwrap();
            }
        }
        Change::UpdateEdge(choice, data) => {
            let Some(edge) = pick(model.edges.keys().cloned(), choice) else { return };
            let data = bytes(data, salt);
            assert!(txn.update_edge(id(edge.0), &edge.1, id(edge.2), edge.3, &data).unwrap());
            model.edges.insert(edge, data);
        }
        Change::DeleteEdge(choice) => {
            let Some(edge) = pick(model.edges.keys().cloned(), choice) else { return };
            assert!(txn.delete_edge(id(edge.0), &edge.1, id(edge.2), edge.3).unwrap());
            assert!(!txn.delete_edge(id(edge.0), &edge.1, id(edge.2), edge.3).unwrap());
            model.edges.remove(&edge);
        }
        _ => unreachable!("{change:?} is not an edge's"),
    }
}

fn name_of(choice: u8) -> String {
    match choice % 8 {
        0 => String::new(),
        1 => "same".to_owned(),
        2 => "long ".repeat(usize::from(choice)),
        3 => format!("nul\0{choice}"),
        4 => format!("größe-{choice}"),
        _ => format!("name-{choice}"),
    }
    .chars()
    .take(1_000)
    .collect()
}

fn run(setup: Setup, steps: &[Step]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.vellum");
    let mut db = builder(setup).create(&path).unwrap();
    let mut model = Model::new(setup.unique);
    let mut held = None;
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Commit(changes, sync) => {
                let mut txn = db.begin_write().unwrap();
                txn.set_durability(if *sync { Durability::Sync } else { Durability::None });
                apply(&mut txn, &mut model, changes, setup);
                txn.commit().unwrap();
            }
            Step::Drop(changes) => {
                let mut txn = db.begin_write().unwrap();
                apply(&mut txn, &mut model.clone(), changes, setup);
            }
            Step::Checkpoint => db.checkpoint().unwrap(),
            Step::Reopen => {
                held = None;
                db.close().unwrap();
                assert!(!dir.path().join("model.vellum-log").exists());
                db = builder(setup).open(&path).unwrap();
            }
            Step::HoldSnapshot => held = Some((db.begin_read().unwrap(), model.clone())),
            Step::CheckSnapshot => {
                if let Some((txn, model)) = &held {
                    assert_same(txn, model, setup.named);
                }
            }
            Step::Compact => {
                let to = dir.path().join(format!("compact-{number}"));
                db.compact(&to).unwrap();
                let copy = Database::open(&to).unwrap();
                assert_same(&copy.begin_read().unwrap(), &model, setup.named);
                assert_eq!(copy.check().unwrap().findings, []);
            }
        }
        assert_same(&db.begin_read().unwrap(), &model, setup.named);
    }
    assert_eq!(db.check().unwrap().findings, []);
    drop(held);
    db.close().unwrap();
    let db = builder(setup).open_read_only(&path).unwrap();
    assert_same(&db.begin_read().unwrap(), &model, setup.named);
    assert_eq!(db.check().unwrap().findings, []);
    let stats = db.stats().unwrap();
    assert_eq!(stats.edges, model.edges.len() as u64, "edges are exact once merged");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn database_equals_the_model(setup in setup(), steps in proptest::collection::vec(step(), 1..24)) {
        run(setup, &steps);
    }
}
