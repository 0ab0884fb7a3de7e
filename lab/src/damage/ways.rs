//! The ways of damaging an image, each with its places.

use serde::Deserialize;

use super::fields::Fields;
use super::image::Image;
use super::sweep::{Came, Victim};

const SECTOR: usize = 512;
const WORD: usize = 8;

/// A way of damaging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Way {
    /// One bit of the database.
    Bits,
    /// One bit of the log.
    LogBits,
    /// Two pages in each other's place.
    SwappedPages,
    /// A page as it was before.
    OlderPages,
    /// A page of zeros.
    ZeroedPages,
    /// Two sectors of a page in each other's place.
    SwappedSectors,
    /// Two bytes of a page in each other's place.
    SwappedBytes,
    /// Two words of 8 bytes of a page in each other's place.
    SwappedWords,
    /// A sector of zeros.
    ZeroedSectors,
    /// The database cut off.
    Truncated,
    /// The log cut off.
    TruncatedLog,
    /// Garbage behind the ends of both files.
    GarbageTails,
    /// A length or count of the database changed, and the checksum over it repaired.
    ResealedFields,
    /// A length or count of the log changed, and every checksum that follows from it repaired.
    ResealedLog,
}

impl Way {
    pub(crate) const ALL: [Way; 14] = [
        Way::Bits,
        Way::LogBits,
        Way::SwappedPages,
        Way::OlderPages,
        Way::ZeroedPages,
        Way::SwappedSectors,
        Way::SwappedBytes,
        Way::SwappedWords,
        Way::ZeroedSectors,
        Way::Truncated,
        Way::TruncatedLog,
        Way::GarbageTails,
        Way::ResealedFields,
        Way::ResealedLog,
    ];

    /// The name that scenarios know it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Way::Bits => "bits",
            Way::LogBits => "log-bits",
            Way::SwappedPages => "swapped-pages",
            Way::OlderPages => "older-pages",
            Way::ZeroedPages => "zeroed-pages",
            Way::SwappedSectors => "swapped-sectors",
            Way::SwappedBytes => "swapped-bytes",
            Way::SwappedWords => "swapped-words",
            Way::ZeroedSectors => "zeroed-sectors",
            Way::Truncated => "truncated",
            Way::TruncatedLog => "truncated-log",
            Way::GarbageTails => "garbage-tails",
            Way::ResealedFields => "resealed-fields",
            Way::ResealedLog => "resealed-log",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Bits => "bits of the database",
            Way::LogBits => "bits of the log",
            Way::SwappedPages => "swapped pages",
            Way::OlderPages => "older versions of pages",
            Way::ZeroedPages => "zeroed pages",
            Way::SwappedSectors => "swapped sectors",
            Way::SwappedBytes => "swapped bytes",
            Way::SwappedWords => "swapped words",
            Way::ZeroedSectors => "zeroed sectors",
            Way::Truncated => "truncated database",
            Way::TruncatedLog => "truncated log",
            Way::GarbageTails => "garbage tails",
            Way::ResealedFields => "resealed lengths and counts",
            Way::ResealedLog => "resealed lengths and counts of the log",
        }
    }

    /// Whether the end of the log may be lost by it: a log that ends early is one that was never longer.
    pub(super) fn may_shorten(self) -> bool {
        matches!(self, Way::TruncatedLog | Way::ResealedLog)
    }

    /// How many places there are.
    pub(super) fn places(self, image: &Image) -> usize {
        let pages = image.pages() as usize;
        let sectors = image.database.len() / SECTOR;
        match self {
            Way::Bits => 8 * image.database.len(),
            Way::LogBits => 8 * image.log.len(),
            Way::SwappedPages => pages * (pages - 1) / 2,
            Way::OlderPages => image.older.values().map(Vec::len).sum(),
            Way::ZeroedPages => pages,
            Way::SwappedSectors => sectors.saturating_sub(1) * 7,
            Way::SwappedBytes => image.database.len() - 1,
            Way::SwappedWords => image.database.len() / WORD - 1,
            Way::ZeroedSectors => sectors,
            Way::Truncated => image.database.len(),
            Way::TruncatedLog => image.log.len(),
            Way::GarbageTails => 64,
            Way::ResealedFields => Fields::changes(&image.fields.database),
            Way::ResealedLog => Fields::changes(&image.fields.log),
        }
    }

    /// More about a place, in words, where there is more.
    pub(super) fn said(self, image: &Image, place: usize) -> String {
        let said = match self {
            Way::ResealedFields => Fields::said(&image.fields.database, &image.database, place),
            Way::ResealedLog => Fields::said(&image.fields.log, &image.log, place),
            _ => return String::new(),
        };
        format!(" ({said})")
    }

    /// Damages one place, judges, and mends it.
    pub(super) fn damage(self, victim: &Victim<'_>, image: &Image, place: usize) -> Came {
        let (bytes, page) = (&image.database, image.page_size);
        match self {
            Way::Bits => victim.flip(place),
            Way::LogBits => victim.flip_log(place),
            Way::SwappedPages => {
                let (one, other) = pair(place);
                swap(victim, bytes, one * page, other * page, page)
            }
            Way::OlderPages => {
                let all = image
                    .older
                    .iter()
                    .flat_map(|(number, versions)| versions.iter().map(move |v| (number, v)));
                let mut all = all.skip(place);
                match all.next() {
                    Some((number, version)) => {
                        victim.replace(&[(*number as usize * page, version)])
                    }
                    None => Came::NeverRead,
                }
            }
            Way::ZeroedPages => victim.replace(&[(place * page, &vec![0; page])]),
            Way::SwappedSectors => {
                let (first, ahead) = (place / 7, place % 7 + 1);
                swap(
                    victim,
                    bytes,
                    first * SECTOR,
                    (first + ahead) * SECTOR,
                    SECTOR,
                )
            }
            Way::SwappedBytes => swap(victim, bytes, place, place + 1, 1),
            Way::SwappedWords => swap(victim, bytes, place * WORD, (place + 1) * WORD, WORD),
            Way::ZeroedSectors => victim.replace(&[(place * SECTOR, &[0; SECTOR])]),
            Way::Truncated => victim.truncated(place),
            Way::TruncatedLog => victim.truncated_log(place),
            Way::GarbageTails => {
                let garbage: Vec<u8> = (0..(place * 97 + 1) as u32)
                    .map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8)
                    .collect();
                victim.lengthened(&garbage)
            }
            Way::ResealedFields => match image.fields.database(image, place) {
                Some((at, piece)) => victim.resealed(at, &piece),
                None => Came::Harmless,
            },
            Way::ResealedLog => match image.fields.log(image, place) {
                Some(log) => victim.resealed_log(&log),
                None => Came::Harmless,
            },
        }
    }
}

fn swap(victim: &Victim<'_>, bytes: &[u8], one: usize, other: usize, len: usize) -> Came {
    match (bytes.get(one..one + len), bytes.get(other..other + len)) {
        (Some(a), Some(b)) => victim.replace(&[(one, b), (other, a)]),
        _ => Came::NeverRead,
    }
}

/// The two different numbers behind one: 0, 1; 0, 2; 1, 2; 0, 3; …
fn pair(place: usize) -> (usize, usize) {
    let mut larger = 1;
    let mut before = 0;
    while before + larger <= place {
        before += larger;
        larger += 1;
    }
    (place - before, larger)
}
