//! The register follows every page, and the engine contradicts itself nowhere.

use vellum::forensics::{Action, Ownership, Watch};

use crate::common::Model;
use crate::common::changes::{Changes, apply};
use crate::scenes;

#[track_caller]
fn sound(watch: &Watch) -> Ownership {
    let ownership = watch.ownership();
    let told: Vec<String> = ownership
        .conflicts
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    ownership
}

/// Random histories with rollbacks, spills, views that outlive their change, checkpoints and reopening.
#[test]
fn no_page_has_two_owners() {
    for seed in 0..2 {
        let (mut db, directory) = scenes::with(|builder| {
            builder
                .cache_bytes(1 << 14)
                .write_buffer_bytes(64 << 10)
                .log_segment_bytes(64 << 10)
        });
        let mut model = Model::new(false);
        let mut changes = Changes::seeded(seed);
        let mut held = Vec::new();
        for round in 0..10 {
            let mut txn = db.begin_write().unwrap();
            let mut tried = model.clone();
            apply(&mut txn, &mut tried, &changes.next(15), true);
            for _ in 0..300 * u64::from(round % 5 == 4) {
                tried.insert_node("big", "big", &[9; 200]);
                txn.insert_node("big", "big", &[9; 200]).unwrap();
            }
            if round % 5 == 2 {
                held.push(txn.view().unwrap());
            }
            if round % 3 != 1 {
                txn.commit().unwrap();
                model = tried;
            }
            if round % 4 == 1 {
                db.checkpoint().unwrap();
                held.clear();
            }
            if round == 6 {
                held.clear();
                let watch = db.watch();
                db.close().unwrap();
                sound(&watch);
                db = vellum::Database::builder()
                    .write_buffer_bytes(64 << 10)
                    .checkpoint(vellum::CheckpointMode::Inline)
                    .in_directory(std::sync::Arc::new(directory.clone()))
                    .open("graph")
                    .unwrap();
            }
        }
        assert!(db.check().unwrap().is_sound());
        sound(&db.watch());
    }
}

/// What the register knows is what the check finds.
#[test]
fn the_register_agrees_with_the_check() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 2000);
    let ownership = sound(&db.watch());
    let check = db.check().unwrap();
    assert_eq!(ownership.written, check.pages_reached);
    assert_eq!(ownership.free + ownership.dropped, check.pages_free);
    assert_eq!(ownership.taken, 0);
}

#[test]
fn events_name_kind_space_and_call_site() {
    let (db, _) = scenes::database();
    scenes::ring(&db, 2000);
    let ownership = sound(&db.watch());
    let leaf = db
        .begin_read()
        .unwrap()
        .locate(crate::common::id(9))
        .unwrap()[1];
    let history: Vec<_> = ownership.of_page(leaf.page).collect();
    let last = history.last().unwrap();
    assert_eq!((last.action, last.level), (Action::Write, 0));
    assert_eq!(last.space, Some(vellum::KeySpace::Nodes));
    assert_eq!(last.subsystem(), Some("store/checkpoint"));
    assert_eq!((last.offset, last.bytes), (leaf.page * 4096, 4096));
    let taken = history[history.len() - 2];
    assert!(matches!(taken.action, Action::Grow | Action::Reuse));
    assert!(
        taken
            .call_site()
            .unwrap()
            .starts_with("store/checkpoint.rs:")
    );
    for name in ["one", "two"] {
        let mut txn = db.begin_write().unwrap();
        txn.insert_node("kind 1", name, b"").unwrap();
        txn.commit().unwrap();
        db.checkpoint().unwrap();
    }
    // What a checkpoint drops is listed free by the state that it makes.
    let ownership = sound(&db.watch());
    let subsystems: std::collections::BTreeSet<_> = ownership
        .history
        .iter()
        .filter_map(|event| event.subsystem())
        .collect();
    assert!(subsystems.contains("store/trees"), "{subsystems:?}");
}
