//! Two to eight openers race for one database, in threads and in other processes: exactly one wins,
//! the others are told that it is in use.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;

use vellum::{Database, Error};

use crate::cli::OpenerArgs;
use crate::failure::{Context, Exit, Failure};
use crate::random::Random;

use super::kill::fresh;
use super::{Bench, Stop, Tally, beside, ledger};

const PROCESSES: usize = 4;
const THREADS: u32 = 4;
const WON: &str = "won";
const IN_USE: &str = "in use";

pub(super) fn run(bench: &Bench<'_>, tally: &mut Tally) -> Result<(), Stop> {
    let path = bench.folder.join("raced.vellum");
    fresh(&path)?;
    let mut told = vec![0; ledger::WRITERS as usize];
    let mut others = (0..PROCESSES)
        .map(|_| Other::start(&path))
        .collect::<Result<Vec<_>, _>>()?;
    let mut random = Random::new(bench.seed, 13);
    while bench.goes_on(tally) {
        let processes = random.below(PROCESSES as u32 + 1) as usize;
        let least = 2u32.saturating_sub(processes as u32);
        let threads = least + random.below(THREADS + 1 - least);
        let held = race(&path, &mut others[..processes], threads, tally)?;
        if let [db] = &held[..] {
            beside::look(db, &path, &mut told, tally)?;
        }
        drop(held);
        for other in &mut others[..processes] {
            other.say("close")?;
            other.hear()?;
        }
        bench.counted(tally);
    }
    Ok(())
}

/// One race. Whoever wins holds the database until everybody has tried. Returns what was opened here.
fn race(
    path: &Path,
    others: &mut [Other],
    threads: u32,
    tally: &mut Tally,
) -> Result<Vec<Database>, Failure> {
    let together = Arc::new(Barrier::new(threads as usize + 1));
    let own: Vec<_> = (0..threads)
        .map(|_| {
            let (together, path) = (Arc::clone(&together), path.to_owned());
            thread::spawn(move || {
                together.wait();
                ledger::builder().open(path)
            })
        })
        .collect();
    for other in &mut *others {
        other.say("open")?;
    }
    together.wait();
    let mut results = Vec::new();
    let mut held = Vec::new();
    for opener in own {
        let opened = opener
            .join()
            .map_err(|_| Failure::lab("an opener panicked"))?;
        results.push(outcome(&opened));
        held.extend(opened.ok());
    }
    for other in &mut *others {
        results.push(other.hear()?);
    }
    let winners = results.iter().filter(|result| *result == WON).count();
    let refused = results.iter().filter(|result| *result == IN_USE).count();
    tally.refused += refused as u64;
    if winners != 1 || winners + refused != results.len() {
        tally
            .violations
            .push(format!("openers of one database were told {results:?}"));
    }
    Ok(held)
}

fn outcome(opened: &vellum::Result<Database>) -> String {
    match opened {
        Ok(_) => WON.to_owned(),
        Err(Error::Locked { .. }) => IN_USE.to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A process that opens and closes as it is told.
struct Other {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Other {
    fn start(path: &Path) -> Result<Other, Failure> {
        let program = std::env::current_exe().context("finding this program")?;
        let mut child = Command::new(program)
            .args(["__opener", "--database"])
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting an opener")?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::lab("an opener has no pipes"));
        };
        Ok(Other {
            child,
            to,
            from: BufReader::new(from),
        })
    }

    fn say(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.to, "{line}").context("speaking to an opener")
    }

    fn hear(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        let read = self
            .from
            .read_line(&mut line)
            .context("listening to an opener")?;
        if read == 0 {
            return Err(Failure::lab("an opener died"));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's whole life: lines of `open` and `close` until its input ends.
pub(crate) fn child(args: &OpenerArgs) -> Result<Exit, Failure> {
    let mut held = None;
    for line in io::stdin().lock().lines() {
        let answer = match line.context("stdin")?.as_str() {
            "open" => {
                let opened = ledger::builder().open(&args.database);
                let answer = outcome(&opened);
                held = opened.ok();
                answer
            }
            _ => {
                drop(held.take());
                "closed".to_owned()
            }
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}")
            .and_then(|()| out.flush())
            .context("stdout")?;
    }
    Ok(Exit::Passed)
}
