//! Leaves of the names space: names and ids, each name without what it shares with the one before.
//!
//! Every sixteenth entry is a restart: it shares nothing, so a search bisects the restarts and then
//! reads at most sixteen entries. Entries sort like the bytes of (name, 0x00, id BE), which for names
//! that contain 0x00 is not the order of (name, id).

mod samples;

pub(crate) use samples::Samples;

use std::cmp::Ordering;

use super::bytes::{all_zero, u16_at, u48_be};
use super::limits::MAX_NAME_LEN;
use super::page::{Common, HEADER_LEN, PageKind, TRAILER_LEN, body_end, finish_image, start_image};
use super::{Reader, Result, ensure, varint};
use crate::ids::{KeySpace, MAX_U48};
use samples::After;

/// Entries from one restart to the next.
pub const RESTART_INTERVAL: usize = 16;

/// Compares (name, 0x00, id BE) as bytes.
pub fn compare_keys(a: (&[u8], u64), b: (&[u8], u64)) -> Ordering {
    let common = a.0.len().min(b.0.len());
    let (a_head, a_tail) = a.0.split_at_checked(common).unwrap_or((a.0, &[]));
    let (b_head, b_tail) = b.0.split_at_checked(common).unwrap_or((b.0, &[]));
    a_head.cmp(b_head).then_with(|| {
        if a_tail.is_empty() && b_tail.is_empty() {
            return a.1.cmp(&b.1);
        }
        // One name continues where the other has its 0x00 and id.
        let (a_id, b_id) = (u48_be(a.1), u48_be(b.1));
        let a_rest = a_tail.iter().chain(&[0]).chain(&a_id);
        a_rest.cmp(b_tail.iter().chain(&[0]).chain(&b_id))
    })
}

/// A varint of up to four bytes, and how many it takes.
#[inline]
fn quick_id(bytes: &[u8]) -> Option<(u64, usize)> {
    let word = u32::from_le_bytes(*bytes.first_chunk()?);
    // The first byte without its highest bit is the last.
    let len = (!word & 0x8080_8080).trailing_zeros() / 8 + 1;
    if len > 4 {
        return None;
    }
    let word = word & (u32::MAX >> (32 - 8 * len));
    let [a, b, c, d] = word.to_le_bytes().map(|byte| u64::from(byte & 0x7f));
    Some((a | b << 7 | c << 14 | d << 21, len as usize))
}

/// How many bytes two keys begin with alike.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let mut same = 0;
    // Eight at a time, as long as both have so many.
    while let (Some(a), Some(b)) = (chunk_at(a, same), chunk_at(b, same)) {
        let differ = a ^ b;
        if differ != 0 {
            return same + (differ.trailing_zeros() / 8) as usize;
        }
        same += 8;
    }
    let (a, b) = (a.get(same..), b.get(same..));
    let rest = a.unwrap_or_default().iter().zip(b.unwrap_or_default());
    same + rest.take_while(|(a, b)| a == b).count()
}

#[inline]
fn chunk_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A view of a verified names leaf.
#[derive(Clone, Copy, Debug)]
pub struct NamesPage<'p> {
    bytes: &'p [u8],
    count: usize,
}

/// A place in a names leaf: before an entry, knowing the name of the one before it. It holds no
/// borrow, so a cursor may keep it beside the page.
#[derive(Clone, Debug, Default)]
pub struct NamesPosition {
    index: usize,
    at: usize,
    name: Vec<u8>,
    /// Bytes of it that the name before begins with, by what the entry says.
    shared: usize,
}

impl NamesPosition {
    /// The entry that the next step gives.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Where that entry begins in its page.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The name that the last step gave.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// So many bytes of it, or more, the name before begins with.
    pub(crate) fn shared(&self) -> usize {
        self.shared
    }
}

/// One entry as it is stored.
struct Entry<'p> {
    shared: usize,
    suffix: &'p [u8],
    id: u64,
    len: usize,
}

/// How an entry that is not less than a name stands to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// It has the name.
    Same,
    /// It is greater than every entry that has the name.
    Beyond,
    /// Those with the name may come later: one of the two names goes on with a zero byte where the other ends.
    Open,
}

/// An entry, or the end of the page, found by its key.
struct Place {
    index: usize,
    at: usize,
    /// Bytes of the key that its name begins with, by what the entry says.
    shared: usize,
    /// Whether the key is the entry's.
    same: bool,
}

impl<'p> Entry<'p> {
    /// An entry of a page that has been checked, which a few comparisons are enough for where its parts are short.
    #[inline]
    fn quick(bytes: &'p [u8]) -> Option<Entry<'p>> {
        if let [shared @ 0..0x80, suffix_len @ 0..0x80, rest @ ..] = bytes
            && let Some((suffix, rest)) = rest.split_at_checked(usize::from(*suffix_len))
            && let Some((id, id_len)) = quick_id(rest)
        {
            return Some(Entry {
                shared: usize::from(*shared),
                suffix,
                id,
                len: 2 + suffix.len() + id_len,
            });
        }
        Entry::read(bytes).ok()
    }

    /// How suffix, 0x00 and id BE compare with these bytes, and how many bytes are the same; both without the first
    /// `known`, which are.
    #[inline(always)]
    fn compare(&self, known: usize, key: &[u8]) -> (Ordering, usize) {
        match (self.suffix.get(known), key.get(known)) {
            (Some(here), Some(there)) if here != there => (here.cmp(there), known),
            _ => self.compare_long(known, key),
        }
    }

    #[inline(never)]
    fn compare_long(&self, known: usize, key: &[u8]) -> (Ordering, usize) {
        let (suffix, rest) = (self.suffix.get(known..), key.get(known..));
        let same = known + common(suffix.unwrap_or_default(), rest.unwrap_or_default());
        let (here, there) = (self.suffix.get(same), key.get(same));
        if let Some(here) = here {
            return (
                there.map_or(Ordering::Greater, |there| here.cmp(there)),
                same,
            );
        }
        let [a, b, c, d, e, f] = u48_be(self.id);
        let tail = [0, a, b, c, d, e, f];
        // All of the suffix is the same, and some of the tail may be known to be.
        let known = same - self.suffix.len();
        let (tail, rest) = (tail.get(known..), key.get(same..));
        let (tail, rest) = (tail.unwrap_or_default(), rest.unwrap_or_default());
        (tail.cmp(rest), same + common(tail, rest))
    }

    fn read(bytes: &'p [u8]) -> Result<Entry<'p>> {
        let mut r = Reader::new(bytes);
        let rule = "node name too long";
        let shared = r.varint_to(MAX_NAME_LEN as u64, rule)?;
        let suffix_len = r.varint_to(MAX_NAME_LEN as u64 - shared, rule)?;
        let suffix = r.bytes(suffix_len as usize)?;
        let id = r.varint_to(MAX_U48, "node id exceeds 48 bits")?;
        Ok(Entry {
            shared: shared as usize,
            suffix,
            id,
            len: r.position(),
        })
    }

    /// Of the first entry that is not less than a name, or the one after an entry with the name: what it shares with the one
    /// before, the name begins with.
    #[inline]
    fn relation(&self, name: &[u8]) -> Relation {
        let Some(rest) = name.get(self.shared..) else {
            return Relation::Open;
        };
        let differ = self.suffix.iter().zip(rest).any(|(a, b)| a != b);
        match self.suffix.get(rest.len()) {
            _ if differ => Relation::Beyond,
            Some(0) => Relation::Open,
            Some(_) => Relation::Beyond,
            None if self.suffix.len() == rest.len() => Relation::Same,
            None => Relation::Open,
        }
    }

    /// Whether the entry is greater than the one before it, which it shares no more with than there is.
    fn follows(&self, name: &[u8], id: u64) -> bool {
        match (name.get(self.shared), self.suffix.first()) {
            // The first bytes that may differ do, as an encoder sees to: no need to look further.
            (Some(before), Some(here)) if before != here => before < here,
            (None, None) => id < self.id,
            _ => {
                let shared = name.get(..self.shared).unwrap_or_default();
                let here = [shared, self.suffix].concat();
                compare_keys((name, id), (&here, self.id)) == Ordering::Less
            }
        }
    }
}

impl<'p> NamesPage<'p> {
    pub(crate) fn new(bytes: &'p [u8], count: usize) -> NamesPage<'p> {
        NamesPage { bytes, count }
    }

    /// Checks the whole page.
    pub(crate) fn check(bytes: &'p [u8], common: &Common) -> Result<()> {
        ensure(common.count > 0, "names leaf without entries")?;
        let page = NamesPage::new(bytes, common.count);
        ensure(
            common.extra == page.restarts(),
            "number of restarts does not follow from the count",
        )?;
        let body = bytes.get(..body_end(bytes.len())).unwrap_or_default();
        let mut at = page.entries_start();
        let mut name = Vec::with_capacity(MAX_NAME_LEN);
        let mut id = 0;
        for i in 0..common.count {
            let entry = Entry::read(body.get(at..).unwrap_or_default())?;
            ensure(entry.id > 0, "node id is 0")?;
            ensure(
                entry.shared <= name.len(),
                "an entry shares more than there is",
            )?;
            if i.is_multiple_of(RESTART_INTERVAL) {
                ensure(
                    page.restart(i / RESTART_INTERVAL) == at,
                    "a restart is not where it says",
                )?;
                ensure(entry.shared == 0, "a restart shares bytes")?;
            }
            ensure(i == 0 || entry.follows(&name, id), "names do not ascend")?;
            name.truncate(entry.shared);
            name.extend_from_slice(entry.suffix);
            id = entry.id;
            at += entry.len;
        }
        ensure(
            all_zero(body.get(at..).unwrap_or_default()),
            "unused bytes are not zero",
        )
    }

    /// Entries on the page.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Never true: a page holds at least one entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Gives the id of entry `i`, and its name in `out` in place of what was there.
    pub fn entry(&self, i: usize, out: &mut Vec<u8>) -> u64 {
        debug_assert!(i < self.count, "no such entry");
        let mut position = NamesPosition {
            name: std::mem::take(out),
            ..NamesPosition::default()
        };
        self.start_at(i, &mut position);
        let id = self.step(&mut position);
        *out = position.name;
        id.unwrap_or_default()
    }

    /// Where (`name`, `id`) is: `Ok` with its entry, or `Err` with the entry before which it would stand.
    pub fn search(&self, name: &[u8], id: u64) -> std::result::Result<usize, usize> {
        let found = self.find(&[name, &[0], &u48_be(id)].concat(), 0);
        if found.same {
            Ok(found.index)
        } else {
            Err(found.index)
        }
    }

    /// Whether there is an entry with this key: name, 0x00, id BE.
    pub(crate) fn holds(&self, key: &[u8]) -> bool {
        self.find(key, 0).same
    }

    /// The place before the first entry whose key is not less. `key` may be any bytes.
    pub(crate) fn seek(&self, mut key: Vec<u8>, samples: Option<&Samples>) -> NamesPosition {
        let Place {
            index, at, shared, ..
        } = match samples {
            Some(samples) => self.find_sampled(&key, samples),
            None => self.find(&key, 0),
        };
        key.truncate(shared);
        NamesPosition {
            index,
            at,
            name: key,
            shared: 0,
        }
    }

    #[inline]
    fn find_sampled(&self, key: &[u8], samples: &Samples) -> Place {
        match samples.before(key) {
            Some(after) => self.pass(after, 0, key),
            None => self.find(key, samples.known()),
        }
    }

    /// Bisects the restarts, then passes the entries of one run. `known`: so many bytes begin the key and every
    /// entry alike.
    fn find(&self, key: &[u8], known: usize) -> Place {
        let (mut low, mut high) = (0, self.restarts());
        // What the key has in common with the restarts around it, those between have, too.
        let (mut below, mut above) = (known, known);
        while low < high {
            let middle = low.midpoint(high);
            let entry = self.entry_at(self.restart(middle));
            match entry.map(|entry| entry.compare(below.min(above), key)) {
                Some((Ordering::Less, same)) => (low, below) = (middle + 1, same),
                Some((_, same)) => (high, above) = (middle, same),
                None => high = middle,
            }
        }
        // The first `low` restarts are less, so the entry is in the run that the last of them begins.
        let run = low.saturating_sub(1);
        let start = After {
            index: run * RESTART_INTERVAL,
            at: self.restart(run),
            common: 0,
        };
        self.pass(start, known, key)
    }

    /// Passes the entries that are less. No name is rebuilt: it is known how many bytes the entry before has in common
    /// with the key, and how many with the next entry. `known`: how many the key has in common with the first entry, if
    /// that shares nothing.
    #[inline]
    fn pass(&self, start: After, mut known: usize, key: &[u8]) -> Place {
        let After {
            index,
            at,
            mut common,
        } = start;
        let mut place = Place {
            index,
            at,
            shared: 0,
            same: false,
        };
        while place.index < self.count {
            let Some(entry) = self.entry_at(place.at) else {
                break;
            };
            // Where more is shared than the one before has in common with the key, the same byte decides.
            if entry.shared <= common {
                let rest = key.get(entry.shared..).unwrap_or_default();
                let (order, more) = entry.compare(std::mem::take(&mut known), rest);
                if order != Ordering::Less {
                    (place.shared, place.same) = (entry.shared, order == Ordering::Equal);
                    break;
                }
                common = entry.shared + more;
            }
            place.index += 1;
            place.at += entry.len;
        }
        place
    }

    /// The place before entry `i`, or the end.
    pub fn position(&self, i: usize) -> NamesPosition {
        let mut position = NamesPosition::default();
        self.start_at(i.min(self.count), &mut position);
        position
    }

    /// The only node that has this name, or that there is none, where a look at two entries tells. `key` is the name and
    /// seven zeros.
    pub(crate) fn only(&self, name: &[u8], key: &[u8], samples: &Samples) -> Option<Option<u64>> {
        let Place { index, at, .. } = self.find_sampled(key, samples);
        // What a later page holds is not known here.
        let entry = (index < self.count).then(|| self.entry_at(at))??;
        match entry.relation(name) {
            Relation::Beyond => return Some(None),
            Relation::Same => {}
            Relation::Open => return None,
        }
        let next = (index + 1 < self.count).then(|| self.entry_at(at + entry.len))??;
        (next.relation(name) == Relation::Beyond).then_some(Some(entry.id))
    }

    /// Gives the next entry's id and leaves its name in the position; none at the end.
    #[inline]
    pub fn step(&self, position: &mut NamesPosition) -> Option<u64> {
        if position.index >= self.count {
            return None;
        }
        let entry = self.entry_at(position.at)?;
        position.shared = entry.shared;
        position.name.truncate(entry.shared);
        // Where names end in numbers, most differ in one byte.
        match entry.suffix {
            [byte] => position.name.push(*byte),
            suffix => position.name.extend_from_slice(suffix),
        }
        position.at += entry.len;
        position.index += 1;
        Some(entry.id)
    }

    /// The entries from `i` on.
    pub fn iter_from(&self, i: usize) -> NamesIter<'p> {
        NamesIter {
            page: *self,
            position: self.position(i),
        }
    }

    fn start_at(&self, i: usize, position: &mut NamesPosition) {
        let run = i / RESTART_INTERVAL;
        position.name.clear();
        position.index = run * RESTART_INTERVAL;
        position.at = self.restart(run);
        while position.index < i && self.step(position).is_some() {}
    }

    #[inline]
    fn entry_at(&self, at: usize) -> Option<Entry<'p>> {
        Entry::quick(self.bytes.get(at..)?)
    }

    #[inline]
    fn restarts(&self) -> usize {
        self.count.div_ceil(RESTART_INTERVAL)
    }

    #[inline]
    fn restart(&self, run: usize) -> usize {
        usize::from(u16_at(self.bytes, HEADER_LEN + 2 * run))
    }

    /// Where the first entry begins in the page.
    pub fn entries_start(&self) -> usize {
        HEADER_LEN + 2 * self.restarts()
    }
}

/// Iterates over names and ids. Names are rebuilt in place, so each lives until the next step.
#[derive(Clone, Debug)]
pub struct NamesIter<'p> {
    page: NamesPage<'p>,
    position: NamesPosition,
}

impl NamesIter<'_> {
    /// The next entry.
    #[expect(
        clippy::should_implement_trait,
        reason = "the item borrows from the iterator"
    )]
    pub fn next(&mut self) -> Option<(&[u8], u64)> {
        let id = self.page.step(&mut self.position)?;
        Some((&self.position.name, id))
    }
}

/// Collects ascending entries and encodes a page of them.
#[derive(Debug)]
pub struct NamesBuilder {
    page_size: usize,
    count: usize,
    last: Vec<u8>,
    last_id: u64,
    entries: Vec<u8>,
    /// Where restarts begin in `entries`.
    restarts: Vec<usize>,
}

impl NamesBuilder {
    /// A builder of pages of one size.
    pub fn new(page_size: usize) -> NamesBuilder {
        let (count, last, last_id, entries, restarts) = Default::default();
        NamesBuilder {
            page_size,
            count,
            last,
            last_id,
            entries,
            restarts,
        }
    }

    /// Entries so far.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether no entry has been pushed since the last page.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The exact size in bytes of the page as it stands, header and trailer included.
    pub fn size(&self) -> usize {
        HEADER_LEN + 2 * self.restarts.len() + self.entries.len() + TRAILER_LEN
    }

    /// Adds an entry, unless the page would not hold it: then nothing changes and the answer is false.
    /// Entries must be pushed in ascending order of (name, 0x00, id BE).
    pub fn push(&mut self, name: &[u8], id: u64) -> bool {
        let ascends = compare_keys((&self.last, self.last_id), (name, id)) == Ordering::Less;
        debug_assert!(self.is_empty() || ascends, "names must ascend");
        let restart = self.count.is_multiple_of(RESTART_INTERVAL);
        let same = self.last.iter().zip(name).take_while(|(a, b)| a == b);
        let shared = if restart { 0 } else { same.count() };
        let suffix = name.get(shared..).unwrap_or_default();
        let lens = varint::len(shared as u64) + varint::len(suffix.len() as u64) + varint::len(id);
        let added = lens + suffix.len() + if restart { 2 } else { 0 };
        if self.size() + added > self.page_size {
            return false;
        }
        if restart {
            self.restarts.push(self.entries.len());
        }
        varint::put(&mut self.entries, shared as u64);
        varint::put(&mut self.entries, suffix.len() as u64);
        self.entries.extend_from_slice(suffix);
        varint::put(&mut self.entries, id);
        self.last.truncate(shared);
        self.last.extend_from_slice(suffix);
        self.last_id = id;
        self.count += 1;
        true
    }

    /// The page as an image without birth and checksum. The builder is empty afterwards.
    pub fn finish(&mut self) -> Box<[u8]> {
        debug_assert!(!self.is_empty(), "a page holds at least one entry");
        let common = Common {
            kind: PageKind::NamesLeaf,
            space: Some(KeySpace::Names),
            level: 0,
            flags: 0,
            count: self.count,
            prefix_len: 0,
            extra: self.restarts.len(),
        };
        let mut out = start_image(self.page_size, &common);
        let start = out.len() + 2 * self.restarts.len();
        for restart in &self.restarts {
            out.extend_from_slice(&((start + restart) as u16).to_le_bytes());
        }
        out.extend_from_slice(&self.entries);
        self.count = 0;
        self.last.clear();
        self.entries.clear();
        self.restarts.clear();
        finish_image(out, self.page_size)
    }
}

#[cfg(test)]
mod tests;
