//! What was counted is what the operating system saw of this thread (proc(5), `/proc/thread-self/io`: `rchar`, `wchar`).

use std::fs;

use vellum::{CheckpointMode, Database};

use crate::scenes;

/// Bytes that this thread has read and written so far.
struct Seen {
    read: u64,
    written: u64,
    /// What asking took; it is among the bytes read from then on.
    asking: u64,
}

/// None where the kernel does not account for it.
fn seen() -> Option<Seen> {
    let text = fs::read_to_string("/proc/thread-self/io").ok()?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    };
    Some(Seen {
        read: of("rchar:"),
        written: of("wchar:"),
        asking: text.len() as u64,
    })
}

#[test]
fn bytes_counted_are_those_that_the_operating_system_saw() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("graph.vellum");
    let builder = Database::builder()
        .checkpoint(CheckpointMode::Inline)
        .cache_bytes(1 << 16);
    let Some(before) = seen() else {
        println!("skipped: this kernel does not account for a thread's bytes");
        return;
    };
    let db = builder.create(&path).unwrap();
    scenes::ring(&db, 3000);
    let watch = db.watch();
    db.close().unwrap();
    let written = watch.counters();
    let db = builder.open(&path).unwrap();
    let txn = db.begin_read().unwrap();
    assert_eq!(txn.nodes().count(), 3000);
    assert!(db.check().unwrap().findings.is_empty());
    drop(txn);
    let watch = db.watch();
    db.close().unwrap();
    let counts = written + watch.counters();
    let after = seen().unwrap();
    assert!(counts.bytes_read() > 100_000 && counts.bytes_written() > 100_000);
    assert_eq!(counts.bytes_written(), after.written - before.written);
    assert_eq!(
        counts.bytes_read(),
        after.read - before.read - before.asking
    );
}
