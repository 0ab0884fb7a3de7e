//! Which state: the session, and each crash on the way to it. Written as one word that replays it.

use std::fmt;
use std::str::FromStr;

use vellum::storage::sim::SyncFailure;
use xxhash_rust::xxh3::xxh3_64;

use super::choice::Choice;
use super::oracle::Rules;
use super::workload::Workload;

/// A crash of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Crash {
    /// Events of the session before it.
    pub(crate) at: usize,
    pub(crate) choice: Choice,
    /// Only the process ends: what it wrote can be seen, and is no more durable than it was.
    pub(crate) dies: bool,
}

/// The way to a state: a session, and the crashes of it and of the recoveries from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) source: String,
    pub(crate) crashed: Vec<Crash>,
}

impl Path {
    pub(crate) fn new(source: &str) -> Path {
        Path {
            source: source.to_owned(),
            crashed: Vec::new(),
        }
    }

    pub(crate) fn then(&self, crash: Crash) -> Path {
        let mut path = self.clone();
        path.crashed.push(crash);
        path
    }

    pub(crate) fn crashes(&self) -> usize {
        self.crashed.len()
    }

    /// A number of its own, for the random choices behind it.
    pub(crate) fn number(&self) -> u64 {
        if self.crashed.is_empty() {
            0
        } else {
            xxh3_64(self.to_string().as_bytes())
        }
    }
}

/// `small.1:204.k3f-t5.a0.z:17.k1`: the session, then for each crash the events before it and what it
/// kept. `!` in place of `k` where only the process died.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        self.crashed.iter().try_for_each(|crash| {
            let dies = if crash.dies { "!" } else { "" };
            write!(f, ":{}.{dies}{}", crash.at, crash.choice)
        })
    }
}

impl FromStr for Path {
    type Err = ();

    fn from_str(text: &str) -> Result<Path, ()> {
        let mut parts = text.split(':');
        let mut path = Path::new(parts.next().ok_or(())?);
        for part in parts {
            let (at, choice) = part.split_once('.').ok_or(())?;
            let dies = choice.strip_prefix('!');
            path.crashed.push(Crash {
                at: at.parse().map_err(|_| ())?,
                choice: dies.unwrap_or(choice).parse()?,
                dies: dies.is_some(),
            });
        }
        Ok(path)
    }
}

/// A recorded session: its workload, its seed, the rules it is judged by, and the sync that fails in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) workload: Workload,
    pub(crate) seed: u64,
    /// What else the sessions after a crash do.
    pub(crate) rules: Rules,
    /// The number of the call that fails, and how.
    pub(crate) failing: Option<(usize, SyncFailure)>,
}

const FAILURES: [(char, SyncFailure); 3] = [
    ('d', SyncFailure::Dirty),
    ('c', SyncFailure::Clean),
    ('x', SyncFailure::Dropped),
];

/// `small.1`; `small.1.rco` with other rules than usual; `small.1.f204c` with a sync that fails.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.workload.name(), self.seed)?;
        if self.rules != Rules::default() {
            write!(f, ".r{}", self.rules.letters())?;
        }
        if let Some((call, failure)) = self.failing {
            let known = FAILURES.iter().find(|(_, one)| *one == failure);
            write!(f, ".f{call}{}", known.map_or('d', |(letter, _)| *letter))?;
        }
        Ok(())
    }
}

impl FromStr for Source {
    type Err = ();

    fn from_str(text: &str) -> Result<Source, ()> {
        let mut parts = text.split('.');
        let workload = parts.next().and_then(Workload::named).ok_or(())?;
        let seed = parts.next().ok_or(())?.parse().map_err(|_| ())?;
        let mut source = Source {
            workload,
            seed,
            rules: Rules::default(),
            failing: None,
        };
        for part in parts {
            match part.strip_prefix('r') {
                Some(letters) => source.rules = Rules::of_letters(letters).ok_or(())?,
                None => source.failing = Some(failing(part).ok_or(())?),
            }
        }
        Ok(source)
    }
}

fn failing(text: &str) -> Option<(usize, SyncFailure)> {
    let text = text.strip_prefix('f')?;
    let (letter, failure) = FAILURES
        .iter()
        .find(|(letter, _)| text.ends_with(*letter))?;
    Some((text.strip_suffix(*letter)?.parse().ok()?, *failure))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        for text in [
            "small.1",
            "small.1:204.k3f",
            "group-commit.18446744073709551615:1.k0-t5.a0.z:17.!k1-s3",
            "create.7.f12c:9.k1",
            "create.7.rcwao.f12x:9.k1",
            "create.7.r:9.k1",
        ] {
            let path: Path = text.parse().unwrap();
            assert_eq!(path.to_string(), text);
            let source: Source = path.source.parse().unwrap();
            assert_eq!(source.to_string(), path.source);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["small.1:", "small.1:x.k1", "small.1:3", "small.1:3.k1:"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
        for text in [
            "",
            "large.1",
            "small",
            "small.x",
            "small.1.f",
            "small.1.f3q",
            "small.1.f3d.4",
            "small.1.rz",
        ] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }
}
