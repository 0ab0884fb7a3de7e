//! One image, damaged in one way after the other: each time an error, or no answer changes.

use std::sync::Arc;

use vellum::storage::{Directory, MemoryDirectory, OpenMode, Storage};
use vellum::wal::{LogReader, LogStart};
use vellum::{Database, Error, Result};

use super::image::{Image, LOG, NAME, builder};
use super::probe::Probes;
use crate::content::content;
use crate::digest::Digest;

/// What damage came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// An error says so. The rule that was broken.
    Refused(String),
    /// Everything is answered as before.
    Harmless,
    /// Nothing ever reads the place, as a session that did everything showed.
    NeverRead,
    /// The newest records of the log are gone, as if they had never been written.
    Shortened,
    /// Something is answered otherwise, without an error.
    Silent,
}

/// The files of one image, to be damaged and mended, with a handle that was opened while they were sound.
///
/// Opening reads the header, the log and nothing else, so for damage to pages the handle answers as one
/// that was opened afterwards would.
pub(super) struct Victim<'a> {
    image: &'a Image,
    probes: &'a Probes,
    files: MemoryDirectory,
    database: Arc<dyn Storage>,
    log: Arc<dyn Storage>,
    db: Database,
    records: String,
}

impl<'a> Victim<'a> {
    pub(super) fn new(image: &'a Image, probes: &'a Probes) -> Result<Victim<'a>> {
        let files = image.directory();
        let open = |name| {
            files
                .open(name, OpenMode::Write)
                .map_err(|e| Error::Usage(e.to_string()))
        };
        let (database, log) = (open(NAME)?, open(LOG)?);
        let db = builder(Arc::new(files.clone())).open_read_only(NAME)?;
        let mut victim = Victim {
            image,
            probes,
            files,
            database,
            log,
            db,
            records: String::new(),
        };
        victim.records = victim.records()?;
        Ok(victim)
    }

    /// Flips one bit of the database.
    pub(super) fn flip(&self, bit: usize) -> Came {
        let (at, sound) = (bit / 8, self.image.database.get(bit / 8));
        let Some(sound) = sound else {
            return Came::NeverRead;
        };
        let flipped = [sound ^ 1 << (bit % 8)];
        self.with(&[(at, &flipped)], || {
            self.judge(&[at / self.image.page_size])
        })
    }

    /// Flips one bit of the log. The reader of the log is all that recovery knows it by, so where it
    /// gives the same records, the same follows.
    pub(super) fn flip_log(&self, bit: usize) -> Came {
        let Some(sound) = self.image.log.get(bit / 8) else {
            return Came::NeverRead;
        };
        let _ = self
            .log
            .write_at((bit / 8) as u64, &[sound ^ 1 << (bit % 8)]);
        let came = match self.records() {
            Ok(records) if records == self.records => Came::Harmless,
            _ => self.opened(),
        };
        let _ = self.log.write_at((bit / 8) as u64, &[*sound]);
        came
    }

    /// Puts pieces of other bytes into pages.
    pub(super) fn replace(&self, pieces: &[(usize, &[u8])]) -> Came {
        let changes = pieces
            .iter()
            .any(|(at, bytes)| self.image.database.get(*at..at + bytes.len()) != Some(*bytes));
        if !changes {
            return Came::Harmless;
        }
        let pages: Vec<usize> = pieces
            .iter()
            .map(|(at, _)| at / self.image.page_size)
            .collect();
        self.with(pieces, || self.judge(&pages))
    }

    fn with(&self, pieces: &[(usize, &[u8])], judge: impl FnOnce() -> Came) -> Came {
        for (at, bytes) in pieces {
            let _ = self.database.write_at(*at as u64, bytes);
        }
        let came = judge();
        for (at, bytes) in pieces {
            let sound = self.image.database.get(*at..at + bytes.len());
            let _ = self
                .database
                .write_at(*at as u64, sound.unwrap_or_default());
        }
        came
    }

    /// What becomes of damage to these pages.
    fn judge(&self, pages: &[usize]) -> Came {
        if pages.iter().any(|page| page * self.image.page_size < 8192) {
            return self.opened();
        }
        let mut read = false;
        for page in pages {
            let Some((probe, answer)) = self.probes.get(&(*page as u64)) else {
                continue;
            };
            read = true;
            self.db.drop_caches();
            match probe.ask(&self.db, &self.files) {
                Ok(found) if found == *answer => {}
                Ok(_) => return Came::Silent,
                Err(error) => return Came::Refused(rule(&error)),
            }
        }
        // The one question was answered rightly, so all the others are asked.
        if read { self.opened() } else { Came::NeverRead }
    }

    /// Opened anew, with everything asked.
    pub(super) fn opened(&self) -> Came {
        match examine(&self.files) {
            Ok(found) if found == self.image.content => Came::Harmless,
            Ok(found) if self.image.states.contains(&found) => Came::Shortened,
            Ok(_) => Came::Silent,
            Err(error) => Came::Refused(rule(&error)),
        }
    }

    fn records(&self) -> Result<String> {
        let file = vellum::inspect::PageFile::open_in(&self.files, NAME)?;
        let mut digest = Digest::new();
        let Some(header) = file.newest() else {
            return Ok(digest.to_string());
        };
        let start = LogStart {
            generation: header.log_generation,
            position: header.log_position,
            chain: header.log_chain,
        };
        let segment = header.log_segment_bytes;
        let log = Arc::clone(&self.log);
        let mut reader = LogReader::open(log, header.file_id, segment, start)?;
        while let Some(record) = reader.next()? {
            digest.number(record.commit);
            digest.number(record.kind as u64);
            digest.bytes(&record.payload);
        }
        Ok(digest.to_string())
    }

    /// Both files cut or lengthened.
    pub(super) fn resized(&self, database: &[u8], log: &[u8]) -> Came {
        let files = MemoryDirectory::new();
        files.put(NAME, database.to_vec());
        files.put(LOG, log.to_vec());
        match examine(&files) {
            Ok(found) if found == self.image.content => Came::Harmless,
            Ok(found) if self.image.states.contains(&found) => Came::Shortened,
            Ok(_) => Came::Silent,
            Err(error) => Came::Refused(rule(&error)),
        }
    }
}

/// Everything that the files answer.
pub(super) fn examine(files: &MemoryDirectory) -> Result<String> {
    let db = builder(Arc::new(files.clone())).open_read_only(NAME)?;
    content(&db.begin_read()?)
}

/// The rule that an error names, without the place.
fn rule(error: &Error) -> String {
    let text = match error {
        Error::Corrupt(corruption) => {
            let place = match (corruption.file, corruption.page) {
                ("", Some(_)) => "page",
                ("", None) => "header",
                _ => "log",
            };
            format!("{place}: {}", corruption.what)
        }
        Error::Usage(finding) => format!("check: {}", finding.rsplit(": ").next().unwrap_or("")),
        Error::Version { .. } => "header: not a database".to_owned(),
        other => format!("other: {other}"),
    };
    // Numbers say where, not what.
    text.chars()
        .map(|c| if c.is_ascii_digit() { '#' } else { c })
        .collect::<String>()
        .split('#')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("#")
}
