//! Page size and identity of a file whose header slots are lost, from its pages.
//!
//! A checksum is linear, so the identity adds the same number to the checksum of every page. That
//! number is what remains when everything else is taken away, and whole pages agree on it; bytes that
//! are no pages, or pages of another size, agree on nothing. An identity that adds it serves as well
//! as the true one.

use std::collections::BTreeMap;
use std::io;

use crate::format::FileId;
use crate::format::bytes::{all_zero, u64_at};
use crate::format::checksum::{flip_effects, solve};
use crate::format::header::first_data_page;
use crate::format::limits::PAGE_SIZES;
use crate::format::page::{birth_of, body_end, page_checksum};
use crate::ids::PageRef;
use crate::storage::Storage;

/// Pages looked at for each page size at most.
const SAMPLES: u64 = 2048;
/// Bytes that a page's checksum covers before the page's own: identity, number, birth.
pub(super) const COVERED_BEFORE: usize = 32;
const ID_LEN: usize = 16;
const NO_ID: FileId = [0; ID_LEN];

/// What the pages agree on, if two or more do. One of `guesses` is preferred where it fits.
pub(super) fn from_pages(
    file: &dyn Storage,
    len: u64,
    guesses: &[(usize, FileId)],
) -> io::Result<Option<(usize, FileId)>> {
    let mut best: Option<(u32, usize, u64)> = None;
    for page_size in PAGE_SIZES {
        let (added, votes) = most_common(file, len, page_size)?;
        if votes >= 2 && best.is_none_or(|(most, ..)| votes > most) {
            best = Some((votes, page_size, added));
        }
    }
    Ok(best.map(|(_, page_size, added)| {
        let fits = |id: &FileId| adds(id, page_size) == added;
        let told = guesses.iter().map(|(_, id)| *id).find(fits);
        (
            page_size,
            told.unwrap_or_else(|| stand_in(page_size, added)),
        )
    }))
}

/// Whether two identities give the same checksums to pages of this size.
pub(super) fn same_checksums(a: &FileId, b: &FileId, page_size: usize) -> bool {
    adds(a, page_size) == adds(b, page_size)
}

/// The number that most pages agree on, and how many do.
fn most_common(file: &dyn Storage, len: u64, page_size: usize) -> io::Result<(u64, u32)> {
    let pages = len / page_size as u64;
    let first = first_data_page(page_size);
    let step = (pages / SAMPLES).max(1);
    let mut votes: BTreeMap<u64, u32> = BTreeMap::new();
    let mut bytes = vec![0; page_size];
    let mut number = first;
    while number < pages {
        file.read_at(number * page_size as u64, &mut bytes)?;
        if let Some(at) = PageRef::new(number, birth_of(&bytes)).filter(|_| !all_zero(&bytes)) {
            let stored = u64_at(&bytes, body_end(page_size));
            *votes
                .entry(stored ^ page_checksum(&bytes, at, &NO_ID))
                .or_default() += 1;
        }
        number += step;
    }
    let most = votes
        .into_iter()
        .max_by_key(|(added, votes)| (*votes, *added));
    Ok(most.unwrap_or_default())
}

fn effects(first: usize, page_size: usize) -> Vec<u64> {
    flip_effects(first, COVERED_BEFORE + body_end(page_size))
}

/// What an identity adds to the checksum of every page of this size.
fn adds(id: &FileId, page_size: usize) -> u64 {
    let bits = id
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    let effects = effects(ID_LEN, page_size);
    bits.zip(effects)
        .filter(|(set, _)| *set)
        .fold(0, |sum, (_, effect)| sum ^ effect)
}

/// An identity that adds this. Eight bytes of a message can always be chosen so that its checksum
/// comes out as wanted.
fn stand_in(page_size: usize, added: u64) -> FileId {
    let choice = solve(&effects(8, page_size), added).unwrap_or_default();
    let mut id = NO_ID;
    for (to, from) in id.iter_mut().zip(choice.to_le_bytes()) {
        *to = from;
    }
    id
}

/// What each bit of a page's number adds to its checksum.
pub(super) fn number_effects(page_size: usize) -> Vec<u64> {
    let effects = effects(ID_LEN + 8, page_size);
    effects.into_iter().skip(8 * ID_LEN).take(48).collect()
}
