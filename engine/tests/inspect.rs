//! Pages of files that open and of files that do not, looked at one by one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::sync::Arc;

use vellum::format::header::SlotProblem;
use vellum::inspect::{Identity, Mending, PageFile, PartKind, parts};
use vellum::storage::MemoryDirectory;
use vellum::{Database, Error, PageRef};

const NAME: &str = "graph";

fn directory(page_size: usize) -> MemoryDirectory {
    let directory = MemoryDirectory::new();
    let db = Database::builder()
        .page_size(page_size)
        .in_directory(Arc::new(directory.clone()))
        .create(NAME)
        .unwrap();
    let mut txn = db.begin_write().unwrap();
    let first = txn.insert_node("hub", "first", &vec![7; 40_000]).unwrap();
    for number in 0..500 {
        let node = txn
            .insert_node("spoke", &format!("number {number}"), b"{}")
            .unwrap();
        txn.insert_edge(first, "to", node, b"").unwrap();
    }
    txn.commit().unwrap();
    db.close().unwrap();
    directory
}

fn damaged(bytes: &[u8], at: usize) -> MemoryDirectory {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    let directory = MemoryDirectory::new();
    directory.put(NAME, bytes);
    directory
}

#[test]
fn every_page_of_a_sound_file_verifies() {
    for page_size in [4096, 16384] {
        let directory = directory(page_size);
        let bytes = directory.contents(NAME).unwrap();
        let file = PageFile::open_in(&directory, NAME).unwrap();
        assert_eq!(file.page_size(), page_size);
        assert_eq!(file.header_size() as u64, file.offset(file.first_page()));
        assert_eq!(file.len(), bytes.len() as u64);
        assert_eq!(file.newest().unwrap().node_count, 501);
        let mut seen = 0;
        for found in file.pages(file.first_page()..file.page_count()) {
            let found = found.unwrap();
            let start = usize::try_from(file.offset(found.number)).unwrap();
            let stored = &bytes[start..start + page_size];
            assert_eq!(&*found.bytes, stored);
            assert_eq!(&*file.raw(found.number).unwrap(), stored);
            assert!(found.page.is_ok(), "{}: {:?}", found.number, found.page);
            file.verify(found.number, stored).unwrap();
            assert!(file.verify(found.number + 1, stored).is_err());
            seen += 1;
        }
        assert!(seen > 3);
    }
}

#[test]
fn a_damaged_page_is_told_and_the_others_stand() {
    let bytes = directory(4096).contents(NAME).unwrap();
    let pages = bytes.len() / 4096;
    for broken in 2..pages {
        let file = PageFile::open_in(&damaged(&bytes, broken * 4096 + 1000), NAME).unwrap();
        for found in file.pages(2..file.page_count()) {
            let found = found.unwrap();
            assert_eq!(found.page.is_err(), found.number == broken as u64);
        }
    }
}

#[test]
fn a_reference_must_carry_the_birth() {
    let directory = directory(4096);
    let file = PageFile::open_in(&directory, NAME).unwrap();
    let birth = file.page(2).unwrap().birth;
    let at = |birth| file.at(PageRef::new(2, birth).unwrap()).unwrap();
    assert!(at(birth).page.is_ok());
    let other = at(birth + 1).page.unwrap_err();
    assert!(other.to_string().contains("birth"), "{other}");
}

#[test]
fn slots_are_shown_or_say_why_not() {
    let bytes = directory(4096).contents(NAME).unwrap();
    let file = PageFile::open_in(&damaged(&bytes, 100), NAME).unwrap();
    let [first, second] = file.slots();
    assert!(matches!(first, Err(SlotProblem::Damaged(_))), "{first:?}");
    assert!(second.is_ok());
    assert_eq!(file.newest().unwrap().sequence % 2, 1);
}

#[test]
fn files_that_are_none_are_looked_at_all_the_same() {
    for bytes in [
        Vec::new(),
        vec![0; 3],
        b"a text, not a database".to_vec(),
        vec![9; 70_000],
    ] {
        let directory = MemoryDirectory::new();
        let pages = bytes.len() as u64 / 4096;
        directory.put(NAME, bytes.clone());
        let file = PageFile::open_in(&directory, NAME).unwrap();
        assert!(file.newest().is_none());
        assert!(file.slots().iter().all(Result::is_err));
        assert_eq!(file.is_empty(), bytes.is_empty());
        assert_eq!(file.page_count(), pages);
        for found in file.pages(0..pages) {
            assert!(found.unwrap().page.is_err());
        }
    }
}

#[test]
fn both_slots_damaged_still_tell_the_page_size() {
    let mut bytes = directory(16384).contents(NAME).unwrap();
    bytes[200] ^= 1;
    bytes[4096 + 200] ^= 1;
    let directory = MemoryDirectory::new();
    directory.put(NAME, bytes);
    let file = PageFile::open_in(&directory, NAME).unwrap();
    assert!(file.newest().is_none());
    assert_eq!(file.page_size(), 16384);
    assert!(file.page(file.first_page()).unwrap().page.is_ok());
}

#[test]
fn a_truncated_file_has_the_pages_that_it_has() {
    let bytes = directory(4096).contents(NAME).unwrap();
    let short = MemoryDirectory::new();
    short.put(NAME, bytes[..3 * 4096 + 5].to_vec());
    let file = PageFile::open_in(&short, NAME).unwrap();
    assert_eq!(file.page_count(), 3);
    assert!(file.page(2).unwrap().page.is_ok());
    let missing = file.raw(3).unwrap_err();
    assert!(
        matches!(&missing, Error::Usage(text) if text.contains("3 pages")),
        "{missing}"
    );
    let mut found = file.pages([9, 2]);
    assert!(found.next().unwrap().is_err());
    assert!(found.next().unwrap().unwrap().page.is_ok());
}

#[test]
fn an_open_database_can_be_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.vellum");
    let db = Database::create(&path).unwrap();
    let mut txn = db.begin_write().unwrap();
    txn.insert_node("n", "logged", b"").unwrap();
    txn.commit().unwrap();
    let file = PageFile::open(&path).unwrap();
    assert_ne!(file.newest().unwrap().log_generation, 0);
    db.close().unwrap();
    assert!(matches!(
        PageFile::open(folder.path().join("none")),
        Err(Error::Io { .. })
    ));
    assert!(matches!(PageFile::open("/"), Err(Error::Usage(_))));
}

fn without_slots(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for slot in [0, 4096] {
        bytes[slot..slot + 512].fill(0);
    }
    bytes
}

fn file_of(bytes: Vec<u8>) -> PageFile {
    let directory = MemoryDirectory::new();
    directory.put(NAME, bytes);
    PageFile::open_in(&directory, NAME).unwrap()
}

#[test]
fn pages_tell_size_and_identity_when_both_slots_are_lost() {
    for page_size in [4096, 16384, 65536] {
        let bytes = directory(page_size).contents(NAME).unwrap();
        let true_id = file_of(bytes.clone()).file_id();
        let file = file_of(without_slots(&bytes));
        assert_eq!(file.identity(), Identity::Pages);
        assert_eq!(file.page_size(), page_size);
        for found in file.pages(file.first_page()..file.page_count()) {
            assert!(found.unwrap().page.is_ok());
        }
        assert!(file.has_identity(&true_id));
        assert!(!file.has_identity(&[1; 16]));
        // A slot that is damaged and legible gives the true one.
        let mut legible = bytes.clone();
        legible[100] ^= 1;
        legible[4196] ^= 1;
        assert_eq!(file_of(legible).file_id(), true_id);
    }
    let noise: Vec<u8> = (0..40_000u32).map(|i| ((i * i) >> 5) as u8).collect();
    assert_eq!(file_of(noise).identity(), Identity::Guessed);
}

/// Whatever single bit of a page is flipped, the page is known again, and so is the bit.
#[test]
fn one_flipped_bit_is_found() {
    for page_size in [4096, 16384] {
        let bytes = directory(page_size).contents(NAME).unwrap();
        let pages = bytes.len() / page_size;
        for bit in (0..200)
            .chain((200..8 * page_size).step_by(777))
            .chain(8 * (page_size - 8)..8 * page_size)
        {
            let number = pages - 1 - bit % (pages - 8192_usize.div_ceil(page_size));
            let mut flipped = bytes.clone();
            flipped[number * page_size + bit / 8] ^= 1 << (bit % 8);
            let file = file_of(flipped);
            let mended = file
                .mend(number as u64)
                .unwrap()
                .unwrap_or_else(|| panic!("bit {bit}"));
            assert_eq!(mended.how, Mending::Bit(bit));
            assert_eq!(
                mended.page.bytes(),
                &bytes[number * page_size..][..page_size]
            );
        }
    }
}

/// Some bits change the checksum by as much as a page number far beyond the file would. Such a page is
/// at its place, with that bit flipped, and not whole somewhere else.
#[test]
fn a_flipped_bit_is_not_taken_for_a_page_from_beyond_the_file() {
    for (page_size, byte, bits) in [(4096, 3843, 3..6), (16384, 9922, 5..6)] {
        let bytes = directory(page_size).contents(NAME).unwrap();
        let number = bytes.len() / page_size - 1;
        for bit in bits {
            let mut flipped = bytes.clone();
            flipped[number * page_size + byte] ^= 1 << bit;
            let mended = file_of(flipped).mend(number as u64).unwrap().unwrap();
            assert_eq!(mended.how, Mending::Bit(8 * byte + bit));
            assert_eq!(mended.page.at().page(), number as u64);
            assert_eq!(
                mended.page.bytes(),
                &bytes[number * page_size..][..page_size]
            );
        }
    }
}

#[test]
fn a_page_in_another_place_is_known_and_other_damage_is_not() {
    let bytes = directory(4096).contents(NAME).unwrap();
    let pages = bytes.len() / 4096;
    let (a, b) = (3, pages - 1);
    let mut swapped = bytes.clone();
    swapped[a * 4096..][..4096].copy_from_slice(&bytes[b * 4096..][..4096]);
    swapped[b * 4096..][..4096].copy_from_slice(&bytes[a * 4096..][..4096]);
    let file = file_of(swapped.clone());
    for (found_at, home) in [(a, b), (b, a)] {
        let mended = file.mend(found_at as u64).unwrap().unwrap();
        assert_eq!(
            (mended.how, mended.found_at),
            (Mending::Moved, found_at as u64)
        );
        assert_eq!(mended.page.at().page(), home as u64);
        assert_eq!(mended.page.bytes(), &bytes[home * 4096..][..4096]);
    }
    assert!(
        file.mend(2).unwrap().is_none(),
        "a whole page needs no mending"
    );
    swapped[a * 4096 + 700] ^= 1;
    swapped[b * 4096 + 700..][..9].fill(0xa5);
    let file = file_of(swapped);
    assert!(file.mend(a as u64).unwrap().is_none());
    assert!(file.mend(b as u64).unwrap().is_none());
}

#[test]
fn parts_cover_a_page_without_gaps() {
    let directory = directory(4096);
    let file = PageFile::open_in(&directory, NAME).unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    for found in file.pages(file.first_page()..file.page_count()) {
        let page = found.unwrap().page.unwrap();
        kinds.insert(page.kind());
        let parts = parts(&page);
        let mut at = 0;
        for part in &parts {
            assert_eq!(part.range.start, at, "{parts:?}");
            at = part.range.end;
        }
        assert_eq!(at, 4096);
        let cells = parts
            .iter()
            .filter(|part| matches!(part.kind, PartKind::Cell(_)));
        let empty = page.sorted().map_or(0, |view| {
            (0..view.len()).filter(|i| view.is_absent(*i)).count()
        });
        assert!(page.count() == cells.count() + empty || page.freelist().is_some());
    }
    assert!(kinds.len() >= 4, "{kinds:?}");
}
