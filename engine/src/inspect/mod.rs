//! Looks at the pages of a database file without opening it as a database.
//!
//! Nothing is locked, written or recovered, and damage is something to show, not an error: a file that
//! [`Database::open`](crate::Database::open) refuses can be looked at page by page. What it shows of a
//! database that is being written to may be half old and half new.
//!
//! ```
//! use vellum::Database;
//! use vellum::inspect::PageFile;
//!
//! # fn main() -> vellum::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! let path = folder.path().join("graph.vellum");
//! let db = Database::create(&path)?;
//! let mut txn = db.begin_write()?;
//! txn.insert_node("city", "Lyon", b"{}")?;
//! txn.commit()?;
//! db.close()?;
//!
//! let file = PageFile::open(&path)?;
//! let newest = file.newest().expect("a whole header slot");
//! assert_eq!(newest.node_count, 1);
//! for page in file.pages(file.first_page()..file.page_count()) {
//!     let page = page?;
//!     println!("{} at {}: {:?}", page.number, file.offset(page.number), page.page.map(|page| page.kind()));
//! }
//! # Ok(())
//! # }
//! ```

mod identity;
mod mend;
mod parts;

pub use mend::{Mended, Mending};
pub use parts::{Part, PartKind, parts};

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::bytes::u48_at;
use crate::format::header::{
    Header, SLOT_LEN, SLOT_OFFSETS, SlotProblem, decode_slot, header_region,
};
use crate::format::page::{HEADER_LEN, Page, check_seal, off};
use crate::format::{FileId, FormatError};
use crate::ids::PageRef;
use crate::storage::{Directory, FileDirectory, OpenMode, Storage};

/// What is assumed of a file of which nothing tells.
const GUESSED_PAGE_SIZE: usize = 4096;

/// Where the page size and the identity that a [`PageFile`] goes by come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Identity {
    /// A whole header slot.
    Header,
    /// No slot is whole, but the checksums of the pages agree on them. If the identity itself is not
    /// legible any more, it is one that gives the same checksums.
    Pages,
    /// Nothing tells: the bytes of a damaged slot, or 4096 bytes and zeros.
    Guessed,
}

/// The pages of a database file.
pub struct PageFile {
    file: Arc<dyn Storage>,
    len: u64,
    page_size: usize,
    file_id: FileId,
    identity: Identity,
    slots: [std::result::Result<Header, SlotProblem>; 2],
}

/// One page as it was found.
#[derive(Debug)]
pub struct FoundPage {
    /// Its number.
    pub number: u64,
    /// Its bytes, whatever they are.
    pub bytes: Box<[u8]>,
    /// What it says its birth is.
    pub birth: u64,
    /// The verified page, or the rule that it breaks.
    pub page: std::result::Result<Page, FormatError>,
}

impl PageFile {
    /// Opens a file of the file system.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened or read; [`Error::Usage`] for a path without a file name.
    pub fn open(path: impl AsRef<Path>) -> Result<PageFile> {
        let path = path.as_ref();
        let (Some(name), folder) = (path.file_name(), path.parent()) else {
            return Err(Error::usage(format!(
                "{} names no file; give the path of a database",
                path.display()
            )));
        };
        let Some(name) = name.to_str() else {
            return Err(Error::usage(format!(
                "the name of {} is not UTF-8; rename it",
                path.display()
            )));
        };
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        PageFile::open_in(&FileDirectory::new(folder.unwrap_or(Path::new("."))), name)
    }

    /// Opens a file of any storage.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened or read.
    pub fn open_in(directory: &dyn Directory, name: &str) -> Result<PageFile> {
        let context = |error| Error::io(format!("looking at {name}"), error);
        let file = directory.open(name, OpenMode::Read).map_err(context)?;
        let len = file.len().map_err(context)?;
        let slot = |number: usize| -> Result<Vec<u8>> {
            let offset = SLOT_OFFSETS.get(number).copied().unwrap_or_default();
            let there = len.saturating_sub(offset).min(SLOT_LEN as u64);
            let mut bytes = vec![0; usize::try_from(there).unwrap_or_default()];
            file.read_at(offset, &mut bytes).map_err(context)?;
            Ok(bytes)
        };
        let (first, second) = (slot(0)?, slot(1)?);
        let slots = [decode_slot(&first, 0), decode_slot(&second, 1)];
        let known = newest(&slots).map(|header| (header.page_size, header.file_id));
        let (page_size, file_id, identity) = match known {
            Some((page_size, file_id)) => (page_size, file_id, Identity::Header),
            None => {
                let guesses = [guess(&first), guess(&second)];
                let found = identity::from_pages(&*file, len, &guesses).map_err(context)?;
                let [(page_size, file_id), _] = guesses;
                found
                    .map(|(page_size, file_id)| (page_size, file_id, Identity::Pages))
                    .unwrap_or((page_size, file_id, Identity::Guessed))
            }
        };
        Ok(PageFile {
            file,
            len,
            page_size,
            file_id,
            identity,
            slots,
        })
    }

    /// Length of the file, in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of a page; [`identity`](PageFile::identity) says who tells.
    pub fn page_size(&self) -> usize {
        self.page_size
    }

    /// Bytes before the first page: both header slots and what is reserved behind them.
    pub fn header_size(&self) -> usize {
        header_region(self.page_size)
    }

    /// The file's identity; [`identity`](PageFile::identity) says who tells.
    pub fn file_id(&self) -> FileId {
        self.file_id
    }

    /// Where page size and identity come from.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Whether the pages of this file carry this identity. With [`Identity::Pages`] the one that
    /// [`file_id`](PageFile::file_id) gives may be a stand-in, and the log's the right one.
    pub fn has_identity(&self, id: &FileId) -> bool {
        *id == self.file_id
            || self.identity == Identity::Pages
                && identity::same_checksums(id, &self.file_id, self.page_size)
    }

    /// Both header slots, or why they cannot be used.
    pub fn slots(&self) -> &[std::result::Result<Header, SlotProblem>; 2] {
        &self.slots
    }

    /// The newest state that a slot holds. The log may hold a newer one.
    pub fn newest(&self) -> Option<&Header> {
        newest(&self.slots)
    }

    /// Whole pages in the file, counting the header's.
    pub fn page_count(&self) -> u64 {
        self.len / self.page_size as u64
    }

    /// The first page behind the header.
    pub fn first_page(&self) -> u64 {
        (self.header_size() / self.page_size) as u64
    }

    /// Where a page starts, in bytes from the start of the file.
    pub fn offset(&self, number: u64) -> u64 {
        number.saturating_mul(self.page_size as u64)
    }

    /// The bytes of a page, unverified.
    ///
    /// # Errors
    /// [`Error::Usage`] if the file does not have that page; [`Error::Io`].
    pub fn raw(&self, number: u64) -> Result<Box<[u8]>> {
        if number >= self.page_count() {
            return Err(Error::usage(format!(
                "there is no page {number}: the file has {} pages, numbered from 0",
                self.page_count()
            )));
        }
        let mut bytes = vec![0; self.page_size].into_boxed_slice();
        self.file
            .read_at(self.offset(number), &mut bytes)
            .map_err(|error| Error::io(format!("reading page {number}"), error))?;
        Ok(bytes)
    }

    /// A page, verified as far as it can be: against the birth that it states itself.
    ///
    /// # Errors
    /// As [`raw`](PageFile::raw). Damage is no error.
    pub fn page(&self, number: u64) -> Result<FoundPage> {
        let bytes = self.raw(number)?;
        let birth = birth(&bytes);
        let page =
            claimed(number, birth).and_then(|at| Page::verify(bytes.clone(), at, &self.file_id));
        Ok(FoundPage {
            number,
            bytes,
            birth,
            page,
        })
    }

    /// The page that a reference names, which must also carry the reference's birth.
    ///
    /// # Errors
    /// As [`raw`](PageFile::raw).
    pub fn at(&self, at: PageRef) -> Result<FoundPage> {
        let mut found = self.page(at.page())?;
        if found.page.is_ok() && found.birth != at.birth() {
            found.page = Err(FormatError("page carries another birth than its reference"));
        }
        Ok(found)
    }

    /// Each of these pages, with a result of its own: one that cannot be read does not end the others.
    pub fn pages(
        &self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> impl Iterator<Item = Result<FoundPage>> {
        numbers.into_iter().map(|number| self.page(number))
    }

    /// Whether these bytes are a page of this file that was written to this place: checks the checksum,
    /// which covers place, birth and identity, and decodes nothing.
    ///
    /// # Errors
    /// The rule that does not hold.
    pub fn verify(&self, number: u64, bytes: &[u8]) -> std::result::Result<(), FormatError> {
        let at = claimed(number, birth(bytes))?;
        check_seal(bytes, at, &self.file_id)
    }
}

fn newest(slots: &[std::result::Result<Header, SlotProblem>; 2]) -> Option<&Header> {
    slots.iter().flatten().max_by_key(|header| header.sequence)
}

/// The birth in a page's header; 0 if there are not that many bytes.
fn birth(page: &[u8]) -> u64 {
    page.first_chunk::<HEADER_LEN>()
        .map_or(0, |header| u48_at(header, off::BIRTH))
}

fn claimed(number: u64, birth: u64) -> std::result::Result<PageRef, FormatError> {
    PageRef::new(number, birth).ok_or(FormatError("page 0 is the header"))
}

/// Page size and identity as the bytes of a damaged slot give them.
fn guess(slot: &[u8]) -> (usize, FileId) {
    let shift = slot.get(10).filter(|shift| (12..=16).contains(*shift));
    let id = slot
        .get(16..)
        .and_then(|rest| rest.first_chunk::<16>())
        .copied();
    (
        shift.map_or(GUESSED_PAGE_SIZE, |shift| 1 << shift),
        id.unwrap_or_default(),
    )
}
