//! One image, damaged in one way after the other: each time an error, or no answer changes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use vellum::format::header::Header;
use vellum::storage::{Directory, MemoryDirectory, OpenMode, Storage};
use vellum::{Database, Error, Result};

use super::forged;
use super::image::{Image, LOG, NAME, builder};
use super::probe::Probes;
use super::traced::Traced;
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
    /// The files are, byte for byte, what the engine writes for other contents.
    Forged,
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
    /// The state that the files begin with.
    header: Header,
    records: String,
    /// What came of logs that hold these records, by their digest.
    by_records: RefCell<BTreeMap<String, Came>>,
    /// What opening reads of the header region.
    header_reads: Vec<Range<usize>>,
    /// Both files as they were last judged, if somebody wants to look at them.
    judged: RefCell<Option<(Vec<u8>, Vec<u8>)>>,
}

/// Where the header region ends in databases of small pages, and the last slot in all.
const HEADER_BYTES: usize = 8192;

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
        let header = vellum::inspect::PageFile::open_in(&files, NAME)?
            .newest()
            .cloned();
        let header =
            header.ok_or_else(|| Error::Usage("a database without a header".to_owned()))?;
        let mut victim = Victim {
            image,
            probes,
            files,
            database,
            log,
            db,
            header,
            records: String::new(),
            by_records: RefCell::default(),
            header_reads: header_reads(&image.directory())?,
            judged: RefCell::default(),
        };
        victim.records = victim.records()?;
        Ok(victim)
    }

    /// Keeps the files of each damage from now on until the next.
    pub(super) fn keep(&self) {
        self.judged.replace(Some((Vec::new(), Vec::new())));
    }

    /// Both files as they were last judged; empty without [`keep`](Victim::keep).
    pub(super) fn damaged(&self) -> (Vec<u8>, Vec<u8>) {
        self.judged.take().unwrap_or_default()
    }

    /// Makes both files sound again, whatever was done to them.
    pub(super) fn mend(&self) {
        for (file, sound) in [
            (&self.database, &self.image.database),
            (&self.log, &self.image.log),
        ] {
            if self.judged.borrow().is_some() {
                self.look();
            }
            let _ = file.set_len(sound.len() as u64);
            let _ = file.write_at(0, sound);
        }
    }

    fn look(&self) {
        if let Some(judged) = &mut *self.judged.borrow_mut()
            && judged.0.is_empty()
        {
            let bytes = |name| self.files.contents(name).unwrap_or_default();
            *judged = (bytes(NAME), bytes(LOG));
        }
    }

    /// Flips one bit of the database.
    pub(super) fn flip(&self, bit: usize) -> Came {
        let (at, sound) = (bit / 8, self.image.database.get(bit / 8));
        let Some(sound) = sound else {
            return Came::NeverRead;
        };
        let read = |range: &Range<usize>| range.contains(&at);
        if at < HEADER_BYTES && !self.header_reads.iter().any(read) {
            return Came::NeverRead;
        }
        let flipped = [sound ^ 1 << (bit % 8)];
        self.with(&[(at, &flipped)], || {
            self.judge(&[at / self.image.page_size])
        })
    }

    /// Flips one bit of the log.
    pub(super) fn flip_log(&self, bit: usize) -> Came {
        let Some(sound) = self.image.log.get(bit / 8) else {
            return Came::NeverRead;
        };
        let _ = self
            .log
            .write_at((bit / 8) as u64, &[sound ^ 1 << (bit % 8)]);
        let came = self.recovered();
        self.look();
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
        self.look();
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

    /// What follows from damage to the log: the reader of the log is all that recovery knows it by, so where it
    /// gives the same records, the same follows.
    fn recovered(&self) -> Came {
        let records = match self.records() {
            Ok(records) if records == self.records => return Came::Harmless,
            Ok(records) => records,
            Err(_) => return self.opened(),
        };
        let known = self.by_records.borrow().get(&records).cloned();
        known.unwrap_or_else(|| {
            let came = self.opened();
            self.by_records.borrow_mut().insert(records, came.clone());
            came
        })
    }

    /// Opened anew, with everything asked.
    pub(super) fn opened(&self) -> Came {
        self.compare(examine(&self.files))
    }

    fn records(&self) -> Result<String> {
        let mut digest = Digest::new();
        let mut reader = forged::reader(&self.log, &self.header)?;
        while let Some(record) = reader.next()? {
            digest.number(record.commit);
            digest.number(record.kind as u64);
            digest.bytes(&record.payload);
        }
        Ok(digest.to_string())
    }

    /// The database cut off.
    pub(super) fn truncated(&self, len: usize) -> Came {
        self.cut(&self.database, &self.image.database, len)
    }

    /// The log cut off.
    pub(super) fn truncated_log(&self, len: usize) -> Came {
        self.cut(&self.log, &self.image.log, len)
    }

    fn cut(&self, file: &Arc<dyn Storage>, sound: &[u8], len: usize) -> Came {
        let _ = file.set_len(len as u64);
        let came = if Arc::ptr_eq(file, &self.log) {
            self.recovered()
        } else {
            self.opened()
        };
        self.look();
        let _ = file.write_at(len as u64, sound.get(len..).unwrap_or_default());
        came
    }

    /// More bytes behind the ends of both files.
    pub(super) fn lengthened(&self, more: &[u8]) -> Came {
        let _ = self
            .database
            .write_at(self.image.database.len() as u64, more);
        let _ = self.log.write_at(self.image.log.len() as u64, more);
        let came = self.opened();
        self.mend();
        came
    }

    /// A slot or page whose checksum holds. What contradicts itself is found by the engine's check at the latest.
    pub(super) fn resealed(&self, at: usize, piece: &[u8]) -> Came {
        let page = (at / self.image.page_size) as u64;
        let in_page = at >= HEADER_BYTES;
        let came = self.with(&[(at, piece)], || {
            if let Some((probe, _)) = self.probes.get(&page).filter(|_| in_page) {
                self.db.drop_caches();
                if let Err(error) = probe.ask(&self.db, &self.files) {
                    return Came::Refused(rule(&error));
                }
            }
            self.checked()
        });
        let before = self.image.database.get(at..at + piece.len());
        match (came, before) {
            (Came::Silent, Some(before))
                if in_page && forged::is_other_data(before, piece, page, &self.header.file_id) =>
            {
                Came::Forged
            }
            (came, _) => came,
        }
    }

    /// Another log, whose checksums hold.
    pub(super) fn resealed_log(&self, log: &[u8]) -> Came {
        let _ = self.log.write_at(0, log);
        let came = self.checked();
        self.look();
        let _ = self.log.write_at(0, &self.image.log);
        match came {
            Came::Silent if forged::is_other_commits(log, &self.header) => Came::Forged,
            Came::Shortened
                if forged::ends_too_early(log, &self.header, self.image.fields.records()) =>
            {
                Came::Silent
            }
            came => came,
        }
    }

    /// Opened anew, checked, and with everything asked.
    fn checked(&self) -> Came {
        let ask = || {
            let db = builder(Arc::new(self.files.clone())).open_read_only(NAME)?;
            match db.check()?.findings.first() {
                Some(finding) => Err(Error::Usage(finding.to_string())),
                None => content(&db.begin_read()?),
            }
        };
        self.compare(ask())
    }

    fn compare(&self, found: Result<String>) -> Came {
        match found {
            Ok(found) if found == self.image.content => Came::Harmless,
            Ok(found) if self.image.states.contains(&found) => Came::Shortened,
            Ok(_) => Came::Silent,
            Err(error) => Came::Refused(rule(&error)),
        }
    }
}

/// What opening reads before the pages.
fn header_reads(files: &MemoryDirectory) -> Result<Vec<Range<usize>>> {
    let traced = Traced::new(files);
    let db = builder(Arc::new(traced.clone())).open_read_only(NAME)?;
    content(&db.begin_read()?)?;
    let reads = traced.take().into_iter();
    let reads = reads.filter(|(name, at, _)| &**name == NAME && *at < HEADER_BYTES as u64);
    Ok(reads
        .map(|(_, at, len)| at as usize..at as usize + len)
        .collect())
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
