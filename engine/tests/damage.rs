//! Any byte changed, any truncation, any garbage: a typed error or the right answer.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{Model, dump, id};
use vellum::storage::MemoryDirectory;
use vellum::{Database, Error};

/// A small database with every kind of page, and its log as a killed process leaves it.
struct Image {
    database: Vec<u8>,
    log: Vec<u8>,
    /// After each commit that the log holds, oldest first; before the first of them, what the
    /// trees hold.
    states: Vec<Model>,
}

fn fill(db: &Database, model: &mut Model, round: u64) {
    let mut txn = db.begin_write().unwrap();
    for number in 0..12u64 {
        let (kind, name) = (
            format!("kind{}", number % 3),
            format!("name-{round}-{number}"),
        );
        let data = vec![number as u8; if number == 5 { 9_000 } else { 30 }];
        model.insert_node(&kind, &name, &data);
        txn.insert_node(&kind, &name, &data).unwrap();
    }
    let last = model.next - 1;
    for number in 0..40u64 {
        let (from, to) = (last - number % 11, last - number * 7 % 12);
        model.insert_edge(from, "links", to, &[number as u8; 3]);
        txn.insert_edge(id(from), "links", id(to), &[number as u8; 3])
            .unwrap();
    }
    if round > 1 {
        model.delete_node(last - 3);
        assert!(txn.delete_node(id(last - 3)).unwrap());
    }
    txn.commit().unwrap();
}

fn image(dir: &Path) -> Image {
    let path = dir.join("image.vellum");
    let db = Database::builder()
        .log_segment_bytes(1 << 16)
        .create(&path)
        .unwrap();
    let mut model = Model::new(false);
    for round in 0..4 {
        fill(&db, &mut model, round);
        db.checkpoint().unwrap();
    }
    let mut states = vec![model.clone()];
    for round in 4..7 {
        fill(&db, &mut model, round);
        states.push(model.clone());
    }
    let database = std::fs::read(&path).unwrap();
    let log = std::fs::read(dir.join("image.vellum-log")).unwrap();
    Image {
        database,
        log,
        states,
    }
}

/// Opens an image and reads everything; an error is an answer too.
fn answer(image: &Image) -> Result<Model, Error> {
    let directory = MemoryDirectory::new();
    directory.put("image", image.database.clone());
    directory.put("image-log", image.log.clone());
    let db = Database::builder()
        .in_directory(Arc::new(directory))
        .open_read_only("image")?;
    dump(&db.begin_read()?, false, true)
}

#[test]
fn every_changed_byte_is_refused_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let image = image(dir.path());
    let newest = image.states.last().unwrap();
    assert_eq!(&answer(&image).unwrap(), newest);
    let (mut refused, mut harmless) = (0, 0);
    // Every byte of the first pages, where the headers and roots are, then a stride that is prime to
    // every structure.
    let places = (0..image.database.len())
        .filter(|at| *at < 1024 || (4096..4700).contains(at) || at % 13 == 0);
    for at in places {
        let mut database = image.database.clone();
        database[at] ^= 0x41;
        let damaged = Image {
            database,
            log: image.log.clone(),
            states: Vec::new(),
        };
        match answer(&damaged) {
            Ok(model) => {
                assert_eq!(&model, newest, "byte {at} changed the answer");
                harmless += 1;
            }
            Err(Error::Corrupt(_) | Error::Version { .. }) => refused += 1,
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(
        refused > 100 && harmless > 100,
        "{refused} refused, {harmless} harmless"
    );
}

#[test]
fn every_changed_byte_of_the_log_is_refused_or_drops_the_last_batch() {
    let dir = tempfile::tempdir().unwrap();
    let image = image(dir.path());
    let used = image.log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for at in 0..used {
        let mut log = image.log.clone();
        log[at] ^= 0x41;
        let damaged = Image {
            database: image.database.clone(),
            log,
            states: Vec::new(),
        };
        match answer(&damaged) {
            // Damage in the last record cannot be told from a write that never finished.
            Ok(model) => assert!(
                image
                    .states
                    .iter()
                    .rev()
                    .take(2)
                    .any(|state| *state == model),
                "byte {at} of the log took back more than the last commit"
            ),
            Err(Error::Corrupt(_)) => {}
            Err(error) => panic!("byte {at} of the log: {error}"),
        }
    }
}

#[test]
fn every_truncation_is_refused_or_a_whole_state() {
    let dir = tempfile::tempdir().unwrap();
    let image = image(dir.path());
    for len in (0..image.database.len()).filter(|len| *len < 9000 || len % 509 == 0) {
        let cut = Image {
            database: image.database[..len].to_vec(),
            log: image.log.clone(),
            states: Vec::new(),
        };
        match answer(&cut) {
            Ok(model) => assert_eq!(Some(&model), image.states.last(), "{len} bytes are enough"),
            Err(Error::Corrupt(_) | Error::Version { .. }) => {}
            Err(error) => panic!("{len} bytes: {error}"),
        }
    }
    let used = image.log.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for len in (0..used).step_by(3) {
        let cut = Image {
            database: image.database.clone(),
            log: image.log[..len].to_vec(),
            states: Vec::new(),
        };
        match answer(&cut) {
            Ok(model) => assert!(image.states.contains(&model), "{len} bytes of log"),
            Err(Error::Corrupt(_)) => {}
            Err(error) => panic!("{len} bytes of log: {error}"),
        }
    }
}

#[test]
fn foreign_files_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("foreign.vellum");
    let garbage: Vec<u8> = (0..20_000u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let zeros = vec![0u8; 20_000];
    for content in [
        &b""[..],
        b"x",
        b"SQLite format 3\0 and more",
        &garbage,
        &zeros,
    ] {
        std::fs::write(&path, content).unwrap();
        assert!(matches!(
            Database::open(&path),
            Err(Error::Version { .. } | Error::Corrupt(_))
        ));
        assert_eq!(
            std::fs::read(&path).unwrap(),
            content,
            "opening must not write"
        );
    }
}

#[test]
fn a_missing_log_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let image = image(dir.path());
    let path = dir.path().join("alone.vellum");
    std::fs::write(&path, &image.database).unwrap();
    let Err(Error::Corrupt(corruption)) = Database::open(&path) else {
        panic!("the log is part of it")
    };
    assert_eq!(corruption.file, "-log");
}

#[test]
fn a_log_of_another_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    std::fs::create_dir_all(&one).unwrap();
    std::fs::create_dir_all(&other).unwrap();
    let (one, other) = (image(&one), image(&other));
    let mixed = Image {
        database: one.database,
        log: other.log,
        states: Vec::new(),
    };
    assert!(matches!(answer(&mixed), Err(Error::Corrupt(_))));
}

/// The slots are written in turn, so a commit is safe from damage to either only if both name the log.
#[test]
fn either_slot_alone_leads_to_what_was_committed_since_the_open() {
    let directory = MemoryDirectory::new();
    let options = || Database::builder().in_directory(Arc::new(directory.clone()));
    let db = options().create("image").unwrap();
    let mut model = Model::new(false);
    fill(&db, &mut model, 0);
    db.close().unwrap();
    let db = options().open("image").unwrap();
    fill(&db, &mut model, 1);
    let (database, log) = (
        directory.contents("image").unwrap(),
        directory.contents("image-log").unwrap(),
    );
    for slot in [0, 4096] {
        for at in slot..slot + 512 {
            let mut database = database.clone();
            database[at] ^= 1;
            let damaged = Image {
                database,
                log: log.clone(),
                states: Vec::new(),
            };
            match answer(&damaged) {
                Ok(found) => assert!(found == model, "byte {at} took back a commit"),
                Err(error) => panic!("byte {at}: {error}"),
            }
        }
    }
}

/// With both slots that name the log gone, the log itself shows that something is missing.
#[test]
fn a_log_that_no_readable_slot_names_is_not_forgotten() {
    let directory = MemoryDirectory::new();
    let options = || Database::builder().in_directory(Arc::new(directory.clone()));
    let db = options().create("image").unwrap();
    let mut model = Model::new(false);
    fill(&db, &mut model, 0);
    db.close().unwrap();
    let closed = directory.contents("image").unwrap();
    let db = options().open("image").unwrap();
    fill(&db, &mut model, 1);
    let log = directory.contents("image-log").unwrap();
    // The state before the open, of which one slot is left.
    for slot in [0, 4096] {
        let mut database = closed.clone();
        database[slot..slot + 512].fill(0xA5);
        let damaged = Image {
            database,
            log: log.clone(),
            states: Vec::new(),
        };
        let found = answer(&damaged);
        // The newer of the two slots is the one that the log goes on from; both say the same.
        assert!(matches!(found, Err(Error::Corrupt(_))), "slot at {slot}");
    }
}
