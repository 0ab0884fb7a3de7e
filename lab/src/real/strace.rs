//! System calls that fail because strace says so: whatever the victim acknowledged is there, and the
//! database opens again.

use std::path::Path;

use crate::failure::{Context, Failure};

use super::cut::{call, tool};
use super::kill::{fresh, settle};
use super::ledger::{WRITERS, compare};
use super::victim::{Said, listen, start};
use super::{Bench, Stop, Tally};

/// The call and its error.
const INJECTIONS: &[(&str, &str)] = &[
    ("fdatasync", "EIO"),
    ("fsync", "EIO"),
    ("pwrite64", "EIO"),
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EINTR"),
    ("ftruncate", "ENOSPC"),
    ("pread64", "EIO"),
];
/// Commits of each writer under injection.
const COMMITS: u64 = 25;
/// The last call that fails.
const CALLS: u64 = 40;

pub(super) fn run(bench: &Bench<'_>, tally: &mut Tally) -> Result<(), Stop> {
    tool("strace")?;
    probe()?;
    let path = bench.folder.join("traced.vellum");
    for number in 1..=CALLS {
        for (name, error) in INJECTIONS {
            fresh(&path)?;
            let when = if number % 3 == 0 { "+" } else { "" };
            let inject = format!("inject={name}:error={error}:when={number}{when}");
            // A call that is interrupted for ever is tried for ever.
            let inject = if *error == "EINTR" {
                inject.replace('+', "")
            } else {
                inject
            };
            injected(&path, &inject, tally)?;
            if !bench.counted(tally) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Whether processes may be traced here, which containers often forbid.
fn probe() -> Result<(), Stop> {
    call("strace", &["-qqq", "-o", "/dev/null", "true"]).map(|_| ())
}

fn injected(path: &Path, inject: &str, tally: &mut Tally) -> Result<(), Stop> {
    let wrapper = ["strace", "-f", "-qqq", "-o", "/dev/null", "-e", inject].map(str::to_owned);
    let mut child = start(&wrapper, path, COMMITS)?;
    let mut told = vec![0; WRITERS as usize];
    let mut spoke = false;
    for said in listen(&mut child)? {
        spoke = true;
        match said {
            Said::Opened(found, _) => {
                compare(tally, &mut told, &found);
            }
            Said::Acknowledged(writer) => {
                tally.acknowledged += 1;
                told[writer] += 1;
            }
            Said::Failed(_) => tally.refused += 1,
            // A read that fails is an error of the snapshot that read, not a torn one.
            Said::Broken(what) if what.contains("os error") => tally.refused += 1,
            Said::Broken(what) => tally.violations.push(format!("{inject}: {what}")),
        }
    }
    let status = child.wait().context("waiting for a victim")?;
    // A process whose loader was hit says nothing.
    tally.refused += u64::from(!spoke);
    if status.code().is_none_or(|code| code == 101) {
        return Err(Failure::lab(format!("{inject}: the victim panicked: {status}")).into());
    }
    settle(path, &mut told, tally).map_err(|stop| match stop {
        Stop::Broken(failure) => Stop::Broken(Failure::wrong(format!("after {inject}: {failure}"))),
        skip => skip,
    })
}
