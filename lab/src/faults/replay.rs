//! One cell of the matrix again, by the name that a violation printed.

use std::fmt;
use std::str::FromStr;

use vellum::storage::sim::Call;

use super::cell::{Bench, Came, Planned};
use super::guarded;
use super::kinds::{Kind, TOLD, UNTOLD};
use super::operation::Operation;
use super::start::{Build, Starts};

const LASTS: &str = "lasts";

/// A cell: `log-commit.small.1:12.eio-half-written.lasts`.
pub(super) struct Id {
    pub(super) operation: Operation,
    pub(super) build: Build,
    pub(super) seed: u64,
    pub(super) call: usize,
    pub(super) kind: Kind,
    pub(super) lasts: bool,
}

impl Id {
    /// The same in words.
    pub(super) fn said(&self, what: Call) -> String {
        let how = if self.lasts { "from then on" } else { "once" };
        let (call, kind) = (self.call, self.kind.0);
        let (operation, build) = (self.operation.name(), self.build.name());
        format!("{operation}, {build} pages, call {call} ({what:?}), {kind} {how}")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operation, kind) = (slug(self.operation.name()), slug(self.kind.0));
        let build = self.build.name();
        write!(f, "{operation}.{build}.{}:{}.{kind}", self.seed, self.call)?;
        if self.lasts {
            write!(f, ".{LASTS}")?;
        }
        Ok(())
    }
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Id, ()> {
        let (source, cell) = text.split_once(':').ok_or(())?;
        let (source, seed) = source.rsplit_once('.').ok_or(())?;
        let (operation, build) = source.rsplit_once('.').ok_or(())?;
        let build = Build::ALL.into_iter().find(|known| known.name() == build);
        let mut parts = cell.split('.');
        let call = parts.next().ok_or(())?.parse().map_err(|_| ())?;
        let kind = parts.next().ok_or(())?;
        let lasts = match parts.next() {
            None => false,
            Some(LASTS) => true,
            Some(_) => return Err(()),
        };
        let operation = Operation::ALL
            .into_iter()
            .find(|known| slug(known.name()) == operation);
        let kind = TOLD
            .iter()
            .chain(&UNTOLD)
            .find(|known| slug(known.0) == kind);
        Ok(Id {
            operation: operation.ok_or(())?,
            build: build.ok_or(())?,
            seed: seed.parse().map_err(|_| ())?,
            call,
            kind: *kind.ok_or(())?,
            lasts,
        })
    }
}

/// A name as one word.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("-")
}

/// What a cell came to, in words, and whether a rule was broken.
///
/// # Errors
/// If the text names no cell.
pub(crate) fn replay(text: &str) -> Result<(String, bool), String> {
    let wrong = || {
        format!(
            "`{text}` names no cell; take the name from the finding of a run, such as log-commit.small.1:12.eio.lasts"
        )
    };
    let id: Id = text.parse().map_err(|()| wrong())?;
    let starts = Starts::new(id.build).map_err(|error| format!("making the databases: {error}"))?;
    let bench = Bench {
        starts: &starts,
        operation: id.operation,
        seed: id.seed,
    };
    let expected = guarded(|| bench.expected())?;
    let Some(what) = expected.calls.get(id.call).copied() else {
        let calls = expected.calls.len();
        return Err(format!(
            "{text}: {} makes {calls} calls, numbered from 0",
            id.operation.name()
        ));
    };
    if !id.kind.1.fits(what) {
        return Err(format!(
            "{text}: call {} is {what:?}, which cannot fail so",
            id.call
        ));
    }
    let planned = Planned {
        call: id.call,
        kind: id.kind.1,
        lasts: id.lasts,
    };
    let said = id.said(what);
    Ok(match guarded(|| bench.judge(&expected, planned)) {
        Ok(Came::NotReached) => (format!("{said}: the call was not reached"), false),
        Ok(Came::Done) => (
            format!("{said}: done all the same; every rule holds"),
            false,
        ),
        Ok(Came::Failed) => (
            format!("{said}: failed, and was done again; every rule holds"),
            false,
        ),
        Ok(Came::Poisoned) => (
            format!("{said}: nobody writes until the database is opened again; every rule holds"),
            false,
        ),
        Err(broken) => (format!("{said}: {broken}"), true),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_cell_has_a_name_that_leads_back() {
        for operation in Operation::ALL {
            for kind in TOLD.iter().chain(&UNTOLD) {
                for lasts in [false, true] {
                    let id = Id {
                        operation,
                        build: Build::Large,
                        seed: 7,
                        call: 12,
                        kind: *kind,
                        lasts,
                    };
                    let back: Id = id.to_string().parse().unwrap();
                    assert_eq!(
                        (back.operation, back.kind, back.lasts),
                        (operation, *kind, lasts)
                    );
                    assert_eq!((back.seed, back.call), (7, 12));
                }
            }
        }
    }

    #[test]
    fn a_cell_is_judged_again() {
        let (said, broken) = replay("checkpoint.small.1:3.eio").unwrap();
        assert!(
            !broken && said.contains("checkpoint, small pages, call 3"),
            "{said}"
        );
        for wrong in [
            "",
            "checkpoint",
            "nothing.small.1:3.eio",
            "create.small.1:3.eoi",
            "create.small.1:99999.eio",
            "create.small.1:0.lost-write",
        ] {
            assert!(replay(wrong).is_err(), "{wrong}");
        }
    }
}
