//! A database file as pages.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use vellum::PageRef;
use vellum::format::header::{
    Header, SLOT_LEN, SLOT_OFFSETS, SlotProblem, decode_slot, header_region,
};
use vellum::format::page::Page;
use vellum::format::{FileId, FormatError};

use crate::failure::{Context, Failure};

/// What is assumed of a file whose slots say nothing usable.
const GUESSED_PAGE_SIZE: usize = 4096;

/// A database file, open for looking only.
pub(super) struct PageFile {
    pub(super) path: PathBuf,
    pub(super) len: u64,
    pub(super) page_size: usize,
    pub(super) file_id: FileId,
    /// Both header slots, or why they cannot be used.
    pub(super) slots: [Result<Header, SlotProblem>; 2],
    file: Mutex<File>,
}

/// One page as found.
pub(super) struct Found {
    pub(super) number: u64,
    pub(super) bytes: Box<[u8]>,
    /// What the page says its birth is.
    pub(super) birth: u64,
    /// The verified page, or the rule it breaks.
    pub(super) page: Result<Page, FormatError>,
}

impl PageFile {
    pub(super) fn open(path: &Path) -> Result<PageFile, Failure> {
        let refuse = |error| Failure::usage(format!("{}: {error}", path.display()));
        let mut file = File::open(path).map_err(refuse)?;
        let len = file.metadata().map_err(refuse)?.len();
        let mut read_slot = |slot: usize| -> Result<Vec<u8>, Failure> {
            let offset = SLOT_OFFSETS.get(slot).copied().unwrap_or(0);
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(offset)).context(path.display())?;
            file.by_ref()
                .take(SLOT_LEN as u64)
                .read_to_end(&mut bytes)
                .context(path.display())?;
            Ok(bytes)
        };
        let (first, second) = (read_slot(0)?, read_slot(1)?);
        let slots = [decode_slot(&first, 0), decode_slot(&second, 1)];
        let newest = slots.iter().flatten().max_by_key(|header| header.sequence);
        let (page_size, file_id) = match newest {
            Some(header) => (header.page_size, header.file_id),
            None => guess(&first),
        };
        Ok(PageFile {
            path: path.to_owned(),
            len,
            page_size,
            file_id,
            slots,
            file: Mutex::new(file),
        })
    }

    /// The newest state that a slot holds. The log may hold a newer one.
    pub(super) fn newest(&self) -> Option<&Header> {
        self.slots
            .iter()
            .flatten()
            .max_by_key(|header| header.sequence)
    }

    /// Whole pages in the file, the header's included.
    pub(super) fn pages(&self) -> u64 {
        self.len / self.page_size as u64
    }

    /// The first page after the header.
    pub(super) fn first_page(&self) -> u64 {
        (header_region(self.page_size) / self.page_size) as u64
    }

    /// The log that belongs to this file.
    pub(super) fn log_path(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push("-log");
        self.path.with_file_name(name)
    }

    /// One page, whatever is in it. Only a page that is not in the file is an error.
    pub(super) fn page(&self, number: u64) -> Result<Found, Failure> {
        if number >= self.pages() {
            return Err(Failure::usage(format!(
                "page {number}: the file has {} pages",
                self.pages()
            )));
        }
        let mut bytes = vec![0; self.page_size].into_boxed_slice();
        {
            let mut file = self.file.lock();
            file.seek(SeekFrom::Start(number * self.page_size as u64))
                .context(self.path.display())?;
            file.read_exact(&mut bytes).context(self.path.display())?;
        }
        let birth = bytes.get(8..14).map_or(0, |birth| {
            birth
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        });
        let page = match PageRef::new(number, birth) {
            Some(at) => Page::verify(bytes.clone(), at, &self.file_id),
            None => Err(FormatError("page 0 is the header")),
        };
        Ok(Found {
            number,
            bytes,
            birth,
            page,
        })
    }

    /// The page that a reference names, which must be there and carry that birth.
    pub(super) fn at(&self, at: PageRef) -> Result<Found, Failure> {
        let found = self.page(at.page())?;
        if found.page.is_ok() && found.birth != at.birth() {
            let page = Err(FormatError("page carries another birth than its reference"));
            return Ok(Found { page, ..found });
        }
        Ok(found)
    }
}

/// Page size and identity as the bytes of a damaged slot give them.
fn guess(slot: &[u8]) -> (usize, FileId) {
    let shift = slot
        .get(10)
        .copied()
        .filter(|shift| (12..=16).contains(shift));
    let page_size = shift.map_or(GUESSED_PAGE_SIZE, |shift| 1 << shift);
    let file_id = slot
        .get(16..)
        .and_then(|rest| rest.first_chunk::<16>())
        .copied();
    (page_size, file_id.unwrap_or_default())
}
