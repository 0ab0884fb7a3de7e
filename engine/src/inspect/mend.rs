//! What a page that fails its checksum was, where the checksum itself tells.
//!
//! A checksum of 64 bits says more than yes or no: the difference between the stored one and the
//! computed one names the bit, if one bit was flipped, and the number, if the page belongs elsewhere.
//! Only numbers that the file has count: among all of 48 bits every 65,536th damage finds one. So any
//! other damage would have to hit one of the bits and pages of the file among 2^64 differences to pass
//! for either, and the result must keep every other rule of a page too.

use super::identity::number_effects;
use super::{PageFile, birth};
use crate::error::Result;
use crate::format::bytes::u64_at;
use crate::format::checksum::{locate_flip, solve};
use crate::format::page::{Page, body_end, page_checksum};
use crate::ids::PageRef;

/// Bits of the birth in a page, which its checksum covers twice.
const BIRTH_BITS: std::ops::Range<usize> = 64..112;

/// What was wrong with a page that could be mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Mending {
    /// This bit was flipped: `8 k + j` is bit `j` of byte `k` of the page.
    Bit(usize),
    /// It is whole, and was written for another place, where [`Mended::page`] says it stands.
    Moved,
}

/// A page as it was before it was damaged.
#[derive(Debug)]
pub struct Mended {
    /// Where its bytes were found.
    pub found_at: u64,
    /// The page, at the place where it belongs.
    pub page: Page,
    /// What was wrong.
    pub how: Mending,
}

impl PageFile {
    /// What the page was, if its checksum tells; `None` for a whole page, and for any other damage.
    ///
    /// # Errors
    /// As [`raw`](PageFile::raw).
    pub fn mend(&self, number: u64) -> Result<Option<Mended>> {
        let bytes = self.raw(number)?;
        if self.verify(number, &bytes).is_ok() {
            return Ok(None);
        }
        Ok(self
            .moved(number, &bytes)
            .or_else(|| self.one_bit(number, &bytes)))
    }

    /// Computed XOR stored checksum, as if the page stood at this number.
    fn difference(&self, number: u64, bytes: &[u8]) -> Option<u64> {
        let at = PageRef::new(number, birth(bytes))?;
        let stored = u64_at(bytes, body_end(bytes.len()));
        Some(page_checksum(bytes, at, &self.file_id) ^ stored)
    }

    fn moved(&self, number: u64, bytes: &[u8]) -> Option<Mended> {
        let difference = self.difference(number, bytes)?;
        let home = number ^ solve(&number_effects(self.page_size), difference)?;
        if home == number || !(self.first_page()..self.numbers()).contains(&home) {
            return None;
        }
        self.mended(number, home, bytes.into(), Mending::Moved)
    }

    /// The first number that no page of this file had: the file may have been cut.
    fn numbers(&self) -> u64 {
        let counted = self.newest().map_or(0, |header| header.page_count);
        self.page_count().max(counted)
    }

    fn one_bit(&self, number: u64, bytes: &[u8]) -> Option<Mended> {
        let difference = self.difference(number, bytes)?;
        let end = body_end(bytes.len());
        let in_checksum = difference
            .is_power_of_two()
            .then(|| 8 * end + difference.trailing_zeros() as usize);
        let in_body = locate_flip(difference, end).filter(|bit| !BIRTH_BITS.contains(bit));
        let candidates = in_checksum.into_iter().chain(in_body).chain(BIRTH_BITS);
        candidates.into_iter().find_map(|bit| {
            let mut mended: Box<[u8]> = bytes.into();
            *mended.get_mut(bit / 8)? ^= 1 << (bit % 8);
            self.mended(number, number, mended, Mending::Bit(bit))
        })
    }

    fn mended(&self, found_at: u64, home: u64, bytes: Box<[u8]>, how: Mending) -> Option<Mended> {
        let at = PageRef::new(home, birth(&bytes))?;
        let page = Page::verify(bytes.into(), at, &self.file_id).ok()?;
        Some(Mended {
            found_at,
            page,
            how,
        })
    }
}
