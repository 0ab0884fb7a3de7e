//! Other engines under the enumerator: what it found in somebody else's code is the best proof that it finds.
//!
//! An engine that keeps its bytes behind a storage trait of its own gets an adapter onto
//! [`vellum::storage`]; then a recorded session of it is crashed and recovered like one of Vellum.

use std::cell::Cell;
use std::sync::Arc;

use vellum::storage::sim::{Disk, SimDirectory};

use super::choice::Fill;
use super::enumerate::Bounds;
use super::marks::{Mark, Version};
use super::search::{Limits, Search, Subjected};
use super::subject::{Examined, Recovered, Rule, Signs, Subject, Violation};
use crate::share::Share;

/// An engine, opened by an adapter.
pub trait Engine: Sync {
    /// Opens what a crash left, by the engine's own means, and closes it again. Returns the number of the
    /// newest commit that it shows; 0 where there is nothing.
    ///
    /// # Errors
    /// What is wrong with it, in words: it does not open, or shows what is after no commit.
    fn recover(&self, directory: &SimDirectory) -> Result<u64, String>;
}

/// How far the enumeration goes.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// All subsets are made of at most this many pending changes.
    pub exhaustive: usize,
    /// Random subsets where there are more.
    pub samples: u32,
    /// Ways in which one write is torn. What did not reach the disk reads as before: most engines count on
    /// it that a write of the same bytes changes nothing.
    pub tears: usize,
    /// Crashes on top of each other, one to three.
    pub depth: usize,
    /// Ends at this many distinct states.
    pub most_states: u64,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Distinct states, each of them opened.
    pub states: u64,
    /// Of them, states of a crash during the recovery from another.
    pub twice: u64,
    /// One line for each state that broke a rule, with the way to it.
    pub broken: Vec<String>,
}

/// A session that is being recorded.
pub struct Session {
    directory: SimDirectory,
    from: Cell<usize>,
}

impl Session {
    /// Where the engine keeps its bytes.
    pub fn directory(&self) -> &SimDirectory {
        &self.directory
    }

    /// No crash comes before this. Not every engine claims that a creation can be interrupted.
    pub fn begins_here(&self) {
        self.from.set(self.directory.events().len());
    }

    /// Says that commit `number` begins. Numbers ascend from 1.
    pub fn begins(&self, number: u64) {
        self.directory
            .mark(Mark::Begun(Version::of(number, 0)).number());
    }

    /// Says that commit `number` was acknowledged as durable.
    pub fn acknowledged(&self, number: u64) {
        self.directory
            .mark(Mark::Acked(Version::of(number, 0)).number());
    }
}

/// Records a session and crashes it.
///
/// # Errors
/// What the session says.
pub fn enumerate<E>(
    engine: &dyn Engine,
    reach: Reach,
    session: impl FnOnce(&Session) -> Result<(), E>,
) -> Result<Found, E> {
    let recorded = Session {
        directory: SimDirectory::new(),
        from: Cell::new(0),
    };
    session(&recorded)?;
    let events = recorded.directory.events();
    let search = Search::new(Limits {
        bounds: Bounds {
            exhaustive: reach.exhaustive,
            samples: reach.samples,
            tears: reach.tears,
            page_tears: reach.tears,
            older_tears: 0,
            fills: &[Fill::Old],
        },
        depth: reach.depth,
        third_of: 1,
        most: reach.most_states,
        share: Share::WHOLE,
    });
    let subject = Adapted { engine };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    search.run(
        &Subjected {
            subject: &subject,
            events: &events,
            from: recorded.from.get(),
            source: "foreign".to_owned(),
            seed: 1,
        },
        threads,
    );
    let (tally, broken) = search.finish();
    let broken = broken.iter();
    Ok(Found {
        states: tally.total().distinct,
        twice: tally.depths[1].distinct,
        broken: broken
            .map(|broken| format!("{}: {}", broken.path, broken.violation))
            .collect(),
    })
}

struct Adapted<'a> {
    engine: &'a dyn Engine,
}

impl Subject for Adapted<'_> {
    fn examine(&self, disk: &Disk) -> Examined {
        let directory = SimDirectory::with(disk.clone());
        let shown = self.engine.recover(&directory);
        let result = shown.map(|number| {
            let version = Version::of(number, 0);
            directory.mark(Mark::Shown(version).number());
            Recovered {
                version,
                copy: None,
                events: directory.events(),
                signs: Signs::default(),
            }
        });
        Examined {
            result: result.map_err(|what| Violation::new(Rule::Opens, what)),
            // Whether it is a function of what it reads is not known.
            asked: None,
            recovery_ns: 0,
        }
    }
}

/// An open file of a simulated directory, as adapters use it.
///
/// # Errors
/// What the simulated directory says.
pub fn open_or_create(
    directory: &SimDirectory,
    name: &str,
) -> std::io::Result<Arc<dyn vellum::storage::Storage>> {
    use vellum::storage::{Directory, OpenMode};
    if directory.exists(name)? {
        return directory.open(name, OpenMode::Write);
    }
    let file = directory.open(name, OpenMode::CreateNew)?;
    Directory::sync(directory)?;
    Ok(file)
}
