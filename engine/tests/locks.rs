//! Who may open a database while others have it open, in this process and in others.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;

use vellum::{Database, Error};

/// In a child process: what to do, and with which database.
const ORDER: &str = "VELLUM_LOCKS_ORDER";
const DATABASE: &str = "VELLUM_LOCKS_DATABASE";

fn new_database(dir: &Path) -> PathBuf {
    let path = dir.join("shared.vellum");
    let db = Database::create(&path).unwrap();
    add_node(&db);
    db.close().unwrap();
    path
}

fn add_node(db: &Database) {
    let mut txn = db.begin_write().unwrap();
    txn.insert_node("kind", "name", b"data").unwrap();
    txn.commit().unwrap();
}

fn is_locked<T>(opened: Result<T, Error>) -> bool {
    match opened {
        Ok(_) => false,
        Err(Error::Locked { path }) => {
            assert!(!path.is_empty());
            true
        }
        Err(error) => panic!("{error:?}"),
    }
}

fn files_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Not a test of its own: what child processes run. It says what came of the order on one line,
/// and an order to hold ends when its input does.
#[test]
fn child() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let path = std::env::var(DATABASE).unwrap();
    let opened = match order.as_str() {
        "hold" | "write" => Database::open(path),
        _ => Database::open_read_only(path),
    };
    let db = match opened {
        Ok(db) => db,
        Err(error) => return println!("\nANSWER {error:?}"),
    };
    if order == "hold" {
        add_node(&db);
    }
    println!("\nANSWER opened {}", db.begin_read().unwrap().node_count());
    if order.starts_with("hold") {
        std::io::stdin().lines().for_each(drop);
    }
}

fn spawn(order: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(ORDER, order)
        .env(DATABASE, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn answer(child: &mut Child) -> String {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    lines
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("ANSWER ").map(str::to_owned))
        .expect("the child ended without an answer")
}

/// What another process is told when it opens the database.
fn ask(order: &str, path: &Path) -> String {
    let mut child = spawn(order, path);
    let said = answer(&mut child);
    drop(child.stdin.take());
    child.wait().unwrap();
    said
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_second_handle_in_this_process_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    let db = Database::open(&path).unwrap();
    let clone = db.clone();
    assert!(is_locked(Database::open(&path)));
    assert!(is_locked(Database::open_read_only(&path)));
    assert!(is_locked(Database::builder().open_or_create(&path)));
    drop(db);
    assert!(is_locked(Database::open(&path)), "a clone holds it");
    let snapshot = clone.begin_read().unwrap();
    drop(clone);
    assert!(is_locked(Database::open(&path)), "a snapshot holds it");
    assert_eq!(snapshot.node_count(), 1);
    drop(snapshot);
    Database::open(&path).unwrap().close().unwrap();
}

#[test]
fn a_new_database_is_locked_from_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.vellum");
    let db = Database::create(&path).unwrap();
    assert!(is_locked(Database::open(&path)));
    assert!(ask("write", &path).starts_with("Locked"));
    db.close().unwrap();
    assert_eq!(ask("write", &path), "opened 0");
}

#[test]
fn other_paths_lead_to_the_same_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    let inner = dir.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let mut others = vec![inner.join("..").join("shared.vellum")];
    let hard = dir.path().join("hard.vellum");
    if std::fs::hard_link(&path, &hard).is_ok() {
        others.push(hard);
    }
    #[cfg(unix)]
    {
        let soft = inner.join("soft.vellum");
        std::os::unix::fs::symlink(&path, &soft).unwrap();
        others.push(soft);
    }
    let db = Database::open(&path).unwrap();
    for other in &others {
        assert!(is_locked(Database::open(other)), "{}", other.display());
        assert!(is_locked(Database::open_read_only(other)));
        assert!(ask("write", other).starts_with("Locked"));
    }
    db.close().unwrap();
    for other in &others {
        assert_eq!(ask("read", other), "opened 1", "{}", other.display());
    }
}

/// A relative path is resolved by the child, which starts in the database's folder.
#[test]
fn a_relative_path_leads_to_the_same_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    let relative = |db: Option<Database>| {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(ORDER, "write")
            .env(DATABASE, "shared.vellum")
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = answer(&mut child);
        child.wait().unwrap();
        drop(db);
        said
    };
    let db = Database::open(&path).unwrap();
    assert!(relative(Some(db)).starts_with("Locked"));
    assert_eq!(relative(None), "opened 1");
}

#[test]
fn a_writer_excludes_other_processes() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    let db = Database::open(&path).unwrap();
    assert!(ask("write", &path).starts_with("Locked"));
    assert!(ask("read", &path).starts_with("Locked"));
    db.close().unwrap();
    assert_eq!(ask("read", &path), "opened 1");

    let child = &mut spawn("hold", &path);
    assert_eq!(answer(child), "opened 2");
    assert!(is_locked(Database::open(&path)));
    assert!(is_locked(Database::open_read_only(&path)));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    Database::open(&path).unwrap().close().unwrap();
}

#[test]
fn readers_share_and_keep_writers_out() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    let here = Database::open_read_only(&path).unwrap();
    let also = Database::open_read_only(&path).unwrap();
    let mut children = [spawn("hold read", &path), spawn("hold read", &path)];
    for child in &mut children {
        assert_eq!(answer(child), "opened 1");
    }
    for db in [&here, &also] {
        assert_eq!(db.begin_read().unwrap().node_count(), 1);
        assert!(matches!(db.begin_write().err(), Some(Error::Usage(_))));
    }
    assert!(is_locked(Database::open(&path)));
    assert!(ask("write", &path).starts_with("Locked"));
    drop((here, also));
    assert!(is_locked(Database::open(&path)), "the children read");
    children.into_iter().for_each(end);
    assert_eq!(ask("write", &path), "opened 1");
}

/// `kill` is SIGKILL, or its like.
#[test]
fn a_killed_holder_leaves_no_lock_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    for round in 2..6 {
        let mut child = spawn("hold", &path);
        assert_eq!(answer(&mut child), format!("opened {round}"));
        child.kill().unwrap();
        child.wait().unwrap();
        let db = Database::open(&path).unwrap();
        assert_eq!(db.recovery().unwrap().commits, 1);
        assert_eq!(db.begin_read().unwrap().node_count(), round);
        assert_eq!(db.check().unwrap().findings, []);
        db.close().unwrap();
    }
    let mut child = spawn("hold read", &path);
    answer(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(Database::open(&path).unwrap().recovery().is_none());
}

/// Lets `count` threads do the same at the same time. Whoever succeeds holds on until all are done.
fn race(count: usize, open: impl Fn() -> Result<Database, Error> + Sync) -> Vec<Error> {
    let (start, done) = (Barrier::new(count), Barrier::new(count));
    std::thread::scope(|scope| {
        let contend = || {
            start.wait();
            let opened = open();
            done.wait();
            opened.err()
        };
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(contend)).collect();
        let errors = threads.into_iter().map(|thread| thread.join().unwrap());
        errors.flatten().collect()
    })
}

#[test]
fn of_many_that_open_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    for round in 0..40 {
        let count = 2 + round % 7;
        let losers = race(count, || Database::open(&path));
        assert_eq!(losers.len(), count - 1, "{losers:?}");
        for error in losers {
            assert!(matches!(error, Error::Locked { .. }), "{error:?}");
        }
    }
}

/// A process inherits every open file until it runs its own program, and locks with them.
#[test]
fn a_lock_ends_with_its_handle_while_processes_are_started() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    let (mut opened, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let start_many = || (0..40).for_each(|_| end(spawn("none", Path::new("none"))));
        let starting = scope.spawn(start_many);
        while !starting.is_finished() {
            match is_locked(Database::open(&path)) {
                true => refused += 1,
                false => opened += 1,
            }
        }
    });
    assert!(opened > 0);
    assert_eq!(refused, 0);
}

#[test]
fn of_many_that_create_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..40 {
        let path = dir.path().join(format!("{round}.vellum"));
        let count = 2 + round % 7;
        let losers = race(count, || Database::create(&path));
        assert_eq!(losers.len(), count - 1, "{losers:?}");
        for error in losers {
            let right = matches!(error, Error::Locked { .. } | Error::Usage(_));
            assert!(right, "{error:?}");
        }
        assert_eq!(ask("write", &path), "opened 0");
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(files_in(dir.path()), [""; 0]);
}

#[test]
fn creating_what_exists_leaves_it_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = new_database(dir.path());
    let foreign = dir.path().join("foreign.txt");
    std::fs::write(&foreign, "not a database").unwrap();
    for path in [&path, &foreign] {
        let before = std::fs::read(path).unwrap();
        assert!(matches!(
            Database::create(path).err(),
            Some(Error::Usage(_))
        ));
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
    assert_eq!(files_in(dir.path()), ["foreign.txt", "shared.vellum"]);
    let db = Database::open(&path).unwrap();
    assert!(matches!(
        Database::create(&path).err(),
        Some(Error::Usage(_))
    ));
    add_node(&db);
}

#[test]
fn opening_what_is_missing_creates_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("missing.vellum");
    let nowhere = dir.path().join("no such folder").join("missing.vellum");
    for path in [&missing, &nowhere] {
        for opened in [Database::open(path), Database::open_read_only(path)] {
            let Some(Error::Io { context, source }) = opened.err() else {
                panic!("there is nothing to open")
            };
            assert!(context.contains("missing.vellum"));
            assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
        }
    }
    assert!(matches!(
        Database::create(&nowhere).err(),
        Some(Error::Io { .. })
    ));
    assert_eq!(files_in(dir.path()), [""; 0]);
}
