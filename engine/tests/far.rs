//! Numbers beyond what 16, 20, 31 and 32 bits hold: pages, positions in the log, births, states, commits,
//! operations of a record, free pages. Nothing wraps, before a crash or after.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use common::sparse::Sparse;
use common::{Model, dump, id};
use vellum::format::freelist::{self, Run};
use vellum::format::header::{Header, SLOT_LEN, SLOT_OFFSETS};
use vellum::format::page::seal;
use vellum::storage::{Directory, OpenMode};
use vellum::{Builder, CheckpointMode, Database, NodeUpdate, PageRef, WriteTxn};

const NAME: &str = "graph";
const PAGE: u64 = 4096;
/// Where numbers stop fitting something smaller.
const EDGES: [u64; 5] = [1 << 16, 1 << 20, 1 << 31, 1 << 32, 1 << 40];

fn builder(files: &Sparse) -> Builder {
    Database::builder()
        .in_directory(Arc::new(files.clone()))
        .file_id(*b"beyond small int")
        .checkpoint(CheckpointMode::Inline)
        .log_segment_bytes(64 << 10)
        .write_buffer_bytes(64 << 10)
        .cache_bytes(64 << 10)
}

fn grow(txn: &mut WriteTxn, model: &mut Model, round: u64, bytes: usize) {
    for number in 0..12 {
        let (name, data) = (format!("{round} {number}"), vec![round as u8; bytes]);
        let node = txn.insert_node("kind", &name, &data).unwrap();
        assert_eq!(node.get(), model.insert_node("kind", &name, &data));
        txn.insert_edge(node, "to", id(1), b"edge").unwrap();
        model.insert_edge(node.get(), "to", 1, b"edge");
    }
    let name = format!("first, {round}");
    txn.update_node(id(1), NodeUpdate::new().name(&name))
        .unwrap();
    model.nodes.get_mut(&1).unwrap().name = name;
}

fn commit(db: &Database, model: &mut Model, round: u64, bytes: usize) {
    let mut txn = db.begin_write().unwrap();
    grow(&mut txn, model, round, bytes);
    txn.commit().unwrap();
}

/// A small closed database whose two states `edit` has changed.
fn edited(edit: impl Fn(&mut Header)) -> (Sparse, Model) {
    let (files, mut model) = (Sparse::default(), Model::new(false));
    let db = builder(&files).create(NAME).unwrap();
    for round in 0..4 {
        commit(&db, &mut model, round, 300);
        db.checkpoint().unwrap();
    }
    db.close().unwrap();
    edit_states(&files, edit);
    (files, model)
}

fn edit_states(files: &Sparse, edit: impl Fn(&mut Header)) {
    let file = files.open(NAME, OpenMode::Write).unwrap();
    for offset in SLOT_OFFSETS {
        let mut slot = [0; SLOT_LEN];
        file.read_at(offset, &mut slot).unwrap();
        let mut header = Header::decode(&slot).unwrap();
        edit(&mut header);
        let offset = SLOT_OFFSETS[header.sequence as usize % 2];
        file.write_at(offset, &header.encode()).unwrap();
        let needed = header.page_count * PAGE;
        file.set_len(file.len().unwrap().max(needed)).unwrap();
    }
}

#[track_caller]
fn same(db: &Database, model: &Model) {
    db.drop_caches();
    assert_eq!(
        dump(&db.begin_read().unwrap(), false, true).unwrap(),
        *model
    );
}

/// Commits of both kinds, checkpoints, kills and copies, from wherever the numbers are.
fn live_on(files: &Sparse, mut model: Model) -> Sparse {
    let db = builder(files).open(NAME).unwrap();
    same(&db, &model);
    for round in 4..12 {
        let bytes = if round % 3 == 0 { 9_000 } else { 500 };
        let before = db.begin_read().unwrap();
        let was = model.clone();
        commit(&db, &mut model, round, bytes);
        if round % 2 == 0 {
            db.checkpoint().unwrap();
        }
        assert_eq!(dump(&before, false, true).unwrap(), was);
        let killed = builder(&files.copy()).open(NAME).unwrap();
        same(&killed, &model);
        commit(&killed, &mut model.clone(), 20, 500);
        killed.close().unwrap();
    }
    db.backup("copy").unwrap();
    let copy = builder(files).open_read_only("copy").unwrap();
    same(&copy, &model);
    assert!(copy.check().unwrap().is_sound());
    db.close().unwrap();
    let db = builder(files).open(NAME).unwrap();
    same(&db, &model);
    db.close().unwrap();
    files.clone()
}

fn states(files: &Sparse) -> Vec<Header> {
    let file = files.open(NAME, OpenMode::Read).unwrap();
    let read = SLOT_OFFSETS.map(|offset| {
        let mut slot = [0; SLOT_LEN];
        file.read_at(offset, &mut slot).unwrap();
        Header::decode(&slot).unwrap()
    });
    read.into()
}

#[test]
fn pages_on_both_sides_of_every_edge() {
    for edge in EDGES {
        let (files, model) = edited(|header| header.page_count = header.page_count.max(edge - 9));
        let files = live_on(&files, model);
        assert!(
            states(&files)
                .iter()
                .all(|state| state.page_count > edge + 9)
        );
        let roots = states(&files)[0].roots;
        let far = roots.iter().filter_map(|root| root.page);
        assert!(far.map(PageRef::page).any(|page| page > edge), "{edge}");
        assert!(files.held(NAME) < 8 << 20);
    }
}

#[test]
fn positions_in_the_log_on_both_sides_of_every_edge() {
    for edge in EDGES {
        let (files, model) = edited(|header| {
            assert_eq!(header.log_generation, 0);
            header.log_position = edge - 4_096;
        });
        let files = live_on(&files, model);
        assert!(states(&files).iter().any(|state| state.log_position > edge));
    }
}

#[test]
fn births_states_and_commits_on_both_sides_of_every_edge() {
    for edge in EDGES {
        let (files, model) = edited(|header| {
            header.birth_limit = edge - 20;
            header.commit = edge - 4;
            // The same slot for the same state.
            header.sequence = edge - 4 + header.sequence % 2;
        });
        let files = live_on(&files, model);
        for state in states(&files) {
            assert!(state.birth_limit > edge + 20, "{state:?}");
            assert!(state.commit > edge && state.sequence > edge, "{state:?}");
        }
    }
}

#[test]
fn records_of_more_operations_than_16_bits_count() {
    for count in [65_535, 65_536, 65_537] {
        let files = Sparse::default();
        let options = builder(&files)
            .log_segment_bytes(8 << 20)
            .write_buffer_bytes(64 << 20);
        let db = options.create(NAME).unwrap();
        let mut txn = db.begin_write().unwrap();
        for _ in 0..count {
            txn.insert_node("k", "", b"").unwrap();
        }
        let report = txn.commit().unwrap();
        assert_eq!(report.how, vellum::CommitKind::Log);
        let killed = files.copy();
        drop(db);
        for files in [files, killed] {
            let db = builder(&files)
                .log_segment_bytes(8 << 20)
                .open(NAME)
                .unwrap();
            let txn = db.begin_read().unwrap();
            assert_eq!(txn.node_count(), count);
            assert_eq!(txn.nodes_of_kind("k").count() as u64, count);
            assert!(db.check().unwrap().is_sound());
        }
    }
}

/// Gives a closed database a freelist of these runs, on pages of its own behind them.
fn list_free(files: &Sparse, runs: &[Run]) {
    let header = states(files)
        .into_iter()
        .max_by_key(|state| state.sequence)
        .unwrap();
    let file = files.open(NAME, OpenMode::Write).unwrap();
    let behind = runs.last().unwrap().end();
    let mut chain = Vec::new();
    let mut left = runs.iter().copied().peekable();
    while left.peek().is_some() {
        // All but the last name the next; a first pass tells how many there are.
        freelist::encode(PAGE as usize, None, &mut left);
        chain.push(PageRef::new(behind + chain.len() as u64, header.birth_limit).unwrap());
    }
    let mut left = runs.iter().copied().peekable();
    for (number, at) in chain.iter().enumerate() {
        let mut image = freelist::encode(PAGE as usize, chain.get(number + 1).copied(), &mut left);
        seal(&mut image, *at, &header.file_id);
        file.write_at(at.page() * PAGE, &image).unwrap();
    }
    edit_states(files, |state| {
        state.birth_limit = header.birth_limit + 1;
        state.page_count = behind + chain.len() as u64;
        state.freelist = chain.first().copied();
        state.free_pages = runs.iter().map(|run| run.len).sum();
    });
}

#[test]
fn one_run_of_more_free_pages_than_any_edge() {
    for edge in [1 << 16, 1 << 32] {
        for len in [edge - 1, edge, edge + 1] {
            let (files, model) = edited(|_| {});
            let first = states(&files)[0].page_count;
            list_free(&files, &[Run { first, len }]);
            let db = builder(&files).open(NAME).unwrap();
            assert_eq!(db.stats().unwrap().free_pages, len);
            drop(db);
            let files = live_on(&files, model);
            let state = &states(&files)[0];
            // Closing gives back what is free at the end of the file: all of the run that was not used.
            assert!(state.free_pages < 2_000, "{}", state.free_pages);
            assert!(state.page_count < first + 2_000, "{}", state.page_count);
        }
    }
}

#[test]
fn more_free_runs_than_16_bits_count() {
    for count in [65_535, 65_536, 65_537] {
        let (files, model) = edited(|_| {});
        let first = states(&files)[0].page_count;
        let runs: Vec<Run> = (0..count)
            .map(|number| Run {
                first: first + 1 + 3 * number,
                len: 2,
            })
            .collect();
        list_free(&files, &runs);
        let files = live_on(&files, model);
        let state = states(&files)
            .into_iter()
            .max_by_key(|state| state.sequence)
            .unwrap();
        // What was listed is used or still listed: the next page is none beyond them.
        assert!(state.free_pages > 2 * count - 2_000, "{}", state.free_pages);
        assert!(state.page_count < first + 3 * count + 1_000);
    }
}
