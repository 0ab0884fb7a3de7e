//! The process that suffers: opens the ledger, says what it finds, then writes and reads with several
//! threads, and says of each commit when it is durable.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use vellum::Database;

use crate::cli::VictimArgs;
use crate::failure::{Context, Exit, Failure};

use super::ledger::{self, WRITERS};

/// Readers beside the writers.
const READERS: usize = 2;

/// What a victim says on a line.
pub(super) enum Said {
    /// What it found when it opened, and whether a log was recovered.
    Opened(Vec<u64>, bool),
    /// This writer's next commit is durable.
    Acknowledged(usize),
    /// A call failed.
    Failed(String),
    /// A rule is broken.
    Broken(String),
}

/// The child's whole life.
pub(crate) fn run(args: &VictimArgs) -> Result<Exit, Failure> {
    let db = match ledger::builder().open(&args.database) {
        Ok(db) => db,
        Err(error) => {
            say(&format!("failed {error}"));
            return Ok(Exit::Lab);
        }
    };
    let counts = match db.begin_read().map_err(|error| error.to_string()) {
        Ok(txn) => ledger::read(&txn),
        Err(error) => Err(error),
    };
    let counts = match counts {
        Ok(counts) => counts,
        Err(what) => {
            say(&format!("broken {what}"));
            return Ok(Exit::Wrong);
        }
    };
    let list: Vec<String> = counts.iter().map(u64::to_string).collect();
    let recovered = db.recovery().is_some();
    say(&format!(
        "opened {} {}",
        u8::from(recovered),
        list.join(" ")
    ));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers = (0..WRITERS).zip(counts).map(|(writer, count)| {
            let db = &db;
            scope.spawn(move || write(db, writer, count, args.count))
        });
        let writers: Vec<_> = writers.collect();
        for _ in 0..READERS {
            scope.spawn(|| watch(&db, &over));
        }
        for writer in writers {
            // A panic of a writer ends the process by way of the scope.
            let _ = writer.join();
        }
        over.store(true, Ordering::Relaxed);
    });
    if let Err(error) = db.close() {
        say(&format!("failed {error}"));
    }
    Ok(Exit::Passed)
}

fn write(db: &Database, writer: u64, from: u64, count: u64) {
    for number in from + 1..=from.saturating_add(count) {
        match ledger::write(db, writer, number) {
            Ok(()) => say(&format!("acknowledged {writer}")),
            Err(error) => return say(&format!("failed {error}")),
        }
    }
}

/// Snapshots hold whole transactions, at any moment.
fn watch(db: &Database, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        let Ok(txn) = db.begin_read() else { return };
        if let Err(what) = ledger::read(&txn) {
            say(&format!("broken a snapshot is torn: {what}"));
        }
    }
}

/// One line, in one write. Nothing can be told of a parent that does not listen.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(format!("{line}\n").as_bytes());
    let _ = out.flush();
}

/// Starts a victim. `wrapper`: a program and arguments to run it under.
pub(super) fn start(wrapper: &[String], database: &Path, count: u64) -> Result<Child, Failure> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut command = match wrapper.split_first() {
        Some((first, rest)) => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
        None => Command::new(program),
    };
    command
        .arg("__victim")
        .arg("--database")
        .arg(database)
        .args(["--count", &count.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("starting a victim")
}

/// What a victim says, line by line. A line cut short by its death is left out.
pub(super) fn listen(child: &mut Child) -> Result<impl Iterator<Item = Said> + use<>, Failure> {
    let pipe: ChildStdout = child
        .stdout
        .take()
        .ok_or_else(|| Failure::lab("the victim has no stdout"))?;
    let mut reader = BufReader::new(pipe);
    Ok(std::iter::from_fn(move || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0 && line.ends_with('\n')).then(|| understand(line.trim_end()))
    }))
}

fn understand(line: &str) -> Said {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let numbers: Option<Vec<u64>> = rest.split(' ').map(|word| word.parse().ok()).collect();
    match (word, numbers) {
        ("opened", Some(numbers)) if numbers.len() > 1 => {
            Said::Opened(numbers[1..].to_vec(), numbers[0] == 1)
        }
        ("acknowledged", Some(numbers)) => Said::Acknowledged(numbers[0] as usize),
        ("failed", _) => Said::Failed(rest.to_owned()),
        _ => Said::Broken(rest.to_owned()),
    }
}
