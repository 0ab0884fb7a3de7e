//! Which parts of a disk a session looked at, and which other disks it could not have told apart.
//!
//! The engine is a function of what it reads. Once a session on one state is examined, every other state
//! that gives the same answers to the same questions, in the same order, leads to the same session and
//! needs no examination of its own. Crash states differ mostly in pages that nothing refers to, so few
//! sessions stand for many states.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vellum::storage::sim::{Disk, Image};
use vellum::storage::{Directory, LockMode, OpenMode, Storage};

/// Something that a session asked of the disk it began with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// Whether there is a file of that name.
    Exists(Arc<str>),
    /// How long the file is.
    Len(Arc<str>),
    /// What stands there.
    Read {
        name: Arc<str>,
        offset: u64,
        len: usize,
    },
}

impl Question {
    /// What a disk answers. To the engine, equal answers look equal.
    fn answer(&self, disk: &Disk) -> u64 {
        let len = |name| disk.named(name).map_or(u64::MAX, Image::len);
        match self {
            Question::Exists(name) => u64::from(disk.named(name).is_some()),
            Question::Len(name) => len(name),
            Question::Read { name, offset, len } => disk
                .named(name)
                .map_or(u64::MAX, |image| image.digest_of(*offset, *len)),
        }
    }
}

/// A directory that notes the questions asked of it. Clones share the notes.
///
/// What a session wrote itself follows from what it read before, so reading it back tells nothing new
/// and is no question.
#[derive(Clone)]
pub(crate) struct Watched {
    inner: Arc<dyn Directory>,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Default)]
struct Notes {
    /// Each question once: asked again, it would have the same answer.
    asked: Vec<Question>,
    known: HashSet<Question>,
    /// For names that the session changed: the file of the first disk that is meant, if it is one.
    origins: HashMap<String, Option<Arc<str>>>,
    /// By file of the first disk: what the session wrote there.
    written: HashMap<Arc<str>, Written>,
}

/// Parts of a file that were written, by their starts, with their ends. They neither touch nor overlap.
#[derive(Default)]
struct Written(BTreeMap<u64, u64>);

impl Written {
    fn add(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let (mut start, mut end) = (start, end);
        // Those that begin before the end and reach the start become one with it.
        let touching: Vec<(u64, u64)> = self
            .0
            .range(..=end)
            .rev()
            .map(|(from, to)| (*from, *to))
            .take_while(|(_, to)| *to >= start)
            .collect();
        for (from, to) in touching {
            self.0.remove(&from);
            (start, end) = (start.min(from), end.max(to));
        }
        self.0.insert(start, end);
    }

    /// The parts between these places that were not written.
    fn rest(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        let mut rest = Vec::new();
        let mut at = start;
        let before = self.0.range(..=start).next_back();
        let first = before.map_or(start, |(from, _)| *from);
        for (from, to) in self.0.range(first..end) {
            if *from > at {
                rest.push((at, *from));
            }
            at = at.max(*to);
        }
        if at < end {
            rest.push((at, end));
        }
        rest
    }
}

impl Notes {
    fn ask(&mut self, question: Question) {
        if self.known.insert(question.clone()) {
            self.asked.push(question);
        }
    }

    fn origin(&self, name: &str) -> Option<Arc<str>> {
        self.origins
            .get(name)
            .cloned()
            .unwrap_or_else(|| Some(name.into()))
    }
}

impl Watched {
    pub(crate) fn new(inner: Arc<dyn Directory>) -> Watched {
        Watched {
            inner,
            notes: Arc::default(),
        }
    }

    /// The same session on a copy of what its directory holds by now.
    pub(crate) fn continued(&self, inner: Arc<dyn Directory>) -> Watched {
        Watched {
            inner,
            notes: Arc::clone(&self.notes),
        }
    }

    /// Everything asked so far.
    pub(crate) fn asked(&self) -> Vec<Question> {
        self.notes().asked.clone()
    }

    // Notes are whole after every statement.
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Directory for Watched {
    fn open(&self, name: &str, mode: OpenMode) -> io::Result<Arc<dyn Storage>> {
        let found = self.exists(name)?;
        let file = self.inner.open(name, mode)?;
        let mut notes = self.notes();
        if !found {
            notes.origins.insert(name.to_owned(), None);
        }
        Ok(Arc::new(WatchedFile {
            origin: notes.origin(name),
            file,
            notes: Arc::clone(&self.notes),
        }))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        let mut notes = self.notes();
        if !notes.origins.contains_key(name) {
            notes.ask(Question::Exists(name.into()));
        }
        self.inner.exists(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.exists(from)?;
        self.inner.rename(from, to)?;
        let mut notes = self.notes();
        let origin = notes.origin(from);
        notes.origins.insert(to.to_owned(), origin);
        notes.origins.insert(from.to_owned(), None);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.exists(name)?;
        self.inner.remove(name)?;
        self.notes().origins.insert(name.to_owned(), None);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }
}

struct WatchedFile {
    file: Arc<dyn Storage>,
    /// The file of the first disk that this is, if it was there.
    origin: Option<Arc<str>>,
    notes: Arc<Mutex<Notes>>,
}

impl WatchedFile {
    /// What is to be noted concerns a file of the first disk only.
    fn note(&self, what: impl FnOnce(&mut Notes, &Arc<str>)) {
        if let Some(name) = &self.origin {
            what(
                &mut self.notes.lock().unwrap_or_else(PoisonError::into_inner),
                name,
            );
        }
    }
}

impl Storage for WatchedFile {
    fn len(&self) -> io::Result<u64> {
        self.note(|notes, name| notes.ask(Question::Len(Arc::clone(name))));
        self.file.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.saturating_add(out.len() as u64);
        self.note(|notes, name| {
            let written = notes.written.get(name);
            let rest = written.map_or_else(|| vec![(offset, end)], |w| w.rest(offset, end));
            for (offset, end) in rest {
                notes.ask(Question::Read {
                    name: Arc::clone(name),
                    offset,
                    len: usize::try_from(end - offset).unwrap_or(usize::MAX),
                });
            }
        });
        self.file.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, data)?;
        let end = offset.saturating_add(data.len() as u64);
        self.note(|notes, name| {
            let written = notes.written.entry(Arc::clone(name)).or_default();
            written.add(offset, end);
        });
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        // How long it was decides what stands where it grew; what was cut off is the session's doing.
        self.note(|notes, name| {
            notes.ask(Question::Len(Arc::clone(name)));
            let written = notes.written.entry(Arc::clone(name)).or_default();
            written.add(len, u64::MAX);
        });
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn lock(&self, mode: LockMode) -> io::Result<bool> {
        self.file.lock(mode)
    }
}

/// Sessions that were examined, by their questions and the answers that led through them.
pub(crate) struct Sessions<T> {
    steps: Vec<Step<T>>,
}

enum Step<T> {
    Ask(Question, HashMap<u64, usize>),
    End(T),
    /// A place that no session has gone through yet.
    Open,
}

impl<T> Default for Sessions<T> {
    fn default() -> Self {
        Sessions {
            steps: vec![Step::Open],
        }
    }
}

impl<T> Sessions<T> {
    /// What came of a session that this disk would repeat.
    pub(crate) fn find(&self, disk: &Disk) -> Option<&T> {
        let mut at = 0;
        loop {
            match self.steps.get(at)? {
                Step::Ask(question, answers) => at = *answers.get(&question.answer(disk))?,
                Step::End(result) => return Some(result),
                Step::Open => return None,
            }
        }
    }

    /// Adds a session that was carried out on this disk.
    pub(crate) fn add(&mut self, disk: &Disk, asked: Vec<Question>, result: T) {
        let mut at = 0;
        for question in asked {
            let answer = question.answer(disk);
            if matches!(self.steps[at], Step::Open) {
                self.steps[at] = Step::Ask(question.clone(), HashMap::new());
            }
            let next = self.steps.len();
            let Step::Ask(known, answers) = &mut self.steps[at] else {
                unreachable!("a session goes on where an equal one ended");
            };
            assert_eq!(*known, question, "equal answers led to different questions");
            at = *answers.entry(answer).or_insert(next);
            if at == next {
                self.steps.push(Step::Open);
            }
        }
        self.steps[at] = Step::End(result);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use vellum::storage::sim::SimDirectory;

    use super::*;

    #[test]
    fn parts_that_were_written_are_kept_apart_from_the_rest() {
        let mut written = Written::default();
        for (start, end) in [(10, 20), (30, 40), (20, 25), (38, 50), (60, 60)] {
            written.add(start, end);
        }
        assert_eq!(written.rest(0, 70), [(0, 10), (25, 30), (50, 70)]);
        assert_eq!(written.rest(12, 24), []);
        assert_eq!(written.rest(24, 26), [(25, 26)]);
        written.add(0, 100);
        assert_eq!(written.0.len(), 1);
    }

    fn disk(bytes: &[u8]) -> Disk {
        let mut disk = Disk::default();
        disk.put("f", Image::new(bytes));
        disk
    }

    /// Only what a session read and had not written itself tells disks apart.
    #[test]
    fn sessions_are_shared_by_disks_that_answer_alike() {
        let first = disk(b"abcdefgh");
        let watched = Watched::new(Arc::new(SimDirectory::with(first.clone())));
        let file = watched.open("f", OpenMode::Write).unwrap();
        let mut out = [0; 2];
        file.read_at(0, &mut out).unwrap();
        file.write_at(4, b"xy").unwrap();
        file.read_at(4, &mut out).unwrap();
        file.read_at(5, &mut out).unwrap();
        let mut sessions = Sessions::default();
        sessions.add(&first, watched.asked(), 1);
        assert_eq!(sessions.find(&disk(b"ab..??g!")), Some(&1));
        assert_eq!(sessions.find(&disk(b"ab..???h")), None);
        assert_eq!(sessions.find(&disk(b"aX..??gh")), None);
        assert_eq!(sessions.find(&Disk::default()), None);
    }
}
