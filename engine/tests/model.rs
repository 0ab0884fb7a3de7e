//! State machines over transactions, savepoints, rollbacks, checkpoints and reopening, against the
//! model, with caches down to four pages.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use common::changes::{Change, apply, change};
use common::{Model, assert_same};
use proptest::prelude::*;
use vellum::{Builder, CheckpointMode, Database, Durability};

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
    let sizes = (
        prop_oneof![Just(4096usize), Just(8192), Just(65536)],
        prop_oneof![Just(4usize), Just(16), Just(4096)],
    );
    let buffers = (
        prop_oneof![Just(1usize << 16), Just(1 << 18), Just(64 << 20)],
        prop_oneof![Just(1u32 << 16), Just(1 << 20)],
    );
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
        .checkpoint(if setup.background {
            CheckpointMode::Background
        } else {
            CheckpointMode::Inline
        })
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
                txn.set_durability(if *sync {
                    Durability::Sync
                } else {
                    Durability::None
                });
                apply(&mut txn, &mut model, changes, setup.named);
                txn.commit().unwrap();
            }
            Step::Drop(changes) => {
                let mut txn = db.begin_write().unwrap();
                apply(&mut txn, &mut model.clone(), changes, setup.named);
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
    assert_eq!(
        stats.edges,
        model.edges.len() as u64,
        "edges are exact once merged"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn database_equals_the_model(setup in setup(), steps in proptest::collection::vec(step(), 1..24)) {
        run(setup, &steps);
    }
}
