//! Everything at once: several writers that commit in every way, readers, checkpoints, backups, compactions
//! and checks, and every snapshot is what the model says of its commit.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

use common::{Model, dump, id};
use vellum::storage::{Directory, MemoryDirectory};
use vellum::{Builder, CheckpointMode, Database, Durability, NodeUpdate, ReadTxn, WriteTxn};

const NAME: &str = "graph";
const WRITERS: usize = 3;
/// Transactions of each writer, unless the environment says how many.
const ROUNDS: u64 = 80;
/// Nodes at which writers begin to delete.
const MANY: usize = 60;

fn rounds() -> u64 {
    let asked = std::env::var("STRESS_ROUNDS").ok();
    asked.map_or(ROUNDS, |text| text.parse().unwrap())
}

fn builder(directory: &MemoryDirectory) -> Builder {
    Database::builder()
        .in_directory(Arc::new(directory.clone()))
        .checkpoint(CheckpointMode::Background)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(96 << 10)
        .cache_bytes(24 * 4096)
}

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % bound
    }

    fn node(&mut self, model: &Model) -> Option<u64> {
        let at = self.below(model.nodes.len().max(1) as u64) as usize;
        model.nodes.keys().nth(at).copied()
    }
}

/// The graph after each commit, by its number. Writers note theirs before they commit.
#[derive(Default)]
struct History(RwLock<BTreeMap<u64, Model>>);

impl History {
    fn latest(&self) -> (u64, Model) {
        let states = self.0.read().unwrap();
        let (commit, model) = states.last_key_value().unwrap();
        (*commit, model.clone())
    }

    fn note(&self, commit: u64, model: Model) {
        self.0.write().unwrap().insert(commit, model);
    }

    /// What a snapshot shows is what the model says of its commit.
    fn confirm(&self, txn: &ReadTxn) {
        let model = self.0.read().unwrap()[&txn.commit_number()].clone();
        assert_eq!(dump(txn, false, true).unwrap(), model);
    }
}

fn change(txn: &mut WriteTxn, model: &mut Model, dice: &mut Dice, bytes: usize) {
    for _ in 0..=dice.below(4) {
        let (kind, name) = (
            format!("k{}", dice.below(4)),
            format!("n{}", dice.below(40)),
        );
        let data = vec![dice.below(256) as u8; bytes];
        let fresh = txn.insert_node(&kind, &name, &data).unwrap();
        assert_eq!(fresh.get(), model.insert_node(&kind, &name, &data));
        if let Some(peer) = dice.node(model) {
            txn.insert_edge(fresh, "to", id(peer), b"new").unwrap();
            model.insert_edge(fresh.get(), "to", peer, b"new");
            txn.insert_edge(id(peer), "back", fresh, b"").unwrap();
            model.insert_edge(peer, "back", fresh.get(), b"");
        }
    }
    while model.nodes.len() > MANY {
        let victim = dice.node(model).unwrap();
        assert!(txn.delete_node(id(victim)).unwrap());
        model.delete_node(victim);
    }
    let renamed = dice.node(model).unwrap();
    let name = format!("renamed {}", dice.below(20));
    assert!(
        txn.update_node(id(renamed), NodeUpdate::new().name(&name))
            .unwrap()
    );
    model.nodes.get_mut(&renamed).unwrap().name = name;
}

/// Small and large commits, waiting in every way; some transactions are dropped, some go back.
fn write(db: &Database, history: &History, writer: u64) {
    let mut dice = Dice(writer + 1);
    for round in 0..rounds() {
        let mut txn = db.begin_write().unwrap();
        let (last, mut model) = history.latest();
        let large = dice.below(12) == 0;
        change(
            &mut txn,
            &mut model,
            &mut dice,
            if large { 40_000 } else { 50 },
        );
        if dice.below(3) == 0 {
            let savepoint = txn.savepoint().unwrap();
            change(&mut txn, &mut model.clone(), &mut dice, 60);
            txn.rollback_to(&savepoint).unwrap();
            // What was issued and taken back is issued again.
        }
        if round % 9 == 8 {
            continue;
        }
        txn.set_durability(match dice.below(3) {
            0 => Durability::Sync,
            1 => Durability::None,
            _ => Durability::Group {
                max_delay: Duration::from_micros(50),
            },
        });
        // Nobody else writes before this commit is appended, and nobody sees it earlier.
        history.note(last + 1, model);
        assert_eq!(txn.commit().unwrap().commit, last + 1);
    }
}

/// Snapshots are right at once, and still after others have gone on.
fn read(db: &Database, history: &History) {
    let held = db.begin_read().unwrap();
    history.confirm(&held);
    let newer = db.begin_read().unwrap();
    assert!(newer.commit_number() >= held.commit_number());
    history.confirm(&newer);
    db.drop_caches();
    history.confirm(&held);
}

/// A copy is the graph of one commit of its time, whole and sound.
fn copy(db: &Database, history: &History, directory: &MemoryDirectory, compact: bool) {
    let newest = || db.begin_read().unwrap().commit_number();
    let name = if compact { "compacted" } else { "copied" };
    let first = newest();
    if compact {
        db.compact(name).unwrap();
    } else {
        db.backup(name).unwrap();
    }
    let last = newest();
    let open = builder(directory).open_read_only(name).unwrap();
    let copied = dump(&open.begin_read().unwrap(), false, true).unwrap();
    let states = history.0.read().unwrap();
    let shown = states
        .range(first..=last)
        .any(|(_, model)| *model == copied);
    assert!(shown, "the copy is no graph of commits {first} to {last}");
    drop(states);
    assert!(open.check().unwrap().is_sound());
    drop(open);
    directory.remove(name).unwrap();
}

/// What a process that is killed now leaves.
fn killed(directory: &MemoryDirectory) -> MemoryDirectory {
    let copy = MemoryDirectory::new();
    for name in [NAME, "graph-log"] {
        if let Some(bytes) = directory.contents(name) {
            copy.put(name, bytes);
        }
    }
    copy
}

#[test]
fn everything_at_once_agrees_with_the_model() {
    let directory = MemoryDirectory::new();
    let db = builder(&directory).create(NAME).unwrap();
    let history = History::default();
    history.note(0, Model::new(false));
    let writing = AtomicUsize::new(WRITERS);
    let while_writing = |act: &dyn Fn()| {
        loop {
            let last = writing.load(Ordering::SeqCst) == 0;
            act();
            if last {
                return;
            }
        }
    };
    thread::scope(|scope| {
        for writer in 0..WRITERS as u64 {
            let (db, history, writing) = (&db, &history, &writing);
            scope.spawn(move || {
                // Counted down whatever happens, or nobody would ever stop.
                let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    write(db, history, writer);
                }));
                writing.fetch_sub(1, Ordering::SeqCst);
                written.unwrap();
            });
        }
        for _ in 0..2 {
            scope.spawn(|| while_writing(&|| read(&db, &history)));
        }
        scope.spawn(|| while_writing(&|| db.checkpoint().unwrap()));
        for compact in [false, true] {
            let (db, history, directory) = (&db, &history, &directory);
            scope.spawn(move || while_writing(&|| copy(db, history, directory, compact)));
        }
        scope.spawn(|| while_writing(&|| assert!(db.check().unwrap().is_sound())));
    });
    let (last, model) = history.latest();
    assert_eq!(last, WRITERS as u64 * (rounds() - rounds() / 9));
    for directory in [killed(&directory), {
        db.close().unwrap();
        directory
    }] {
        let db = builder(&directory).open(NAME).unwrap();
        assert_eq!(dump(&db.begin_read().unwrap(), false, true).unwrap(), model);
        assert!(db.check().unwrap().is_sound());
    }
}
